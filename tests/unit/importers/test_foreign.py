"""What other programs wrote becomes runs, the same ones however often it is read."""

from __future__ import annotations

import gzip
import json
import os
import sqlite3
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.exporters.json_report import JsonReport
from runner.exporters.records import write_runs
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
from runner.stores.sqlite import SqliteStore
from tests.unit.stores.made import attempt_of, whole

if TYPE_CHECKING:
    from collections.abc import Iterator
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

ALERT = {"time": "2026-01-01T00:00Z", "rule": "hot", "severity": "INFO", "condition": "failed", "outcome": "told",
         "during": False, "text": "found"}  # fmt: skip

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


def change(path: str, query: str, *values: object) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(query, values)
    connection.close()


def test_what_an_execution_does_not_tell_is_taken_from_what_it_does(earlier: str) -> None:
    ids = [run.id for run in read_runs(earlier)]
    change(earlier, "UPDATE executions SET start_time = NULL, end_time = NULL WHERE id = 3")
    change(earlier, "UPDATE executions SET timeout_seconds = NULL WHERE id = 5")
    change(earlier, "UPDATE executions SET exit_code = -9 WHERE id = 6")
    created, timed_out, killed = read_runs(earlier)
    assert created.started == int(datetime(2026, 1, 5, 10, 1, 1, tzinfo=UTC).timestamp()) * 10**9
    assert created.total_seconds == 60.5
    assert (timed_out.last.reason, timed_out.last.error_message) == ("timeout", "timed out")
    assert (killed.last.reason, killed.last.exit_code, killed.last.signal) == ("signaled", None, 9)
    assert (killed.last.error_type, killed.last.error_message) == ("signal:9", "killed by signal 9")
    assert [timed_out.id, killed.id] == ids[1:]
    change(earlier, "UPDATE executions SET created_at = '2026-01-05T12:00:00' WHERE id = 3")
    local = datetime(2026, 1, 5, 12).astimezone()
    assert next(iter(read_runs(earlier))).started == int(local.timestamp()) * 10**9


@pytest.mark.parametrize(("column", "value", "message"), [
    ("start_time", "soon", "start_time is no time: 'soon'"), ("start_time", b"\xff", "start_time is no time"),
    ("start_time", None, "start_time is missing"), ("start_time", "1815-12-10", "start_time is no time"),
    ("end_time", "late", "end_time is no time"), ("exit_code", "zero", "exit_code can't be 'zero'"),
    ("script_args", b"\xff", "script_args can't be"), ("execution_time_seconds", "long", "can't be 'long'"),
    ("attempt_number", "first", "attempt_number can't be 'first'"), ("python_version", b"3", "python_version can't be"),
])  # fmt: skip
def test_a_damaged_row_is_named(column: str, value: object, message: str, earlier: str) -> None:
    change(earlier, f"UPDATE executions SET {column} = ?, created_at = NULL WHERE id = 5", value)
    with pytest.raises(BadFileError, match=f"execution 5: .*{message}"):
        list(read_runs(earlier))


def test_a_number_that_no_figure_can_be_is_named(earlier: str) -> None:
    change(earlier, "UPDATE metrics SET metric_value = 1e20 WHERE execution_id = 6")
    with pytest.raises(BadFileError, match="execution 6: cpu_max is out of range"):
        list(read_runs(earlier))
    change(earlier, "UPDATE metrics SET metric_value = 9e999 WHERE execution_id = 6")
    assert [*read_runs(earlier)][2].last.metrics[CPU_MAX.name] is None


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
    ('{"results": [{"times": [1]}]}', "not as hyperfine writes it: result 1 has no command"),
    ('{"results": [{"command": "a"}]}', "result 1 has no times"),
    ('{"results": [{"command": "a", "times": [1e400, -1], "user": 0}]}', "result 1 has times that are no seconds"),
    ('{"results": [{"command": "a", "times": [1]}, 7]}', "result 2 is no object"),
    ('{"results": [{"command": "a", "times": [1], "exit_codes": ["0"]}]}', "exit codes that are none"),
    ('{"results": [{"command": "a", "times": [1], "memory_usage_byte": 5}]}', "no list of numbers"),
    ('{"results": [{"command": "a", "times": [1], "user": "x"}]}', r"a time \(user\) that is no number"),
    ('{"results": [{"command": "a", "times": [1], "parameters": [1]}]}', "parameters that are no object"),
    ('{"attempt_history": [{}], "script_path": "a"}', "report can't be read \\(start_time is missing"),
    ('{"run_id": "0123456789ab", "record_version": 1, "timestamp": []}', "timestamp can't be"),
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
    ("output", [{"attempt": 1, "stream": None, "size": 0, "lines": 0}]), ("exact", [1]), ("host", {"hostname": 5}),
    ("host", {"machine": "\ud800"}), ("timestamp", {}), ("extra", {"loss": 1e999}),
    ("earlier_attempts", [{"number": 1, "start_time": "2026-01-01T00:00Z", "reason": "exited", "metrics": [1]}]),
    ("alerts", [1]), ("alerts", [{}]), ("alerts", [{**ALERT, "during": 1}]), ("alerts", [{**ALERT, "time": "soon"}]),
    ("alerts", [{**ALERT, "rule": "\ud800"}]), ("alerts", [{**ALERT, "text": None}]),
    ("earlier_attempts", [{"number": 1, "start_time": "2026-01-01T00:00Z", "reason": "exited"}]),
    ("earlier_attempts", [{"number": 1 << 70, "start_time": "2026-01-01T00:00Z", "reason": "exited"}]),
])  # fmt: skip
def test_a_value_that_can_not_be_is_refused(column: str, value: object, tmp_path: Path) -> None:
    record = {"run_id": "0123456789ab", "record_version": 1, "timestamp": "2026-01-31T12:00:00Z", "reason": "exited",
              "script_path": "a.py"}  # fmt: skip
    path = tmp_path / "runs.jsonl"
    path.write_text(json.dumps(record) + "\n")
    assert len(list(read_runs(str(path)))) == 1
    path.write_text(json.dumps(record) + "\n" + json.dumps({**record, column: value}).replace("Infinity", "1e999"))
    with pytest.raises(BadFileError, match=r"runs.jsonl, line 2: ") as caught:
        list(read_runs(str(path)))
    assert "Error" not in str(caught.value)


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


