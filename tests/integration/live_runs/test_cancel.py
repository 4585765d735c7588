"""Ending runs from beside them: ``runner cancel``."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from runner.stores.journal import REQUESTS
from tests.integration.live_runs.conftest import WAIT, as_nobody, until


def gone(pid):
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] in b"ZX"
    except OSError:
        return True


def last(runner):
    return json.loads(runner("history", "--limit", 1, "--format", "json").out)["runs"][0]


def pid_in(runner, name):
    path = runner.cwd / name
    return int(str(until(lambda: path.exists() and path.read_text(), name)))


def test_a_run_is_ended_tree_and_all(runner, background):
    process = background("job.py", script="""
import os, subprocess
subprocess.run(["sh", "-c", "setsid sh -c 'echo $$ > orphan.new; mv orphan.new orphan; sleep 600' & exit 0"])
wait('go')
""")
    orphan = pid_in(runner, "orphan")
    run = background.running()[0]
    answer = runner("cancel", run["run_id"][:6])
    assert answer.exit_code == 0, answer
    assert f"cancelled run {run['run_id']} of job.py" in answer.out
    assert process.wait(30) == -signal.SIGTERM
    until(lambda: gone(orphan), "the end of the orphan")
    assert gone(run["pid"])
    record = last(runner)
    assert (record["run_id"], record["reason"], record["error_type"]) == (run["run_id"], "cancelled", "cancelled")
    assert record["error_message"].startswith("cancelled by ")
    assert record["success"] is False


def test_a_script_that_tidies_up_and_exits_with_0_has_not_succeeded(runner, background):
    process = background("job.py", script="""
import signal, sys
def end(number, frame): print("tidied", flush=True); sys.exit(0)
signal.signal(signal.SIGTERM, end)
open("ready", "w")
wait('go')
""")
    until((runner.cwd / "ready").exists)
    assert runner("cancel", "last").exit_code == 0
    assert process.wait(30) == 143
    assert last(runner)["exit_code"] == 143
    assert "tidied" in runner("logs").out


def test_one_that_ignores_it_is_killed(runner, background):
    process = background("job.py", script="""
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open("ready", "w")
wait('go')
""")
    until((runner.cwd / "ready").exists)
    assert runner("cancel", "last", "--no-wait").out.startswith("asked run")  # its own grace is 10 s
    assert runner("cancel", "last:job.py", "--kill-after", "0.1").exit_code == 0
    assert process.wait(30) == -signal.SIGKILL
    assert last(runner)["reason"] == "cancelled"


def test_a_run_in_the_delay_before_a_retry(runner, background):
    process = background("--retry", 3, "--retry-delay", 600, "job.py", script="wait('go'); raise ValueError('odd')")
    background.go()
    until(lambda: [run["state"] for run in background.running()] == ["between attempts"], "the delay")
    assert runner("cancel", "last").exit_code == 0
    assert process.wait(30) == -signal.SIGTERM
    record = last(runner)
    assert (record["reason"], record["attempts"]) == ("cancelled", 1)
    assert "before another attempt, after ValueError: odd" in record["error_message"]


def test_a_stopped_run(runner, background, terminal):
    runner.script(WAIT + "open('ready', 'w'); wait('go')", "job.py")
    screen = terminal()
    screen.line(runner.line("job.py"))
    until((runner.cwd / "ready").exists)
    screen.key("C-z")
    screen.wait("Stopped")
    assert runner("cancel", "last").exit_code == 0
    assert last(runner)["reason"] == "cancelled"


API = """
from runner import HistoryManager, ScriptRunner
runner = ScriptRunner("job.py")
runner.configure_retry(max_attempts=3, initial_delay=600)
runner.history_manager = HistoryManager("script_runner_history.db")
result = runner.run_script()
print(result["reason"], result["exit_code"], result["attempts"])
"""


@pytest.mark.parametrize("when", ["running", "between attempts"])
def test_a_run_of_the_python_api(runner, background, when):
    runner.script(WAIT + "print('x' * 1000); wait('go'); raise SystemExit(1)", "job.py")
    host = subprocess.Popen([sys.executable, "-c", API], cwd=runner.cwd, env=runner.env, stdout=subprocess.PIPE)
    background.started.append(host)
    until(background.running, "the run")
    if when != "running":
        background.go()
    until(lambda: [run["state"] for run in background.running()] == [when], when)
    assert runner("cancel", "last").exit_code == 0
    out, _ = host.communicate(timeout=30)
    assert out.decode().split("\n")[-2] == "cancelled 143 1"


def test_a_run_whose_reader_reads_nothing(runner, background):
    process = background("job.py", script="print('x' * 10_000_000)")
    assert runner("cancel", "last").exit_code == 0
    assert process.wait(30) == -signal.SIGTERM


def test_all_runs_of_a_script(runner, background):
    runs = [background("job.py", script="wait('go')"), background("job.py"),
            background("other.py", script="wait('go')", name="other.py")]  # fmt: skip
    answer = json.loads(runner("cancel", "--script", "job.py", "--format", "json").out)
    assert [each["result"] for each in answer["runs"]] == ["cancelled", "cancelled"]
    assert [run.wait(30) for run in runs[:2]] == [-signal.SIGTERM] * 2
    assert [run["script_name"] for run in background.running()] == ["other.py"]
    nothing = runner("cancel", "--script", "job.py")
    assert nothing.exit_code == 1
    assert "no run of job.py is running" in nothing.err


def test_what_has_ended_or_never_was(runner):
    script = runner.script("print('done')")
    runner(script)
    run = last(runner)["run_id"]
    answer = runner("cancel", run)
    assert (answer.exit_code, answer.out) == (1, "")
    assert f"run {run} of script.py had ended already" in answer.err
    unknown = runner("cancel", "ffffff")
    assert (unknown.exit_code, unknown.out) == (2, "")
    assert "ffffff" in unknown.err
    assert runner("cancel").exit_code == 2
    assert last(runner)["success"] is True


def test_an_unknown_run_among_others_ends_none(runner, background):
    background("job.py", script="wait('go')")
    assert runner("cancel", "last", "ffffff").exit_code == 2
    assert len(background.running()) == 1


def test_what_nobody_understands_changes_nothing(runner, background):
    process = background("job.py", script="wait('go')")
    run = background.running()[0]["run_id"]
    fifo = runner.cwd / "script_runner_history.db.runs" / run / REQUESTS
    assert fifo.stat().st_mode & 0o777 == 0o600
    fifo.write_bytes(b"\xff\x00nonsense\ncancel soon me\n\n")
    background.go()
    assert process.wait(30) == 0
    assert last(runner)["success"] is True


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user_can_not(runner, background):
    background("job.py", script="wait('go')")
    (runner.cwd / "script_runner_history.db.runs").chmod(0o755)
    said = as_nobody(runner, """
found = live.running(path)[0]
os.chmod(found.path, 0o755)
become_nobody()
try:
    cancel(found, "nobody")
except RunnerError as error:
    print(error)
""")
    assert "and root can cancel it" in said, said
    assert len(background.running()) == 1
