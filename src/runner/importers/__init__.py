"""Where runs come from: each format has a file of its own, and is told from the others by what a file holds."""

from __future__ import annotations

from runner.importers.base import BadFileError, Source
from runner.registry import Registry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.importers.base import Reader
    from runner.model.run import Run

#: The formats that are read, in the order in which a file is held against them.
READERS = Registry(
    "format",
    {
        "parquet": "runner.importers.parquet_records:ParquetReader",
        "earlier": "runner.importers.earlier_program:EarlierProgramReader",
        "json": "runner.importers.json_records:JsonReader",
        "csv": "runner.importers.csv_records:CsvReader",
    },
    "runner.importers",
)


def reader_of(source: Source) -> Reader:
    """Return what reads a file.

    Raises:
        BadFileError: Nothing does.
    """
    if not source.head and not source.is_lines:
        raise BadFileError(f"{source.name} is empty")
    for name in READERS:
        reader: Reader = READERS.load(name)()
        if reader.matches(source):
            return reader
    raise BadFileError(
        f"{source.name} is nothing that can be imported: neither an export (csv, json, jsonl, parquet), nor a report of"
        " --json-output, a record of runs, or what `hyperfine --export-json` writes"
    )


def read_runs(path: str, name: str = "") -> Iterator[Run]:
    """Yield the runs in a file of any format but a database of the runner's own, compressed by gzip or not.

    Args:
        path: The file.
        name: What messages call it; its path where empty.

    Raises:
        BadFileError: It can't be read, is cut off, or holds something else; the message names file and line.
        UsageError: A library is missing that reads it.
    """
    source = Source(path, name)
    return reader_of(source).read(source)
