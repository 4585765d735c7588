"""Retention through the command: full disks, kills, and runners that store meanwhile."""

from __future__ import annotations

import gzip
import json
import os
import signal
import sqlite3
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from runner.stores.base import RunFilter
from runner.stores.sqlite import SqliteStore
from tests.integration.record.conftest import disk as disk
from tests.unit.stores.made import whole

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests import support

DATABASE = "script_runner_history.db"


def fill(path: Path, count: int = 20, samples: int = 20) -> set[str]:
    """Make a record of runs of January 2026, and return their ids."""
    store = SqliteStore(str(path))
    runs = [whole(number, samples, script=f"job{number % 3}.py") for number in range(count)]
    store.add(runs)
    store.close()
    return {run.id for run in runs}


def stored(path: Path) -> set[str]:
    store = SqliteStore(str(path))
    try:
        assert store._connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return {run.id for run in store.runs(RunFilter())}
    finally:
        store.close()


def archived(folder: Path) -> set[str]:
    """Return the ids in the archives that have their name, each of which is whole."""
    found: set[str] = set()
    for path in folder.glob("*.gz"):
        if not path.name.startswith("."):
            found.update(json.loads(line)["run_id"] for line in gzip.open(path))
    return found


def answer(done: support.Result) -> dict[str, Any]:
    assert (done.exit_code, done.err) == (0, ""), done
    found: dict[str, Any] = json.loads(done.out)
    return found


def test_both_spellings_and_all_formats(runner: support.Command) -> None:
    fill(runner.cwd / DATABASE)
    done = runner("job1.py", "--add-retention-policy", "old", "--retention-days", "30")
    assert done.out == "policy old keeps runs 30 days of job1.py; nothing is deleted before it is applied\n"
    assert runner("retention", "add", "old", "job1.py", "--days", "30").out == "policy old is there already\n"
    flat = runner("--list-retention-policies", "--format", "json")
    assert answer(flat) == answer(runner("retention", "list", "--format", "json"))
    flat = runner("--apply-retention-policy", "old", "--retention-dry-run")
    brief = runner("retention", "apply", "old", "--dry-run")
    assert flat.out == brief.out
    assert "would delete 7 runs" in flat.out
    rows = runner("retention", "apply", "old", "--dry-run", "--format", "csv").out.splitlines()
    assert [row.split(",")[2:4] for row in rows] == [["script", "runs"], ["job1.py", "7"]]
    assert answer(runner("retention", "apply", "old", "--format", "json"))["runs"] == 7
    assert answer(runner("retention", "apply", "old", "--format", "json"))["status"] == "no_data"
    entry = answer(runner("retention", "audit", "--format", "json"))["actions"][0]
    assert (entry["policy"], entry["runs"], entry["scripts"]) == ("old", 7, {"job1.py": 7})
    assert entry["line"][-5:] == ["retention", "apply", "old", "--format", "json"]
    assert entry["user"] and entry["pid"]
    shown = runner("retention", "show", "old").out
    assert "runs 30 days of job1.py" in shown
    assert runner("retention", "remove", "old").out == "policy old is forgotten; no run was touched\n"


def test_a_policy_for_a_script_that_never_ran(runner: support.Command) -> None:
    fill(runner.cwd / DATABASE)
    runner("retention", "add", "p", "gone.py", "--days", "1")
    done = runner("retention", "apply", "p")
    assert (done.exit_code, done.err) == (0, "")
    assert "there are no runs of gone.py; there are runs of: job0.py, job1.py, job2.py" in done.out
    found = answer(runner("retention", "apply", "p", "--format", "json"))
    assert (found["status"], found["scripts"]) == ("no_data", ["job0.py", "job1.py", "job2.py"])


