"""The portable form of a run: one flat record, which every format of an export carries and an import reads back.

Records travel in batches of columns, since that is how they are read and written fastest. In a column a value is None
or: text a `str`, int an `int`, float a `float`, bool a `bool`, time an `int` (ns since the epoch, UTC), json a `str`
that is JSON in ASCII.
"""

from __future__ import annotations

from runner.agent.events import dumps
from runner.model import metrics
from runner.model import portable_parts as parts
from runner.model.likeness import host_class
from runner.model.portable_parts import is_unicode
from runner.model.portable_shapes import SHAPES
from runner.model.run import Attempt, Run, label_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    #: One list of values for each of `COLUMNS`, in that order.
    Batch = list[Sequence[Any]]

#: Version of the record; a reader refuses what is newer.
VERSION = 1

#: Bytes of memory that a bucket of a curve takes, roughly, and bytes of runs that are handled at a time.
_BUCKET, _HEAVY = 1000, 1 << 25

TEXT, INT, FLOAT, BOOL, TIME, JSON = "text", "int", "float", "bool", "time", "json"


class Column:
    """One value of a record.

    Attributes:
        name: Its name in every format.
        kind: `TEXT`, `INT`, `FLOAT`, `BOOL`, `TIME` or `JSON`.
        meaning: One sentence.
        required: Whether a record without it can't be read back.
        full: Whether only a complete export has it.
    """

    __slots__ = ("full", "kind", "meaning", "name", "required")

    def __init__(self, name: str, kind: str, meaning: str, required: bool = False, full: bool = False) -> None:
        self.name = name
        self.kind = kind
        self.meaning = meaning
        self.required = required
        self.full = full


#: Name of the column that says which version a record has.
VERSION_COLUMN = "record_version"
#: Name of the column for what a typed column can't hold as it is.
EXACT_COLUMN = "exact"
#: What follows the name of a time in that of the nanoseconds which a format keeps apart from its microseconds.
BEYOND = "_nanoseconds"

_BEFORE = (
    Column("run_id", TEXT, "Twelve hexadecimal digits.", required=True),
    Column("timestamp", TIME, "Start of the run.", required=True),
    Column("script_name", TEXT, "What people call the script."),
    Column("script_args", JSON, "Its arguments, a list; secrets are not in it."),
    Column("reason", TEXT, "How the last attempt ended: exited, signaled, timeout, lost and so on.", required=True),
    Column("success", BOOL, "Whether it ended by itself with exit code 0."),
    Column("exit_code", INT, "Exit code of the last attempt."),
    Column("signal", INT, "Signal that ended it."),
    Column("error_type", TEXT, "Exception class, timeout, signal:N or exit:N."),
    Column("error_message", TEXT, "What went wrong."),
    Column("attempts", INT, "How many attempts it took."),
    Column("start_time", TIME, "Start of the last attempt."),
    Column("end_time", TIME, "End of the last attempt."),
)

_METRICS = tuple(
    Column(metric.name, FLOAT if metric.type is float else INT, metric.meaning) for metric in metrics.METRICS
)

_AFTER = (
    Column("extra", JSON, "Metrics of other names, an object."),
    Column("tags", JSON, "Tags, an object."),
    Column("script_path", TEXT, "The script as it was typed.", required=True),
    Column("script_key", TEXT, "What history groups by: an absolute path, or as typed."),
    Column("name", TEXT, "Name that was given to the run, or empty."),
    Column("cwd", TEXT, "Folder it ran in."),
    Column("user", TEXT, "User it ran as."),
    Column("hostname", TEXT, "Host it ran on."),
    Column("host", JSON, "Facts of that host, an object."),
    Column("python", TEXT, "Interpreter."),
    Column("python_version", TEXT, "Its version."),
    Column("runner_version", TEXT, "Version of the runner."),
    Column("script_hash", TEXT, "SHA-256 of the script's file."),
    Column("git_commit", TEXT, "Commit that was checked out."),
    Column("git_dirty", BOOL, "Whether tracked files were changed."),
    Column("load", FLOAT, "Load average (1 minute) of the host at the start."),
    Column("input_bytes", INT, "Size of the files that arguments and standard input name."),
    Column("packages_hash", TEXT, "Digest of the packages that the interpreter finds."),
    Column("attempt", INT, "Number of the last attempt."),
    Column("delay_seconds", FLOAT, "Seconds waited before it."),
    Column("merged", BOOL, "Whether stderr went where stdout went."),
    Column("kinds", JSON, "Metrics that are known less well than usual, an object."),
    Column("earlier_attempts", JSON, "The attempts before the last, a list."),
    Column("line", JSON, "What the runner was given, a list."),
    Column("alerts", JSON, "What became of its alerts, a list; the messages that were sent are not in it."),
    Column("called_in", TEXT, "Folder in which the runner was given that.", full=True),
    Column("packages", JSON, "Packages and their versions, an object.", full=True),
    Column("variables", JSON, "Variables that may change what the script does, an object.", full=True),
    Column("samples", JSON, "What was sampled, a list with columns for each attempt.", full=True),
    Column("output", JSON, "What was kept of the output, a list.", full=True),
    Column(EXACT_COLUMN, JSON, "Exact values of columns whose type can't hold them, an object."),
    Column(VERSION_COLUMN, INT, "Version of this form.", required=True),
)

