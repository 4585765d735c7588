"""A store that keeps runs in memory: for tests, and for programs that want no file."""

from __future__ import annotations

from copy import copy
from itertools import pairwise

from runner.model.errors import UsageError
from runner.model.metrics import BY_NAME
from runner.model.portable import batch_of
from runner.stores.aggregates import Presence, aggregate, check_functions
from runner.stores.base import NEWEST, OLDEST, PAGE, RunFilter, script_label

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from runner.model.curve import Curve
    from runner.model.metric import Value
    from runner.model.portable import Batch
    from runner.model.run import Run
    from runner.stores.aggregates import Point
    from runner.stores.base import Script


class MemoryStore:
    """Runs in a dictionary. It follows the contract of `Store` to the letter."""

    def __init__(self) -> None:
        self._runs: dict[str, Run] = {}

    def save(self, run: Run) -> bool:
        """Keep a finished run (see `Store.save`)."""
        if run.id in self._runs:
            return False
        self._runs[run.id] = _view(run, output=True, samples=True)
        return True

    def add(self, runs: Sequence[Run]) -> list[str]:
        """Keep finished runs (see `Store.add`)."""
        return [run.id for run in runs if self.save(run)]

    def known(self, ids: Sequence[str]) -> set[str]:
        """Return those of the ids that there are runs of (see `Store.known`)."""
        return set(ids) & self._runs.keys()

    def scan(
        self, wanted: RunFilter, output: bool = False, samples: bool = False, size: int = PAGE
    ) -> Iterator[list[Run]]:
        """Yield the runs meant in pages (see `Store.scan`)."""
        found = sorted(self._meant(wanted), key=lambda run: run.started)
        for start in range(0, len(found), size):
            yield [_view(run, output, samples) for run in found[start : start + size]]

    def scan_columns(self, wanted: RunFilter, size: int = PAGE) -> Iterator[Batch]:
        """Yield the same as batches of portable records (see `Store.scan_columns`)."""
        return map(batch_of, self.scan(wanted, size=size))

    def get(self, run_id: str) -> Run | None:
        """Return one run (see `Store.get`)."""
        found = [run for key, run in self._runs.items() if run_id and key.startswith(run_id.lower())]
        if len(found) > 1:
            raise UsageError(f"several runs begin with {run_id!r}; give more digits")
        return _view(found[0], output=True, samples=True) if found else None

    def runs(self, wanted: RunFilter, output: bool = False, samples: bool = False) -> list[Run]:
        """Return the runs meant (see `Store.runs`)."""
        found = self._meant(wanted)
        found.sort(key=lambda run: run.started)
        if (wanted.order != OLDEST) != wanted.reverse:
            found.reverse()
        if wanted.order not in (NEWEST, OLDEST):
            found.sort(key=lambda run: _rank(run.last.metrics.get(wanted.order), wanted.reverse))
        return [_view(run, output, samples) for run in found[: wanted.limit]]

    def figures(self, wanted: RunFilter, names: Sequence[str]) -> list[tuple[Value, ...]]:
        """Return some metrics of the runs meant (see `Store.figures`)."""
        return [tuple(run.last.metrics.get(name) for name in names) for run in self.runs(wanted)]

    def count(self, wanted: RunFilter) -> int:
        """Return how many runs are meant (see `Store.count`)."""
        return len(self._meant(wanted))

    def _meant(self, wanted: RunFilter) -> list[Run]:
        meant = wanted.scripts(self.scripts())
        since = self._nth_newest(wanted, meant) if wanted.within is not None else 0
        return [
            run for run in self._runs.values() if run.started >= since and _script(run) in meant and wanted.matches(run)
        ]

    def _nth_newest(self, wanted: RunFilter, meant: set[Script]) -> int:
        assert wanted.within is not None
        latest = 0
        for script in meant:
            starts = sorted(run.started for run in self._runs.values() if _script(run) == script)
            before = [start for start in starts if wanted.until is None or start < wanted.until]
            if len(before) >= max(wanted.within, 1):
                latest = max(latest, before[-max(wanted.within, 1)])
        return latest

    def errors(self, wanted: RunFilter, error_type: str) -> list[tuple[str | None, int, int, int]]:
        """Return how often runs ended with errors of a type (see `Store.errors`)."""
        starts: dict[str | None, list[int]] = {}
        for run in self._meant(wanted):
            if run.last.error_type == error_type:
                starts.setdefault(run.last.error_message, []).append(run.started)
        return [(message, len(each), min(each), max(each)) for message, each in starts.items()]

    def scripts(self) -> list[Script]:
        """Return key, path and name of every script (see `Store.scripts`)."""
        return list(dict.fromkeys(map(_script, self._runs.values())))

    def samples(self, run_id: str, attempt: int) -> Curve | None:
        """Return what was sampled in one attempt (see `Store.samples`)."""
        run = self._runs.get(run_id)
        for each in run.attempts if run else []:
            if each.number == attempt:
                return each.curve
        return None

    def series(self, metric: str, wanted: RunFilter) -> list[Point]:
        """Return the values of one metric (see `Store.series`)."""
        found = self._values(metric, wanted)
        if wanted.order != OLDEST:
            found.reverse()
        return found[: wanted.limit]

    def aggregate(self, metric: str, wanted: RunFilter, functions: Sequence[str]) -> dict[str, Value]:
        """Compute aggregates of one metric (see `Store.aggregate`)."""
        check_functions(functions)
        return aggregate([value for _, value, *_ in self._values(metric, wanted)], functions)

    def buckets(
        self, metric: str, wanted: RunFilter, functions: Sequence[str], edges: Sequence[int]
    ) -> list[dict[str, Value]]:
        """Compute aggregates of each bucket (see `Store.buckets`)."""
        check_functions(functions)
        values = self._values(metric, wanted)
        return [
            aggregate([value for started, value, *_ in values if low <= started < high], functions)
            for low, high in pairwise(edges)
        ]

    def _values(self, metric: str, wanted: RunFilter) -> list[Point]:
        found = []
        for run in sorted(self._meant(wanted), key=lambda run: run.started):
            value = {**run.extra, **run.last.metrics}.get(metric)
            if value is not None:
                found.append((run.started, value, run.id, script_label(run)))
        return found

    def span(self, wanted: RunFilter) -> tuple[int, int] | None:
        """Return the first and the last start (see `Store.span`)."""
        starts = [run.started for run in self._meant(wanted)]
        return (min(starts), max(starts)) if starts else None

    def presence(self, script: str = "") -> list[Presence]:
        """Return how many runs have each metric (see `Store.presence`)."""
        others = {name for run in self._runs.values() for name in run.extra} - BY_NAME.keys()
        result = []
        for name in [*BY_NAME, *sorted(others)]:
            starts = [started for started, *_ in self._values(name, RunFilter(script))]
            if starts:
                result.append(Presence(name, len(starts), starts[0], starts[-1]))
        return result

    def stats(self) -> dict[str, Any]:
        """Return how much is kept (see `Store.stats`)."""
        starts = sorted(run.started for run in self._runs.values())
        attempts = [attempt for run in self._runs.values() for attempt in run.attempts]
        return {
            "path": None,
            "bytes": 0,
            "runs": len(starts),
            "attempts": len(attempts),
            "scripts": len(self.scripts()),
            "first": starts[0] if starts else None,
            "last": starts[-1] if starts else None,
            "samples_bytes": 0,
            "output_bytes": sum(
                len(tail.head) + len(tail.tail) for attempt in attempts for tail in attempt.output.values()
            ),
        }

    def cleanup(self, before: int) -> int:
        """Delete old runs (see `Store.cleanup`)."""
        old = [key for key, run in self._runs.items() if run.started < before]
        for key in old:
            del self._runs[key]
        return len(old)

    def keeper(self) -> None:
        """Return None: what is in memory goes with the program (see `Store.keeper`)."""

    def alert_book(self) -> None:
        """Return None: nothing of alerts is kept in memory (see `Store.alert_book`)."""

    def close(self) -> None:
        """Forget everything."""
        self._runs.clear()


def _rank(value: Value, lowest_first: bool) -> float:
    return float("inf") if value is None else value if lowest_first else -value


def _script(run: Run) -> Script:
    return run.script_key, run.script_path, run.name


def _view(run: Run, output: bool, samples: bool) -> Run:
    """Return a copy that its owner may change, with output and samples only if asked for."""
    view = copy(run)
    if not output:
        view.packages, view.variables, view.called_in = {}, {}, ""
    view.attempts = []
    for attempt in run.attempts:
        mine = copy(attempt)
        mine.output = dict(attempt.output) if output else {}
        mine.curve = attempt.curve if samples and attempt.curve is not None and attempt.curve.samples else None
        view.attempts.append(mine)
    return view
