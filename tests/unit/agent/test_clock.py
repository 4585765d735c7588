"""Ticks keep their slots, whatever the delay."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runner.agent.clock import Slots


def test_slots_count_from_the_start() -> None:
    slots = Slots(100.0, 0.5)
    assert slots.due == 100.5
    slots.advance(100.5)
    assert slots.due == 101.0


def test_a_late_tick_is_taken_once_and_those_it_missed_are_left_out() -> None:
    slots = Slots(0.0, 0.1)
    slots.advance(0.73)
    assert slots.due == 0.8


@given(st.floats(0.01, 3600), st.lists(st.floats(0, 20), min_size=1, max_size=50))
def test_each_slot_is_later_than_now_and_lies_on_the_grid(interval: float, delays: list[float]) -> None:
    slots = Slots(1000.0, interval)
    now = 1000.0
    for delay in delays:
        before = slots.due
        now = max(now + delay, before)
        slots.advance(now)
        assert slots.due > before
        assert slots.due >= now
        assert slots.due <= now + 1.001 * interval
        number = (slots.due - 1000.0) / interval
        assert abs(number - round(number)) < 1e-6 * max(number, 1)
