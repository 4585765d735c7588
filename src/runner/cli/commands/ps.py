"""``runner ps``: what is running now, with figures of this moment."""

from __future__ import annotations

from runner.cli.output import YELLOW, Screen
from runner.cli.remembered import record_of_running, which_record
from runner.cli.tables import fitting, write_json, write_rows
from runner.cli.watching import show, table
from runner.engine import live
from runner.model.run import iso
from runner.model.units import format_bytes, format_count, format_seconds
from runner.stores.base import SHORT_ID

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TextIO

    from runner.engine.live import LiveRun
    from runner.engine.live_options import WatchOptions
    from runner.engine.query_options import QueryOptions
    from runner.engine.run_options import RecordOptions

#: What a narrow terminal can do without, in that order.
_DISPENSABLE = ("USER", "ATTEMPT", "PROCS", "LEFT", "MEMORY", "ELAPSED", "CPU", "RUN")
_RIGHT = frozenset(("ELAPSED", "LEFT", "CPU", "MEMORY", "PROCS"))

_CSV = ("run_id", "script_name", "script_path", "timestamp", "elapsed_seconds", "remaining_seconds", "state", "attempt",
        "pid", "user", "hostname")  # fmt: skip


def show_running(watch: WatchOptions, record: RecordOptions, query: QueryOptions, out: TextIO) -> int:
    """Show the runs of this record that are running, those that use most first."""
    path = record_of_running(record)
    if query.format == "table":
        show(out, watch.watch, lambda: _lines(path, out))
    else:
        show(out, watch.watch, lambda: _data(path, query.format))
    return 0


def _lines(path: str, out: TextIO) -> list[str]:
    screen = Screen(1)
    problems: list[str] = []
    runs = live.running(path, problems)
    notes = [screen.paint(screen.fit(problem), YELLOW) for problem in problems]
    if not runs:
        return [screen.fit(f"no runs are running ({which_record(path)})"), *notes]
    left = _remaining(path, runs)
    rows = [_cells(run, left.get(run.id)) for run in runs]
    names = [name for name in rows[0] if name in ("RUN", "SCRIPT") or any(row[name] for row in rows)]
    if all(run.attempt == 1 and run.state == live.RUNNING for run in runs):
        names.remove("ATTEMPT")
    names = fitting(names, _DISPENSABLE, rows, out)
    return table(screen, names, [[row[name] for name in names] for row in rows], _RIGHT) + notes


def _cells(run: LiveRun, left: tuple[float, float, float] | None) -> dict[str, str]:
    figures = run.figures
    cpu, memory, processes = (figures.get(name) for name in ("cpu_percent", "memory_bytes", "processes"))
    return {
        "RUN": run.id[:SHORT_ID],
        "ELAPSED": format_seconds(run.elapsed) if run.elapsed < 60 else format_seconds(round(run.elapsed)),
        "LEFT": "" if left is None else f"~{format_seconds(left[1])}",
        "CPU": "-" if cpu is None else f"{cpu:.0f} %",
        "MEMORY": "-" if memory is None else format_bytes(memory),
        "PROCS": "-" if processes is None else format_count(processes),
        "ATTEMPT": str(run.attempt) if run.state == live.RUNNING else f"{run.attempt}, {run.state}",
        "USER": run.user,
        "SCRIPT": " ".join([run.script, *run.args])[:500],
    }


def as_dict(run: LiveRun, left: tuple[float, float, float] | None = None) -> dict[str, Any]:
    """Return a running run as queries show it: plain data."""
    return {
        "run_id": run.id,
        "script_name": run.script,
        "script_path": run.run.script_path,
        "script_args": run.args,
        "timestamp": iso(run.started),
        "elapsed_seconds": round(run.elapsed, 3),
        "remaining_seconds": None if left is None else round(left[1], 3),
        "remaining_range": None if left is None else [round(left[0], 3), round(left[2], 3)],
        "state": run.state,
        "attempt": run.attempt,
        "pid": run.pid,
        "runner_pid": run.runner_pid,
        "user": run.user,
        "hostname": run.run.host.get("hostname"),
        "tags": run.run.tags,
        "now": run.figures,
    }


def _data(path: str, format: str) -> list[str]:
    from io import StringIO

    problems: list[str] = []
    runs = live.running(path, problems)
    left = _remaining(path, runs)
    rows = [as_dict(run, left.get(run.id)) for run in runs]
    buffer = StringIO()
    if format == "json":
        status = "ok" if rows else "no_data"
        write_json(buffer, {"status": status, "database": path, "runs": rows, "problems": problems})
    else:
        from runner.agent.events import SAMPLE_FIELDS

        write_rows(buffer, "csv", [*_CSV, *SAMPLE_FIELDS], [{**row, **row["now"]} for row in rows])
    return buffer.getvalue().splitlines()


def _remaining(path: str, runs: list[LiveRun]) -> dict[str, tuple[float, float, float]]:
    """Return for each run how long it will still take, where comparable runs are remembered."""
    import os

    if not runs or not os.path.exists(path):
        return {}
    from runner.analysis.usual import remaining
    from runner.engine.history import HistoryManager
    from runner.engine.usual import comparable_filter
    from runner.model.errors import StoreError
    from runner.model.metrics import EXECUTION_TIME

    found = {}
    with HistoryManager(path) as history:
        for run in runs:
            if run.attempt > 1 or run.state != live.RUNNING:
                continue  # what attempts take together is not known from those that needed one
            try:
                rows = history.figures(comparable_filter(run.run), [EXECUTION_TIME.name])
            except StoreError:
                return {}
            left = remaining([row[0] for row in rows if row[0] is not None], run.elapsed)
            if left is not None:
                found[run.id] = left
    return found
