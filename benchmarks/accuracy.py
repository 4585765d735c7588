"""How close the figures come to the truth, on programs whose cost is known, measured by the whole command."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

if __package__ in (None, ""):
    sys.path.insert(0, __file__.rsplit("/", 2)[0])

from benchmarks import common

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.common import Row

ROUNDS = 10

PRELUDE = """
import os, sys, time
def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end: pass
def hold(megabytes, seconds):
    block = bytearray(megabytes << 20)
    for at in range(0, len(block), 4096): block[at] = 1
    time.sleep(seconds)
def fork(work):
    pid = os.fork()
    if pid == 0:
        try: work()
        finally: os._exit(0)
    return pid
"""

#: The spike comes at another moment of the interval each time.
SPIKE = """
def work(): time.sleep(0.9 + {round} % 10 * 0.0097); hold(300, 0.03); time.sleep(1)
"""
#: The truth about CPU time is what the kernel tells the program itself, and what each orphan says of itself.
FORKS = """
for _ in range(200): os.waitpid(fork(lambda: burn(0.01)), 0)
"""
ORPHANS = """
read, write = os.pipe()
def orphan():
    burn(0.05)
    os.write(write, b"%d\\n" % time.process_time_ns())
def middle(): fork(orphan)
for _ in range(20): os.waitpid(fork(middle), 0)
os.close(write)
orphans = sum(map(int, open(read).read().split())) / 1e9
"""
TRUTH = """
import resource
used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
with open("truth", "w") as file: print(orphans + sum(each.ru_utime + each.ru_stime for each in used), file=file)
"""
OVERLAP = """
def late(): time.sleep(0.5 + {round} % 10 * 0.0097); hold(300, 0.3)
for pid in [fork(late) for _ in range(2)]: os.waitpid(pid, 0)
time.sleep(0.5)
"""
SHARING = """
block = bytearray(200 << 20)
for at in range(0, len(block), 4096): block[at] = 1
for pid in [fork(lambda: time.sleep(3)) for _ in range(50)]: os.waitpid(pid, 0)
"""
#: What sums of proportional memory are compared with: the kernel's own, read while nothing changes.
SHARING_TRUTH = SHARING.replace(
    "for pid in [fork", "pids = [fork"
).replace("]: os.waitpid(pid, 0)", """]
time.sleep(1)
total = 0
for pid in [os.getpid(), *pids]:
    for line in open(f"/proc/{pid}/smaps_rollup"):
        if line.startswith("Pss:"): total += int(line.split()[1]) << 10
print(total)
for pid in pids: os.waitpid(pid, 0)""")  # fmt: skip


def run(code: str, *options: str) -> dict[str, float]:
    """Run a program under the runner, sampled every 100 ms, and return its metrics."""
    folder = common.scratch("accuracy")
    (folder / "work.py").write_text(PRELUDE + code)
    command = [*common.checkout_runner(), "--disable-history", "--json-output", "told.json", *options, "work.py"]
    subprocess.run(
        command, cwd=folder, env=common.environment(), check=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    told: dict[str, float] = json.loads((folder / "told.json").read_text())
    return told


def repeated(code: str, metric: str, rounds: int, *options: str) -> list[float]:
    """Return a metric of each of some runs; `{round}` in the program is the number of the run."""
    return [run(code.replace("{round}", str(number)), *options)[metric] for number in range(rounds)]


def row(work: str, values: Sequence[float], truth: float, unit: str, bound: str, holds: Callable[[float], bool]) -> Row:
    """Return a row that says how many runs came close enough to the truth."""
    good = sum(holds(value / truth) for value in values)
    figure = f"{min(values):.4g} to {max(values):.4g} of {truth:.4g} {unit}, {good} of {len(values)}"
    return (f"{work} ({len(values)} rounds)", figure, f"{bound} in all", good == len(values))


def rows(rounds: int = ROUNDS) -> list[Row]:
    """Measure; see `benchmarks.common` for what a row is."""
    times = min(rounds, ROUNDS)
    table = []
    for who, ending in (("child", "work()"), ("grandchild", "os.waitpid(fork(work), 0)")):
        peaks = repeated(SPIKE + ending, "memory_max_mb", times)
        table.append(row(f"peak of a {who} that holds 300 MB for 30 ms of 2 s", peaks, 300, "MB", ">= 95 %",
                         lambda part: 0.95 <= part <= 1.15))  # fmt: skip
    peaks = repeated(OVERLAP, "memory_max_mb", times)
    table.append(row("peak of two grandchildren, 300 MB each, that overlap for 300 ms", peaks, 600, "MB", "within 10 %",
                     lambda part: abs(part - 1) <= 0.1))  # fmt: skip
    for work, code in (
        ("CPU of 200 forks of 10 ms", "orphans = 0" + FORKS + TRUTH),
        ("CPU of the same and 20 double-forked orphans of 50 ms", FORKS + ORPHANS + TRUTH),
    ):
        parts = []
        for _ in range(times):
            seconds = run(code)["cpu_time_seconds"]
            parts.append(100 * seconds / float((common.SCRATCH / "accuracy" / "truth").read_text()))
        table.append(row(work, parts, 100, "%", "within 4 %", lambda part: abs(part - 1) <= 0.04))
    folder = common.scratch("accuracy")
    (folder / "truth.py").write_text(PRELUDE + SHARING_TRUTH)
    truth = int(subprocess.check_output([sys.executable, str(folder / "truth.py")])) / 2**20
    shared = repeated(SHARING, "memory_max_mb", times, "--memory", "pss")
    table.append(row("PSS of 51 forked processes that share 200 MB", shared, truth, "MB", "within 15 %",
                     lambda part: abs(part - 1) <= 0.15))  # fmt: skip
    return table


if __name__ == "__main__":
    common.print_table((__doc__ or "").splitlines()[0], rows(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS))
