"""The catalog of metrics: each is declared here, once, and shown in this order.

The JSON output, the stored columns, the choices and the checking of the command line, display units, exporters' names
and the reference page all come from it.
"""

from __future__ import annotations

from runner.model.metric import (
    EXACT,
    SAMPLED,
    Metric,
    counted,
    cpu_average,
    cpu_extreme,
    cpu_seconds,
    highest,
    megabytes,
    memory_or_peak,
    memory_peak,
    peak_count,
    usage,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from runner.agent.events import Ended
    from runner.model.curve import Curve
    from runner.model.errors import UsageError
    from runner.model.metric import Value

#: Counters of the agent that CPU time is made of.
CPU_FIELDS = ("user_seconds", "system_seconds")

EXECUTION_TIME = Metric(
    "execution_time_seconds",
    "seconds",
    EXACT,
    "Wall time of the attempt, by the monotonic clock.",
    lambda ended, curve: ended.t,
)
CPU_MAX = Metric(
    "cpu_max",
    "percent",
    SAMPLED,
    "Highest CPU rate of the tree over one sampling interval; 100 is one core.",
    cpu_extreme("maximum", max),
    CPU_FIELDS,
)
CPU_AVG = Metric(
    "cpu_avg",
    "percent",
    EXACT,
    "CPU time of the tree over wall time; 100 is one core.",
    cpu_average,
    CPU_FIELDS,
)
CPU_MIN = Metric(
    "cpu_min",
    "percent",
    SAMPLED,
    "Lowest CPU rate of the tree over one sampling interval; 100 is one core.",
    cpu_extreme("minimum", min),
    CPU_FIELDS,
    more_is_worse=None,
)
CPU_TIME = Metric(
    "cpu_time_seconds",
    "seconds",
    EXACT,
    "CPU time of the tree, user and system.",
    cpu_seconds,
    CPU_FIELDS,
)
USER_TIME = Metric(
    "user_time_seconds",
    "seconds",
    EXACT,
    "CPU time of the tree in user mode.",
    usage("user_seconds"),
    ("user_seconds",),
)
SYSTEM_TIME = Metric(
    "system_time_seconds",
    "seconds",
    EXACT,
    "CPU time of the tree in the kernel.",
    usage("system_seconds"),
    ("system_seconds",),
)
MEMORY_MAX = Metric(
    "memory_max_mb",
    "MB",
    SAMPLED,
    "Peak memory of the whole tree; never below its largest process.",
    memory_peak,
    ("memory_peak_bytes", "max_process_bytes"),
)
MEMORY_AVG = Metric(
    "memory_avg_mb",
    "MB",
    SAMPLED,
    "Memory of the tree, averaged over time.",
    memory_or_peak("mean"),
)
MEMORY_MIN = Metric(
    "memory_min_mb",
    "MB",
    SAMPLED,
    "Lowest memory of the tree seen.",
    memory_or_peak("minimum"),
    more_is_worse=None,
)
MEMORY_MAX_PROCESS = Metric(
    "memory_max_process_mb",
    "MB",
    EXACT,
    "Peak resident memory of the largest single process.",
    lambda ended, curve: megabytes(ended.usage.get("max_process_bytes")),
    ("max_process_bytes",),
)
PAGE_FAULTS_MINOR = Metric(
    "page_faults_minor",
    "count",
    EXACT,
    "Page faults served without reading from storage.",
    usage("faults_minor"),
    ("faults_minor",),
    int,
)
PAGE_FAULTS_MAJOR = Metric(
    "page_faults_major",
    "count",
    EXACT,
    "Page faults that had to read from storage.",
    usage("faults_major"),
    ("faults_major",),
    int,
)
NUM_THREADS = Metric(
    "num_threads",
    "count",
    SAMPLED,
    "Most threads of the tree at one time.",
    peak_count("threads"),
    (),
    int,
)
NUM_FDS = Metric(
    "num_fds",
    "count",
    SAMPLED,
    "Most open file descriptors of the tree at one time.",
    highest("fds"),
    (),
    int,
)
NUM_PROCESSES = Metric(
    "num_processes",
    "count",
    SAMPLED,
    "Most processes of the tree at one time.",
    peak_count("processes"),
    (),
    int,
)
VOLUNTARY_CONTEXT_SWITCHES = Metric(
    "voluntary_context_switches",
    "count",
    EXACT,
    "Times the tree gave up the CPU to wait.",
    usage("switches_voluntary"),
    ("switches_voluntary",),
    int,
)
INVOLUNTARY_CONTEXT_SWITCHES = Metric(
    "involuntary_context_switches",
    "count",
    EXACT,
    "Times the kernel took the CPU away.",
    usage("switches_involuntary"),
    ("switches_involuntary",),
    int,
)
BLOCK_IO_READ = Metric(
    "block_io_read_bytes",
    "bytes",
    EXACT,
    "Bytes fetched from storage.",
    usage("read_bytes"),
    ("read_bytes",),
    int,
)
BLOCK_IO_WRITE = Metric(
    "block_io_write_bytes",
    "bytes",
    EXACT,
    "Bytes sent to storage.",
    usage("write_bytes"),
    ("write_bytes",),
    int,
)
IO_READ = Metric(
    "io_read_bytes",
    "bytes",
    EXACT,
    "Bytes returned by read calls, from caches, pipes and sockets too.",
    usage("read_chars"),
    ("read_chars",),
    int,
)
IO_WRITE = Metric(
    "io_write_bytes",
    "bytes",
    EXACT,
    "Bytes passed to write calls, to caches, pipes and sockets too.",
    usage("write_chars"),
    ("write_chars",),
    int,
)
STDOUT_LINES = Metric(
    "stdout_lines",
    "lines",
    EXACT,
    "Lines that reached standard output's destination.",
    counted("stdout", 1),
    ("stdout_lines",),
    int,
    None,
)
STDERR_LINES = Metric(
    "stderr_lines",
    "lines",
    EXACT,
    "Lines that reached standard error's destination.",
    counted("stderr", 1),
    ("stderr_lines",),
    int,
    None,
)
STDOUT_SIZE = Metric(
    "stdout_size_bytes",
    "bytes",
    EXACT,
    "Bytes that reached standard output's destination.",
    counted("stdout", 0),
    ("stdout_size",),
    int,
    None,
)
STDERR_SIZE = Metric(
    "stderr_size_bytes",
    "bytes",
    EXACT,
    "Bytes that reached standard error's destination.",
    counted("stderr", 0),
    ("stderr_size",),
    int,
    None,
)
SURVIVORS = Metric(
    "survivors",
    "count",
    EXACT,
    "Descendants that outlived the script and were left alone.",
    lambda ended, curve: ended.survivors,
    (),
    int,
)

METRICS: tuple[Metric, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Metric))

