"""Turns a run into the rows of the SQLite store, and rows into a run."""

from __future__ import annotations

from zlib import crc32

from runner.agent.events import dumps, loads
from runner.model import metrics
from runner.model.likeness import arguments_shape, host_class
from runner.model.moments import Moments
from runner.model.run import Attempt, Run, Tail
from runner.stores.codec import encode_curve, pack, unpack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    Row = Sequence[Any]

#: Columns of metrics, in the order of the catalog.
METRIC_COLUMNS = tuple(metric.name for metric in metrics.METRICS)

#: Columns of an attempt before its metrics (see queries.sql).
ATTEMPT_WIDTH = 11


class Prepared:
    """A run as the rows it becomes; the keys of what it shares with others are yet to be found."""

    __slots__ = ("attempts", "curves", "facts", "number", "outputs", "run")

    def __init__(self, run: Run) -> None:
        self.run = run
        self.number = number_of(run.id)
        self.facts = facts(run)
        self.curves, self.outputs = blobs(run)
        self.attempts = [attempt_columns(attempt, run.started) for attempt in run.attempts]


def number_of(run_id: str) -> int:
    """Return a run's id as the store keeps it: six bytes instead of twelve digits."""
    return int(run_id, 16)


def bind(text: str | None) -> str | bytes | None:
    """Return a text as SQLite can keep it: names of files need not be UTF-8, and are then kept as their bytes."""
    if text is None or text.isascii():
        return text
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text


def text(value: Any) -> Any:
    """Return a value as `bind` was given it."""
    return value.decode("utf-8", "surrogatepass") if isinstance(value, bytes) else value


def attempt_columns(attempt: Attempt, started: int) -> list[Any]:
    """Return the columns of an attempt of a run that started at `started`."""
    usual = metrics.kinds(attempt.metrics, {})
    weaker = {name: kind for name, kind in attempt.kinds.items() if kind != usual.get(name)}
    return [
        attempt.number,
        attempt.delay,
        attempt.started - started,
        None if attempt.ended is None else attempt.ended - attempt.started,
        attempt.reason,
        attempt.exit_code,
        attempt.signal,
        bind(attempt.error_type),
        bind(attempt.error_message),
        attempt.merged,
        dumps(weaker) if weaker else None,
        *[attempt.metrics.get(name) for name in METRIC_COLUMNS],
    ]


def read_attempt(row: Row, started: int) -> Attempt:
    """Build an attempt from the columns of `attempt_columns`."""
    attempt = Attempt(row[0], started + row[2])
    attempt.delay = row[1]
    attempt.ended = None if row[3] is None else attempt.started + row[3]
    attempt.reason = row[4]
    attempt.exit_code = row[5]
    attempt.signal = row[6]
    attempt.error_type = text(row[7])
    attempt.error_message = text(row[8])
    attempt.merged = bool(row[9])
    attempt.metrics = dict(zip(METRIC_COLUMNS, row[ATTEMPT_WIDTH:], strict=True))
    attempt.kinds = metrics.kinds(attempt.metrics, {})
    if row[10]:
        attempt.kinds.update(loads(row[10]))
    return attempt


def facts(run: Run) -> dict[str, tuple[list[Any], list[Any]] | None]:
    """Return the rows of the tables that runs share, by query (``find_...``, ``add_...``); None for those left out.

    Each is what it is found by, and what is added besides. Keys of packages and variables are yet to be put at the end
    of the environment's.
    """
    args = dumps(run.args) if run.args else None
    line = dumps(run.line) if run.line else None
    version = [run.script_hash, run.git_commit, run.git_dirty]
    return {
        "packages": ([run.packages_hash], [pack(dumps(run.packages).encode("ascii"))]) if run.packages_hash else None,
        "variables": ([dumps(run.variables)], []) if run.variables else None,
        "script": ([bind(run.script_key), bind(run.script_path), bind(run.name)], []),
        "host": ([dumps(run.host)], [host_class(run.host)]),
        "environment": ([bind(run.cwd), bind(run.python), run.python_version, run.runner_version, bind(run.user)], []),
        "version": (version, []) if any(value is not None for value in version) else None,
        "arguments": ([*_text_key(args)], [bind(arguments_shape(run.args))]) if args else None,
        "line": ([*_text_key(line), bind(_elsewhere(run))], []) if line else None,
    }


def _elsewhere(run: Run) -> str | None:
    return run.called_in if run.called_in != run.cwd else None


def _text_key(text: str) -> tuple[int, str | bytes]:
    return crc32(text.encode("ascii")), _shortened(text)


def _shortened(args: str) -> str | bytes:
    return args if len(args) < 1000 else pack(args.encode("ascii"))


def read_run(row: Row) -> Run:
    """Build a run, with its last attempt alone, from a row of ``list_runs``."""
    run = Run(f"{row[1]:012x}", text(row[7]), row[2])
    run.tags = loads(row[4]) if row[4] else {}
    run.extra = loads(row[5]) if row[5] else {}
    run.script_key = text(row[6])
    run.name = text(row[8])
    run.host = loads(row[9])
    run.cwd, run.python, run.python_version, run.runner_version, run.user = map(text, row[10:15])
    run.script_hash, run.git_commit = row[15], row[16]
    run.git_dirty = None if row[17] is None else bool(row[17])
    if row[18]:
        run.args = loads(row[18] if isinstance(row[18], str) else unpack(row[18]))
    if row[19]:
        run.line = loads(row[19] if isinstance(row[19], str) else unpack(row[19]))
    run.packages_hash = row[20]
    run.load = None if row[21] is None else row[21] / 100
    run.input_bytes = row[22]
    run.attempts = [read_attempt(row[23:], run.started)]
    return run


def read_circumstances(run: Run, row: Row) -> None:
    """Complete a run with what ``get_circumstances`` found."""
    packages, variables, directory = row
    run.called_in = text(directory) if directory is not None else run.cwd if run.line else ""
    run.packages = loads(unpack(packages)) if packages else {}
    run.variables = loads(variables) if variables else {}


def blobs(run: Run) -> tuple[list[list[Any]], list[list[Any]]]:
    """Return the rows of curves and of outputs, without the run's key."""
    curves = [
        [attempt.number, encode_curve(attempt.curve)]
        for attempt in run.attempts
        if attempt.curve is not None and attempt.curve.samples
    ]
    outputs = [
        [attempt.number, stream, tail.size, tail.lines, pack(tail.head), pack(tail.tail) if tail.tail else None,
         _times(tail)]
        for attempt in run.attempts
        for stream, tail in attempt.output.items()
        if tail.size
    ]
    return curves, outputs


def read_tail(row: Row) -> Tail:
    """Build what was kept of an output stream from size, lines, head, tail and times."""
    size, lines, head, tail, times = row
    kept = Tail(unpack(head), unpack(tail) if tail else b"", size, lines)
    if times:
        kept.moments = Moments.from_list(loads(unpack(times)))
    return kept


def _times(tail: Tail) -> bytes | None:
    tail.moments.prune(tail.size, len(tail.head), len(tail.tail))
    return pack(dumps(tail.moments.to_list()).encode("ascii")) if len(tail.moments) else None
