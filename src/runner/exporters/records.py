"""Writes runs as records, in one of several formats that `importers` reads back."""

from __future__ import annotations

from runner.exporters.sink import Sink
from runner.model.errors import UsageError
from runner.model.portable import COLUMNS, EXACT_COLUMN, METRIC_NAMES, TEXT, batch_of, portions
from runner.registry import Registry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any, Protocol

    from runner.model.portable import Batch, Column
    from runner.model.run import Run

    class RecordWriter(Protocol):
        """Writes batches of columns to a sink. It is made with the sink and the columns."""

        def add(self, batch: Batch) -> None:
            """Write one more batch; it holds the columns that the writer was made with, in their order."""

        def finish(self) -> None:
            """Write what is still to be written."""


CSV, JSON_FORMAT, JSONL, PARQUET = "csv", "json", "jsonl", "parquet"

#: The formats that can be read back.
WRITERS = Registry(
    "format",
    {
        CSV: "runner.exporters.csv_records:CsvWriter",
        JSON_FORMAT: "runner.exporters.json_records:JsonWriter",
        JSONL: "runner.exporters.json_records:JsonLinesWriter",
        PARQUET: "runner.exporters.parquet_records:ParquetWriter",
    },
    "runner.record_formats",
)

#: Formats whose records hold no nested values.
FLAT = (CSV, PARQUET)
#: Runs written at a time where each brings its samples and output with it.
_FEW = 200


class Written:
    """What was written.

    Attributes:
        path: Where to.
        runs: How many runs.
        size: Bytes.
        sha256: Of these bytes, in hexadecimal.
    """

    __slots__ = ("path", "runs", "sha256", "size")

    def __init__(self, path: str, runs: int, size: int, sha256: str) -> None:
        self.path = path
        self.runs = runs
        self.size = size
        self.sha256 = sha256

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {"path": self.path, "runs": self.runs, "bytes": self.size, "sha256": self.sha256}


def write_runs(
    path: str, format: str, runs: Iterable[Run], full: bool = True, tell: Callable[[int], None] | None = None
) -> Written:
    """Write runs so that ``runner import`` restores them.

    The file is whole and on the disk when this returns, and is not there, or the old one, when it raises. Runs are
    taken as they come and written in batches: an iterator keeps memory bounded.

    Args:
        path: Where to; ``-`` is standard output. A name that ends with ``.gz`` is compressed (but for Parquet).
        format: ``json``, ``jsonl`` or ``parquet``; ``csv`` where `full` is not asked for.
        runs: What to write. For full fidelity they must have samples and output, as `Store.get` and
            ``Store.scan(..., output=True, samples=True)`` return them.
        full: Whether samples, output, packages and variables are written too, so that each run comes back exactly as
            `Store.get` returned it.
        tell: Called with the number of runs written so far.

    Raises:
        UsageError: The format can't hold that, or needs a library that is not installed.
        ReportError: It could not be written.
    """
    if full and format == CSV:
        raise UsageError("csv can't hold samples and output; use jsonl, json or parquet")
    places = select(full)
    return write_batches(path, format, [COLUMNS[place] for place in places], _batches(runs, places), tell)


def select(full: bool, metrics: Sequence[str] = (), samples: bool = False) -> list[int]:
    """Return the places of the columns to write.

    Args:
        full: Whether everything is.
        metrics: The only metrics to write; none for all.
        samples: Whether samples are, without all else that only a complete export has.
    """
    left_out = set(METRIC_NAMES) - set(metrics) if metrics else set()
    if metrics and set(metrics) <= set(METRIC_NAMES):
        left_out.add("extra")
    return [
        place
        for place, column in enumerate(COLUMNS)
        if column.name not in left_out and (full or not column.full or (samples and column.name == "samples"))
    ]


def write_batches(
    path: str,
    format: str,
    columns: Sequence[Column],
    batches: Iterable[Batch],
    tell: Callable[[int], None] | None = None,
) -> Written:
    """Write batches of those columns (see `write_runs`); `tell` is called after each."""
    with open_sink(path, format) as sink:
        writer: RecordWriter = WRITERS.load(format)(sink, columns)
        count = 0
        for batch in batches:
            writer.add(batch)
            count += len(batch[0])
            if tell is not None:
                tell(count)
        writer.finish()
        digest = sink.commit()
        return Written(path, count, sink.size, digest)


def open_sink(path: str, format: str) -> Sink:
    """Open the file for records of that format (see `Sink`)."""
    compress = path.endswith(".gz")
    if compress and format == PARQUET:
        raise UsageError(f"{path}: parquet is compressed inside; leave out the .gz")
    return Sink(path, compress)


def _batches(runs: Iterable[Run], places: Sequence[int]) -> Iterator[Batch]:
    for portion in portions(runs, _FEW):
        batch = batch_of(portion)
        yield [batch[place] for place in places]


def make_valid(columns: Sequence[Column], batch: Batch) -> Batch:
    """Return a batch whose texts are Unicode; what is not (names of files need not be) is kept in ``exact``.

    JSON can escape such a text, tables can't.
    """
    names = [column.name for column in columns]
    if EXACT_COLUMN not in names:
        return batch
    found: dict[int, dict[str, Any]] = {}
    result = list(batch)
    for place, column in enumerate(columns):
        if column.kind != TEXT or _is_unicode(batch[place]):
            continue
        mended = list(batch[place])
        for row, text in enumerate(mended):
            if text is not None and not _is_unicode([text]):
                found.setdefault(row, {})[column.name] = text
                mended[row] = text.encode("utf-8", "replace").decode("utf-8")
        result[place] = mended
    return keep_exact(names, result, found)


def keep_exact(names: Sequence[str], batch: Batch, found: dict[int, dict[str, Any]]) -> Batch:
    """Return a batch with values, by row and name, added to those in its column ``exact``."""
    if not found:
        return batch
    from json import dumps, loads

    place = names.index(EXACT_COLUMN)
    kept = list(batch[place])
    for row, values in found.items():
        kept[row] = dumps({**(loads(kept[row]) if kept[row] else {}), **values})
    return [*batch[:place], kept, *batch[place + 1 :]]


def _is_unicode(texts: Sequence[str | None]) -> bool:
    try:
        "".join(filter(None, texts)).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


