"""A file that is written past us: what is read of it, and what is said when that is not all."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from runner.agent import handed
from runner.agent.channels import FILE, Stream
from runner.agent.handed import HandedFile
from runner.agent.keeper import Keeper

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Make = Callable[[int], tuple[int, HandedFile]]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Return a function that opens a file with flags and watches it."""

    def open_file(flags: int = 0) -> tuple[int, HandedFile]:
        fd = os.open(tmp_path / "out", os.O_WRONLY | os.O_CREAT | flags)
        stream = Stream(fd, os.fstat(fd), direct=False)
        monkeypatch.setattr("runner.agent.channels.NAMES", {fd: "stdout"})
        assert stream.kind == FILE
        stream.open()
        return fd, HandedFile(stream, Keeper("stdout", 100, 100))

    return open_file


def test_a_look_reads_as_much_as_its_time_allows(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handed, "_A_SECOND", 10)
    fd, file = make(0)
    os.write(fd, b"a\nb\nc\nd\n" * 10)
    file.look(0.5)
    assert (file.keeper.size, file.keeper.lines) == (5, 2)
    assert file.finish(0.5) == [80, 40]
    assert file.weaker == {}


def test_the_middle_of_too_much_is_passed_over_and_that_is_said(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handed, "_A_SECOND", 10)
    monkeypatch.setattr(handed, "_AT_END", 20)
    fd, file = make(0)
    os.write(fd, b"x\n" * 100 + b"the very end\n")
    assert file.finish(1.0) == [213, 10]
    assert file.weaker["stdout_lines"][0] == "bound"
    (event,) = file.keeper.take(1.0)
    assert event.data.endswith(b"the very end\n")
    assert event.offset + len(event.data) == 213


def test_a_file_that_shrinks_is_never_counted_below_nothing(make: Make) -> None:
    fd, file = make(os.O_APPEND)
    os.write(fd, b"one\n")
    file.look(1.0)
    os.ftruncate(fd, 0)
    size, lines = file.finish(1.0)
    assert size == 0
    assert lines == 1
    assert file.weaker["stdout_size"][0] == "bound"


def test_position_set_back_by_the_script(make: Make) -> None:
    fd, file = make(0)
    os.write(fd, b"0123456789\n")
    os.lseek(fd, 4, os.SEEK_SET)
    assert file.finish(1.0)[0] == 4
    assert file.weaker["stdout_size"] == ["bound", "the position in the file was moved back"]
