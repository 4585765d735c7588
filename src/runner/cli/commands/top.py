"""``runner top``: the processes of a running run, each with what it uses."""

from __future__ import annotations

from runner.cli.output import BOLD, Screen
from runner.cli.tables import fitting, write_json, write_rows
from runner.cli.watching import show, table
from runner.engine import live
from runner.engine.live_tree import TreeReader
from runner.engine.location import absolute, locate
from runner.model.errors import RunnerError, UsageError
from runner.model.units import format_bytes, format_seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from runner.engine.live import LiveRun
    from runner.engine.live_options import TopOptions, WatchOptions
    from runner.engine.live_tree import Entry
    from runner.engine.query_options import QueryOptions
    from runner.engine.run_options import RecordOptions

_RIGHT = frozenset(("PID", "CPU", "TIME", "MEMORY", "THREADS", "ELAPSED"))
#: Digits below which a number after --watch is rather meant as its seconds.
_SHORTEST = 4
_DISPENSABLE = ("THREADS", "TIME", "ELAPSED", "STATE")

_COLUMNS = ("pid", "ppid", "depth", "cpu_percent", "cpu_seconds", "memory_bytes", "threads", "state",
            "elapsed_seconds", "command")  # fmt: skip


def show_processes(
    top: TopOptions, watch: WatchOptions, record: RecordOptions, query: QueryOptions, out: TextIO
) -> int:
    """Show the processes of a running run as the tree they are."""
    path = locate(record.history_db, absolute())[0]
    if watch.watch is not None and top.run.isdigit() and len(top.run) < _SHORTEST:
        raise UsageError(f"{top.run!r} would be the beginning of a run's id; seconds are given as --watch={top.run}")
    run = find_running(path, top.run)
    reader = TreeReader(run)
    if query.format == "table":
        show(out, watch.watch, lambda: _lines(run, reader, out))
    else:
        show(out, watch.watch, lambda: _data(run, reader, query.format))
    return 0


def find_running(path: str, text: str) -> LiveRun:
    """Return the running run that a text names.

    Raises:
        UsageError: It names none, or several; the message says which are running.
    """
    problems: list[str] = []
    runs = live.running(path, problems)
    found = live.find(runs, text)
    if found is not None:
        return found
    if runs:
        raise UsageError(f"no running run is called {text!r}; running are: {live.listed(runs)}")
    raise UsageError("; ".join([f"no run is running (of {path})", *problems]))


def _read(run: LiveRun, reader: TreeReader) -> list[Entry]:
    try:
        run.refresh()
    except OSError:
        raise RunnerError(f"run {run.id} has ended") from None
    return reader.read()


def _lines(run: LiveRun, reader: TreeReader, out: TextIO) -> list[str]:
    screen = Screen(1)
    entries = _read(run, reader)
    rows = [_cells(entry) for entry in entries]
    head = f"{run.script}  run {run.id}, {format_seconds(run.elapsed)}"
    if run.attempt > 1:
        head += f", attempt {run.attempt}"
    cpu = sum(entry.cpu_percent or 0.0 for entry in entries)
    memory = sum(entry.memory_bytes for entry in entries)
    total = f"{len(entries)} process{'es' * (len(entries) != 1)}, CPU {cpu:.0f} %, memory {format_bytes(memory)}"
    lines = [screen.paint(screen.fit(head), BOLD), screen.fit(total), ""]
    if not rows:
        return lines
    names = fitting(list(rows[0]), _DISPENSABLE, rows, out)
    return lines + table(screen, names, [[row[name] for name in names] for row in rows], _RIGHT)


def _cells(entry: Entry) -> dict[str, str]:
    return {
        "PID": str(entry.pid),
        "CPU": "-" if entry.cpu_percent is None else f"{entry.cpu_percent:.0f} %",
        "TIME": format_seconds(entry.cpu_seconds),
        "MEMORY": format_bytes(entry.memory_bytes),
        "THREADS": str(entry.threads),
        "STATE": entry.state,
        "ELAPSED": format_seconds(entry.elapsed),
        "COMMAND": "  " * entry.depth + entry.command[:2000],
    }


def _data(run: LiveRun, reader: TreeReader, format: str) -> list[str]:
    from io import StringIO

    rows = [
        {
            "pid": entry.pid,
            "ppid": entry.parent,
            "depth": entry.depth,
            "cpu_percent": None if entry.cpu_percent is None else round(entry.cpu_percent, 2),
            "cpu_seconds": entry.cpu_seconds,
            "memory_bytes": entry.memory_bytes,
            "threads": entry.threads,
            "state": entry.state,
            "elapsed_seconds": round(entry.elapsed, 2),
            "command": entry.command,
        }
        for entry in _read(run, reader)
    ]
    buffer = StringIO()
    if format == "json":
        write_json(buffer, {"status": "ok" if rows else "no_data", "run_id": run.id, "attempt": run.attempt,
                            "elapsed_seconds": round(run.elapsed, 3), "processes": rows})  # fmt: skip
    else:
        write_rows(buffer, "csv", _COLUMNS, rows)
    return buffer.getvalue().splitlines()
