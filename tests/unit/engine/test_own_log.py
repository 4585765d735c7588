from __future__ import annotations

import json
import logging
import os
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from runner.agent.events import dumps
from runner.engine.own_log import OwnLog
from runner.engine.own_log_sinks import FileSink, JournalSink, LoggingSink, SyslogSink, logfmt
from tests.unit.stores.made import whole

if TYPE_CHECKING:
    from pathlib import Path

EVENT: dict[str, Any] = {
    "time": "2026-01-31T12:00:00+01:00", "level": "WARNING", "event": "warning", "run_id": "0123456789ab",
}  # fmt: skip


def test_a_line_of_text_can_be_read_back() -> None:
    event = {**EVENT, "text": 'a "b"\nc', "n": 1.5, "ok": True, "args": ["x y"], "none": ""}
    begin = "2026-01-31T12:00:00+01:00 WARNING warning run_id=0123456789ab"
    assert logfmt(event) == begin + r' text="a \"b\"\nc" n=1.5 ok=true args="[\"x y\"]"'


def test_a_file_is_put_aside_when_it_has_grown(tmp_path: Path) -> None:
    path = tmp_path / "run.log"
    sink = FileSink(str(path), dumps, 400, 2)
    for number in range(20):
        sink.write({**EVENT, "n": number})
    assert sorted(each.name for each in tmp_path.iterdir()) == ["run.log", "run.log.1", "run.log.2"]
    texts = [(tmp_path / name).read_text() for name in ("run.log.2", "run.log.1", "run.log")]
    lines = [json.loads(line) for text in texts for line in text.splitlines()]
    assert [line["n"] for line in lines] == list(range(lines[0]["n"], 20))
    assert all(each.stat().st_size <= 400 for each in tmp_path.iterdir())
    FileSink(str(path), dumps, 400, 0).write({**EVENT, "text": "x" * 300})
    assert json.loads(path.read_text())["text"] == "x" * 300


def test_lines_of_several_runners_never_mix_nor_get_lost(tmp_path: Path) -> None:
    path = str(tmp_path / "run.log")

    def work(number: int) -> None:
        sink = FileSink(path, dumps, 5000, 100)
        for turn in range(60):
            sink.write({**EVENT, "n": number, "turn": turn})

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = [json.loads(line) for each in tmp_path.iterdir() for line in each.read_text().splitlines()]
    assert sorted((line["n"], line["turn"]) for line in found) == [(n, turn) for n in range(6) for turn in range(60)]


def received(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(str(path))
    listener.settimeout(10)
    return listener


def test_syslog_gets_a_priority(tmp_path: Path) -> None:
    with received(tmp_path / "log") as listener:
        SyslogSink(str(tmp_path / "log")).write(EVENT)
        text = listener.recv(9999).decode()
    assert text == f"<12>runner[{os.getpid()}]: WARNING warning run_id=0123456789ab"


def test_the_journal_gets_fields(tmp_path: Path) -> None:
    with received(tmp_path / "journal") as listener:
        JournalSink(str(tmp_path / "journal")).write({**EVENT, "text": "one\ntwo"})
        data = listener.recv(9999)
    assert data.startswith(b"MESSAGE=")
    assert b"\nPRIORITY=4\n" in data and b"\nRUNNER_RUN_ID=0123456789ab\n" in data
    assert b"\nRUNNER_TEXT\n" + (7).to_bytes(8, "little") + b"one\ntwo\n" in data


def test_a_place_that_fails_is_told_once(tmp_path: Path) -> None:
    log = OwnLog([SyslogSink(str(tmp_path / "nothing")), FileSink(str(tmp_path / "no/dir"), dumps, 1000, 1)])
    log.warning("a")
    log.warning("b")
    assert [line.partition(" can't")[0] for line in log.trouble] == [
        f"the log {tmp_path}/nothing", f"the log {tmp_path}/no/dir",
    ]  # fmt: skip


def test_levels_are_kept_and_a_run_is_told(tmp_path: Path) -> None:
    run = whole(1)
    log = OwnLog([FileSink(str(tmp_path / "log"), dumps, 10000, 1)], "WARNING")
    log.end(run)
    assert not (tmp_path / "log").exists()
    run.last.exit_code, run.last.error_type = 3, "exit:3"
    log.end(run)
    event = json.loads((tmp_path / "log").read_text())
    assert (event["event"], event["level"], event["run_id"], event["exit_code"]) == ("run.end", "ERROR", run.id, 3)


def test_a_program_hears_of_it_by_its_own_logging(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="runner"):
        OwnLog([LoggingSink()], "DEBUG").warning("odd")
    [record] = caplog.records
    assert (record.name, record.levelname) == ("runner", "WARNING")
    assert record.runner["text"] == "odd"  # type: ignore[attr-defined]
