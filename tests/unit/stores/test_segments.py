"""Of an output stream the beginning and the newest part stay, in files named by offset."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from runner.stores import segments
from runner.stores.segments import Segments

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "HEAD", 80)
    monkeypatch.setattr(segments, "SEGMENT", 40)
    monkeypatch.setattr(segments, "KEPT", 80)


def files(folder: Path) -> dict[int, bytes]:
    return {int(path.name.rpartition(".")[2]): path.read_bytes() for path in folder.iterdir()}


STREAM = bytes(index % 251 for index in range(1000))


@pytest.mark.parametrize("piece", [1, 7, 40, 41, 100, 1000])
def test_what_stays_is_where_it_says(tmp_path: Path, piece: int) -> None:
    kept = Segments(str(tmp_path / "stdout.1"))
    for offset in range(0, len(STREAM), piece):
        kept.add(offset, STREAM[offset : offset + piece])
    kept.close()
    found = files(tmp_path)
    assert found[0] == STREAM[:80]
    for offset, data in found.items():
        assert STREAM[offset : offset + len(data)] == data
    assert len(found) <= 5
    newest = max(found)
    assert newest + len(found[newest]) == len(STREAM)


def test_a_short_stream_is_one_file(tmp_path: Path) -> None:
    kept = Segments(str(tmp_path / "stdout.1"))
    kept.add(0, b"one\n")
    kept.add(4, b"two\n")
    kept.close()
    assert files(tmp_path) == {0: b"one\ntwo\n"}


def test_no_output_is_no_file(tmp_path: Path) -> None:
    Segments(str(tmp_path / "stdout.1")).close()
    assert files(tmp_path) == {}


def test_what_was_not_told_leaves_a_gap(tmp_path: Path) -> None:
    kept = Segments(str(tmp_path / "stdout.1"))
    kept.add(0, b"x" * 80)
    for offset in range(1000, 2000, 200):
        kept.add(offset, b"y" * 30)
    kept.close()
    found = files(tmp_path)
    assert found[0] == b"x" * 80
    assert max(found) == 1800
    assert sum(map(len, found.values())) <= 80 + 80 + 40 + 40


def test_output_is_for_the_owner_alone(tmp_path: Path) -> None:
    kept = Segments(str(tmp_path / "stdout.1"))
    kept.add(0, b"x")
    kept.close()
    assert os.stat(tmp_path / "stdout.1.0").st_mode & 0o777 == 0o600


def test_descriptors_are_out_of_the_way_and_given_back(tmp_path: Path) -> None:
    before = set(os.listdir("/proc/self/fd"))
    kept = Segments(str(tmp_path / "stdout.1"))
    for offset in range(0, 1000, 40):
        kept.add(offset, STREAM[offset : offset + 40])
    opened = {int(name) for name in os.listdir("/proc/self/fd")} - {int(name) for name in before}
    assert len(opened) == 1
    assert min(opened) >= 10
    kept.close()
    assert set(os.listdir("/proc/self/fd")) == before
