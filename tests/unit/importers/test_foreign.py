"""What other programs wrote becomes runs, the same ones however often it is read."""

from __future__ import annotations

import gzip
import json
import os
import sqlite3
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from runner.exporters.json_report import JsonReport
from runner.importers import read_runs
from runner.importers.base import BadFileError
from runner.model.metrics import (
    CPU_MAX,
    EXECUTION_TIME,
    MEMORY_MAX,
    MEMORY_MAX_PROCESS,
    PAGE_FAULTS_MINOR,
    STDOUT_LINES,
)
from tests.unit.stores.made import attempt_of, whole

if TYPE_CHECKING:
    from pathlib import Path

HYPERFINE = {
    "results": [
        {
            "command": "python bench.py --size 10",
            "mean": 0.5, "stddev": 0.1, "median": 0.5, "user": 0.4, "system": 0.05, "min": 0.4, "max": 0.6,
            "times": [0.4, 0.6],
            "memory_usage_byte": [10 << 20, 12 << 20],
            "exit_codes": [0, 3],
            "parameters": {"size": "10"},
        },
        {"command": "sleep 0.1", "times": [0.1], "exit_codes": [None]},
    ]
}  # fmt: skip

EARLIER = """
CREATE TABLE executions (id INTEGER PRIMARY KEY AUTOINCREMENT, script_path TEXT NOT NULL, script_args TEXT,
    start_time TEXT, end_time TEXT, execution_time_seconds REAL, exit_code INTEGER, success BOOLEAN,
    attempt_number INTEGER DEFAULT 1, timeout_seconds INTEGER, timed_out BOOLEAN DEFAULT 0, stdout_lines INTEGER,
    stderr_lines INTEGER, python_version TEXT, platform TEXT, created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE metrics (id INTEGER PRIMARY KEY AUTOINCREMENT, execution_id INTEGER, metric_name TEXT, metric_value REAL);
CREATE TABLE alerts (id INTEGER PRIMARY KEY AUTOINCREMENT, execution_id INTEGER, alert_name TEXT, severity TEXT,
    condition TEXT, triggered_at TEXT);
INSERT INTO executions VALUES (3, 'train.py', '["--epochs", "5"]', '2026-01-05T10:00:00.250000',
    '2026-01-05T10:01:00.750000', 60.5, 0, 1, 1, NULL, 0, 12, 0, '3.11.4', 'Linux-6.1', '2026-01-05 10:01:01');
INSERT INTO executions VALUES (5, 'load.py', 'a --password hunter2', '2026-01-06T10:00:00', NULL, NULL, NULL, 0, 2, 30,
    1, NULL, NULL, NULL, NULL, NULL);
INSERT INTO executions VALUES (6, 'load.py', '', '2026-01-07T10:00:00', '2026-01-07T10:00:02', 2, 7, 0, 1, NULL, 0,
    1, 1, '3.11.4', 'Linux-6.1', NULL);
INSERT INTO metrics (execution_id, metric_name, metric_value) VALUES
    (1, 'cpu_max', 1), (6, 'cpu_max', 99.5), (3, 'cpu_max', 50.5), (3, 'memory_max_mb', 100), (3, 'gpu_load', 7.5),
    (3, 'page_faults_minor', 1234.0), (4, 'cpu_max', 2), (9, 'cpu_max', 3);
INSERT INTO alerts (execution_id, alert_name) VALUES (3, 'hot'), (3, 'late');
"""


@pytest.fixture
def earlier(tmp_path: Path) -> str:
    path = str(tmp_path / "script_runner_history.db")
    connection = sqlite3.connect(path)
    connection.executescript(EARLIER)
    connection.close()
    return path


