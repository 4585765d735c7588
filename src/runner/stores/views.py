"""The views on the record that people ask in SQL: a stable interface, declared column by column."""

from __future__ import annotations

from runner.agent.events import EXITED, SAMPLE_FIELDS
from runner.model.metrics import EXECUTION_TIME, METRICS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.model.curve import Curve

#: Name under which the record is attached: its tables are not for people.
SCHEMA = "record"


class Column:
    """One column of a view.

    Attributes:
        name: Its name.
        type: ``text``, ``integer``, ``real`` or ``json``.
        meaning: One sentence without a full stop.
        sql: What it is computed from.
    """

    __slots__ = ("meaning", "name", "sql", "type")

    def __init__(self, name: str, type: str, meaning: str, sql: str) -> None:
        self.name = name
        self.type = type
        self.meaning = meaning
        self.sql = sql


class View:
    """One view.

    Attributes:
        name: Its name.
        meaning: What a row of it is, in one sentence.
        columns: Its columns.
        source: What stands behind FROM; "" for a table that is filled when it is asked for.
    """

    __slots__ = ("columns", "meaning", "name", "source")

    def __init__(self, name: str, meaning: str, columns: tuple[Column, ...], source: str) -> None:
        self.name = name
        self.meaning = meaning
        self.columns = columns
        self.source = source

    def create(self) -> str:
        """Return the statement that creates it."""
        if not self.source:
            columns = ", ".join(f"{column.name} {column.type.upper()}" for column in self.columns)
            return f"CREATE TEMP TABLE {self.name} ({columns})"
        columns = ", ".join(f"{column.sql} AS {column.name}" for column in self.columns)
        return f"CREATE TEMP VIEW {self.name} AS SELECT {columns} FROM {self.source}"


def _local(column: str) -> str:
    return f"strftime('%Y-%m-%dT%H:%M:%f', {column} / 1e9, 'unixepoch', 'localtime')"


_LABEL = "CASE WHEN s.name <> '' THEN s.name ELSE file_name(s.path) END"
_GOOD = f"r.reason = '{EXITED}' AND r.exit_code = 0"
_WALL = EXECUTION_TIME.name
_TYPES = {int: "integer", float: "real"}

_RUN = (
    Column("run_id", "text", "Its id, 12 hexadecimal digits", "printf('%012x', r.id)"),
    Column("script", "text", "What people call the script: the name of the run, else its file's name", _LABEL),
    Column("script_path", "text", "The script as it was typed", "s.path"),
    Column("script_key", "text", "What history groups by: an absolute path, `-m module`, a command", "s.key"),
    Column("args", "json", "Its arguments, a list", "unpacked(a.args)"),
    Column("shape", "text", "What its arguments have in common with those of other runs", "ifnull(a.shape, '')"),
    Column("started", "text", "Start in local time, ISO 8601 to the millisecond", _local("r.started")),
    Column("started_epoch", "real", "Start in seconds since the epoch", "r.started / 1e9"),
    Column("started_ns", "integer", "The same in nanoseconds; comparing this one is the fastest", "r.started"),
    Column("ended", "text", "End of the last attempt in local time; NULL if nobody saw it",
           _local("(r.started + r.offset + r.duration)")),
    Column("status", "text", "`success` or `failed`", f"CASE WHEN {_GOOD} THEN 'success' ELSE 'failed' END"),
    Column("reason", "text", "How it ended: `exited`, `signaled`, `timeout`, `lost` ...", "r.reason"),
    Column("exit_code", "integer", "Exit code of the script", "r.exit_code"),
    Column("signal", "integer", "Number of the signal that ended it", "r.signal"),
    Column("error_type", "text", "Exception class, `timeout`, `signal:N` or `exit:N`", "r.error_type"),
    Column("error_message", "text", "What the error said", "r.error_message"),
    Column("attempts", "integer", "How many attempts it took", "r.attempts"),
    Column("total_seconds", "real", "From the first start to the last end, delays included",
           "(r.offset + r.duration) / 1e9"),
    *(Column(metric.name, _TYPES[metric.type], f"{metric.meaning.rstrip('.')} ({metric.unit})", f"r.{metric.name}")
      for metric in METRICS),
    Column("extra", "json", "Metrics of other names, an object", "ifnull(r.extra, '{}')"),
    Column("tags", "json", "Its tags, an object", "ifnull(r.tags, '{}')"),
    Column("host", "text", "Name of the host", "h.facts ->> 'hostname'"),
    Column("host_class", "text", "What machines need equal time for equal work", "h.class"),
    Column("platform", "text", "Operating system", "h.facts ->> 'platform'"),
    Column("user", "text", "Who ran it", "e.user"),
    Column("cwd", "text", "Its working directory", "e.cwd"),
    Column("python", "text", "The interpreter", "e.python"),
    Column("python_version", "text", "Version of the interpreter", "e.python_version"),
    Column("runner_version", "text", "Version of the runner", "e.runner_version"),
    Column("script_hash", "text", "SHA-256 of the script's file", "v.script_hash"),
    Column("git_commit", "text", "Commit of the script's repository", "v.git_commit"),
    Column("git_dirty", "integer", "1 if the repository had changes that were not committed", "v.git_dirty"),
    Column("load", "real", "Load average of the host at the start", "r.load / 100.0"),
    Column("input_bytes", "integer", "Size of the files that arguments and standard input name", "r.input_bytes"),
)  # fmt: skip

RUNS = View(
    "runs", "A row for each run, with the figures of its last attempt", _RUN,
    f"{SCHEMA}.runs r JOIN {SCHEMA}.scripts s ON s.id = r.script JOIN {SCHEMA}.hosts h ON h.id = r.host"
    f" JOIN {SCHEMA}.environments e ON e.id = r.environment LEFT JOIN {SCHEMA}.versions v ON v.id = r.version"
    f" LEFT JOIN {SCHEMA}.arguments a ON a.id = r.arguments",
)  # fmt: skip

