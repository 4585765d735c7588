"""What a metric is, and the ways in which one is obtained from the end of an attempt and its curve."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias, TypeGuard

    from runner.agent.events import Ended
    from runner.model.curve import Curve

    Value: TypeAlias = float | int | None
    Obtain = Callable[[Ended, Curve], Value]

# How a figure is known.
EXACT = "exact"  # the kernel's own accounting
SAMPLED = "sampled"  # read now and then; what happened between two readings is not in it
BOUND = "bound"  # the true figure is at least this
CEILING = "ceiling"  # the true figure is at most this

MB = 1 << 20

#: Beyond this a number is no figure; it keeps infinity and NaN out, and whole numbers that no float can hold.
LARGEST = 1e300


def is_figure(value: object) -> TypeGuard[float]:
    """Whether a value can be the figure of a metric: a finite number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < LARGEST


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


def usage(field: str) -> Obtain:
    """Obtain a final counter of the whole tree."""
    return lambda ended, curve: ended.usage.get(field)


def highest(field: str) -> Obtain:
    """Obtain the highest value of a sample field."""
    return lambda ended, curve: curve.maximum(field)


def peak_count(field: str) -> Obtain:
    """Obtain the highest value of a sample field that counts something every script has one of."""
    # A script that ran was one process with one thread, even where it was too short to be sampled.
    return lambda ended, curve: curve.maximum(field) or (1 if ended.t > 0 else None)


def megabytes(value: Value) -> Value:
    """Return bytes as MB."""
    return None if value is None else value / MB


def counted(stream: str, position: int) -> Obtain:
    """Obtain what was counted of an output stream: 0 for bytes, 1 for lines."""

    def obtain(ended: Ended, curve: Curve) -> Value:
        numbers = ended.output[stream]
        return None if numbers is None else numbers[position]

    return obtain


def cpu_seconds(ended: Ended, curve: Curve) -> Value:
    """Obtain the CPU seconds of the tree: the kernel's totals, or what was sampled of an attempt that was lost."""
    user, system = ended.usage.get("user_seconds"), ended.usage.get("system_seconds")
    if user is None or system is None:
        return curve.maximum("cpu_seconds")
    return user + system


def cpu_average(ended: Ended, curve: Curve) -> Value:
    """Obtain CPU time over wall time, in percent of a core."""
    seconds = cpu_seconds(ended, curve)
    return None if seconds is None or ended.t <= 0 else 100 * seconds / ended.t


def cpu_extreme(statistic: str, outermost: Callable[..., float]) -> Obtain:
    """Obtain the highest or lowest CPU rate of an interval, in percent of a core."""

    def obtain(ended: Ended, curve: Curve) -> Value:
        # The average is exact, and no extreme can lie inside it; it stands alone where no sample was taken.
        known = [v for v in (getattr(curve, statistic)("cpu_percent"), cpu_average(ended, curve)) if v is not None]
        return outermost(known) if known else None

    return obtain


def memory_peak(ended: Ended, curve: Curve) -> Value:
    """Obtain the peak memory of the tree, in MB."""
    # The largest single process is known exactly; the tree held at least that much.
    largest = None if curve.memory == "pss" else ended.usage.get("max_process_bytes")
    known = [value for value in (curve.maximum("memory_peak_bytes"), largest) if value is not None]
    return max(known) / MB if known else None


def memory_or_peak(statistic: str) -> Obtain:
    """Obtain a statistic of the tree's memory, in MB; its peak where no sample was taken."""

    def obtain(ended: Ended, curve: Curve) -> Value:
        value = getattr(curve, statistic)("memory_bytes")
        return memory_peak(ended, curve) if value is None else value / MB

    return obtain