def test_each_timing_of_hyperfine_is_a_run(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text(json.dumps(HYPERFINE, indent=2))
    os.utime(path, ns=(0, 1_769_860_800_000_000_000))
    first, second, third = read_runs(str(path))
    assert (first.script_path, first.args) == ("bench.py", ["--size", "10"])
    assert first.tags == {"source": "hyperfine", "size": "10"}
    assert first.last.metrics[EXECUTION_TIME.name] == 0.4
    assert first.last.metrics[MEMORY_MAX_PROCESS.name] == 10
    assert first.extra == {"hyperfine_user_mean_seconds": 0.4, "hyperfine_system_mean_seconds": 0.05}
    assert (first.last.success, second.last.success, second.last.exit_code) == (True, False, 3)
    assert first.last.ended == second.started
    assert third.last.ended == pytest.approx(1_769_860_800_000_000_000, abs=100)
    assert (third.script_path, third.last.exit_code, third.last.reason) == ("sleep", None, "signaled")
    assert (first.last.error_type, second.last.error_type) == (None, "exit:3")
    os.utime(path, ns=(0, 1_800_000_000_000_000_000))  # copied about
    assert [run.id for run in read_runs(str(path))] == [first.id, second.id, third.id]


def test_executions_of_the_earlier_program_are_runs(earlier: str) -> None:
    train, timed_out, failed = read_runs(earlier)
    assert (train.script_path, train.args) == ("train.py", ["--epochs", "5"])
    local = datetime(2026, 1, 5, 10, 0, 0, 250000).astimezone()
    assert train.started == int(local.timestamp()) * 10**9 + 250_000_000
    assert train.total_seconds == 60.5
    last = train.last
    assert last.success
    figures = {EXECUTION_TIME: 60.5, CPU_MAX: 50.5, MEMORY_MAX: 100, PAGE_FAULTS_MINOR: 1234, STDOUT_LINES: 12}
    assert {metric: last.metrics[metric.name] for metric in figures} == figures
    assert type(last.metrics[PAGE_FAULTS_MINOR.name]) is int
    assert train.extra == {"gpu_load": 7.5, "alerts": 2}
    assert (train.python_version, train.host) == ("3.11.4", {"platform": "Linux-6.1"})
    assert (timed_out.last.reason, timed_out.last.ended, timed_out.last.number) == ("timeout", None, 2)
    assert timed_out.args == ["a", "--password", "***"]
    assert timed_out.last.metrics[CPU_MAX.name] is None
    assert (failed.last.exit_code, failed.last.success, failed.last.error_type) == (7, False, "exit:7")
    assert failed.last.metrics[CPU_MAX.name] == 99.5
    assert [run.id for run in read_runs(earlier)] == [train.id, timed_out.id, failed.id]


def test_a_damaged_row_is_named(earlier: str) -> None:
    connection = sqlite3.connect(earlier)
    with connection:
        connection.execute("UPDATE executions SET start_time = 'soon' WHERE id = 5")
    connection.close()
    with pytest.raises(BadFileError, match=r"execution 5: .*soon"):
        list(read_runs(earlier))


def test_a_report_is_a_run(tmp_path: Path) -> None:
    run = whole(1, tags={"a": "b"}, extra={"loss": 0.5}, name="training")
    run.attempts = [attempt_of(run, 1), attempt_of(run, 2)]
    run.attempts[0].exit_code = 9
    path = str(tmp_path / "report.json")
    JsonReport(path).write(run)
    [back] = read_runs(path)
    assert back.id == run.id
    report = {**run.to_dict(), "total_seconds": 0}
    assert {**back.to_dict(), "total_seconds": 0} == report
    assert back.total_seconds == pytest.approx(run.total_seconds, abs=1e-5)
    assert back.script_key == run.script_key


@pytest.mark.parametrize(("text", "message"), [
    ("", "is empty"),
    ("hello", "nothing that can be imported"),
    ("a,b\n1,2\n", "nothing that can be imported"),
    ("{", "line 1: it is cut off"),
    ("{}", "line 1: it is no export"),
    ("\n\n[1, 2]", "line 3: a run is needed, not 1"),
    ('{"run_id": "0123456789ab", "record_version": 1}', "timestamp is missing"),
    ('{"run_id": "0123456789ab", "record_version": 2}', "newer runner"),
    ('{"run_id": "x", "record_version": 1, "timestamp": "2026-01-01", "reason": "exited", "script_path": "a"}',
     "'x' is no run id"),
    ('{"run_id": "0123456789ab", "record_version": 1, "timestamp": "2026-01-01", "reason": "exited",'
     ' "script_path": "a", "python_version": "3\\ud800"}', "python_version can't be"),
    ('{"run_id": "0123456789ab", "record_version": 1, "timestamp": "2026-01-01", "reason": "exited",'
     ' "script_path": "a", "extra": {"a\\udcff": 1}}', "extra can't be"),
    ('{"results": [{"command": "a", "times": [1, NaN]}]}', "no number of JSON"),
    ('{"results": [{"command": "a", "times": [1], "exit_codes": [1, 2]}]}', "do not fit"),
    ('{"results": [{"times": [1]}]}', "not as hyperfine writes it"),
    ('{"attempt_history": []}', "report can't be read"),
    ("[" * 100_000, "cut off|deeply"),
    ('{"format": "runner-runs", "record_version": 1, "runs": [\n', "line 2: it is cut off"),
    ("run_id,record_version,timestamp\nabc,1\n", "line 2: 2 values for 3 columns"),
    ("run_id,record_version,timestamp,reason,script_path\n0123456789ab,1,soon,exited,a.py\n", "timestamp is no time"),
    ('run_id,record_version\n"abc', "line 2"),
    ("run_id,record_version\n\xff,1\n", "UTF-8"),
])  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "some file"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(BadFileError, match=message) as caught:
        list(read_runs(str(path)))
    assert "some file" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("column", "value"), [
    ("exit_code", "zero"), ("exit_code", True), ("exit_code", 1 << 70), ("cpu_max", "1"), ("tags", ["a"]),
    ("tags", {"a": 1}), ("script_args", "a b"), ("host", {"cores": 1, "memory_bytes": "lots"}),
    ("timestamp", "1/2/2026"), ("timestamp", -5),
    ("extra", {"loss": "low"}), ("earlier_attempts", [{}]), ("earlier_attempts", [1]),
    ("earlier_attempts", [{"number": 1, "start_time": "2026-01-01T00:00Z", "reason": "exited", "exit_code": "x"}]),
    ("samples", [{"attempt": 1}]), ("samples", [{"attempt": 7, "memory": "rss", "samples": 0, "t": [], "span": []}]),
    ("samples", [{"attempt": 1, "memory": "rss", "samples": 1, "t": [1], "span": [1], "cpu_percent": [1, 2]}]),
    ("output", [{"attempt": 1, "stream": "stdout", "size": 1 << 70, "lines": 0}]), ("reason", None), ("script_path", 5),
])  # fmt: skip
def test_a_value_that_can_not_be_is_refused(column: str, value: object, tmp_path: Path) -> None:
    record = {"run_id": "0123456789ab", "record_version": 1, "timestamp": "2026-01-31T12:00:00Z", "reason": "exited",
              "script_path": "a.py"}  # fmt: skip
    path = tmp_path / "runs.jsonl"
    path.write_text(json.dumps(record) + "\n")
    assert len(list(read_runs(str(path)))) == 1
    path.write_text(json.dumps(record) + "\n" + json.dumps({**record, column: value}) + "\n")
    with pytest.raises(BadFileError, match=r"runs.jsonl, line 2: "):
        list(read_runs(str(path)))


