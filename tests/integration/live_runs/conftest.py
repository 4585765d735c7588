"""Runs that last until a test lets them go."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support import Command

#: Waits for a file, so that nothing depends on how fast a machine is.
WAIT = """
import pathlib, time
def wait(name):
    while not pathlib.Path(name).exists():
        time.sleep(0.02)
"""


def until(check: Callable[[], object], what: str = "it") -> object:
    """Return what `check` returns, once that is true; fail when it takes too long for any machine."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = check()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come")


def as_nobody(runner: Command, code: str) -> str:
    """Return what code prints that becomes another user half-way, when all that it needs has been imported.

    What interpreter and package are installed in may be closed to others.
    """
    head = """
import os
from runner.engine import live
from runner.engine.live_cancel import cancel
from runner.model.errors import RunnerError
path = "script_runner_history.db"  # not from the root: folders above may be closed
os.chmod(".", 0o755)
live.running(path)
def become_nobody():
    os.setgid(65534)
    os.setuid(65534)
"""
    done = subprocess.run([sys.executable, "-c", head + code], cwd=runner.cwd, env=runner.env, capture_output=True)
    assert done.returncode == 0, done
    return done.stdout.decode()


class Background:
    """Starts runs in the background, and ends what a test has left of them."""

    def __init__(self, runner: Command) -> None:
        self.runner = runner
        self.started: list[subprocess.Popen[bytes]] = []

    def __call__(self, *args: object, script: str = "", name: str = "job.py") -> subprocess.Popen[bytes]:
        """Start a run of a script and return once it is seen running."""
        before = {run["run_id"] for run in self.running()}
        if script:
            self.runner.script(WAIT + script, name)
        process = self.runner.start(*args, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.started.append(process)
        until(lambda: [run for run in self.running() if run["run_id"] not in before and run["pid"]], "the run")
        return process

    def running(self) -> list[dict]:
        """Return what ``runner ps`` shows."""
        answer = self.runner("ps", "--format", "json")
        assert answer.exit_code == 0, answer
        return json.loads(answer.out)["runs"]

    def go(self, name: str = "go") -> None:
        """Let scripts go on that wait for a file of that name."""
        (self.runner.cwd / name).touch()


@pytest.fixture
def background(runner: Command) -> Iterator[Background]:
    made = Background(runner)
    yield made
    for process in made.started:
        if process.poll() is None:
            process.kill()
        process.wait(30)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
