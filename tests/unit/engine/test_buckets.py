from __future__ import annotations

import time
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from runner.engine.buckets import MOST, WIDTHS, bucket_edges
from runner.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HOUR = 3_600_000_000_000


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    def change(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield change
    monkeypatch.undo()
    time.tzset()


def at(*local: int) -> int:
    return int(datetime(*local).timestamp()) * 1_000_000_000  # type: ignore[arg-type]


def shown(edges: list[int], layout: str = "%m-%d %H:%M%z") -> list[str]:
    return [time.strftime(layout, time.localtime(edge // 1_000_000_000)) for edge in edges]


@pytest.mark.parametrize(
    ("name", "day", "hours"),
    [
        ("Europe/Berlin", (2026, 3, 29), 23),
        ("Europe/Berlin", (2026, 10, 25), 25),
        ("America/Sao_Paulo", (2018, 11, 4), 23),  # there was no midnight
        ("Australia/Lord_Howe", (2026, 4, 5), 24.5),
        ("Asia/Kolkata", (2026, 3, 29), 24),
        ("UTC", (2026, 3, 29), 24),
    ],
)
def test_a_day_lasts_as_long_as_its_date(
    zone: Callable[[str], None], name: str, day: tuple[int, int, int], hours: float
) -> None:
    zone(name)
    first, *_, last = edges = bucket_edges("1day", at(*day, 12) - 24 * HOUR, at(*day, 12) + 24 * HOUR)
    assert len(edges) == 4
    assert [(after - before) / HOUR for before, after in pairwise(edges)] == [24, hours, 24]
    assert [text[-2:] for text in shown([first, last], "%H")] == ["00", "00"]
    for edge in edges:  # a moment before is another date
        assert shown([edge], "%d") != shown([edge - 1_000_000_000], "%d")


def test_hours_are_hours_whatever_the_clocks_say(zone: Callable[[str], None]) -> None:
    zone("Europe/Berlin")
    edges = bucket_edges("1hour", at(2026, 10, 25, 1, 30), at(2026, 10, 25, 3, 30))
    assert shown(edges) == [
        "10-25 01:00+0200", "10-25 02:00+0200", "10-25 02:00+0100", "10-25 03:00+0100", "10-25 04:00+0100",
    ]  # fmt: skip
    edges = bucket_edges("1hour", at(2026, 3, 29, 1, 30), at(2026, 3, 29, 3, 30))
    assert shown(edges) == ["03-29 01:00+0100", "03-29 03:00+0200", "03-29 04:00+0200"]


def test_short_buckets_are_counted_from_local_midnight(zone: Callable[[str], None]) -> None:
    zone("Asia/Kolkata")  # half an hour off
    assert shown(bucket_edges("1hour", at(2026, 1, 31, 12, 10), at(2026, 1, 31, 12, 50)), "%H:%M") == ["12:00", "13:00"]
    edges = bucket_edges("15min", at(2026, 1, 31, 23, 50), at(2026, 2, 1, 0, 20))
    assert shown(edges, "%H:%M") == ["23:45", "00:00", "00:15", "00:30"]
    assert shown(bucket_edges("5min", at(2026, 1, 31, 12, 10), at(2026, 1, 31, 12, 10)), "%H:%M") == ["12:10", "12:15"]


@pytest.mark.parametrize("size", WIDTHS)
@pytest.mark.parametrize("name", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"])
def test_buckets_hold_the_first_and_the_last_moment_without_gaps(
    zone: Callable[[str], None], size: str, name: str
) -> None:
    zone(name)
    for first, last in ((at(2026, 3, 1), at(2026, 4, 10)), (at(2011, 12, 28, 7), at(2012, 1, 2, 3, 4)), (HOUR, HOUR)):
        edges = bucket_edges(size, first, last)
        assert edges == sorted({*edges})
        assert edges[0] <= first < edges[1]
        assert edges[-2] <= last < edges[-1]
        if WIDTHS[size]:
            assert max(after - before for before, after in pairwise(edges)) == WIDTHS[size]


@pytest.mark.parametrize("size", WIDTHS)
def test_of_too_many_the_last_remain(size: str) -> None:
    last = at(2026, 11, 3, 12, 34)
    every = bucket_edges(size, at(2026, 10, 20), last)
    for most in (1, 2, 7, 13):
        assert bucket_edges(size, 0, last, most) == every[-most - 1 :]
    assert bucket_edges(size, at(2026, 10, 20), last, 10**9) == every


def test_a_million_buckets_are_enough() -> None:
    with pytest.raises(UsageError, match=rf"over {MOST:,} buckets of 5min"):
        bucket_edges("5min", 0, at(2026, 1, 1))
