"""Questions about one metric over many runs: its values, aggregates of them, whole or in buckets of time."""

from __future__ import annotations

from copy import copy
from time import time_ns

from runner.engine.buckets import WIDTHS, bucket_edges
from runner.engine.history_options import moment_of
from runner.model import metrics
from runner.model.chart import LINE, POINTS, TIME, Chart, Panel, Series
from runner.model.errors import UsageError
from runner.model.run import iso
from runner.model.words import did_you_mean
from runner.stores.aggregates import AVG, COUNT, FUNCTIONS, MAX, MEDIAN, MIN, P50, SUM
from runner.stores.base import NEWEST, RunFilter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date
    from typing import Any, Self

    from runner.engine.history import HistoryManager
    from runner.model.metric import Value
    from runner.stores.aggregates import Point, Presence

#: What is computed of buckets where nothing else is asked for.
USUAL = (AVG, COUNT, MIN, MAX)


class TimeSeries:
    """A question about one metric over many runs, put together step by step.

    Each step returns a new question and leaves the one before as it was::

        TimeSeries().metric("cpu_max").script("train.py").since("7d").bucket("1day").aggregate("p95")

    Args:
        history: The record; the default is the one that the command line would use here.
    """

    def __init__(self, history: HistoryManager | None = None) -> None:
        if history is None:
            from runner.engine.history import HistoryManager

            history = HistoryManager()
        self._history = history
        self._metric = metrics.EXECUTION_TIME.name
        self._script = ""
        self._status = ""
        self._tags: dict[str, str] = {}
        self._since: int | None = None
        self._until: int | None = None
        self._limit: int | None = None
        self._size = ""

    def _with(self, **changes: Any) -> Self:
        other = copy(self)
        for name, value in changes.items():
            setattr(other, f"_{name}", value)
        return other

    def metric(self, name: str) -> Self:
        """Ask about a metric: one of the catalog, or another that was saved with runs; without it, the wall time.

        Raises:
            UsageError: No run has such a metric.
        """
        check_metric(name, lambda: presence(self._history))
        return self._with(metric=name)

    def script(self, name: str) -> Self:
        """Look at the runs of one script only: its path, its file name, or the name of its runs."""
        return self._with(script=name)

    def status(self, status: str) -> Self:
        """Look only at runs that ended so: ``success``, ``failed``, ``exited``, ``timeout`` ..."""
        return self._with(status=status)

    def tags(self, tags: Mapping[str, str]) -> Self:
        """Look only at runs that have these tags."""
        return self._with(tags=dict(tags))

    def since(self, moment: date | str) -> Self:
        """Look only at runs started since a moment.

        Args:
            moment: A datetime or date, or a text: ``2026-01-31``, ISO 8601, ``7d``, ``yesterday``.

        Raises:
            UsageError: It is no moment.
        """
        return self._with(since=moment_of(moment))

    def until(self, moment: date | str) -> Self:
        """Look only at runs started before a moment (see `since`); a day counts whole."""
        return self._with(until=moment_of(moment, end=True))

    def limit(self, count: int) -> Self:
        """Return at most so many points or buckets, the newest ones; aggregates are of all runs all the same."""
        return self._with(limit=count)

    def bucket(self, size: str) -> Self:
        """Aggregate in buckets of ``5min``, ``15min``, ``1hour`` or ``1day`` (of this machine's zone).

        Raises:
            UsageError: There are none of that size.
        """
        if size not in WIDTHS:
            listed = ", ".join(WIDTHS)
            raise UsageError(f"there are no buckets of {size!r} (there are {listed}){did_you_mean(size, WIDTHS)}")
        return self._with(size=size)

    def points(self) -> list[dict[str, Any]]:
        """Return the values, the oldest first: ``timestamp``, ``value``, ``run_id`` and ``script_name`` of each.

        Raises:
            UsageError: The time ends before it begins, or there is no such status.
            StoreError: The database can't be read.
        """
        return [
            {"timestamp": iso(started), "value": value, "run_id": run, "script_name": script}
            for started, value, run, script in self._points()
        ]

    def _points(self) -> list[Point]:
        wanted = self._filter()
        none: list[Point] = []
        return self._history.ask(lambda store: store.series(self._metric, wanted), none)[::-1]

    def aggregate(self, *functions: str) -> Any:
        """Compute aggregates of the values.

        Quantiles are exact (type 7: linear between the two nearest values); the deviation is the sample's.

        Args:
            functions: Of ``count``, ``min``, ``max``, ``avg``, ``sum``, ``median``, ``p50``, ``p90``, ``p95``,
                ``p99`` and ``stddev``. Without any: all of them, or ``avg``, ``count``, ``min``, ``max`` of buckets.

        Returns:
            A dict by function; with `bucket`, a list of such dicts with ``start`` and ``end``, the oldest first.
            Of no values the count is 0 and all else None: buckets without runs are there too.

        Raises:
            UsageError: There is no such function, the time ends before it begins, or there is no such status.
            StoreError: The database can't be read.
        """
        if not self._size:
            return self.summary(functions or FUNCTIONS)
        found = self.buckets(functions or USUAL)
        return [{"start": iso(start), "end": iso(end), **figures} for start, end, figures in found]

    def summary(self, functions: Sequence[str] = FUNCTIONS) -> dict[str, Value]:
        """Return aggregates of all values, by function (see `aggregate`)."""
        wanted = self._filter()
        nothing: dict[str, Value] = {name: 0 if name == COUNT else None for name in functions}
        return self._history.ask(lambda store: store.aggregate(self._metric, wanted, functions), nothing)

    def buckets(self, functions: Sequence[str] = USUAL) -> list[tuple[int, int, dict[str, Value]]]:
        """Return start and end of each bucket, in nanoseconds since the epoch, and its aggregates by function.

        They reach from the beginning asked for, or else the first run, to the end asked for, or else to now where a
        beginning was asked for, or else the last run.
        """
        wanted = self._filter()
        size = self._size or "1day"
        known = self._history.ask(lambda store: store.span(wanted), None)
        if known is None:
            return []
        now = time_ns()
        first = known[0] if self._since is None else self._since
        last = known[1] if self._since is None else max(now, known[1])
        if self._until is not None:
            last = max(known[1], min(self._until - 1, now))
        edges = bucket_edges(size, first, max(first, last), self._limit)
        none: list[dict[str, Value]] = []
        found = self._history.ask(lambda store: store.buckets(self._metric, wanted, functions, edges), none)
        return [(edges[at], edges[at + 1], figures) for at, figures in enumerate(found)]

    def count(self) -> int:
        """Return how many values there are; the limit does not count."""
        return int(self.summary((COUNT,))[COUNT] or 0)

    def chart(self, functions: Sequence[str] = ()) -> Chart:
        """Return the points, or the functions of the buckets as lines over time, as something that can be drawn."""
        title = f"{self._metric} of {self._script}" if self._script else self._metric
        unit = metrics.BY_NAME[self._metric].unit if self._metric in metrics.BY_NAME else ""
        if not self._size:
            points = self._points()
            series = [Series("runs", [each[0] for each in points], [each[1] for each in points], style=POINTS)]
            return Chart(title, TIME, [Panel(self._metric, unit, series)])
        found = self.buckets(functions or USUAL)
        starts = [start for start, _, _ in found]
        lines = {
            name: Series(name, starts, [figures[name] for _, _, figures in found], style=LINE)
            for name in functions or USUAL
        }
        if functions:
            panels = self._panels(lines, unit)
            what = ", ".join(functions)
        else:
            band = Series(self._metric, starts, lines[AVG].ys, lines[MIN].ys, lines[MAX].ys)
            panels = [Panel(self._metric, unit, [band])]
            what = "average, and the range from lowest to highest,"
        return Chart(title, TIME, panels, note=f"{what} in buckets of {self._size}")

    def _panels(self, lines: Mapping[str, Series], unit: str) -> list[Panel]:
        """Return lines by function as panels: what is no value of a single run has an axis of its own."""
        values = [line for name, line in lines.items()
                  if name not in (SUM, COUNT) and not (name == P50 and MEDIAN in lines)]  # fmt: skip
        panels = [Panel(self._metric, unit, values)] if values else []
        if SUM in lines:
            panels.append(Panel(f"{SUM} of {self._metric}", unit, [lines[SUM]]))
        if COUNT in lines:
            panels.append(Panel("runs", "count", [lines[COUNT]]))
        return panels

    def _filter(self) -> RunFilter:
        if self._since is not None and self._until is not None and self._since >= self._until:
            raise UsageError(f"the time from {_said(self._since)} to {_said(self._until)} ends before it begins")
        return RunFilter(
            self._script, self._status, self._since, self._until, self._tags, limit=self._limit, order=NEWEST
        )


