"""Records as JSON: one object a line, or one document."""

from __future__ import annotations

from json.encoder import encode_basestring_ascii as quoted

from runner.model.portable import BOOL, EXACT_COLUMN, JSON, TEXT, TIME, VERSION, VERSION_COLUMN
from runner.model.portable_parts import stamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from runner.exporters.sink import Sink
    from runner.model.portable import Batch, Column

_NOT_JSON = frozenset(("inf", "-inf", "nan"))


class JsonLinesWriter:
    """Writes one JSON object a line, in ASCII.

    Args:
        sink: Where to.
        columns: What each record has.
    """

    def __init__(self, sink: Sink, columns: Sequence[Column]) -> None:
        self._sink = sink
        self._columns = columns
        # A text of JSON is exact by itself.
        self._places = [place for place, column in enumerate(columns) if column.name != EXACT_COLUMN]
        keys = (f"{quoted(columns[place].name)}:%s" for place in self._places)
        self._template = "{" + ",".join(keys) + "}"

    def lines(self, batch: Batch) -> list[str]:
        """Return each record of a batch as JSON."""
        fragments = [_fragments(self._columns[place], batch[place]) for place in self._places]
        return [self._template % row for row in zip(*fragments, strict=True)]

    def add(self, batch: Batch) -> None:
        """Write one more batch."""
        self._sink.write("".join([line + "\n" for line in self.lines(batch)]).encode("ascii"))

    def finish(self) -> None:
        """Do nothing more: the last line is written."""


class JsonWriter(JsonLinesWriter):
    """Writes one JSON object, in ASCII, whose ``runs`` are the records.

    Args:
        sink: Where to.
        columns: What each record has.
    """

    def __init__(self, sink: Sink, columns: Sequence[Column]) -> None:
        super().__init__(sink, columns)
        sink.write(b'{"format": "runner-runs", "%s": %d, "runs": [' % (VERSION_COLUMN.encode("ascii"), VERSION))
        self._separator = "\n"

    def add(self, batch: Batch) -> None:
        """Write one more batch."""
        lines = self.lines(batch)
        if lines:
            self._sink.write((self._separator + ",\n".join(lines)).encode("ascii"))
            self._separator = ",\n"

    def finish(self) -> None:
        """End the document."""
        self._sink.write(b"\n]}\n")


def _fragments(column: Column, values: Sequence[Any]) -> Sequence[str]:
    kind = column.kind
    if kind == TEXT:
        return ["null" if value is None else quoted(value) for value in values]
    if kind == TIME:
        return ["null" if value is None else f'"{stamp(value)}"' for value in values]
    if kind == BOOL:
        return ["null" if value is None else "true" if value else "false" for value in values]
    if kind == JSON:
        return [value or "null" for value in values]
    texts = ["null" if value is None else repr(value) for value in values]
    return texts if _NOT_JSON.isdisjoint(texts) else ["null" if text in _NOT_JSON else text for text in texts]
