"""The file that says when output was written stays bounded, and is read while it grows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.stores import times
from runner.stores.times import Times, TimesReader, read_times

if TYPE_CHECKING:
    from pathlib import Path


def test_what_is_written_is_read_while_it_grows(tmp_path: Path) -> None:
    stem = str(tmp_path / "stdout.1")
    reader = TimesReader(stem)
    assert list(reader.read()) == []
    written = Times(stem)
    written.add(0, 0.1)
    assert list(reader.read()) == [(0, 0.1)]
    written.add(500, 0.2)
    written.add(10 << 30, 100_000.0)
    written.close()
    assert list(reader.read()) == list(read_times(stem)) == [(0, 0.1), (500, 0.2), (10 << 30, 100_000.0)]


def test_a_half_written_entry_is_left_for_later(tmp_path: Path) -> None:
    stem = str(tmp_path / "stdout.1")
    written = Times(stem)
    written.add(7, 0.5)
    written.close()
    path = tmp_path / "stdout.1.times"
    path.write_bytes(path.read_bytes() + b"\0" * 9)
    assert list(read_times(stem)) == [(7, 0.5)]


def test_many_are_thinned_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(times, "MOST", 64)
    stem = str(tmp_path / "stdout.1")
    written = Times(stem)
    reader = TimesReader(stem)
    for number in range(5000):
        written.add(number * 3, number / 10)
        assert (tmp_path / "stdout.1.times").stat().st_size <= 64 * times.WIDTH
        if number % 37 == 0:
            assert reader.read().at(0) == 0.0
    written.close()
    found = reader.read()
    assert list(found) == list(read_times(stem))
    # What is known is no later than the truth, and off by a part of the whole that the bound allows.
    for number in range(0, 5000, 11):
        known = found.at(number * 3)
        assert known is not None
        assert 0 <= number / 10 - known <= 500 * 4 / 64
    assert [path.name for path in tmp_path.iterdir()] == ["stdout.1.times"]
