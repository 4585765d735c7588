"""When output was written is known to a tick, within bounds."""

from __future__ import annotations

import random

import pytest

from runner.model import moments
from runner.model.moments import Moments


def filled(count: int, step: int = 10) -> Moments:
    made = Moments()
    for number in range(count):
        made.add(number * step, number / 10)
    return made


def test_a_byte_has_the_time_of_the_piece_it_stands_in() -> None:
    made = filled(3)
    assert [made.at(offset) for offset in (0, 9, 10, 25, 1000)] == [0.0, 0.0, 0.1, 0.2, 0.2]
    assert Moments().at(0) is None


def test_what_is_told_twice_is_kept_once() -> None:
    made = filled(3)
    made.add(20, 9.0)
    made.add(5, 9.0)
    assert list(made) == [(0, 0.0), (10, 0.1), (20, 0.2)]


def test_few_are_all_kept() -> None:
    made = filled(moments.MOST)
    made.prune(10 * moments.MOST, 100, 100)
    assert len(made) == moments.MOST


@pytest.mark.parametrize("count", [1025, 5000, 100_000])
@pytest.mark.parametrize("part", [0, 1, 500, 64 << 10, 10**9])
def test_pruned_ones_are_bounded_and_right_about_what_stays(count: int, part: int) -> None:
    made = filled(count)
    size = count * 10
    made.prune(size, part, part)
    assert len(made) <= 2 * moments.MOST
    step = max(1, 2 * part // (10 * moments.MOST)) if part < size else count // moments.MOST + 1
    for offset in random.Random(count).sample(range(size), 200):
        if offset < part or offset >= size - part:
            found = made.at(offset)
            assert found is not None
            assert found <= offset // 10 / 10
            assert found >= offset // 10 / 10 - 2 * step / 10


def test_plain_numbers_and_back() -> None:
    made = Moments()
    for offset, t in ((0, 0.0301), (512, 0.1), (70_000, 86_400.25)):
        made.add(offset, t)
    numbers = made.to_list()
    assert numbers == [0, 30, 512, 70, 69_488, 86_400_150]
    assert list(Moments.from_list(numbers)) == [(0, 0.03), (512, 0.1), (70_000, 86_400.25)]
    assert list(Moments.from_list([])) == []
