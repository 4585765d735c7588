"""What became of an alert in one run, and how that is said in a line."""

from __future__ import annotations

from runner.model.alert_state import OVER, TOLD
from runner.model.notification import FIRE, RECOVER
from runner.model.redact import redact_text
from runner.model.units import format_seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from runner.model.alert_state import AlertState, Moment
    from runner.model.run import Run
    from runner.policy.alerts import AlertRule
    from runner.policy.conditions import Verdict

#: Names in a condition that ask whether the run failed: what it failed of is told with them.
_FAILURE = ("failed", "success", "status", "reason", "exit_code", "signal", "error_type")


#: Seconds of silence after its end that are told.
_WORTH_SAYING = 600.0


class Fired:
    """What became of an alert in this run.

    Attributes:
        rule: The alert.
        outcome: One of `alert_state.OUTCOMES`.
        text: What was found, in one line.
        more: Firings that were not told since the last message.
        during: Whether the run still lasted.
        channels: Names of the channels that are told.
        silent: Nanoseconds since its last message, where this one is not told for that reason.
    """

    __slots__ = ("channels", "during", "more", "outcome", "rule", "silent", "text")

    def __init__(
        self, rule: AlertRule, outcome: str, text: str, more: int = 0, during: bool = False,
        channels: Sequence[str] = (), silent: int | None = None,
    ) -> None:  # fmt: skip
        self.rule = rule
        self.outcome = outcome
        self.text = text
        self.more = more
        self.during = during
        self.channels = tuple(channels)
        self.silent = silent

    @property
    def told(self) -> bool:
        """Whether a message tells of it."""
        return self.outcome in (TOLD, OVER)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "name": self.rule.name,
            "severity": self.rule.severity,
            "condition": self.rule.condition,
            "outcome": self.outcome,
            "text": self.text,
            "more": self.more,
            "during": self.during,
            "channels": list(self.channels),
        }

    def part(self) -> dict[str, Any]:
        """Return it as a part of a message (see `Notification.alerts`)."""
        return {
            "rule": self.rule.name,
            "severity": self.rule.severity,
            "kind": RECOVER if self.outcome == OVER else FIRE,
            "condition": self.rule.condition,
            "text": self.text,
            "more": self.more,
        }


def text_of(rule: AlertRule, verdict: Verdict | None, run: Run) -> str:
    """Return what an alert found: the values of what its condition names, and the condition."""
    findings = [] if verdict is None else [each for each in verdict.findings if not isinstance(each.value, bool)]
    condition = " ".join(rule.condition.split())  # a file may have it on several lines
    if len(findings) == 1:
        condition = condition.removeprefix(findings[0].text).strip()  # its name stands before its value already
    parts = [", ".join(map(str, findings)), f"({condition})" if findings else condition]
    names = [] if verdict is None else [each.text for each in verdict.findings]
    error = run.last.error_message
    told = bool(findings) and error == f"exit code {run.last.exit_code}"
    if error and not told and not run.last.success and any(name in _FAILURE for name in names):
        parts.append(f"- {error}")
    return redact_text(" ".join(filter(None, parts)))


def text_over(rule: AlertRule, runs: int, since: int | None, state: AlertState, now: Moment) -> str:
    """Return that an alert does not hold any more, for how long it did, and for how long it stays silent yet.

    Args:
        rule: The alert.
        runs: In how many runs it held.
        since: When it began to; None where that is not known any more.
        state: What is remembered of it now.
        now: The present.
    """
    for_long = f" in {format_seconds((now.time - since) / 1e9)}" if since is not None and since < now.time else ""
    parts = [f"it held in {runs} run{'s' * (runs != 1)}{for_long}" if runs else "it does not hold any more"]
    left = rule.throttle_seconds - (state.silent_for(now) or 0) / 1e9
    if state.told is not None and left >= _WORTH_SAYING:
        parts.append(f"if it comes back within {format_seconds(left)}, that is counted, not told")
    return "; ".join(parts)
