"""What is remembered of an alert between runs, and the clock by which its silence is measured."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# What became of an alert in one run.
TOLD = "told"  # a message was made for it
OVER = "over"  # a message that it does not hold any more
WAITING = "waiting"  # it held, in fewer runs in a row than its rule asks for
THROTTLED = "throttled"  # it held, which was told not long ago
ACKNOWLEDGED = "acknowledged"  # it held, which somebody knows
MUTED = "muted"  # it held, and nobody wants to hear of it for now
OUTCOMES = (TOLD, OVER, WAITING, THROTTLED, ACKNOWLEDGED, MUTED)


class Moment:
    """The present by two clocks.

    Attributes:
        time: Nanoseconds since the epoch, UTC; somebody may set this clock.
        boot: Identity of this boot of the machine, "" where the system has none.
        up: Nanoseconds since the boot; nobody sets this one.
    """

    __slots__ = ("boot", "time", "up")

    def __init__(self, time: int, boot: str = "", up: int = 0) -> None:
        self.time = time
        self.boot = boot
        self.up = up

    @classmethod
    def now(cls) -> Moment:
        """Return the present."""
        import time

        from runner.agent.facts import boot_id

        clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
        return cls(time.time_ns(), boot_id(), time.clock_gettime_ns(clock))


class AlertState:
    """What is remembered of one alert of one script.

    Attributes:
        held: Runs in a row in which its condition held.
        since: When the first of them was judged, None where it does not hold.
        told: When its last message was made, None for never.
        boot: The boot of the machine that made it,
        up: and that boot's clock then.
        untold: Firings since then that were not told.
        open: Whether it was told that it holds, and not yet that this is over.
        acked: When somebody acknowledged it, None where nobody has since it began.
        acked_by: Who.
        severity: How serious its last firing was.
    """

    __slots__ = ("acked", "acked_by", "boot", "held", "open", "severity", "since", "told", "untold", "up")

    def __init__(
        self,
        held: int = 0,
        since: int | None = None,
        told: int | None = None,
        boot: str = "",
        up: int = 0,
        untold: int = 0,
        open: bool = False,
        acked: int | None = None,
        acked_by: str = "",
        severity: str = "",
    ) -> None:
        self.held = held
        self.since = since
        self.told = told
        self.boot = boot
        self.up = up
        self.untold = untold
        self.open = open
        self.acked = acked
        self.acked_by = acked_by
        self.severity = severity

    def tell(self, now: Moment) -> None:
        """Note that a message is made now."""
        self.told, self.boot, self.up = now.time, now.boot, now.up

    def silent_for(self, now: Moment) -> int | None:
        """Return the nanoseconds since the last message, None where there was none.

        On the boot that made it, the clock counts that nobody sets. Elsewhere a message of the future tells that the
        clock was set back: how long ago it was made is then unknown, and it counts as made now, once and for all. So
        nothing is told twice within a window, and nothing is silenced for longer than one more window.
        """
        if self.told is None:
            return None
        if self.boot and self.boot == now.boot and now.up >= self.up:
            return now.up - self.up
        if self.told > now.time:
            self.tell(now)
        return now.time - self.told

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {name: getattr(self, name) for name in self.__slots__}
