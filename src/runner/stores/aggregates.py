"""What can be computed of one metric over many runs: the names of the functions, and the functions themselves."""

from __future__ import annotations

from runner.model.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TypeAlias

    from runner.model.metric import Value

    #: Start of a run in nanoseconds since the epoch, value of a metric, id of the run, what its script is called.
    Point: TypeAlias = tuple[int, float | int, str, str]

MEDIAN, P50 = "median", "p50"  # two names of one
#: Quantiles by name. They are exact, of Hyndman and Fan's type 7, as numpy's, R's and spreadsheets' are.
QUANTILES = {MEDIAN: 0.5, P50: 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
COUNT, MIN, MAX, AVG, SUM, STDDEV = "count", "min", "max", "avg", "sum", "stddev"
#: All functions, in the order in which they are shown; the deviation is the sample's (n - 1).
FUNCTIONS = (COUNT, MIN, MAX, AVG, SUM, *QUANTILES, STDDEV)


class Presence:
    """How many runs have a metric.

    Attributes:
        name: Of the metric; it may be one that the catalog does not have.
        runs: How many runs have it.
        first: Start of the first of them, in nanoseconds since the epoch.
        last: Start of the last of them.
    """

    __slots__ = ("first", "last", "name", "runs")

    def __init__(self, name: str, runs: int, first: int, last: int) -> None:
        self.name = name
        self.runs = runs
        self.first = first
        self.last = last


def check_functions(names: Iterable[str]) -> None:
    """Refuse names of no function.

    Raises:
        UsageError: There is none of a name; the message suggests the nearest.
    """
    for name in names:
        if name not in FUNCTIONS:
            from runner.model.words import did_you_mean

            listed = ", ".join(FUNCTIONS)
            raise UsageError(f"there is no aggregation {name!r} (there are {listed}){did_you_mean(name, FUNCTIONS)}")


def neighbours(count: int, share: float) -> tuple[int, int]:
    """Return the places, from 0 on, of the two of `count` sorted values between which a quantile lies."""
    low = int((count - 1) * share)
    return low, min(low + 1, count - 1)


def between(count: int, share: float, low: float, high: float) -> float:
    """Return a quantile of `count` values from its two neighbours."""
    place = (count - 1) * share
    return low + (high - low) * (place - int(place))


def deviation(count: int, squares: float) -> float | None:
    """Return the sample's standard deviation from the squares' sum; None for a single value, which has none."""
    return (squares / (count - 1)) ** 0.5 if count > 1 else None


def select(known: dict[str, Value], functions: Sequence[str]) -> dict[str, Value]:
    """Return the aggregates that were asked for, in that order; None for those that are not known."""
    return {name: known.get(name) for name in functions}


def aggregate(values: Sequence[float | int], functions: Sequence[str]) -> dict[str, Value]:
    """Compute aggregates of values in memory; of none, the count is 0 and all else None."""
    from math import fsum

    known: dict[str, Value] = {COUNT: len(values)}
    if values:
        ordered = sorted(values)
        count, mean = len(ordered), fsum(ordered) / len(ordered)
        total = sum(ordered) if all(isinstance(value, int) for value in ordered) else fsum(ordered)
        known |= {MIN: ordered[0], MAX: ordered[-1], AVG: mean, SUM: total}
        known[STDDEV] = deviation(count, fsum((value - mean) ** 2 for value in ordered))
        for name, share in QUANTILES.items():
            low, high = neighbours(count, share)
            known[name] = between(count, share, ordered[low], ordered[high])
    return select(known, functions)
