"""Make a record of many runs with seasons, drifts, failures and outliers: ``python -m benchmarks.generate FILE``.

The same arguments make the same runs. They go into the file by the store's own statements, without its waits for the
disk; a test compares the result with what `Store.save` makes of the same runs.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from math import cos, pi
from typing import TYPE_CHECKING, Any, NamedTuple

if __package__ in (None, ""):
    sys.path[:0] = [__file__.rsplit("/", 2)[0], __file__.rsplit("/", 2)[0] + "/src"]

from runner.agent.events import EXITED, SAMPLE_FIELDS, SIGNALED, TIMEOUT, Sample, dumps
from runner.model import metrics
from runner.model.curve import Curve
from runner.model.run import Attempt, Run, Tail
from runner.stores import rows
from runner.stores.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNS = 1_000_000
SCRIPTS = 100
SEED = 20261101
DAY = 86_400_000_000_000
YEAR = 365 * DAY
#: Where the year ends: 2026-11-01 00:00 UTC, in nanoseconds. Fixed, so that the runs are the same every time.
END = 1_793_491_200_000_000_000

_WORDS = ("load", "clean", "train", "report", "sync", "backup", "ingest", "score", "export", "audit")
_AREAS = ("orders", "users", "stock", "billing", "events", "search", "media", "fraud", "mail", "geo")
_ERRORS = (("ValueError", "could not convert string to float: ''"), ("ConnectionError", "connection reset by peer"),
           ("KeyError", "'customer_id'"), ("MemoryError", None))  # fmt: skip
_HOSTS = [
    {"hostname": f"worker-{number}.example.com", "kernel": "6.1.0-18-amd64", "machine": "x86_64",
     "platform": "Linux-6.1.0-18-amd64-x86_64", "cores": cores, "memory_bytes": cores << 31}
    for number, cores in enumerate((4, 8, 8, 16))
]  # fmt: skip
#: Different curves and outputs; runs that have them share these.
_KEPT = 40
_SHARE_RETRIED = 0.01


class Script(NamedTuple):
    """What one script is like."""

    path: str
    seconds: float  #: usual wall time
    noise: float  #: relative, of one run
    season: float  #: how much more it takes in the afternoon than at night, relative
    weekend: float  #: share of its work on Saturday and Sunday
    drift: float  #: relative, over the year
    step: float  #: relative, at the middle of the year
    failing: float  #: share of runs
    memory: float  #: MB
    cores: float  #: CPU time over wall time
    dated: bool  #: whether it is given the day as an argument


class Made(NamedTuple):
    """One run, made up."""

    id: int
    script: int
    started: int
    version: int
    args: tuple[str, ...]
    load: float
    input_bytes: int | None
    extra: dict[str, float]
    tags: dict[str, str]
    retried: bool
    reason: str
    exit_code: int | None
    signal: int | None
    error: tuple[str | None, str | None]
    figures: tuple[float | int | None, ...]  #: in the order of the catalog


def scripts(rng: random.Random, count: int) -> list[Script]:
    """Make up scripts; those far down a long list have numbers in their names."""
    return [
        Script(
            path=f"jobs/{_WORDS[number % 10]}_{_AREAS[number // 10 % 10]}{number // 100 or ''}.py",
            seconds=round(min(3600.0, rng.lognormvariate(2.5, 1.5)), 3),
            noise=rng.uniform(0.02, 0.15),
            season=rng.choice((0.0, 0.1, 0.4)),
            weekend=rng.choice((1.0, 1.0, 0.5)),
            drift=rng.choice((0.0, 0.0, 0.0, 0.3, -0.15)),
            step=rng.choice((0.0, 0.0, 0.0, 0.0, 0.25)),
            failing=rng.choice((0.001, 0.01, 0.01, 0.05)),
            memory=round(rng.lognormvariate(5.0, 1.0), 1),
            cores=rng.choice((0.3, 0.9, 0.95, 3.5)),
            dated=number % 5 == 0,
        )
        for number in range(count)
    ]


def made(runs: int, known: list[Script], rng: random.Random, end: int = END) -> Iterator[Made]:
    """Make up runs, the oldest first, each script as often as every other."""
    gap = YEAR // runs
    uniform, gauss, chance = rng.uniform, rng.gauss, rng.random
    order = list(range(len(known)))
    for number in range(runs):
        place = number % len(known)
        if not place:
            rng.shuffle(order)
        which = order[place]
        script = known[which]
        started = end - YEAR + number * gap + int(chance() * gap * 0.9)
        part = number / runs
        hour = started % DAY / DAY
        usual = script.seconds * (1 + script.drift * part + (script.step if part > 0.5 else 0.0))
        usual *= 1 + script.season * (0.5 - 0.5 * cos(2 * pi * (hour - 0.1)))
        if (started // DAY + 3) % 7 >= 5:
            usual *= script.weekend
        wall = usual * max(0.1, gauss(1.0, script.noise))
        if chance() < 0.003:
            wall *= uniform(4, 20)
        # One bad week in the spring.
        failing = script.failing * (12 if 0.40 < part < 0.42 else 1)
        reason, exit_code, signal, error = EXITED, 0, None, (None, None)
        if chance() < failing:
            wall *= uniform(0.05, 1.2)
            reason, exit_code, signal, error = _failure(chance(), which, wall)
        wall = round(wall, 6)
        yield Made(
            rng.getrandbits(48), which, started, int(part * 9),
            ("--date", _date(started), "--fast") if script.dated else ("--all",) if which % 3 else (),
            round(abs(gauss(1.0, 0.8)), 2), int(uniform(1e5, 1e9)) if which % 4 == 0 else None,
            {"rows_done": float(int(uniform(100, 1e6)))} if which % 20 == 0 else {},
            {"team": _AREAS[which % 10]} if which % 10 == 0 else {},
            chance() < _SHARE_RETRIED, reason, exit_code, signal, error,
            _figures(script, wall, part, rng),
        )  # fmt: skip


def _failure(dice: float, which: int, wall: float) -> tuple[str, int | None, int | None, Any]:
    if dice < 0.1:
        return TIMEOUT, None, 15, ("timeout", f"timed out after {wall:.0f} s")
    if dice < 0.15:
        return SIGNALED, None, 9, ("signal:9", "ended by SIGKILL")
    return EXITED, 1, None, _ERRORS[which % len(_ERRORS)]


def _date(started: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(started // 1_000_000_000))


def _figures(script: Script, wall: float, part: float, rng: random.Random) -> tuple[float | int | None, ...]:
    """Return one value for each metric of the catalog, in its order."""
    chance = rng.random
    cpu = wall * script.cores * (0.9 + 0.2 * chance())
    system = cpu * 0.1 * chance()
    average = 100 * cpu / wall
    # Some scripts leak: more every week.
    peak = script.memory * (1 + script.drift * part * 0.5) * (0.95 + 0.1 * chance())
    processes = 1 if script.cores <= 1 else 4
    faults = int(peak * 256)
    read = int(peak * 400_000 * chance())
    lines = int(wall * 3)
    return (
        wall, average * (1 + 0.5 * chance()), average, average * chance(), cpu, cpu - system, system,
        peak, peak * 0.8, peak * 0.1, peak / processes,
        faults, int(chance() * 3), processes, 12, processes, int(wall * 40 * chance()), int(wall * 9 * chance()),
        read & ~4095, (read >> 3) & ~4095, read, read >> 2, lines, int(chance() < 0.1), lines * 61, 0, 0,
    )  # fmt: skip


def run_of(item: Made, known: list[Script]) -> Run:
    """Return the whole run of what was made up, without samples and output."""
    script = known[item.script]
    run = Run(f"{item.id:012x}", script.path, item.started)
    run.script_key = f"/srv/app/{script.path}"
    run.name = script.path.rpartition("/")[2]
    run.args, run.tags, run.extra = list(item.args), item.tags, item.extra
    run.line = [script.path, *item.args]
    run.cwd, run.user, run.python = "/srv/app", "batch", "/srv/app/.venv/bin/python"
    run.python_version, run.runner_version = ("3.11.9", "3.12.4")[item.version > 4], "0.1.0"
    run.script_hash = f"{item.script * 1000 + item.version:064x}"
    run.git_commit, run.git_dirty = f"{item.version:040x}", False
    run.host = _HOSTS[item.script % len(_HOSTS)]
    run.load, run.input_bytes = item.load, item.input_bytes
    if item.retried:
        run.attempts.append(_attempt(item, 1, EXITED, 1, None, _ERRORS[0], 0))
    start = int(item.figures[0] * 1e9) if item.retried else 0  # type: ignore[operator]
    run.attempts.append(
        _attempt(item, 1 + item.retried, item.reason, item.exit_code, item.signal, item.error, start)
    )
    return run


def _attempt(
    item: Made, number: int, reason: str, exit_code: int | None, signal: int | None, error: Any, start: int
) -> Attempt:
    attempt = Attempt(number, item.started + start)
    attempt.ended = attempt.started + int(item.figures[0] * 1e9)  # type: ignore[operator]
    attempt.reason, attempt.exit_code, attempt.signal = reason, exit_code, signal
    attempt.error_type, attempt.error_message = error
    attempt.metrics = dict(zip(rows.METRIC_COLUMNS, item.figures, strict=True))
    attempt.kinds = metrics.kinds(attempt.metrics, {})
    return attempt


def _last_columns(item: Made) -> tuple[Any, ...]:
    """Return what `rows.attempt_columns` returns for the last attempt of `run_of`; a test compares them."""
    duration = int(item.figures[0] * 1e9)  # type: ignore[operator]
    return (1 + item.retried, 0.0, duration if item.retried else 0, duration, item.reason, item.exit_code, item.signal,
            *item.error, False, None, *item.figures)  # fmt: skip


class _Keys:
    """Finds the rows that runs share, asking the store once for each."""

    def __init__(self, store: SqliteStore, known: list[Script]) -> None:
        self._store = store
        self._known = known
        self._found: dict[tuple[Any, ...], tuple[Any, ...]] = {}

    def of(self, item: Made) -> tuple[Any, ...]:
        """Return script, host, environment, version, arguments and line of a run."""
        shared = item.script, item.version, item.args
        if shared not in self._found:
            keys = self._store._keys(rows.facts(run_of(item, self._known)))
            self._found[shared] = tuple(
                keys[name] for name in ("script", "host", "environment", "version", "arguments", "line")
            )
        return self._found[shared]


def generate(path: str, runs: int = RUNS, count: int = SCRIPTS, seed: int = SEED, kept: float = 0.0,
             end: int = END) -> None:  # fmt: skip
    """Make a new record.

    Args:
        path: Its file; there must be none yet.
        runs: How many runs.
        count: Of how many scripts.
        seed: Other seeds make other runs.
        kept: Share of the runs that have samples and output.
        end: When the year ends, in nanoseconds since the epoch.

    Raises:
        FileExistsError: The file is there already.
    """
    if os.path.exists(path):
        raise FileExistsError(path)
    rng = random.Random(seed)
    known = scripts(rng, count)
    store = SqliteStore(path)
    execute, many = store._connection.execute, store._connection.executemany
    for setting in ("synchronous = OFF", "cache_size = -300000", "wal_autocheckpoint = 20000"):
        execute(f"PRAGMA {setting}")
    keys = _Keys(store, known)
    blobs = _blobs(random.Random(seed)) if kept else []
    statements = {name: store._query(name) for name in ("add_run", "add_attempt", "add_curve", "add_output")}
    batch: dict[str, list[tuple[Any, ...]]] = {name: [] for name in statements}
    execute("BEGIN IMMEDIATE")
    for seq, item in enumerate(made(runs, known, rng, end), 1):
        script, host, environment, version, arguments, line = keys.of(item)
        last = _last_columns(item)
        batch["add_run"].append((
            item.id, script, item.started, host, environment, version, arguments, line, round(item.load * 100),
            item.input_bytes, dumps(item.tags) if item.tags else None, dumps(item.extra) if item.extra else None,
            1 + item.retried, *last,
        ))  # fmt: skip
        if item.retried:
            error = _ERRORS[0]
            batch["add_attempt"].append((seq, 1, 0.0, 0, last[3], EXITED, 1, None, *error, False, None, *item.figures))
        if kept and seq % round(1 / kept) == 0:
            curve, output = blobs[seq % _KEPT]
            batch["add_curve"].append((seq, last[0], curve))
            batch["add_output"].append((seq, last[0], "stdout", *output))
        if len(batch["add_run"]) == 10_000:
            _flush(many, statements, batch)
    _flush(many, statements, batch)
    execute("COMMIT")
    execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    store.close()


def _flush(many: Any, statements: dict[str, str], batch: dict[str, list[tuple[Any, ...]]]) -> None:
    for name, waiting in batch.items():
        many(statements[name], waiting)
        waiting.clear()


def _blobs(rng: random.Random) -> list[tuple[bytes, list[Any]]]:
    """Return curves, and outputs as size, lines, head and tail, as the store keeps them."""
    result = []
    for number in range(_KEPT):
        run = Run("0" * 12, "x.py", 0)
        run.attempts = [Attempt(1, 0)]
        curve = run.last.curve = Curve()
        for index in range(10 + 10 * number):
            curve.add(Sample(0.1 * (index + 1), 0.1, [rng.random() * 100 for _ in SAMPLE_FIELDS]))
        text = "".join(f"line {line}: {rng.random()}\n" for line in range(5 + 5 * number)).encode()
        run.last.output["stdout"] = Tail(text, b"", len(text), text.count(b"\n"))
        curves, outputs = rows.blobs(run)
        result.append((curves[0][1], outputs[0][2:]))
    return result


def main() -> int:
    """Make the record that the command line asks for."""
    parser = argparse.ArgumentParser(prog="benchmarks.generate", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", metavar="FILE", help="the record to make")
    parser.add_argument("--runs", type=int, default=RUNS, help="how many runs (default: %(default)s)")
    parser.add_argument("--scripts", type=int, default=SCRIPTS, help="of how many scripts (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=SEED, help="other seeds make other runs (default: %(default)s)")
    parser.add_argument("--kept", type=float, default=0.0, metavar="SHARE",
                        help="share of the runs that have samples and output (default: none)")  # fmt: skip
    parser.add_argument("--now", action="store_true", help="let the year end now instead of on 2026-11-01")
    options = parser.parse_args()
    start = time.monotonic()
    try:
        generate(options.file, options.runs, options.scripts, options.seed, options.kept,
                 time.time_ns() if options.now else END)  # fmt: skip
    except FileExistsError:
        parser.error(f"{options.file} is there already")
    size = os.path.getsize(options.file)
    print(f"{options.runs:,} runs in {time.monotonic() - start:.0f} s, {size / options.runs:.0f} bytes a run")
    return 0


if __name__ == "__main__":
    sys.exit(main())
