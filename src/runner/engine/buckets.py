"""Cuts time into buckets: 5 or 15 minutes, hours, or days of this machine's zone."""

from __future__ import annotations

from runner.engine.history_options import nanoseconds
from runner.model.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import date

_MINUTE = 60_000_000_000
#: Width of a bucket in nanoseconds, by name; a day is as long as its date lasts.
WIDTHS = {"5min": 5 * _MINUTE, "15min": 15 * _MINUTE, "1hour": 60 * _MINUTE, "1day": 0}
DAY = "1day"
#: Most buckets that can be asked for.
MOST = 1_000_000


def bucket_edges(size: str, first: int, last: int, most: int | None = None) -> list[int]:
    """Return the edges of the buckets from the one that holds `first` to the one that holds `last`.

    Days are those of this machine's zone: where the clocks change, a day is 23 or 25 hours long. Shorter buckets are
    counted from midnight, and are of equal length whatever the clocks say.

    Args:
        size: One of `WIDTHS`.
        first: In nanoseconds since the epoch.
        last: Likewise, not before `first`.
        most: At most so many buckets, the last ones; None for all.

    Returns:
        Ascending moments, one more than there are buckets.

    Raises:
        UsageError: There would be more than `MOST`.
    """
    from datetime import datetime, timedelta

    width = WIDTHS[size]
    limit = MOST if most is None else min(most, MOST)
    spare = 1 + 25 * 12  # whole days are cut at a time, and the last may be cut off again
    day = datetime.fromtimestamp(last / 1e9).date()
    edges = [_midnight(day + timedelta(days=1))]
    while edges[-1] > first and len(edges) <= limit + spare:
        begin = _midnight(day)
        # A zone that crossed the date line has left out a date.
        edges.extend(reversed(range(begin, edges[-1], width or edges[-1])))
        day -= timedelta(days=1)
    edges.reverse()
    # Drop what lies before the first bucket and behind the last.
    while len(edges) > 2 and edges[1] <= first:
        del edges[0]
    while len(edges) > 2 and edges[-2] > last:
        del edges[-1]
    if most is None and len(edges) > limit + 1:
        raise UsageError(f"that would be over {MOST:,} buckets of {size}; ask for a shorter time or longer buckets")
    return edges[-limit - 1 :]


def _midnight(day: date) -> int:
    from datetime import datetime

    return nanoseconds(datetime(day.year, day.month, day.day))
