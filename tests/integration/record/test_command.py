"""The record through the command: what a person sees of crashes, locks and damage."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests import support

DATABASE = "script_runner_history.db"


def history(runner: support.Command, *options: str) -> list[dict[str, Any]]:
    done = runner("history", "--format", "json", *options)
    assert done.exit_code == 0, done
    runs: list[dict[str, Any]] = json.loads(done.out)["runs"]
    return runs


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} does not appear"
        time.sleep(0.01)


def test_runs_are_remembered_with_their_ends(runner: support.Command) -> None:
    runner(runner.script("print('hello')", "good.py"), "--epochs", "3")
    runner(runner.script("raise KeyError('x')", "bad.py"))
    runner(runner.script("import os; os.kill(os.getpid(), 11)", "dies.py"))
    found = {run["script_name"]: run for run in history(runner)}
    assert found["good.py"]["success"] is True
    assert found["good.py"]["script_args"] == ["--epochs", "3"]
    assert found["good.py"]["metrics"]["stdout_size_bytes"] == 6
    assert (found["bad.py"]["exit_code"], found["bad.py"]["error_type"]) == (1, "KeyError")
    assert (found["dies.py"]["reason"], found["dies.py"]["signal"], found["dies.py"]["exit_code"]) == (
        "signaled",
        11,
        139,
    )
    assert [run["script_name"] for run in history(runner, "--status", "success")] == ["good.py"]
    assert [run["script_name"] for run in history(runner, "bad.py")] == ["bad.py"]


def test_a_runner_that_was_killed_leaves_a_lost_run(runner: support.Command) -> None:
    ready = runner.cwd / "ready"
    script = runner.script(f"import time; print('begun', flush=True); open({str(ready)!r}, 'w'); time.sleep(60)")
    process = runner.start(script)
    wait_for(ready)
    time.sleep(0.5)  # a few samples
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = runner(runner.script("", "next.py"))
    assert done.exit_code == 0
    assert done.err.count("was lost") == 1
    lost = next(run for run in history(runner) if run["script_name"] == "script.py")
    assert (lost["reason"], lost["exit_code"], lost["success"]) == ("lost", None, False)
    assert lost["metrics"]["execution_time_seconds"] > 0
    assert lost["metrics"]["memory_max_mb"] > 1
    assert not (runner.cwd / f"{DATABASE}.runs").exists()


def test_a_query_takes_in_what_a_killed_runner_left(runner: support.Command) -> None:
    ready = runner.cwd / "ready"
    process = runner.start(runner.script(f"import time; open({str(ready)!r}, 'w'); time.sleep(60)"))
    wait_for(ready)
    wait_for(runner.cwd / f"{DATABASE}.runs")
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert [run["reason"] for run in history(runner)] == ["lost"]


def test_a_locked_database_holds_nobody_up_for_long(runner: support.Command) -> None:
    runner(runner.script("", "first.py"))
    other = sqlite3.connect(runner.cwd / DATABASE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    start = time.monotonic()
    done = runner(runner.script("import sys; print('fine'); sys.exit(7)"))
    assert time.monotonic() - start < 40
    assert (done.exit_code, done.out) == (7, "fine\n")
    assert "locked" in done.err
    assert "kept in" in done.err
    other.execute("ROLLBACK")
    other.close()
    runner(runner.script("", "last.py"))
    assert [run["exit_code"] for run in history(runner)] == [0, 7, 0]


@pytest.mark.parametrize("kind", ["text", "directory", "newer"])
def test_a_record_that_can_not_be_used_changes_nothing_for_the_script(runner: support.Command, kind: str) -> None:
    path = runner.cwd / "my.db"
    if kind == "text":
        path.write_text("dear diary\n")
    elif kind == "directory":
        path.mkdir()
    else:
        runner("--history-db", path, runner.script("", "first.py"))
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA user_version = 99")
        connection.close()
    done = runner("--history-db", path, runner.script("import sys; print('fine'); sys.exit(7)"))
    assert (done.exit_code, done.out) == (7, "fine\n")
    assert str(path) in done.err
    assert "Traceback" not in done.err
    if kind == "text":
        assert path.read_text() == "dear diary\n"
    query = runner("history", "--history-db", path)
    assert query.exit_code == 1
    assert {"text": "not a record", "directory": "a directory", "newer": "newer version"}[kind] in query.err
    assert "Traceback" not in query.err


def test_nothing_is_remembered_on_request(runner: support.Command) -> None:
    runner("--disable-history", runner.script(""))
    assert sorted(os.listdir(runner.cwd)) == ["script.py"]


def test_deleting_old_runs(runner: support.Command) -> None:
    for name in ("a.py", "b.py"):
        runner(runner.script("", name))
    done = runner("--cleanup-old", "1")
    assert "deleted 0 runs" in done.out
    done = runner("db", "cleanup", "--older-than", "0")
    assert "deleted 2 runs" in done.out
    assert history(runner) == []


def test_no_secret_of_the_line_is_written_anywhere(runner: support.Command) -> None:
    secrets = [b"hunter2", b"AKIAIOSFODNN7EXAMPLE", b"t0ken"]

    def look() -> int:
        files = [path for path in runner.cwd.parent.rglob("*") if path.is_file() and path.suffix != ".py"]
        for path in files:
            assert not [secret for secret in secrets if secret in path.read_bytes()], path
        return len(files)

    script = runner.script("""
        import os, time
        while not os.path.exists("go"):
            time.sleep(0.02)
        raise ValueError("postgres://bob:s3cret@db/app")
    """)
    line = ["--tag", "api_key=t0ken", "--json-output", "report.json", script, "--password", "hunter2"]
    process = runner.start(*line, "AKIAIOSFODNN7EXAMPLE", stderr=-3)
    deadline = time.monotonic() + 60
    while not list(runner.cwd.glob("*.runs/[0-9a-f]*/events.jsonl")):
        assert time.monotonic() < deadline, "no journal appears"
        time.sleep(0.01)
    assert look() >= 3  # the journal of the running script
    (runner.cwd / "go").touch()
    process.wait(60)
    look()
    (run,) = history(runner)
    assert run["script_args"] == ["--password", "***", "***"]
    assert run["error_message"] == "ValueError: postgres://bob:***@db/app"
    report = json.loads((runner.cwd / "report.json").read_text())
    assert report["script_args"] == ["--password", "***", "***"]
    assert report["tags"] == {"api_key": "***"}


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_names_that_standard_output_cannot_hold_are_escaped(runner: support.Command, encoding: str) -> None:
    for name in (b"b\xff.py", "\u6f22.py".encode()):
        runner(runner.script("", os.fsdecode(name)))
    env = {"PYTHONIOENCODING": encoding}
    for question in (["history"], ["history", "--format", "csv"], ["history", "--format", "json"],
                     ["--dry-run", os.fsdecode(b"b\xff.py")]):  # fmt: skip
        done = runner(*question, env=env)
        assert (done.exit_code, done.err) == (0, ""), done
    assert len(json.loads(runner("history", "--format", "json", env=env).out)["runs"]) == 2


def test_a_query_says_nothing_where_warnings_are_suppressed(runner: support.Command) -> None:
    (runner.cwd / "runner.yaml").write_text("monitoring:\n  enable_profiling: true\n")
    assert "enable_profiling" in runner("history").err
    assert runner("--suppress-warnings", "--show-history").err == ""
