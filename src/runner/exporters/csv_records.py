"""Records as CSV (RFC 4180) that does nothing to the spreadsheet that opens it."""

from __future__ import annotations

import csv
from io import StringIO

from runner.exporters.records import make_valid
from runner.model.portable import BOOL, TEXT, TIME
from runner.model.portable_parts import stamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from runner.exporters.sink import Sink
    from runner.model.portable import Batch, Column

#: A text that begins with one of these may be run by a spreadsheet as a formula.
#: (OWASP, "CSV Injection", https://owasp.org/www-community/attacks/CSV_Injection)
_FORMULA = "=+-@\t\r"


class CsvWriter:
    """Writes a header and a line for each record.

    Args:
        sink: Where to.
        columns: What each record has.
    """

    def __init__(self, sink: Sink, columns: Sequence[Column]) -> None:
        self._sink = sink
        self._columns = columns
        self._write([[column.name for column in columns]])

    def add(self, batch: Batch) -> None:
        """Write one more batch."""
        batch = make_valid(self._columns, batch)
        self._write(zip(*map(_cells, self._columns, batch), strict=True))

    def finish(self) -> None:
        """Do nothing more: the last line is written."""

    def _write(self, rows: Any) -> None:
        text = StringIO(newline="")
        csv.writer(text, lineterminator="\r\n").writerows(rows)
        self._sink.write(text.getvalue().encode("utf-8"))


def _cells(column: Column, values: Sequence[Any]) -> Sequence[Any]:
    if column.kind == TEXT:
        return [value and defuse(value) for value in values]
    if column.kind == TIME:
        return [None if value is None else stamp(value) for value in values]
    if column.kind == BOOL:
        return [None if value is None else "true" if value else "false" for value in values]
    return values


def defuse(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula: with an apostrophe before it, if it could be one."""
    return "'" + text if text[0] in _FORMULA or (text[0] == "'" and text.lstrip("'")[:1] in _FORMULA) else text
