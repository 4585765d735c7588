"""Reads what a script printed: tracebacks of Python, roughly those of other languages, warnings, levels of lines."""

from __future__ import annotations

from runner.analysis.errors import classify
from runner.analysis.failure import without_colors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Lines looked at, from the end.
_MOST = 100_000

_PYTHON = "Traceback (most recent call last)"
_GROUP = "Exception Group Traceback (most recent call last)"
_CHAINS = ("During handling of the above exception", "The above exception was the direct cause")

#: Levels of log lines, by the words that stand for them.
_LEVELS = {
    "ERROR": "error", "ERR": "error", "SEVERE": "error", "CRITICAL": "critical", "FATAL": "critical",
    "EMERG": "critical", "WARNING": "warning", "WARN": "warning",
}  # fmt: skip


class Fault:
    """One exception that was printed.

    Attributes:
        language: ``python``, ``java``, ``node``, ``go``, ``rust``, ``ruby`` or ``shell``.
        type: Class of the exception, as far as the language names it.
        message: What it said.
        place: File and line, "" where it is not told.
        line: Number of the line where it stands, from 0 on.
        chained: Whether it came while another one was handled, or because of it.
    """

    __slots__ = ("chained", "language", "line", "message", "place", "type")

    def __init__(self, language: str, type: str, message: str, place: str, line: int, chained: bool = False) -> None:
        self.language = language
        self.type = type
        self.message = message
        self.place = place
        self.line = line
        self.chained = chained

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data, with its class."""
        return {
            **{name: getattr(self, name) for name in ("language", "type", "message", "place", "line", "chained")},
            "class": classify(self.type, self.message),
        }


class Scan:
    """What was found in a text.

    Attributes:
        faults: Exceptions, in the order in which they stand.
        levels: How many lines were of each level: ``warning``, ``error``, ``critical``.
        warnings: Warnings of Python as (category, message), each once.
    """

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.levels: dict[str, int] = {}
        self.warnings: list[tuple[str, str]] = []


def scan(text: str) -> Scan:
    """Look through what a script printed.

    Args:
        text: Standard output, standard error or both.
    """
    found = Scan()
    lines = without_colors(text).replace("\r\n", "\n").split("\n")[-_MOST:]
    seen: set[tuple[str, str]] = set()
    chained = False
    at = 0
    while at < len(lines):
        line = lines[at]
        if any(word in line for word in _CHAINS):
            chained = True
        begin = line.find(_GROUP) if _GROUP in line else line.find(_PYTHON)
        if begin >= 0:
            fault, at = _python(lines, at, begin, chained)
            chained = False
            if fault is not None:
                found.faults.append(fault)
            continue
        other = _member(lines, at) or _other(lines, at)
        if other is not None:
            found.faults.append(other)
        level = _level(line)
        if level:
            found.levels[level] = found.levels.get(level, 0) + 1
        warning = _warning(line)
        if warning is not None and warning not in seen:
            seen.add(warning)
            found.warnings.append(warning)
        at += 1
    return found


def _python(lines: list[str], start: int, indent: int, chained: bool) -> tuple[Fault | None, int]:
    """Return the exception of a traceback, and the position behind it.

    What stands before the word Traceback on its line (a margin of groups, the name of a process) may stand before each
    of the others too; lines of other processes in between are passed over.
    """
    margin = lines[start][:indent]
    inner = margin.replace("+", "|")
    place = ""
    for at in range(start + 1, min(len(lines), start + 400)):
        line = _without(lines[at], margin, inner)
        if line is None:
            continue
        stripped = line.strip()
        if stripped.startswith('File "'):
            place = _place(stripped)
        elif line.startswith(" ") or not stripped or stripped.startswith("[Previous line repeated"):
            continue
        else:
            name, colon, message = line.partition(": ")
            name = name.rstrip(":")
            if name.replace(".", "").replace("_", "").isalnum() and " " not in name:
                return Fault("python", name, message.strip() if colon else "", place, at, chained), at + 1
            if not margin:
                continue  # a line of another process
    return None, start + 1


def _member(lines: list[str], at: int) -> Fault | None:
    """Return an exception of a group that has no traceback of its own: it stands right below a rule."""
    line = lines[at].strip()
    if not line.startswith("| ") or not at or not lines[at - 1].strip().startswith("+-"):
        return None
    name, colon, message = line[2:].partition(": ")
    known = name.replace(".", "").replace("_", "").isalnum()
    return Fault("python", name, message if colon else "", "", at, chained=True) if known else None


def _without(line: str, margin: str, inner: str) -> str | None:
    for begin in (margin, inner):
        if begin and line.startswith(begin):
            return line[len(begin) :]
    return line if not margin else None


def _place(line: str) -> str:
    file, found, rest = line[6:].rpartition('", line ')
    return f"{file}:{rest.partition(',')[0]}" if found else ""


def _other(lines: list[str], at: int) -> Fault | None:
    line = lines[at]
    below = lines[at + 1] if at + 1 < len(lines) else ""
    if line.startswith("panic: ") and ("goroutine" in "".join(lines[at + 1 : at + 6]) or "[signal" in below):
        return Fault("go", "panic", line[7:], _go_place(lines[at + 1 : at + 20]), at)
    if line.startswith("thread '") and " panicked at " in line:
        place = line.partition(" panicked at ")[2].rstrip(":")
        return Fault("rust", "panic", below.strip() if line.endswith(":") else place, place, at)
    if below.startswith(("\tat ", "    at ")):
        words = line.removeprefix('Exception in thread "main" ').removeprefix("Uncaught ").removeprefix("Caused by: ")
        name, colon, message = words.partition(": ")
        if colon and name and " " not in name:
            language = "java" if below.startswith("\tat ") else "node"
            place = below.strip()[3:].rpartition("(")[2].rstrip(")")
            return Fault(language, name, message, place, at, line.startswith("Caused by: "))
    if ".rb:" in line and ":in " in line and line.endswith(")"):
        place, _, rest = line.partition(":in ")
        message, _, name = rest.partition(": ")[2].rpartition(" (")
        return Fault("ruby", name.rstrip(")"), message, place, at) if name else None
    before, found, rest = line.partition(": line ")
    number, colon, message = rest.partition(": ")
    if found and colon and number.isdecimal() and " " not in before:
        return Fault("shell", "", message, f"{before}:{number}", at)
    return None


def _go_place(lines: list[str]) -> str:
    for line in lines:
        if line.startswith("\t") and ".go:" in line:
            return line.strip().partition(" ")[0]
    return ""


def _level(line: str) -> str:
    """Return the level of a log line: a word in capitals among its first ones, bare or in brackets."""
    if line.startswith('{"'):
        for word, level in _LEVELS.items():
            if f'"level":"{word.lower()}"' in line.lower().replace(" ", ""):
                return level
        return ""
    for word in line[:120].replace("|", " ").split()[:6]:
        found = _LEVELS.get(word.strip("[]():<>,"))
        if found:
            return found
    return ""


def _warning(line: str) -> tuple[str, str] | None:
    """Return category and message of a line such as ``x.py:3: DeprecationWarning: old``."""
    before, found, message = line.partition("Warning: ")
    if not found or ":" not in before:
        return None
    category = before.rpartition(" ")[2] + "Warning"
    return (category, message) if category.isidentifier() else None
