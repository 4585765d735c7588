"""How a run compares with the earlier ones that it can be compared with."""

from __future__ import annotations

from runner.agent.events import FAILED_TO_START
from runner.analysis.usual import place
from runner.model.likeness import arguments_shape, host_class
from runner.model.metrics import CPU_TIME, EXECUTION_TIME, MEMORY_MAX
from runner.model.usual import LOWER, UNKNOWN, Comparison
from runner.stores.base import FAILED, SUCCESS, RunFilter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Protocol

    from runner.engine.history import HistoryManager
    from runner.model.metric import Value
    from runner.model.run import Run

    class Source(Protocol):
        """What past runs are read from: a store, or a `HistoryManager`."""

        def get(self, run_id: str) -> Run | None:
            """Return one run with everything."""

        def runs(self, wanted: RunFilter) -> list[Run]:
            """Return the runs meant."""

        def figures(self, wanted: RunFilter, names: Sequence[str]) -> list[tuple[Value, ...]]:
            """Return some metrics of the runs meant."""

        def count(self, wanted: RunFilter) -> int:
            """Return how many runs are meant."""


#: Runs that one is compared with: those that came last.
LIMIT = 100
#: Runs of the script among which these are looked for.
WITHIN = 1000

#: Runs of the script that one is not compared with, by reason (`Comparison.left_out`).
LEFT_OUT = {"failed": "that failed", "host": "on hosts of other classes", "arguments": "with other arguments"}

#: Figures that are compared after every run.
COMPARED = (EXECUTION_TIME, CPU_TIME, MEMORY_MAX)


def comparable_filter(run: Run, limit: int | None = LIMIT) -> RunFilter:
    """Return what finds the successful earlier runs of the same script, shape of arguments and class of host."""
    return _filter(run, SUCCESS, host_class(run.host), arguments_shape(run.args), limit)


def _filter(
    run: Run, status: str, kind: str | None = None, shape: str | None = None, limit: int | None = None
) -> RunFilter:
    return RunFilter(
        status=status, until=run.started, key=run.script_key, name=run.name, limit=limit, shape=shape, host_class=kind,
        within=WITHIN,
    )  # fmt: skip


def comparable(history: HistoryManager, run: Run, limit: int = LIMIT) -> list[Run]:
    """Return the runs that a run can be compared with, the newest first: without output and samples.

    Args:
        history: The record.
        run: The run; it need not be finished, nor in the record.
        limit: How many at most.

    Raises:
        StoreError: The record can't be read.
    """
    return history.runs(comparable_filter(run, limit)) if is_same_work(run) else []


def is_same_work(run: Run) -> bool:
    """Whether runs under the same name do the same: code given on the line has no name of its own."""
    return run.script_key != "-c" or run.name != run.script_key


def comparable_figures(
    source: Source, run: Run, names: Sequence[str], limit: int = LIMIT
) -> list[tuple[Value, ...]]:
    """Return some figures of the runs that a run can be compared with, the newest first.

    Raises:
        StoreError: The record can't be read.
    """
    return source.figures(comparable_filter(run, limit), names) if is_same_work(run) else []


def compare_with_usual(source: Source, run: Run) -> Comparison | None:
    """Return how a finished run compares with the earlier ones that it can be compared with.

    Of a run that failed, only what is higher than usual counts: it may have had no time to use as much as others.

    Args:
        source: Where past runs are read from; the run itself may be among them.
        run: The run, with packages and variables.

    Returns:
        None for a run that never started, and for code on the line that was given no name.

    Raises:
        StoreError: The record can't be read.
    """
    if run.last.reason == FAILED_TO_START or not is_same_work(run):
        return None
    wanted = comparable_filter(run)
    rows = source.figures(wanted, [metric.name for metric in COMPARED])
    places = {}
    for position, metric in enumerate(COMPARED):
        found = place(run.last.metrics.get(metric.name), [row[position] for row in rows], metric.unit)
        if found.verdict == LOWER and not run.last.success:
            found.verdict = UNKNOWN
        places[metric.name] = found
    comparison = Comparison(places, {})
    if not comparison.enough:
        comparison.left_out = left_out(source, run)
    elif comparison.standing_out or not run.last.success:
        _find_causes(source, wanted, run, comparison)
    return comparison


def left_out(source: Source, run: Run) -> dict[str, int]:
    """Return how many earlier runs of a script a run is not compared with, by reason (see `Comparison.left_out`).

    Raises:
        StoreError: The record can't be read.
    """
    same_host = source.count(_filter(run, SUCCESS, host_class(run.host)))
    counts = {
        "failed": source.count(_filter(run, FAILED)),
        "host": source.count(_filter(run, SUCCESS)) - same_host,
        "arguments": same_host - source.count(comparable_filter(run)),
    }
    return {reason: count for reason, count in counts.items() if count}


def name_left_out(counts: Mapping[str, int]) -> str:
    """Return in words which runs of the script were left out: ``left out: 3 that failed``; "" for none."""
    told = ", ".join(f"{count:,} {LEFT_OUT[reason]}" for reason, count in counts.items())
    return f"left out: {told}" if told else ""


def _find_causes(source: Source, wanted: RunFilter, run: Run, comparison: Comparison) -> None:
    from runner.analysis.causes import Question, causes

    earlier = source.runs(wanted)
    if earlier:
        comparison.causes = causes(Question(run, earlier, source.get, comparison.places))
