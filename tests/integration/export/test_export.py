"""``runner export``: what it writes, what reads it, and what is left when it fails."""

from __future__ import annotations

import csv
import json
import os
import signal
import sqlite3
import subprocess
import sys
from io import StringIO
from typing import TYPE_CHECKING, Any

import duckdb
import pandas
import polars
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from runner import HistoryManager
from runner.importers import read_runs
from runner.model.metrics import CPU_MAX, EXECUTION_TIME, MEMORY_MAX, METRICS, PAGE_FAULTS_MINOR
from runner.model.portable import BEYOND, TIME, batch_of
from runner.model.portable import COLUMNS as ALL
from runner.stores.base import RunFilter
from tests import support
from tests.integration.export.conftest import STRANGE
from tests.unit.stores.made import whole

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

IDS = [whole(number).id for number in range(10)]
BUILT_IN = [column.name for column in ALL if not column.full]


def exported(runner: support.Command, *args: object) -> list[dict[str, Any]]:
    """Return the records that an export writes to standard output as JSON lines."""
    done = runner("export", "--format", "jsonl", *args)
    assert done.exit_code == 0, done
    return [json.loads(line) for line in done.out.splitlines()]


def shell(runner: support.Command, line: str) -> support.Result:
    """Run a line of bash in the folder of the command."""
    return support.Command(runner.cwd, runner.env, ["bash", "-c"])(line)


def families(text: str) -> dict[str, Any]:
    return {family.name: family for family in text_string_to_metric_families(text)}


def test_every_run_is_exported_the_oldest_first(record: support.Command) -> None:
    rows = exported(record)
    assert [row["run_id"] for row in rows] == IDS
    assert rows[0]["timestamp"] == "2026-01-31T12:00:00.000000000Z"
    assert rows[0]["tags"] == {"n": "0"}
    assert rows[0]["script_args"] == ["--epochs", "100"]
    assert rows[4]["script_path"] == STRANGE
    assert len(rows[6]["earlier_attempts"]) == 1
    assert "exact" not in rows[0] and "samples" not in rows[0]


@pytest.mark.parametrize(("words", "expected"), [
    (["train.py"], [0, 1, 2, 3, 5, 6, 7, 8, 9]),
    ([STRANGE], [4]),
    (["--export-script", STRANGE], [4]),
    (["--status", "failed"], [3]),
    (["--tag", "n=7"], [7]),
    (["--start-date", "2026-01-31T12:07:00Z"], [7, 8, 9]),
    (["--end-date", "2026-01-31T12:02:00Z"], [0, 1]),
    (["--metric", "loss"], [5]),
])  # fmt: skip
def test_an_export_is_narrowed(record: support.Command, words: list[str], expected: list[int]) -> None:
    assert [row["run_id"] for row in exported(record, *words)] == [IDS[number] for number in expected]


def test_one_metric_comes_alone(record: support.Command) -> None:
    rows = exported(record, "--metric", CPU_MAX.name, "--metric", "loss")
    assert len(rows) == 10
    others = {metric.name for metric in METRICS} - {CPU_MAX.name}
    assert not others & rows[0].keys()
    assert rows[0][CPU_MAX.name] > 0
    assert [row["extra"] for row in rows if row["extra"]] == [{"loss": 0.5}]
    assert "extra" not in exported(record, "--metric", CPU_MAX.name)[0]


def test_both_spellings_write_the_same(record: support.Command) -> None:
    flat = record("--export-format", "csv", "--export-output", "flat.csv", "--export-status", "failed")
    brief = record("export", "--output", "brief.csv", "--status", "failed")
    after = record("train.py", "--export-format", "csv", "--export-output", "after.csv")
    assert (flat.exit_code, brief.exit_code, after.exit_code) == (0, 0, 0), (flat, brief, after)
    assert "exported 1 run to flat.csv" in flat.out
    assert "exported 9 runs to after.csv" in after.out
    assert (record.cwd / "flat.csv").read_bytes() == (record.cwd / "brief.csv").read_bytes()


def test_csv_is_harmless_and_in_form(record: support.Command) -> None:
    done = record("export", "--format", "csv")
    lines = list(csv.reader(StringIO(done.stdout.decode("utf-8"), newline="")))
    assert lines[0] == BUILT_IN
    assert len(lines) == 11
    assert done.stdout.endswith(b"\r\n")
    with HistoryManager(record.cwd / "script_runner_history.db") as history:
        history.save_execution("=cmd|' /C calc'!A0", {EXECUTION_TIME.name: 1.5, CPU_MAX.name: -3})
    done = record("export", "--format", "csv", "--script", "=cmd", "--tag", "x=y")
    cells = list(csv.DictReader(StringIO(record("export", "--format", "csv").stdout.decode(), newline="")))[-1]
    assert cells["script_path"] == "'=cmd|' /C calc'!A0"
    assert cells[CPU_MAX.name] == "-3.0"  # a number stays one


