"""Shows what a baseline holds, and changes what counts as normal in it."""

from __future__ import annotations

import os

from runner.agent.events import FAILED_TO_START
from runner.analysis.robust import median
from runner.engine.baseline import Baseline, Series, entry_of
from runner.engine.baseline_file import locked
from runner.engine.usual import COMPARED
from runner.model.errors import UsageError
from runner.model.words import did_you_mean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from runner.engine.baseline_key import Key


def load(path: str) -> Baseline:
    """Read a baseline that has to be there.

    Raises:
        UsageError: It is not there, or makes no sense.
    """
    if not path:
        raise UsageError("`runner baseline` needs a FILE")
    found = Baseline.load(path, "runner baseline")
    if found.missing:
        raise UsageError(f"runner baseline: {path} does not exist; a run with --save-baseline {path} begins it")
    return found


def describe(series: Series) -> dict[str, Any]:
    """Return a series as plain data: where it belongs, when it began, and the median of what is compared."""
    figures = {}
    for metric in COMPARED:
        values = [run["figures"][metric.name] for run in series.runs if metric.name in run["figures"]]
        figures[metric.name] = median(values) if values else None
    return {
        "script": series.script,
        "key": series.key,
        "runs": len(series.runs),
        "began": series.start[0].get("started") if series.start else None,
        "last": series.runs[-1].get("started") if series.runs else None,
        "last_commit": series.runs[-1].get("git_commit") if series.runs else None,
        "host_classes": sorted({run.get("host_class") or "" for run in series.runs} - {""}),
        "figures": figures,
    }


def meant(baseline: Baseline, key: Key) -> list[Series]:
    """Return the series of a branch and machine.

    Raises:
        UsageError: There are none; the message says which there are.
    """
    found = [series for series in baseline.series if series.key in (key.own, key.branch)]
    keys = sorted({series.key for series in baseline.series})
    if not found and len(keys) == 1 and not key.explicit:
        return list(baseline.series)
    if not found:
        raise _unknown(baseline, key, keys)
    return found


def forget(path: str, key: Key, everything: bool) -> list[Series]:
    """Remove the series of a branch and machine, or all; return those.

    Raises:
        UsageError: There are none, or the file makes no sense.
        ReportError: The file could not be written.
    """
    with locked(path):
        baseline = load(path)
        gone = list(baseline.series) if everything else meant(baseline, key)
        baseline.series = [series for series in baseline.series if series not in gone]
        baseline.save()
    return gone


def accept(path: str, key: Key, run: dict[str, Any] | None) -> list[Series]:
    """Let newer figures be what later runs are held against; return the series that now begin with them.

    Args:
        path: The baseline.
        key: Branch and machine.
        run: A run as a baseline keeps it, that all earlier ones give way to which it would be compared with; None for
            the newest runs that the file holds.

    Raises:
        UsageError: There is no such series, or the file makes no sense.
        ReportError: The file could not be written.
    """
    with locked(path):
        if run is None:
            baseline = load(path)
            changed = meant(baseline, key)
            for series in changed:
                series.accept()
        else:
            baseline = Baseline.load(path, "runner baseline")
            given_way = _compared_with(baseline, key, run)
            script, own = (run["script"], key.own) if given_way is None else (given_way.script, given_way.key)
            changed = [Series(run["script"] or script, own or key.own, [run], [run])]
            baseline.series = [*(series for series in baseline.series if series is not given_way), *changed]
        baseline.save()
    return changed


def _compared_with(baseline: Baseline, key: Key, run: dict[str, Any]) -> Series | None:
    """Return the series that a run like this one would be compared with, None where it begins one of its own.

    Raises:
        UsageError: It can't be told which of several is meant.
    """
    baseline.choose(key, run)
    chosen = baseline.chosen
    if chosen is None or (run["script"] and chosen.script not in ("", run["script"])):
        return None
    keys = sorted({series.key for series in baseline.series if series.script == chosen.script})
    if chosen.key not in key.wanted() and len(keys) > 1:
        raise _unknown(baseline, key, keys)
    return chosen


def _unknown(baseline: Baseline, key: Key, keys: Sequence[str]) -> UsageError:
    told = ", ".join(keys) or "nothing"
    return UsageError(
        f"runner baseline: {baseline.path} has no runs under {key.own}{did_you_mean(key.own, keys)} (it has "
        f"{told}; --baseline-key names one)"
    )


def find_entry(text: str, history_db: str, key: Key) -> dict[str, Any]:
    """Return the run that a text names as a baseline keeps it: a file, or a run of the record.

    Raises:
        UsageError: It names none, or one that failed.
        StoreError: The record can't be read.
    """
    if os.path.exists(text):
        found = [run for series in Baseline.load(text, "runner baseline").series[-1:] for run in series.runs[-1:]]
        if not found:
            raise UsageError(f"runner baseline: {text} holds no run")
        return found[0]
    from runner.engine.find_run import find_run
    from runner.engine.history import HistoryManager

    with HistoryManager(history_db) as history:
        run = find_run(history, text, samples=False)
    if not run.last.success:
        how = "never started" if run.last.reason == FAILED_TO_START else "failed"
        raise UsageError(f"runner baseline: run {run.id} {how}; what it cost says nothing about others")
    return entry_of(run, key)
