"""A signal reaches the script as often as it would alone, whoever it was sent to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests import support
from tests.integration.signals.conftest import HANG, TELL, stat_of, wait_for, witness_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.signals.conftest import Running

NUMBERS = [
    signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM,
    signal.SIGCONT, signal.SIGWINCH, signal.SIGURG, signal.SIGIO, signal.SIGRTMIN + 1,
]  # fmt: skip
ONCE = {int(number): 1 for number in NUMBERS}
INTERPRETERS = [sys.executable, *support.AGENT_INTERPRETERS.values()]


@pytest.mark.parametrize("python", INTERPRETERS, ids=["this", *support.AGENT_INTERPRETERS])
@pytest.mark.parametrize("send", [os.kill, os.killpg], ids=["runner alone", "whole group"])
def test_every_signal_is_delivered_once(
    start: Callable[..., Running], python: str, send: Callable[[int, int], None]
) -> None:
    running = start(python=python)
    running.ready()
    for number in NUMBERS:
        send(running.process.pid, number)
    assert running.delivered(len(NUMBERS)) == ONCE
    report = running.finish()
    done = "forwarded" if send is os.kill else "seen"
    # The driver tells no SIGWINCH: a change of the terminal's size is no news.
    assert {(number, action) for number, _, action in report["signals"]} == {
        (int(number), done) for number in NUMBERS if number != signal.SIGWINCH
    }
    assert {sender for _, sender, _ in report["signals"]} == {os.getpid()}
    assert (report["reason"], running.process.returncode) == ("exited", 0)


def test_a_signal_sent_to_each_process_in_turn_is_delivered_once(start: Callable[..., Running]) -> None:
    """As systemd does to a whole control group."""
    running = start()
    script = running.ready()
    for pid in (running.process.pid, witness_of(running), script):
        os.kill(pid, signal.SIGTERM)
        time.sleep(0.005)
    assert running.delivered(1) == {signal.SIGTERM: 1}


def test_a_signal_reaches_a_script_that_left_the_group(start: Callable[..., Running]) -> None:
    running = start([*TELL, "--own-group"])
    running.ready()
    os.killpg(running.process.pid, signal.SIGTERM)
    assert running.delivered(1) == {signal.SIGTERM: 1}
    assert [action for *_, action in running.finish()["signals"]] == ["forwarded"]


def test_a_witness_without_time_to_report_is_still_believed(start: Callable[..., Running]) -> None:
    running = start()
    running.ready()
    witness = witness_of(running)
    os.kill(witness, signal.SIGSTOP)
    wait_for(lambda: stat_of(witness)[0] == "T")
    os.killpg(running.process.pid, signal.SIGUSR1)
    os.kill(running.process.pid, signal.SIGUSR2)
    assert running.delivered(2) == {signal.SIGUSR1: 1, signal.SIGUSR2: 1}
    os.kill(witness, signal.SIGCONT)
    # The late report answers for nothing any more.
    os.kill(running.process.pid, signal.SIGUSR1)
    assert running.delivered(3) == {signal.SIGUSR1: 2, signal.SIGUSR2: 1}


def test_signals_are_passed_on_when_the_witness_was_killed(start: Callable[..., Running]) -> None:
    running = start()
    running.ready()
    witness = witness_of(running)
    os.kill(witness, signal.SIGKILL)
    wait_for(lambda: stat_of(witness)[:1] in ([], ["Z"]))
    os.kill(running.process.pid, signal.SIGTERM)
    assert running.delivered(1) == {signal.SIGTERM: 1}


def test_what_the_script_sends_to_the_runner_is_not_returned_to_it(start: Callable[..., Running]) -> None:
    code = (
        "import os, signal; signal.signal(10, lambda *_: os.write(1, b'10\\n')); signal.signal(12, signal.SIG_IGN);"
        "os.write(1, b'ready 1\\n'); os.kill(os.getppid(), 10);"
        "os.fork() or (os.setsid(), os.kill(int(os.environ['TO']), 12)); os.read(0, 1)"
    )
    running = start(["/bin/sh", "-c", f'TO=$PPID exec "{sys.executable}" -c "$1"', "sh", code])
    running.ready()
    assert running.delivered(0) == {}
    report = running.finish()
    assert [(number, action) for number, _, action in report["signals"]] == [(10, "seen"), (12, "seen")]


@pytest.mark.parametrize("command", [["sleep", "30"], TELL], ids=["dies", "handles"])
def test_timeout_delivers_its_signal_once(start: Callable[..., Running], command: list[str]) -> None:
    timeout = support.require("timeout")
    running = start([support.require(command[0]), *command[1:]], wrap=[timeout, "--preserve-status", "1"])
    if command is TELL:
        running.ready()
        delivered = running.delivered(1)
        delivered.pop(signal.SIGCONT, None)  # which it sends after a SIGTERM, to the group and to its child
        assert delivered == {signal.SIGTERM: 1}
        assert running.finish()["reason"] == "exited"
    else:
        report = running.finish()
        assert (report["reason"], report["signal"]) == ("cancelled", signal.SIGTERM)
        assert running.process.returncode == 128 + signal.SIGTERM


@pytest.mark.parametrize(
    "wrap",
    [
        ["sh", "-c", 'trap "" INT HUP; exec "$@"', "sh"],
        ["nohup"],
        ["sh", "-c", '"$@" & wait', "sh"],
    ],
    ids=["trap", "nohup", "in the background of sh"],
)
def test_an_inherited_ignore_reaches_the_script(start: Callable[..., Running], wrap: list[str]) -> None:
    code = "from signal import *; print('ready', sum((getsignal(n) == SIG_IGN) << n for n in (1, 2, 3)), flush=True)"
    command = [sys.executable, "-c", code]
    alone = subprocess.run([*wrap, *command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=HANG).stdout
    running = start(command, wrap=wrap)
    assert running.ready() == int(alone.split()[1]) != 0
    running.process.wait(HANG)


def test_mask_and_dispositions_reach_the_script_unchanged(start: Callable[..., Running]) -> None:
    """But for SIGPIPE and SIGXFSZ, which CPython ignores in itself."""
    command = ["/bin/grep", "-E", "^Sig(Blk|Ign|Cgt)", "/proc/self/status"]

    def prepare() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2, signal.SIGTERM})
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)

    alone = subprocess.run(command, stdout=subprocess.PIPE, preexec_fn=prepare, timeout=HANG).stdout
    running = start(command, preexec_fn=prepare)
    output, errors = running.process.communicate(timeout=HANG)
    assert (errors, running.process.returncode) == (b"", 0)
    assert without_internal(output) == without_internal(alone)


def without_internal(status: bytes) -> list[int]:
    """Return the sets without 32 and 33, which the C library keeps to itself and posix_spawn leaves ignored."""
    return [int(line.split()[1], 16) & ~(3 << 31) for line in status.splitlines()]
