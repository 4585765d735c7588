"""Where in the code an exception came from: the frames of the traceback that a script left on standard error."""

from __future__ import annotations

import os

from runner.analysis.failure import last_traceback, without_colors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.analysis.fault import Fault

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
    """Return the frames of the last traceback in a text, the outermost first.

    Args:
        errors: What a script wrote to standard error, or the end of it.

    Returns:
        None where there is no whole traceback, and where several processes wrote theirs at once, so that it can't be
        told whose a frame is.
    """
    from runner.analysis.tracebacks import LONGEST, Tracebacks

    lines = without_colors(errors).replace("\r\n", "\n").split("\n")
    start = last_traceback(lines)
    if start is None:
        return []
    reader = Tracebacks()
    last: Fault | None = None
    # One that began before may be still on its way where this one begins.
    for at in range(max(0, start - LONGEST), len(lines)):
        fault = reader.feed(at, lines[at])
        if last is None and at > start and fault is not None and fault.margin in ("", "  + "):
            last = fault
        if last is not None and not reader.busy:
            break
    return [] if last is None else last.frames


def frame_in(line: str) -> Frame | None:
    """Return the frame of a line such as ``File "x.py", line 3, in main``."""
    if not line.startswith('  File "'):
        return None
    file, found, rest = line[8:].rpartition('", line ')
    number, _, function = rest.partition(", in ")
    if not found or not number.isdecimal():
        return None
    return Frame(file, int(number), function)


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
