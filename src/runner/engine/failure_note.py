"""Says of a failed run what kind of error it was, where it came from, and how often it came before."""

from __future__ import annotations

from os.path import basename

from runner.agent.events import EXITED, FAILED_TO_START
from runner.analysis.errors import CRASH, MEANINGS, OTHER, classify
from runner.analysis.failure import is_class
from runner.analysis.last_words import kind_of_group, words_of_crash, words_of_exit
from runner.analysis.recurrence import Recurrence
from runner.analysis.traceback import last_frames, place_of
from runner.engine.one_run import recurrence_in
from runner.model.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.model.run import Attempt, Run
    from runner.stores.base import Store

#: Lines from the end of the output that may tell what kind of error it was.
_LINES = 50


def note_failure(store: Store, run: Run) -> Failure | None:
    """Return what is said of a failed run, None for one that succeeded or was never started.

    Args:
        store: The record; the run itself may be in it.
        run: The run, with output.

    Raises:
        StoreError: The record can't be read.
    """
    last = run.last
    if last.success or last.reason == FAILED_TO_START:
        return None
    kind, place = kind_and_place(last, errors_of(last))
    before = recurrence_in(store, run) or Recurrence(0, None, None, 0)
    return Failure(kind, MEANINGS[kind], place, before.count, before.last, before.runs)


def kind_and_place(attempt: Attempt, errors: str) -> tuple[str, str]:
    """Return the class of the error that ended an attempt, and where in the code it came from ("" if it is not told).

    Args:
        attempt: The attempt.
        errors: What it wrote to standard error, as far as it was kept.
    """
    error = attempt.error_type or ""
    kind = classify(error, attempt.error_message, attempt.reason)
    words = None
    if attempt.reason == EXITED and error.startswith("exit:"):
        words = words_of_exit(errors, attempt.exit_code, attempt.merged)
    elif kind == CRASH:
        words = words_of_crash(errors)
    elif error.endswith("ExceptionGroup"):
        kind = kind_of_group(errors)
    if words is not None and words.kind != OTHER:
        return words.kind, words.place
    if error.startswith("exit:") and attempt.reason == EXITED:
        kind = classify(error, None, output=errors.split("\n")[-_LINES:])
    return kind, words.place if words is not None else place_text(attempt, errors)


def errors_of(attempt: Attempt) -> str:
    """Return what was kept of what an attempt wrote to standard error, or to both where they are one."""
    kept = attempt.output.get("stdout" if attempt.merged else "stderr")
    return "" if kept is None else kept.text()


def place_text(attempt: Attempt, errors: str) -> str:
    """Return where in the code the exception that ended an attempt came from, "" where none did or it is not told."""
    # Only an uncaught exception makes Python exit with 1: after any other code a traceback is history.
    if attempt.exit_code != 1 or not is_class(attempt.error_type or ""):
        return ""
    frame = place_of(last_frames(errors))
    if frame is None:
        return ""
    inside = f", in {frame.function}" if frame.function and not frame.function.startswith("<") else ""
    return f"{basename(frame.file)}:{frame.line}{inside}"
