"""``runner query``: the values of one metric over time, and what they come to."""

from __future__ import annotations

from time import localtime, strftime, time_ns

from runner.cli.drawing import check_place, show_chart
from runner.cli.output import printable
from runner.cli.remembered import nothing, take_in
from runner.cli.tables import fitting, write_json, write_rows
from runner.engine.buckets import DAY
from runner.engine.environment import pairs
from runner.engine.history import HistoryManager
from runner.engine.history_options import parse_moment
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
    from typing import Any, TextIO

    from runner.engine.query_options import QueryOptions, SeriesOptions
    from runner.engine.run_options import RecordOptions
    from runner.model.metric import Value

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
        there = answer.buckets() if options.bucket else answer.summary() if functions else answer.points()
        if not there:
            answer.nothing(history)
        elif options.plot:
            show_chart(series.chart(functions), options.plot, out if query.format == "table" else None)
    return 0


def _check(options: SeriesOptions, query: QueryOptions, functions: tuple[str, ...]) -> None:
    """Refuse what can't be answered before anything is computed."""
    check_place(options.plot)
    if options.plot == TERMINAL and query.format != "table":
        raise UsageError(f"--plot would stand among the {query.format.upper()}; --plot=FILE draws into a file")
    if options.plot and functions and not options.bucket:
        raise UsageError("--plot: one figure over all runs can't be drawn; --bucket 1day draws it day by day")
    now = time_ns()
    if options.start and options.end and parse_moment(options.start, now) >= parse_moment(options.end, now, end=True):
        raise UsageError(f"--query-start {options.start} is not before --query-end {options.end}")


def _question(options: SeriesOptions, history: HistoryManager) -> TimeSeries:
    assert options.metric is not None
    series = TimeSeries(history).metric(options.metric).script(options.script).status(options.status)
    series = series.tags(pairs(options.tag, "--query-tag")).limit(options.limit)
    if options.start:
        series = series.since(options.start)
    if options.end:
        series = series.until(options.end)
    return series.bucket(options.bucket) if options.bucket else series


class _Answer:
    """Writes the answer to one question in the format asked for; each way says whether there was anything to write."""

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

    def points(self) -> bool:
        """Write the values, run by run."""
        points = self.series.points()
        if not points:
            return False
        total = len(points) if len(points) < self.options.limit else self.series.count()
        if self.format == "json":
            self._json(matching=total, points=points)
        elif self.format == "csv":
            write_rows(self.out, "csv", _POINT, points)
        elif self.options.plot != TERMINAL:
            rows = [
                {
                    "started": point["timestamp"][:19].replace("T", " "),
                    self.metric: self._said("", point["value"]),
                    "run": point["run_id"][:SHORT_ID],
                    "script": point["script_name"],
                }
                for point in points
            ]
            columns = fitting(("started", self.metric, "run", "script"), ("run",), rows, self.out)
            write_rows(self.out, "table", columns, rows)
            if total > len(points):
                shown = f"{format_count(len(points))} of {format_count(total)}"
                self.out.write(f"\nthe last {shown} values; --query-limit N shows more\n")
        return True

    def summary(self) -> bool:
        """Write aggregates of all values."""
        known = self.series.summary((COUNT, *self.functions))
        if not known[COUNT]:
            return False
        figures = {name: known[name] for name in self.functions}
        if self.format == "json":
            self._json(aggregates=figures)
        elif self.format == "csv":
            write_rows(self.out, "csv", tuple(figures), [figures])
        elif len(figures) == 1:
            self.out.writelines(self._said(name, value) + "\n" for name, value in figures.items())
        else:
            rows = [{"figure": name, self.metric: self._said(name, value)} for name, value in figures.items()]
            write_rows(self.out, "table", ("figure", self.metric), rows)
        return True

    def buckets(self) -> bool:
        """Write aggregates of each bucket; those without runs are there too."""
        found = self.series.buckets((COUNT, *self.functions))
        if not any(figures[COUNT] for _, _, figures in found) and not self.series.count():
            return False
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
            if len(found) == self.options.limit:
                self.out.write(f"\nthe last {format_count(len(found))} buckets; --query-limit N shows more\n")
        return True

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


def _starts(moments: list[int], size: str) -> list[str]:
    """Return moments in local time, with their offset where the clocks change among them."""
    layout = "%Y-%m-%d" if size == DAY else "%Y-%m-%d %H:%M"
    local = [localtime(moment // 1_000_000_000) for moment in moments]
    if size != DAY and len({moment.tm_gmtoff for moment in local}) > 1:
        layout += " %z"
    return [strftime(layout, moment) for moment in local]
