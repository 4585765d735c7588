"""Runs with values like real ones, the same for the same number."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from runner.agent.events import EXITED, SAMPLE_FIELDS, Ended, Event, Output, Sample, Started
from runner.model.fold import Fold
from runner.model.run import Attempt, Run

if TYPE_CHECKING:
    from collections.abc import Iterator

#: 2026-01-31 12:00 UTC, in nanoseconds.
START = 1_769_860_800_000_000_000
MINUTE = 60_000_000_000

HOST = {
    "hostname": "worker-7.example.com",
    "kernel": "6.1.0-18-amd64",
    "platform": "Linux-6.1.0-18-amd64-x86_64",
    "machine": "x86_64",
    "cores": 8,
    "memory_bytes": 16 << 30,
}


def run_of(number: int, script: str = "jobs/train.py", **facts: object) -> Run:
    """Return a run without attempts, one of many of the same script."""
    run = Run(f"{random.Random(number).getrandbits(48):012x}", script, START + number * MINUTE)
    run.script_key = f"/srv/app/{script}"
    run.cwd = "/srv/app"
    run.user = "alice"
    run.args = ["--epochs", "100"]
    run.host = dict(HOST)
    run.python = "/srv/app/.venv/bin/python"
    run.python_version = "3.11.2"
    run.script_hash = f"{7:064x}"
    run.git_commit = f"{9:040x}"
    run.git_dirty = False
    run.runner_version = "0.1.0"
    for name, value in facts.items():
        setattr(run, name, value)
    return run


def started(run: Run) -> Started:
    return Started(
        0.0, run.started, 4242, 987654, "boot", run.host, {"stdout": "pipe", "stderr": "pipe", "merged": False}
    )


def samples(number: int, count: int) -> Iterator[Sample]:
    rng = random.Random(number)
    cpu = 0.0
    for index in range(count):
        cpu += rng.random() * 0.1
        pages = rng.randrange(30_000, 60_000)
        values: list[float | None] = [
            round(cpu, 9),
            rng.random() * 100,
            pages * 4096,
            pages * 4096,
            3,
            5,
            21,
            index * 4096,
            None,
            index * 12_345,
            index * 678,
        ]
        assert len(values) == len(SAMPLE_FIELDS)
        yield Sample(0.1 * (index + 1), 0.1, values)


def ended(number: int, t: float, reason: str = EXITED, exit_code: int | None = 0, **rest: object) -> Ended:
    rng = random.Random(number)
    usage: dict[str, float | None] = {
        "user_seconds": rng.random() * 3,
        "system_seconds": rng.random(),
        "max_process_bytes": rng.randrange(60_000) * 4096,
        "faults_minor": rng.randrange(20_000),
        "faults_major": rng.randrange(10),
        "switches_voluntary": rng.randrange(3000),
        "switches_involuntary": rng.randrange(300),
        "read_bytes": rng.randrange(1 << 24),
        "write_bytes": rng.randrange(1 << 24),
        "read_chars": rng.randrange(1 << 26),
        "write_chars": rng.randrange(1 << 26),
    }
    output = {"stdout": [60, 10], "stderr": [0, 0], "merged": False}
    return Ended(t + rng.random() / 100, reason, exit_code, usage=usage, output=output, **rest)  # type: ignore[arg-type]


def events(run: Run, number: int, count: int = 20) -> Iterator[Event]:
    """Return what an agent would tell of one successful attempt."""
    yield started(run)
    yield from samples(number, count)
    yield Output(0.1 * count, "stdout", 0, b"hello\n" * 10, 60, 10)
    yield ended(number, 0.1 * count)


def attempt_of(run: Run, number: int = 1, count: int = 20) -> Attempt:
    fold = Fold(number)
    for event in events(run, number, count):
        fold.tell(event)
    return fold.attempt


def whole(number: int, count: int = 20, **facts: object) -> Run:
    """Return a finished run."""
    run = run_of(number, **facts)  # type: ignore[arg-type]
    run.attempts = [attempt_of(run, count=count)]
    return run
