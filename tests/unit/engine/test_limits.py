"""What is said of a limit that was reached, and of one that was passed unnoticed."""

from __future__ import annotations

from typing import Any

import pytest

from runner.agent.job import Job
from runner.engine.failure import name_failure
from runner.engine.limits import describe, unnoticed
from runner.model import metrics as m
from runner.model.run import Attempt

GB = 1 << 30


@pytest.mark.parametrize(
    ("limit", "error_type", "message"),
    [
        (("memory", 2 * GB, 2.1 * GB), "limit:memory", "memory limit of 2 GB reached (2.1 GB)"),
        (("memory", 2 * GB, 2.001 * GB), "limit:memory", "memory limit of 2 GB reached"),
        (("cpu-time", 600.0, 601.0), "limit:cpu-time", "CPU time limit of 10 min 00 s reached (10 min 01 s)"),
        (("output", 1000, 1000), "limit:output", "output limit of 0.977 KB reached"),
        (("idle", 300.0, 300.2), "limit:idle", "idle timeout reached: no output for 5 min 00 s"),
    ],
)
def test_a_limit_is_named_with_what_it_allows(limit: tuple[str, float, float], error_type: str, message: str) -> None:
    assert describe(*limit) == (error_type, message)
    attempt = Attempt(1, 0)
    attempt.reason, attempt.exit_code, attempt.limit = "limit", 124, list(limit)
    name_failure(attempt)
    assert (attempt.error_type, attempt.error_message) == (error_type, message)


def ended(reason: str = "exited", kinds: dict[str, str] | None = None, **values: float) -> Attempt:
    attempt = Attempt(1, 0)
    attempt.reason, attempt.exit_code = reason, 0
    attempt.metrics = {getattr(m, name.upper()).name: value for name, value in values.items()}
    attempt.kinds = {getattr(m, name.upper()).name: kind for name, kind in (kinds or {}).items()}
    return attempt


def job(**options: Any) -> Job:
    return Job(["x"], "x", {}, **options)


@pytest.mark.parametrize(
    ("attempt", "options", "said"),
    [
        (ended(memory_max=100.0), {"max_memory": 50 << 20}, ["memory peaked at 100 MB, above its limit of 50 MB"]),
        (ended(memory_max=10.0, memory_max_process=60.0), {"max_memory": 50 << 20}, ["memory peaked at 60 MB"]),
        (ended(memory_max=100.0), {"max_memory": 200 << 20}, []),
        (ended(memory_max=100.0), {}, []),
        (ended("limit", memory_max=100.0), {"max_memory": 50 << 20}, []),
        (ended(kinds={"memory_max": "ceiling"}, memory_max=100.0), {"max_memory": 50 << 20}, []),
        (ended(cpu_time=3.0), {"max_cpu_time": 2.0}, ["CPU time came to 3.00 s, above its limit of 2.00 s"]),
        (ended(stdout_size=600, stderr_size=500), {"max_output": 1000}, ["output came to 1.07 KB"]),
    ],
)
def test_what_no_look_came_in_time_for_is_said_at_the_end(
    attempt: Attempt, options: dict[str, Any], said: list[str]
) -> None:
    lines = unnoticed(attempt, job(**options))
    assert len(lines) == len(said)
    for line, begin in zip(lines, said, strict=True):
        assert line.startswith(begin)
