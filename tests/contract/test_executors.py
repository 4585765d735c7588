"""What every executor does alike: it starts a script, tells what happens, and says how it ended."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from runner.executors import EXECUTORS
from tests import support

#: Runs one job under one executor, in a process of its own: an executor may take that over.
DRIVER = """
import json, os, sys, tempfile, time
from runner.agent.events import encode
from runner.agent.job import Job
from runner.agent.requests import read
from runner.agent.spawn import StartFailed
from runner.executors import EXECUTORS

name, code, options = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
asked, wait, requests = options.pop("asked", ""), options.pop("wait", 0), -1
if asked:
    folder = tempfile.mkdtemp()
    os.mkfifo(folder + "/requests")
    requests = os.open(folder + "/requests", os.O_RDWR | os.O_NONBLOCK)
    os.write(requests, asked.encode())
executor = EXECUTORS.load(name)()
job = Job([sys.executable, "-c", code], options.pop("executable", sys.executable), dict(os.environ), **options)
events = []
try:
    handle = executor.start(job)
except StartFailed as failure:
    print(json.dumps({"failed": [failure.code, failure.message]}), file=sys.stderr)
    sys.exit()
time.sleep(wait)
ended = handle.run(events.append, requests)
print(json.dumps({
    "started": json.loads(encode(handle.started)), "ended": json.loads(encode(ended)),
    "told": [event.name for event in events], "paused": executor.pause(600 if wait else 0.01, requests),
    "left": bool(asked and read(requests)),
    "output": b"".join(event.data for event in events if event.name == "output").decode(),
}), file=sys.stderr)
"""


@pytest.fixture(params=sorted(EXECUTORS))
def execute(request):
    def run(code, **options):
        done = subprocess.run(
            [sys.executable, "-c", DRIVER, request.param, code, json.dumps(options)], capture_output=True, text=True,
            env={**support.clean_environment(support.ROOT), "PATH": "/usr/bin:/bin"}, timeout=60,
        )  # fmt: skip
        return json.loads(done.stderr.splitlines()[-1]), done

    return run


def test_a_script_is_run_and_told_of(execute):
    result, done = execute("import time; print('hello', flush=True); time.sleep(0.3); raise SystemExit(3)")
    assert done.stdout == "hello\n"
    assert result["output"] == "hello\n"
    assert (result["ended"]["reason"], result["ended"]["exit_code"]) == ("exited", 3)
    assert result["ended"]["output"]["stdout"] == [6, 1]
    assert result["ended"]["t"] >= 0.3
    assert result["ended"]["usage"]["user_seconds"] > 0
    assert "sample" in result["told"]
    assert "ended" not in result["told"]  # it is returned, not told
    assert result["started"]["pid"] > 1
    assert result["paused"] == 0


def test_a_signal_that_ends_the_script_is_named(execute):
    result, _ = execute("import os; os.kill(os.getpid(), 9)")
    assert (result["ended"]["reason"], result["ended"]["exit_code"], result["ended"]["signal"]) == ("signaled", 137, 9)


def test_a_timeout_ends_it(execute):
    result, _ = execute("import time; time.sleep(60)", timeout=0.3, kill_after=1)
    assert (result["ended"]["reason"], result["ended"]["exit_code"]) == ("timeout", 124)


def test_who_asks_for_its_end_gets_it(execute):
    result, _ = execute("import time; time.sleep(60)", asked="cancel - alice\n")
    ended = result["ended"]
    assert (ended["reason"], ended["signal"], ended["message"]) == ("cancelled", 15, "cancelled by alice")
    assert result["left"] is False


def test_the_grace_can_be_asked_for(execute):
    code = "import os, signal; signal.signal(15, signal.SIG_IGN); os.kill(os.getpid(), 0); import time; time.sleep(60)"
    result, _ = execute(code, asked="cancel 0 alice\n", kill_after=3600)
    assert (result["ended"]["reason"], result["ended"]["signal"] in (9, 15)) == ("cancelled", True)


def test_what_is_asked_too_late_is_left_and_ends_the_pause(execute):
    result, _ = execute("pass", asked="cancel - alice\n", wait=0.5)
    assert result["ended"]["reason"] == "exited"
    assert (result["paused"], result["left"]) == (0, True)


def test_what_cannot_be_started_is_said_before_anything_runs(execute):
    result, _ = execute("", executable="/no/such/interpreter")
    assert result["failed"][0] == 127
    assert "/no/such/interpreter" in result["failed"][1]
