"""The Python API runs a script as the command does, from inside any program."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from runner import HistoryManager, ScriptRunner
from runner.model.errors import UsageError
from tests import support


def write(folder, text, name="job.py"):
    path = folder / name
    path.write_text(textwrap.dedent(text))
    return str(path)


def host(tmp_path, text, **popen):
    """Start a host program of its own, which has `job` (a path) and `ScriptRunner` at hand."""
    program = "import sys, json\nfrom runner import HistoryManager, ScriptRunner\n" + textwrap.dedent(text)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    popen["env"] = {**os.environ, "PYTHONPATH": str(support.SRC)}
    return subprocess.Popen([sys.executable, "-c", program], cwd=tmp_path, **pipes, **popen)


def test_the_result_has_what_the_report_has_and_the_output(tmp_path, capfd):
    job = write(tmp_path, """
        import sys
        print("out", sys.argv[1:])
        sys.stderr.write("err\\n")
        sys.exit(3)
    """)
    result = ScriptRunner(job, ["a b", "--x"], timeout=60).run_script()
    assert (result["exit_code"], result["success"], result["reason"]) == (3, False, "exited")
    assert result["stdout"] == "out ['a b', '--x']\n"
    assert result["stderr"] == "err\n"
    out, err = capfd.readouterr()
    assert (out, err) == ("out ['a b', '--x']\n", "err\n")  # it reached the host's own streams too
    metrics = json.loads(json.dumps(result["metrics"]))
    assert isinstance(metrics["cpu_max"], float)
    assert metrics["memory_max_mb"] > 1
    assert metrics["exit_code"] == 3


def test_runs_are_remembered_only_where_a_history_is_given(tmp_path):
    job = write(tmp_path, "print(1)")
    runner = ScriptRunner(job)
    runner.run_script()
    assert os.listdir(tmp_path) == ["job.py"]
    runner.history_manager = HistoryManager(str(tmp_path / "metrics.db"))
    first = runner.run_script()
    (record,) = runner.history_manager.get_execution_history(script_name="job.py", days=1, limit=5)
    assert record["metrics"]["execution_time_seconds"] == pytest.approx(first["execution_time_seconds"])


def test_retries(tmp_path):
    job = write(tmp_path, """
        import pathlib, sys
        mark = pathlib.Path(__file__).with_name("mark")
        if not mark.exists():
            mark.touch()
            raise KeyError("first")
    """)
    runner = ScriptRunner(job)
    runner.configure_retry(max_attempts=3, strategy="exponential", initial_delay=0, max_delay=60)
    result = runner.run_script()
    assert result["success"] and result["attempts"] == 2
    assert result["attempt_history"][0]["error_type"] == "KeyError"


def test_a_timeout_ends_the_tree(tmp_path):
    job = write(tmp_path, """
        import os, subprocess, sys, time
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
        print(child.pid, flush=True)
        time.sleep(60)
    """)
    result = ScriptRunner(job, timeout=1, kill_after=1).run_script()
    assert (result["exit_code"], result["reason"]) == (124, "timeout")
    with pytest.raises(ProcessLookupError):
        os.kill(int(result["stdout"]), 0)


def test_what_can_not_be_started_is_a_result(tmp_path):
    result = ScriptRunner(tmp_path / "nope.py").run_script()
    assert (result["exit_code"], result["reason"], result["success"]) == (127, "failed-to-start", False)
    assert "nope.py" in result["error_message"]


@pytest.mark.parametrize(
    "values",
    [{"timeout": -1}, {"timeout": "soon"}, {"monitor_interval": 0}, {"memory": "vsz"}, {"kill_after": float("nan")}],
)
def test_values_that_make_no_sense_are_refused(values):
    with pytest.raises(UsageError, match=next(iter(values)).removeprefix("monitor_")):
        ScriptRunner("job.py", **values)


def test_a_text_is_no_list_of_arguments():
    with pytest.raises(UsageError, match="script_args"):
        ScriptRunner("job.py", "--epochs 3")


def test_retry_values_that_make_no_sense_are_refused():
    with pytest.raises(UsageError, match="strategy"):
        ScriptRunner("job.py").configure_retry(strategy="cubic")


@pytest.mark.parametrize(("errors", "attempts"), [("KeyError,exit:3", 3), (["KeyError"], 3), ("ValueError", 1)])
def test_error_types_are_a_list_or_a_text_as_on_the_line(tmp_path, errors, attempts):
    runner = ScriptRunner(write(tmp_path, "raise KeyError\n"))
    runner.configure_retry(max_attempts=3, initial_delay=0, retry_on_errors=errors)
    assert runner.run_script()["attempts"] == attempts


def test_a_large_host_does_not_leak_into_the_figures(tmp_path):
    job = write(tmp_path, "x = bytearray(50 << 20)\n")
    process = host(tmp_path, f"""
        import threading, time
        ballast = bytearray(2 << 30)
        stop = threading.Event()
        def busy():
            while not stop.is_set():
                sum(range(1000))
        threads = [threading.Thread(target=busy) for _ in range(2)]
        for thread in threads: thread.start()
        result = ScriptRunner({job!r}).run_script()
        stop.set()
        for thread in threads: thread.join()
        print(json.dumps(result["metrics"]))
    """)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    metrics = json.loads(out)
    assert 50 < metrics["memory_max_mb"] < 90
    assert 50 < metrics["memory_max_process_mb"] < 90
    assert metrics["num_processes"] <= 1


def test_the_hosts_own_children_are_left_alone(tmp_path):
    job = write(tmp_path, "import time; time.sleep(0.5)\n")
    process = host(tmp_path, f"""
        import os, subprocess
        mine = subprocess.Popen([sys.executable, "-c", "import sys, time; time.sleep(0.1); sys.exit(42)"])
        longer = subprocess.Popen(["sleep", "30"])
        result = ScriptRunner({job!r}, timeout=20).run_script()
        assert longer.poll() is None
        longer.kill(); longer.wait()
        print(mine.wait(), result["metrics"]["num_processes"])
    """)
    out, err = process.communicate(timeout=60)
    assert out.split() == ["42", "1"], err


def test_several_runs_at_once_from_threads(tmp_path):
    job = write(tmp_path, "import sys; print(sys.argv[1])\n")
    process = host(tmp_path, f"""
        from concurrent.futures import ThreadPoolExecutor
        def one(n):
            runner = ScriptRunner({job!r}, [str(n)])
            runner.history_manager = HistoryManager("metrics.db")
            result = runner.run_script()
            return result["stdout"].strip(), result["warnings"]
        with ThreadPoolExecutor(4) as pool:
            results = list(pool.map(one, range(8)))
        print(json.dumps(results))
        print(len(HistoryManager("metrics.db").get_execution_history(limit=100)))
    """)
    out, err = process.communicate(timeout=120)
    lines = out.strip().split("\n")
    assert json.loads(lines[-2]) == [[str(n), []] for n in range(8)], err
    assert lines[-1] == "8"


def test_ctrl_c_in_the_host_reaches_the_script_once_and_the_run_is_recorded(tmp_path):
    job = write(tmp_path, """
        import signal, sys, time
        count = 0
        def note(number, frame):
            global count
            count += 1
        signal.signal(signal.SIGINT, note)
        print("ready", flush=True)
        end = time.monotonic() + 20
        while not count and time.monotonic() < end:
            time.sleep(0.05)
        time.sleep(0.3)
        open("count", "w").write(str(count))
    """)
    process = host(tmp_path, f"""
        runner = ScriptRunner({job!r})
        runner.history_manager = HistoryManager("metrics.db")
        try:
            runner.run_script()
        except KeyboardInterrupt:
            print("interrupted", len(runner.history_manager.get_execution_history(limit=10)))
    """, start_new_session=True)
    assert process.stdout.readline() == "ready\n"
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the whole group
    out, err = process.communicate(timeout=60)
    assert out == "interrupted 1\n", err
    assert (tmp_path / "count").read_text() == "1"


def test_when_the_host_is_killed_the_script_dies_with_it(tmp_path):
    job = write(tmp_path, """
        import os, time
        open("pid", "w").write(str(os.getpid()))
        time.sleep(60)
    """)
    process = host(tmp_path, f"ScriptRunner({job!r}).run_script()")
    deadline = time.monotonic() + 30
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    pid = int((tmp_path / "pid").read_text())
    process.kill()
    process.communicate()
    while time.monotonic() < deadline + 15:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    pytest.fail("the script outlived the host")


def test_events_can_be_watched_while_it_runs(tmp_path):
    job = write(tmp_path, "import time\nprint('x', flush=True)\ntime.sleep(0.5)\n")
    seen = []
    ScriptRunner(job, monitor_interval=0.05).run_script(watch=lambda event, attempt: seen.append((event.name, attempt)))
    names = [name for name, _ in seen]
    assert names[0] == "started" and names[-1] == "ended"
    assert names.count("sample") >= 3 and "output" in names
    assert {attempt for _, attempt in seen} == {1}


def test_a_run_is_remembered_before_what_its_watcher_raised_is_raised(tmp_path):
    runner = ScriptRunner(write(tmp_path, "print('x')\n"))
    runner.history_manager = HistoryManager(tmp_path / "history.db")

    def fail(event, attempt):
        raise ValueError(event.name)

    with pytest.raises(ValueError, match="started"):
        runner.run_script(watch=fail)
    [run] = runner.history_manager.get_execution_history()
    assert run["success"] is True


def test_an_exception_that_leaves_the_run_ends_the_script(tmp_path):
    job = write(tmp_path, "import time\nprint('x', flush=True)\ntime.sleep(60)\n")
    pids = []

    def leave(event, attempt):
        if event.name == "started":
            pids.append(event.pid)
        if event.name == "output":
            raise SystemExit(7)  # as the handler of a signal may

    with pytest.raises(SystemExit):
        ScriptRunner(job).run_script(watch=leave)
    assert not os.path.exists(f"/proc/{pids[0]}")


def test_variables_are_texts_to_the_script(tmp_path):
    job = write(tmp_path, "import os; print(os.environ['N'], os.environ['P'])\n")
    assert ScriptRunner(job, env={"N": 1, "P": tmp_path}).run_script()["stdout"] == f"1 {tmp_path}\n"


def test_a_limit_that_was_passed_unnoticed_is_said_of_its_attempt(tmp_path, monkeypatch):
    monkeypatch.setattr("runner.engine.limits.unnoticed", lambda attempt, job: ["memory peaked"])
    runner = ScriptRunner(write(tmp_path, "raise SystemExit(1)"), max_memory="1TB")
    assert runner.run_script()["warnings"] == ["memory peaked"]
    runner.configure_retry(max_attempts=2, initial_delay=0)
    assert runner.run_script()["warnings"] == ["attempt 1: memory peaked", "attempt 2: memory peaked"]
