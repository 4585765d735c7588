"""``runner query``: the values of one metric over time, and what they come to."""

from __future__ import annotations

from time import localtime, strftime

from runner.cli.drawing import check_place, draw_file, show_chart
from runner.cli.output import printable
from runner.cli.remembered import nothing, take_in
from runner.cli.tables import fitting, write_json, write_rows
from runner.engine.buckets import DAY
from runner.engine.environment import pairs
from runner.engine.history import HistoryManager
from runner.engine.history_options import moment_of
from runner.engine.queries import USUAL, TimeSeries
from runner.engine.query_options import TERMINAL
from runner.model.errors import UsageError
from runner.model.metrics import BY_NAME
from runner.model.run import iso
from runner.model.units import format_count, format_value
from runner.stores.aggregates import COUNT, FUNCTIONS, MAX, MIN, STDDEV, SUM
from runner.stores.base import SHORT_ID

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TextIO

    from runner.engine.query_options import QueryOptions, SeriesOptions
    from runner.engine.run_options import RecordOptions
    from runner.model.metric import Value

    Write = Callable[[], None]
    #: Start and end, and the aggregates by function.
    Bucket = tuple[int, int, dict[str, Value]]

#: From here on a figure without a unit is shown without decimals.
_LARGE = 1_000_000
#: Figures of buckets that a narrow terminal can do without, the first ones first.
_DISPENSABLE = ("p50", SUM, STDDEV, "p90", "median", MIN, MAX)
#: Columns of the values in CSV.
_POINT = ("timestamp", "value", "run_id", "script_name")


def show_query(options: SeriesOptions, record: RecordOptions, query: QueryOptions, out: TextIO) -> int:
    """Show the values of one metric, aggregates of them, or both in buckets of time."""
    functions = FUNCTIONS if options.aggregations else (options.aggregate,) if options.aggregate else ()
    _check(options, query, functions)
    with HistoryManager(record.history_db) as history:
        take_in(history)
        series = _question(options, history)
        answer = _Answer(options, query.format, functions, series, out)
        write = answer.buckets() if options.bucket else answer.summary() if functions else answer.points()
        if write is None:
            answer.nothing(history)
            return 0
        told = draw_file(series.chart(functions), options.plot) if options.plot not in ("", TERMINAL) else ""
        write()
        if options.plot == TERMINAL:
            show_chart(series.chart(functions), out)
        elif query.format == "table":
            out.write(told)
    return 0


def _check(options: SeriesOptions, query: QueryOptions, functions: tuple[str, ...]) -> None:
    """Refuse what can't be answered before anything is computed."""
    check_place(options.plot)
    if options.plot == TERMINAL and query.format != "table":
        raise UsageError(f"--plot would stand among the {query.format.upper()}; --plot=FILE draws into a file")
    if options.plot and functions and not options.bucket:
        raise UsageError("--plot: one figure over all runs can't be drawn; --bucket 1day draws it day by day")
    start, end = options.start, options.end
    if start is not None and end is not None and moment_of(start) >= moment_of(end, end=True):
        raise UsageError(f"--query-start {start} is not before --query-end {end}")


def _question(options: SeriesOptions, history: HistoryManager) -> TimeSeries:
    assert options.metric is not None
    series = TimeSeries(history).metric(options.metric).script(options.script).status(options.status)
    series = series.tags(pairs(options.tag, "--query-tag")).limit(options.limit)
    if options.start is not None:
        series = series.since(options.start)
    if options.end is not None:
        series = series.until(options.end)
    return series.bucket(options.bucket) if options.bucket else series


