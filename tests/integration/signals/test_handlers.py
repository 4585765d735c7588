"""Without a signalfd, as on macOS, signals are caught by handlers: weaker, and still right in what is most common."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from tests import support
from tests.integration.signals.conftest import HERE, TELL, stat_of, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.signals.conftest import Running


@pytest.fixture(autouse=True)
def _without_signalfd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIVE_WITHOUT_SIGNALFD", "1")


@pytest.mark.parametrize("python", [sys.executable, *support.AGENT_INTERPRETERS.values()])
def test_a_signal_to_the_runner_is_passed_on_once(start: Callable[..., Running], python: str) -> None:
    running = start(python=python)
    running.ready()
    numbers = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
    for number in numbers:
        os.kill(running.process.pid, number)
    assert running.delivered(len(numbers)) == dict.fromkeys(numbers, 1)
    report = running.finish()
    assert {(number, action) for number, _, action in report["signals"]} == {(int(n), "forwarded") for n in numbers}
    assert (report["reason"], running.process.returncode) == ("exited", 0)


def test_the_runner_dies_of_what_the_script_died_of(start: Callable[..., Running]) -> None:
    running = start(["/bin/sh", "-c", "echo ready $$; exec sleep 60"])
    running.ready()
    running.process.terminate()
    assert running.finish()["reason"] == "cancelled"
    assert running.process.returncode == -signal.SIGTERM


def test_stop_and_continue(start: Callable[..., Running]) -> None:
    running = start(start_new_session=False, process_group=0)
    script, job = running.ready(), running.process.pid
    for _ in range(2):
        os.killpg(job, signal.SIGTSTP)
        wait_for(lambda: stat_of(job)[0] == stat_of(script)[0] == "T")
        os.killpg(job, signal.SIGCONT)
        wait_for(lambda: stat_of(job)[0] != "T" != stat_of(script)[0])
    assert running.finish()["reason"] == "exited"


def test_ctrl_c_is_delivered_once(terminal: Callable[..., support.Terminal], tmp_path: Path) -> None:
    shell = terminal(width=300)
    words = [sys.executable, str(HERE / "drive.py"), str(tmp_path / "report"), *TELL]
    shell.line(f"DRIVE_WITHOUT_SIGNALFD=1 {shlex.join(words)}")
    shell.wait("\nready ")
    shell.key("C-c")
    shell.wait("^C2\n")
    shell.key("C-d")
    shell.line("echo code=$?")
    assert shell.wait("\ncode=0").partition("^C")[2].count("2\n") == 1  # the process id before may end with a 2 too
