"""How a run compares with the earlier ones that it can be compared with."""

from __future__ import annotations

from runner.model.likeness import arguments_shape, host_class
from runner.stores.base import SUCCESS, RunFilter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.engine.history import HistoryManager
    from runner.model.run import Run

#: Runs that one is compared with: those that came last.
LIMIT = 100


def comparable_filter(run: Run, limit: int | None = LIMIT) -> RunFilter:
    """Return what finds the successful earlier runs of the same script, shape of arguments and class of host."""
    return RunFilter(
        status=SUCCESS, until=run.started, key=run.script_key, name=run.name, limit=limit,
        shape=arguments_shape(run.args), host_class=host_class(run.host),
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
    return history.runs(comparable_filter(run, limit))
