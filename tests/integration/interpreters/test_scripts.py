"""Scripts of every interpreter this machine has, through the runner: what they see, how they end, what is recorded."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests import support
from tests.integration.faults.conftest import history

if TYPE_CHECKING:
    from collections.abc import Callable

VERSIONS = sorted({"2.7", "3.6", *(f"3.{minor}" for minor in range(7, 14)), "pypy3", *support.INTERPRETERS})

#: In the syntax of Python 2 and 3.
SCRIPT = """\
# -*- coding: utf-8 -*-
import os, sys
sys.stdout.write(sys.version + "\\n" + repr(sys.argv) + "\\n" + repr(sys.path[0]) + "\\n" + __file__ + "\\n")
sys.stdout.flush()
getattr(sys.stderr, "buffer", sys.stderr).write(b"caf\\xc3\\xa9 \\xff")
sys.exit(int(os.environ["CODE"]))
"""

FAILURES = [
    ("1 / 0", "ZeroDivisionError"),
    ("raise ValueError(u'caf\\xe9 \\u20ac')", "ValueError"),
    ("class Own(Exception): pass\nraise Own('mine\\nmore')", "Own"),
    ("import broken", "SyntaxError"),
    ("def f(:", "SyntaxError"),
    ("if 1:\n    pass\n  pass", "IndentationError"),
]


def alone(runner: support.Command, *argv: str) -> support.Result:
    done = subprocess.run(argv, capture_output=True, cwd=runner.cwd, env=runner.env, timeout=60)
    return support.Result(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_script_of_its_own_python(
    runner: support.Command, interpreter: Callable[[str], str], version: str
) -> None:
    python = interpreter(version)
    runner.env["CODE"] = "3"
    script = runner.script(SCRIPT, "tell.py")
    args = ["", "a b", "é€", "\udcff", "--retry=1"]
    ours = runner("--quiet", "--python", python, "--json-output", "r.json", script, "--", *args)
    theirs = alone(runner, python, script, *args)
    assert (ours.exit_code, ours.stdout, ours.stderr) == (3, theirs.stdout, theirs.stderr)
    report = json.loads((runner.cwd / "r.json").read_text())
    asked = alone(runner, python, "-c", "import sys; sys.stdout.write(sys.version.split()[0])").out
    assert (report["python"], report["python_version"]) == (python, asked)
    assert version == "pypy3" or asked.startswith(version + ".")
    assert (report["exit_code"], report["error_type"], report["script_args"]) == (3, "exit:3", args)
    assert report["memory_max_mb"] > 1
    assert report["cpu_time_seconds"] > 0


@pytest.mark.parametrize("version", VERSIONS)
def test_what_ended_it_is_named(runner: support.Command, interpreter: Callable[[str], str], version: str) -> None:
    python = interpreter(version)
    runner.script("x = = 1\n", "broken.py")
    wanted = []
    for number, (code, name) in enumerate(FAILURES):
        script = runner.script(f"{code}\n", f"fails{number}.py")
        ours = runner("--quiet", "--python", python, script)
        theirs = alone(runner, python, script)
        assert (ours.exit_code, ours.stdout, ours.stderr) == (1, b"", theirs.stderr), code
        wanted.append((script, name))
    found = {run["script_name"]: run for run in history(runner)}
    for script, name in wanted:
        run = found[script]
        assert run["error_type"].rpartition(".")[2] == name, (script, run["error_type"])
        assert run["error_message"].startswith(run["error_type"])
        assert (run["reason"], run["exit_code"]) == ("exited", 1)


@pytest.mark.parametrize("version", VERSIONS)
def test_signals_and_a_timeout_reach_it(
    runner: support.Command, interpreter: Callable[[str], str], version: str
) -> None:
    python = interpreter(version)
    died = runner("--quiet", "--python", python, "-c", "import os; os.kill(os.getpid(), 10)")
    assert died.exit_code == -10
    ended = runner("--quiet", "--timeout", "0.4", "--python", python, "-c", "import time; time.sleep(60)")
    assert (ended.exit_code, ended.stdout, ended.stderr) == (124, b"", b"")
    assert sorted((run["reason"], run["exit_code"]) for run in history(runner)) == [("signaled", 138), ("timeout", 124)]
