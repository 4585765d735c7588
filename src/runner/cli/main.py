"""The command: splits its line and hands it to what it asks for."""

from __future__ import annotations

import gc
import os
import sys

# Modules are no garbage: looking through them again and again costs a millisecond of every start.
gc.disable()

from runner.cli.own_modules import install  # noqa: E402

install()

from runner.cli.line import split  # noqa: E402
from runner.model.errors import RunnerError  # noqa: E402

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from runner.cli.line import Line

#: What a monitor is told where the question can't be answered: every other code means something about the script.
_UNKNOWN = 3


def main(argv: list[str] | None = None) -> NoReturn:
    """Run the command and end the process as the line asks: as the script ended, or with the code of an answer.

    Args:
        argv: The words after the program's name; those of this process where None.
    """
    code = 0
    words = sys.argv[1:] if argv is None else argv
    try:
        line = split(words, sys.argv[0])
        if line.kind == "run":
            from runner.cli.run import run

            code = run(line)
        else:
            code = _answer(line)
    except RunnerError as error:
        code = _refuse(error, words)
    except OSError as error:
        code = _give_up(error, 125)
    _leave(code)


def _answer(line: Line) -> int:
    from runner.cli.dispatch import answer

    gc.set_threshold(20_000)  # most answers are given before that many objects are worth a look
    gc.enable()
    try:
        code = answer(line)
        sys.stdout.flush()
    except OSError as error:
        code = _give_up(error, 1)
        if line.kind == "command" and line.command == "check":
            code = _UNKNOWN
    except KeyboardInterrupt:
        from runner.agent.exit import die_of

        die_of(2)
    return code


def _give_up(error: OSError, code: int) -> int:
    """Say what the system refused, before anything was started or while an answer was written; return the exit code."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is still to be written would fail again
    if isinstance(error, BrokenPipeError):
        return 0  # the reader has seen enough
    from runner.cli.output import Screen, fail

    fail(Screen(), str(error) if error.filename else f"the answer could not be written: {error.strerror}")
    return code


def _refuse(error: RunnerError, words: list[str]) -> int:
    if "check" in words and _is_check(words):
        from runner.cli.commands.check import unknown

        if sys.stdout is not None:
            sys.stdout.write(unknown(str(error)))
        return _UNKNOWN
    from runner.cli.output import Screen, fail

    fail(Screen(), str(error))
    if _debugging():
        import traceback

        traceback.print_exc()
    return error.exit_code


def _is_check(words: list[str]) -> bool:
    """Whether a line, which was perhaps not understood, is that of a monitor."""
    from runner.cli.table import FLAGS

    at = 0
    while at < len(words) and words[at][:1] == "-":
        flag, equals, _ = words[at].partition("=")
        at += 1 if equals or flag not in FLAGS else 1 + max(0, FLAGS[flag][2])
    return words[at : at + 1] == ["check"]


def _debugging() -> bool:
    """Whether the line, which was perhaps not understood, asks for all there is to say."""
    words = " ".join(sys.argv).upper().replace("=", " ")
    return "--LOG-LEVEL DEBUG" in words or os.environ.get("RUNNER_LOG_LEVEL", "").upper() == "DEBUG"


def _leave(code: int) -> NoReturn:
    # Nothing is left to do: taking the interpreter down in order would cost as much as storing the run.
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            pass
    os._exit(code)
