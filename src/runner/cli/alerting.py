"""Joins the alerts of a line with its run: made before the start, shown below the summary, sent last."""

from __future__ import annotations

from runner.cli.output import DIM, GREEN, RED, YELLOW, Screen
from runner.engine.alerting import Alerting
from runner.engine.channels import CONSOLE
from runner.model.alert_state import ACKNOWLEDGED, MUTED, OVER, THROTTLED, WAITING
from runner.model.notification import CRITICAL, INFO
from runner.model.units import format_count, format_seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.cli.settings import Settings
    from runner.engine.alert_outcome import Fired
    from runner.engine.alert_watch import AlertWatch
    from runner.engine.execution import Execution
    from runner.engine.run_options import ShowOptions
    from runner.executors.here import Here
    from runner.model.run import Run

_LABEL = 11  # columns that the label of a row of the summary takes


class Alerts:
    """The alerts of the run of a line.

    Args:
        settings: What the line and the configuration ask for.
        environ: The environment.

    Raises:
        UsageError: An alert or a channel makes no sense.
    """

    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        from runner.channels.options import ChannelOptions
        from runner.engine.alert_options import AlertOptions, make_rules
        from runner.engine.channels import make_channels
        from runner.engine.location import absolute, locate
        from runner.engine.run_options import RecordOptions

        record = settings.get("record", RecordOptions)
        rules = make_rules(settings.get("alerts", AlertOptions))
        channels = make_channels(settings.get("channels", ChannelOptions), environ)
        path = "" if record.disable_history else locate(record.history_db, absolute())[0]
        self.alerting = Alerting(rules, channels, path)
        #: What is wrong with alerts, and keeps none from being judged.
        self.warnings = [self.alerting.warnings.pop() for _ in list(self.alerting.warnings)][::-1]
        self._watch: AlertWatch | None = None
        self._stuck = False

    def begin(self, execution: Execution, here: Here, show: ShowOptions) -> None:
        """Judge what is to be judged while the script runs."""
        if not self.alerting.needs_watching or execution.skipped:
            return
        from runner.engine.alert_watch import AlertWatch

        names: list[str] = []

        def said(found: list[Fired]) -> None:
            screen, told = Screen(), _for_the_console(found)
            # Where a line is drawn over and over there is no place for another, and in a file one would be counted as
            # the script's; the summary has it.
            if here.overlay is not None:
                names.extend(each.rule.name for each in found if each.outcome not in (WAITING, MUTED))
                here.overlay.notice(f"alert: {', '.join(names)}" if names else "")
            elif screen.terminal and not _in_events(show):
                screen.write("".join(f"runner: alert: {screen.plain(_line(each))}\n" for each in told))

        self._watch = AlertWatch(execution, self.alerting, said)

    def judge(self, run: Run, unrecorded: bool) -> None:
        """Judge the finished run.

        Args:
            run: The run.
            unrecorded: Whether it could not be stored; its alerts then do not wait for the record once more.
        """
        try:
            if unrecorded:
                self.alerting.do_without("the run is not in the record")
            self._stuck = self._watch is not None and not self._watch.end()
            if not self._stuck:
                self.alerting.judge(run)
        except Exception as error:  # whatever is wrong with alerts, the summary is shown
            self.alerting.warnings.append(f"alerts failed: {type(error).__name__}: {error}")

    def show(self, screen: Screen, show: ShowOptions) -> None:
        """Show what fired, one alert a line, as a part of the summary or without one."""
        if _in_events(show):
            return
        bare = show.quiet or show.log_level not in ("INFO", "DEBUG")
        fired = [each for each in self.alerting.fired if each.outcome != WAITING]
        if bare:
            fired = _for_the_console(fired)
        if not fired:
            return
        lines = []
        for number, each in enumerate(fired):
            style = _style(each)
            if bare:
                lines.append(f"{screen.paint('runner: alert:', style)} {screen.plain(_line(each))}")
            else:
                text = _line(each) if screen.unicode else _line(each).replace(" · ", ", ")
                lines.append(_row(screen, "" if number else "Alert", text, style))
        screen.write("\n".join(lines) + "\n")

    def send(self) -> list[str]:
        """Send what is to be sent; return the lines of trouble worth saying."""
        if self._stuck:
            return ["alerts that are still being sent are left to the outbox"]
        try:
            self.alerting.send()
            self.alerting.close()
        except Exception as error:
            self.alerting.warnings.append(f"alerts failed: {type(error).__name__}: {error}")
        return self.alerting.warnings


def _in_events(show: ShowOptions) -> bool:
    """Whether standard error gets events, of which each alert is one."""
    return show.own_log is not None and show.own_log.speaks


def _for_the_console(found: Sequence[Fired]) -> list[Fired]:
    """Return what is told on the console."""
    return [each for each in found if CONSOLE in each.channels]


def _line(each: Fired) -> str:
    notes = []
    if each.outcome in (ACKNOWLEDGED, MUTED):
        notes.append(each.outcome)
    if each.outcome == THROTTLED and each.silent is not None:
        left = format_seconds(max(0.0, each.rule.throttle_seconds - each.silent / 1e9))
        notes.append(f"told {format_seconds(each.silent / 1e9)} ago, not again for {left}")
    if each.told and each.more:
        notes.append(f"and {format_count(each.more)} more since it was last told")
    others = [name for name in each.channels if name != CONSOLE]
    if others:
        notes.append(f"to {', '.join(others)}")
    state = "over" if each.outcome == OVER else each.rule.severity
    return " · ".join([f"{state} {each.rule.name}: {each.text}", *notes])


def _style(each: Fired) -> str:
    if each.outcome == OVER:
        return GREEN
    if not each.told or each.rule.severity == INFO:
        return DIM
    return RED if each.rule.severity == CRITICAL else YELLOW


def _row(screen: Screen, label: str, text: str, style: str) -> str:
    begin = f"  {screen.paint(f'{label:<8}', style)} "
    room = screen.width - _LABEL
    if not screen.width or room < 20:
        return begin + screen.plain(text)
    from runner.cli.columns import wrap

    return begin + ("\n" + " " * _LABEL).join(wrap(screen.plain(text), room))
