"""What storing a finished run costs, against the least that SQLite can do with the same durability."""

from __future__ import annotations

import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING

if __package__ in (None, ""):
    sys.path[:0] = [__file__.rsplit("/", 2)[0], __file__.rsplit("/", 2)[0] + "/src"]

from benchmarks import common

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.common import Row

ROUNDS = 30
#: Runs that are in the record already.
BEFORE = 1000
#: Most that a run may cost in the file, without samples and output, in bytes.
BYTES = 400
#: Most that storing may take, as a multiple of the bare insert; and all that is done at the end of a run, which
#: compares it with those before it besides.
TIMES = {"store": 2.0, "recorder": 2.5}

_SAMPLES = 10


def bare(path: str, values: list[object]) -> None:
    """Open a database, insert one row of the same figures, commit, close."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(f"INSERT INTO runs VALUES ({', '.join('?' * len(values))})", values)
    connection.execute("COMMIT")
    connection.close()


def prepare(folder: Path, runs: int = BEFORE) -> tuple[str, str]:
    """Return the paths of a bare database and of a record, each with that many runs in it."""
    from runner.stores.rows import attempt_columns
    from runner.stores.sqlite import SqliteStore
    from tests.unit.stores.made import whole

    plain, record = str(folder / "bare.db"), str(folder / "history.db")
    connection = sqlite3.connect(plain, isolation_level=None)
    run = whole(0)
    width = len(attempt_columns(run.last, run.started))
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"CREATE TABLE runs ({', '.join(f'c{number}' for number in range(width))})")
    connection.execute("BEGIN")
    store = SqliteStore(record)
    store._connection.execute("PRAGMA synchronous = OFF")
    for number in range(runs):
        run = whole(number, count=_SAMPLES)
        columns = attempt_columns(run.last, run.started)
        connection.execute(f"INSERT INTO runs VALUES ({', '.join('?' * width)})", columns)
        store.save(run)
    connection.execute("COMMIT")
    connection.close()
    store.close()
    return plain, record


def once(kind: str, path: str, number: int) -> float:
    """Store one run in one of the ways and return the seconds it took."""
    from runner.engine.record import Recorder
    from runner.engine.run_options import RecordOptions
    from runner.stores.rows import attempt_columns
    from runner.stores.sqlite import SqliteStore
    from tests.unit.stores.made import events, run_of, whole

    run = whole(number, count=_SAMPLES)
    if kind == "recorder":
        recorder = Recorder(RecordOptions(history_db=path), "/", run_of(number))
        for event in events(run, number, _SAMPLES):
            recorder.tell(event, 1)
        start = time.perf_counter()
        said = recorder.finish(run)
        seconds = time.perf_counter() - start
        if said:
            raise RuntimeError(said[0])
        return seconds
    columns = attempt_columns(run.last, run.started)
    start = time.perf_counter()
    if kind == "bare":
        bare(path, columns)
    else:
        store = SqliteStore(path)
        store.save(run)
        store.close()
    return time.perf_counter() - start


def fsyncs(kind: str, path: str, folder: Path) -> int:
    """Count the calls that wait for the disk while one run is stored in a process of its own."""
    trace = folder / "trace"
    code = f"from benchmarks.store import once; once({kind!r}, {path!r}, {10**6 + len(kind)})"
    subprocess.run(
        [
            "strace",
            "-f",
            "-qq",
            "-e",
            "trace=fsync,fdatasync,sync_file_range,msync",
            "-o",
            trace,
            sys.executable,
            "-c",
            code,
        ],
        check=True,
        cwd=common.ROOT,
        env={**common.environment(), "PYTHONPATH": f"{common.ROOT}:{common.ROOT / 'src'}"},
    )
    return len(trace.read_text().splitlines())


def bytes_a_run(folder: Path) -> float:
    """Return what a run adds to the file, without samples and output."""
    from runner.stores.sqlite import SqliteStore
    from tests.unit.stores.made import whole

    path = str(folder / "size.db")
    store = SqliteStore(path)
    store._connection.execute("PRAGMA synchronous = OFF")
    for number in range(2 * BEFORE):
        run = whole(number, count=_SAMPLES, script=f"jobs/job{number % 20}.py", script_hash=f"{number % 40:064x}")
        run.last.output, run.last.curve = {}, None
        store.save(run)
    store.close()
    return os.path.getsize(path) / (2 * BEFORE)


def rows(rounds: int = ROUNDS) -> list[Row]:
    """Measure; see `benchmarks.common` for what a row is."""
    folder = common.scratch("store")
    plain, record = prepare(folder)
    paths = {"bare": plain, "store": record, "recorder": record}
    taken: dict[str, list[float]] = {kind: [] for kind in paths}
    for turn in range(rounds + 1):
        for offset in range(len(paths)):
            kind = list(paths)[(turn + offset) % len(paths)]
            seconds = once(kind, paths[kind], BEFORE + turn * len(paths) + offset)
            if turn:  # the first round warms up
                taken[kind].append(seconds)
    medians = {kind: statistics.median(times) for kind, times in taken.items()}
    result = []
    labels = {"store": "store a run (open, save, close)", "recorder": "end a run (store, compare, remove the journal)"}
    for kind, label in labels.items():
        times = medians[kind] / medians["bare"]
        against = f"{times:.2f}x a bare insert ({1000 * medians['bare']:.2f} ms)"
        figure = f"{1000 * medians[kind]:.2f} ms, {against}, {rounds} rounds"
        result.append((label, figure, f"<= {TIMES[kind]:g}x", times <= TIMES[kind]))
    if shutil.which("strace"):
        least = fsyncs("bare", plain, folder)
        for kind, label in labels.items():
            count = fsyncs(kind, record, folder)
            result.append(
                (f"waits for the disk: {label}", f"{count}, a bare insert {least}", f"<= {least}", count <= least)
            )
    else:
        result.append(("waits for the disk", "strace is not installed", "", False))
    size = bytes_a_run(folder)
    result.append(
        (
            "a run in the file, no samples or output",
            f"{size:.0f} bytes of {2 * BEFORE} runs",
            f"< {BYTES}",
            size < BYTES,
        )
    )
    return result


if __name__ == "__main__":
    common.print_table((__doc__ or "").splitlines()[0], rows())
