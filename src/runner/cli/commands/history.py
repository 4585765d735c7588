"""The queries about past runs: ``runner history``, ``runner db stats``, ``runner db cleanup``."""

from __future__ import annotations

from time import localtime, strftime, time_ns

from runner.cli.columns import cut
from runner.cli.output import RED, Screen, printable
from runner.cli.plot import bar
from runner.cli.remembered import nothing, take_in
from runner.cli.tables import fitting, write_json, write_rows
from runner.engine.history import HistoryManager
from runner.engine.history_dicts import as_dict
from runner.engine.history_options import history_filter
from runner.model import metrics
from runner.model.run import iso
from runner.model.units import format_bytes, format_count, format_value
from runner.model.verdict import status_word
from runner.stores.base import SHORT_ID, script_label

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TextIO

    from runner.engine.history_options import HistoryOptions, StatsOptions
    from runner.engine.query_options import QueryOptions
    from runner.engine.run_options import RecordOptions
    from runner.model.metric import Metric
    from runner.model.run import Run

_COLUMNS = ("started", "status", "wall", "bar", "cpu", "memory", "attempts", "run", "script")
#: What a narrow terminal can do without, in that order, and a very narrow one, where starts and ends are in short.
_DISPENSABLE = ("bar", "cpu", "attempts", "memory")
_LAST = ("wall", "at", "status", "run")
#: Columns of a status in short.
_STATUS = 10
#: Columns of a bar.
_BAR = 6

#: Columns of CSV, before the metrics.
_CSV = ("run_id", "timestamp", "script_name", "script_path", "reason", "success", "exit_code", "signal", "error_type",
        "error_message", "attempts", "total_seconds")  # fmt: skip


def show_history(options: HistoryOptions, record: RecordOptions, query: QueryOptions, out: TextIO) -> int:
    """Show past runs, the newest first."""
    wanted = history_filter(options, time_ns())
    with HistoryManager(record.history_db) as history:
        take_in(history)
        runs = history.runs(wanted)
        # Looking for a text in all that is kept would take long: it ends where there are runs enough to show.
        total = history.count(wanted) if not wanted.text else len(runs) if len(runs) < options.limit else None
        known = [] if runs else history.scripts()
    if query.format == "json":
        write_json(out, {
            "status": "ok" if runs else "no_data",
            "database": history.db_path,
            "matching": total,
            "runs": [as_dict(run) for run in runs],
            **({} if runs else {"scripts": known}),
        })  # fmt: skip
    elif query.format == "csv":
        rows = [as_dict(run) for run in runs]
        write_rows(out, "csv", [*_CSV, *metrics.BY_NAME], [{**row, **row["metrics"]} for row in rows])
    elif not runs:
        out.write(_nothing(options, history.db_path, known))
    else:
        _write_table(out, runs)
        if total != len(runs):
            of = f" of {format_count(total)}" if total is not None else ""
            one = total is None and len(runs) == 1
            told = f"{len(runs)}{of} run{'s' * (not one)}{', perhaps not all' if total is None else ''}"
            out.write(f"\n{told}; --limit N shows more\n")
    return 0


def _write_table(out: TextIO, runs: list[Run]) -> None:
    screen = Screen(out.fileno()) if out.isatty() else None
    rows = [_line(run) for run in runs]
    unwanted: set[str] = set() if any(len(run.attempts) > 1 for run in runs) else {"attempts"}
    if screen is None:
        unwanted.add("bar")
    else:
        for row, share in zip(rows, _shares(runs), strict=True):
            row["bar"] = bar(share, 1, _BAR, screen)
    names = fitting([name for name in _COLUMNS if name not in unwanted], _DISPENSABLE, rows, out)
    if fitting(names, _LAST, rows, out) != names:
        for row, run in zip(rows, runs, strict=True):
            row.update(at=_briefly(run), status=cut(row["status"], _STATUS))
        names = fitting(["at", *names[1:]], _LAST, rows, out)
    failed = [not run.last.success for run in runs]

    def paint(name: str, row: int, text: str) -> str:
        return screen.paint(text, RED) if screen is not None and name == "status" and failed[row] else text

    write_rows(out, "table", names, rows, paint)


