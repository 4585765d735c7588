"""Where in the code an exception came from: the frames of the traceback that a script left on standard error."""

from __future__ import annotations

import os

from runner.analysis.failure import without_colors

#: A file of code larger than this is not looked into, in bytes.
_LARGEST = 4 << 20
#: Parts of paths that belong to an interpreter or to installed packages, not to the script.
_FOREIGN = ("/site-packages/", "/dist-packages/", "/lib/python3", "/lib64/python3", "/lib/pypy")


class Frame:
    """One place in a traceback.

    Attributes:
        file: As the traceback has it.
        line: Number of the line, from 1 on.
        function: Name of the function, "" for an error while compiling.
        text: The line as the traceback shows it, "" where it does not.
    """

    __slots__ = ("file", "function", "line", "text")

    def __init__(self, file: str, line: int, function: str = "", text: str = "") -> None:
        self.file = file
        self.line = line
        self.function = function
        self.text = text

    @property
    def own(self) -> bool:
        """Whether it seems to lie in the user's own code."""
        return not self.file.startswith("<") and not any(part in self.file for part in _FOREIGN)


def last_frames(errors: str) -> list[Frame]:
    """Return the frames of the last traceback in a text, the outermost first; none where there is no traceback.

    Args:
        errors: What a script wrote to standard error, or the end of it.
    """
    lines = without_colors(errors).replace("\r\n", "\n").split("\n")
    margin = ""
    for start in range(len(lines) - 1, -1, -1):
        if lines[start].startswith("Traceback (most recent call last)"):
            break
        if lines[start].startswith("  + Exception Group Traceback"):
            margin = "  | "
            break
    else:
        return _compile_error(lines)
    return _frames([line.removeprefix(margin) for line in lines[start + 1 :]])


def _compile_error(lines: list[str]) -> list[Frame]:
    for start in range(len(lines) - 1, -1, -1):
        frame = _frame(lines[start])
        if frame is not None and not frame.function:
            frame.text = _text_below(lines, start)
            return [frame]
    return []


def _frames(lines: list[str]) -> list[Frame]:
    frames: list[Frame] = []
    for at, line in enumerate(lines):
        frame = _frame(line)
        if frame is not None:
            frame.text = _text_below(lines, at)
            frames.append(frame)
        elif not line.startswith(" "):
            break  # the exception itself
    return frames


def _frame(line: str) -> Frame | None:
    """Return the frame of a line such as ``File "x.py", line 3, in main``."""
    if not line.startswith('  File "'):
        return None
    file, found, rest = line[8:].rpartition('", line ')
    number, _, function = rest.partition(", in ")
    if not found or not number.isdecimal():
        return None
    return Frame(file, int(number), function)


def _text_below(lines: list[str], at: int) -> str:
    """Return the line of code that a traceback shows below a frame."""
    below = lines[at + 1] if at + 1 < len(lines) else ""
    text = below.strip()
    return text if below.startswith("    ") and text.strip("~^ ") else ""


def place_of(frames: list[Frame]) -> Frame | None:
    """Return the frame that a person would look at: the innermost in the user's own code, else the innermost."""
    own = [frame for frame in frames if frame.own]
    return own[-1] if own else frames[-1] if frames else None


def source_around(path: str, line: int, more: int = 2) -> list[tuple[int, str]]:
    """Return lines of a file around one of them, with their numbers; none where it can't be read.

    Args:
        path: The file.
        line: The line, from 1 on.
        more: How many before and after it.
    """
    try:
        # A traceback can name anything: a pipe would never end.
        if not os.path.isfile(path) or os.path.getsize(path) > _LARGEST:
            return []
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read().splitlines()
    except (OSError, ValueError):
        return []
    first = max(1, line - more)
    return list(enumerate(text[first - 1 : line + more], first)) if line <= len(text) else []
