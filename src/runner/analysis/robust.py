"""Statistics that a few wild values can't move: quantiles, median, MAD, ranks; without the slow `import statistics`."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: A MAD times this estimates the standard deviation of normally distributed values: 1 / z(0.75) (Hampel 1974).
NORMAL = 1.4826022185056018


def quantile(ordered: Sequence[float], q: float) -> float:
    """Return the q-quantile, interpolated between neighbours.

    Definition 7 of Hyndman and Fan, "Sample Quantiles in Statistical Packages", The American Statistician 50 (1996):
    what numpy, pandas and R return by default.

    Args:
        ordered: Finite values, ascending; at least one.
        q: From 0 (the lowest) to 1 (the highest).

    Raises:
        ValueError: There are no values, or `q` is not within 0 and 1.
    """
    if not ordered or not 0 <= q <= 1:
        raise ValueError(f"no {q}-quantile of {len(ordered)} values")
    place = (len(ordered) - 1) * q
    below = int(place)
    low = ordered[below]
    if below == place:
        return low
    return low + (place - below) * (ordered[below + 1] - low)


def median(values: Iterable[float]) -> float:
    """Return the middle value, of an even number the mean of the two in the middle.

    Raises:
        ValueError: There are no values.
    """
    return quantile(sorted(values), 0.5)


def mad(values: Sequence[float]) -> float:
    """Return the median absolute deviation from the median, in the unit of the values; times `NORMAL` it is a sigma.

    Hampel, "The Influence Curve and its Role in Robust Estimation", JASA 69 (1974): half of the values may be anything.

    Raises:
        ValueError: There are no values.
    """
    middle = median(values)
    return median(abs(value - middle) for value in values)


def rank(values: Sequence[float], x: float) -> tuple[int, int]:
    """Return how many of the values are less than `x`, and how many equal it."""
    # A hundred values are counted in less time than `bisect` takes to import.
    return sum(value < x for value in values), sum(value == x for value in values)
