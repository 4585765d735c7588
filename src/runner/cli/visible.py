"""Shows what a script wrote so that it can do nothing to the reader's terminal: control characters are spelled out."""

from __future__ import annotations


def visible_lines(data: bytes) -> list[str]:
    """Return output as lines of printable characters.

    A control character is shown as ``^[`` and the like, a byte that is no UTF-8 as ``\\xff``, another character that
    does not print by its number; tabs become blanks.

    Args:
        data: What was written.
    """
    lines = data.decode("utf-8", "backslashreplace").split("\n")
    if lines and not lines[-1]:
        lines.pop()
    return [visible(line.removesuffix("\r")) for line in lines]


def visible(text: str) -> str:
    """Return one line of text with everything that does not print spelled out."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else _spelled(each) for each in text.expandtabs(8))


def _spelled(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return "^" + chr(code + 0x40)
    if code == 0x7F:
        return "^?"
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