COLUMNS: tuple[Column, ...] = _BEFORE + _METRICS + _AFTER
INDEX: dict[str, int] = {column.name: place for place, column in enumerate(COLUMNS)}
METRIC_NAMES = tuple(column.name for column in _METRICS)


def portions(runs: Iterable[Run], most: int) -> Iterator[list[Run]]:
    """Yield runs in lists of at most `most`, and of fewer where they are heavy with samples and output."""
    portion: list[Run] = []
    weight = 0
    for run in runs:
        portion.append(run)
        for attempt in run.attempts:
            weight += len(attempt.curve.buckets) * _BUCKET if attempt.curve is not None else 0
            weight += sum(len(tail.head) + len(tail.tail) for tail in attempt.output.values())
        if len(portion) >= most or weight > _HEAVY:
            yield portion
            portion, weight = [], 0
    if portion:
        yield portion


def batch_of(runs: Iterable[Run]) -> Batch:
    """Return runs as columns; samples and output are in it as far as the runs have them."""
    rows = [_row(run) for run in runs]
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in COLUMNS]


def _row(run: Run) -> list[Any]:
    last = run.last
    earlier = [parts.attempt_record(attempt) for attempt in run.attempts[:-1]]
    return [
        run.id, run.started, label_of(run.name, run.script_path), _json(run.args), last.reason, last.success,
        last.exit_code, last.signal, last.error_type, last.error_message, len(run.attempts), last.started, last.ended,
        *[last.metrics.get(name) for name in METRIC_NAMES],
        _json(run.extra), _json(run.tags), run.script_path, run.script_key, run.name, run.cwd, run.user,
        run.host.get("hostname"), _json(run.host), run.python, run.python_version, run.runner_version,
        run.script_hash, run.git_commit, run.git_dirty, run.load, run.input_bytes, run.packages_hash, last.number,
        last.delay, last.merged, _json(parts.weaker_kinds(last)), _json(earlier), _json(run.line),
        _json([*map(parts.alert_record, run.alerts)]),
        run.called_in or None, _json(run.packages), _json(run.variables), _json(parts.samples_record(run)),
        _json(parts.output_record(run)), None, VERSION,
    ]  # fmt: skip


def _json(data: Any) -> str | None:
    return dumps(data) if data else None


def run_of(record: Mapping[str, Any]) -> Run:
    """Build the run of a record.

    Args:
        record: Values by name. Instants may be texts (ISO 8601); what is JSON has been parsed. Unknown names are
            passed over.

    Raises:
        ValueError: The record is of a newer version, or something is missing or of the wrong kind.
    """
    record = _checked(record)
    run = Run(record["run_id"], record["script_path"], record["timestamp"])
    run.script_key = record.get("script_key") or run.script_path
    for name in ("name", "cwd", "called_in", "user", "runner_version"):
        setattr(run, name, record.get(name) or "")
    for name in ("python", "python_version", "script_hash", "git_commit", "git_dirty", "load", "input_bytes",
                 "packages_hash"):  # fmt: skip
        setattr(run, name, record.get(name))
    run.args = record.get("script_args") or []
    run.line = record.get("line") or []
    run.extra = record.get("extra") or {}
    run.tags = record.get("tags") or {}
    run.host = record.get("host") or ({"hostname": record["hostname"]} if record.get("hostname") else {})
    run.packages = record.get("packages") or {}
    run.variables = record.get("variables") or {}
    try:
        run.attempts = [*map(parts.attempt_of, record.get("earlier_attempts") or []), _last(record, run.started)]
        by_number = {attempt.number: attempt for attempt in run.attempts}
        if len(by_number) < len(run.attempts):
            raise ValueError("two of its attempts have the same number")
        for item in record.get("samples") or []:
            by_number[item["attempt"]].curve = parts.curve_of(item)
        for item in record.get("output") or []:
            by_number[item["attempt"]].output[parts.stream_of(item)] = parts.tail_of(item)
        run.alerts = [*map(parts.alert_of, record.get("alerts") or [])]
        if not is_unicode(host_class(run.host)):  # what it is compared by
            raise ValueError(f"host can't be {str(run.host)[:40]!r}")
    except parts.BAD_PARTS as error:
        raise ValueError(f"host, attempts, samples, output or alerts can't be read ({parts.told(error)})") from None
    return run