def test_parquet_opens_in_pandas_polars_and_duckdb(record: support.Command) -> None:
    done = record("export", "--output", "runs.parquet")
    assert done.exit_code == 0, done
    path = str(record.cwd / "runs.parquet")
    frame = pandas.read_parquet(path)
    assert list(frame.columns) == [*BUILT_IN, *(c.name + BEYOND for c in ALL if c.kind == TIME)]
    assert str(frame["timestamp"].dtype) == "datetime64[us, UTC]"
    assert frame["timestamp"][1] - frame["timestamp"][0] == pandas.Timedelta(minutes=1)
    assert frame[CPU_MAX.name].dtype == "float64"
    assert frame[PAGE_FAULTS_MINOR.name].dtype == "int64"
    table = polars.read_parquet(path)
    assert table.schema["timestamp"] == polars.Datetime("us", "UTC")
    assert table.schema["success"] == polars.Boolean
    assert table.schema["exit_code"] == polars.Int64
    assert table.filter(~polars.col("success"))["run_id"].to_list() == [IDS[3]]
    [(count, highest, first)] = duckdb.sql(
        f"SELECT count(*), max({MEMORY_MAX.name}), min(timestamp)::VARCHAR FROM '{path}' WHERE success"
    ).fetchall()
    assert (count, highest) == (9, frame[frame.success][MEMORY_MAX.name].max())
    assert "2026-01-31" in first
    # What everybody asks first; nanoseconds with a zone can't be cast or cut to days.
    days = duckdb.sql(f"SELECT (timestamp::DATE)::TEXT, date_trunc('day', timestamp)::TEXT FROM '{path}'").fetchall()
    assert {day for day, _ in days} == {"2026-01-31"} and len({start for _, start in days}) == 1
    [(tag,)] = duckdb.sql(f"SELECT tags ->> 'n' FROM '{path}' WHERE extra ->> 'loss' = '0.5'").fetchall()
    assert tag == "5"


def test_csv_and_json_lines_open_too(record: support.Command) -> None:
    for name in ("runs.csv", "runs.jsonl", "runs.jsonl.gz"):
        assert record("export", "--output", name).exit_code == 0
    frame = pandas.read_csv(record.cwd / "runs.csv", parse_dates=[c.name for c in ALL if c.kind == TIME])
    assert len(frame) == 10 and str(frame["timestamp"].dtype).endswith("UTC]")
    assert len(pandas.read_json(record.cwd / "runs.jsonl", lines=True)) == 10
    assert polars.read_csv(record.cwd / "runs.csv").height == 10
    assert polars.read_ndjson(record.cwd / "runs.jsonl")["run_id"].to_list() == IDS
    for name in ("runs.csv", "runs.jsonl", "runs.jsonl.gz"):
        query = f"SELECT run_id FROM '{record.cwd / name}' ORDER BY timestamp"
        assert [run_id for (run_id,) in duckdb.sql(query).fetchall()] == IDS


def test_samples_go_beside_tables_and_into_json(record: support.Command) -> None:
    done = record("export", "--output", "runs.parquet", "--samples")
    assert "samples in runs.samples.parquet" in done.out
    assert record("export", "--output", "runs.csv.gz", "--samples").exit_code == 0
    table = polars.read_parquet(record.cwd / "runs.samples.parquet")
    assert table["run_id"].unique(maintain_order=True).to_list() == IDS
    assert table.height == 11 * 20  # one run had two attempts
    assert table["t"][0] == pytest.approx(0.1)
    assert pandas.read_csv(record.cwd / "runs.samples.csv.gz")["cpu_percent_high"].max() <= 100
    [samples] = exported(record, "--samples", "--tag", "n=2")[0]["samples"]
    assert (samples["samples"], len(samples["t"]), len(samples["memory_bytes"])) == (20, 20, 20)
    refused = record("export", "--format", "csv", "--samples")
    assert refused.exit_code == 2 and "a file beside it" in refused.err


def test_a_complete_export_is_the_record(record: support.Command) -> None:
    for name in ("runs.json", "runs.parquet", "runs.jsonl.gz"):
        assert record("export", "--output", name, "--full").exit_code == 0
        with HistoryManager(record.cwd / "script_runner_history.db") as history:
            runs = [run for page in history.scan(RunFilter(), output=True, samples=True) for run in page]
        assert batch_of(read_runs(str(record.cwd / name))) == batch_of(runs)
    refused = record("export", "--output", "runs.csv", "--full")
    assert refused.exit_code == 2 and "csv can't hold" in refused.err


