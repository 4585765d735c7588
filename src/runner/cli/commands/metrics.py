"""``runner metrics``: the catalog of figures, and how many runs have each."""

from __future__ import annotations

from runner.cli.output import printable
from runner.cli.remembered import nothing, take_in
from runner.cli.tables import fitting, write_json, write_rows
from runner.engine.history import HistoryManager
from runner.model.units import format_count
from runner.stores.base import RunFilter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from runner.engine.query_options import MetricsOptions, QueryOptions
    from runner.engine.run_options import RecordOptions

_COLUMNS = ("name", "unit", "kind", "runs", "first", "last", "meaning")
_DISPENSABLE = ("first", "kind", "unit", "last", "runs")
_CSV = ("name", "unit", "type", "kind", "more_is_worse", "runs", "first", "last", "meaning")

_LEGEND = """
exact    the kernel's own accounting
sampled  read now and then: what happened between two readings is not in it
A run says where a figure is worth less than usual: a bound (at least this much)
or a ceiling (at most).
"""


def show_metrics(options: MetricsOptions, record: RecordOptions, query: QueryOptions, out: TextIO) -> int:
    """List every figure with its unit, how it is known, how many runs have it, and what it means."""
    with HistoryManager(record.history_db) as history:
        take_in(history)
        path = history.db_path
        if options.script and not history.count(RunFilter(options.script)):
            _say_nothing(options.script, history, query, out)
            return 0
        rows = history.metrics(options.script)
    if query.format == "json":
        write_json(out, {"status": "ok", "database": path, "metrics": rows})
    elif query.format == "csv":
        write_rows(out, "csv", _CSV, rows)
    else:
        shown = [
            {
                **row,
                "runs": format_count(row["runs"]) if row["runs"] else "-",
                "first": (row["first"] or "-")[:10],
                "last": (row["last"] or "-")[:10],
                "meaning": row["meaning"] or "saved by a program under this name",
            }
            for row in rows
        ]
        recorded = any(row["runs"] for row in rows)
        columns = [name for name in _COLUMNS if recorded or name not in ("runs", "first", "last")]
        fit = fitting(columns, _DISPENSABLE, shown, out)
        # Either end of the time tells little without the other.
        write_rows(out, "table", fit if "first" in fit else [name for name in fit if name != "last"], shown)
        out.write(_LEGEND)
    return 0


def _say_nothing(script: str, history: HistoryManager, query: QueryOptions, out: TextIO) -> None:
    known = history.scripts()
    if query.format == "json":
        write_json(out, {"status": "no_data", "database": history.db_path, "scripts": known})
    elif query.format == "csv":
        write_rows(out, "csv", _CSV, [])
    else:
        out.write(nothing(f"run of {printable(script)}", known, history.db_path))
