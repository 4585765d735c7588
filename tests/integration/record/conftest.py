"""What the tests of the record share: processes that remember runs, and small disks."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from runner.engine.record import Recorder
from runner.engine.run_options import RecordOptions
from runner.model.fold import Fold
from tests import support
from tests.unit.stores.made import events, run_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from runner.model.run import Run


@pytest.fixture(autouse=True)
def state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the user a state directory of its own."""
    folder = tmp_path_factory.mktemp("state")
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    return folder


@pytest.fixture
def database(tmp_path: Path) -> str:
    return str(tmp_path / "history.db")


class Worker:
    """One process of ``worker.py``."""

    def __init__(self, database: str, number: int, *actions: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.record.worker", database, str(number), *actions],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=support.ROOT,
            env={**os.environ, "PYTHONPATH": str(support.SRC)},
        )

    def wait_ready(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def finish(self) -> tuple[int, list[str]]:
        """Let it end; return its exit code and the lines it said since."""
        said, _ = self.process.communicate(timeout=100)
        return self.process.returncode, [line for line in said.splitlines() if line != "ready"]


@pytest.fixture
def worker() -> Iterator[Callable[..., Worker]]:
    """Return a function that starts a process: ``worker(database, number, "wait")``."""
    started: list[Worker] = []

    def start(database: str, number: int, *actions: str) -> Worker:
        started.append(Worker(database, number, *actions))
        return started[-1]

    yield start
    for each in started:
        each.process.kill()
        each.process.communicate()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Return a function that mounts an empty disk of a size ("512k") and returns its folder."""
    folder = tmp_path / "disk"
    mounted = False

    def mount(size: str) -> Path:
        nonlocal mounted
        folder.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True, text=True
        )
        if done.returncode:
            support.missing(f"no small disk can be mounted: {done.stderr.strip()}")
        mounted = True
        return folder

    yield mount
    if mounted:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def remember(database: str, number: int, cwd: str = "/", **facts: object) -> tuple[Run, list[str]]:
    """Remember one run in this process; return it and what is to be said."""
    run = run_of(number, **facts)  # type: ignore[arg-type]
    recorder = Recorder(RecordOptions(history_db=database), cwd, run)
    finish_events(recorder, run, number)
    return run, recorder.finish(run)


def finish_events(recorder: Recorder, run: Run, number: int) -> None:
    fold = Fold(1)
    recorder.begin(fold.attempt)
    for event in events(run, number):
        fold.tell(event)
        recorder.tell(event, 1)
    run.attempts = [fold.attempt]
