"""The list of scripts: ``runner scripts``, one line for each."""

from __future__ import annotations

from time import time_ns

from runner.cli.output import RED, YELLOW, Screen
from runner.cli.remembered import nothing, take_in
from runner.cli.tables import fitting, write_json, write_rows
from runner.engine.history import HistoryManager
from runner.engine.history_options import days_before
from runner.engine.overview import overview
from runner.model.metrics import EXECUTION_TIME, MEMORY_MAX
from runner.model.units import format_count, format_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TextIO

    from runner.engine.history_options import ScriptsOptions
    from runner.engine.query_options import QueryOptions
    from runner.engine.run_options import RecordOptions
    from runner.model.metric import Metric

_COLUMNS = ("runs", "ok", "wall_p50", "wall_p95", "trend", "mem_p50", "mem_p95", "last", "status", "script")
_DISPENSABLE = ("mem_p50", "mem_p95", "wall_p95", "status", "last", "trend")

#: Which key of a row each order goes by, and whether the highest comes first.
_SORTS = {
    "last": ("last_started", True), "name": ("script", False), "runs": ("runs", True), "failures": ("failures", True),
    "wall": ("wall_p50", True), "memory": ("memory_p50", True),
}  # fmt: skip

def show_scripts(options: ScriptsOptions, record: RecordOptions, query: QueryOptions, out: TextIO) -> int:
    """Show one line for each script that ran."""
    since = days_before(options.days, time_ns())
    with HistoryManager(record.history_db) as history:
        take_in(history)
        none: list[dict[str, Any]] = []
        rows = history.ask(lambda store: overview(store, since, options.script), none)
        known = [] if rows else history.scripts()
    key, highest = _SORTS[options.sort]
    without = [row for row in rows if row[key] is None]
    rows = sorted((row for row in rows if row[key] is not None), key=lambda row: row[key], reverse=highest) + without
    if query.format == "json":
        answer = {"status": "ok" if rows else "no_data", "database": history.db_path, "scripts": rows}
        write_json(out, answer if rows else {**answer, "known": known})
    elif query.format == "csv":
        columns = ("script", "script_key", "runs", "failures", "success_rate", "wall_p50", "wall_p95", "memory_p50",
                   "memory_p95", "trend", "last_run", "last_started", "last_success", "last_status")  # fmt: skip
        write_rows(out, "csv", columns, rows)
    elif not rows:
        whose = f" of {options.script}" if options.script else ""
        out.write(nothing(f"run{whose} in the last {options.days} days", known, history.db_path))
    else:
        _write_table(out, rows)
    return 0


def _write_table(out: TextIO, rows: list[dict[str, Any]]) -> None:
    terminal = out.isatty()
    screen = Screen(out.fileno()) if terminal else None
    arrows = ("↑", "↓", "→") if screen is None or screen.unicode else ("up", "down", "=")
    lines = [_line(row, arrows) for row in rows]

    def paint(name: str, number: int, text: str) -> str:
        row = rows[number]
        if screen is None:
            return text
        if name == "trend" and row["trend"]:
            return screen.paint(text, YELLOW)
        return screen.paint(text, RED) if name == "status" and not row["last_success"] else text

    write_rows(out, "table", fitting(_COLUMNS, _DISPENSABLE, lines, out), lines, paint)


def _line(row: dict[str, Any], arrows: tuple[str, str, str]) -> dict[str, str]:
    rate = 100 * row["success_rate"]
    return {
        "runs": format_count(row["runs"]),
        "ok": f"{rate:.0f} %" if rate in (0, 100) or 1 <= rate <= 99 else f"{rate:.1f} %",
        "wall_p50": _figure(row["wall_p50"], EXECUTION_TIME),
        "wall_p95": _figure(row["wall_p95"], EXECUTION_TIME),
        "trend": _trend(row["trend"], arrows),
        "mem_p50": _figure(row["memory_p50"], MEMORY_MAX),
        "mem_p95": _figure(row["memory_p95"], MEMORY_MAX),
        "last": row["last_started"][5:16].replace("T", " "),
        "status": row["last_status"],
        "script": row["script"],
    }


def _figure(value: float | None, metric: Metric) -> str:
    return "-" if value is None else format_value(value, metric.unit)


def _trend(part: float | None, arrows: tuple[str, str, str]) -> str:
    if part is None:
        return "-"
    up, down, steady = arrows
    return f"{up if part > 0 else down} {100 * abs(part):.0f} %" if part else steady
