"""An export is there whole or not at all, and leaves nothing behind."""

from __future__ import annotations

import fcntl
import gzip
import os
import stat
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from runner.exporters.files import ReportError
from runner.exporters.sink import Sink

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_takes_its_place_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("old")
    path.chmod(0o640)
    with Sink(str(path)) as sink:
        sink.write(b"new" * 1_000_000)
        assert path.read_text() == "old"
        digest = sink.commit()
    assert path.read_bytes() == b"new" * 1_000_000
    assert digest == sha256(path.read_bytes()).hexdigest()
    assert sink.size == 3_000_000
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["out"]


def test_what_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "out"
    for before in ([], ["out"]):
        with pytest.raises(KeyboardInterrupt), Sink(str(path)) as sink:
            sink.write(b"x" * 5_000_000)
            raise KeyboardInterrupt
        assert os.listdir(tmp_path) == before
        path.write_text("old")
    assert path.read_text() == "old"


def test_what_is_compressed_is_the_same_every_time(tmp_path: Path) -> None:
    for name in ("a.gz", "b.gz"):
        with Sink(str(tmp_path / name), compress=True) as sink:
            sink.write(b"hello\n" * 1000)
            sink.commit()
    assert gzip.decompress((tmp_path / "a.gz").read_bytes()) == b"hello\n" * 1000
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()


def test_remnants_of_killed_exports_go_and_one_that_is_written_stays(tmp_path: Path) -> None:
    dead, alive, other = (tmp_path / name for name in ("out.1.export.tmp", "out.2.export.tmp", "out.x.export.tmp"))
    for path in (dead, alive, other):
        path.write_text("half")
    with alive.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with Sink(str(tmp_path / "out")) as sink:
            sink.commit()
    assert sorted(os.listdir(tmp_path)) == ["out", alive.name, other.name]


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"/dev/full was not written: No space left"), Sink("/dev/full") as sink:
        sink.write(b"x")
        sink.commit()


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("target")
    with Sink(str(tmp_path / "link")) as sink:
        sink.write(b"x")
        sink.commit()
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"x"