def _last(record: Mapping[str, Any], started: int) -> Attempt:
    start = record.get("start_time")
    attempt = Attempt(record.get("attempt") or 1, started if start is None else start)
    attempt.ended = record.get("end_time")
    attempt.reason = record["reason"]
    attempt.exit_code, attempt.signal = record.get("exit_code"), record.get("signal")
    attempt.error_type, attempt.error_message = record.get("error_type"), record.get("error_message")
    attempt.delay = record.get("delay_seconds") or 0.0
    attempt.merged = bool(record.get("merged"))
    parts.set_figures(attempt, record, record.get("kinds") or {})
    return attempt


def _checked(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record whose values are what their columns say."""
    version = record.get(VERSION_COLUMN, VERSION)
    if not isinstance(version, int) or version > VERSION:
        raise ValueError(f"it was exported by a newer runner (form {version}, this one knows {VERSION}); upgrade it")
    exact = record.get(EXACT_COLUMN)
    if exact:
        if not isinstance(exact, dict):
            raise ValueError(f"{EXACT_COLUMN} can't be {str(exact)[:40]!r}")
        record = {**record, **exact}
    result: dict[str, Any] = {}
    for name, plain, column in _PLAN:
        value = record.get(name)
        if value is None:
            if column.required:
                raise ValueError(f"{name} is missing")
        elif type(value) is plain:
            result[name] = value
        else:
            result[name] = _value(column, value)
    for attempt in result.get("earlier_attempts", ()):
        figures = attempt.get("metrics") or {}
        if not isinstance(figures, dict):
            raise ValueError(f"metrics of an earlier attempt can't be {str(figures)[:40]!r}")
        for name, value in {**attempt, **figures}.items():
            if name in INDEX and value is not None:
                _value(COLUMNS[INDEX[name]], value)
    run_id = result["run_id"]
    if len(run_id) != 12 or not set(run_id) <= set("0123456789abcdef"):
        raise ValueError(f"run_id {run_id[:40]!r} is no run id (12 hexadecimal digits)")
    return result


def _value(column: Column, value: Any) -> Any:
    kind = column.kind
    if kind == TIME and isinstance(value, str):
        try:
            value = parts.instant(value)
        except (ValueError, OverflowError):
            raise ValueError(f"{column.name} is no time: {value[:40]!r}") from None
    fits = isinstance(value, _TYPES[kind]) and (kind == BOOL or not isinstance(value, bool))
    shape = SHAPES.get(column.name)
    if not fits or (shape is not None and not shape(value)):
        raise ValueError(f"{column.name} can't be {str(value)[:40]!r}")
    if kind in (INT, FLOAT, TIME) and not (0 if kind == TIME else -(1 << 63)) <= value < 1 << 63:
        raise ValueError(f"{column.name} is out of range")
    return value


#: What a value may be. A figure that is counted may have come from elsewhere as a fraction.
_TYPES: dict[str, tuple[type, ...]] = {
    TEXT: (str,), INT: (int, float), FLOAT: (int, float), BOOL: (bool,), TIME: (int,), JSON: (list, dict),
}  # fmt: skip


#: Each column with the type of the values that need no closer look.
_PLAN = tuple(
    (column.name, None if column.name in SHAPES else {TEXT: str, BOOL: bool}.get(column.kind), column)
    for column in COLUMNS
)
