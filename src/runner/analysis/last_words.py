"""What a program that failed said last of the reason: an error of some language, or its last line."""

from __future__ import annotations

from runner.analysis.errors import CRASH, DISK, KILLED, MEMORY, OTHER, classify
from runner.analysis.failure import is_class, without_colors
from runner.analysis.fault import FATAL, Fault, kind_of
from runner.analysis.log_scan import level_of, scan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

#: Lines and characters from the end of the output that are looked at.
_LINES, _CHARACTERS = 300, 1 << 20
#: Lines from its end that may be the last word, and characters of it.
_LAST, _LONGEST = 5, 500
#: Languages whose errors end nothing by themselves: a script may go on behind them.
_GOING_ON = ("shell", "perl")
#: Classes of what is said where a signal ended something.
_BY_SIGNAL = (CRASH, KILLED, MEMORY, DISK)
#: First words of lines that say nothing of a failure.
_LESSER = ("debug", "info", "notice", "note", "hint", "trace", "warning", "warn")
#: Words of lines that do, in lower case.
_TELLING = (
    "error", "fail", "fatal", "exception", "abort", "can't", "cannot", "could not", "unable", "missing", "denied",
    "refused", "required", "unknown", "unrecognized", "usage:", "give up", "giving up",
)  # fmt: skip


class LastWords:
    """What a program said of its failure.

    Attributes:
        text: In one line.
        kind: Its class, one of the keys of `errors.MEANINGS`.
        place: Where in the code, as people read it; "" where it is not told.
    """

    __slots__ = ("kind", "place", "text")

    def __init__(self, text: str, kind: str, place: str = "") -> None:
        self.text = text[:2000]
        self.kind = kind
        self.place = place


def words_of_exit(errors: str, exit_code: int | None, mixed: bool) -> LastWords | None:
    """Return what a program said that exited with a code other than 0, without an exception of Python; None if nothing.

    Args:
        errors: What it wrote to standard error, or the end of it.
        exit_code: The code.
        mixed: Whether what it wrote to standard output is in there too.
    """
    by_code = classify(f"exit:{exit_code}", None)
    end = _end_of(errors)
    if by_code in (CRASH, KILLED):
        return (words_of_crash(errors) if by_code == CRASH else None) or _of_signal(end)
    faults = scan(end).faults
    # One of Python that was printed before another exit than its own is history, unless it ended a child or a thread.
    ended = [fault for fault in faults if fault.language != "python" or fault.uncaught]
    sure = [fault for fault in ended if fault.language not in _GOING_ON]
    if sure:
        return _of_fault(sure[-1])
    lines = end.split("\n")
    for at in _candidates(lines, max((fault.line for fault in faults), default=-1)):
        line = _plain(lines[at])
        kind = _kind_of_line(line)
        if _tells(line, kind):
            return LastWords(line, kind)
        if exit_code == 1 and not mixed and not ended:
            # What sys.exit() was given stands alone, whatever its words are.
            return LastWords(f"last line: {line}", kind)
    return _of_fault(ended[-1]) if ended else None


def words_of_crash(errors: str) -> LastWords | None:
    """Return what a program said that a signal ended which it brought upon itself; None if nothing.

    Args:
        errors: What it wrote to standard error, or the end of it.
    """
    faults = [fault for fault in scan(_end_of(errors)).faults if _gives_up(fault)]
    if not faults:
        return None
    found = _of_fault(faults[-1])
    found.kind = CRASH if found.kind == OTHER else found.kind
    return found


def _of_signal(end: str) -> LastWords | None:
    """Return what was said of a command that a signal ended: whatever else the command said is no reason for that."""
    for fault in reversed(scan(end).faults):
        if fault.language != "python" and fault.kind in _BY_SIGNAL:
            return _of_fault(fault)
    lines = end.split("\n")
    for at in _candidates(lines, -1):
        line = _plain(lines[at])
        if _kind_of_line(line) in _BY_SIGNAL:
            return LastWords(line, _kind_of_line(line))
    return None


def kind_of_group(errors: str) -> str:
    """Return the class of what the last group of exceptions holds that Python told of.

    Args:
        errors: What it wrote to standard error, or the end of it.
    """
    faults = [fault for fault in scan(_end_of(errors)).faults if fault.language == "python"]
    return kind_of(faults) if faults else OTHER


def _end_of(errors: str) -> str:
    """Return the last lines of a text, those that are looked at, without colours."""
    return without_colors("\n".join(errors[-_CHARACTERS:].split("\n")[-_LINES:])).replace("\r\n", "\n")


def _tells(line: str, kind: str) -> bool:
    """Tell whether a line of that class seems to speak of a failure."""
    lowered = line.lower()
    return kind != OTHER or level_of(line) in ("error", "critical") or any(word in lowered for word in _TELLING)


def _of_fault(fault: Fault) -> LastWords:
    return LastWords(fault.text, fault.kind, fault.where)


def _gives_up(fault: Fault) -> bool:
    return fault.type == FATAL if fault.language == "python" else fault.language not in _GOING_ON


def _candidates(lines: Sequence[str], printed: int) -> list[int]:
    """Return the numbers of the last lines that may tell something, the last one first; only those behind a number."""
    found: list[int] = []
    for at in range(len(lines) - 1, printed, -1):
        line = _plain(lines[at])
        if any(char.isalpha() for char in line) and "%|" not in line:
            words = line.replace("[", " ").replace("]", " ").replace(":", " ").split()[:1]
            if not words or words[0].lower() not in _LESSER:
                found.append(at)
        if len(found) >= _LAST:
            break
    return found


def _plain(line: str) -> str:
    """Return what stands on a line in the end: a progress bar writes over itself."""
    return line.rstrip("\r").rpartition("\r")[2].strip()[:_LONGEST]


def _kind_of_line(line: str) -> str:
    name, colon, message = line.partition(": ")
    return classify(name, message) if colon and is_class(name) else classify(None, line)
