"""Programs whose cost is known, measured in real processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.agent import tree
from tests.integration.measuring.measured import MB, measure

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(not tree.HAS_PROC, reason="needs /proc")


@pytest.mark.parametrize("generation", ["child", "grandchild"])
@pytest.mark.parametrize("when", [0.43, 0.47])
def test_a_short_spike_is_seen_whole(generation: str, when: float, tmp_path: Path) -> None:
    spike = f"def work(): time.sleep({when}); hold(300, 0.03); time.sleep(0.5)\n"
    found = measure(spike + ("work()" if generation == "child" else "os.waitpid(fork(work), 0)"), folder=tmp_path)
    assert found.highest("memory_peak_bytes") >= 0.95 * 300 * MB
    assert found.highest("memory_peak_bytes") <= 1.15 * 300 * MB
    assert found.usage["max_process_bytes"] == pytest.approx(305 * MB, rel=0.04)
    assert "max_process_bytes" not in found.weaker


def test_a_spike_just_before_the_end_is_in_the_peak_of_the_largest_process(tmp_path: Path) -> None:
    found = measure("time.sleep(0.31); hold(300, 0.001); os._exit(0)", interval=10, folder=tmp_path)
    assert found.usage["max_process_bytes"] == pytest.approx(305 * MB, rel=0.04)


def test_peaks_that_overlap_add_up(tmp_path: Path) -> None:
    found = measure("""
def late(): time.sleep(0.1); hold(300, 0.3)
for pid in [fork(late) for _ in range(2)]: os.waitpid(pid, 0)
time.sleep(0.2)
""", folder=tmp_path)  # fmt: skip
    assert found.highest("memory_peak_bytes") == pytest.approx(600 * MB, rel=0.1)


def test_every_fork_counts_and_every_orphan(tmp_path: Path) -> None:
    found = measure("""
for _ in range(60): os.waitpid(fork(lambda: burn(0.01)), 0)
def middle(): fork(lambda: burn(0.05))
for _ in range(10): os.waitpid(fork(middle), 0)
time.sleep(2)
""", folder=tmp_path)  # fmt: skip
    assert found.survivors == 0
    assert 60 * 0.01 + 10 * 0.05 <= found.cpu <= 1.3
    assert found.weaker.keys() <= {"max_process_bytes"}
    assert found.known("cpu_seconds") == sorted(found.known("cpu_seconds"))
    assert found.known("cpu_seconds")[-1] == pytest.approx(found.cpu, rel=0.05)


@pytest.mark.parametrize("interval", [0.1, 0.02])
def test_a_script_that_waits_for_short_programs_shows_one_core_at_most(interval: float, tmp_path: Path) -> None:
    found = measure("for _ in range(80): os.waitpid(fork(lambda: burn(0.01)), 0)", interval=interval, folder=tmp_path)
    rates = sorted(found.known("cpu_percent"))
    assert rates[len(rates) // 2] <= 110
    assert rates[int(len(rates) * 0.9)] <= 130


def test_a_grandchild_that_burns_shows(tmp_path: Path) -> None:
    found = measure("os.waitpid(fork(lambda: os.waitpid(fork(lambda: burn(1)), 0)), 0)", folder=tmp_path)
    rates = sorted(found.known("cpu_percent"))
    assert rates[-1] <= 110
    assert sum(rates) / len(rates) == pytest.approx(100 * found.cpu / found.wall, rel=0.25)


def test_starting_programs_does_not_double_the_memory(tmp_path: Path) -> None:
    """Between fork and exec a child has its parent's memory."""
    found = measure("""
block = bytearray(200 << 20)
for at in range(0, len(block), 4096): block[at] = 1
end = time.monotonic() + 1.5
while time.monotonic() < end:
    subprocess.run(["true"])
    pid = os.fork()
    if pid == 0: os.execv("/bin/true", ["true"])
    os.waitpid(pid, 0)
""", interval=0.01, folder=tmp_path)  # fmt: skip
    assert found.highest("memory_peak_bytes") == pytest.approx(212 * MB, rel=0.1)


def test_memory_that_forked_processes_share_is_counted_once_on_request(tmp_path: Path) -> None:
    code = """
block = bytearray(200 << 20)
for at in range(0, len(block), 4096): block[at] = 1
for pid in [fork(lambda: time.sleep(2)) for _ in range(50)]: os.waitpid(pid, 0)
"""
    found = measure(code, memory="pss", folder=tmp_path)
    whole = [sample["memory_bytes"] for sample in found.samples if sample["processes"] == 51]
    assert len(whole) > 5
    # The first look at new processes may come while they are still being made.
    assert [round(value / MB) for value in whole[1:]] == [pytest.approx(212, rel=0.15)] * (len(whole) - 1)
    assert found.highest("memory_peak_bytes") == pytest.approx(212 * MB, rel=0.15)
    assert found.spent < 0.12 * found.wall
