"""Reads what a script printed: tracebacks of Python, roughly those of other languages, warnings, levels of lines."""

from __future__ import annotations

from runner.analysis import other_languages, other_programs
from runner.analysis.failure import is_class, without_colors
from runner.analysis.fault import Fault
from runner.analysis.tracebacks import Tracebacks

#: Lines looked at, from the end.
_MOST = 100_000
#: What reads a line that is none of Python's, the first that knows it.
_READERS = (*other_languages.READERS, *other_programs.READERS)

#: Levels of log lines, by the words that stand for them.
_LEVELS = {
    "ERROR": "error", "ERR": "error", "SEVERE": "error", "CRITICAL": "critical", "FATAL": "critical",
    "EMERG": "critical", "WARNING": "warning", "WARN": "warning",
}  # fmt: skip


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
    tracebacks = Tracebacks()
    seen: set[tuple[str, str]] = set()
    for at, line in enumerate(lines):
        fault = tracebacks.feed(at, line)
        if not tracebacks.taken:
            fault = _member(lines, at) or _other(lines, at)
        if fault is not None:
            found.faults.append(fault)
        if tracebacks.taken:
            continue
        level = level_of(line)
        if level:
            found.levels[level] = found.levels.get(level, 0) + 1
        warning = _warning(line)
        if warning is not None and warning not in seen:
            seen.add(warning)
            found.warnings.append(warning)
    return found


def _other(lines: list[str], at: int) -> Fault | None:
    """Return the error that a line of another language, of a shell or of a native program tells of."""
    line = lines[at]
    if not line or line[0] in " \t":
        return None
    for read in _READERS:
        fault = read(lines, at, line)
        if fault is not None:
            return fault
    return None


def _member(lines: list[str], at: int) -> Fault | None:
    """Return an exception of a group that has no traceback of its own: it stands right below a rule."""
    line = lines[at].strip()
    if not line.startswith("| ") or not at or not lines[at - 1].strip().startswith("+-"):
        return None
    name, _, message = line[2:].partition(": ")
    if not is_class(name):
        return None
    fault = Fault("python", name, message, "", at, chained=True)
    fault.margin = lines[at].partition("|")[0] + "| "
    return fault


def level_of(line: str) -> str:
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
