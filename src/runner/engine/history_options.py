"""Options of the queries about past runs, and how people name moments in them."""

from __future__ import annotations

from runner.model.errors import UsageError
from runner.options import QUERY, Options, opt
from runner.stores.base import STATUSES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

_DAY = 86_400_000_000_000
#: The last moment there is, in the year 2262; the first is the epoch.
_LAST = (1 << 63) - 1


class HistoryOptions(Options):
    """Which runs are shown."""

    show_history: bool = opt("Show past runs, the newest first", default=False, role=QUERY, spec=True)
    script: str = opt(
        "Script to show: a path, a file name, or the name of its runs", default="", metavar="SCRIPT", positional=True
    )
    days: int = opt("Days to look back", default=30, flag="--history-days", minimum=1, metavar="DAYS", spec=True)
    limit: int = opt("Most runs to show", default=50, flag="--history-limit", minimum=1, metavar="N", spec=True)
    status: str = opt(
        "Only runs that ended so", default="", flag="--history-status", choices=STATUSES, metavar="STATUS"
    )
    since: str = opt(
        "Only runs started since: 2026-01-31, 2026-01-31T12:00, 7d, yesterday", default="", flag="--history-since",
        metavar="TIME",
    )  # fmt: skip
    until: str = opt(
        "Only runs started until then; a day counts whole", default="", flag="--history-until", metavar="TIME"
    )
    tag: tuple[str, ...] = opt(
        "Only runs with this tag (repeatable)", default=(), flag="--history-tag", metavar="KEY=VALUE"
    )


class StatsOptions(Options):
    """What is asked about the record itself."""

    db_stats: bool = opt("Show how much is remembered, and where", default=False, role=QUERY, spec=True)


class CleanupOptions(Options):
    """What is deleted from the record."""

    older_than: int | None = opt(
        "Delete the runs older than this many days and free their space", flag="--cleanup-old", minimum=0,
        metavar="DAYS", role=QUERY, spec=True,
    )  # fmt: skip


def days_before(days: float, now: int) -> int:
    """Return the moment that many days before `now`; moments are nanoseconds since the epoch, UTC."""
    return now - int(min(days * _DAY, now))


def parse_moment(text: str, now: int, end: bool = False) -> int:
    """Return the moment that a text names, in nanoseconds since the epoch, UTC.

    Args:
        text: A day (``2026-01-31``, ``today``, ``yesterday``), a time in ISO 8601 (local unless it has an offset), or a
            duration before now (``7d``, ``12h``).
        now: The present, likewise in nanoseconds.
        end: Whether a day means its end instead of its beginning.

    Raises:
        UsageError: It is none of these.
    """
    from datetime import date, datetime, timedelta

    word = text.strip()
    today = datetime.fromtimestamp(now / 1e9).date()
    day = {"today": today, "yesterday": today - timedelta(days=1)}.get(word.lower())
    if day is None:
        try:
            day = date.fromisoformat(word)
        except ValueError:
            return _parse_time(word, now)
    try:
        if end:
            day += timedelta(days=1)
        return nanoseconds(datetime(day.year, day.month, day.day))
    except (ValueError, OverflowError):  # of the first and the last day of the calendar
        return 0 if day.year == 1 else _LAST


def nanoseconds(moment: datetime) -> int:
    """Return a moment in nanoseconds since the epoch, UTC, cut to what the store can hold."""
    exact = int(moment.replace(microsecond=0).timestamp()) * 1_000_000_000 + moment.microsecond * 1000
    return max(0, min(exact, _LAST))


def _parse_time(text: str, now: int) -> int:
    from datetime import datetime

    from runner.model.units import parse_seconds

    try:
        return nanoseconds(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        pass
    try:
        if text[-1:].isalpha():
            return max(0, now - int(parse_seconds(text) * 1e9))
    except ValueError:
        pass
    raise UsageError(f"{text!r} is no time (2026-01-31, 2026-01-31T12:00, yesterday and 7d are)")
