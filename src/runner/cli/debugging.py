"""Says what helps to find a mistake, below the summary (``--log-level DEBUG``)."""

from __future__ import annotations

from runner.cli.dry_run import chosen
from runner.cli.output import Screen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.cli.alerting import Alerts
    from runner.cli.settings import Settings
    from runner.engine.own_log import OwnLog


def explain(own: OwnLog, settings: Settings, alerts: Alerts | None) -> None:
    """Say which options were set by what, what conditions came to, and what became of messages.

    Args:
        own: Where that is written down.
        settings: The options of the run.
        alerts: Its alerts.
    """
    own.details("option", chosen(settings))
    if alerts is not None:
        own.details("alert.judged", alerts.alerting.judged)
        own.details("message", alerts.alerting.sent)
    lines = own.held()
    if lines:
        screen = Screen()
        screen.write("".join(f"runner: debug: {screen.plain(line)}\n" for line in lines))
