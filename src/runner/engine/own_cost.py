"""What this very process uses between two moments, as figures of a run: differences of what the kernel counts of it."""

from __future__ import annotations

from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from time import perf_counter

from runner.agent.usage import own_peak
from runner.model import metrics
from runner.model.metric import CEILING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.model.run import Run


class OwnCost:
    """What this process has used so far.

    Args:
        forget: Whether the peak of memory begins anew, where the system allows that.
    """

    def __init__(self, forget: bool = False) -> None:
        self._peak = 0 if forget and _forget_peak() else own_peak()
        self._used = _usage()
        self._began = perf_counter()

    def stop(self, run: Run) -> None:
        """Put what was used since then into a run."""
        wall = perf_counter() - self._began
        used = [after - before for before, after in zip(self._used, _usage(), strict=True)]
        user, system, minor, major, voluntary, involuntary = used
        peak = own_peak()
        last = run.last
        last.ended = last.started + int(wall * 1e9)
        values = {
            metrics.EXECUTION_TIME: wall,
            metrics.CPU_TIME: user + system,
            metrics.USER_TIME: user,
            metrics.SYSTEM_TIME: system,
            metrics.CPU_AVG: 100 * (user + system) / wall if wall else 0.0,
            metrics.MEMORY_MAX: peak / (1 << 20),
            metrics.PAGE_FAULTS_MINOR: int(minor),
            metrics.PAGE_FAULTS_MAJOR: int(major),
            metrics.VOLUNTARY_CONTEXT_SWITCHES: int(voluntary),
            metrics.INVOLUNTARY_CONTEXT_SWITCHES: int(involuntary),
        }
        last.metrics = {metric.name: value for metric, value in values.items()}
        last.kinds = metrics.kinds(last.metrics, {})
        if peak <= self._peak:
            last.kinds[metrics.MEMORY_MAX.name] = CEILING


def _usage() -> list[float]:
    own, children = getrusage(RUSAGE_SELF), getrusage(RUSAGE_CHILDREN)
    names = ("ru_utime", "ru_stime", "ru_minflt", "ru_majflt", "ru_nvcsw", "ru_nivcsw")
    return [getattr(own, name) + getattr(children, name) for name in names]


def _forget_peak() -> bool:
    """Set the highest memory that this process has had to what it has now; return whether that was possible.

    Source: proc_pid_clear_refs(5), the value 5.
    """
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        return False
    return True
