"""Finds the run that somebody names: by its id or the beginning of one, or counted back from the last."""

from __future__ import annotations

from runner.model.errors import UsageError
from runner.model.words import did_you_mean
from runner.stores.base import ID_DIGITS, RunFilter, script_label

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.engine.history import HistoryManager
    from runner.engine.live import LiveRun
    from runner.model.run import Run

LAST = "last"

#: Runs named where several are meant, or none.
_TOLD = 6


def find_run(history: HistoryManager, text: str, script: str = "", samples: bool = True) -> Run:
    """Return the run that a text names, with output.

    Args:
        history: Where it is remembered; runs that wait in a journal are to be taken in before (`HistoryManager.fold`).
        text: An id or a unique beginning of one, ``last``, ``last:SCRIPT``, or ``-N`` for the N-th from the end
            (``-1`` is the last, ``-2`` the one before).
        script: Script to which ``last`` and ``-N`` are narrowed, as people name it; "" for any.
        samples: Whether it has its samples too; many take longer to read than everything else.

    Raises:
        UsageError: It names none, or several; the message says which there are.
        StoreError: The record can't be read.
    """
    word = text.strip()
    back = places_back(word)
    if back:
        name = word.partition(":")[2] or script
        return _counted(history, back, name, samples)
    if _is_id(word):
        found = [] if len(word) == ID_DIGITS else history.runs(RunFilter(id=word, limit=_TOLD + 1))
        if len(found) > 1:
            raise UsageError(f"several runs begin with {text!r}:\n{_listed(found)}")
        whole = history.runs(RunFilter(id=word, limit=1), output=True, samples=samples)
        if whole:
            return whole[0]
    raise _unknown(history, word)


def places_back(text: str) -> int:
    """Return how far from the end a reference counts (1 is the last run); 0 if it does not."""
    if text == LAST or text.startswith(LAST + ":"):
        return 1
    return int(text[1:]) if text[:1] == "-" and text[1:].isascii() and text[1:].isdigit() else 0


def _is_id(text: str) -> bool:
    return 0 < len(text) <= ID_DIGITS and set(text.lower()) <= set("0123456789abcdef")


def _counted(history: HistoryManager, back: int, script: str, samples: bool) -> Run:
    wanted = RunFilter(script, limit=back)
    found = history.runs(wanted, output=back == 1, samples=samples and back == 1)
    if len(found) == back:
        if back > 1:
            found = history.runs(RunFilter(id=found[-1].id, limit=1), output=True, samples=samples)
        for run in found:
            return run
    count = history.count(wanted)
    whose = f" of {script}" if script else ""
    if count:
        raise UsageError(f"there is no run number {back} from the end: only {count} run{'s' * (count != 1)}{whose}")
    from runner.engine.live import find, running

    live = find(running(history.db_path), f"{LAST}:{script}" if script else LAST)
    if live is not None:
        raise _unfinished(live)
    known = history.scripts()
    if not known:
        raise UsageError(f"no runs are remembered in {history.db_path}")
    raise UsageError(f"there is no run{whose}{did_you_mean(script, known)} (there are runs of: {_some(known)})")


def _unfinished(run: LiveRun) -> UsageError:
    if run.waiting:
        return UsageError(f"run {run.id} of {run.script} has not begun: it is {run.state}")
    return UsageError(
        f"run {run.id} of {run.script} is still running: runner top and runner logs show it, "
        "runner show and the like when it has ended"
    )


def _unknown(history: HistoryManager, word: str) -> UsageError:
    from runner.engine.live import running

    live = [each for each in running(history.db_path) if _is_id(word) and each.id.startswith(word.lower())]
    if live:
        return _unfinished(live[0])
    known = history.scripts()
    if not known:
        return UsageError(f"there is no run {word!r}: no runs are remembered in {history.db_path}")
    if not _is_id(word):
        if word and history.count(RunFilter(word)):
            return UsageError(f"{word!r} is a script, not a run; its last run is called last:{word}")
        return UsageError(f"{word!r} names no run{did_you_mean(word, [LAST])}: a run is called by its id or the "
                          f"beginning of it, last, last:SCRIPT or -2")  # fmt: skip
    recent = history.runs(RunFilter(limit=3))
    return UsageError(f"no run's id begins with {word}; the last runs are:\n{_listed(recent)}")


def _listed(runs: list[Run]) -> str:
    from runner.model.run import iso

    lines = [f"  {run.id}  {iso(run.started)[:19].replace('T', ' ')}  {script_label(run)}" for run in runs[:_TOLD]]
    return "\n".join(lines + (["  and others"] if len(runs) > _TOLD else []))


def _some(names: list[str]) -> str:
    return ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
