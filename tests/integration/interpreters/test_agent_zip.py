"""The agent packed into one zip, as it is sent to other machines, under every interpreter that it supports."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from runner.agent.events import FAILED_TO_START, Ended, Event, Output, Sample, Started, decode
from runner.agent.job import Job
from tests import support

if TYPE_CHECKING:
    from collections.abc import Iterator

MB = 1 << 20
HANG = 60.0
VERSIONS = sorted({"3.8", "3.13", "pypy3", *support.AGENT_INTERPRETERS})

#: Burns CPU and holds memory, itself and in a child; says something on both streams; ends with a code of its own.
WORK = """
import os, sys, time
def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
block = b"x" * (60 << 20)
pid = os.fork()
if pid == 0:
    burn(0.2)
    os._exit(0)
os.waitpid(pid, 0)
burn(0.2)
time.sleep(0.2)
print(sys.argv[1:], os.environ["ODD"], os.getcwd(), sys.stdin.read())
sys.stderr.write("err")
sys.exit(3)
"""


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the agent in one file."""
    path = tmp_path_factory.mktemp("agent") / "agent.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("__main__.py", "import sys\nfrom runner.agent.__main__ import main\nmain(sys.argv[1:])\n")
        archive.writestr("runner/__init__.py", "")
        for source in sorted((support.SRC / "runner" / "agent").glob("*.py")):
            archive.write(source, f"runner/agent/{source.name}")
    return path


class Agent:
    """One agent process with a job on its control descriptor."""

    def __init__(self, python: str, packed: Path, job: Job, locale: dict[str, str]) -> None:
        job_read, self.control = os.pipe()
        self.events, events_write = os.pipe()
        self.process = subprocess.Popen(
            [python, "-W", "error", str(packed), str(job_read), str(events_write)], pass_fds=(job_read, events_write),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd="/",
            env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **locale},
        )  # fmt: skip
        os.close(job_read)
        os.close(events_write)
        os.write(self.control, json.dumps(job.to_dict()).encode() + b"\n")

    def told(self) -> list[Event]:
        """Return all that it tells until it ends."""
        with open(self.events, encoding="ascii") as file:
            return [decode(line) for line in file]

    def close(self) -> None:
        """End what is left."""
        if self.control >= 0:
            os.close(self.control)
            self.control = -1
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


@pytest.fixture(params=VERSIONS)
def agent(request: pytest.FixtureRequest, packed: Path) -> Iterator[Any]:
    """Return a function that starts an agent under one interpreter: ``agent(job)``."""
    python = support.interpreter(request.param)
    started: list[Agent] = []

    def start(job: Job, **locale: str) -> Agent:
        started.append(Agent(python, packed, job, locale))
        return started[-1]

    yield start
    for each in started:
        each.close()


def test_a_job(agent: Any, tmp_path: Path) -> None:
    argv = [sys.executable, "-c", WORK, "", "a b", "\u00e9", "\udcff"]
    env = {"PATH": "/usr/bin:/bin", "ODD": "\udcfe\u20ac", "PYTHONIOENCODING": "utf-8:surrogateescape"}
    running = agent(Job(argv, sys.executable, env, cwd=str(tmp_path), interval=0.05))
    out, err = running.process.communicate(b"input", timeout=HANG)
    told = running.told()
    expected = f"['', 'a b', '\u00e9', '\\udcff'] \udcfe\u20ac {tmp_path} input\n".encode("utf-8", "surrogateescape")
    assert (running.process.returncode, out, err) == (0, expected, b"err")
    started, ended = told[0], told[-1]
    assert isinstance(started, Started)
    assert isinstance(ended, Ended)
    assert (started.streams["stdout"], started.host["cores"]) == ("pipe", os.cpu_count())
    assert (ended.reason, ended.exit_code, ended.signal, ended.survivors) == ("exited", 3, None, 0)
    assert ended.output == {"stdout": [len(expected), 1], "stderr": [3, 0], "merged": False}
    assert b"".join(e.data for e in told if isinstance(e, Output) and e.stream == "stdout") == expected
    used = (ended.usage["user_seconds"] or 0) + (ended.usage["system_seconds"] or 0)
    assert 0.4 <= used < 1.5
    assert 60 * MB < (ended.usage["max_process_bytes"] or 0) < 200 * MB
    assert ended.t >= 0.6
    samples = [event for event in told if isinstance(event, Sample)]
    assert len(samples) >= 5
    assert max(sample.values[4] or 0 for sample in samples) == 2  # processes


def test_text_in_any_encoding(agent: Any) -> None:
    """What another machine's locale can't express is handed to the script byte by byte."""
    argv = ["printf", "%s.%s", "\u20ac", "\udcff"]
    running = agent(Job(argv, "/usr/bin/printf", {}), LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert running.process.communicate(timeout=HANG)[0] == b"\xe2\x82\xac.\xff"
    assert running.told()[-1].exit_code == 0


def test_what_can_not_be_started(agent: Any) -> None:
    running = agent(Job(["/no/such/program"], "/no/such/program", {}))
    assert running.process.wait(HANG) == 0
    (ended,) = running.told()
    assert isinstance(ended, Ended)
    assert (ended.reason, ended.exit_code) == (FAILED_TO_START, 127)
    assert "No such file" in (ended.message or "")


def test_a_timeout_and_a_signal(agent: Any) -> None:
    running = agent(Job(["sleep", "60"], "/bin/sleep", {}, timeout=0.4))
    ended = running.told()[-1]
    assert (ended.reason, ended.exit_code, ended.signal) == ("timeout", 124, signal.SIGTERM)
    running = agent(Job(["sh", "-c", "kill -SEGV $$"], "/bin/sh", {}))
    ended = running.told()[-1]
    assert (ended.reason, ended.exit_code, ended.signal) == ("signaled", 139, signal.SIGSEGV)


def test_when_nobody_waits_any_more_the_script_is_ended(agent: Any) -> None:
    running = agent(Job(["sh", "-c", "echo $$; exec sleep 100"], "/bin/sh", {"PATH": "/usr/bin:/bin"}))
    script = int(running.process.stdout.readline())
    os.close(running.control)
    running.control = -1
    assert running.process.wait(HANG) == 0
    deadline = time.monotonic() + HANG
    while os.path.exists(f"/proc/{script}"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert running.told()[-1].signal == signal.SIGKILL
