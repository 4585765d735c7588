"""Options of the queries about past runs, and how people name moments in them."""

from __future__ import annotations

from runner.engine.environment import pairs
from runner.model.days import days_before as days_before
from runner.model.errors import UsageError
from runner.model.metrics import CPU_TIME, EXECUTION_TIME, MEMORY_MAX
from runner.options import QUERY, Options, opt
from runner.stores.base import NEWEST, STATUSES, RunFilter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import date, datetime

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
    since: str | None = opt(
        "Only runs started since: 2026-01-31, 2026-01-31T12:00, 7d, yesterday", flag="--history-since", metavar="TIME"
    )
    until: str | None = opt(
        "Only runs started until then; a day counts whole", flag="--history-until", metavar="TIME"
    )
    tag: tuple[str, ...] = opt(
        "Only runs with this tag (repeatable)", default=(), flag="--history-tag", metavar="KEY=VALUE"
    )
    host: str = opt("Only runs on this host", default="", flag="--history-host", metavar="NAME")
    longer_than: float | None = opt(
        "Only runs that took at least so long: 90, 5m", flag="--history-longer-than", unit="seconds", minimum=0,
        metavar="TIME",
    )  # fmt: skip
    shorter_than: float | None = opt(
        "Only runs that took at most so long", flag="--history-shorter-than", unit="seconds", minimum=0, metavar="TIME"
    )
    memory_above: int | None = opt(
        "Only runs whose peak memory was at least this: 500MB, 2GB", flag="--history-memory-above", unit="bytes",
        minimum=0, metavar="SIZE",
    )  # fmt: skip
    above: tuple[str, ...] = opt(
        "Only runs with at least this of a metric: cpu_max:90% (repeatable)", default=(), flag="--history-above",
        metavar="METRIC:VALUE",
    )  # fmt: skip
    below: tuple[str, ...] = opt(
        "Only runs with at most this of a metric (repeatable)", default=(), flag="--history-below",
        metavar="METRIC:VALUE",
    )  # fmt: skip
    text: str = opt(
        "Only runs with this text in the output that was kept, or in the error", default="", flag="--history-text",
        metavar="TEXT",
    )  # fmt: skip
    sort: str = opt(
        "What comes first: started (newest), duration, cpu or memory (highest), or a metric", default="started",
        flag="--history-sort", metavar="KEY",
    )  # fmt: skip
    reverse: bool = opt("Turn the order round", default=False, flag="--history-reverse")


class ScriptsOptions(Options):
    """Which scripts are listed."""

    script: str = opt("Only this script: a path, a file name, or the name of its runs", default="", metavar="SCRIPT",
                      positional=True)  # fmt: skip
    days: int = opt("Days to look back", default=30, flag="--scripts-days", minimum=1, metavar="DAYS")
    sort: str = opt(
        "What comes first: last (run), name, runs, failures, wall or memory", default="last", flag="--scripts-sort",
        choices=("last", "name", "runs", "failures", "wall", "memory"),
    )  # fmt: skip


#: What `HistoryOptions.sort` can be besides the name of a metric.
SORTS = {
    "started": NEWEST, "duration": EXECUTION_TIME.name, "wall": EXECUTION_TIME.name, "cpu": CPU_TIME.name,
    "memory": MEMORY_MAX.name,
}  # fmt: skip


def history_filter(options: HistoryOptions, now: int) -> RunFilter:
    """Return which runs the options ask for.

    Args:
        options: The options.
        now: The present, in nanoseconds since the epoch.

    Raises:
        UsageError: One of them makes no sense.
    """
    since: int | None = days_before(options.days, now)
    if options.since is not None:
        since = parse_moment(options.since, now)
    elif options.until is not None and "days" not in options.sources:
        since = None
    until = parse_moment(options.until, now, end=True) if options.until is not None else None
    if since is not None and until is not None and since >= until:
        raise UsageError(f"--since {options.since or options.days} is not before --until {options.until}")
    above, below = _figures(options.above, "--above"), _figures(options.below, "--below")
    if options.longer_than is not None:
        above[EXECUTION_TIME.name] = options.longer_than
    if options.shorter_than is not None:
        below[EXECUTION_TIME.name] = options.shorter_than
    if options.memory_above is not None:
        above[MEMORY_MAX.name] = options.memory_above / (1 << 20)
    return RunFilter(
        options.script, options.status, since, until, pairs(options.tag, "--tag"), limit=options.limit,
        order=SORTS.get(options.sort.lower(), options.sort), host=options.host, above=above, below=below,
        text=options.text, reverse=options.reverse,
    )  # fmt: skip


def _figures(texts: tuple[str, ...], flag: str) -> dict[str, float]:
    """Return the bounds that METRIC:VALUE texts name."""
    from runner.model.metrics import find
    from runner.model.units import parse_value

    bounds = {}
    for text in texts:
        name, colon, value = text.partition(":")
        if not colon:
            raise UsageError(f"{flag} {text}: METRIC:VALUE is needed, such as cpu_max:90%")
        metric = find(name.strip())
        try:
            bounds[metric.name] = parse_value(value, metric.unit)
        except ValueError as error:
            raise UsageError(f"{flag} {text}: {error}") from None
    return bounds


class StatsOptions(Options):
    """What is asked about the record itself."""

    db_stats: bool = opt("Show how much is remembered, and where", default=False, role=QUERY, spec=True)


class CleanupOptions(Options):
    """What is deleted from the record."""

    older_than: int | None = opt(
        "Delete the runs older than this many days and free their space", flag="--cleanup-old", minimum=0,
        metavar="DAYS", role=QUERY, spec=True,
    )  # fmt: skip


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


def moment_of(moment: date | str, end: bool = False) -> int:
    """Return the moment that a program names, in nanoseconds since the epoch, UTC.

    Args:
        moment: A datetime (local unless it has an offset), a date, or a text (see `parse_moment`).
        end: Whether a day means its end instead of its beginning.

    Raises:
        UsageError: It is none of these.
    """
    from datetime import date, datetime
    from time import time_ns

    if isinstance(moment, datetime):
        try:
            return nanoseconds(moment)
        except (ValueError, OverflowError):  # of the first and the last day of the calendar
            return 0 if moment.year == 1 else _LAST
    if not isinstance(moment, (date, str)):
        raise UsageError(f"{moment!r} is no time (a datetime, a date and texts such as 2026-01-31 and 7d are)")
    return parse_moment(moment if isinstance(moment, str) else moment.isoformat(), time_ns(), end)


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
