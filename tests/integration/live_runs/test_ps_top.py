"""What is running: ``runner ps`` and ``runner top``."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys

import pytest

from tests.integration.live_runs.conftest import as_nobody, until


def test_nothing_is_running(runner):
    answer = runner("ps")
    assert answer.exit_code == 0
    assert answer.out.startswith("no runs are running")
    assert json.loads(runner("ps", "--format", "json").out)["status"] == "no_data"
    assert not list(runner.cwd.iterdir())
    assert "there is no record " in answer.out


@pytest.mark.parametrize("command", ["ps", "top"])
def test_what_is_no_record_is_refused(runner, command):
    (runner.cwd / "notes.txt").write_text("no record at all")
    (runner.cwd / "empty.db").touch()
    for path, said in (("notes.txt", "is not a record of runs; it was left as it is"), (".", "it is a directory")):
        answer = runner(command, "--history-db", path)
        assert (answer.exit_code, answer.out) == (1, "")
        assert said in answer.err
    for path, said in (("empty.db", "(of "), ("gone/x.db", "(there is no record ")):
        answer = runner(command, "--history-db", path)
        assert answer.exit_code == (0 if command == "ps" else 2)
        assert said in answer.out + answer.err


def test_running_runs_with_their_figures(runner, background):
    background("--tag", "team=a", "job.py", "--epochs", 3, "--token", "hunter2", script="wait('go')")
    background("busy.py", script="while True: sum(range(10000))", name="busy.py")

    def measured():
        runs = {run["script_name"]: run for run in background.running()}
        return runs if all(run["now"].get("cpu_percent") is not None for run in runs.values()) else None

    runs = until(measured)
    job = runs["job.py"]
    assert job["script_args"] == ["--epochs", "3", "--token", "***"]
    assert job["tags"] == {"team": "a"}
    assert (job["state"], job["attempt"], job["now"]["processes"]) == ("running", 1, 1)
    assert job["elapsed_seconds"] > 0
    os.kill(job["pid"], 0)
    # What uses most comes first.
    until(lambda: [run["script_name"] for run in background.running()] == ["busy.py", "job.py"], "the order")
    assert runs["busy.py"]["now"]["cpu_percent"] > job["now"]["cpu_percent"]
    table = runner("ps").out.splitlines()
    assert table[0].split()[:4] == ["RUN", "ELAPSED", "CPU", "MEMORY"]
    assert table[1].startswith(runs["busy.py"]["run_id"][:8])
    assert "job.py --epochs 3 --token ***" in table[2]
    csv = runner("ps", "--format", "csv").out.splitlines()
    assert csv[0].startswith("run_id,script_name")
    assert len(csv) == 3


def test_a_runner_that_was_killed_runs_no_more(background):
    process = background("job.py", script="wait('go')")
    process.kill()
    until(lambda: not background.running(), "its end")


def test_a_run_between_attempts(background):
    background("--retry", 1, "--retry-delay", 60, "job.py", script="wait('go'); raise SystemExit(1)")
    background.go()
    until(lambda: [run["state"] for run in background.running()] == ["between attempts"], "the delay")


def test_the_second_attempt_is_found_among_the_events(runner, background):
    background("--retry", 1, "--retry-delay", 0, "job.py",
               script="import os\nwait('go')\nif not os.path.exists('again'): open('again', 'w'); raise SystemExit(1)\n"
                      "wait('more')")  # fmt: skip
    background.go()
    (run,) = until(lambda: [run for run in background.running() if run["attempt"] == 2 and run["pid"]], "attempt 2")
    assert "wait" in (runner.cwd / "job.py").read_text()
    os.kill(run["pid"], 0)


@pytest.mark.parametrize("damage", ["half", "newer", "gone"])
def test_a_journal_that_can_not_be_read_hides_no_other(runner, background, damage):
    background("job.py", script="wait('go')")
    background("job.py")
    first, second = (run["run_id"] for run in background.running())
    facts = runner.cwd / "script_runner_history.db.runs" / first / "run.json"
    if damage == "half":
        facts.write_text(facts.read_text()[:20])
    elif damage == "newer":
        facts.write_text(facts.read_text().replace('{"v":1', '{"v":99', 1))
    else:
        shutil.rmtree(facts.parent)
    answer = runner("ps")
    assert answer.exit_code == 0
    assert second[:8] in answer.out
    assert ("can't be read" in answer.out) == (damage != "gone")
    assert first[:8] not in answer.out.split("can't")[0].splitlines()[1]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_runs_of_another_user_are_said(runner, background):
    background("job.py", script="wait('go')")
    roots = runner.cwd / "script_runner_history.db.runs"
    for mode, said in ((0o700, "Permission denied"), (0o755, "one run of another user can't be read")):
        roots.chmod(mode)
        told = as_nobody(runner, "become_nobody(); problems = []; print(live.running(path, problems), problems)")
        assert told.startswith("[] ["), told
        assert said in told


def test_watching_redraws_in_place_and_ends_with_ctrl_c(background, terminal):
    background("job.py", script="wait('go')")
    screen = terminal(width=80)
    screen.line("clear; " + background.runner.line("ps", "--watch=0.1"))
    until(lambda: screen.screen().count("job.py") == 1 and "RUN" in screen.screen(), "the table")
    background.go()
    until(lambda: "no runs are running" in screen.screen() and "job.py" not in screen.screen(), "its end")
    screen.key("C-c")
    screen.line("echo code=$?")
    screen.wait("code=130")
    assert "\n^C" not in screen.screen()
    assert "Traceback" not in screen.scrollback()


@pytest.mark.parametrize("signal_number", [0, signal.SIGKILL])
def test_watching_a_run_ends_with_it(background, signal_number):
    process = background("job.py", script="wait('go')")
    watch = background.runner.start("top", "--watch=0.1", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    text = b""
    while text.count(b"COMMAND") < 2:
        text += os.read(watch.stdout.fileno(), 4096)
    if signal_number:
        process.send_signal(signal_number)
    else:
        background.go()
    out, err = watch.communicate(timeout=30)
    assert (watch.returncode, err) == (0, b"")
    last = (text + out).decode().splitlines()[-1]
    assert " of job.py " in last
    assert ("succeeded in" in last) == (not signal_number)
    assert ("lost after" in last) == bool(signal_number)


def test_watching_a_run_for_a_program_ends_with_it(background):
    background("--retry", 1, "--retry-delay", 0.5, "job.py", script="wait('go'); raise SystemExit(1)")
    watch = background.runner.start("top", "--watch=0.1", "--format", "csv", stdout=subprocess.PIPE)
    text = b""
    while text.count(b"pid,") < 2:
        text += os.read(watch.stdout.fileno(), 4096)
    background.go()
    out, _ = watch.communicate(timeout=30)
    assert watch.returncode == 0
    lines = (text + out).decode().splitlines()
    assert all(not line or line.startswith("pid,") or line[0].isdigit() for line in lines)


def test_watching_without_a_terminal_writes_block_after_block(background):
    background("job.py", script="wait('go')")
    watch = background.runner.start("ps", "--watch=0.1", stdout=subprocess.PIPE)
    assert watch.stdout is not None
    text = b""
    while text.count(b"RUN") < 3:
        text += os.read(watch.stdout.fileno(), 4096)
    watch.send_signal(signal.SIGINT)
    watch.communicate(timeout=30)
    assert watch.returncode == -signal.SIGINT
    assert b"\x1b" not in text


@pytest.mark.parametrize("width", [40, 20])
def test_no_line_is_wider_than_the_terminal(background, terminal, width):
    background("job.py", *(f"--argument-{number}" for number in range(30)), script="wait('go')")
    screen = terminal(width=width)
    for command in ("ps", "top"):
        screen.line("clear; " + background.runner.line(command) + "; echo e''nd")
    _ = screen.wait("end", timeout=30)
    lines = screen.screen().splitlines()
    assert all(len(line) <= width for line in lines)


@pytest.mark.parametrize("width", [80, 40, 10])
def test_scripts_and_commands_can_be_told_apart_at_any_width(background, terminal, width):
    background("job.py", script="""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