class _Answer:
    """The answer to one question: each way asks it, and returns what writes it in the format asked for.

    Each returns None where there is nothing to write.
    """

    def __init__(
        self, options: SeriesOptions, format: str, functions: tuple[str, ...], series: TimeSeries, out: TextIO
    ) -> None:
        self.options = options
        self.metric = options.metric or ""
        self.unit = BY_NAME[self.metric].unit if self.metric in BY_NAME else None
        self.format = format
        self.functions = functions or (USUAL if options.bucket else ())
        self.series = series
        self.out = out

    def points(self) -> Write | None:
        """Ask for the values, run by run."""
        points = self.series.points()
        if not points:
            return None
        total = len(points) if len(points) < self.options.limit else self.series.count()
        return lambda: self._write_points(points, total)

    def _write_points(self, points: list[dict[str, Any]], total: int) -> None:
        if self.format == "json":
            self._json(matching=total, points=points)
        elif self.format == "csv":
            write_rows(self.out, "csv", _POINT, points)
        elif self.options.plot != TERMINAL:
            rows = [
                {
                    "started": started,
                    self.metric: self._said("", point["value"]),
                    "run": point["run_id"][:SHORT_ID],
                    "script": point["script_name"],
                }
                for started, point in zip(_said_times([point["timestamp"] for point in points]), points, strict=True)
            ]
            columns = fitting(("started", self.metric, "run", "script"), ("run",), rows, self.out)
            write_rows(self.out, "table", columns, rows)
            if total > len(points):
                shown = f"{format_count(len(points))} of {format_count(total)}"
                self.out.write(f"\nthe last {shown} values; --query-limit N shows more\n")

    def summary(self) -> Write | None:
        """Ask for aggregates of all values."""
        known = self.series.summary((COUNT, *self.functions))
        figures = {name: known[name] for name in self.functions}
        return (lambda: self._write_summary(figures)) if known[COUNT] else None

    def _write_summary(self, figures: dict[str, Value]) -> None:
        if self.format == "json":
            self._json(aggregates=figures)
        elif self.format == "csv":
            write_rows(self.out, "csv", tuple(figures), [figures])
        elif len(figures) == 1:
            self.out.writelines(self._said(name, value) + "\n" for name, value in figures.items())
        else:
            rows = [{"figure": name, self.metric: self._said(name, value)} for name, value in figures.items()]
            write_rows(self.out, "table", ("figure", self.metric), rows)

    def buckets(self) -> Write | None:
        """Ask for aggregates of each bucket; those without runs are there too."""
        most = self.options.limit
        found = self.series.limit(most + 1).buckets((COUNT, *self.functions))
        if not any(figures[COUNT] for _, _, figures in found[-most:]) and not self.series.count():
            return None
        return lambda: self._write_buckets(found[-most:], len(found) > most)

    def _write_buckets(self, found: list[Bucket], more: bool) -> None:
        rows: list[dict[str, Any]] = [
            {"start": iso(start), "end": iso(end), **{name: figures[name] for name in self.functions}}
            for start, end, figures in found
        ]
        if self.format == "json":
            self._json(bucket=self.options.bucket, buckets=rows)
        elif self.format == "csv":
            write_rows(self.out, "csv", ("start", "end", *self.functions), rows)
        elif self.options.plot != TERMINAL:
            starts = _starts([start for start, _, _ in found], self.options.bucket)
            rows = [
                {"start": start, **{name: self._said(name, figures[name]) for name in self.functions}}
                for start, (_, _, figures) in zip(starts, found, strict=True)
            ]
            write_rows(self.out, "table", fitting(("start", *self.functions), _DISPENSABLE, rows, self.out), rows)
            if more:
                self.out.write(f"\nthe last {format_count(len(found))} buckets; --query-limit N shows more\n")

    def nothing(self, history: HistoryManager) -> None:
        """Say that no run has such a value, and which scripts have runs."""
        known = history.scripts()
        if self.format == "json":
            self._json(status="no_data", scripts=known)
        elif self.format == "csv":
            columns = ("start", "end", *self.functions) if self.options.bucket else self.functions
            write_rows(self.out, "csv", columns or _POINT, [])
        else:
            whose = f" of {printable(self.options.script)}" if self.options.script else ""
            self.out.write(nothing(f"run{whose} that matches has {self.metric}", known, history.db_path))

    def _json(self, **parts: Any) -> None:
        head = {"status": "ok", "metric": self.metric, "unit": self.unit, "script": self.options.script or None}
        write_json(self.out, {**head, **parts})

    def _said(self, function: str, value: Value) -> str:
        if value is None:
            return "-"
        if function == COUNT:
            return format_count(value)
        if self.unit is None or (self.unit in ("count", "lines") and value != int(value)):
            return f"{value:,.6g}" if abs(value) < _LARGE else format_count(value)
        return format_value(value, self.unit)


def _said_times(stamps: list[str]) -> list[str]:
    """Return local times in ISO 8601 for people, with their offset where the clocks change among them."""
    change = len({stamp[-6:] for stamp in stamps}) > 1
    return [stamp[:19].replace("T", " ") + (f" {stamp[-6:-3]}{stamp[-2:]}" if change else "") for stamp in stamps]


def _starts(moments: list[int], size: str) -> list[str]:
    """Return moments in local time, with their offset where the clocks change among them."""
    layout = "%Y-%m-%d" if size == DAY else "%Y-%m-%d %H:%M"
    local = [localtime(moment // 1_000_000_000) for moment in moments]
    if size != DAY and len({moment.tm_gmtoff for moment in local}) > 1:
        layout += " %z"
    return [strftime(layout, moment) for moment in local]