def check_metric(name: str, recorded: Callable[[], Sequence[Presence]]) -> None:
    """Refuse a metric that neither the catalog nor any run has.

    Args:
        name: Its name.
        recorded: Returns which metrics runs have; asked only where the catalog does not have it.

    Raises:
        UsageError: The message suggests the nearest.
    """
    if name in metrics.BY_NAME:
        return
    others = [entry.name for entry in recorded() if entry.name not in metrics.BY_NAME]
    if name not in others:
        raise metrics.unknown(name, others)


def list_metrics(history: HistoryManager, script: str = "") -> list[dict[str, Any]]:
    """Return every metric of the catalog, and the others that runs have, each with how many runs have it.

    Args:
        history: The record.
        script: Count only the runs of this script, as people name it; "" for all.

    Returns:
        For each ``name``, ``unit``, ``type``, ``kind``, ``more_is_worse`` and ``meaning`` (None for metrics that the
        catalog does not have), ``runs``, ``first`` and ``last`` (starts of the runs, ISO 8601, None without any).
    """
    counted = {entry.name: entry for entry in presence(history, script)}
    result = []
    for name in [*metrics.BY_NAME, *(name for name in counted if name not in metrics.BY_NAME)]:
        metric, entry = metrics.BY_NAME.get(name), counted.get(name)
        result.append({
            "name": name,
            "unit": metric and metric.unit,
            "type": metric and metric.type.__name__,
            "kind": metric and metric.kind,
            "more_is_worse": metric and metric.more_is_worse,
            "meaning": metric and metric.meaning,
            "runs": entry.runs if entry else 0,
            "first": iso(entry.first) if entry else None,
            "last": iso(entry.last) if entry else None,
        })  # fmt: skip
    return result


def presence(history: HistoryManager, script: str = "") -> list[Presence]:
    """Return how many runs (of a script) have each metric (see `Store.presence`), none where there is no database."""
    return history.ask(lambda store: store.presence(script), [])


def _said(moment: int) -> str:
    return iso(moment)[:19].replace("T", " ")
