"""Compares two series of runs made in turn: an interval for the relative change, without assuming a distribution."""

from __future__ import annotations

from math import exp, inf, isfinite, log
from random import Random

from runner.analysis.robust import quantile
from runner.model.judgement import BETTER, SAME, UNSURE, WORSE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

#: Resamples of a bootstrap: a thousand are enough for 95 % (Efron & Tibshirani 1993, section 19.3), not for 99.7 %.
RESAMPLES = 4000
#: Fewest pairs that a verdict can rest on: of fewer, all lie on one side of zero by chance too often.
ENOUGH = 6

#: Part of the pairs that is left out at either end: of a mean so trimmed, a few interrupted runs move nothing.
_TRIMMED = 0.25
#: The logarithm that stands for an infinite ratio, of zero to something.
_INFINITE = 50.0


def paired_interval(
    base: Sequence[float], head: Sequence[float], confidence: float = 0.95, seed: int = 0
) -> tuple[float, float, float]:
    """Return how much larger the values of `head` are than those of `base` run in turn with them.

    What slows a machine down for a while slows down both runs of a pair, so the logarithm of their ratio is judged,
    pair by pair (Kalibera & Jones, "Rigorous Benchmarking in Reasonable Time", ISMM 2013): its mean without the highest
    and the lowest quarter, with a percentile bootstrap interval (Efron & Tibshirani, "An Introduction to the
    Bootstrap", 1993, chapter 13). The same input gives the same output.

    Args:
        base: Values of one side, in any unit: finite, not negative, at least one.
        head: Values of the other; each was measured right before or after the one at the same place of `base`.
        confidence: How often the interval holds the true change, between 0 and 1; of few pairs a little less often.
        seed: Begins the random resamples.

    Returns:
        Lower bound, middle and upper bound of the relative change: 0.25 is a quarter more. Where both values of a pair
        are zero, they are the same; where only that of `base` is, the change counts as infinite.

    Raises:
        ValueError: There are no pairs, the sides differ in length, a value can't be compared, or `confidence` is none.
    """
    ratios = log_ratios(base, head)
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence of {confidence} is not between 0 and 1")
    random = Random(seed)
    count = len(ratios)
    middles = sorted(_trimmed_mean(random.choices(ratios, k=count)) for _ in range(RESAMPLES))
    tail = (1 - confidence) / 2
    bounds = (quantile(middles, tail), _trimmed_mean(ratios), quantile(middles, 1 - tail))
    lower, middle, upper = (_relative(bound) for bound in bounds)
    return lower, middle, upper


def log_ratios(base: Sequence[float], head: Sequence[float]) -> list[float]:
    """Return the logarithm of the ratio of each pair, within bounds where a value is zero.

    Raises:
        ValueError: As `paired_interval`.
    """
    if not base or len(base) != len(head):
        raise ValueError(f"{len(base)} and {len(head)} values are no pairs")
    for value in (*base, *head):
        if not isfinite(value) or value < 0:
            raise ValueError(f"{value} can't be compared: a finite number is needed that is not negative")
    return [_log_ratio(before, after) for before, after in zip(base, head, strict=True)]


def verdict(lower: float, upper: float, least: float, pairs: int, more_is_worse: bool = True) -> str:
    """Return what an interval of the relative change says: better, same, worse, or unsure.

    Args:
        lower: Lower bound.
        upper: Upper bound.
        least: Smallest relative change that matters.
        pairs: Pairs that it rests on; of fewer than `ENOUGH` nothing is certain.
        more_is_worse: Whether larger values are worse.
    """
    if pairs < ENOUGH:
        return UNSURE
    if lower > least:
        return WORSE if more_is_worse else BETTER
    if upper < -least:
        return BETTER if more_is_worse else WORSE
    return SAME if -least <= lower and upper <= least else UNSURE


def _log_ratio(before: float, after: float) -> float:
    if before == after:
        return 0.0
    if not before or not after:
        return _INFINITE if after else -_INFINITE
    return max(-_INFINITE, min(log(after) - log(before), _INFINITE))


def _trimmed_mean(values: Sequence[float]) -> float:
    ordered = sorted(values)
    left_out = int(len(ordered) * _TRIMMED)
    kept = ordered[left_out : len(ordered) - left_out]
    return sum(kept) / len(kept)


def _relative(logarithm: float) -> float:
    return inf if logarithm >= _INFINITE else -1.0 if logarithm <= -_INFINITE else exp(logarithm) - 1
