from __future__ import annotations

import math
import random

import pytest

from runner.analysis.usual import ENOUGH, beyond, place, remaining, swing, usual
from runner.model.usual import HIGHER, LOWER, UNKNOWN, USUAL


def noisy(count: int, centre: float = 10.0, sigma: float = 0.5, seed: int = 1) -> list[float]:
    rng = random.Random(seed)
    return [rng.gauss(centre, sigma) for _ in range(count)]


def test_the_usual_range_is_the_middle_nine_tenths() -> None:
    found = usual(range(101))
    assert (found.low, found.median, found.high, found.count, found.enough) == (5, 50, 95, 101, True)


def test_what_was_not_measured_does_not_count() -> None:
    found = usual([None, 1.0, None, 2.0])
    assert (found.count, found.enough, found.median) == (2, False, 1.5)


def test_of_nothing_nothing_is_usual() -> None:
    found = usual([])
    assert (found.count, found.enough) == (0, False)
    assert math.isnan(found.median)
    assert place(3.0, [], "seconds").to_dict() == {
        "value": 3.0, "low": None, "median": None, "high": None, "count": 0, "percentile": None, "verdict": UNKNOWN,
    }  # fmt: skip


def test_the_place_counts_less_equal_and_more() -> None:
    found = place(2.0, [1, 2, 2, 3, 9], "seconds")
    assert (found.below, found.equal, found.above) == (1, 2, 2)
    assert found.to_dict()["percentile"] == 40


def test_too_few_runs_judge_nothing() -> None:
    assert place(1e6, [1.0] * (ENOUGH - 1), "seconds").verdict == UNKNOWN
    assert place(1e6, [1.0] * ENOUGH, "seconds").verdict == HIGHER
    assert place(None, [1.0] * ENOUGH, "seconds").verdict == UNKNOWN


def test_jitter_of_a_short_script_is_not_unusual() -> None:
    fast = [0.040 + 0.0001 * number for number in range(20)]
    assert place(0.046, fast, "seconds").verdict == USUAL  # 12 %, far outside the fences, and 5 ms
    assert place(0.080, fast, "seconds").verdict == HIGHER


def test_a_small_part_of_something_large_is_not_unusual() -> None:
    assert place(1050.0, [1000.0] * 20, "MB").verdict == USUAL  # 50 MB, but 5 %
    assert place(1150.0, [1000.0] * 20, "MB").verdict == HIGHER


def test_both_sides_stand_out() -> None:
    values = noisy(50)
    assert [place(value, values, "seconds").verdict for value in (3.0, 10.2, 30.0)] == [LOWER, USUAL, HIGHER]


def test_one_wild_run_before_does_not_hide_the_next() -> None:
    assert place(25.0, [*noisy(30), 500.0, 400.0], "seconds").verdict == HIGHER


@pytest.mark.parametrize("count", [5, 10, 30, 100])
def test_ordinary_runs_are_hardly_ever_unusual(count: int) -> None:
    rng = random.Random(count)
    alarms = 0
    for _ in range(2000):
        values = [rng.gauss(10, 2) for _ in range(count + 1)]
        alarms += place(values[0], values[1:], "seconds").stands_out
    assert alarms <= 2000 * 0.025  # both sides


def test_remaining_looks_only_at_those_that_took_longer() -> None:
    durations = [10.0] * 10 + [100.0, 110.0, 120.0, 130.0, 140.0]
    low, middle, high = remaining(durations, 2.0) or (0, 0, 0)
    assert (low, middle) == (8, 8)
    assert remaining(durations, 20.0) == pytest.approx((84, 100, 116))
    assert high > 100


def test_remaining_says_nothing_where_nothing_is_known() -> None:
    assert remaining([1.0] * (ENOUGH - 1), 0.0) is None
    assert remaining([1.0] * 50, 1.0) is None  # longer than ever
    assert remaining([1.0] * 50 + [9.0, 9.0], 2.0) is None  # two runs are no interval
    assert remaining([], 0.0) is None


def test_remaining_is_never_negative_and_covers_what_it_promises() -> None:
    rng = random.Random(5)
    past = [rng.lognormvariate(3, 0.4) for _ in range(200)]
    inside = total = 0
    for _ in range(500):
        duration = rng.lognormvariate(3, 0.4)
        found = remaining(past, duration / 2)
        assert found is not None
        assert 0 < found[0] <= found[1] <= found[2]
        inside += found[0] <= duration / 2 <= found[2]
        total += 1
    assert 0.7 < inside / total <= 0.95  # of a nominal 80 %; that half has elapsed tells a little more


def test_how_far_two_runs_lie_apart_is_not_widened_by_a_drift() -> None:
    flat = noisy(60, sigma=0.5)
    drifting = [value + 0.1 * number for number, value in enumerate(flat)]
    spread = swing(flat)
    wide = swing(drifting)
    assert spread is not None
    assert wide is not None
    assert 1 < spread < 3
    assert wide < 1.3 * spread
    assert swing([1.0, None, 2.0, 3.0, 4.0]) is None


def test_how_far_two_runs_lie_apart_is_not_widened_by_one_change_of_level() -> None:
    before, after = [10.0, 10.1, 10.0, 10.2], [20.0, 20.1, 20.0]
    assert (swing([*before, *after]) or 99) < 1.5


@pytest.mark.parametrize("kind", ["gauss", "expovariate"])
def test_it_covers_nearly_all_differences(kind: str) -> None:
    rng = random.Random(9)

    def draw() -> float:
        return rng.gauss(10, 1) if kind == "gauss" else rng.expovariate(1)

    inside = sum(abs(draw() - draw()) <= (swing([draw() for _ in range(60)]) or 0) for _ in range(1000))
    assert 900 < inside < 995


def test_two_runs_differ_beyond_what_is_usual() -> None:
    assert beyond(10.0, 13.0, 1.5, "seconds") == HIGHER
    assert beyond(13.0, 10.0, 1.5, "seconds") == LOWER
    assert beyond(10.0, 11.4, 1.5, "seconds") == USUAL
    assert beyond(10.0, 10.9, 0.1, "seconds") == USUAL  # less than a tenth
    assert beyond(None, 1.0, 0.1, "seconds") == beyond(1.0, 2.0, None, "seconds") == UNKNOWN
