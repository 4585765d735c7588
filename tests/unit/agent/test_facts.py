from __future__ import annotations

import json
import os
import subprocess
import sys

from runner.agent import facts


def test_host_facts_are_complete_and_fit_for_json() -> None:
    host = facts.host_facts()
    assert set(host) == {"hostname", "kernel", "platform", "machine", "cpu", "cores", "memory_bytes"}
    assert host["platform"] == sys.platform
    assert host["hostname"] == os.uname().nodename
    assert os.uname().release in host["kernel"]
    assert host["memory_bytes"] > 1 << 26
    json.dumps(host)


def test_cores_are_those_that_may_be_used() -> None:
    one = subprocess.run(
        [sys.executable, "-c", "import os; from runner.agent import facts\n"
         "os.sched_setaffinity(0, list(os.sched_getaffinity(0))[:1])\nprint(facts.cores())"],
        capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert one.stdout == "1\n"


def test_a_boot_has_an_identity() -> None:
    assert facts.boot_id() == facts.boot_id()
    assert len(facts.boot_id()) in (0, 36)


def test_start_ticks_tell_processes_apart() -> None:
    assert 0 < facts.start_ticks(os.getppid()) <= facts.start_ticks(os.getpid())
    assert facts.start_ticks(2**22 - 1) == 0
