"""The groups in which a person is shown the figures of a run."""

from __future__ import annotations

from runner.model import metrics as m

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.model.metric import Metric

GROUPS: tuple[tuple[str, tuple[Metric, ...]], ...] = (
    ("Time and CPU", (m.EXECUTION_TIME, m.CPU_TIME, m.USER_TIME, m.SYSTEM_TIME, m.CPU_AVG, m.CPU_MAX, m.CPU_MIN)),
    ("Memory", (m.MEMORY_MAX, m.MEMORY_AVG, m.MEMORY_MIN, m.MEMORY_MAX_PROCESS, m.PAGE_FAULTS_MINOR,
                m.PAGE_FAULTS_MAJOR)),
    ("Processes", (m.NUM_PROCESSES, m.NUM_THREADS, m.NUM_FDS, m.VOLUNTARY_CONTEXT_SWITCHES,
                   m.INVOLUNTARY_CONTEXT_SWITCHES, m.SURVIVORS)),
    ("I/O", (m.BLOCK_IO_READ, m.BLOCK_IO_WRITE, m.IO_READ, m.IO_WRITE)),
    ("Output", (m.STDOUT_LINES, m.STDOUT_SIZE, m.STDERR_LINES, m.STDERR_SIZE)),
)  # fmt: skip


def groups() -> list[tuple[str, tuple[Metric, ...]]]:
    """Return the groups, with one more for metrics that are in none."""
    grouped = {metric.name for _, group in GROUPS for metric in group}
    rest = tuple(metric for metric in m.METRICS if metric.name not in grouped)
    return [*GROUPS, ("More", rest)] if rest else list(GROUPS)
