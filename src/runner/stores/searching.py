"""Looks for a text in what was kept of a run's output and in what ended it."""

from __future__ import annotations

from runner.stores.codec import unpack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.model.run import Run

#: Name of `holds` in SQL.
HOLDS = "holds_text"


def holds(text: str, size: int, head: bytes, tail: bytes | None) -> bool:
    """Whether packed output holds a text, whatever its case.

    Args:
        text: The text, folded (`str.casefold`).
        size: Bytes of the output, kept or not.
        head: Its beginning, packed.
        tail: Its end, packed, or None.
    """
    first = unpack(head)
    last = unpack(tail) if tail else b""
    if size <= len(first) + len(last):
        return _within(text, first + last)
    return _within(text, first) or _within(text, last)


def _within(text: str, data: bytes) -> bool:
    return text in data.decode("utf-8", "replace").casefold()


def mentions(run: Run, text: str) -> bool:
    """Whether the output or the error of one of a run's attempts holds a text, whatever its case."""
    wanted = text.casefold()
    for attempt in run.attempts:
        if wanted in (attempt.error_message or "").casefold():
            return True
        for tail in attempt.output.values():
            parts = (tail.head + tail.tail,) if tail.size <= len(tail.head) + len(tail.tail) else (tail.head, tail.tail)
            if any(_within(wanted, part) for part in parts):
                return True
    return False
