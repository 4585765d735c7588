"""Ranges, ticks and thinning of what is drawn."""

from __future__ import annotations

import math
import os
import random
import time
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.model.chart import BARS, INDEX, SECONDS, TIME, Chart, Panel, Series
from runner.model.drawing import band, known, mean, place_axis, strokes, value_axis

if TYPE_CHECKING:
    from collections.abc import Iterator

UNITS = ("seconds", "percent", "MB", "bytes", "bytes/s", "count", "lines")


def axis_of(values: list[float | None], unit: str, most: int = 4) -> object:
    return value_axis(Panel("p", unit, [Series("s", list(range(len(values))), values)]), most)


@given(
    st.lists(st.none() | st.floats(-1e15, 1e15, allow_subnormal=False), max_size=6), st.sampled_from(UNITS),
    st.integers(1, 9),
)  # fmt: skip
def test_every_value_lies_on_the_axis_and_its_ticks_are_few_and_rise(
    values: list[float | None], unit: str, most: int
) -> None:
    axis = value_axis(Panel("p", unit, [Series("s", list(range(len(values))), values)]), most)
    assert axis.low < axis.high
    assert all(axis.low <= value <= axis.high for value in known(values))
    places = [place for place, _ in axis.ticks]
    assert places == sorted(set(places))
    assert len(places) <= most + 2
    assert all(axis.low <= place <= axis.high for place in places)


@pytest.mark.parametrize(
    ("high", "unit", "labels"),
    [
        (100.0, "percent", ["0 %", "50 %", "100 %"]),
        (1.6, "seconds", ["0.0 s", "0.5 s", "1.0 s", "1.5 s"]),
        (0.003, "seconds", ["0 ms", "1 ms", "2 ms", "3 ms"]),
        (100.0, "seconds", ["0 s", "30 s", "60 s", "90 s"]),
        (7000.0, "seconds", ["0 min", "30 min", "60 min", "90 min"]),
        (1_000_000.0, "seconds", ["0 d", "5 d", "10 d"]),
        (3000.0, "MB", ["0 GB", "1 GB", "2 GB"]),
        (700.0, "MB", ["0 MB", "200 MB", "400 MB", "600 MB"]),
        (5 * 1024.0, "bytes/s", ["0 KB/s", "2 KB/s", "4 KB/s"]),
        (3.0, "count", ["0", "1", "2", "3"]),
        (45_000.0, "lines", ["0", "20,000", "40,000"]),
    ],
)
def test_ticks_are_round_in_their_unit(high: float, unit: str, labels: list[str]) -> None:
    axis = axis_of([0.5 * high, high], unit)
    assert [label for _, label in axis.ticks] == labels  # type: ignore[attr-defined]


def test_an_axis_includes_bands_and_limits() -> None:
    series = Series("s", [0, 1], [5.0, 6.0], low=[-2.0, None], high=[None, 30.0])
    axis = value_axis(Panel("p", "count", [series], [("limit", 50.0)]), 4)
    assert axis.low < -2 and axis.high > 50


def chart(x: str, xs: list[float], style: str = "line") -> Chart:
    return Chart("c", x, [Panel("p", "count", [Series("s", xs, [1.0] * len(xs), style=style)])])


@pytest.fixture
def vienna() -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = "Europe/Vienna"
    time.tzset()
    yield
    os.environ.pop("TZ")
    if before is not None:
        os.environ["TZ"] = before
    time.tzset()


def moment(*parts: int) -> float:
    return datetime(*parts, tzinfo=ZoneInfo("Europe/Vienna")).timestamp() * 1e9  # type: ignore[misc]


