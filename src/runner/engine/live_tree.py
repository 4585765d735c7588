"""The processes of a running run, read from beside its runner."""

from __future__ import annotations

import os
from time import monotonic, sleep

from runner.agent import tree
from runner.agent.facts import boot_id, start_ticks
from runner.agent.witness import parent_of
from runner.model.errors import RunnerError
from runner.model.redact import redact_arguments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.agent.process import Process
    from runner.engine.live import LiveRun

#: Seconds between the two readings that tell how much CPU is used now.
SPAN = 0.3

_TICKS = os.sysconf("SC_CLK_TCK")


class Entry:
    """One process as it is shown.

    Attributes:
        pid: Its process id.
        parent: The parent's; that of an orphan is the runner.
        depth: How many processes of the tree are above it.
        cpu_percent: CPU since the reading before, 100 is one core; None where there was none.
        cpu_seconds: CPU of the process itself so far.
        memory_bytes: Resident memory.
        threads: Number of threads.
        state: The kernel's letter: R runs, S sleeps, D waits for a disk, T is stopped, Z has ended.
        elapsed: Seconds since it was started.
        command: Its command line without secrets, or the name of the program in brackets.
        brief: The same without the folders that the program lies in.
    """

    def __init__(self, process: Process, depth: int, words: list[str], elapsed: float) -> None:
        self.pid = process.pid
        self.parent = process.parent
        self.depth = depth
        self.cpu_percent: float | None = None
        self.cpu_seconds = process.cpu / 1e9
        self.memory_bytes = process.rss
        self.threads = process.threads
        self.state = process.state
        self.elapsed = elapsed
        self.command = " ".join(words)
        self.brief = " ".join([_program(words[0]), *words[1:]])


class TreeReader:
    """Reads the processes of one running run, again and again.

    Args:
        live: The run; to be refreshed by the caller before each `read`.
    """

    def __init__(self, live: LiveRun) -> None:
        self._live = live
        self._before: dict[int, float] = {}
        self._read_at = 0.0

    def read(self) -> list[Entry]:
        """Return the processes, each below its parent.

        Raises:
            RunnerError: They can't be read from here.
        """
        if not self._before:
            self._measure()
            sleep(SPAN)
        return self._measure()

    def _measure(self) -> list[Entry]:
        root, script = self._root()
        now = monotonic()
        span = now - self._read_at
        entries = [entry for pid, depth in _walk(root, script) if (entry := read_entry(pid, depth)) is not None]
        for entry in entries:
            before = self._before.get(entry.pid)
            if before is not None and span > 0:
                entry.cpu_percent = max(0.0, (entry.cpu_seconds - before) / span * 100)
        self._before = {entry.pid: entry.cpu_seconds for entry in entries}
        self._read_at = now
        return entries

    def _root(self) -> tuple[int, int]:
        """Return the process whose children are the script and its orphans, and the script."""
        live, started = self._live, self._live.now.started
        if live.pid is None or started is None:
            raise RunnerError(f"run {live.id} has no process now: it is {live.state}")
        host = live.run.host.get("hostname")
        here = os.uname().nodename
        if host != here or (started.boot_id and started.boot_id != boot_id()):
            raise RunnerError(f"run {live.id} runs on {host}: its processes can't be read on {here}")
        if not tree.HAS_PROC:
            raise RunnerError("the processes of another program can't be read on this system")
        if start_ticks(live.pid) != started.ticks:
            raise RunnerError(f"run {live.id} has no process that can be read here: it has ended, or is out of sight")
        return parent_of(live.pid), live.pid


def _walk(root: int, script: int) -> Iterator[tuple[int, int]]:
    """Yield each process below `root` that belongs to the script, with its depth, parents before their children."""
    below = {} if tree.LISTS_CHILDREN else tree.scan()
    own, born = _cmdline(root), start_ticks(script)

    def children(pid: int) -> list[int]:
        return sorted(tree.children(pid) if tree.LISTS_CHILDREN else below.get(pid, []))

    def walk(pid: int, depth: int) -> Iterator[tuple[int, int]]:
        yield pid, depth
        for child in children(pid):
            yield from walk(child, depth + 1)

    yield from walk(script, 0)
    for pid in children(root):
        # What the runner itself has started there is its copy, bears its own name, or was there before the script.
        if pid != script and start_ticks(pid) >= born and _name(pid) != "witness" and _cmdline(pid) != own:
            yield from walk(pid, 0)


def read_entry(pid: int, depth: int) -> Entry | None:
    """Return one process as it is now, None where it has ended."""
    from runner.agent.proc import Process

    process = Process(pid, 0)
    try:
        process.moved()
        process.read()
    except OSError:
        return None  # it has ended meanwhile
    finally:
        process.close()
    words = _cmdline(pid)
    return Entry(process, depth, redact_arguments(words) if words else [f"[{_name(pid)}]"], _age(pid))


def _program(word: str) -> str:
    # What is no path from the root may be a text that the process has put in its place.
    return word.rpartition("/")[2] or word if word.startswith("/") else word


def _age(pid: int) -> float:
    from time import CLOCK_BOOTTIME, clock_gettime

    return max(0.0, clock_gettime(CLOCK_BOOTTIME) - start_ticks(pid) / _TICKS)


def _cmdline(pid: int) -> list[str]:
    try:
        data = tree.slurp(f"/proc/{pid}/cmdline")
    except OSError:
        return []
    return os.fsdecode(data).rstrip("\0").split("\0") if data else []


def _name(pid: int) -> str:
    try:
        return os.fsdecode(tree.slurp(f"/proc/{pid}/comm")).rstrip("\n")
    except OSError:
        return "?"
