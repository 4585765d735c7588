"""What the record says of each script: how often it ran and failed, what it usually needs, and where that is going."""

from __future__ import annotations

from runner.analysis.drift import BEFORE, NEWEST, drift
from runner.model.metrics import EXECUTION_TIME, MEMORY_MAX
from runner.model.run import iso, label_of
from runner.model.verdict import status_word
from runner.stores.base import SUCCESS, RunFilter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runner.stores.base import Store

_QUANTILES = ("p50", "p95")


def overview(store: Store, since: int, script: str = "") -> list[dict[str, Any]]:
    """Return one row for each script that ran since a moment, the one that ran last first.

    Figures are those of runs that succeeded: a run that failed early says nothing about what the script needs.

    Args:
        store: The record.
        since: Nanoseconds since the epoch.
        script: As people name it; "" for all.

    Returns:
        Plain dicts: ``script`` (what it is called), ``script_key``, ``runs``, ``failures``, ``success_rate`` (0 to 1),
        ``wall_p50``, ``wall_p95`` (seconds), ``memory_p50``, ``memory_p95`` (MB), ``trend`` (by which part the newest
        runs differ in wall time, 0 for no more than it varies, None for too few), and of the last run ``last_run``,
        ``last_started``, ``last_success`` and ``last_status``.

    Raises:
        StoreError: The record can't be read.
    """
    meant = RunFilter(script).scripts(store.scripts())
    scripts = sorted({(key, name) for key, _, name in meant})
    rows = [row for each in scripts if (row := _row(store, since, each))]
    return sorted(rows, key=lambda row: str(row["last_started"]), reverse=True)


def _row(store: Store, since: int, script: tuple[str, str]) -> dict[str, Any] | None:
    key, name = script
    newest = store.runs(RunFilter(key=key, name=name, since=since, limit=1))
    if not newest:
        return None
    [last] = newest
    runs = store.count(RunFilter(key=key, name=name, since=since))
    good = RunFilter(status=SUCCESS, since=since, key=key, name=name)
    succeeded = store.count(good)
    wall, memory = (store.aggregate(metric.name, good, _QUANTILES) for metric in (EXECUTION_TIME, MEMORY_MAX))
    latest = store.figures(
        RunFilter(status=SUCCESS, key=key, name=name, limit=NEWEST + BEFORE), [EXECUTION_TIME.name]
    )
    return {
        "script": label_of(name, last.script_path),
        "script_key": key,
        "runs": runs,
        "failures": runs - succeeded,
        "success_rate": succeeded / runs,
        "wall_p50": wall["p50"],
        "wall_p95": wall["p95"],
        "memory_p50": memory["p50"],
        "memory_p95": memory["p95"],
        "trend": drift([float(value) for (value,) in latest if value is not None]),
        "last_run": last.id,
        "last_started": iso(last.started),
        "last_success": last.last.success,
        "last_status": status_word(last.last),
    }
