"""Both ways of reading processes, /proc and psutil, measure the same programs and must agree with what these did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.agent import tree
from tests.integration.measuring.measured import MB, Measured, measure

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Measure = Callable[[str], Measured]


@pytest.fixture(params=["proc", "portable"])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Measure:
    """Return a function that measures a piece of Python with one backend."""
    if request.param == "proc" and not tree.HAS_PROC:
        pytest.skip("needs /proc")
    if request.param == "portable":
        pytest.importorskip("psutil")
    return lambda code: measure(code, backend=request.param, interval=0.05, folder=tmp_path)


def test_cpu_time_and_rate(run: Measure) -> None:
    found = run("burn(0.6)")
    assert found.cpu == pytest.approx(0.6, abs=0.15)
    assert found.cpu == pytest.approx(found.rusage["cpu"], abs=0.001)
    # Other tests keep the cores busy, so the process may get less than a whole core; more it can't.
    assert 20 < found.highest("cpu_percent") < 125
    assert found.known("cpu_seconds") == sorted(found.known("cpu_seconds"))


def test_memory_that_is_held(run: Measure) -> None:
    found = run("time.sleep(0.3); hold(120, 0.5)")
    assert found.highest("memory_bytes") == pytest.approx(130 * MB, rel=0.1)
    assert found.highest("memory_peak_bytes") == pytest.approx(130 * MB, rel=0.1)
    assert found.usage["max_process_bytes"] == pytest.approx(130 * MB, rel=0.1)
    assert min(found.known("memory_bytes")) < 30 * MB


def test_a_tree_of_forks(run: Measure) -> None:
    found = run("""
def leaf(): burn(0.1); time.sleep(0.8)
def branch():
    for pid in [fork(leaf) for _ in range(3)]: os.waitpid(pid, 0)
for pid in [fork(branch) for _ in range(2)]: os.waitpid(pid, 0)
""")
    assert found.highest("processes") == 1 + 2 + 6
    assert found.cpu == pytest.approx(0.6, abs=0.2)
    assert found.survivors == 0


def test_threads(run: Measure) -> None:
    found = run("""
import threading
threads = [threading.Thread(target=time.sleep, args=(0.6,)) for _ in range(7)]
for thread in threads: thread.start()
""")
    assert found.highest("threads") == 8


def test_descriptors(run: Measure) -> None:
    found = run("""
time.sleep(0.2)
files = [os.open("/dev/null", os.O_RDONLY) for _ in range(40)]
time.sleep(0.5)
""")
    assert found.highest("fds") == min(found.known("fds")) + 40


def test_bytes_read_and_written(run: Measure, tmp_path: Path) -> None:
    found = run(f"""
time.sleep(0.2)
with open({str(tmp_path / "data")!r}, "wb") as file:
    for _ in range(20): file.write(bytes(1 << 20))
with open({str(tmp_path / "data")!r}, "rb") as file:
    while file.read(1 << 20): pass
time.sleep(0.3)
""")
    assert found.usage["write_chars"] == pytest.approx(20 * MB, rel=0.05)
    assert found.usage["read_chars"] == pytest.approx(20 * MB, rel=0.05)
    assert found.known("write_chars") == sorted(found.known("write_chars"))


def test_what_children_read_and_wrote_counts(run: Measure) -> None:
    found = run("""
def work():
    with open("/dev/null", "wb") as file:
        for _ in range(10): file.write(bytes(1 << 20))
    time.sleep(0.3)
os.waitpid(fork(work), 0)
time.sleep(0.2)
""")
    assert found.usage["write_chars"] == pytest.approx(10 * MB, rel=0.05)


def test_orphans_count(run: Measure) -> None:
    found = run("""
def middle(): fork(lambda: burn(0.4))
os.waitpid(fork(middle), 0)
time.sleep(1.5)
""")
    assert found.rusage["cpu"] < 0.3
    assert found.cpu == pytest.approx(0.4 + found.rusage["cpu"], abs=0.1)


def test_survivors_count_with_what_they_had_used(run: Measure) -> None:
    found = run("""
def stay(): burn(0.3); time.sleep(30)
fork(stay)
time.sleep(1.2)
""")
    assert found.survivors == 1
    assert found.cpu == pytest.approx(0.3 + found.rusage["cpu"], abs=0.1)
    assert found.weaker["switches_voluntary"][0] == "bound"


@pytest.mark.parametrize("backend", ["proc", "portable"])
def test_proportional_memory_of_processes_that_share(backend: str, tmp_path: Path) -> None:
    found = measure("""
block = bytearray(60 << 20)
for at in range(0, len(block), 4096): block[at] = 1
for pid in [fork(lambda: time.sleep(2)) for _ in range(5)]: os.waitpid(pid, 0)
""", backend=backend, memory="pss", folder=tmp_path)  # fmt: skip
    whole = [sample["memory_bytes"] for sample in found.samples if sample["processes"] == 6]
    assert len(whole) >= 3  # (psutil takes its time on a busy machine)
    assert whole[len(whole) // 2] == pytest.approx(75 * MB, rel=0.15)
