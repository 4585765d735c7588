from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from runner import ProcessMonitor
from runner.engine import monitor as module
from runner.model.errors import UsageError
from runner.model.metrics import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MB = 1 << 20

#: Does a line of Python for each line that it reads, and says when it is done.
SERVANT = """
import sys, time, os, subprocess
def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end: pass
kept = []
for line in sys.stdin:
    exec(line)
    print(flush=True)
"""


class Servant:
    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVANT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.pid = self.process.pid
        self("pass")

    def __call__(self, line: str) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        self.process.stdout.readline()


@pytest.fixture
def servant() -> Iterator[Servant]:
    new = Servant()
    yield new
    new.process.kill()
    new.process.communicate()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.01)


def test_measures_what_happens_while_it_watches_and_nothing_before(servant: Servant) -> None:
    servant("burn(0.5)")
    servant("kept.append(bytearray(80 << 20)); kept.clear()")
    with ProcessMonitor(servant.pid, interval=0.02) as monitor:
        servant("burn(0.3)")
        servant("kept.append(b'x' * (30 << 20))")
        wait_until(lambda: len(monitor.samples) > 5)
    summary = monitor.summary()
    assert summary["cpu_time_seconds"] == pytest.approx(0.3, abs=0.1)
    assert 30 < summary["memory_max_mb"] < 70  # type: ignore[operator]
    assert summary["memory_max_process_mb"] < 70  # type: ignore[operator]
    assert summary["execution_time_seconds"] >= 0.3  # type: ignore[operator]
    assert summary["num_processes"] == 1
    assert summary.keys() <= BY_NAME.keys()


def test_what_only_a_parent_or_the_owner_of_the_output_knows_is_left_out(servant: Servant) -> None:
    with ProcessMonitor(servant.pid, interval=0.02) as monitor:
        wait_until(lambda: len(monitor.samples) > 1)
        summary = monitor.summary()
    assert None not in summary.values()
    assert not [name for name in summary if name.startswith("std")]


def test_samples_rise_in_time_and_reach_children(servant: Servant) -> None:
    with ProcessMonitor(servant.pid, interval=0.02) as monitor:
        servant("kept.append(subprocess.Popen(['sleep', '60']))")
        wait_until(lambda: monitor.latest().get("processes") == 2)
        servant("kept[0].kill(); kept[0].wait()")
        wait_until(lambda: monitor.latest().get("processes") == 1)
    times = [sample.t for sample in monitor.samples]
    assert times == sorted(times)
    assert sum(sample.span for sample in monitor.samples) == pytest.approx(times[-1])
    assert monitor.summary()["num_processes"] == 2


def test_a_process_that_ends_meanwhile_ends_the_watch_and_keeps_its_figures(servant: Servant) -> None:
    with ProcessMonitor(servant.pid, interval=0.02) as monitor:
        servant("burn(0.3)")
        wait_until(lambda: len(monitor.samples) > 5)
        servant.process.kill()
        servant.process.wait()
        wait_until(lambda: not monitor.running)
        assert monitor.summary()["cpu_time_seconds"] == pytest.approx(0.3, abs=0.1)
    assert monitor.summary()["cpu_time_seconds"] == pytest.approx(0.3, abs=0.1)
    with pytest.raises(UsageError, match=str(servant.pid)):
        monitor.start()


def test_counters_of_the_io_are_differences(servant: Servant) -> None:
    servant("open('/dev/null', 'wb').write(bytes(5 << 20))")
    with ProcessMonitor(servant.pid, interval=0.02) as monitor:
        servant("open('/dev/null', 'wb').write(bytes(3 << 20))")
    assert monitor.summary()["io_write_bytes"] == pytest.approx(3 * MB, rel=0.05)


def test_can_watch_its_own_process_and_start_again() -> None:
    before = threading.active_count()  # libraries that other tests use leave threads
    monitor = ProcessMonitor(os.getpid(), interval=0.02)
    first = monitor.start()
    wait_until(lambda: len(monitor.samples) > 3)
    with pytest.raises(RuntimeError):
        monitor.start()
    monitor.stop()
    monitor.stop()
    assert first is monitor
    assert not monitor.running
    count = len(monitor.samples)
    assert count == len(monitor.samples) > 3
    with monitor:
        assert len(monitor.samples) < count
    assert threading.active_count() == before


def test_memory_of_a_long_watch_is_bounded(servant: Servant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT_SAMPLES", 3)
    with ProcessMonitor(servant.pid, interval=0.01) as monitor:
        wait_until(lambda: bool(monitor.samples) and monitor.samples[-1].t > 0.15)
        assert len(monitor.samples) == 3
        assert monitor.summary()["execution_time_seconds"] > 0.15  # type: ignore[operator]


def test_no_such_process() -> None:
    for pid in (0, -1, 2**22 - 1, 2**70):
        with pytest.raises(UsageError, match=f"no process {pid}"):
            ProcessMonitor(pid)


@pytest.mark.parametrize("options", [{"interval": 0}, {"interval": float("nan")}, {"interval": -1}, {"interval": 1e12},
                                     {"interval": float("inf")}, {"memory": "uss"}])  # fmt: skip
def test_values_that_make_no_sense(options: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        ProcessMonitor(os.getpid(), **options)  # type: ignore[arg-type]


def test_proportional_memory(servant: Servant) -> None:
    with ProcessMonitor(servant.pid, interval=0.02, memory="pss") as monitor:
        wait_until(lambda: len(monitor.samples) > 3)
    pss = monitor.summary()["memory_avg_mb"]
    with ProcessMonitor(servant.pid, interval=0.02) as monitor:
        wait_until(lambda: len(monitor.samples) > 3)
    assert 0 < pss < monitor.summary()["memory_avg_mb"]  # type: ignore[operator]


def test_a_stopped_monitor_keeps_no_descriptors(servant: Servant) -> None:
    before = os.listdir("/proc/self/fd")
    for _ in range(2):
        monitor = ProcessMonitor(servant.pid, interval=0.01).start()
        wait_until(lambda monitor=monitor: len(monitor.samples) > 2)
        monitor.stop()
        assert monitor.summary()
    assert len(os.listdir("/proc/self/fd")) == len(before)
