"""What every query about the record does first, and says where there is nothing to tell."""

from __future__ import annotations

from runner.cli.output import printable
from runner.model.errors import StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.engine.history import HistoryManager
    from runner.engine.run_options import RecordOptions

#: Scripts named where another has no runs, and most characters of the name of one.
_NAMED, _LONGEST = 10, 80


def take_in(history: HistoryManager) -> None:
    """Store what earlier runners had to leave, so that an answer is complete; where that can't be, say so."""
    import sys

    try:
        lines = history.fold()
    except StoreError as error:
        history.close()
        history.scripts()  # where nothing can be read either, that is the error to tell
        print(f"runner: warning: runs that wait to be stored may be missing here: {error}", file=sys.stderr)
        return
    for line in lines:
        print(f"runner: {line}", file=sys.stderr)


def record_of_running(record: RecordOptions) -> str:
    """Return the path of the record whose running runs are asked about; it may not be there yet.

    Raises:
        StoreError: What is there is no record.
    """
    from runner.engine.location import absolute, locate
    from runner.stores.database import refuse_other

    path = locate(record.history_db, absolute())[0]
    refuse_other(path)
    return path


def which_record(path: str) -> str:
    """Return in which record nothing is running, for a note in brackets."""
    import os

    return f"of {path}" if os.path.exists(path) else f"there is no record {path} yet"


def nothing(what: str, known: Sequence[str], path: str) -> str:
    """Return the line that says that there is nothing to tell, and which scripts have runs.

    Args:
        what: What there is none of, after "no", such as ``run of train.py in the last 30 days``.
        known: What the scripts that have runs are called.
        path: The record.
    """
    if not known:
        from runner.engine.live import running

        if running(path):
            return f"no run has ended yet in {printable(path)}; runner ps shows what is running\n"
        return f"no runs are remembered in {printable(path)}\n"
    return f"no {what}; there are runs of: {listed(known)}\n"


def listed(known: Sequence[str]) -> str:
    """Return what some scripts are called, as one line has room for it."""
    names = [printable(name) for name in known[:_NAMED]]
    names = [name if len(name) <= _LONGEST else name[: _LONGEST - 3] + "..." for name in names]
    return ", ".join(names) + (", ..." if len(known) > _NAMED else "")