def test_openmetrics_has_the_newest_figures_of_each_script(record: support.Command) -> None:
    assert record("export", "--output", "runs.prom").exit_code == 0
    samples = families((record.cwd / "runs.prom").read_text())["runner_last_run_success"].samples
    assert {sample.labels["script"] for sample in samples} == {"train.py", STRANGE}
    failed = record("export", "--format", "openmetrics", "--status", "failed", "--metric", MEMORY_MAX.name)
    found = families(failed.out)
    assert found["runner_last_run_success"].samples[0].value == 0
    assert "runner_memory_max_bytes" in found and "runner_cpu_max_ratio" not in found


@pytest.mark.parametrize(("words", "message"), [
    (["--format", "csv", "--metric", "cpu_mx"], "unknown metric 'cpu_mx', did you mean 'cpu_max'"),
    (["--format", "csv", "--start-date", "2026-02-01", "--end-date", "2026-01-01"], "ends before it starts"),
    (["--format", "csv", "--start-date", "someday"], "no time"),
    (["--format", "cvs"], "did you mean 'csv'"),
    ([], "--export-format is needed"),
    (["--output", "runs.txt"], "--export-format is needed"),
    (["--output", "."], "is a directory"),
    (["--output", "no/runs.csv"], "does not exist"),
    (["--output", "runs.parquet.gz"], "leave out the .gz"),
    (["--output", "runs.json", "--full", "--metric", "cpu_max"], "can't be narrowed"),
    (["--format", "openmetrics", "--samples"], "newest figures alone"),
])  # fmt: skip
def test_what_makes_no_sense_is_refused(record: support.Command, words: list[str], message: str) -> None:
    done = record("export", *words)
    assert (done.exit_code, done.out) == (2, "")
    assert message in done.err and done.err.count("\n") == 1
    assert not [name for name in os.listdir(record.cwd) if name.startswith("runs")]


def test_without_runs_it_says_so_and_writes_an_empty_export(record: support.Command) -> None:
    done = record("export", "gone.py", "--output", "runs.json")
    assert done.exit_code == 0
    assert "no run of gone.py" in done.err and "train.py" in done.err
    assert json.loads((record.cwd / "runs.json").read_text())["runs"] == []
    assert record("export", "--format", "csv", "--history-db", "none.db").out.startswith("run_id,")
    assert not (record.cwd / "none.db").exists()


def test_a_missing_library_is_named_with_what_brings_it(record: support.Command) -> None:
    (record.cwd / "shadow").mkdir()
    (record.cwd / "shadow" / "pyarrow.py").write_text("raise ImportError('no such module')")
    path = f"{record.cwd / 'shadow'}:{record.env['PYTHONPATH']}"
    done = record("export", "--output", "runs.parquet", env={"PYTHONPATH": path})
    assert done.exit_code == 2
    assert "pip install 'python-script-runner[parquet]'" in done.err
    assert not (record.cwd / "runs.parquet").exists()


