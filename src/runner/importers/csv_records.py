"""Reads an export in CSV."""

from __future__ import annotations

import csv
from io import TextIOWrapper
from json import loads

from runner.model.portable import BOOL, COLUMNS, FLOAT, INDEX, INT, JSON, TEXT, VERSION_COLUMN, run_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from runner.importers.base import Source
    from runner.model.portable import Column
    from runner.model.run import Run

_FORMULA = "=+-@\t\r"
_LONGEST = 1 << 30


class CsvReader:
    """Reads records by the names in the first line; columns of other names are passed over."""

    def matches(self, source: Source) -> bool:
        """Whether the first line names what every record has."""
        first = source.head.partition(b"\n")[0].removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
        names = first.strip().replace('"', "").split(",")
        return {"run_id", VERSION_COLUMN} <= set(names)

    def read(self, source: Source) -> Iterator[Run]:
        """Yield the runs (see `Reader.read`)."""
        csv.field_size_limit(_LONGEST)
        line = 1
        try:
            with TextIOWrapper(source.open(), encoding="utf-8-sig", newline="") as text:
                rows = csv.reader(text, strict=True)
                columns = [COLUMNS[INDEX[name]] if name in INDEX else None for name in next(rows)]
                for row in rows:
                    line = rows.line_num
                    if not row:
                        continue
                    if len(row) != len(columns):
                        raise ValueError(f"{len(row)} values for {len(columns)} columns; is it cut off?")
                    record = {column.name: _value(column, cell) for column, cell in zip(columns, row, strict=True)
                              if column is not None and cell}  # fmt: skip
                    yield run_of(record)
        except csv.Error as error:
            cut_off = "unexpected end" in str(error)
            what = "it is cut off: a text in quotes has no end" if cut_off else str(error)
            raise source.failure(ValueError(what), line + 1) from None
        except (ValueError, OSError, EOFError) as error:
            raise source.failure(error, line) from None


def _value(column: Column, text: str) -> Any:
    kind = column.kind
    try:
        if kind == TEXT:
            return restore(text)
        if kind == INT:
            return int(text)
        if kind == FLOAT:
            return float(text)
        if kind == BOOL:
            return {"true": True, "false": False}[text.lower()]
        if kind == JSON:
            return loads(text)
    except (ValueError, KeyError, RecursionError):
        if kind == INT:
            return _fraction(column, text)
        raise ValueError(f"{column.name} can't be {text[:40]!r}") from None
    return text


def _fraction(column: Column, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{column.name} can't be {text[:40]!r}") from None


def restore(text: str) -> str:
    """Return a text as it was before its beginning was made harmless for spreadsheets."""
    return text[1:] if text[0] == "'" and text.lstrip("'")[:1] in _FORMULA else text
