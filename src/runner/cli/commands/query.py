"""``runner query``: the values of one metric over time, and what they come to."""

from __future__ import annotations

from time import localtime, strftime, time_ns

from runner.cli.drawing import check_place, show_chart
from runner.cli.output import printable
from runner.cli.remembered import nothing, take_in
from runner.cli.tables import write_json, write_rows
from runner.engine.environment import pairs
from runner.engine.history import HistoryManager
from runner.engine.history_options import parse_moment
from runner.engine.queries import USUAL, TimeSeries
from runner.engine.query_options import TERMINAL
from runner.model.errors import UsageError
from runner.model.metrics import BY_NAME
from runner.model.run import iso
from runner.model.units import format_count, format_value
from runner.stores.aggregates import COUNT, FUNCTIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TextIO

    from runner.engine.query_options import QueryOptions, SeriesOptions
    from runner.engine.run_options import RecordOptions
    from runner.model.metric import Value

    Buckets = list[tuple[int, int, dict[str, Value]]]

#: Digits of a run's id in a table.
_SHORT_ID = 8


def show_query(options: SeriesOptions, record: RecordOptions, query: QueryOptions, out: TextIO) -> int:
    """Show the values of one metric, aggregates of them, or both in buckets of time."""
    check_place(options.plot)
    if options.plot and options.plot == TERMINAL and query.format != "table":
        raise UsageError("--plot draws in the terminal, which is no " + query.format.upper() + "; name a file: --plot=FILE")
    functions = _functions(options)
    if options.plot and functions and not options.bucket:
        raise UsageError("--plot: one figure over all runs can't be drawn; --bucket 1day draws it day by day")
    with HistoryManager(record.history_db) as history:
        take_in(history)
        series = _question(options, history)
        total = series.count()
        if not total:
            _tell_nothing(options, query, history, out)
        elif options.bucket:
            _show_buckets(options, query, series, functions or USUAL, total, out)
        elif functions:
            _show_summary(options, query, history, series.summary(functions), out)
        else:
            _show_points(options, query, series, total, out)
        if total and options.plot:
            show_chart(series.chart(functions), options.plot, out)
    return 0


def _functions(options: SeriesOptions) -> tuple[str, ...]:
    if options.aggregations:
        return FUNCTIONS
    return (options.aggregate,) if options.aggregate else ()


def _question(options: SeriesOptions, history: HistoryManager) -> TimeSeries:
    series = TimeSeries(history).metric(options.metric).script(options.script).status(options.status)
    series = series.tags(pairs(options.tag, "--tag")).limit(options.limit)
    if options.start:
        series = series.since(options.start)
    if options.end:
        series = series.until(options.end)
    if options.start and options.end:
        now = time_ns()
        if parse_moment(options.start, now) >= parse_moment(options.end, now, end=True):
            raise UsageError(f"--query-start {options.start} is after --query-end {options.end}")
    return series.bucket(options.bucket) if options.bucket else series


def _head(options: SeriesOptions, history: HistoryManager | None = None, **more: Any) -> dict[str, Any]:
    metric = BY_NAME.get(options.metric)
    return {
        "status": "ok",
        "metric": options.metric,
        "unit": metric.unit if metric else None,
        "script": options.script or None,
        **more,
    }


def _show_points(options: SeriesOptions, query: QueryOptions, series: TimeSeries, total: int, out: TextIO) -> None:
    points = series.points()
    if query.format == "json":
        write_json(out, _head(options, matching=total, points=points))
    elif query.format == "csv":
        write_rows(out, "csv", ("timestamp", "value", "run_id", "script_name"), points)
    elif options.plot != TERMINAL:
        rows = [
            {
                "started": point["timestamp"][:19].replace("T", " "),
                options.metric: _said(options, "", point["value"]),
                "run": point["run_id"][:_SHORT_ID],
                "script": point["script_name"],
            }
            for point in points
        ]
        write_rows(out, "table", ("started", options.metric, "run", "script"), rows)
        _tell_cut(len(points), total, "values", out)


def _show_summary(
    options: SeriesOptions, query: QueryOptions, history: HistoryManager, figures: dict[str, Value], out: TextIO
) -> None:
    if query.format == "json":
        write_json(out, _head(options, aggregates=figures))
    elif query.format == "csv":
        write_rows(out, "csv", tuple(figures), [figures])
    elif len(figures) == 1:
        out.writelines(_said(options, name, value) + "\n" for name, value in figures.items())
    else:
        rows = [{"of": name, options.metric: _said(options, name, value)} for name, value in figures.items()]
        write_rows(out, "table", ("of", options.metric), rows)


def _show_buckets(
    options: SeriesOptions, query: QueryOptions, series: TimeSeries, functions: tuple[str, ...], total: int, out: TextIO
) -> None:
    found = series.buckets(functions)
    if query.format != "table":
        rows = [{"start": iso(start), "end": iso(end), **figures} for start, end, figures in found]
        if query.format == "json":
            write_json(out, _head(options, bucket=options.bucket, buckets=rows))
        else:
            write_rows(out, "csv", ("start", "end", *functions), rows)
    elif options.plot != TERMINAL:
        starts = _starts([start for start, _, _ in found], options.bucket)
        rows = [
            {"start": start, **{name: _said(options, name, figures[name]) for name in functions}}
            for start, (_, _, figures) in zip(starts, found, strict=True)
        ]
        write_rows(out, "table", ("start", *functions), rows)
        if len(found) == options.limit:
            out.write(f"\nthe last {format_count(len(found))} buckets; --limit N shows more\n")


def _starts(moments: list[int], size: str) -> list[str]:
    """Return moments in local time, with their offset where the clocks change among them."""
    layout = "%Y-%m-%d" if size == "1day" else "%Y-%m-%d %H:%M"
    locals_ = [localtime(moment // 1_000_000_000) for moment in moments]
    if size != "1day" and len({moment.tm_gmtoff for moment in locals_}) > 1:
        layout += " %z"
    return [strftime(layout, moment) for moment in locals_]


def _said(options: SeriesOptions, function: str, value: Value) -> str:
    if value is None:
        return "-"
    if function == COUNT:
        return format_count(value)
    metric = BY_NAME.get(options.metric)
    if metric is None or (metric.unit in ("count", "lines") and value != int(value)):
        return f"{value:,.6g}" if abs(value) < 1e6 else format_count(value)
    return format_value(value, metric.unit)


def _tell_cut(shown: int, total: int, what: str, out: TextIO) -> None:
    if total > shown:
        out.write(f"\nthe last {format_count(shown)} of {format_count(total)} {what}; --limit N shows more\n")


def _tell_nothing(options: SeriesOptions, query: QueryOptions, history: HistoryManager, out: TextIO) -> None:
    known = history.scripts()
    if query.format == "json":
        write_json(out, {**_head(options), "status": "no_data", "scripts": known})
    elif query.format == "csv":
        columns = ("start", "end", *(_functions(options) or USUAL)) if options.bucket else _functions(options)
        write_rows(out, "csv", columns or ("timestamp", "value", "run_id", "script_name"), [])
    else:
        whose = f" of {printable(options.script)}" if options.script else ""
        out.write(nothing(f"run{whose} that matches has {options.metric}", known, history.db_path))
