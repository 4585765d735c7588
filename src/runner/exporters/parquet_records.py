"""Records as Parquet, typed column by column, for pandas, polars, DuckDB and whatever else reads it."""

from __future__ import annotations

from runner.exporters.records import keep_exact, make_valid
from runner.model.errors import UsageError
from runner.model.portable import BEYOND, BOOL, FLOAT, INT, JSON, TEXT, TIME, VERSION, VERSION_COLUMN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from runner.exporters.sink import Sink
    from runner.model.portable import Batch, Column

#: Records that a reader takes in at once; what is held in memory until they are written.
ROW_GROUP = 32_000
#: Bytes of them beyond which a row group ends early: samples and output may be large.
_HEAVY = 1 << 26


class ParquetWriter:
    """Writes row groups of a fixed schema, compressed with Zstandard.

    Times are in microseconds, which every reader can compute with; what they have beyond is in columns of their own.

    Args:
        sink: Where to.
        columns: What each record has.

    Raises:
        UsageError: pyarrow is not installed.
    """

    def __init__(self, sink: Sink, columns: Sequence[Column]) -> None:
        self._arrow = import_arrow()
        import pyarrow.parquet as parquet

        arrow = self._arrow
        types = {
            TEXT: arrow.string(), JSON: arrow.string(), INT: arrow.int64(), FLOAT: arrow.float64(),
            BOOL: arrow.bool_(), TIME: arrow.timestamp("us", tz="UTC"),
        }  # fmt: skip
        self._columns = columns
        self._names = [column.name for column in columns]
        self._times = [place for place, column in enumerate(columns) if column.kind == TIME]
        self._schema = arrow.schema(
            [
                *[(column.name, types[column.kind]) for column in columns],
                *[(columns[place].name + BEYOND, arrow.int16()) for place in self._times],
            ],
            {f"runner.{VERSION_COLUMN}": str(VERSION)},
        )
        # What differs from record to record gains nothing from a dictionary.
        repeated = [column.name for column in columns if column.kind in (TEXT, JSON) and column.name != "run_id"]
        self._writer = parquet.ParquetWriter(
            arrow.PythonFile(sink, "w"), self._schema, compression="zstd", use_dictionary=repeated
        )
        self._waiting: list[Any] = []
        self._rows = self._bytes = 0

    def add(self, batch: Batch) -> None:
        """Write one more batch."""
        batch = self._split_times(self._make_whole(make_valid(self._columns, batch)))
        arrays = [self._arrow.array(values, type=field.type) for values, field in zip(batch, self._schema, strict=True)]
        waiting = self._arrow.record_batch(arrays, schema=self._schema)
        self._waiting.append(waiting)
        self._rows += len(batch[0])
        self._bytes += waiting.nbytes
        if self._rows >= ROW_GROUP or self._bytes >= _HEAVY:
            self._write()

    def _make_whole(self, batch: Batch) -> Batch:
        """Return a batch whose counted figures are whole numbers; a fraction, from elsewhere, is kept in ``exact``."""
        found: dict[int, dict[str, Any]] = {}
        result = list(batch)
        for place, column in enumerate(self._columns):
            if column.kind != INT or float not in set(map(type, batch[place])):
                continue
            numbers = list(batch[place])
            for row, value in enumerate(numbers):
                if isinstance(value, float):
                    found.setdefault(row, {})[column.name] = value
                    numbers[row] = round(value)
            result[place] = numbers
        return keep_exact(self._names, result, found)

    def _split_times(self, batch: Batch) -> Batch:
        """Return a batch whose times are whole microseconds, followed by the nanoseconds beyond them."""
        result = list(batch)
        for place in self._times:
            result[place] = [None if time is None else time // 1000 for time in batch[place]]
            result.append([None if time is None else time % 1000 for time in batch[place]])
        return result

    def _write(self) -> None:
        self._writer.write_table(self._arrow.Table.from_batches(self._waiting, schema=self._schema), self._rows or None)
        self._waiting.clear()
        self._rows = self._bytes = 0

    def finish(self) -> None:
        """Write the last row group and the footer."""
        if self._waiting:
            self._write()
        self._writer.close()


def import_arrow() -> Any:
    """Return pyarrow.

    Raises:
        UsageError: It is not installed.
    """
    try:
        import pyarrow
    except ImportError as error:
        raise UsageError(
            f"Parquet needs pyarrow ({error}); install it with: pip install 'python-script-runner[parquet]'"
        ) from None
    return pyarrow
