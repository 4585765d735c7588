"""What there is to know of one run beyond its record: where in the code it failed, and how often it did before."""

from __future__ import annotations

import os

from runner.analysis.recurrence import Recurrence, recurrence
from runner.analysis.traceback import Frame, last_frames, place_of, source_around
from runner.engine.facts import file_hash
from runner.stores.base import RunFilter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runner.engine.history import HistoryManager
    from runner.model.run import Attempt, Run
    from runner.stores.base import Store

#: Earlier runs of a script among which the same error is looked for: what it costs does not grow with the record.
WITHIN = 10_000


class Place:
    """Where in the code an exception came from.

    Attributes:
        frame: The place that a person would look at: the innermost in the user's own code.
        raised: The innermost of all, where that is another one, else None.
        path: The file of `frame`, absolute.
        source: Its lines around the place with their numbers, if the file still is what ran; otherwise only the line
            that the traceback shows, if it does.
        changed: Whether the file is another one now, or gone.
    """

    __slots__ = ("changed", "frame", "path", "raised", "source")

    def __init__(self, frame: Frame, raised: Frame | None, path: str) -> None:
        self.frame = frame
        self.raised = raised
        self.path = path
        self.source: list[tuple[int, str]] = []
        self.changed = False

    def to_dict(self) -> dict[str, Any]:
        """Return it as reports have it."""
        return {
            "file": self.path,
            "line": self.frame.line,
            "function": self.frame.function or None,
            "text": self.frame.text or None,
            "changed": self.changed,
            "raised_in": None if self.raised is None else
            {"file": self.raised.file, "line": self.raised.line, "function": self.raised.function or None},
        }  # fmt: skip


def place_in_code(run: Run, attempt: Attempt) -> Place | None:
    """Return where in the code the exception that ended an attempt came from.

    Args:
        run: The run, with output.
        attempt: One of its attempts.

    Returns:
        None where no exception ended it, or no traceback was kept.
    """
    kept = attempt.output.get("stdout" if attempt.merged else "stderr")
    # Only an uncaught exception makes Python exit with 1: after any other code a traceback is history.
    if kept is None or attempt.exit_code != 1 or not (attempt.error_type or "").replace(".", "").isidentifier():
        return None
    frames = last_frames(kept.text())
    frame = place_of(frames)
    if frame is None:
        return None
    path = frame.file if frame.file.startswith("<") else os.path.normpath(os.path.join(run.cwd, frame.file))
    place = Place(frame, frames[-1] if frames[-1] is not frame else None, path)
    if not frame.file.startswith("<"):
        _look_up(run, place)
    return place


def _look_up(run: Run, place: Place) -> None:
    frame = place.frame
    source = source_around(place.path, frame.line)
    shown = dict(source).get(frame.line, "").strip()
    if run.script_hash and os.path.realpath(place.path) == os.path.realpath(run.script_key):
        place.changed = not source or file_hash(place.path) != run.script_hash
    else:
        # Of a module no hash was kept; that the line is the same says enough.
        place.changed = not source or (frame.text != "" and shown != frame.text)
    if not place.changed:
        place.source = source
    elif frame.text:
        place.source = [(frame.line, frame.text)]


def recurrence_of(history: HistoryManager, run: Run) -> Recurrence | None:
    """Return how often the error that ended a run had ended the same script before, None for a run without error.

    Raises:
        StoreError: The record can't be read.
    """
    none: Recurrence | None = None
    return history.ask(lambda store: recurrence_in(store, run), none)


def recurrence_in(store: Store, run: Run) -> Recurrence | None:
    """Return the same of what a store holds; of a script that ran very often, the last `WITHIN` runs are looked at.

    Raises:
        StoreError: The record can't be read.
    """
    kind = run.last.error_type
    if kind is None:
        return None
    earlier = RunFilter(key=run.script_key, until=run.started, within=WITHIN)
    return recurrence(run.last.error_message or "", store.errors(earlier, kind), store.count(earlier))