def test_a_minimum_holds_whatever_the_script_is_called(runner: support.Command) -> None:
    (runner.cwd / "jobs").mkdir()
    for name in ("pay.py", "jobs/audit.py", "k.py"):
        (runner.cwd / name).write_text("")
    runner("--quiet", "pay.py")
    runner("--quiet", "--name", "payroll", "k.py")
    runner("--quiet", "audit.py", cwd=runner.cwd / "jobs")
    ids = stored(runner.cwd / DATABASE)
    for protected, deleted in (
        ("pay.py", "./pay.py"), ("./pay.py", "pay.py"), ("payroll", "k.py"), ("k.py", "payroll"),
        ("audit.py", "jobs/audit.py"), ("jobs/audit.py", "audit.py"),
    ):  # fmt: skip
        runner("retention", "add", "law", protected, "--compliance-mode", "HIPAA")
        added = runner("retention", "add", "short", deleted, "--days", "0")
        if added.exit_code == 0:  # no names told that they are the same
            assert "kept because of policy law: 1 run" in runner("retention", "apply", "short").out
            runner("retention", "remove", "short")
        else:
            assert "policy 'law' (HIPAA) keeps at least 2192 days" in added.err
        runner("retention", "remove", "law")
        assert stored(runner.cwd / DATABASE) == ids
    runner("retention", "add", "short", "jobs/audit.py", "--days", "0")
    assert "deleted 1 run" in runner("retention", "apply", "short").out


def test_a_policy_means_the_same_runs_in_every_folder(runner: support.Command) -> None:
    fill(runner.cwd / DATABASE, 0)
    for folder in ("one", "two"):
        (runner.cwd / folder).mkdir()
        (runner.cwd / folder / "job.py").write_text("")
        runner("--quiet", "job.py", cwd=runner.cwd / folder)
    runner("retention", "add", "p", "job.py", "--days", "0", cwd=runner.cwd / "one")
    policy = answer(runner("retention", "show", "p", "--format", "json", cwd=runner.cwd / "two"))
    assert policy["script"] == f"{runner.cwd}/one/job.py"
    found = answer(runner("retention", "apply", "p", "--dry-run", "--format", "json", cwd=runner.cwd / "two"))
    assert [each["script"] for each in found["parts"][0]["scripts"]] == [policy["script"]]
    (runner.cwd / "two" / "runner.yaml").write_text("database:\n  auto_retention: [p]\n")
    runner("--quiet", "job.py", cwd=runner.cwd / "two")
    store = SqliteStore(str(runner.cwd / DATABASE))
    assert [run.cwd for run in store.runs(RunFilter())] == [f"{runner.cwd}/two"] * 2
    store.close()


@pytest.mark.parametrize(("line", "said"), [
    (("retention", "apply", "p"), "no retention policy 'p'"),
    (("retention", "show"), "needs the name of a policy"),
    (("retention", "add"), "needs NAME"),
    (("retention", "add", "p", "--compliance-mode", "PCI"), "not one of SOC2, HIPAA, GDPR"),
    (("retention", "add", "p", "--metric", "cpu_mox"), "did you mean 'cpu_max'"),
    (("retention", "add", "p", "--days", "3000", "--archive-path", "old.tar.gz"), "an archive ends in .jsonl.gz"),
    (("--cleanup-old", "30"), "policy 'law' (HIPAA) keeps at least 2192 days"),
    (("retention", "add", "p", "--days", "30"), "policy 'law' (HIPAA) keeps at least 2192 days"),
    (("retention", "add", "p", "--compliance-mode", "gdpr"), "'law' keeps runs 2192 days, but policy 'p' (GDPR)"),
])  # fmt: skip
def test_what_makes_no_sense_is_one_line(runner: support.Command, line: tuple[str, ...], said: str) -> None:
    ids = fill(runner.cwd / DATABASE)
    runner("retention", "add", "law", "--compliance-mode", "hipaa")
    done = runner(*line)
    assert (done.exit_code, done.out, done.err.count("\n")) == (2, "", 1), done
    assert said in done.err
    assert stored(runner.cwd / DATABASE) == ids


def test_a_preset_alone_deletes_nothing(runner: support.Command) -> None:
    ids = fill(runner.cwd / DATABASE)
    done = runner("--compliance-mode", "GDPR", "-c", "pass")
    assert done.exit_code == 0
    assert stored(runner.cwd / DATABASE) > ids
    assert runner("--compliance-mode", "GDPR").exit_code == 2


