"""How people name moments."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from runner.engine.history_options import days_before, moment_of, parse_moment
from runner.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
#: 2026-03-29 12:00 UTC: in Berlin, summer time had begun that night.
NOW = 1_774_785_600 * SECOND
MIDNIGHT = NOW - 13 * 3600 * SECOND


@pytest.fixture(autouse=True)
def _berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("today", MIDNIGHT),
        ("Yesterday", MIDNIGHT - DAY),
        ("2026-03-29", MIDNIGHT),
        (" 2026-03-28 ", MIDNIGHT - DAY),
        ("2026-03-29T12:00Z", NOW),
        ("2026-03-29T12:00:00.5+00:00", NOW + SECOND // 2),
        ("2026-03-29T14:00", NOW),
        ("2026-03-29 14:00:01", NOW + SECOND),
        ("7d", NOW - 7 * DAY),
        ("90s", NOW - 90 * SECOND),
        ("1h30m", NOW - 5400 * SECOND),
    ],
)
def test_moments(text: str, moment: int) -> None:
    assert parse_moment(text, NOW) == moment


def test_a_day_counts_whole_as_an_end() -> None:
    assert parse_moment("2026-03-28", NOW, end=True) == MIDNIGHT
    assert parse_moment("today", NOW, end=True) == MIDNIGHT + DAY - 3600 * SECOND  # an hour was skipped
    assert parse_moment("2026-03-29T12:00Z", NOW, end=True) == NOW


@pytest.mark.parametrize("text", ["", "soon", "12", "2026-13-01", "29.3.2026", "7x", "d"])
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(UsageError, match="no time"):
        parse_moment(text, NOW)


@pytest.mark.parametrize(("text", "moment"), [("0001-01-01", 0), ("1969-12-31", 0), ("9999-12-31", (1 << 63) - 1),
                                              ("3000-01-01T00:00Z", (1 << 63) - 1)])  # fmt: skip
def test_moments_beyond_the_store_are_its_first_and_last(text: str, moment: int) -> None:
    assert parse_moment(text, NOW) == parse_moment(text, NOW, end=True) == moment


def test_a_program_may_name_moments_by_dates_too() -> None:
    assert moment_of("2026-03-29T12:00Z") == moment_of(datetime(2026, 3, 29, 12, tzinfo=UTC)) == NOW
    assert moment_of(datetime(2026, 3, 29, 14)) == NOW  # local
    assert moment_of(date(2026, 3, 29)) == MIDNIGHT
    assert moment_of(date(2026, 3, 28), end=True) == MIDNIGHT
    assert (moment_of(datetime.min), moment_of(datetime.max)) == (0, (1 << 63) - 1)
    with pytest.raises(UsageError, match="1774785600 is no time"):
        moment_of(1774785600)  # type: ignore[arg-type]


def test_days_before_never_reach_beyond_the_epoch() -> None:
    assert days_before(1, NOW) == NOW - DAY
    assert days_before(10**9, NOW) == 0
