"""Deleting half of a large record: how long it takes, and how long a runner that stores meanwhile waits."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from benchmarks import common

if __package__ in (None, ""):
    sys.path[:0] = [str(common.ROOT), str(common.ROOT / "src")]

from benchmarks.queries import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from benchmarks.common import Row

RUNS = 1_000_000
SECONDS = 60.0
#: Seconds for which a runner may find the record locked at a time.
WAIT = 0.1
#: Seconds that an automatic cleanup may take.
AUTOMATIC = 0.2

#: A runner's way into the record, again and again: prints how long each waited for the lock, and how long it took.
WRITER = """
import sys, time
from runner.stores.sqlite import SqliteStore
from tests.unit.stores.made import whole
store = SqliteStore(sys.argv[1])
connection = store._connection
class Timed:
    def __getattr__(self, name):
        return getattr(connection, name)
    def execute(self, text, *values):
        start = time.perf_counter()
        try:
            return connection.execute(text, *values)
        finally:
            if text.startswith("BEGIN"):
                self.waited = time.perf_counter() - start
store._connection = Timed()
number = 10_000_000
print("ready", flush=True)
while True:
    number += 1
    run = whole(number, script="bench/writer.py")
    run.started = time.time_ns()
    start = time.perf_counter()
    store.save(run)
    print(store._connection.waited, time.perf_counter() - start, flush=True)
    time.sleep(0.02)
"""


def middle(path: Path) -> float:
    """Return how many days ago the run in the middle of a record was started."""
    with sqlite3.connect(path) as connection:
        count = connection.execute("SELECT count(*) FROM runs").fetchone()[0]
        [started] = connection.execute(
            "SELECT started FROM runs ORDER BY started LIMIT 1 OFFSET ?", [count // 2]
        ).fetchone()
    connection.close()
    return float((time.time_ns() - started) / 86_400e9)


def start_writer(path: Path) -> subprocess.Popen[str]:
    """Start what stores runs while the record is cleaned."""
    env = {**common.environment(), "PYTHONPATH": f"{common.ROOT}:{common.ROOT / 'src'}"}
    writer = subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, text=True, env=env)
    assert writer.stdout is not None
    writer.stdout.readline()
    return writer


def stop_writer(writer: subprocess.Popen[str]) -> list[tuple[float, float]]:
    """End the writer; return for each run it stored how long it waited for the lock, and how long it took."""
    writer.terminate()
    lines = writer.communicate()[0].splitlines()
    return [(float(wait), float(total)) for wait, total in (line.split() for line in lines if line.count(" ") == 1)]


def rows(rounds: int = 1) -> list[Row]:
    """Measure; see `benchmarks.common` for what a row is."""
    folder = common.scratch("retention")
    path = folder / "record.db"
    shutil.copyfile(record(RUNS)[0], path)
    command = common.installed_runner() or common.checkout_runner()
    days = int(middle(path))
    clean = [*command, "--history-db", str(path)]
    common.wall([*clean, "--db-stats"], folder)  # migrated, and in the cache
    result = []

    preview = common.wall([*clean, "--cleanup-old", str(days), "--retention-dry-run"], folder)
    result.append((f"say what of {RUNS:,} runs would go", f"{preview:.2f} s", "", True))

    first = automatic(path, days)
    result.append(
        ("automatic cleanup after a run, with half of it to do", f"{1000 * first:.0f} ms",
         f"<= {1000 * AUTOMATIC:.0f} ms", first <= AUTOMATIC)
    )  # fmt: skip

    before = os.path.getsize(path)
    writer = start_writer(path)
    seconds = common.wall([*clean, "--cleanup-old", str(days)], folder)
    waits = stop_writer(writer)
    after = os.path.getsize(path)
    longest = max(wait for wait, _ in waits)
    slowest = max(total for _, total in waits)
    result += [
        ("delete half of them, while a runner stores", f"{seconds:.1f} s", f"< {SECONDS:g} s", seconds < SECONDS),
        ("the longest that a runner waited for the lock",
         f"{1000 * longest:.0f} ms of {len(waits):,} runs stored (stored in {1000 * slowest:.0f} ms at most)",
         f"<= {1000 * WAIT:.0f} ms", longest <= WAIT),
        ("given back to the disk", f"{(before - after) / 2**20:.0f} of {before / 2**20:.0f} MB", "", True),
    ]  # fmt: skip
    return result


def automatic(path: Path, days: int) -> float:
    """Return how long an automatic cleanup takes that has far more to do than it may."""
    code = f"""
import time
from runner.engine.record import CLEANING_SECONDS
from runner.stores.sqlite import SqliteStore
store = SqliteStore({str(path)!r})
start = time.perf_counter()
deadline = time.monotonic() + CLEANING_SECONDS
from runner.engine.retention import tidy_up
tidy_up(store, {days}, (), deadline)
print(time.perf_counter() - start)
"""
    env = {**common.environment(), "PYTHONPATH": str(common.ROOT / "src")}
    return float(subprocess.check_output([sys.executable, "-c", code], env=env, text=True))


if __name__ == "__main__":
    common.print_table((__doc__ or "").splitlines()[0], rows())
