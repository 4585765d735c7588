"""What an alert is: a condition with a name, how serious it is, whom it is told, and when it is told again."""

from __future__ import annotations

from runner.model.alert_state import ACKNOWLEDGED, MUTED, OVER, THROTTLED, TOLD, WAITING
from runner.model.errors import UsageError
from runner.model.notification import INFO, SEVERITIES
from runner.model.notification import WARNING as WARNING_SEVERITY
from runner.model.words import did_you_mean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.model.alert_state import AlertState, Moment

# While what an alert looks at is judged.
DURING = "during"
AFTER = "after"
BOTH = "both"
MOMENTS = (AFTER, DURING, BOTH)

#: Seconds within which an alert of a script is told once, where its rule says nothing else.
THROTTLE_SECONDS = 300.0
#: What a condition names that is about a change from the run before.
_CHANGES = ("recovered", "first_run", "changed(")
#: Characters of a name.
_LONGEST_NAME = 100


class AlertRule:
    """One alert as it was asked for.

    Attributes:
        name: What it is called; one name is one alert, of each script.
        condition: Text of the condition.
        severity: `INFO`, `WARNING` or `CRITICAL`.
        channels: Names of those to be told; empty for every one that is configured.
        throttle_seconds: After a message, further firings are counted for so long, not told; 0 tells each.
        after: How many runs in a row it has to hold before it is told.
        when: Whether it is judged when the run has ended, while it lasts, or both.
        recover: Whether its end is told; where that is not said, of all but what is of severity INFO, and what is
            about a change, which ends by itself.
        where: File and line where it is written, "" where that is no file.
    """

    __slots__ = ("after", "channels", "condition", "name", "recover", "severity", "throttle_seconds", "when", "where")

    def __init__(
        self,
        name: str,
        condition: str,
        channels: Sequence[str] = (),
        severity: str = WARNING_SEVERITY,
        throttle_seconds: float = THROTTLE_SECONDS,
        after: int = 1,
        when: str = AFTER,
        recover: bool | None = None,
    ) -> None:
        self.name = name.strip()
        self.condition = condition.strip()
        self.where = ""
        self.channels = tuple(dict.fromkeys(channels))
        self.severity = severity.upper()
        self.throttle_seconds = float(throttle_seconds)
        self.after = after
        self.when = when.lower()
        passing = self.severity == INFO or any(name in self.condition for name in _CHANGES)
        self.recover = not passing if recover is None else recover
        self._check()

    def _check(self) -> None:
        if not self.name or len(self.name) > _LONGEST_NAME or not self.name.isprintable():
            raise UsageError(f"an alert needs a name of at most {_LONGEST_NAME} characters, not {self.name[:40]!r}")
        where = f"alert {self.name!r}"
        if not self.condition:
            raise UsageError(f"{where} has no condition")
        if self.severity not in SEVERITIES:
            guess = did_you_mean(self.severity, SEVERITIES)
            raise UsageError(f"{where}: severity {self.severity!r} is not one of {', '.join(SEVERITIES)}{guess}")
        if self.when not in MOMENTS:
            guess = did_you_mean(self.when, MOMENTS)
            raise UsageError(f"{where}: when {self.when!r} is not one of {', '.join(MOMENTS)}{guess}")
        if not 0 <= self.throttle_seconds < float("inf"):
            raise UsageError(f"{where}: throttle_seconds {self.throttle_seconds:g} is no number of seconds from 0 on")
        if self.after < 1:
            raise UsageError(f"{where}: after {self.after} is no number of runs from 1 on")


def parse_alert(text: str) -> AlertRule:
    """Return the alert that ``NAME:CONDITION`` asks for.

    Raises:
        UsageError: It is none.
    """
    name, colon, condition = text.partition(":")
    if not colon or not name.strip() or not condition.strip():
        raise UsageError(f"--alert-config {text!r} is not NAME:CONDITION, such as slow:execution_time_seconds>5m")
    return AlertRule(name, condition)


def decide(
    rule: AlertRule, state: AlertState, held: bool, now: Moment, muted: bool, started: int | None = None
) -> str:
    """Decide what becomes of an alert in a run, and change what is remembered of it.

    Args:
        rule: The alert.
        state: What was remembered; changed in place.
        held: Whether the condition held in this run.
        now: The present.
        muted: Whether nobody wants to hear of it now.
        started: When the run began, in nanoseconds since the epoch; None where that does not matter.

    Returns:
        One of `alert_state.OUTCOMES`, "" where there is nothing to note.
    """
    if not held:
        # Beside it another run may have begun later and found what this one knows nothing of. (A time to come tells
        # of a clock that was set back.)
        if started is not None and state.since is not None and started < state.since <= now.time:
            return ""
        over, ended = state.open and rule.recover, state.held > 0
        state.held, state.since, state.acked, state.acked_by = 0, None, None, ""
        state.open = over and muted  # who was told that it holds is told that it does not, once they want to hear
        return "" if not over else OVER if not muted else MUTED if ended else ""
    state.held += 1
    state.severity = rule.severity
    if state.since is None:
        state.since = now.time
    if state.held < rule.after:
        return WAITING
    silence = state.silent_for(now)
    if muted or state.acked is not None or (silence is not None and silence < rule.throttle_seconds * 1e9):
        state.untold += 1
        return MUTED if muted else ACKNOWLEDGED if state.acked is not None else THROTTLED
    state.tell(now)
    state.open = True
    return TOLD