ODD = (None, True, -9, 1.5, 1e300, float("inf"), 1 << 70, "", "x", "\ud800", "\0", [], [1], [[]], {}, {"a": [1]}, [{}],
       [None], "9" * 5000)  # fmt: skip


def places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the place of every value in JSON, as keys and positions."""
    yield place
    items = value.items() if isinstance(value, dict) else enumerate(value[:3]) if isinstance(value, list) else ()
    for key, each in items:
        yield from places(each, (*place, key))


def changed(value: Any, place: tuple[Any, ...], odd: object) -> Any:
    """Return JSON with another value at one place."""
    if not place:
        return odd
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[place[0]] = changed(copy[place[0]], place[1:], odd)
    return copy


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder, run = tmp_path_factory.mktemp("documents"), whole(1)
    run.attempts = [attempt_of(run, 1), attempt_of(run, 2)]
    JsonReport(str(folder / "report.json")).write(run)
    write_runs(str(folder / "runs.jsonl"), "jsonl", [run])
    return {
        "report": json.loads((folder / "report.json").read_text()),
        "record": json.loads((folder / "runs.jsonl").read_text()),
        "hyperfine": HYPERFINE,
    }


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
@pytest.mark.parametrize("kind", ["report", "record", "hyperfine"])
def test_whatever_stands_in_a_field_a_file_is_stored_whole_or_refused_in_one_line(
    kind: str, data: st.DataObject, documents: dict[str, Any], tmp_path: Path
) -> None:
    document = documents[kind]
    place = data.draw(st.sampled_from(sorted(places(document), key=repr)))
    text = json.dumps(changed(document, place, data.draw(st.sampled_from(ODD)))).replace("Infinity", "1e999")
    path = tmp_path / "odd.json"
    path.write_text(text)
    try:
        runs = list(read_runs(str(path)))
    except BadFileError as error:
        assert "\n" not in str(error)
        return
    (tmp_path / "runs.db").unlink(missing_ok=True)
    store = SqliteStore(str(tmp_path / "runs.db"))
    assert len(store.add(runs)) == len({run.id for run in runs})
    store.close()
    write_runs(str(tmp_path / "again.jsonl"), "jsonl", runs)


@pytest.mark.parametrize("name", ["timestamp", "end_time", "tags", "exit_code", "cpu_max", "success", "script_path"])
def test_columns_of_other_types_in_parquet_are_refused_in_one_line(name: str, tmp_path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    path = str(tmp_path / "runs.parquet")
    write_runs(path, "parquet", [whole(1)], full=False)
    table = parquet.read_table(path)
    odd = (1, "[[", 1.5, b"\xff", [1], {"a": 1}, True, date(2026, 1, 1), timedelta(seconds=1), "[" * 100_000)
    for value in odd:
        column = pyarrow.array([value])
        parquet.write_table(table.set_column(table.column_names.index(name), name, column), path)
        try:
            list(read_runs(path))
        except BadFileError as error:
            assert str(error).startswith(f"{path}")
            assert "\n" not in str(error)
