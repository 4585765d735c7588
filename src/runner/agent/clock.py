"""When the ticks of a run are due: each in a slot of its own, counted from the start."""

from __future__ import annotations


class Slots:
    """Slots at ``start + k * interval``; a tick that comes late is taken once, and those it missed are left out.

    Args:
        start: Seconds on the monotonic clock.
        interval: Seconds between two slots.
    """

    __slots__ = ("_interval", "_number", "_start", "due")

    def __init__(self, start: float, interval: float) -> None:
        self._start = start
        self._interval = interval
        self._number = 1
        #: When the next tick is due, on the same clock.
        self.due = start + interval

    def advance(self, now: float) -> None:
        """Move on to the first slot after `now`."""
        passed = int((now - self._start) / self._interval)
        self._number = max(self._number + 1, passed + 1)
        self.due = self._start + self._number * self._interval
