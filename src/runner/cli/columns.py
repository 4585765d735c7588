"""How many columns of a terminal a text takes: a character may take two, one, or none."""

from __future__ import annotations

from unicodedata import category, east_asian_width


def columns(text: str) -> int:
    """Return the columns that a printable text takes."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(character: str) -> int:
    if category(character) in ("Mn", "Me"):  # drawn over the character before
        return 0
    return 2 if east_asian_width(character) in ("W", "F") else 1


def cut(text: str, room: int) -> str:
    """Return the longest beginning of a text that takes at most `room` columns."""
    taken = 0
    for at, character in enumerate(text):
        taken += _columns(character)
        if taken > room:
            return text[:at]
    return text


def behind(text: str, room: int) -> str:
    """Return what of a text stands behind its first `room` columns; a wide character that begins in them is blank."""
    if room <= 0:
        return text
    taken = 0
    for at, character in enumerate(text):
        if taken >= room and _columns(character):
            return " " * (taken - room) + text[at:]
        taken += _columns(character)
    return " " * (taken - room)


def pad(text: str, width: int) -> str:
    """Return a text with blanks behind it, `width` columns in all."""
    return text + " " * (width - columns(text))


def wrap(text: str, room: int, between: str = "") -> list[str]:
    """Return a text in lines of at most `room` columns (at least 2), broken at blanks where that can be.

    Args:
        text: The text.
        room: The columns.
        between: What stands between its parts, and is broken at rather than inside of them; "" for nothing.
    """
    if between:
        lines: list[str] = []
        for part in text.split(between):
            if lines and columns(whole := lines[-1] + between + part) <= room:
                lines[-1] = whole
            else:
                lines += wrap(part, room)
        return lines
    lines = []
    line = ""
    for word in text.split(" "):
        if line and columns(line) + 1 + columns(word) <= room:
            line += " " + word
            continue
        if line:
            lines.append(line)
        line = word
        while columns(line) > room:
            lines.append(cut(line, room))
            line = line[len(lines[-1]) :]
    return [*lines, line]
