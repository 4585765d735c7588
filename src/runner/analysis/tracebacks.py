"""Follows the tracebacks of Python in a text, line by line, also where several processes write theirs at once."""

from __future__ import annotations

from runner.analysis.failure import COMPILE_ERRORS, is_class
from runner.analysis.fault import FATAL, Fault
from runner.analysis.traceback import Frame, frame_in, place_of

#: Lines after which a traceback that got no further is given up.
LONGEST = 400
#: Tracebacks followed at a time, and characters that may stand before each of their lines.
_OPEN, _MARGIN = 32, 200

_PYTHON = "Traceback (most recent call last)"
_GROUP = "Exception Group Traceback (most recent call last)"
_CHAINS = ("During handling of the above exception", "The above exception was the direct cause")
#: What Python says before the traceback of an exception that ended a process of multiprocessing, or a thread.
_UNCAUGHT = ("Process ", "Exception in thread ")
#: How names of exceptions end, where a line could as well be another process's.
_ENDINGS = ("Error", "Exception", "Exit", "Interrupt", "Warning", "Iteration", "Group", "Timeout", "Expired")
#: What the record puts in place of output that was not kept.
_GAP = "[... "


class _Open:
    """Tracebacks on their way whose lines have the same margin: one, or several that are mixed."""

    __slots__ = ("chained", "compiling", "faults", "frames", "inner", "margin", "started", "touched", "uncaught")

    def __init__(self, margin: str, at: int) -> None:
        self.margin = margin
        self.inner = margin.replace("+", "|")
        self.touched = at
        self.started = 1
        self.frames: list[Frame] = []
        self.faults: list[Fault] = []
        self.chained = self.uncaught = self.compiling = False

    def text_of(self, line: str) -> str | None:
        """Return a line without the margin, None if it has another."""
        for begin in (self.margin, self.inner):
            if line.startswith(begin):
                return line[len(begin) :]
        return None

    def may_end(self, name: str) -> bool:
        """Tell whether a line with that name may be the exception that the traceback ends with."""
        if self.compiling:
            return name in COMPILE_ERRORS
        sure = not self.faults or "." in name or name.endswith(_ENDINGS)
        return sure and is_class(name)

    def end(self) -> None:
        """Give its exceptions their frames, as far as it can be told whose they are."""
        types = {fault.type for fault in self.faults}
        counts: dict[tuple[str, int, str], int] = {}
        for frame in self.frames:
            counts[frame.file, frame.line, frame.function] = counts.get((frame.file, frame.line, frame.function), 0) + 1
        frames = self.frames
        if self.started > 1:
            # All came the same way, or there is no telling.
            alike = len(types) == 1 and set(counts.values()) == {self.started}
            frames = list({(each.file, each.line, each.function): each for each in frames}.values()) if alike else []
        for fault in self.faults:
            _put(fault, frames)


def _put(fault: Fault, frames: list[Frame]) -> None:
    fault.frames = frames
    place = place_of(frames)
    if place is not None:
        fault.place, fault.function = f"{place.file}:{place.line}", place.function


