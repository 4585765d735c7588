"""One error that a program printed, in whatever language."""

from __future__ import annotations

from os.path import basename

from runner.analysis.errors import CRASH, DATA, DEPENDENCY, MEMORY, OTHER, classify

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from runner.analysis.traceback import Frame

#: The type of what Python says when it has to give up itself.
FATAL = "Fatal Python error"
_SHOWN = ("language", "type", "message", "place", "line", "chained")


class Fault:
    """One exception, or an error that came in place of one.

    Attributes:
        language: ``python``, ``java``, ``node``, ``go``, ``rust``, ``ruby``, ``php``, ``perl``, ``c++`` or ``shell``.
        type: Class of the exception, as far as the language names it.
        message: What it said.
        place: File and line in the user's own code, as far as that can be told; "" where it is not told.
        line: Number of the line where it stands, from 0 on.
        chained: Whether it came while another one was handled, or because of it.
        function: Name of the function that `place` is in, "" where it is not told.
        frames: Of Python, the places it came through, the outermost first; none where they are not told.
        margin: Of Python, what stood before each line of its traceback, such as the name of a process.
        uncaught: Whether it is known to have ended a process or a thread: Python said so.
    """

    __slots__ = (
        "chained", "frames", "function", "language", "line", "margin", "message", "place", "type", "uncaught",
    )  # fmt: skip

    def __init__(self, language: str, type: str, message: str, place: str, line: int, chained: bool = False) -> None:
        self.language = language
        self.type = type
        self.message = message
        self.place = place
        self.line = line
        self.chained = chained
        self.function = ""
        self.frames: list[Frame] = []
        self.margin = ""
        self.uncaught = False

    @property
    def member(self) -> bool:
        """Whether it is one of those that a group of Python holds."""
        return "|" in self.margin and not self.margin.strip(" |")

    @property
    def kind(self) -> str:
        """Its class, one of the keys of `errors.MEANINGS`."""
        if self.language == "shell" and self.message.endswith(": not found"):
            return DEPENDENCY  # a command, of which dash and busybox say no more
        kind = classify(self.type, self.message)
        if self.language == "c++" and kind != MEMORY and (kind == OTHER or not self.type):
            return CRASH
        return kind

    @property
    def text(self) -> str:
        """What it is and said, in one line."""
        return ": ".join(dict.fromkeys(part for part in (self.type, self.message) if part))

    @property
    def where(self) -> str:
        """Its place as people read it: ``file:line, in function``, "" where it is not told."""
        inside = f", in {self.function}" if self.function and not self.function.startswith("<") else ""
        return f"{basename(self.place)}{inside}" if self.place else ""

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data, with its class."""
        return {**{name: getattr(self, name) for name in _SHOWN}, "class": self.kind}


def kind_of(faults: Sequence[Fault]) -> str:
    """Return the class of the last of some faults; where that is a group of Python, of the most telling of its members.

    Args:
        faults: In the order in which they were printed, at least one.
    """
    begin = len(faults) - 1
    while begin > 0 and faults[begin].member:
        begin -= 1
    kinds = [fault.kind for fault in faults[begin:]]
    telling = [kind for kind in kinds if kind not in (OTHER, DATA)]
    return telling[0] if telling else DATA if DATA in kinds else OTHER
