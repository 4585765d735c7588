"""The catalog of metrics: each is declared here, once.

The JSON output, the stored columns, the choices and the checking of the command line, display units, exporters' names
and the reference page all come from it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import TypeAlias

    from runner.agent.events import Ended
    from runner.model.curve import Curve

    Value: TypeAlias = float | int | None
    Obtain = Callable[[Ended, Curve], Value]

# How a figure is known.
EXACT = "exact"  # the kernel's own accounting
SAMPLED = "sampled"  # read now and then; what happened between two readings is not in it
BOUND = "bound"  # a limit: the true figure lies beyond it, or on it

MB = 1 << 20


class Metric:
    """One figure of an attempt.

    Attributes:
        name: Its name everywhere.
        unit: ``seconds``, ``percent``, ``MB`` (2**20 bytes), ``bytes``, ``count`` or ``lines``.
        type: ``float`` or ``int``.
        kind: `EXACT`, `SAMPLED` or `BOUND`, unless the attempt says that it is worth less.
        more_is_worse: Whether a rise is a deterioration; None where neither direction is better.
        meaning: One sentence.
        obtain: Computes it from the end of an attempt and its curve; None where nothing was measured.
        rests_on: Counters of the agent it is made of; when one is worth less than usual, so is the metric.
    """

    __slots__ = ("kind", "meaning", "more_is_worse", "name", "obtain", "rests_on", "type", "unit")

    def __init__(
        self,
        name: str,
        unit: str,
        kind: str,
        meaning: str,
        obtain: Obtain,
        rests_on: tuple[str, ...] = (),
        type: type = float,
        more_is_worse: bool | None = True,
    ) -> None:
        self.name = name
        self.unit = unit
        self.kind = kind
        self.meaning = meaning
        self.obtain = obtain
        self.rests_on = rests_on
        self.type = type
        self.more_is_worse = more_is_worse


def _usage(field: str) -> Obtain:
    return lambda ended, curve: ended.usage.get(field)


def _peak(field: str) -> Obtain:
    return lambda ended, curve: curve.maximum(field)


def _peak_count(field: str) -> Obtain:
    # A script that ran was one process with one thread, even where it was too short to be sampled.
    return lambda ended, curve: curve.maximum(field) or (1 if ended.t > 0 else None)


def _megabytes(value: Value) -> Value:
    return None if value is None else value / MB


def _output(stream: str, position: int) -> Obtain:
    def obtain(ended: Ended, curve: Curve) -> Value:
        counted = ended.output[stream]
        return None if counted is None else counted[position]

    return obtain


def _cpu_seconds(ended: Ended, curve: Curve) -> Value:
    user, system = ended.usage.get("user_seconds"), ended.usage.get("system_seconds")
    if user is None or system is None:
        return curve.maximum("cpu_seconds")
    return user + system


def _cpu_average(ended: Ended, curve: Curve) -> Value:
    seconds = _cpu_seconds(ended, curve)
    return None if seconds is None or ended.t <= 0 else 100 * seconds / ended.t


def _cpu_extreme(statistic: str, outermost: Callable[..., float]) -> Obtain:
    def obtain(ended: Ended, curve: Curve) -> Value:
        # The average is exact, and no extreme can lie inside it; it stands alone where no sample was taken.
        known = [v for v in (getattr(curve, statistic)("cpu_percent"), _cpu_average(ended, curve)) if v is not None]
        return outermost(known) if known else None

    return obtain


def _memory_peak(ended: Ended, curve: Curve) -> Value:
    # The largest single process is known exactly; the tree held at least that much.
    largest = None if curve.memory == "pss" else ended.usage.get("max_process_bytes")
    known = [value for value in (curve.maximum("memory_peak_bytes"), largest) if value is not None]
    return max(known) / MB if known else None


def _memory_or_peak(statistic: str) -> Obtain:
    def obtain(ended: Ended, curve: Curve) -> Value:
        value = getattr(curve, statistic)("memory_bytes")
        return _memory_peak(ended, curve) if value is None else value / MB

    return obtain


_CPU = ("user_seconds", "system_seconds")

#: All metrics, in the order in which they are shown.
METRICS: list[Metric] = []


def _declare(
    name: str,
    unit: str,
    kind: str,
    meaning: str,
    obtain: Obtain,
    rests_on: tuple[str, ...] = (),
    type: type = float,
    more_is_worse: bool | None = True,
) -> Metric:
    metric = Metric(name, unit, kind, meaning, obtain, rests_on, type, more_is_worse)
    METRICS.append(metric)
    return metric


EXECUTION_TIME = _declare(
    "execution_time_seconds",
    "seconds",
    EXACT,
    "Wall time of the attempt, by the monotonic clock.",
    lambda ended, curve: ended.t,
)
CPU_MAX = _declare(
    "cpu_max",
    "percent",
    SAMPLED,
    "Highest CPU rate of the tree over one sampling interval; 100 is one core.",
    _cpu_extreme("maximum", max),
    _CPU,
)
CPU_AVG = _declare(
    "cpu_avg",
    "percent",
    EXACT,
    "CPU time of the tree over wall time; 100 is one core.",
    _cpu_average,
    _CPU,
)
CPU_MIN = _declare(
    "cpu_min",
    "percent",
    SAMPLED,
    "Lowest CPU rate of the tree over one sampling interval; 100 is one core.",
    _cpu_extreme("minimum", min),
    _CPU,
    more_is_worse=None,
)
CPU_TIME = _declare("cpu_time_seconds", "seconds", EXACT, "CPU time of the tree, user and system.", _cpu_seconds, _CPU)
USER_TIME = _declare(
    "user_time_seconds",
    "seconds",
    EXACT,
    "CPU time of the tree in user mode.",
    _usage("user_seconds"),
    ("user_seconds",),
)
SYSTEM_TIME = _declare(
    "system_time_seconds",
    "seconds",
    EXACT,
    "CPU time of the tree in the kernel.",
    _usage("system_seconds"),
    ("system_seconds",),
)
MEMORY_MAX = _declare(
    "memory_max_mb",
    "MB",
    SAMPLED,
    "Peak memory of the whole tree; never below its largest process.",
    _memory_peak,
    ("max_process_bytes",),
)
MEMORY_AVG = _declare(
    "memory_avg_mb",
    "MB",
    SAMPLED,
    "Memory of the tree, averaged over time.",
    _memory_or_peak("mean"),
)
MEMORY_MIN = _declare(
    "memory_min_mb",
    "MB",
    SAMPLED,
    "Lowest memory of the tree seen.",
    _memory_or_peak("minimum"),
    more_is_worse=None,
)
MEMORY_MAX_PROCESS = _declare(
    "memory_max_process_mb",
    "MB",
    EXACT,
    "Peak resident memory of the largest single process.",
    lambda ended, curve: _megabytes(ended.usage.get("max_process_bytes")),
    ("max_process_bytes",),
)
PAGE_FAULTS_MINOR = _declare(
    "page_faults_minor",
    "count",
    EXACT,
    "Page faults served without reading from storage.",
    _usage("faults_minor"),
    ("faults_minor",),
    int,
)
PAGE_FAULTS_MAJOR = _declare(
    "page_faults_major",
    "count",
    EXACT,
    "Page faults that had to read from storage.",
    _usage("faults_major"),
    ("faults_major",),
    int,
)
NUM_THREADS = _declare(
    "num_threads",
    "count",
    SAMPLED,
    "Most threads of the tree at one time.",
    _peak_count("threads"),
    (),
    int,
)
NUM_FDS = _declare(
    "num_fds",
    "count",
    SAMPLED,
    "Most open file descriptors of the tree at one time.",
    _peak("fds"),
    (),
    int,
)
NUM_PROCESSES = _declare(
    "num_processes",
    "count",
    SAMPLED,
    "Most processes of the tree at one time.",
    _peak_count("processes"),
    (),
    int,
)
VOLUNTARY_CONTEXT_SWITCHES = _declare(
    "voluntary_context_switches",
    "count",
    EXACT,
    "Times the tree gave up the CPU to wait.",
    _usage("switches_voluntary"),
    ("switches_voluntary",),
    int,
)
INVOLUNTARY_CONTEXT_SWITCHES = _declare(
    "involuntary_context_switches",
    "count",
    EXACT,
    "Times the kernel took the CPU away.",
    _usage("switches_involuntary"),
    ("switches_involuntary",),
    int,
)
BLOCK_IO_READ = _declare(
    "block_io_read_bytes",
    "bytes",
    EXACT,
    "Bytes fetched from storage.",
    _usage("read_bytes"),
    ("read_bytes",),
    int,
)
BLOCK_IO_WRITE = _declare(
    "block_io_write_bytes",
    "bytes",
    EXACT,
    "Bytes sent to storage.",
    _usage("write_bytes"),
    ("write_bytes",),
    int,
)
IO_READ = _declare(
    "io_read_bytes",
    "bytes",
    EXACT,
    "Bytes returned by read calls, from caches, pipes and sockets too.",
    _usage("read_chars"),
    ("read_chars",),
    int,
)
IO_WRITE = _declare(
    "io_write_bytes",
    "bytes",
    EXACT,
    "Bytes passed to write calls, to caches, pipes and sockets too.",
    _usage("write_chars"),
    ("write_chars",),
    int,
)
STDOUT_LINES = _declare(
    "stdout_lines",
    "lines",
    EXACT,
    "Lines that reached standard output's destination.",
    _output("stdout", 1),
    ("stdout_lines",),
    int,
    None,
)
STDERR_LINES = _declare(
    "stderr_lines",
    "lines",
    EXACT,
    "Lines that reached standard error's destination.",
    _output("stderr", 1),
    ("stderr_lines",),
    int,
    None,
)
STDOUT_SIZE = _declare(
    "stdout_size_bytes",
    "bytes",
    EXACT,
    "Bytes that reached standard output's destination.",
    _output("stdout", 0),
    ("stdout_size",),
    int,
    None,
)
STDERR_SIZE = _declare(
    "stderr_size_bytes",
    "bytes",
    EXACT,
    "Bytes that reached standard error's destination.",
    _output("stderr", 0),
    ("stderr_size",),
    int,
    None,
)
SURVIVORS = _declare(
    "survivors",
    "count",
    EXACT,
    "Descendants that outlived the script and were left alone.",
    lambda ended, curve: ended.survivors,
    (),
    int,
)

BY_NAME: dict[str, Metric] = {metric.name: metric for metric in METRICS}


def find(name: str) -> Metric:
    """Return the metric of that name.

    Raises:
        UsageError: There is none; the message suggests the nearest.
    """
    metric = BY_NAME.get(name)
    if metric is None:
        from runner.model.errors import UsageError
        from runner.model.words import did_you_mean

        raise UsageError(f"unknown metric {name!r}{did_you_mean(name, BY_NAME)}; `runner metrics` lists them all")
    return metric


def evaluate(ended: Ended, curve: Curve) -> dict[str, Value]:
    """Compute every metric of an attempt; None where it could not be measured."""
    values: dict[str, Value] = {}
    for metric in METRICS:
        value = metric.obtain(ended, curve)
        values[metric.name] = None if value is None else metric.type(value)
    return values


def kinds(values: Mapping[str, Value], weaker: Mapping[str, list[str]]) -> dict[str, str]:
    """Return how each measured figure is known, the attempt's own reservations (`Ended.weaker`) applied."""
    return {metric.name: _weakest(metric, weaker) for metric in METRICS if values.get(metric.name) is not None}


def _weakest(metric: Metric, weaker: Mapping[str, list[str]]) -> str:
    for field in metric.rests_on:
        if field in weaker:
            return weaker[field][0]
    return metric.kind


def names() -> Iterator[str]:
    """Return the names of all metrics, in the catalog's order."""
    return iter(BY_NAME)
