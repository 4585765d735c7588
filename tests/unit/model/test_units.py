"""Quantities as people read and write them."""

from __future__ import annotations

import pytest

from runner.model.units import format_bytes, format_change, format_seconds, format_value, parse_bytes, parse_seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("1.5", 1.5), ("250ms", 0.25), ("5m", 300), ("1h30m", 5400), ("7d", 604800), (" 2 H ", 7200),
     ("2w", 14 * 86400), ("1y", 365 * 86400), ("1year 2days", 367 * 86400), ("90mins", 5400), ("3 hours", 10800)],
)
def test_durations(text, seconds):
    assert parse_seconds(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "m", "5x", "1.2.3s", "nan", "inf", "five", "1mo", "5ds"])
def test_what_is_no_duration(text):
    with pytest.raises(ValueError):
        parse_seconds(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0000004, "0 us"), (0.0123, "12.3 ms"), (1.0, "1.00 s"), (59.99, "60.0 s"), (59.999, "1 min 00 s"),
     (61.2, "1 min 01 s"), (7380, "2 h 03 min"), (200_000, "2 d 7 h")],
)  # fmt: skip
def test_durations_as_shown(seconds, text):
    assert format_seconds(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (1000, "0.977 KB"), (123456789, "118 MB"), (5 << 40, "5 TB")]
)
def test_sizes_as_shown(count, text):
    assert format_bytes(count) == text


def test_a_figure_is_shown_by_its_unit():
    shown = [format_value(4.2, "percent"), format_value(312.0, "MB"), format_value(1234, "count")]
    assert shown == ["4.2 %", "312 MB", "1,234"]


@pytest.mark.parametrize(
    ("text", "size"),
    [("4096", 4096), ("10B", 10), ("1.5 g", 3 << 29), ("512MiB", 512 << 20), ("2GB", 2 << 30), ("1K", 1024)],
)
def test_a_size_is_read_with_any_usual_unit(text: str, size: int) -> None:
    assert parse_bytes(text) == size


@pytest.mark.parametrize("text", ["", "GB", "1XB", "2GBB", "inf", "nan", "1e400", "1 2MB"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size"):
        parse_bytes(text)


@pytest.mark.parametrize(
    ("part", "text"),
    [(0.123, "+12 %"), (-0.05, "-5 %"), (0.004, "+0.4 %"), (-0.0002, "0 %"), (12.5, "+1,250 %"), (None, "-")],
)
def test_changes_are_told_in_percent(part: float | None, text: str) -> None:
    assert format_change(part) == text
