"""``runner import``: all of a file or nothing of it, and each run once."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import sys

import pytest

from runner import HistoryManager
from runner.model.portable import batch_of
from runner.stores.base import RunFilter
from runner.stores.database import SCHEMA, read_migration
from tests import support
from tests.integration.export.conftest import STRANGE
from tests.unit.importers.test_foreign import EARLIER, HYPERFINE
from tests.unit.stores.made import whole


def count(runner: support.Command, name: str = "other.db") -> int:
    with HistoryManager(runner.cwd / name) as history:
        return history.count(RunFilter())


@pytest.mark.parametrize("ending", ["csv", "json", "jsonl", "parquet", "csv.gz", "jsonl.gz"])
def test_what_was_exported_is_imported_once(record: support.Command, ending: str) -> None:
    name = f"runs.{ending}"
    assert record("export", "--output", name).exit_code == 0
    os.rename(record.cwd / name, record.cwd / "misnamed.txt")  # what it holds counts
    into = ("--history-db", "other.db")
    done = record("import", *into, "misnamed.txt")
    assert (done.exit_code, done.out) == (0, "imported 10 runs from misnamed.txt\n"), done
    again = record("import", *into, "misnamed.txt")
    assert again.out == "imported 0 runs from misnamed.txt, 10 were there already\n"
    shown = json.loads(record("history", "--format", "json", "--days", "100000", *into).out)
    assert STRANGE in {run["script_path"] for run in shown["runs"]}


def test_a_complete_export_restores_the_record(record: support.Command) -> None:
    assert record("export", "--output", "runs.jsonl.gz", "--full").exit_code == 0
    assert record("import", "--history-db", "other.db", "runs.jsonl.gz").exit_code == 0
    one, other = (HistoryManager(record.cwd / name) for name in ("script_runner_history.db", "other.db"))
    for number in range(10):
        run_id = whole(number).id
        assert batch_of([other.get(run_id)]) == batch_of([one.get(run_id)])  # type: ignore[list-item]
    one.close()
    other.close()


def test_another_record_is_merged_and_left_as_it_is(record: support.Command) -> None:
    shutil.copy(record.cwd / "script_runner_history.db", record.cwd / "theirs.db")
    with HistoryManager(record.cwd / "theirs.db") as theirs:
        theirs.add([whole(number) for number in range(8, 12)])
    done = record("import", "theirs.db", "--format", "json")
    assert json.loads(done.out) == {
        "status": "ok", "database": str(record.cwd / "script_runner_history.db"), "dry_run": False,
        "files": [{"path": "theirs.db", "runs": 12, "new": 2, "known": 10}],
    }  # fmt: skip
    assert count(record, "script_runner_history.db") == 12
    with HistoryManager(record.cwd / "script_runner_history.db") as history:
        run = history.get(whole(11).id)
        assert run is not None and run.last.curve is not None and run.last.output["stdout"].size == 60


def test_a_record_of_an_older_version_is_read_and_not_migrated(record: support.Command) -> None:
    old = record.cwd / "old.db"
    connection = sqlite3.connect(old)
    for statement in read_migration(1):
        connection.execute(statement)
    connection.execute("PRAGMA user_version = 1")
    connection.execute("PRAGMA application_id = 0x526E6E72")
    connection.execute("INSERT INTO scripts VALUES (1, '/a.py', 'a.py', '')")
    connection.execute("INSERT INTO hosts VALUES (1, '{}')")
    connection.execute("INSERT INTO environments VALUES (1, NULL, NULL, '0.0.9', 'alice', '/')")
    connection.execute(
        "INSERT INTO runs (id, script, started, host, environment, attempts, number, delay, offset, reason, merged)"
        " VALUES (255, 1, 1769860800000000000, 1, 1, 1, 1, 0, 0, 'exited', 0)"
    )
    connection.commit()
    connection.close()
    before = old.read_bytes()
    assert SCHEMA > 1
    done = record("import", "old.db")
    assert done.out == "imported 1 run from old.db\n", done
    assert old.read_bytes() == before
    assert json.loads(record("history", "a.py", "--days", "100000", "--format", "json").out)["matching"] == 1


def test_what_other_programs_wrote_is_imported(record: support.Command) -> None:
    (record.cwd / "bench.json").write_text(json.dumps(HYPERFINE))
    connection = sqlite3.connect(record.cwd / "earlier.db")
    connection.executescript(EARLIER)
    connection.close()
    record.script("print(1)", "job.py")
    assert record("--json-output", "report.json", "--history-db", "third.db", "job.py").exit_code == 0
    into = ("--history-db", "other.db")
    done = record("import", *into, "bench.json", "earlier.db", "report.json")
    assert done.out.splitlines() == [
        "imported 3 runs from bench.json", "imported 3 runs from earlier.db", "imported 1 run from report.json"
    ]  # fmt: skip
    again = record("import", *into, "bench.json", "earlier.db", "report.json", "--format", "csv")
    assert again.out.splitlines()[1:] == ["bench.json,3,0,3", "earlier.db,3,0,3", "report.json,1,0,1"]
    shown = json.loads(record("history", "job.py", "--format", "json", *into).out)
    direct = json.loads(record("history", "job.py", "--format", "json", "--history-db", "third.db").out)
    assert shown["runs"][0]["metrics"] == direct["runs"][0]["metrics"]


def test_a_bad_line_far_down_changes_nothing(record: support.Command) -> None:
    assert record("export", "--output", "runs.jsonl").exit_code == 0
    lines = (record.cwd / "runs.jsonl").read_text().splitlines()
    lines[8] = lines[8].replace('"exit_code":0', '"exit_code":"zero"')
    (record.cwd / "runs.jsonl").write_text("\n".join(lines))
    done = record("import", "--history-db", "other.db", "runs.jsonl")
    assert done.exit_code == 1
    assert done.err == "runner: error: runs.jsonl, line 9: exit_code can't be 'zero'\n"
    assert not (record.cwd / "other.db").exists()


def test_a_dry_run_stores_nothing_and_says_what_would_be(record: support.Command) -> None:
    assert record("export", "--output", "runs.csv").exit_code == 0
    with HistoryManager(record.cwd / "other.db") as history:
        history.add([whole(1)])
    done = record("import", "--dry-run", "--history-db", "other.db", "runs.csv")
    assert done.out == "would import 9 runs from runs.csv, 1 was there already\n"
    assert count(record) == 1
    assert record("import", "--dry-run", "--history-db", "none.db", "runs.csv").out.startswith("would import 10 runs")
    assert not (record.cwd / "none.db").exists()


def test_it_reads_standard_input(record: support.Command) -> None:
    assert record("export", "--output", "runs.jsonl.gz").exit_code == 0
    data = (record.cwd / "runs.jsonl.gz").read_bytes()
    done = record("import", "--history-db", "other.db", "-", input=data)
    assert done.out == "imported 10 runs from standard input\n", done
    bad = record("import", "--history-db", "other.db", "-", input=data[:300])
    assert bad.exit_code == 1 and "standard input" in bad.err and "cut off" in bad.err


@pytest.mark.parametrize(("name", "code", "message"), [
    (".", 2, ". is a directory"),
    ("gone.csv", 2, "there is no file gone.csv"),
    ("script_runner_history.db", 2, "is the record itself"),
    ("empty", 1, "empty is empty"),
    ("text", 1, "nothing that can be imported"),
    ("foreign.db", 1, "nothing that can be imported"),
    ("damaged.db", 1, "damaged"),
    ("damaged.parquet", 1, "damaged.parquet: "),
    ("newer.jsonl", 1, "newer runner"),
    ("newer.db", 1, "newer version"),
])  # fmt: skip
def test_what_can_not_be_imported_is_refused(record: support.Command, name: str, code: int, message: str) -> None:
    folder = record.cwd
    (folder / "empty").write_text("")
    (folder / "text").write_text("hello, world\n")
    ours = (folder / "script_runner_history.db").read_bytes()
    (folder / "damaged.db").write_bytes(ours[:8192])
    (folder / "newer.db").write_bytes(ours[:60] + (99).to_bytes(4, "big") + ours[64:])
    (folder / "damaged.parquet").write_bytes(b"PAR1" + bytes(100))
    (folder / "newer.jsonl").write_text('{"run_id": "0123456789ab", "record_version": 2}\n')
    connection = sqlite3.connect(folder / "foreign.db")
    connection.execute("CREATE TABLE songs (name)")
    connection.close()
    before = count(record, "script_runner_history.db")
    done = record("import", name)
    assert (done.exit_code, done.out) == (code, ""), done
    assert message in done.err and done.err.count("\n") == 1, done
    assert count(record, "script_runner_history.db") == before


def test_without_a_file_it_asks_for_one(record: support.Command) -> None:
    done = record("import")
    assert done.exit_code == 2 and "name the file" in done.err


CUT_OFF = """
import os, sys
from runner.stores.sqlite import SqliteStore
add = SqliteStore.add
def once(self, runs):
    if getattr(self, "stored", False):
        os.kill(os.getpid(), 9)
    self.stored = True
    return add(self, runs)
