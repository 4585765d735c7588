from __future__ import annotations

import random
import statistics

import pytest

from runner.analysis.robust import NORMAL, mad, median, quantile, rank


@pytest.mark.parametrize("q, expected", [(0, 1), (0.25, 2.5), (0.5, 4), (0.9, 9.4), (1, 10)])
def test_a_quantile_is_interpolated_as_numpy_does(q: float, expected: float) -> None:
    # numpy.quantile([1, 2, 3, 4, 7, 9, 10], q)
    assert quantile([1, 2, 3, 4, 7, 9, 10], q) == pytest.approx(expected)


def test_quantiles_agree_with_the_standard_library() -> None:
    rng = random.Random(7)
    for count in (2, 3, 10, 101):
        values = sorted(rng.lognormvariate(0, 2) for _ in range(count))
        expected = statistics.quantiles(values, n=20, method="inclusive")
        assert [quantile(values, number / 20) for number in range(1, 20)] == pytest.approx(expected)


def test_one_value_is_every_quantile() -> None:
    assert [quantile([3.5], q) for q in (0, 0.3, 1)] == [3.5, 3.5, 3.5]


@pytest.mark.parametrize("values, q", [([], 0.5), ([1.0], -0.1), ([1.0], 1.1)])
def test_what_has_no_quantile_is_refused(values: list[float], q: float) -> None:
    with pytest.raises(ValueError, match="quantile"):
        quantile(values, q)


def test_the_median_needs_no_order() -> None:
    assert median([9, 1, 5]) == 5
    assert median([9, 1, 5, 6]) == 5.5


def test_wild_values_do_not_move_the_median_absolute_deviation() -> None:
    calm = [10.0, 11.0, 12.0, 13.0, 14.0]
    assert mad(calm) == 1
    assert mad([*calm[:-1], 1e9]) == 1
    assert mad([7.0]) == 0


def test_the_deviation_estimates_the_sigma_of_normal_values() -> None:
    rng = random.Random(3)
    assert NORMAL * mad([rng.gauss(50, 4) for _ in range(5000)]) == pytest.approx(4, rel=0.05)


def test_a_rank_tells_ties_apart() -> None:
    assert rank([1, 2, 2, 2, 5], 2) == (1, 3)
    assert rank([1, 2], 0) == (0, 0)
    assert rank([1, 2], 9) == (2, 0)
    assert rank([], 1) == (0, 0)
