"""Says which limit ended an attempt, and where one was passed without anybody noticing in time."""

from __future__ import annotations

from runner.agent import limits
from runner.agent.events import LIMIT
from runner.model import metrics as m
from runner.model.metric import CEILING
from runner.model.units import format_bytes, format_seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.agent.job import Job
    from runner.model.metric import Metric
    from runner.model.run import Attempt

_NAMES = {limits.MEMORY: "memory", limits.CPU_TIME: "CPU time", limits.OUTPUT: "output"}


def describe(name: str, allowed: float, reached: float) -> tuple[str, str]:
    """Return error type and message of an attempt that a limit ended.

    Args:
        name: Which limit (see `runner.agent.limits`).
        allowed: What it allows, in bytes or seconds.
        reached: The value it was reached with.
    """
    error_type = f"{LIMIT}:{name}"
    if name == limits.IDLE:
        return error_type, f"idle timeout reached: no output for {format_seconds(allowed)}"
    shown = format_seconds if name == limits.CPU_TIME else format_bytes
    message = f"{_NAMES[name]} limit of {shown(allowed)} reached"
    if shown(reached) != shown(allowed):
        message += f" ({shown(reached)})"
    return error_type, message


def unnoticed(attempt: Attempt, job: Job) -> list[str]:
    """Return a line for each limit that an attempt exceeded though another end came first.

    Memory is sampled and files are looked at from time to time; the kernel's own figures tell at the end what a look
    came too late for.

    Args:
        attempt: The attempt, ended.
        job: What it was allowed.
    """
    if attempt.reason == LIMIT:
        return []
    told = []
    if job.max_memory is not None:
        peak = max(_value(attempt, m.MEMORY_MAX), _value(attempt, m.MEMORY_MAX_PROCESS)) * (1 << 20)
        if peak > job.max_memory:
            told.append(f"memory peaked at {format_bytes(peak)}, above its limit of {format_bytes(job.max_memory)}")
    used = _value(attempt, m.CPU_TIME)
    if job.max_cpu_time is not None and used > job.max_cpu_time:
        told.append(f"CPU time came to {format_seconds(used)}, above its limit of {format_seconds(job.max_cpu_time)}")
    size = _value(attempt, m.STDOUT_SIZE) + _value(attempt, m.STDERR_SIZE)
    if job.max_output is not None and size > job.max_output:
        told.append(f"output came to {format_bytes(size)}, above its limit of {format_bytes(job.max_output)}")
    return [f"{line}, for too short a time to be ended for it" for line in told]


def _value(attempt: Attempt, metric: Metric) -> float:
    """Return a figure that was certainly reached, 0 where none is known."""
    value = attempt.metrics.get(metric.name)
    sure = isinstance(value, (int, float)) and attempt.kinds.get(metric.name) != CEILING
    return float(value) if sure and value is not None else 0.0
