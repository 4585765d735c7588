"""The whole command, where its own start and end have a part in it."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.integration.signals.conftest import HANG, is_alive, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests import support

SLEEPER = """\
    import os, time
    print("started", os.getpid(), flush=True)
    time.sleep(60)
"""


def test_ctrl_c_ends_a_loop_of_the_shell(
    runner: support.Command, terminal: Callable[..., support.Terminal]
) -> None:
    shell = terminal(width=200)
    shell.line(f"for i in 1 2 3; do {runner.line(runner.script(SLEEPER))}; done; echo next")
    shell.wait("\nstarted ")
    shell.key("C-c")
    shell.wait("cancelled")
    shell.line("echo code=$?")
    text = shell.wait("\ncode=")
    assert text.count("\nstarted ") == 1
    assert "\nnext" not in text
    assert "\ncode=130" in text
    assert text.count("\nKeyboardInterrupt") == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
def test_the_command_dies_of_what_it_was_sent(runner: support.Command, number: signal.Signals) -> None:
    process = runner.start(runner.script(SLEEPER), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout
    script = int(process.stdout.readline().split()[1])
    process.send_signal(number)
    _, errors = process.communicate(timeout=HANG)
    assert process.returncode == -number
    assert f"cancelled by {number.name}".encode() in errors
    assert not is_alive(script)


def test_a_killed_command_takes_the_script_with_it(runner: support.Command) -> None:
    process = runner.start(runner.script(SLEEPER), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout
    script = int(process.stdout.readline().split()[1])
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=HANG)
    wait_for(lambda: not is_alive(script))


def test_a_second_signal_ends_the_wait_for_a_slow_reader(runner: support.Command) -> None:
    flood = 'import os\nprint("started", os.getpid(), flush=True)\nwhile True: print("y" * 1000)'
    process = runner.start("--quiet", runner.script(flood), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout
    script = int(process.stdout.readline().split()[1])
    process.terminate()
    wait_for(lambda: not is_alive(script))
    assert process.poll() is None  # what was written before is still to be read
    wait_for(lambda: process.poll() is not None or process.terminate())
    process.communicate(timeout=HANG)
    assert process.returncode == -signal.SIGTERM