SqliteStore.add = once
import runner.engine.imports as imports
imports._BATCH = 3
sys.argv = ["runner", *sys.argv[1:]]
from runner.cli.main import main
main()
"""


def test_an_import_that_is_killed_can_be_done_again(record: support.Command) -> None:
    assert record("export", "--output", "runs.jsonl", "--full").exit_code == 0
    halting = support.Command(record.cwd, record.env, [sys.executable, "-c", CUT_OFF])
    assert halting("import", "--history-db", "other.db", "runs.jsonl").exit_code == -signal.SIGKILL
    assert count(record) == 3
    done = record("import", "--history-db", "other.db", "runs.jsonl")
    assert done.out == "imported 7 runs from runs.jsonl, 3 were there already\n"
    with HistoryManager(record.cwd / "other.db") as history:
        assert {each["name"]: each["runs"] for each in history.metrics() if each["runs"]}["loss"] == 1


def test_a_record_that_stays_locked_is_said_and_nothing_is_lost(record: support.Command) -> None:
    assert record("export", "--output", "runs.jsonl").exit_code == 0
    with HistoryManager(record.cwd / "other.db") as history:
        history.add([whole(1)])
    writer = sqlite3.connect(record.cwd / "other.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    done = record("import", "--history-db", "other.db", "runs.jsonl")
    assert done.exit_code == 1 and "locked by another program" in done.err
    writer.execute("ROLLBACK")
    writer.close()
    assert record("import", "--history-db", "other.db", "runs.jsonl").out.startswith("imported 9 runs")


@pytest.mark.parametrize("options", [("--output", "runs.csv"), ("--output", "runs.parquet"),
                                     ("--output", "runs.json", "--full")])  # fmt: skip
def test_alerts_go_and_come_with_their_runs(runner: support.Command, options: tuple[str, ...]) -> None:
    script = runner.script("raise SystemExit(3)")
    for alert in ("broken:failed", "slow:execution_time_seconds > 1h"):
        assert runner("--alert-config", alert, script).exit_code == 3

    def alerts() -> list[dict[str, object]]:
        query = "SELECT * FROM alerts ORDER BY at_ns, alert"
        rows: list[dict[str, object]] = json.loads(runner("sql", query, "--format", "json").out)["rows"]
        return rows

    before = alerts()
    assert [row["alert"] for row in before] == ["broken"]
    assert runner("export", *options).exit_code == 0
    assert runner("retention", "add", "all", "--days", "0").exit_code == 0
    assert "deleted 2 runs" in runner("retention", "apply", "all", "--archive-path", "archive.jsonl").out
    assert alerts() == []
    for name in (options[1], "archive.jsonl", options[1]):  # what is there already is not added again
        assert runner("import", name).exit_code == 0
        assert alerts() == before
    rows = [json.loads(line) for line in (runner.cwd / "archive.jsonl").read_text().splitlines()]
    assert [row["alerts"] and [each["rule"] for each in row["alerts"]] for row in rows] == [["broken"], None]
    # An export of before there were alerts in it.
    (runner.cwd / "older.jsonl").write_text("".join(
        json.dumps({name: value for name, value in row.items() if name != "alerts"}) + "\n" for row in rows
    ))  # fmt: skip
    assert "imported 2 runs" in runner("import", "--history-db", "other.db", "older.jsonl").out
