"""Reports are written whole or not at all."""

from __future__ import annotations

import os
import threading

import pytest

from runner import HistoryManager
from runner.engine.own_log import OwnLog
from runner.engine.own_log_options import OwnLogOptions
from runner.exporters import files
from runner.model.errors import UsageError


def test_a_new_file_is_written_and_nothing_else_is_left(tmp_path):
    target = tmp_path / "report.json"
    files.check(str(target), "--json-output")
    files.write(str(target), b"{}")
    assert target.read_bytes() == b"{}"
    assert os.listdir(tmp_path) == ["report.json"]


def test_a_regular_file_is_replaced_in_one_step_and_keeps_its_mode(tmp_path):
    target = tmp_path / "report.json"
    target.write_bytes(b"old")
    target.chmod(0o600)
    before = target.stat().st_ino
    with target.open("rb") as reader:
        files.write(str(target), b"new")
        assert reader.read() == b"old"  # who was reading sees the old file to its end
    assert target.read_bytes() == b"new"
    assert target.stat().st_mode & 0o777 == 0o600
    assert target.stat().st_ino != before


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real.json").write_bytes(b"old")
    link = tmp_path / "link.json"
    link.symlink_to("real.json")
    files.write(str(link), b"new")
    assert link.is_symlink()
    assert (tmp_path / "real.json").read_bytes() == b"new"


def test_a_fifo_is_written_to(tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    got = []
    reader = threading.Thread(target=lambda: got.append(fifo.read_bytes()))
    reader.start()
    files.check(str(fifo), "--json-output")
    files.write(str(fifo), b"x" * 200_000)
    reader.join(30)
    assert got == [b"x" * 200_000]


def test_a_device_is_written_to_and_its_refusal_is_said():
    files.write("/dev/null", b"x")
    with pytest.raises(files.ReportError, match="No space left"):
        files.write("/dev/full", b"x")


def test_a_failure_leaves_the_old_file_and_no_rubbish(tmp_path, monkeypatch):
    target = tmp_path / "report.json"
    target.write_bytes(b"old")

    def full(fd, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(files.ReportError, match="No space left"):
        files.write(str(target), b"new")
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["report.json"]


def test_what_a_killed_process_of_the_same_number_left_blocks_nothing(tmp_path, monkeypatch):
    target = tmp_path / "report.json"

    def killed(fd, data):
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", killed)
        patched.setattr(os, "unlink", lambda path: None)
        with pytest.raises(SystemExit):
            files.write(str(target), b"half")
    assert len(os.listdir(tmp_path)) == 1
    files.write(str(target), b"new")
    assert target.read_bytes() == b"new"


@pytest.mark.parametrize("where", ["", ".", "no/such/folder/report.json"])
def test_a_path_that_cannot_work_is_refused_before_the_start(where, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="--json-output"):
        files.check(where, "--json-output")


@pytest.mark.parametrize(("name", "stream"), [("/dev/stdout", 1), ("/dev/stderr", 2)])
def test_a_report_to_a_standard_stream_takes_nothing_from_the_file_it_goes_to(tmp_path, name, stream):
    target = tmp_path / "out"
    with target.open("wb") as out:
        out.write(b"the script's\n")
        out.flush()
        saved = os.dup(stream)
        os.dup2(out.fileno(), stream)
        try:
            files.check(name, "--json-output")
            files.write(name, b"{}\n")
        finally:
            os.dup2(saved, stream)
            os.close(saved)
    assert target.read_bytes() == b"the script's\n{}\n"


def test_what_would_take_the_place_of_a_record_is_refused(tmp_path):
    record = tmp_path / "runs.db"
    HistoryManager(record).save_execution("job.py", {})
    (tmp_path / "link.csv").symlink_to("runs.db")
    (tmp_path / "hard.csv").hardlink_to(record)
    (tmp_path / "runs.db.runs").mkdir()
    for name in ("runs.db", "link.csv", "hard.csv"):
        with pytest.raises(UsageError, match=f"--x: .*{name} is a database, such as the record itself"):
            files.check(str(tmp_path / name), "--x")
    for name in ("runs.db-wal", "runs.db-shm", "runs.db-journal", "runs.db.runs/a.csv"):
        with pytest.raises(UsageError, match=f"--x: .*{name} belongs to the record .*runs.db; name another file"):
            files.check(str(tmp_path / name), "--x")
    for name in ("other.db-wal", "runs.db.csv", "runs.db-wal.csv"):
        files.check(str(tmp_path / name), "--x")
    with pytest.raises(UsageError, match=r"--log-file: .* is a database"):
        OwnLog.made_of(OwnLogOptions(log_file=str(record)), "INFO")