def test_a_compressed_file_that_is_cut_off_or_damaged_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl.gz"
    lines = [b'{"results": [], "salt": "%s"}\n' % os.urandom(40).hex().encode() for _ in range(5000)]
    data = gzip.compress(b"".join(lines))
    for bad, message in (
        (data[:100_000], "the compressed file is cut off"),
        (data[:-8] + b"\0\0\0\0" + data[-4:], "CRC check failed"),
        (data[:10] + b"\xff" * 10 + data[20:], "the compressed file is damaged"),
    ):
        path.write_bytes(bad)
        with pytest.raises(BadFileError, match=message):
            list(read_runs(str(path)))
    path.write_bytes(gzip.compress(b"SQLite format 3\0"))
    with pytest.raises(BadFileError, match="decompress it first"):
        list(read_runs(str(path)))


def test_json_is_read_however_it_is_laid_out(tmp_path: Path) -> None:
    record = {"run_id": "0123456789ab", "record_version": 1, "timestamp": "2026-01-31T12:00:00Z", "reason": "exited",
              "script_path": "a.py", "unknown": {"runs": [1]}}  # fmt: skip
    other = {**record, "run_id": "ffffffffffff"}
    document = {"record_version": 1, "format": "runner-runs", "runs": [record, other]}
    path = tmp_path / "runs"
    for text in (json.dumps([record, other]), json.dumps([record, other], indent=4), json.dumps(document, indent=1),
                 json.dumps({**document, "more": [1]}, sort_keys=True),
                 "\ufeff" + json.dumps(record) + json.dumps(other),
                 json.dumps({"runs": [record, other], "record_version": 1})):  # fmt: skip
        path.write_text(text)
        assert [run.id for run in read_runs(str(path))] == ["0123456789ab", "ffffffffffff"], text
