"""Judges whether a new run is worse than the runs before it: what gates, command line and API all ask."""

from __future__ import annotations

from itertools import pairwise
from math import inf, isfinite

from runner.analysis.robust import median, quantile
from runner.analysis.usual import CAUTION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

#: Fewest runs that a judgement can rest on.
ENOUGH = 10
#: Most runs looked at, the newest ones.
WINDOW = 64

#: Nine of ten earlier runs are below what a worse one has to exceed ...
_HIGH, _LOW = 0.9, 0.1
#: ... and besides the newest ones, whatever level the older ones were at.
RECENT = 5

# How far it has to exceed the one and the other: in multiples of what three of four neighbouring runs differ by at
# most, within bounds, as parts of the level. On 85 histories of public benchmarks of shared CI machines (24,565 runs),
# with a confirming run, that finds 73 % of slowdowns by half and 20 % of those by a fifth at 0.08 % false alarms a run;
# a limit at the mean and 2.33 standard deviations finds 63 and 19 % at 0.21 %.
_ABOVE_HIGH = (0.5, 0.025, 0.06)
_ABOVE_RECENT = (4.0, 0.05, 0.22)


class Regressed:
    """A judgement; true only where the run is worse.

    Attributes:
        regressed: Whether it is worse than what the runs before it leave to chance.
        lower: Least relative change that the earlier runs speak for: what the run has more than the high ones of them,
            as a part of the typical one. 0.2 is a fifth of that.
        upper: Largest relative change: what it has more than the low ones of them, likewise.
        enough: Whether there were runs enough to judge; without, nothing is regressed and the change is unknown (NaN).
    """

    __slots__ = ("enough", "lower", "regressed", "upper")

    def __init__(self, regressed: bool, lower: float, upper: float, enough: bool) -> None:
        self.regressed = regressed
        self.lower = lower
        self.upper = upper
        self.enough = enough

    def __bool__(self) -> bool:
        return self.regressed

    def __repr__(self) -> str:
        told = f"{self.regressed}, lower={self.lower:.3g}, upper={self.upper:.3g}, enough={self.enough}"
        return f"Regressed({told})"


def regressed(history: Sequence[float], candidate: float, confirm: float | None = None) -> Regressed:
    """Judge whether a run is worse than those before it, where larger is worse.

    A run is worse when it exceeds both the 0.9-quantile of the earlier runs and the median of the last five of them,
    each by a margin that grows with what neighbouring runs differ by. Quantiles bear single wild runs and levels that
    shift (a shared machine is now of one kind, now of another); the newest runs tell the level that holds now. It is a
    conformal quantile (Vovk, Gammerman, Shafer: Algorithmic Learning in a Random World, 2005) with a least effect.

    One run can be slow by chance, so a judgement without `confirm` is a reason to run once more, not to fail a build:
    some 2 to 4 % of normal runs on shared machines are taken for worse. With `confirm` it is final: both have to be.

    Args:
        history: Values of earlier runs, oldest first, in any unit. The last 64 count; fewer than 10 are too few. Where
            all are the same, a run is worse beyond 5 % more. Zero and negative values are taken as they are: the
            change is relative to the size of the median. Where that is zero it is relative to the largest of the
            quantiles and the newer median instead; where these are zero too (a history of zeros), any increase is
            worse, and infinite.
        candidate: Value of the run to judge.
        confirm: Value of a second, newer run of the same, or None.

    Raises:
        ValueError: A value is not finite, or an integer larger than any float.
    """
    window = [_finite(value) for value in history[-WINDOW:]]
    newer = [_finite(value) for value in ((candidate,) if confirm is None else (candidate, confirm))]
    if len(window) < ENOUGH:
        return Regressed(False, float("nan"), float("nan"), False)
    levels = _Levels(window)
    least, most = min(newer), max(newer)
    lower = _change(least - max(levels.high, levels.recent), levels.size)
    upper = _change(most - min(levels.low, levels.recent), levels.size)
    return Regressed(least > levels.ceiling(_noise(window)), lower, upper, True)


def ceiling(history: Sequence[float], start: Sequence[float] = ()) -> float:
    """Return the most that a run may show by chance: beyond it, it is worse (see `regressed`).

    Of fewer than `ENOUGH` runs too: what neighbours differ by is then taken for larger than it was seen to be, times
    1 + 10 / differences, and with fewer than three runs for as large as it can count.

    Args:
        history: Finite values of earlier runs, oldest first; the last `WINDOW` count. At least one.
        start: Values of the runs with which everything began, to hold a run against these instead: the history then
            only says what neighbours differ by.
    """
    window = history[-WINDOW:]
    return _Levels(start or window).ceiling(_noise(window))


class _Levels:
    """What runs cost: the low and the high ones of them, the typical one, and the newest."""

    __slots__ = ("high", "low", "recent", "typical")

    def __init__(self, values: Sequence[float]) -> None:
        ordered = sorted(values)
        self.low, self.typical, self.high = (quantile(ordered, q) for q in (_LOW, 0.5, _HIGH))
        self.recent = median(values[-RECENT:])

    @property
    def size(self) -> float:
        """What a change is told as a part of; zero where there is nothing but zeros."""
        return abs(self.typical) or max(abs(self.low), abs(self.high), abs(self.recent))

    def ceiling(self, noise: float) -> float:
        """Return the most that a run may show by chance where neighbouring runs differ by `noise`."""
        return max(
            self.high + _margin(noise, abs(self.typical), _ABOVE_HIGH),
            self.recent + _margin(noise, abs(self.recent), _ABOVE_RECENT),
        )


def _finite(value: float) -> float:
    try:
        number = float(value)
    except OverflowError:
        raise ValueError("an integer larger than any float can't be judged: every value has to be finite") from None
    if not isfinite(number):
        raise ValueError(f"{number} can't be judged: every value has to be a finite number")
    return number


def _noise(window: Sequence[float]) -> float:
    """Return what three of four neighbouring runs differ by at most, or may: see `ceiling`."""
    if len(window) < 3:
        return inf
    steps = sorted(abs(after - before) for before, after in pairwise(window))
    noise = quantile(steps, 0.75)
    return noise if len(window) >= ENOUGH else noise * (1 + CAUTION / len(steps))


def _margin(noise: float, level: float, part: tuple[float, float, float]) -> float:
    times, least, most = part
    return min(most * level, max(least * level, times * noise))


def _change(difference: float, size: float) -> float:
    if size:
        return difference / size
    return 0.0 if not difference else inf if difference > 0 else -inf
