"""What is usual of a script's figures, where one run stands in it, and how long a run will still take."""

from __future__ import annotations

from runner.analysis.robust import quantile, rank
from runner.model.usual import HIGHER, LOWER, UNKNOWN, USUAL, Place, Usual

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from runner.model.metric import Value

#: Runs below which nothing is called usual.
ENOUGH = 5
#: The usual range is the middle 90 % of the runs.
TAIL = 0.05
#: A figure stands out beyond Tukey's outer fences ("Exploratory Data Analysis", 1977): 3 interquartile ranges ...
FENCE = 3.0
#: ... and the more beyond, the fewer runs the quartiles rest on: times 1 + 10 / runs. On normally distributed figures
#: this calls 0.8 % unusual after 5 runs and 0.03 % after 10; on exponentially distributed ones 2.4 % and 1 %.
CAUTION = 10.0
#: It stands out only if it differs from the median by this part of it as well, and by what its unit asks for.
LEAST_PART = 0.1
LEAST = {"seconds": 0.02, "MB": 4.0, "percent": 10.0, "bytes": float(1 << 20), "count": 10.0, "lines": 10.0}
#: Runs that must have lasted longer than the present one has so far, to say how long it will still take.
ENOUGH_LONGER = 3


def usual(values: Iterable[Value]) -> Usual:
    """Return what is usual of a figure.

    Args:
        values: The figure in earlier runs; what was not measured is left out.
    """
    ordered = sorted(value for value in values if value is not None)
    count = len(ordered)
    if not count:
        nan = float("nan")
        return Usual(nan, nan, nan, 0, False, nan, nan)
    first, third = quantile(ordered, 0.25), quantile(ordered, 0.75)
    reach = FENCE * (1 + CAUTION / count) * (third - first)
    low, middle, high = (quantile(ordered, q) for q in (TAIL, 0.5, 1 - TAIL))
    return Usual(low, middle, high, count, count >= ENOUGH, first - reach, third + reach)


def place(value: Value, values: Iterable[Value], unit: str) -> Place:
    """Return where a run's figure stands among those of earlier runs.

    Args:
        value: The run's figure.
        values: The figure in earlier runs.
        unit: Unit of the metric; it says which difference is too small to matter.
    """
    ordered = sorted(each for each in values if each is not None)
    known = usual(ordered)
    below, equal = (0, 0) if value is None else rank(ordered, value)
    return Place(value, known, below, equal, verdict(value, known, unit))


def verdict(value: Value, known: Usual, unit: str) -> str:
    """Return whether a figure is `USUAL`, `HIGHER`, `LOWER` or, for want of runs, `UNKNOWN`."""
    if value is None or not known.enough:
        return UNKNOWN
    if abs(value - known.median) < max(LEAST_PART * abs(known.median), LEAST[unit]):
        return USUAL
    if value > known.ceiling:
        return HIGHER
    return LOWER if value < known.floor else USUAL


def remaining(durations: Sequence[float], elapsed: float) -> tuple[float, float, float] | None:
    """Return how long a run will still take: the lower, the middle and the upper estimate, in seconds.

    What matters of a run that has lasted so long is how earlier runs ended that lasted longer still: these are the
    10 %, 50 % and 90 % quantiles of their durations (of the distribution on condition that it exceeds `elapsed`),
    less what has elapsed.

    Args:
        durations: Seconds that comparable runs took, in any order.
        elapsed: Seconds since the start of this one.

    Returns:
        None where fewer than `ENOUGH` durations are known, or fewer than `ENOUGH_LONGER` of them are longer: there is
        nothing honest to say, for one because it already takes unusually long.
    """
    longer = sorted(duration for duration in durations if duration > elapsed)
    if len(durations) < ENOUGH or len(longer) < ENOUGH_LONGER:
        return None
    low, middle, high = (quantile(longer, q) - elapsed for q in (0.1, 0.5, 0.9))
    return low, middle, high


def swing(values: Sequence[Value]) -> float | None:
    """Return how far apart two runs usually are: about nineteen of twenty neighbours differ by less.

    Twice what three of four neighbours differ by at most. Neighbours, since a slow drift does not widen these; three of
    four, since a level that changed now and then does not either. On normally distributed figures that covers 98 % of
    the differences, on exponentially distributed ones 94 %. It is the wider, the fewer runs are known (`CAUTION`).

    Args:
        values: The figure in comparable runs, in the order in which they ran; what was not measured is left out.

    Returns:
        None where fewer than `ENOUGH` are known.
    """
    known = [value for value in values if value is not None]
    if len(known) < ENOUGH:
        return None
    steps = sorted(abs(known[at] - known[at - 1]) for at in range(1, len(known)))
    return 2 * quantile(steps, 0.75) * (1 + CAUTION / len(steps))


def beyond(base: Value, value: Value, usually: float | None, unit: str) -> str:
    """Return whether a run's figure is `HIGHER` or `LOWER` than another's by more than runs usually differ.

    Args:
        base: The figure of the other run.
        value: The figure of the run.
        usually: What `swing` returned.
        unit: Unit of the metric; it says which difference is too small to matter.
    """
    if base is None or value is None or usually is None:
        return UNKNOWN
    difference = abs(value - base)
    if difference <= usually or difference < max(LEAST_PART * abs(base), LEAST[unit]):
        return USUAL
    return HIGHER if value > base else LOWER
