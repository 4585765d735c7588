"""What watching a script costs: CPU and memory of the runner itself, and how many of its ticks come in time."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if __package__ in (None, ""):
    sys.path.insert(0, __file__.rsplit("/", 2)[0])

from benchmarks import common

if TYPE_CHECKING:
    from benchmarks.common import Row

ROUNDS = 30
#: A round takes minutes, and its window of seconds holds up to a thousand ticks: few are enough.
ROUNDS_FOR_ONE = 10
WINDOW = 10.0
SETTLE = 1.5
IN_TIME = 0.95
MEMORY_BOUND = 15  # MB
PROMISED = 10_000

SCRIPTS = {
    "an idle child": "import time; time.sleep({seconds})",
    "a tree of 50 idle grandchildren": """
import subprocess, sys
branch = "import subprocess; [p.wait() for p in [subprocess.Popen(['sleep', '{seconds}']) for _ in range(25)]]"
for child in [subprocess.Popen([sys.executable, "-c", branch]) for _ in range(2)]: child.wait()
""",
    "a child that forks 50 times a second": """
import os, time
end = time.monotonic() + {seconds}
due = time.monotonic()
while time.monotonic() < end:
    pid = os.fork()
    if pid == 0: os._exit(0)
    os.waitpid(pid, 0)
    due += 0.02
    time.sleep(max(due - time.monotonic(), 0))
""",
}

#: Script, interval, bound in percent of a core.
CASES = (
    ("an idle child", 0.1, 0.5),
    ("an idle child", 0.01, 4.0),
    ("a tree of 50 idle grandchildren", 0.1, 4.0),
    ("a tree of 50 idle grandchildren", 0.01, 30.0),
    ("a child that forks 50 times a second", 0.1, 6.0),
    ("a child that forks 50 times a second", 0.01, 6.0),
)


class Watched(NamedTuple):
    """What one run of the runner cost while it watched."""

    percent: float  # of a core
    in_time: float  # part of the ticks' slots in which a sample was taken
    memory: int  # bytes, shared pages shared out


def cpu_seconds(pid: int) -> float:
    """CPU time of a process so far, to the nanosecond."""
    return time.clock_gettime((~pid << 3) | 2)


def proportional(pid: int) -> int:
    """Proportional memory of a process in bytes."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) << 10
    raise RuntimeError("the kernel tells no proportional memory")


def watch(script: str, interval: float) -> Watched:
    """Run a script under the runner, history on, and look at the runner for a window of time."""
    folder = common.scratch("monitor")
    (folder / "work.py").write_text(SCRIPTS[script].replace("{seconds}", str(SETTLE + WINDOW + 1)))
    command = [*common.checkout_runner(), "--history-db", "h.db", "--monitor-interval", str(interval), "work.py"]
    runner = subprocess.Popen(
        command, cwd=folder, env=common.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        time.sleep(SETTLE)
        begin, cpu = time.monotonic(), cpu_seconds(runner.pid)
        time.sleep(WINDOW)
        spent = (cpu_seconds(runner.pid) - cpu) / (time.monotonic() - begin)
        memory = proportional(runner.pid)
        (journal,) = folder.glob("h.db.runs/*/events.jsonl")
        events = [json.loads(line) for line in journal.read_text().splitlines(keepends=True) if line.endswith("\n")]
    finally:
        runner.wait()
    if runner.returncode:
        raise RuntimeError(f"{script} ended with {runner.returncode}")
    times = [event["t"] for event in events if event.get("event") == "sample"]
    slots = {int(t / interval) for t in times if SETTLE - 0.5 <= t < SETTLE - 0.5 + WINDOW}
    return Watched(100 * spent, len(slots) / (WINDOW / interval), memory)


def figures_a_second() -> float:
    """How many figures of a process are read and taken apart in a second of one core."""
    sys.path.insert(0, str(common.ROOT / "src"))
    from runner.agent.proc import Process

    process = Process(os.getpid(), os.getppid())
    figures = 13  # CPU time, that of children, memory, its peak, size, threads, descriptors, two of faults, and of I/O
    readings = 20_000
    begin = time.process_time()
    for _ in range(readings):
        process.moved()
        process.read()
    return figures * readings / (time.process_time() - begin)


def rows(rounds: int = ROUNDS) -> list[Row]:
    """Measure; see `benchmarks.common` for what a row is."""
    times = max(1, rounds // ROUNDS_FOR_ONE)
    found: dict[tuple[str, float], list[Watched]] = {(script, interval): [] for script, interval, _ in CASES}
    for _ in range(times):
        for (script, interval), watched in found.items():
            watched.append(watch(script, interval))
    table: list[Row] = []

    def add(*row: Any) -> None:
        table.append(row)

    for script, interval, bound in CASES:
        watched = found[script, interval]
        percent = statistics.median(each.percent for each in watched)
        in_time = statistics.median(each.in_time for each in watched)
        work = f"{script}, every {interval * 1000:.0f} ms ({times} rounds of {WINDOW:.0f} s)"
        add(f"CPU of the runner, {work}", f"{percent:.2f} % of a core", f"<= {bound:g} %", percent <= bound)
        add("  ticks in their own slots", f"{100 * in_time:.1f} %", f">= {100 * IN_TIME:.0f} %", in_time >= IN_TIME)
    memory = max(each.memory for watched in found.values() for each in watched) / 2**20
    add("memory of the runner meanwhile (PSS)", f"{memory:.1f} MB", f"<= {MEMORY_BOUND} MB", memory <= MEMORY_BOUND)
    speed = figures_a_second()
    add("figures read in a second of one core", f"{speed:,.0f}", f">= {PROMISED:,}", speed >= PROMISED)
    return table


if __name__ == "__main__":
    common.print_table((__doc__ or "").splitlines()[0], rows(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS))
