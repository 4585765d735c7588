"""What ended an attempt, in a few words: from the way it ended and from the end of its output."""

from __future__ import annotations

from runner.agent.events import CANCELLED, EXITED, LIMIT, LOST, OOM_KILLED, SIGNALED, SKIPPED, TIMEOUT

#: Names of signals, without the cost of `import signal` (an enum).
_NAMED: dict[int, str] = {}
#: Signals that a program brings upon itself.
CRASHES = ("SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGABRT", "SIGTRAP", "SIGSYS")
_OTHER_NAMES = ("SIGCLD", "SIGIOT", "SIGPOLL", "SIGRTMIN", "SIGRTMAX")


def signal_name(number: int) -> str:
    """Return ``SIGTERM`` for 15, ``signal 40`` for a signal without a name of its own."""
    if not _NAMED:
        import _signal

        for name in dir(_signal):
            if name.startswith("SIG") and name.isalnum() and name not in _OTHER_NAMES:
                _NAMED[int(getattr(_signal, name))] = name
    return _NAMED.get(number, f"signal {number}")


def explain(
    reason: str,
    exit_code: int | None,
    signal: int | None,
    message: str | None,
    errors: str | None,
    mixed: bool = False,
) -> tuple[str | None, str | None]:
    """Return the error type and message of an attempt, (None, None) after a success.

    Args:
        reason: `Ended.reason`.
        exit_code: `Ended.exit_code`.
        signal: `Ended.signal`.
        message: What the agent itself had to say.
        errors: End of what the script wrote to standard error (or to both), None if it was not captured.
        mixed: Whether what it wrote to standard output is in there too.
    """
    if reason == EXITED:
        if exit_code == 0:
            return None, None
        # Only an uncaught exception makes Python exit with 1: after any other code a traceback is history.
        found = last_exception(errors) if exit_code == 1 and errors else None
        return found or (f"exit:{exit_code}", _said(errors, exit_code, mixed) or f"exit code {exit_code}")
    if reason == TIMEOUT:
        return TIMEOUT, message or "timeout"
    if reason in (LIMIT, SKIPPED):
        return reason, message
    if reason == LOST:
        return LOST, message or "the runner ended before the script did; its end is not known"
    name = signal_name(signal) if signal else "a signal"
    if reason == SIGNALED:
        return f"signal:{signal}", message or f"killed by {name}{_said_in_crash(errors, name)}"
    if reason == CANCELLED:
        # The agent itself has something to say where it was asked to end the script.
        return f"signal:{signal}" if signal and not message else CANCELLED, message or f"cancelled by {name}"
    if reason == OOM_KILLED:
        return OOM_KILLED, message or "killed by the kernel: out of memory"
    return reason, message


def _said(errors: str | None, exit_code: int | None, mixed: bool) -> str:
    """Return what a program said of its failure that told no exception of Python, "" if it said nothing."""
    if not errors:
        return ""
    from runner.analysis.last_words import words_of_exit

    words = words_of_exit(errors, exit_code, mixed)
    return words.text if words is not None else ""


def _said_in_crash(errors: str | None, name: str) -> str:
    if not errors or name not in CRASHES:
        return ""
    from runner.analysis.last_words import words_of_crash

    words = words_of_crash(errors)
    return f": {words.text}" if words is not None else ""


def last_exception(errors: str) -> tuple[str, str] | None:
    """Return class and last line of the last Python traceback in a text, None if there is none.

    Chained exceptions end with the one that mattered; of an exception group the outermost is meant. An error while
    compiling the script has no ``Traceback`` line, only a file and a line.
    """
    lines = without_colors(errors).replace("\r\n", "\n").split("\n")
    start = last_traceback(lines)
    if start is None:
        return None
    return _first_unindented(lines[start + 1 :], "  | " if lines[start].startswith(_GROUP) else "")


def last_traceback(lines: list[str]) -> int | None:
    """Return the position of the line with which the last Python traceback among some begins, None if there is none."""
    for start in range(len(lines) - 1, -1, -1):
        line = lines[start]
        if line.startswith((_TRACEBACK, _GROUP)) or (line.startswith('  File "') and _is_compile_error(lines, start)):
            return start
    return None


def is_class(name: str) -> bool:
    """Tell whether a text may be the name of an exception as Python writes it: ``json.decoder.JSONDecodeError``."""
    return name not in _LEVELS and all(part.isidentifier() or part == "<locals>" for part in name.split("."))


def without_colors(text: str) -> str:
    """Return a text without the escape sequences of colours: on a terminal, Python 3.13 paints its tracebacks."""
    first, *rest = text.split("\033[")
    for part in rest:
        codes, end, behind = part.partition("m")
        first += behind if end and not codes.strip("0123456789;") else f"\033[{part}"
    return first


_TRACEBACK = "Traceback (most recent call last)"
_GROUP = "  + Exception Group Traceback"
#: What stands before a colon too, but is no exception.
_LEVELS = ("DEBUG", "INFO", "NOTICE", "WARNING", "WARN", "ERROR", "CRITICAL", "FATAL")
#: Errors of which Python tells no traceback where they are the script's own.
COMPILE_ERRORS = ("SyntaxError", "IndentationError", "TabError")


def _is_compile_error(lines: list[str], start: int) -> bool:
    before = lines[start - 1] if start else ""
    found = _first_unindented(lines[start + 1 : start + 5], "")
    return not before.startswith(" ") and found is not None and found[0] in COMPILE_ERRORS


def _first_unindented(lines: list[str], margin: str) -> tuple[str, str] | None:
    for line in lines:
        if margin and line.startswith("    |") and not line.startswith("  | "):
            return None
        text = line.removeprefix(margin)
        if not text or text[0] in " +|\t":
            continue
        name = text.partition(":")[0].strip()
        # A traceback's text may be cut short, or something else may write between its lines.
        if is_class(name):
            return name, text.strip()[:2000]
        if name not in _LEVELS:
            return None
    return None
