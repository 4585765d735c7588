"""Days as moments are reckoned by: in nanoseconds since the epoch, UTC."""

from __future__ import annotations

#: Nanoseconds of a day.
DAY = 86_400_000_000_000


def days_before(days: float, now: int) -> int:
    """Return the moment that many days before `now`, and not before the epoch."""
    return now - int(min(days * DAY, now))
