"""Shows what a script wrote as text that can do nothing to the reader's terminal."""

from __future__ import annotations

import re

_SGR = re.compile("(\x1b\\[[0-9;:]{0,60}m)")
_ERASE = re.compile("\x1b\\[[012]?K")
#: Attributes that can hide nothing: not concealed (8), not blinking, no font.
_HARMLESS = frozenset((0, 1, 2, 3, 4, 7, 9, *range(21, 26), 27, 28, 29, *range(30, 38), 39, *range(40, 48), 49,
                       53, 55, 59, *range(90, 98), *range(100, 108)))  # fmt: skip
_RESET = "\x1b[0m"


def visible(data: bytes, color: bool = False, mark: bool = True) -> str:
    """Return one line of output as text without control characters other than tabs.

    What is not UTF-8 is replaced, everything else that is not printable is shown as an escape such as ``\\x1b``. A line
    that was redrawn with carriage returns is shown as it looked last, behind a mark that says how often.

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


def _last_drawn(text: str) -> tuple[str, str]:
    text = text.rstrip("\r")
    if "\r" not in text:
        return text, ""
    drawn = [part for part in text.split("\r") if part]
    last = _ERASE.sub("", drawn[-1]) or "".join(map(_visible, drawn[-1]))
    return last, f"[redrawn {len(drawn) - 1} times] " if len(drawn) > 2 else "[redrawn] " if len(drawn) > 1 else ""


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
