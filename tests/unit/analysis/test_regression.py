from __future__ import annotations

import random
from math import inf, isnan, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

import runner.analysis
from runner.analysis import regressed
from runner.analysis.regression import ENOUGH, WINDOW, ceiling

numbers = st.floats(-1e12, 1e12)


def noisy(seed: int, count: int, level: float = 100.0, spread: float = 0.03) -> list[float]:
    rng = random.Random(seed)
    return [level * rng.lognormvariate(0, spread) for _ in range(count)]


def test_it_is_part_of_the_interface() -> None:
    assert runner.analysis.regressed is regressed
    assert set(runner.analysis.__all__) == {"Regressed", "regressed"}
    with pytest.raises(AttributeError, match="nothing"):
        runner.analysis.nothing


def test_runs_by_half_slower_are_found_and_equal_ones_are_not() -> None:
    found = false = 0
    for seed in range(200):
        *history, one, two = noisy(seed, 42)
        false += bool(regressed(history, one, two))
        found += bool(regressed(history, 1.5 * one, 1.5 * two))
    assert (found, false) == (200, 0)


def test_quiet_histories_show_small_changes() -> None:
    history = noisy(1, 40, spread=0.002)
    assert regressed(history, 108, 108)
    assert not regressed(history, 104, 104)
    assert not regressed(noisy(1, 40, spread=0.05), 108, 108)


def test_one_slow_run_is_not_confirmed_by_a_normal_one() -> None:
    history = noisy(2, 30)
    assert regressed(history, 150)
    assert not regressed(history, 150, 101)
    assert not regressed(history, 101, 150)


def test_two_kinds_of_machine_are_no_regression() -> None:
    rng = random.Random(3)
    history = [rng.choice((100, 130)) * rng.lognormvariate(0, 0.01) for _ in range(60)]
    assert not regressed(history, 131, 130)
    assert regressed(history, 130 * 1.4, 130 * 1.4)


def test_a_level_that_has_shifted_for_good_is_the_new_level() -> None:
    history = [*noisy(4, 50), *noisy(5, 14, level=150)]
    assert not regressed(history, 151, 152)
    assert regressed(history, 210, 210)
    assert regressed([*noisy(4, 50, level=150), *noisy(5, 14)], 185, 185)


def test_the_change_lies_between_its_bounds() -> None:
    judged = regressed(noisy(6, 64, spread=0.01), 130, 128)
    assert judged.regressed and judged.enough
    assert 0.2 < judged.lower < 0.28 < judged.upper < 0.35
    assert repr(judged).startswith("Regressed(True, lower=0.2")


def test_too_few_runs_are_said_and_judged_by_nobody() -> None:
    judged = regressed([1.0] * (ENOUGH - 1), 1000, 1000)
    assert not judged and not judged.enough
    assert isnan(judged.lower) and isnan(judged.upper)


@pytest.mark.parametrize(
    ("history", "candidate", "worse", "lower"),
    [
        ([5.0] * 20, 5, False, 0.0),
        ([5.0] * 20, 5.2, False, 0.04),
        ([5.0] * 20, 6, True, 0.2),
        ([3] * 20, 4, True, 1 / 3),
        ([0.0] * 20, 0, False, 0.0),
        ([0] * 20, 1, True, inf),
        ([0] * 20, -1, False, -inf),
        ([-100.0] * 20, -80, True, 0.2),
        ([-100.0] * 20, -120, False, -0.2),
    ],
)
def test_odd_histories_have_an_answer(history: list[float], candidate: float, worse: bool, lower: float) -> None:
    judged = regressed(history, candidate, candidate)
    assert (judged.regressed, judged.lower) == (worse, pytest.approx(lower))


@pytest.mark.parametrize("bad", [nan, inf])
def test_what_is_no_number_is_refused(bad: float) -> None:
    for history, candidate, confirm in (([1.0] * 19 + [bad], 1, 1), ([1.0] * 20, bad, 1), ([1.0] * 20, 1, bad)):
        with pytest.raises(ValueError, match="finite"):
            regressed(history, candidate, confirm)


def test_a_history_of_either_sign_has_an_interval_in_order() -> None:
    judged = regressed([-100.0, -50, -1, -100, -60, -1, -2, -80, -100, -1], 10.0)
    # The typical run is -55: the high ones are -1, the low ones -100.
    assert (judged.lower, judged.upper) == (pytest.approx(11 / 55), pytest.approx(110 / 55))
    judged = regressed([0.0] * 11 + [4.0] * 9, 6.0)
    assert (judged.lower, judged.upper) == (0.5, 1.5)  # of the high ones, as the typical run is zero


def test_a_change_is_a_part_of_the_typical_run() -> None:
    judged = regressed([10.0] * 10 + [20.0] * 10 + [30.0] * 10, 40.0)
    assert (judged.lower, judged.upper) == (0.5, 1.5)


def test_an_integer_that_no_float_can_hold_is_refused() -> None:
    for history, candidate in (([10**400] * 12, 1), ([1] * 12, 10**5000)):
        with pytest.raises(ValueError, match=r"^an integer larger than any float can't be judged"):
            regressed(history, candidate)


@given(st.lists(numbers, min_size=ENOUGH, max_size=WINDOW + 20), numbers, numbers)
def test_a_worse_run_is_never_judged_better(history: list[float], one: float, two: float) -> None:
    low, high = sorted((one, two))
    better, worse = regressed(history, low), regressed(history, high)
    assert better.regressed <= worse.regressed
    assert better.lower <= worse.lower and better.upper <= worse.upper
    assert better.lower <= better.upper
    both = regressed(history, one, two)
    assert both.lower <= both.upper
    assert regressed(history, one, two).regressed == (better.regressed and worse.regressed)
    assert repr(regressed(history, one)) == repr(regressed(history[-WINDOW:], one))


def test_the_reach_of_chance_is_where_a_run_begins_to_be_worse() -> None:
    source = random.Random(7)
    for count in (10, 20, 64):
        history = [10 * source.lognormvariate(0, 0.05) for _ in range(count)]
        limit = ceiling(history)
        assert not regressed(history, limit)
        assert regressed(history, limit * 1.000001)


def test_few_runs_leave_more_to_chance_than_they_look_like() -> None:
    quiet = [10.0, 10.1, 10.0, 10.1, 10.0, 10.1, 10.0, 10.1, 10.0]
    assert ceiling(quiet[:1]) == pytest.approx(12.2)
    assert ceiling(quiet) > ceiling([*quiet, 10.1])
    assert ceiling([3.0], start=[10.0]) == pytest.approx(12.2)  # the level is that of the start
    assert ceiling([0.0] * 3) == 0.0
