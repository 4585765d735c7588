"""An interval for the relative change between two series of runs made in turn."""

from __future__ import annotations

import random
from math import inf, nan

import pytest

from runner.analysis.paired import ENOUGH, RESAMPLES, log_ratios, paired_interval, verdict
from runner.model.judgement import BETTER, SAME, UNSURE, WORSE


def series(seed: int, change: float, noise: float = 0.1, count: int = 10) -> tuple[list[float], list[float]]:
    """Return pairs that share a slowness of their own, as the runs of a pair do."""
    chance = random.Random(seed)
    shared = [chance.lognormvariate(0, 0.5) for _ in range(count)]
    base = [value * chance.lognormvariate(0, noise) for value in shared]
    return base, [value * (1 + change) * chance.lognormvariate(0, noise) for value in shared]


def test_the_same_input_gives_the_same_output() -> None:
    base, head = series(1, 0.2)
    assert paired_interval(base, head) == paired_interval(base, head)
    assert paired_interval(base, head, seed=1) != paired_interval(base, head, seed=2)


def test_a_constant_ratio_is_known_exactly() -> None:
    assert paired_interval([1, 2, 4], [1.25, 2.5, 5]) == pytest.approx((0.25, 0.25, 0.25))


def test_what_both_runs_of_a_pair_share_does_not_count() -> None:
    lower, middle, upper = paired_interval(*series(3, 0.25, noise=0.02))
    assert 0.2 < lower < middle < upper < 0.3


def test_two_wild_runs_move_nothing() -> None:
    base, head = [1.0] * 10, [1.1] * 10
    head[3] = head[7] = 60.0
    assert paired_interval(base, head)[1] == pytest.approx(0.1)


def test_more_confidence_is_a_wider_interval() -> None:
    base, head = series(4, 0.1)
    narrow, wide = (paired_interval(base, head, confidence) for confidence in (0.8, 0.99))
    assert wide[0] < narrow[0] < narrow[2] < wide[2]


def test_the_interval_holds_the_true_change_about_as_often_as_it_says() -> None:
    inside = 0
    for seed in range(200):
        lower, _, upper = paired_interval(*series(seed, 0.2))
        inside += lower <= 0.2 <= upper
    assert 170 <= inside <= 199  # of ten pairs a little less often than 95 %


@pytest.mark.parametrize(
    ("base", "head", "expected"),
    [
        ([0, 0, 0], [0, 0, 0], (0, 0, 0)),
        ([0, 0, 0], [5, 5, 5], (inf, inf, inf)),
        ([5, 5, 5], [0, 0, 0], (-1, -1, -1)),
        ([1e-300] * 3, [1e300] * 3, (inf, inf, inf)),
        ([2], [3], (0.5, 0.5, 0.5)),
    ],
)
def test_zeros_and_extremes_have_an_answer(
    base: list[float], head: list[float], expected: tuple[float, float, float]
) -> None:
    assert paired_interval(base, head) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("base", "head"), [([], []), ([1], [1, 2]), ([1], [-1]), ([nan], [1]), ([inf], [1])],
)  # fmt: skip
def test_what_can_not_be_compared_is_refused(base: list[float], head: list[float]) -> None:
    with pytest.raises(ValueError, match=r"pairs|compared"):
        log_ratios(base, head)


@pytest.mark.parametrize("confidence", [0, 1, -0.5, 2])
def test_a_confidence_is_a_part(confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence"):
        paired_interval([1], [1], confidence)


@pytest.mark.parametrize(
    ("lower", "upper", "expected"),
    [
        (0.04, 0.2, WORSE), (0.02, 0.2, UNSURE), (-0.02, 0.02, SAME), (-0.2, -0.04, BETTER), (-0.2, 0.2, UNSURE),
        (-0.2, -0.01, UNSURE),
    ],
)  # fmt: skip
def test_a_verdict_takes_the_whole_interval(lower: float, upper: float, expected: str) -> None:
    assert verdict(lower, upper, 0.03, 10) == expected
    turned = {WORSE: BETTER, BETTER: WORSE}.get(expected, expected)
    assert verdict(lower, upper, 0.03, 10, more_is_worse=False) == turned


def test_few_pairs_tell_nothing() -> None:
    assert verdict(0.5, 0.6, 0.03, ENOUGH - 1) == UNSURE
    assert verdict(0.5, 0.6, 0.03, ENOUGH) == WORSE


def test_it_resamples_often_enough_for_the_ends_of_an_interval() -> None:
    assert RESAMPLES >= 2000