BY_NAME: dict[str, Metric] = {metric.name: metric for metric in METRICS}


def find(name: str) -> Metric:
    """Return the metric of that name.

    Raises:
        UsageError: There is none; the message suggests the nearest.
    """
    metric = BY_NAME.get(name)
    if metric is None:
        raise unknown(name)
    return metric


def unknown(name: str, others: Iterable[str] = ()) -> UsageError:
    """Return the error for a metric that there is not; it suggests the nearest.

    Args:
        name: What was asked for.
        others: Names of metrics that runs have besides those of the catalog.
    """
    from runner.model import errors
    from runner.model.words import did_you_mean

    known = [*BY_NAME, *others]
    hint = did_you_mean(name, known) or did_you_mean(name.lower(), known)
    return errors.UsageError(f"unknown metric {name!r}{hint}; `runner metrics` lists them all")


def evaluate(ended: Ended, curve: Curve) -> dict[str, Value]:
    """Compute every metric of an attempt; None where it could not be measured."""
    values: dict[str, Value] = {}
    for metric in METRICS:
        value = metric.obtain(ended, curve)
        values[metric.name] = None if value is None else metric.type(value)
    return values


def kinds(values: Mapping[str, Value], weaker: Mapping[str, list[str]]) -> dict[str, str]:
    """Return how each measured figure is known, the attempt's own reservations (`Ended.weaker`) applied."""
    known = [metric for metric in METRICS if values.get(metric.name) is not None]
    return {metric.name: _weakest(metric, weaker) if weaker else metric.kind for metric in known}


def _weakest(metric: Metric, weaker: Mapping[str, list[str]]) -> str:
    for field in metric.rests_on:
        if field in weaker:
            return weaker[field][0]
    return metric.kind