def test_what_a_file_asks_for_is_done_after_a_run(runner: support.Command) -> None:
    fill(runner.cwd / DATABASE)
    (runner.cwd / "runner.yaml").write_text("database:\n  auto_retention: [few]\n")
    runner("retention", "add", "few", "job0.py", "--days", "30")
    done = runner("--quiet", "-c", "pass")
    assert (done.exit_code, done.err) == (0, "")
    assert len(stored(runner.cwd / DATABASE)) == 20 - 7 + 1


def test_what_is_withheld_after_a_run_is_said_once(runner: support.Command) -> None:
    fill(runner.cwd / DATABASE)
    (runner.cwd / "runner.yaml").write_text("database:\n  auto_cleanup: true\n  retention_days: 30\n")
    runner("retention", "add", "law", "job0.py", "--compliance-mode", "HIPAA")
    first, second = (runner("--quiet", "-c", "pass") for _ in range(2))
    assert first.err.endswith("automatic cleanup: 7 runs stay because of policy 'law'\n")
    assert second.err == ""
    assert len(stored(runner.cwd / DATABASE)) == 7 + 2


def test_a_disk_that_is_full_while_archiving_deletes_nothing(
    runner: support.Command, disk: Callable[[str], Path]
) -> None:
    folder = disk("64k")
    ids = fill(runner.cwd / DATABASE, 200, 60)
    done = runner("--cleanup-old", "30", "--archive-path", folder / "old.jsonl")
    assert (done.exit_code, done.out, done.err.count("\n")) == (1, "", 1), done
    assert "nothing was deleted" in done.err
    assert "No space left" in done.err
    assert os.listdir(folder) == []
    assert stored(runner.cwd / DATABASE) == ids
    assert runner("--cleanup-old", "30").exit_code == 0


def test_a_runner_that_is_killed_loses_nothing_and_the_next_one_goes_on(runner: support.Command) -> None:
    """Wherever it is struck: each run is in the record, or in an archive that was verified."""
    database, folder = runner.cwd / DATABASE, runner.cwd / "arch"
    ids = fill(database, 300)
    line = ("--cleanup-old", "30", "--archive-path", "arch/")
    struck = 0
    for delay in (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5):
        process = runner.start(*line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(delay)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait(30)
            struck += 1
        assert stored(database) | archived(folder) == ids
        entries = answer(runner("retention", "audit", "--format", "json"))
        told = sum(entry["runs"] for entry in entries.get("actions", []))
        assert told == len(ids) - len(stored(database))
    assert struck
    assert runner(*line).exit_code == 0
    assert stored(database) == set()
    assert archived(folder) == ids
    assert [name for name in os.listdir(folder) if name.startswith(".")] == []
    restored = runner.cwd / "restored.db"
    for path in sorted(folder.glob("*.gz")):
        assert runner("--history-db", restored, "import", path).exit_code == 0
    assert stored(restored) == ids


def test_ten_runners_store_while_old_runs_are_deleted(runner: support.Command) -> None:
    database = runner.cwd / DATABASE
    old = fill(database, 2000, 0)
    loop = 'for i in 1 2 3; do "$@" || echo failed; done'
    runners = [
        subprocess.Popen(["bash", "-c", loop, "bash", *runner.argv, "--quiet", "--name", "new", "-c", "pass"],
                         cwd=runner.cwd, env=runner.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for _ in range(10)
    ]  # fmt: skip
    done = runner("--cleanup-old", "30", "--format", "json")
    assert answer(done)["removed"] == len(old)
    for process in runners:
        assert process.communicate(timeout=100)[0] == b""
    assert len(stored(database)) == 30
    assert not stored(database) & old
    with sqlite3.connect(database) as connection:
        assert connection.execute("SELECT sum(runs) FROM presence WHERE typeof(what) = 'integer'").fetchone() == (30,)
    connection.close()


def test_a_record_that_is_locked_is_said(runner: support.Command) -> None:
    ids = fill(runner.cwd / DATABASE)
    connection = sqlite3.connect(runner.cwd / DATABASE, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    done = runner("--cleanup-old", "30")
    assert (done.exit_code, done.err.count("\n")) == (1, 1)
    assert "was locked by another program" in done.err
    connection.execute("ROLLBACK")
    connection.close()
    assert stored(runner.cwd / DATABASE) == ids
