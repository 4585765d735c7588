"""Reads JSON values one after the other, however long the file: one a line, or the items of one list."""

from __future__ import annotations

import re
from io import TextIOWrapper
from json import JSONDecodeError, JSONDecoder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, BinaryIO, NoReturn, TextIO

_CHUNK = 1 << 18
#: What comes before the first item of a list: nothing else, or a document whose last member is the list of runs.
_LEAD = re.compile(r'\s*(?:\{[^\[\]{}]*"runs"\s*:\s*)?\[')
_GAP = re.compile(r"[\s,\x1e]*")
#: Characters at the end of what was read within which a value may only seem wrong because it goes on.
_MARGIN = 16


def values(file: BinaryIO) -> Iterator[tuple[int, Any]]:
    """Yield each value with the number of the line it begins in.

    Raises:
        ValueError: The text is no JSON or is cut off: what is wrong, and the number of the line.
        OSError, EOFError: It can't be read.
    """
    with TextIOWrapper(file, encoding="utf-8-sig") as text:
        yield from _values(text)


def _values(text: TextIO) -> Iterator[tuple[int, Any]]:
    decoder = JSONDecoder(parse_constant=_refuse)
    buffer, at, line, chunk = text.read(_CHUNK), 0, 1, _CHUNK
    lead = _LEAD.match(buffer)
    if lead:
        at = lead.end()
        line += buffer.count("\n", 0, at)
    while True:
        start, at = at, _GAP.match(buffer, at).end()  # type: ignore[union-attr]
        line += buffer.count("\n", start, at)
        if at == len(buffer):
            buffer, at = text.read(_CHUNK), 0
            if buffer:
                continue
            if lead:
                raise ValueError("it is cut off: the list has no end", line)
            return
        if lead and buffer[at] == "]":
            return
        try:
            value, end = decoder.raw_decode(buffer, at)
        except JSONDecodeError as error:
            more = text.read(chunk) if _may_go_on(error, buffer) else ""
            if not more:
                raise ValueError(_explain(error, buffer), line) from None
            buffer, at, chunk = buffer[at:] + more, 0, 2 * chunk
            continue
        except RecursionError:
            raise ValueError("it is nested too deeply", line) from None
        yield line, value
        line += buffer.count("\n", at, end)
        at, chunk = end, _CHUNK


def _may_go_on(error: JSONDecodeError, buffer: str) -> bool:
    return error.msg.startswith("Unterminated string") or error.pos >= len(buffer) - _MARGIN


def _explain(error: JSONDecodeError, buffer: str) -> str:
    return "it is cut off" if _may_go_on(error, buffer) else f"it is no JSON ({error.msg})"


def _refuse(name: str) -> NoReturn:
    raise JSONDecodeError(f"{name} is no number of JSON", "", 0)