class Tracebacks:
    """Reads lines one by one, and tells of each whether it belongs to a traceback."""

    def __init__(self) -> None:
        #: Whether the line that was read last belongs to a traceback.
        self.taken = False
        self._open: dict[str, _Open] = {}
        self._uncaught = 0
        self._chained: set[str] = set()
        self._fatal: Fault | None = None
        self._dumped: list[Frame] | None = None

    @property
    def busy(self) -> bool:
        """Whether a traceback without anything before its lines is on its way."""
        return "" in self._open

    def feed(self, at: int, line: str) -> Fault | None:
        """Take the next line.

        Args:
            at: Its number.
            line: The line, without colours.

        Returns:
            The exception that it tells. Its place is known as soon as all of the tracebacks are over that it is mixed
            with.
        """
        self.taken = False
        if _PYTHON in line and self._begin(at, line):
            return None
        if line.startswith(FATAL):
            return self._give_up(at, line)
        if self._fatal is not None and self._dump(self._fatal, line):
            return None
        if line.startswith(_GAP):
            self._open.clear()
        for each in reversed(list(self._open.values())):
            text = each.text_of(line)
            if at - each.touched > LONGEST:
                del self._open[each.margin]
            elif text is not None:
                fault = self._continue(each, at, text)
                if self.taken:
                    return fault
        if not self._compile_error(at, line):
            self._note(line)
        return None

    def _note(self, line: str) -> None:
        """Remember what a line of no traceback says of the next one."""
        if line.startswith(_UNCAUGHT) and line.endswith(":"):
            self._uncaught += 1
        elif line:
            self._uncaught = 0
        for words in _CHAINS:
            before, found, _ = line.partition(words)
            if found and len(before) <= _MARGIN:
                self._chained.add(before.strip(" |"))

    def _begin(self, at: int, line: str) -> bool:
        begin = line.find(_GROUP) if _GROUP in line else line.find(_PYTHON)
        if begin > _MARGIN:
            return False
        margin = line[:begin]
        found = self._open.pop(margin, None)
        if found is None or found.compiling:
            found = _Open(margin, at)
        else:
            found.started += 1
        found.touched = at
        found.chained = margin.strip(" +|") in self._chained
        self._chained.discard(margin.strip(" +|"))
        if self._uncaught:
            found.uncaught = True
            self._uncaught -= 1
        self._open[margin] = found
        self.taken = True
        if len(self._open) > _OPEN:
            del self._open[next(iter(self._open))]
        return True

    def _continue(self, each: _Open, at: int, text: str) -> Fault | None:
        frame = frame_in(text)
        if frame is not None:
            each.frames.append(frame)
        elif text.startswith("    ") and each.frames and at == each.touched + 1 and not each.frames[-1].text:
            stripped = text.strip()
            each.frames[-1].text = stripped if stripped.strip("~^ ") else ""
        elif text.startswith("\t") and not each.frames:
            del self._open[each.margin]  # Ruby begins with the same words
            return None
        elif text.strip() and not text.startswith(" "):
            return self._end(each, at, text)
        self.taken = True
        each.touched = at
        return None

    def _end(self, each: _Open, at: int, text: str) -> Fault | None:
        name, colon, message = text.partition(": ")
        name = name.strip().removesuffix(":")
        if not each.may_end(name):
            if each.compiling:
                del self._open[each.margin]
            return None  # a line of another process
        self.taken = True
        fault = Fault("python", name, message.strip() if colon else "", "", at, each.chained)
        fault.margin = each.margin
        fault.uncaught = each.uncaught
        each.faults.append(fault)
        if len(each.faults) == each.started:
            each.end()
            del self._open[each.margin]
        return fault

    def _compile_error(self, at: int, line: str) -> bool:
        """Begin with an error of compiling the script, which has no line that says so."""
        frame = frame_in(line) if line.startswith("  File") else None
        if frame is None or frame.function or self.busy:
            return False
        begun = _Open("", at)
        begun.compiling = True
        begun.frames.append(frame)
        self._open[""] = begun
        self.taken = True
        return True

    def _give_up(self, at: int, line: str) -> Fault:
        """Begin with what Python writes when it ends itself, or is ended with faulthandler looking on."""
        self.taken = True
        self._fatal = Fault("python", FATAL, line.removeprefix(FATAL).strip(": "), "", at)
        self._fatal.uncaught = True
        self._dumped = None
        return self._fatal

    def _dump(self, fatal: Fault, line: str) -> bool:
        """Read the stack of the thread that it ended in; the innermost frame comes first."""
        if line.startswith("Current thread "):
            self._dumped = []
        elif self._dumped is None:
            return False
        else:
            file, found, rest = line.rpartition('", line ')
            frame = frame_in(f"{file}{found}{rest.replace(' in ', ', in ', 1)}")
            if frame is None:
                self._fatal = None
                return False
            self._dumped.insert(0, frame)
            _put(fatal, self._dumped)
        self.taken = True
        return True
