"""What ended an attempt, in a few words: from the way it ended and from the end of its output."""

from __future__ import annotations

from runner.agent.events import CANCELLED, EXITED, LIMIT, LOST, OOM_KILLED, SIGNALED, SKIPPED, TIMEOUT

#: Names of signals, without the cost of `import signal` (an enum).
_NAMED: dict[int, str] = {}
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
    reason: str, exit_code: int | None, signal: int | None, message: str | None, errors: str | None
) -> tuple[str | None, str | None]:
    """Return the error type and message of an attempt, (None, None) after a success.

    Args:
        reason: `Ended.reason`.
        exit_code: `Ended.exit_code`.
        signal: `Ended.signal`.
        message: What the agent itself had to say.
        errors: End of what the script wrote to standard error (or to both), None if it was not captured.
    """
    if reason == EXITED:
        if exit_code == 0:
            return None, None
        # Only an uncaught exception makes Python exit with 1: after any other code a traceback is history.
        found = last_exception(errors) if exit_code == 1 and errors else None
        return found or (f"exit:{exit_code}", f"exit code {exit_code}")
    if reason == TIMEOUT:
        return TIMEOUT, message or "timeout"
    if reason in (LIMIT, SKIPPED):
        return reason, message
    if reason == LOST:
        return LOST, message or "the runner ended before the script did; its end is not known"
    name = signal_name(signal) if signal else "a signal"
    if reason == SIGNALED:
        return f"signal:{signal}", message or f"killed by {name}"
    if reason == CANCELLED:
        # The agent itself has something to say where it was asked to end the script.
        return f"signal:{signal}" if signal and not message else CANCELLED, message or f"cancelled by {name}"
    if reason == OOM_KILLED:
        return OOM_KILLED, message or "killed by the kernel: out of memory"
    return reason, message


def last_exception(errors: str) -> tuple[str, str] | None:
    """Return class and last line of the last Python traceback in a text, None if there is none.

    Chained exceptions end with the one that mattered; of an exception group the outermost is meant. An error while
    compiling the script has no ``Traceback`` line, only a file and a line.
    """
    lines = without_colors(errors).replace("\r\n", "\n").split("\n")
    for start in range(len(lines) - 1, -1, -1):
        line = lines[start]
        if line.startswith("Traceback (most recent call last)"):
            return _first_unindented(lines[start + 1 :], "")
        if line.startswith("  + Exception Group Traceback"):
            return _first_unindented(lines[start + 1 :], "  | ")
        if line.startswith('  File "') and _is_compile_error(lines, start):
            return _first_unindented(lines[start + 1 :], "")
    return None


def without_colors(text: str) -> str:
    """Return a text without the escape sequences of colours: on a terminal, Python 3.13 paints its tracebacks."""
    first, *rest = text.split("\033[")
    for part in rest:
        codes, end, behind = part.partition("m")
        first += behind if end and not codes.strip("0123456789;") else f"\033[{part}"
    return first


_COMPILE_ERRORS = ("SyntaxError", "IndentationError", "TabError")


def _is_compile_error(lines: list[str], start: int) -> bool:
    before = lines[start - 1] if start else ""
    found = _first_unindented(lines[start + 1 : start + 5], "")
    return not before.startswith(" ") and found is not None and found[0] in _COMPILE_ERRORS


def _first_unindented(lines: list[str], margin: str) -> tuple[str, str] | None:
    for line in lines:
        if margin and line.startswith("    |") and not line.startswith("  | "):
            return None
        text = line.removeprefix(margin)
        if not text or text[0] in " +|\t":
            continue
        name = text.partition(":")[0].strip()
        # A traceback's text may be cut short, or something else may write between its lines.
        if all(part.isidentifier() for part in name.split(".")):
            return name, text.strip()[:2000]
        return None
    return None
