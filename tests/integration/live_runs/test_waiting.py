"""Runs that wait for a lock: they are seen like those that run, and can be ended before they have begun."""

from __future__ import annotations

import json
import signal
import subprocess

import pytest

from runner.stores.journal import EVENTS, FACTS, LOCK
from tests.integration.live_runs.conftest import until

STATE = "waiting for lock nightly"


@pytest.fixture
def wait(runner, background):
    """Return a function that has a run wait for the lock that another one holds, and returns its process and row."""
    runner.script("open('ran', 'a').write('x')", "marks.py")
    background("--lock", "nightly", "holds.py", script="wait('go')", name="holds.py")

    def start(*args, argv=()):
        command = argv or [*runner.argv, "--lock", "nightly", *map(str, args), "marks.py"]
        process = subprocess.Popen(command, cwd=runner.cwd, env=runner.env, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)  # fmt: skip
        background.started.append(process)
        until(lambda: waiting(background), "a run that waits")
        return process, waiting(background)[0]

    return start


def waiting(background):
    return [run for run in background.running() if run["state"].startswith("waiting")]


def recorded(runner):
    runs = json.loads(runner("history", "--format", "json").out)["runs"]
    return [run for run in runs if run["script_name"] == "marks.py"]


def ran(runner):
    return (runner.cwd / "ran").exists()


def test_it_is_listed_and_goes_on_under_the_same_id(runner, background, wait):
    process, row = wait()
    assert (row["state"], row["pid"], row["runner_pid"]) == (STATE, None, process.pid)
    assert f"1, {STATE}" in runner("ps").out
    top = runner("top", row["run_id"])
    assert (top.exit_code, top.err.count("\n")) == (1, 1) and f"it is {STATE}" in top.err
    shown = runner("show", "last:marks.py")
    assert shown.exit_code == 2 and f"marks.py has not begun: it is {STATE}" in shown.err
    assert runner("logs", row["run_id"]).out == ""
    background.go()
    assert process.wait(30) == 0
    [run] = recorded(runner)
    assert (run["run_id"], run["reason"], run["success"]) == (row["run_id"], "exited", True)
    assert not (runner.cwd / "script_runner_history.db.runs").exists()


def test_a_run_that_waited_began_when_it_was_started(runner, background, wait):
    process, row = wait()
    runner.script("import time; time.sleep(600)", "marks.py")
    until(lambda: waiting(background)[0]["elapsed_seconds"] > 0.6)
    background.go()
    until(lambda: [run for run in background.running() if run["script_name"] == "marks.py" and run["pid"]])
    [run] = [run for run in background.running() if run["script_name"] == "marks.py"]
    assert (run["run_id"], run["state"], run["hostname"] is None) == (row["run_id"], "running", False)
    assert run["timestamp"] > row["timestamp"]
    assert runner("cancel", "last:marks.py").exit_code == 0
    assert process.wait(30) == -signal.SIGTERM


@pytest.mark.parametrize("which", ["last:marks.py", "id", "--script"])
def test_it_can_be_cancelled(runner, background, wait, which):
    process, row = wait("--retry", 2, "--retry-delay", 0.01)
    meant = {"id": [row["run_id"][:6]], "--script": ["--script", "marks.py"]}.get(which, [which])
    answer = runner("cancel", *meant)
    assert answer.exit_code == 0 and answer.out.startswith(f"cancelled run {row['run_id']} of marks.py after ")
    _, err = process.communicate(timeout=30)
    assert process.returncode == 143
    assert b"marks.py cancelled (exit code 143)" in err and b"unknown" not in err
    [run] = recorded(runner)
    assert (run["run_id"], run["reason"], run["exit_code"]) == (row["run_id"], "cancelled", 143)
    assert (run["error_type"], run["attempts"]) == ("cancelled", 1)
    assert run["error_message"].startswith("cancelled by ")
    assert run["error_message"].endswith(" while it waited for the lock nightly")
    assert run["metrics"] == {} and not ran(runner)
    assert [run["script_name"] for run in background.running()] == ["holds.py"]


def test_what_becomes_of_it_otherwise_leaves_no_trace_of_the_wait(runner, background, wait):
    timed, row = wait("--lock-timeout", 0.5)
    assert timed.wait(30) == 125
    skipped, _ = wait("--lock-timeout", 0.5, "--no-overlap", "skip")
    assert skipped.wait(30) == 0
    interrupted, _ = wait()
    interrupted.send_signal(signal.SIGTERM)
    assert interrupted.wait(30) == -signal.SIGTERM
    killed, _ = wait()
    killed.kill()
    killed.wait(30)
    [run] = recorded(runner)
    assert (run["run_id"], run["reason"], run["exit_code"]) == (row["run_id"], "failed-to-start", 125)
    assert run["error_message"].endswith("), still after waiting 500 ms")
    assert len(background.running()) == 1 and not ran(runner)
    background.go()
    assert background.started[0].wait(30) == 0
    assert not (runner.cwd / "script_runner_history.db.runs").exists()  # the killed one's is folded, and was no run
    assert len(recorded(runner)) == 1


def test_one_that_is_not_remembered_is_not_seen(runner, background, wait):
    process = runner.start("--lock", "nightly", "--disable-history", "marks.py", stderr=subprocess.PIPE)
    background.started.append(process)
    assert process.stderr.readline().startswith(b"runner: waiting, since the lock nightly")
    assert waiting(background) == []
    background.go()
    assert process.wait(30) == 0 and ran(runner)


def test_one_that_runs_several_times_is_shown_while_it_waits(runner, background, wait):
    process, row = wait("--gate-runs", 2)
    background.go()
    assert process.wait(60) == 0
    runs = recorded(runner)
    assert len(runs) == 2 and row["run_id"] not in {run["run_id"] for run in runs}
    process.communicate()


def test_a_program_can_be_asked_too(runner, background, wait):
    program = runner.script("""
        from runner import HistoryManager, ScriptRunner
        job = ScriptRunner("marks.py", lock="nightly")
        job.history_manager = HistoryManager("script_runner_history.db")
        result = job.run_script()
        print(result["reason"], result["exit_code"], result["error_message"])
    """, "program.py")  # fmt: skip
    process, row = wait(argv=[runner.argv[0], program])
    assert runner("cancel", row["run_id"]).exit_code == 0
    out, _ = process.communicate(timeout=30)
    assert out.startswith(b"cancelled 143 cancelled by ")
    assert not ran(runner)


def test_a_check_takes_it_for_none_that_runs(runner, background, wait):
    wait()
    answer = runner("check", "marks.py")
    assert (answer.exit_code, answer.out) == (2, "RUNNER CRITICAL - marks.py: never seen to run\n")


def test_its_journal_is_one_of_a_run(runner, wait):
    _, row = wait()
    journal = runner.cwd / "script_runner_history.db.runs" / row["run_id"]
    assert {each.name for each in journal.iterdir()} >= {EVENTS, FACTS, LOCK}
    assert json.loads((journal / EVENTS).read_text()) == {"waiting": "lock nightly"}
