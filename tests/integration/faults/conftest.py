"""What the tests of faults share: what the record holds, a small disk, a user whom modes of files bind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests import support
from tests.integration.record.conftest import disk as disk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DATABASE = "script_runner_history.db"
#: Seconds after which a hang is taken for granted.
HANG = 60.0


def history(runner: support.Command, *options: object) -> list[dict[str, Any]]:
    """Return the runs that the record holds, the newest first."""
    done = runner("history", "--format", "json", *options)
    assert done.exit_code == 0, done
    runs: list[dict[str, Any]] = json.loads(done.out)["runs"]
    return runs


def end_of(run: dict[str, Any]) -> tuple[Any, ...]:
    """Return how the record says that a run ended."""
    return run["reason"], run["exit_code"], run["signal"], run["error_message"]


def wait_for(condition: Callable[[], object], what: str) -> None:
    """Wait until something is the case."""
    deadline = time.monotonic() + HANG
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come to be within {HANG:g} s"
        time.sleep(0.02)


def shell(runner: support.Command, line: str, **options: Any) -> support.Result:
    """Run a line of bash in the runner's folder."""
    done = subprocess.run(
        ["bash", "-c", line], stdin=subprocess.DEVNULL, capture_output=True, cwd=runner.cwd, env=runner.env,
        timeout=HANG, **options,
    )  # fmt: skip
    return support.Result(done.returncode, done.stdout, done.stderr)


def alone(runner: support.Command, *argv: object) -> support.Result:
    """Run Python as without a runner."""
    done = subprocess.run(
        [sys.executable, *map(str, argv)], stdin=subprocess.DEVNULL, capture_output=True, cwd=runner.cwd,
        env=runner.env, timeout=HANG,
    )  # fmt: skip
    return support.Result(done.returncode, done.stdout, done.stderr)


@pytest.fixture(autouse=True)
def _nothing_left(runner: support.Command, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """End what a failing test leaves running."""
    started: list[subprocess.Popen[bytes]] = []
    start = runner.start

    def note(*args: object, **options: Any) -> subprocess.Popen[bytes]:
        started.append(start(*args, **options))
        return started[-1]

    monkeypatch.setattr(runner, "start", note)
    yield
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()


@pytest.fixture
def bound(runner: support.Command) -> support.Command:
    """Return the command as one whom the modes of files bind, which they don't bind root."""
    argv = runner.argv
    if os.geteuid() == 0:
        setpriv = support.require("setpriv")
        argv = [setpriv, "--bounding-set", "-dac_override,-dac_read_search", *argv]
    return support.Command(runner.cwd, runner.env, argv)
