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
import json, os, sys
from runner.agent.events import encode
from runner.agent.job import Job
from runner.agent.spawn import StartFailed
from runner.executors import EXECUTORS

name, code, options = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
executor = EXECUTORS.load(name)()
job = Job([sys.executable, "-c", code], options.pop("executable", sys.executable), dict(os.environ), **options)
events = []
try:
    handle = executor.start(job)
except StartFailed as failure:
    print(json.dumps({"failed": [failure.code, failure.message]}), file=sys.stderr)
    sys.exit()
ended = handle.run(events.append)
print(json.dumps({
    "started": json.loads(encode(handle.started)), "ended": json.loads(encode(ended)),
    "told": [event.name for event in events], "paused": executor.pause(0.01),
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


def test_what_cannot_be_started_is_said_before_anything_runs(execute):
    result, _ = execute("", executable="/no/such/interpreter")
    assert result["failed"][0] == 127
    assert "/no/such/interpreter" in result["failed"][1]