def _shares(runs: list[Run]) -> list[float | None]:
    """Return the wall time of each run as a part of the longest that is shown of its script."""
    walls = [run.last.metrics.get(metrics.EXECUTION_TIME.name) for run in runs]
    longest: dict[str, float] = {}
    for run, wall in zip(runs, walls, strict=True):
        longest[run.script_key] = max(longest.get(run.script_key, 0), wall or 0)
    return [wall and wall / (longest[run.script_key] or 1) for run, wall in zip(runs, walls, strict=True)]


def db_stats(options: StatsOptions, record: RecordOptions, query: QueryOptions, out: TextIO) -> int:
    """Show how much is remembered, and where."""
    with HistoryManager(record.history_db) as history:
        take_in(history)
        stats = history.stats()
    if stats is None:
        if query.format == "json":
            write_json(out, {"status": "no_data", "path": history.db_path})
        elif query.format == "table":
            out.write(f"no runs are remembered: {history.db_path} does not exist\n")
        return 0
    for moment in ("first", "last"):
        stats[moment] = None if stats[moment] is None else iso(stats[moment])
    if query.format == "json":
        write_json(out, {"status": "ok", **stats})
    elif query.format == "csv":
        write_rows(out, "csv", list(stats), [stats])
    else:
        lines = {
            "database": stats["path"],
            "size": format_bytes(stats["bytes"]),
            "runs": format_count(stats["runs"]),
            "attempts": format_count(stats["attempts"]),
            "scripts": format_count(stats["scripts"]),
            "first run": _day(stats["first"]),
            "last run": _day(stats["last"]),
            "samples": format_bytes(stats["samples_bytes"]),
            "output": format_bytes(stats["output_bytes"]),
        }
        out.writelines(f"{name:<10} {value}\n" for name, value in lines.items())
    return 0


def _line(run: Run) -> dict[str, Any]:
    last = run.last
    return {
        "started": _started(run),
        "status": status_word(last),
        "wall": _figure(run, metrics.EXECUTION_TIME),
        "cpu": _figure(run, metrics.CPU_TIME),
        "memory": _figure(run, metrics.MEMORY_MAX),
        "attempts": len(run.attempts),
        "run": run.id[:SHORT_ID],
        "script": " ".join([script_label(run), *run.args])[:200],
    }


def _started(run: Run) -> str:
    started = localtime(run.started // 1_000_000_000)
    return strftime("%m-%d %H:%M:%S" if started.tm_year == localtime().tm_year else "%Y-%m-%d %H:%M", started)


def _briefly(run: Run) -> str:
    """Return the time of a start of today, the day of an earlier one."""
    started, now = localtime(run.started // 1_000_000_000), localtime()
    if started[:3] == now[:3]:
        return strftime("%H:%M", started)
    return strftime("%m-%d" if started.tm_year == now.tm_year else "%Y-%m-%d", started)


def _figure(run: Run, metric: Metric) -> str:
    value = run.last.metrics.get(metric.name)
    return "-" if value is None else format_value(value, metric.unit)


def _nothing(options: HistoryOptions, path: str, known: list[str]) -> str:
    whose = f" of {printable(options.script)}" if options.script else ""
    own = ("status", "since", "until", "tag", "host", "longer_than", "shorter_than", "memory_above", "above", "below",
           "text")  # fmt: skip
    narrow = any(getattr(options, name) not in ("", (), None) for name in own)
    return nothing(f"run{whose} {'matches' if narrow else f'in the last {options.days} days'}", known, path)


def _day(moment: str | None) -> str:
    return "-" if moment is None else moment[:19].replace("T", " ")