wait('go')
child.kill()
""")
    screen = terminal(width=width)
    screen.line("clear; " + background.runner.line("ps") + "; echo e''nd")
    screen.wait("end")
    assert "job.py" in screen.screen()
    screen.line("clear; " + background.runner.line("top") + "; echo e''nd")
    screen.wait(lambda _: "COMMAND" in screen.screen() and "\nend" in screen.screen())
    commands = screen.screen().partition("COMMAND")[2].split("\nend")[0]
    name = os.path.basename(sys.executable)
    assert commands.count(name) == 2
    assert os.path.dirname(sys.executable) not in commands
    if width >= 40:
        assert f"{name} job.py" in commands
        assert f"  {name} -c" in commands
    if width == 80:
        assert f"  {name} -c import time" in commands
    runs = json.loads(background.runner("top", "--format", "json").out)["processes"]
    assert runs[0]["command"] == f"{sys.executable} job.py"
    background.go()


def test_the_processes_of_a_run(runner, background):
    runner.script("import time\nwhile True: sum(range(100000))", "child.py")
    background("job.py", script="""
import subprocess, sys
subprocess.Popen([sys.executable, "child.py", "--password", "hunter2"])
subprocess.run(["sh", "-c", "setsid sleep 600 & exit 0"])
wait('go')
""")

    def whole():
        answer = json.loads(runner("top", "--format", "json").out)
        return answer if len(answer["processes"]) == 3 and answer["processes"][1]["cpu_percent"] else None

    try:
        answer = until(whole, "the tree")
        script, child, orphan = answer["processes"]
        assert (script["depth"], child["depth"], orphan["depth"]) == (0, 1, 0)
        assert child["ppid"] == script["pid"]
        assert child["command"].endswith("child.py --password ***")
        assert orphan["command"] == "sleep 600"
        assert child["cpu_percent"] > script["cpu_percent"]
        assert script["memory_bytes"] > 1 << 20
        table = runner("top").out.splitlines()
        assert "3 processes" in table[1]
        assert [line.split()[0] for line in table[4:]] == [str(each["pid"]) for each in answer["processes"]]
    finally:
        runner("cancel", "last", "--kill-after", 1)


def test_top_of_what_does_not_run(runner, background):
    assert runner("top").exit_code == 2
    assert "--watch=1" in runner("top", "--watch", 1).err
    background("job.py", script="wait('go')")
    answer = runner("top", "ffffffffffff")
    assert answer.exit_code == 2
    assert "running are:" in answer.err
    assert "job.py" in answer.err
