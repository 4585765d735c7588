"""Shows what a script wrote as text that can do nothing to the reader's terminal."""

from __future__ import annotations

import re

from runner.cli.columns import behind, columns

_SGR = re.compile("(\x1b\\[[0-9;:]{0,60}m)")
#: What takes no column of a terminal: a control sequence.
_SEQUENCE = re.compile("(\x1b\\[[0-?]{0,60}[ -/]{0,9}[@-~])")
#: Sequences that clear a line from the cursor on, all of it, or up to the cursor.
_ERASE_REST, _ERASE_ALL, _ERASE_BEFORE = ("\x1b[K", "\x1b[0K"), "\x1b[2K", "\x1b[1K"
_TAB = 8
#: Attributes that can hide nothing: not concealed (8), not blinking, no font.
_HARMLESS = frozenset((0, 1, 2, 3, 4, 7, 9, *range(21, 26), 27, 28, 29, *range(30, 38), 39, *range(40, 48), 49,
                       53, 55, 59, *range(90, 98), *range(100, 108)))  # fmt: skip
_RESET = "\x1b[0m"


def visible(data: bytes, color: bool = False, mark: bool = True) -> str:
    """Return one line of output as text without control characters other than tabs.

    What is not UTF-8 is replaced, everything else that is not printable is shown as an escape such as ``\\x1b``. A line
    that was redrawn with carriage returns is shown as it looked last, behind a mark that says how often: what was drawn
    later lies over what was drawn before, and what is longer shows from behind it unless it was cleared.

    Args:
        data: The line, without its newline.
        color: Whether colours and bold type are kept, as long as they are nothing else; otherwise they are left out.
        mark: Whether it is said that the line was redrawn.
    """
    text = data.decode("utf-8", "replace")
    if text.isprintable():
        return text
    text, redrawn = _last_drawn(text)
    parts = _SGR.split(text)
    shown = [redrawn if mark else ""]
    colored = False
    for place, part in enumerate(parts):
        if place % 2 == 0:
            shown.append(part if part.isprintable() else "".join(map(_visible, part)))
        elif color and _is_harmless(part):
            shown.append(part)
            colored = True
    return "".join(shown) + (_RESET if colored else "")


def ever_drawn(data: bytes) -> list[str]:
    """Return all that a line of output showed one after the other, as `visible` does: what it looks like is the last.

    Args:
        data: The line, without its newline.
    """
    last = visible(data, mark=False)
    parts = [part for part in data.rstrip(b"\r").split(b"\r") if part]
    return [*map(visible, parts[:-1]), last] if len(parts) > 1 else [last]


def _last_drawn(text: str) -> tuple[str, str]:
    text = text.rstrip("\r")
    if "\r" not in text:
        return text, ""
    drawn = [part for part in text.split("\r") if part]
    shown: list[str] = []
    taken = 0
    for part in reversed(drawn):  # from the last on, what was drawn before shows from behind it only
        pieces, wide, cleared = _drawn(part, taken)
        shown += [*pieces, _RESET] if "\x1b" in part else pieces
        taken = max(taken, wide)
        if cleared:
            break
    mark = f"[redrawn {len(drawn) - 1} times] " if len(drawn) > 2 else "[redrawn] " if len(drawn) > 1 else ""
    return "".join(shown), mark


def _drawn(part: str, taken: int) -> tuple[list[str], int, bool]:
    """Return what a text that begins at the left edge shows from a column on.

    Args:
        part: The text, with control sequences.
        taken: The column.

    Returns:
        What it shows there, with the sequences in it; the columns that the text takes from the edge on; and whether it
        has cleared what stood there before.
    """
    shown: list[str] = []
    at = 0
    cleared = False
    for place, piece in enumerate(_SEQUENCE.split(part)):
        if place % 2 == 0:
            texts = piece.split("\t")
            for text in texts[:-1]:
                wide = columns(text)
                gap = _TAB - (at + wide) % _TAB
                shown.append(behind(text + " " * gap, taken - at))
                at += wide + gap
            shown.append(behind(texts[-1], taken - at))
            at += columns(texts[-1])
        elif piece in _ERASE_REST:
            cleared = True
        elif piece in (_ERASE_ALL, _ERASE_BEFORE):
            shown = [" " * max(0, at - taken)]
            cleared = cleared or piece == _ERASE_ALL
        elif at >= taken or _SGR.fullmatch(piece):
            shown.append(piece)
    return shown, at, cleared


def _visible(char: str) -> str:
    if char.isprintable() or char == "\t":
        return char
    number = ord(char)
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}" if number < 65536 else f"\\U{number:08x}"


def _is_harmless(sequence: str) -> bool:
    numbers = re.split("[;:]", sequence[2:-1])
    codes = [int(number or "0") for number in numbers]
    while codes:
        code = codes.pop(0)
        if code in (38, 48, 58) and codes:  # colour 5;N of a table, or 2;R;G;B
            length = {5: 2, 2: 4}.get(codes[0], 0)
            if not length or len(codes) < length or any(value > 255 for value in codes[1:length]):
                return False
            del codes[:length]
        elif code not in _HARMLESS:
            return False
    return True
