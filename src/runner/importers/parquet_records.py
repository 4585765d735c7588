"""Reads an export in Parquet."""

from __future__ import annotations

from json import loads

from runner.importers.base import BadFileError
from runner.model.errors import UsageError
from runner.model.portable import BEYOND, COLUMNS, INDEX, JSON, TIME, VERSION_COLUMN, run_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from runner.importers.base import Source
    from runner.model.run import Run

_MAGIC = b"PAR1"
#: Runs taken in at once, and where each brings its samples and its output with it.
_BATCH, _FEW = 1000, 20


class ParquetReader:
    """Reads records by the names of the columns; those of other names are passed over."""

    def matches(self, source: Source) -> bool:
        """Whether the file begins as every such file does."""
        return source.head.startswith(_MAGIC) and not source.compressed

    def read(self, source: Source) -> Iterator[Run]:
        """Yield the runs (see `Reader.read`)."""
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError as error:
            raise UsageError(
                f"{source.name}: Parquet needs pyarrow ({error}); install it with:"
                " pip install 'python-script-runner[parquet]'"
            ) from None
        row = 0
        try:
            with pyarrow.parquet.ParquetFile(source.path) as file:
                names = [name for name in file.schema_arrow.names if name in INDEX]
                if "run_id" not in names or VERSION_COLUMN not in names:
                    raise BadFileError(f"{source.name} is no export of runs: it has no column {VERSION_COLUMN}")
                beyond = [name + BEYOND for name in names if name + BEYOND in file.schema_arrow.names]
                for batch in file.iter_batches(_FEW if "samples" in names else _BATCH, columns=names + beyond):
                    for values in zip(*(_column(pyarrow, batch, name) for name in names), strict=True):
                        row += 1
                        yield run_of({name: value for name, value in zip(names, values, strict=True)
                                      if value is not None})  # fmt: skip
                    source.tell(row / file.metadata.num_rows)
        except (pyarrow.ArrowException, OSError, ValueError) as error:
            where = f"{source.name}, row {row}" if row else source.name
            raise BadFileError(f"{where}: {str(error).partition(chr(10))[0]}") from None


def _column(pyarrow: Any, batch: Any, name: str) -> list[Any]:
    column, kind = batch.column(name), COLUMNS[INDEX[name]].kind
    is_time = kind == TIME and pyarrow.types.is_timestamp(column.type)
    if is_time:  # other writers may have chosen another precision
        column = column.cast(pyarrow.timestamp("ns", tz=column.type.tz)).cast(pyarrow.int64())
    values: list[Any] = column.to_pylist()
    if is_time and name + BEYOND in batch.schema.names:
        beyond = batch.column(name + BEYOND)
        if not pyarrow.types.is_integer(beyond.type):
            raise ValueError(f"{name}{BEYOND} holds no whole numbers")
        values = [None if time is None else time + (rest or 0)
                  for time, rest in zip(values, beyond.to_pylist(), strict=True)]  # fmt: skip
    return [_parsed(name, value) for value in values] if kind == JSON else values


def _parsed(name: str, value: Any) -> Any:
    """Return JSON parsed; other writers may have made it values of its own."""
    try:
        return loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        raise ValueError(f"{name} can't be {value[:40]!r}") from None