# Grouped by an expression, not by the column: an index on it would make SQLite read the rows in its order, all over the
# file, which takes three times as long.
_GROUPED = (
    f"count(*) AS runs, sum(NOT ({_GOOD})) AS failures, min(r.started) AS first, max(r.started) AS last,"
    f" count(r.{_WALL}) AS n, avg(r.{_WALL}) AS mean, max(r.{_WALL}) AS most, total(r.{_WALL}) AS all_of_it"
    f" FROM {SCHEMA}.runs r GROUP BY +r.script"
)

SCRIPTS = View(
    "scripts", "A row for each script, and for each path under which it was started",
    (
        Column("script", "text", "What people call it", _LABEL),
        Column("script_path", "text", "As it was typed", "s.path"),
        Column("script_key", "text", "What history groups by", "s.key"),
        Column("runs", "integer", "How many runs it has", "g.runs"),
        Column("failures", "integer", "How many of them failed", "g.failures"),
        Column("first_started", "text", "Start of the first in local time", _local("g.first")),
        Column("last_started", "text", "Start of the last in local time", _local("g.last")),
        Column("wall_avg", "real", "Mean wall time in seconds", "g.mean"),
        Column("wall_max", "real", "Longest wall time in seconds", "g.most"),
        Column("wall_sum", "real", "Wall time in all, in seconds", "g.all_of_it"),
    ),
    f"(SELECT r.script, {_GROUPED}) g JOIN {SCHEMA}.scripts s ON s.id = g.script",
)  # fmt: skip


def _of_day(share: float) -> str:
    """Return the exact quantile of the wall times of one group: linear between its neighbours."""
    return (
        f"CASE WHEN g.n THEN (SELECT total(w * max(0.0, 1 - abs(i - (g.n - 1) * {share}))) FROM"
        f" (SELECT q.{_WALL} AS w, row_number() OVER (ORDER BY q.{_WALL}) - 1 AS i FROM {SCHEMA}.runs q"
        f" WHERE q.script = g.script AND q.started BETWEEN g.first AND g.last AND q.{_WALL} IS NOT NULL)) END"
    )


DAILY = View(
    "daily", "A row for each script (and path under which it was started) and local day on which it ran",
    (
        Column("day", "text", "The day, `2026-01-31`", "g.day"),
        Column("script", "text", "What people call the script", _LABEL),
        Column("script_path", "text", "The script as it was typed", "s.path"),
        Column("runs", "integer", "How many runs started", "g.runs"),
        Column("failures", "integer", "How many of them failed", "g.failures"),
        Column("wall_avg", "real", "Mean wall time in seconds", "g.mean"),
        Column("wall_p50", "real", "Median wall time in seconds", _of_day(0.5)),
        Column("wall_p95", "real", "95th percentile of the wall time in seconds", _of_day(0.95)),
        Column("wall_max", "real", "Longest wall time in seconds", "g.most"),
        Column("wall_sum", "real", "Wall time in all, in seconds", "g.all_of_it"),
    ),
    f"(SELECT r.script, date(r.started / 1e9, 'unixepoch', 'localtime') AS day, {_GROUPED}, day) g"
    f" JOIN {SCHEMA}.scripts s ON s.id = g.script",
)  # fmt: skip

ALERTS = View(
    "alerts", "A row for each alert and run in which it held, or was told to be over",
    (
        Column("run_id", "text", "The run", "printf('%012x', a.run)"),
        Column("script", "text", "What people call the script",
               "CASE WHEN a.name <> '' THEN a.name ELSE file_name(a.script) END"),
        Column("script_key", "text", "What history groups by", "a.script"),
        Column("at", "text", "When it was judged, in local time", _local("a.at")),
        Column("at_ns", "integer", "The same in nanoseconds since the epoch", "a.at"),
        Column("alert", "text", "Its name", "a.rule"),
        Column("severity", "text", "`INFO`, `WARNING` or `CRITICAL`", "a.severity"),
        Column("condition", "text", "Its condition", "a.condition"),
        Column("outcome", "text", "`told`, `over`, `waiting`, `throttled`, `acknowledged` or `muted`", "a.outcome"),
        Column("during", "integer", "1 if the run still lasted", "a.during"),
        Column("found", "text", "What was found", "a.text"),
    ),
    f"{SCHEMA}.alerts a",
)  # fmt: skip

SAMPLES = View(
    "samples", "A row for each moment at which the run of `--samples RUN` was sampled",
    (
        Column("attempt", "integer", "Number of the attempt, from 1 on", ""),
        Column("t", "real", "Seconds since the attempt's start, at the end of the interval", ""),
        Column("span", "real", "Seconds that the interval covers", ""),
        *(Column(name, "real", f"{name.replace('_', ' ')} of the tree: mean over the interval", "")
          for name in SAMPLE_FIELDS),
        *(Column(f"{name}_high", "real", f"Highest {name.replace('_', ' ')} in it", "") for name in SAMPLE_FIELDS),
    ),
    "",
)  # fmt: skip

VIEWS = (RUNS, SCRIPTS, DAILY, ALERTS)


def sample_rows(attempt: int, curve: Curve) -> list[list[float | None]]:
    """Return the rows of the view of samples for the curve of one attempt."""
    fields = range(len(SAMPLE_FIELDS))
    return [
        [attempt, bucket.t, bucket.span, *(bucket.mean(field) for field in fields), *bucket.high]
        for bucket in curve.buckets
    ]
