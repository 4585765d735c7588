from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runner.agent import proc, tree
from runner.agent.proc import Process

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(not tree.HAS_PROC, reason="needs /proc")

MB = 1 << 20


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    child = subprocess.Popen(["sleep", "60"])
    wait_for_program(child.pid, "sleep")
    yield child
    child.kill()
    child.wait()


def wait_for_program(pid: int, name: str) -> None:
    """Wait until the process executes a program, and that sleeps."""
    process = Process(pid, 0)
    deadline = time.monotonic() + 30
    still = 0
    while still < 4 and time.monotonic() < deadline:
        asleep = f"({name}) S" in Path(f"/proc/{pid}/stat").read_text()
        still = still + 1 if asleep and not process.moved() else 0
        time.sleep(0.01)


def test_a_sleeping_process_has_not_moved(sleeper: subprocess.Popen[bytes]) -> None:
    process = Process(sleeper.pid, os.getpid())
    process.moved()
    assert not process.moved()
    assert process.cpu > 0


def test_a_process_that_runs_has_moved() -> None:
    process = Process(os.getpid(), os.getppid())
    process.moved()
    assert process.moved()
    assert process.cpu == pytest.approx(time.process_time_ns(), rel=0.2)


def test_the_fallback_without_cpu_clocks_tells_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proc, "_CLOCKS", False)
    process = Process(os.getpid(), os.getppid())
    end = time.process_time() + 0.05
    while time.process_time() < end:
        pass
    assert process.moved()
    assert process.cpu == pytest.approx(time.process_time_ns(), abs=40_000_000)
    gone = subprocess.Popen(["true"])
    gone.wait()
    with pytest.raises(ProcessLookupError):
        Process(gone.pid, 0).moved()


def test_reads_what_the_process_is(sleeper: subprocess.Popen[bytes]) -> None:
    process = Process(sleeper.pid, 0)
    process.moved()
    process.read()
    assert process.parent == os.getpid()
    assert process.state == "S"
    assert 0 < process.rss <= process.peak < 50 * MB
    assert process.rose
    assert process.threads == 1
    assert process.fds == len(os.listdir(f"/proc/{sleeper.pid}/fd"))
    assert process.io is not None
    assert process.io[2] > 0
    process.read()
    assert not process.rose


def test_a_high_water_mark_rises_and_starts_anew() -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", "import sys,os\nsys.stdin.readline()\nb=bytearray(40<<20)\ndel b\n"
         "print(flush=True)\nsys.stdin.readline()\nos.execvp('sleep',['sleep','60'])"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert child.stdin is not None
    assert child.stdout is not None
    process = Process(child.pid, 0)
    try:
        process.read()
        child.stdin.write(b"\n")
        child.stdin.flush()
        child.stdout.readline()
        process.read()
        assert process.rose
        assert process.peak - process.rss > 30 * MB
        child.stdin.write(b"\n")
        child.stdin.flush()
        wait_for_program(child.pid, "sleep")
        process.read()
        assert process.peak < 20 * MB
    finally:
        child.kill()
        child.communicate()


def test_a_zombie_still_tells_its_time_and_its_io_but_no_memory() -> None:
    pid = os.posix_spawn(sys.executable, [sys.executable, "-c", "pass"], dict(os.environ))
    process = Process(pid, os.getpid())
    process.read()
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    process.moved()
    process.read(last=True)
    assert process.state == "Z"
    assert process.io is not None
    _, _, usage = os.wait4(pid, 0)
    assert sum(process.times()) == pytest.approx(usage.ru_utime + usage.ru_stime, abs=0.001)
    assert process.faults() == (usage.ru_minflt, usage.ru_majflt)
    with pytest.raises(ProcessLookupError):
        process.moved()
    with pytest.raises(ProcessLookupError):
        process.read()
    process.close()


def test_knows_who_ignores_the_end_of_its_children(sleeper: subprocess.Popen[bytes]) -> None:
    deaf = subprocess.Popen(
        ["sleep", "60"], preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    )
    try:
        found = []
        for child in (sleeper, deaf):
            process = Process(child.pid, 0)
            process.read()
            found.append(process.ignores_children)
        assert found == [False, True]
    finally:
        deaf.kill()
        deaf.wait()


def test_children_of_every_thread_are_found() -> None:
    started = threading.Event()
    done = threading.Event()
    children: list[int] = []

    def work() -> None:
        child = subprocess.Popen(["sleep", "60"])
        children.append(child.pid)
        started.set()
        done.wait()
        child.kill()
        child.wait()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        started.wait()
        assert children[0] in Process(os.getpid(), 0).children()
        assert children[0] in tree.descendants(os.getpid())
    finally:
        done.set()
        thread.join()


def test_counts_descriptors_where_the_kernel_does_not(
    sleeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    process = Process(sleeper.pid, 0)
    process.read()
    counted = process.fds
    monkeypatch.setattr(proc, "_FDS_COUNTED", False)
    process.read()
    assert process.fds == counted


def test_reads_without_keeping_anything_open(
    sleeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proc, "_MAY_KEEP", 0)
    before = len(os.listdir("/proc/self/fd"))
    process = Process(sleeper.pid, 0)
    process.read()
    process.read()
    assert process.children() == []
    assert len(os.listdir("/proc/self/fd")) == before


def test_close_gives_back_what_was_open(sleeper: subprocess.Popen[bytes]) -> None:
    before = len(os.listdir("/proc/self/fd"))
    process = Process(sleeper.pid, 0)
    process.read()
    assert len(os.listdir("/proc/self/fd")) > before
    process.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_proportional_memory(sleeper: subprocess.Popen[bytes]) -> None:
    shares = Process(sleeper.pid, 0).proportional()
    assert shares is not None
    pss, private, rss = shares
    assert 0 < private <= pss <= rss
    assert Process(2**22 - 1, 0).proportional() is None
