"""Answers from the record what a condition asks about earlier runs: only what it asks, and each question once."""

from __future__ import annotations

from runner.agent.events import CANCELLED
from runner.analysis.usual import ENOUGH, usual, verdict
from runner.engine.usual import comparable_filter, is_same_work
from runner.model.likeness import arguments_shape
from runner.model.metrics import BY_NAME
from runner.model.usual import LOWER, UNKNOWN
from runner.stores.aggregates import COUNT
from runner.stores.base import FAILED, SUCCESS, RunFilter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Self, TypeVar

    from runner.engine.history import HistoryManager
    from runner.model.run import Run
    from runner.model.usual import Usual
    from runner.policy.conditions_names import Facts
    from runner.stores.base import Store

    T = TypeVar("T")

#: Runs looked back over for the last one that succeeded.
WITHIN = 1000


class RecordResolver:
    """Answers about one run (see `conditions_names.Resolver`). What is asked twice is read once.

    Comparable runs are those that the summary compares with: of the same script, shape of arguments and class of host,
    that succeeded. Of fewer than five of them nothing is said. Runs that somebody cancelled count neither as successes
    nor as failures.

    Args:
        ask: Puts a question to the store; None without a record.
        run: The run that is judged. It may be in the record already, or not, or still be running.
        figures: Its figures; those of its last attempt where none are given. Of a run that lasts they may be replaced
            at any time.
    """

    def __init__(self, ask: Callable[[Callable[[Store], Any]], Any], run: Run, figures: Facts | None = None) -> None:
        self.run = run
        self.figures: Facts = {**run.extra, **run.last.metrics} if figures is None else figures
        self._ask = ask
        self._known: dict[Any, Any] = {}

    @classmethod
    def of_store(cls, store: Store, run: Run, figures: Facts | None = None) -> Self:
        """Return one that asks a store."""
        return cls(lambda question: question(store), run, figures)

    @classmethod
    def of_history(cls, history: HistoryManager, run: Run, figures: Facts | None = None) -> Self:
        """Return one that asks a `HistoryManager`."""
        return cls(lambda question: history.ask(question, None), run, figures)

    def baseline(self, metric: str) -> float | None:
        """Return the median of the last hundred comparable runs."""
        known = self._usual(metric)
        return known.median if known.enough else None

    def aggregate(self, function: str, metric: str, seconds: float) -> float | None:
        """Return an aggregate of the comparable runs that began at most so many seconds before this one."""
        if not is_same_work(self.run):
            return None

        def question(store: Store) -> float | None:
            wanted = comparable_filter(self.run, None)
            wanted.within = None
            wanted.since = self._since(seconds)
            found = store.aggregate(metric, wanted, (COUNT, function))
            return found[function] if (found[COUNT] or 0) >= ENOUGH else None

        return self._once((function, metric, seconds), question)

    def usual(self, metric: str) -> str:
        """Return where the run's figure stands; of a run that failed only what is higher than usual counts."""
        value = self.figures.get(metric)
        unit = BY_NAME[metric].unit if metric in BY_NAME else "count"
        found = verdict(value, self._usual(metric), unit)
        ended = bool(self.run.attempts) and self.run.last.ended is not None
        return UNKNOWN if found == LOWER and not (ended and self.run.last.success) else found

    def count(self, seconds: float, failed: bool) -> int | None:
        """Return how many runs, or failed runs, of the script began in so many seconds, this one included."""
        since = self._since(seconds)

        def question(store: Store) -> int:
            return self._failures(store, since) if failed else store.count(self._mine(since=since))

        found = self._once(("count", seconds, failed), question)
        return None if found is None else found + (self._failed if failed else 1)

    def failures_in_a_row(self) -> int | None:
        """Return how many runs in a row failed up to this one, with arguments of this shape, on whatever host."""
        if not self._failed:
            return 0
        before = self._failures_before()
        return None if before is None else before + 1

    def recovered(self) -> bool | None:
        """Whether the run succeeded after one that failed."""
        if not self.run.last.success:
            return False
        before = self._failures_before()
        return None if before is None else before > 0

    def first_run(self) -> bool | None:
        """Whether no run of the script is older."""
        return self._once("first", lambda store: not store.count(self._mine(within=1)))

    def changed(self, fact: str) -> bool | None:
        """Whether a fact is another one than in the run before with arguments of this shape."""
        before = self._once("before", lambda store: store.runs(self._mine(shape=self._shape, limit=1)))
        if not before:
            return None
        now, then = (_fact(run, fact) for run in (self.run, before[0]))
        return None if now is None or then is None else now != then

    def _usual(self, metric: str) -> Usual:
        summarized = self.run.usual.places.get(metric) if self.run.usual is not None else None
        if summarized is not None:
            return summarized.usual
        if not is_same_work(self.run):
            return usual(())
        wanted = comparable_filter(self.run)

        def question(store: Store) -> Usual:
            if metric in BY_NAME:
                return usual(value for (value,) in store.figures(wanted, [metric]))
            return usual(value for _, value, _, _ in store.series(metric, wanted))

        return self._once(("usual", metric), question) or usual(())

    @property
    def _failed(self) -> bool:
        return not self.run.last.success and self.run.last.reason != CANCELLED

    @property
    def _shape(self) -> str:
        return arguments_shape(self.run.args)

    def _failures_before(self) -> int | None:
        """Return how many runs failed since the last one before this that succeeded."""

        def question(store: Store) -> int:
            shape = self._shape
            good = store.runs(self._mine(status=SUCCESS, shape=shape, limit=1, within=WITHIN))
            return self._failures(store, good[0].started if good else None, shape=shape, within=WITHIN)

        return self._once("failures", question)

    def _failures(self, store: Store, since: int | None, **more: Any) -> int:
        failed, cancelled = (
            store.count(self._mine(status=status, since=since, **more)) for status in (FAILED, CANCELLED)
        )
        return failed - cancelled

    def _mine(self, **more: Any) -> RunFilter:
        """Return what finds earlier runs of the same script and name."""
        return RunFilter(key=self.run.script_key, name=self.run.name, until=self.run.started, **more)

    def _since(self, seconds: float) -> int:
        return self.run.started - int(min(seconds * 1e9, self.run.started))

    def _once(self, key: Any, question: Callable[[Store], T]) -> T | None:
        if key not in self._known:
            self._known[key] = self._ask(question)
        found: T | None = self._known[key]
        return found


def _fact(run: Run, fact: str) -> object:
    if fact == "host":
        return run.host.get("hostname")
    return getattr(run, "packages_hash" if fact == "packages" else fact)
