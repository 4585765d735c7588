"""A runner that is killed takes its script with it; a runner ends as its script did."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import support
from tests.integration.signals.conftest import HANG, TELL, is_alive, stat_of, wait_for, witness_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.signals.conftest import Running


@pytest.mark.parametrize("python", [sys.executable, *support.AGENT_INTERPRETERS.values()])
def test_a_killed_runner_takes_the_script_with_it(start: Callable[..., Running], python: str) -> None:
    running = start(python=python)
    script = running.ready()
    running.process.kill()
    wait_for(lambda: not is_alive(script))


def test_a_script_that_has_told_nothing_dies_too(start: Callable[..., Running], tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    running = start(["/bin/sh", "-c", "sleep 0.2; echo $$ >$1.new; mv $1.new $1; exec sleep 60", "sh", str(pid_file)])
    wait_for(pid_file.exists)
    script = int(pid_file.read_text())
    running.process.kill()
    wait_for(lambda: not is_alive(script))


def test_the_witness_is_not_found_by_the_names_of_others(start: Callable[..., Running]) -> None:
    """It would be sent what is meant for the runner, and report that the script has got it."""
    running = start()
    running.ready()
    own = running.process.pid
    children = Path(f"/proc/{own}/task/{own}/children")

    def look() -> bool:
        lines = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children.read_text().split()]
        return [line.strip(b"\0") for line in lines if b"tell.py" not in line] == [b"witness"]

    wait_for(look)


def test_nothing_is_left_behind(start: Callable[..., Running]) -> None:
    running = start()
    running.ready()
    running.finish()
    groups = subprocess.run(["ps", "-e", "-o", "pgid="], capture_output=True, text=True, timeout=HANG).stdout.split()
    assert str(running.process.pid) not in groups


def test_the_witness_holds_no_pipe_open(start: Callable[..., Running]) -> None:
    """Whoever reads the runner's output sees its end when the script closes it."""
    running = start(["/bin/sh", "-c", "echo ready $$; exec 1>&- 2>&-; read line"])
    running.ready()
    held = [os.readlink(path) for path in Path(f"/proc/{witness_of(running)}/fd").iterdir()]
    assert sorted(name.split(":")[0] for name in held) == ["anon_inode", "anon_inode", "pipe"]


@pytest.mark.parametrize("name", ["TERM", "KILL", "SEGV", "ABRT", "INT", "PIPE"])
def test_the_runner_dies_of_what_the_script_died_of(start: Callable[..., Running], name: str, tmp_path: Path) -> None:
    number = signal.Signals[f"SIG{name}"]
    running = start(["/bin/sh", "-c", f"kill -{name} $$"], cwd=tmp_path)
    report = running.finish()
    assert running.process.returncode == -number
    assert (report["reason"], report["exit_code"], report["signal"]) == ("signaled", 128 + number, number)
    assert not list(tmp_path.glob("core*"))


def test_a_signal_that_came_to_the_runner_makes_it_cancelled(start: Callable[..., Running]) -> None:
    running = start(["/bin/sh", "-c", "echo ready $$; exec sleep 60"])
    running.ready()
    running.process.terminate()
    report = running.finish()
    assert (report["reason"], report["signal"]) == ("cancelled", signal.SIGTERM)
    assert running.process.returncode == -signal.SIGTERM


def test_process_1_that_does_not_die_of_its_own_signal_exits_with_its_number() -> None:
    unshare = support.require("unshare")
    code = "from runner.agent.exit import die_of; die_of(15)"
    command = [unshare, "--fork", "--pid", "--kill-child", sys.executable, "-c", code]
    env = {**os.environ, "PYTHONPATH": str(support.SRC)}
    if subprocess.run([*command[:-2], "-c", ""], env=env, capture_output=True).returncode:
        pytest.skip("this user may not make a process-id namespace")
    assert subprocess.run(command, env=env, timeout=HANG).returncode == 128 + 15


def test_stopping_the_script_alone_does_not_stop_the_runner(start: Callable[..., Running]) -> None:
    running = start(TELL)
    script = running.ready()
    os.kill(script, signal.SIGSTOP)
    wait_for(lambda: stat_of(script)[0] == "T")
    os.kill(running.process.pid, signal.SIGUSR1)  # passed on, and there when the script goes on
    os.kill(script, signal.SIGCONT)
    assert running.delivered(2) == {signal.SIGUSR1: 1, signal.SIGCONT: 1}
    assert stat_of(running.process.pid)[0] != "T"
