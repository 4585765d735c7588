from __future__ import annotations

import random

import pytest

from runner.analysis.drift import BEFORE, FEWEST, NEWEST, drift


def noisy(seed: int, count: int, level: float, spread: float) -> list[float]:
    rng = random.Random(seed)
    return [level * rng.gauss(1, spread) for _ in range(count)]


def test_too_few_runs_say_nothing() -> None:
    assert drift([1.0] * (NEWEST + FEWEST - 1)) is None
    assert drift([1.0] * (NEWEST + FEWEST)) == 0


def test_a_new_level_is_told_as_a_part_of_the_old_one() -> None:
    assert drift([130.0] * NEWEST + [100.0] * BEFORE) == pytest.approx(0.3)
    assert drift([50.0] * NEWEST + [100.0] * BEFORE) == pytest.approx(-0.5)
    assert drift([105.0] * NEWEST + [100.0] * BEFORE) == 0  # too small to matter


def test_runs_beyond_those_looked_at_do_not_count() -> None:
    assert drift([130.0] * (NEWEST + BEFORE) + [100.0] * 1000) == 0


def test_what_varies_anyway_is_no_trend() -> None:
    false = [drift(noisy(seed, NEWEST + BEFORE, 100, 0.3)) for seed in range(300)]
    assert sum(bool(each) for each in false) <= 15
    moved = [drift(noisy(seed, NEWEST, 200, 0.3) + noisy(seed + 1, BEFORE, 100, 0.3)) for seed in range(300)]
    assert sum((each or 0) > 0.4 for each in moved) >= 285


def test_zeros_are_no_reason_to_divide() -> None:
    assert drift([0.0] * (NEWEST + BEFORE)) == 0
