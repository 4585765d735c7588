"""``runner top``: the processes of a running run, each with what it uses."""

from __future__ import annotations

from runner.cli.output import BOLD, Screen, printable
from runner.cli.remembered import record_of_running, which_record
from runner.cli.tables import fitting, write_json, write_rows
from runner.cli.watching import show, table
from runner.engine import live
from runner.engine.live_tree import TreeReader
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
#: What gives way to commands, so many columns of which tell processes apart, and what a very narrow terminal lacks.
_DISPENSABLE = ("THREADS", "TIME", "STATE", "ELAPSED")
_TELLING = 40
_LAST = ("MEMORY", "CPU", "PID")

_COLUMNS = ("pid", "ppid", "depth", "cpu_percent", "cpu_seconds", "memory_bytes", "threads", "state",
            "elapsed_seconds", "command")  # fmt: skip


def show_processes(
    top: TopOptions, watch: WatchOptions, record: RecordOptions, query: QueryOptions, out: TextIO
) -> int:
    """Show the processes of a running run as the tree they are."""
    path = record_of_running(record)
    if watch.watch is not None and top.run.isdigit() and len(top.run) < _SHORTEST:
        raise UsageError(f"{top.run!r} would be the beginning of a run's id; seconds are given as --watch={top.run}")
    run = find_running(path, top.run)
    tree = _Tree(run)
    if query.format == "table":
        show(out, watch.watch, lambda: _lines(tree, out))
        if tree.over:
            out.write(_ending(run, path) + "\n")
    else:
        show(out, watch.watch, lambda: _data(tree, query.format))
    return 0


class _Tree:
    """The processes of a run, looked at again and again until it has ended.

    Args:
        run: The run.

    Attributes:
        run: The same, as it was at the last look.
        over: Whether it has ended.
    """

    def __init__(self, run: LiveRun) -> None:
        self.run = run
        self.over = False
        self._reader = TreeReader(run)
        self._seen = False

    def look(self) -> list[Entry] | None:
        """Return its processes, none where it has none for the moment, or None if it has ended since they were seen.

        Raises:
            RunnerError: They can't be read from here, or it has ended before they were.
        """
        try:
            if self.run.alive():
                self.run.refresh()
                entries = self._reader.read()
                self._seen = True
                return entries
        except OSError:
            pass  # its journal is gone
        except RunnerError:
            if not self._seen:
                raise
            return []  # the next attempt is to come, or what became of it is being stored
        if not self._seen:
            raise RunnerError(f"run {self.run.id} has ended")
        self.over = True
        return None


def _ending(run: LiveRun, path: str) -> str:
    """Return the line that says how a run has ended."""
    from runner.engine.history import HistoryManager
    from runner.engine.logs import left_behind
    from runner.model.verdict import verdict

    with HistoryManager(path) as history:
        found = left_behind(run, history)
    ended = "has ended" if found is None else verdict(found.last)
    return printable(f"run {run.id} of {run.script} {ended}")


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
    raise UsageError("; ".join([f"no run is running ({which_record(path)})", *problems]))


def _lines(tree: _Tree, out: TextIO) -> list[str] | None:
    run, entries = tree.run, tree.look()
    if entries is None:
        return None
    screen = Screen(1)
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
    names = fitting(fitting(list(rows[0]), _DISPENSABLE, rows, out, _TELLING), _LAST, rows, out)
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
        "COMMAND": "  " * entry.depth + entry.brief[:2000],
    }


def _data(tree: _Tree, format: str) -> list[str] | None:
    from io import StringIO

    run, entries = tree.run, tree.look()
    if entries is None:
        return None
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
        for entry in entries
    ]
    buffer = StringIO()
    if format == "json":
        write_json(buffer, {"status": "ok" if rows else "no_data", "run_id": run.id, "attempt": run.attempt,
                            "elapsed_seconds": round(run.elapsed, 3), "processes": rows})  # fmt: skip
    else:
        write_rows(buffer, "csv", _COLUMNS, rows)
    return buffer.getvalue().splitlines()
