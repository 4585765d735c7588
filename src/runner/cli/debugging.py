"""Says what helps to find a mistake, below the summary (``--log-level DEBUG``)."""

from __future__ import annotations

from runner.cli.dry_run import chosen
from runner.cli.output import Screen
from runner.engine.alert_outcome import text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.cli.alerting import Alerts
    from runner.cli.settings import Settings
    from runner.engine.own_log import OwnLog
    from runner.model.run import Run


def explain(own: OwnLog, settings: Settings, run: Run, alerts: Alerts | None) -> None:
    """Say which options were set by what, what conditions came to, and what became of messages.

    Args:
        own: Where that is written down.
        settings: The options of the run.
        run: The run.
        alerts: Its alerts.
    """
    own.details("option", chosen(settings))
    if alerts is not None:
        judged = alerts.alerting.judged
        own.details("alert.judged", (
            {"alert": rule.name, "held": verdict.fired, "text": text_of(rule, verdict, run)} for rule, verdict in judged
        ))  # fmt: skip
        own.details("message", alerts.alerting.sent)
    lines = own.held()
    if lines:
        screen = Screen()
        screen.write("".join(f"runner: debug: {screen.plain(line)}\n" for line in lines))
