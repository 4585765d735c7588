"""What scripts do to be hard to measure."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runner.agent import tree
from runner.agent.events import USAGE_FIELDS
from tests import support
from tests.integration.measuring.measured import MB, measure

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.skipif(not tree.HAS_PROC, reason="needs /proc")


def test_a_script_that_ignores_the_end_of_its_children(tmp_path: Path) -> None:
    found = measure("""
import signal
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for _ in range(3): fork(lambda: burn(0.4))
time.sleep(2)
""", interval=0.02, folder=tmp_path)  # fmt: skip
    assert found.rusage["cpu"] < 0.3, "the kernel drops what they use"
    assert found.cpu == pytest.approx(1.2 + found.rusage["cpu"], rel=0.15)
    assert {found.weaker[field][0] for field in USAGE_FIELDS} == {"bound"}


def test_more_processes_than_descriptors(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (150, hard))
    try:
        found = measure("""
for pid in [fork(lambda: time.sleep(0.6)) for _ in range(80)]: os.waitpid(pid, 0)
""", folder=tmp_path)  # fmt: skip
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert found.highest("processes") == 81
    assert found.highest("memory_bytes") > 81 * 3 * MB
    assert "read_chars" not in found.weaker


def test_a_process_that_becomes_another_program(tmp_path: Path) -> None:
    found = measure("hold(100, 0.3); os.execvp('sleep', ['sleep', '0.5'])", folder=tmp_path)
    assert found.highest("memory_peak_bytes") == pytest.approx(110 * MB, rel=0.1)
    assert found.known("memory_bytes")[-1] < 10 * MB
    assert found.usage["max_process_bytes"] == pytest.approx(110 * MB, rel=0.1)
    assert found.highest("processes") == 1


def test_children_of_threads_that_have_ended(tmp_path: Path) -> None:
    found = measure("""
import threading
def work(): children.append(subprocess.Popen(["sleep", "0.8"]))
children = []
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
for child in children: child.wait()
""", folder=tmp_path)  # fmt: skip
    assert found.highest("processes") == 5


def test_daemons_are_followed(tmp_path: Path) -> None:
    found = measure("""
def middle():
    os.setsid()
    fork(lambda: (burn(0.2), time.sleep(0.6)))
os.waitpid(fork(middle), 0)
time.sleep(1.5)
""", folder=tmp_path)  # fmt: skip
    assert found.highest("processes") >= 2
    assert found.survivors == 0
    assert found.cpu == pytest.approx(0.2 + found.rusage["cpu"], abs=0.05)


def test_zombies_that_nobody_waits_for(tmp_path: Path) -> None:
    found = measure("""
for _ in range(5): fork(lambda: burn(0.05))
time.sleep(1)
""", folder=tmp_path)  # fmt: skip
    assert found.known("processes")[-1] == 1
    # They were never waited for, so when the script ends the runner collects them.
    assert found.cpu == pytest.approx(0.25 + found.rusage["cpu"], abs=0.05)
    assert found.survivors == 0


def test_a_process_of_another_user(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    tmp_path.chmod(0o777)
    found = measure("""
os.setuid(65534)
burn(0.3); hold(50, 0.3)
""", folder=tmp_path)  # fmt: skip
    assert found.cpu >= 0.3
    assert found.highest("memory_bytes") > 50 * MB


@pytest.mark.parametrize("version", ["3.8", "3.9", "3.10", "3.12", "3.13", "pypy3"])
def test_every_interpreter_of_the_agent(version: str, tmp_path: Path, interpreter: Callable[[str], str]) -> None:
    found = measure("""
def work(): burn(0.2); hold(60, 0.3)
os.waitpid(fork(work), 0)
def middle(): fork(lambda: burn(0.1))
os.waitpid(fork(middle), 0)
time.sleep(0.6)
""", python=interpreter(version), folder=tmp_path)  # fmt: skip
    assert found.cpu == pytest.approx(0.3, abs=0.15)
    assert found.highest("memory_peak_bytes") > 60 * MB
    assert found.highest("processes") == 2


def test_a_system_without_proc_and_without_psutil_still_tells_what_wait4_told(tmp_path: Path) -> None:
    code = f"""
import sys
sys.modules["psutil"] = None
sys.path[:0] = {[str(support.SRC), str(Path(__file__).parent)]!r}
from runner.agent import portable
import drive, json
told = drive.measure([sys.executable, "-c", "sum(range(10**6))"], 0.02, "rss", "portable", "leave")
json.dump(told, open({str(tmp_path / "told")!r}, "w"))
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    import json

    told = json.loads((tmp_path / "told").read_text())
    assert told["usage"]["user_seconds"] + told["usage"]["system_seconds"] == pytest.approx(told["rusage"]["cpu"])
    assert told["usage"]["read_bytes"] is None
    assert told["usage"]["faults_minor"] > 0
    for _, _, values in told["samples"]:
        assert set(values) == {None}