@pytest.mark.parametrize(
    ("start", "end", "labels"),
    [
        ((2026, 1, 31, 12, 0, 3), (2026, 1, 31, 12, 0, 58), ["12:00:15", "12:00:30", "12:00:45"]),
        ((2026, 1, 31, 7, 50), (2026, 1, 31, 12, 10), ["08:00", "10:00", "12:00"]),
        ((2026, 1, 31, 13, 0), (2026, 2, 1, 14, 0), ["02-01 00:00", "12:00"]),
        ((2026, 1, 1), (2026, 1, 29), ["01-08", "01-15", "01-22", "01-29"]),
        ((2025, 11, 20), (2026, 3, 2), ["2025-12", "2026-01", "2026-02", "2026-03"]),
        ((2020, 5, 1), (2026, 5, 1), ["2022", "2024", "2026"]),
        ((2026, 3, 28, 1, 0), (2026, 3, 31, 3, 0), ["03-29", "03-30", "03-31"]),  # an hour is missing on the 29th
    ],
)  # fmt: skip
@pytest.mark.usefixtures("vienna")
def test_times_have_ticks_at_round_local_times(
    start: tuple[int, ...], end: tuple[int, ...], labels: list[str]
) -> None:
    axis = place_axis(chart(TIME, [moment(*start), moment(*end)]), 4)
    found = [label for _, label in axis.ticks]
    assert [label.removeprefix("01-31 ") for label in found] == labels


def test_places_without_an_extent_get_one() -> None:
    assert (place_axis(chart(SECONDS, []), 4).low, place_axis(chart(SECONDS, []), 4).high) == (0.0, 1.0)
    assert place_axis(chart(SECONDS, [3.0, 9.0]), 4).low == 0.0
    for x, place in ((TIME, 1e18), (INDEX, 7.0)):
        axis = place_axis(chart(x, [place]), 4)
        assert axis.low < place < axis.high
    assert place_axis(Chart("c", INDEX, []), 4).high > 0


def test_bars_have_room_at_both_ends() -> None:
    axis = place_axis(chart(INDEX, [1.0, 2.0, 3.0], style=BARS), 4)
    assert (axis.low, axis.high) == (0.5, 3.5)


def test_the_mean_of_samples_is_over_time_and_that_of_runs_over_runs() -> None:
    series = Series("s", [1.0, 2.0, 10.0], [10.0, None, 1.0])
    assert mean(series, SECONDS) == pytest.approx((10 * 1 + 1 * 8) / 9)
    assert mean(series, INDEX) == 5.5
    assert mean(Series("s", [], []), SECONDS) is None
    assert mean(Series("s", [0.0], [7.0]), SECONDS) == 7.0
    assert mean(Series("s", [1.0, 2.0], [math.nan, 2.0]), SECONDS) == 2.0


def test_thinning_keeps_every_extreme() -> None:
    rng = random.Random(1)
    xs = [float(at) for at in range(5000)]
    ys: list[float | None] = [rng.random() for _ in xs]
    ys[1234], ys[4321] = 99.0, -99.0
    axis = place_axis(chart(SECONDS, xs), 4)
    [line] = strokes(xs, ys, axis, 100)
    assert len(line) <= 4 * 101
    assert {(1234.0, 99.0), (4321.0, -99.0), (0.0, ys[0]), (4999.0, ys[-1])} <= set(line)
    assert line == sorted(line), "in order"
    assert set(line) <= set(zip(xs, ys, strict=True)), "nothing is made up"


def test_a_gap_parts_a_line() -> None:
    axis = place_axis(chart(SECONDS, [0.0, 4.0]), 4)
    assert strokes([0, 1, 2, 3, 4], [1.0, None, 2.0, 3.0, math.nan], axis, 10) == [[(0, 1.0)], [(2, 2.0), (3, 3.0)]]
    assert strokes([], [], axis, 10) == []
    series = Series("s", [0, 1, 2, 3], [1.0] * 4, low=[0.0, None, 1.0, 1.0], high=[2.0, 2.0, 3.0, 4.0])
    assert band(series, axis, 10) == [[(0, 0.0, 2.0)], [(2, 1.0, 3.0), (3, 1.0, 4.0)]]


def test_a_dense_band_keeps_its_extent() -> None:
    xs = [float(at) for at in range(1000)]
    series = Series("s", xs, [0.0] * 1000, low=[-x for x in xs], high=xs)
    axis = place_axis(chart(SECONDS, xs), 4)
    [stretch] = band(series, axis, 50)
    assert len(stretch) <= 51
    assert min(low for _, low, _ in stretch) == -999 and max(high for *_, high in stretch) == 999