HALF = """
import sys, time
from runner.exporters.sink import Sink
write = Sink.write
def half(self, data):
    write(self, data)
    self._drain()
    if self.size > 1000:
        print("half", flush=True)
        time.sleep(120)
Sink.write = half
sys.argv = ["runner", *sys.argv[1:]]
from runner.cli.main import main
main()
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_an_export_that_is_killed_half_way_leaves_the_old_file(record: support.Command, number: signal.Signals) -> None:
    path = record.cwd / "runs.jsonl"
    path.write_text("old")
    halting = support.Command(record.cwd, record.env, [sys.executable, "-c", HALF])
    child = halting.start("export", "--output", "runs.jsonl", stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"half\n"
    child.send_signal(number)
    assert child.wait(60) == -number
    child.stdout.close()
    assert path.read_text() == "old"
    left = [name for name in os.listdir(record.cwd) if name.endswith(".tmp")]
    assert len(left) == (number == signal.SIGKILL)
    assert record("export", "--output", "runs.jsonl").exit_code == 0
    assert not [name for name in os.listdir(record.cwd) if name.endswith(".tmp")]
    assert len(path.read_text().splitlines()) == 10


def test_a_disk_that_is_full_leaves_no_file(record: support.Command) -> None:
    with HistoryManager(record.cwd / "script_runner_history.db") as history:
        history.add([whole(number) for number in range(10, 100)])
    done = shell(record, f"ulimit -f 64; exec {record.line('export', '--output', 'runs.jsonl')}")
    assert done.exit_code == 1
    assert "runs.jsonl was not written: File too large" in done.err and done.err.count("\n") == 1
    assert not [name for name in os.listdir(record.cwd) if name.startswith("runs")]


def test_a_writer_who_keeps_the_database_locked_holds_nothing_up(record: support.Command) -> None:
    writer = sqlite3.connect(record.cwd / "script_runner_history.db", isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    writer.execute("UPDATE runs SET exit_code = 9")
    rows = exported(record)
    assert [row["exit_code"] for row in rows] == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
    writer.execute("ROLLBACK")
    writer.close()


def test_a_reader_who_has_seen_enough_is_no_error(record: support.Command) -> None:
    with HistoryManager(record.cwd / "script_runner_history.db") as history:
        history.add([whole(number) for number in range(10, 2000)])
    line = f"{record.line('export', '--format', 'jsonl')} | head -1; echo ${{PIPESTATUS[0]}}"
    done = shell(record, line)
    first, code = done.out.splitlines()
    assert json.loads(first)["run_id"] == IDS[0]
    assert (code, done.err) == ("0", "")


def test_on_a_terminal_it_shows_progress_and_refuses_parquet(
    record: support.Command, terminal: Callable[..., support.Terminal]
) -> None:
    shown = terminal(width=60)
    shown.line(record.line("export", "--format", "parquet"))
    assert "nothing for a terminal" in shown.wait("runner: error:")
    slow = (
        "import sys, time; from runner.exporters.sink import Sink; write = Sink.write; from runner.stores import scan;"
        "Sink.write = lambda self, data: (write(self, data), time.sleep(0.7));"
        "import runner.stores.sqlite as s; s.SqliteStore.scan_columns.__defaults__ = (2,);"
        "import runner.engine.history as h; h.HistoryManager.scan_columns.__defaults__ = (2,);"
        "sys.argv = ['runner', *sys.argv[1:]]; from runner.cli.main import main; main()"
    )
    halting = support.Command(record.cwd, record.env, [sys.executable, "-c", slow])
    shown.line(halting.line("export", "--output", "slow.jsonl"))
    seen = shown.wait(lambda text: "of 10 runs exported" in text and " left" in text)
    assert " %, " in seen
    text = shown.wait("exported 10 runs to slow.jsonl")
    assert "of 10 runs exported" not in text


def test_from_python(record: support.Command, tmp_path: Path) -> None:
    with HistoryManager(record.cwd / "script_runner_history.db") as history:
        told = history.export(tmp_path / "runs.csv", script_name="train.py", status="failed")
        assert told["runs"] == 1
        assert told["bytes"] == (tmp_path / "runs.csv").stat().st_size
        assert len(told["sha256"]) == 64
        other = HistoryManager(tmp_path / "other.db")
        assert other.import_file(tmp_path / "runs.csv")["new"] == 1
        assert other.import_file(tmp_path / "runs.csv") == {
            "path": str(tmp_path / "runs.csv"), "runs": 1, "new": 0, "known": 1
        }  # fmt: skip
        other.close()


@pytest.mark.parametrize("name", ["script_runner_history.db", "link.csv", "script_runner_history.db-wal",
                                  "script_runner_history.db.runs/a.csv"])  # fmt: skip
def test_nothing_is_written_in_place_of_the_record(record: support.Command, name: str) -> None:
    path = record.cwd / "script_runner_history.db"
    (record.cwd / "link.csv").symlink_to(path.name)
    (record.cwd / "script_runner_history.db.runs").mkdir(exist_ok=True)
    script = record.script("")
    before = path.read_bytes()
    for words in (("export", "--format", "csv", "--output", name), ("--json-output", name, script),
                  ("--junit-output", name, script), ("--save-baseline", name, script)):  # fmt: skip
        done = record(*words)
        assert (done.exit_code, done.out, done.err.count("\n")) == (2, "", 1), words
        assert name in done.err and "record" in done.err
    assert path.read_bytes() == before
    done = record("--history-db", "new.db", "export", "--format", "csv", "--output", "new.db")
    assert (done.exit_code, done.err) == (
        2, "runner: error: --export-output: new.db is the record itself; name another file\n"
    )  # fmt: skip


def test_a_script_is_named_in_any_way(record: support.Command) -> None:
    rows = exported(record, "train.py")
    assert 0 < len(rows) < 10
    assert exported(record, "--script", "train.py") == exported(record, "--export-script", "train.py") == rows
    for words in (("train.py",), ("--export-script", "train.py")):
        flat = record("--export-format", "jsonl", *words)
        assert [json.loads(line) for line in flat.out.splitlines()] == rows


def test_a_long_name_does_not_fill_the_screen(record: support.Command) -> None:
    with HistoryManager(record.cwd / "script_runner_history.db") as history:
        history.save_execution("a" * 4000, {})
    done = record("export", "nowhere.py", "--format", "csv")
    assert "no run of nowhere.py in " in done.err and max(map(len, done.err.split(", "))) < 300
