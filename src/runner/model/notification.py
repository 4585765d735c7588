"""What is told to people about a run whose alerts fired or are over: plain data, the same for every channel."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

# How serious an alert is.
INFO = "INFO"
WARNING = "WARNING"
CRITICAL = "CRITICAL"
#: The least serious first.
SEVERITIES = (INFO, WARNING, CRITICAL)

# What is told.
FIRE = "fire"  # the condition of an alert holds
RECOVER = "recover"  # it held, that was told, and now it does not any more


class Notification:
    """One message to one channel: all that a run has to tell there at one moment.

    Nothing in it is secret: texts that came from the script are redacted before they get here. They may still hold any
    character, so a channel escapes them for its own format.

    Attributes:
        id: Idempotency key, 32 hexadecimal digits: a message that is sent again, since nobody knows whether it arrived,
            has the same one.
        kind: `FIRE`, or `RECOVER` where nothing in it fires.
        severity: The worst of its alerts: `INFO`, `WARNING` or `CRITICAL`.
        title: One line: script, what happened.
        alerts: What fired or is over, worst first; each a mapping with ``rule``, ``severity``, ``kind``, ``condition``,
            ``text`` (one line: the figures that the condition names) and ``more`` (how many firings of the rule were
            not told since its last message).
        lines: What is known of the run, in lines for people; without title, alerts and output.
        figures: Of the run, as (label, text with unit).
        metrics: Of the run, by name, numbers or None.
        output: Last lines of the script's output, the oldest first.
        curve: Memory over time as (seconds, megabytes), at most some hundred points; empty where there is none.
        script: What people call the script.
        script_key: What the record calls it.
        run_id: The run.
        host: Name of the machine.
        user: Who ran it.
        command: Script and arguments as typed, secrets redacted.
        time: When it was decided, nanoseconds since the epoch.
        started: When the run began, likewise.
        ended: When it ended; None while it lasts.
        success: Whether it succeeded; None while it lasts.
        exit_code: Of the script, or None.
        reason: How it ended (`agent.events`), "" while it lasts.
        error: What went wrong, in one line, or "".
        settled: Recipients of the channel with whom nothing is left to be done since an earlier try, and the code that
            each answered; it is the channel's own, and no part of what is told.
    """

    __slots__ = (
        "alerts", "command", "curve", "ended", "error", "exit_code", "figures", "host", "id", "kind", "lines",
        "metrics", "output", "reason", "run_id", "script", "script_key", "settled", "severity", "started", "success",
        "time", "title", "user",
    )  # fmt: skip

    def __init__(
        self,
        id: str,
        kind: str,
        severity: str,
        title: str,
        alerts: Sequence[Mapping[str, Any]] = (),
        lines: Sequence[str] = (),
        figures: Sequence[Sequence[str]] = (),
        metrics: Mapping[str, Any] | None = None,
        output: Sequence[str] = (),
        curve: Sequence[Sequence[float]] = (),
        script: str = "",
        script_key: str = "",
        run_id: str = "",
        host: str = "",
        user: str = "",
        command: str = "",
        time: int = 0,
        started: int = 0,
        ended: int | None = None,
        success: bool | None = None,
        exit_code: int | None = None,
        reason: str = "",
        error: str = "",
        settled: Mapping[str, int] | None = None,
    ) -> None:
        self.id = id
        self.kind = kind
        self.severity = severity
        self.title = title
        self.alerts = [dict(alert) for alert in alerts]
        self.lines = list(lines)
        self.figures = [(label, text) for label, text in figures]
        self.metrics = dict(metrics or {})
        self.output = list(output)
        self.curve = [(at, value) for at, value in curve]
        self.script = script
        self.script_key = script_key
        self.run_id = run_id
        self.host = host
        self.user = user
        self.command = command
        self.time = time
        self.started = started
        self.ended = ended
        self.success = success
        self.exit_code = exit_code
        self.reason = reason
        self.error = error
        self.settled = dict(settled or {})

    @property
    def rule(self) -> str:
        """Name of its worst alert."""
        return str(self.alerts[0]["rule"]) if self.alerts else ""

    def to_dict(self) -> dict[str, Any]:
        """Return what it tells as plain data for JSON."""
        return {name: getattr(self, name) for name in sorted(self.__slots__) if name != "settled"}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Notification:
        """Return what `to_dict` was made of; keys of a later version are left out."""
        return cls(**{name: data[name] for name in cls.__slots__ if name in data})
