"""The runner under every Python that it supports, without any package but its own."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests import support
from tests.integration.faults.conftest import end_of, history


def _is_supported(version: str) -> bool:
    return version.startswith("3.") and int(version.split(".")[1]) >= 11


VERSIONS = sorted({"3.11", "3.12", "3.13", *filter(_is_supported, support.INTERPRETERS)})


@pytest.fixture(params=VERSIONS)
def command(request: pytest.FixtureRequest, runner: support.Command) -> support.Command:
    """Return the command under one Python, where each of its own warnings is an error."""
    python = support.interpreter(request.param)
    runner.argv = [python, "-W", "error", "-X", "dev", "-m", "runner"]
    return runner


def test_a_run_and_its_record(command: support.Command) -> None:
    script = command.script("import sys; print(sys.argv[1:], sys.version_info[:2]); raise KeyError('x')")
    done = command("--tag", "a=b", "--json-output", "r.json", script, "é", "--retry", "1", "--retry-delay", "0.01")
    asked = subprocess.run([command.argv[0], "-c", "import sys; print(sys.version_info[:2])"], capture_output=True)
    assert (done.exit_code, done.out) == (1, 2 * f"['é'] {asked.stdout.decode()}")
    assert done.err.count("KeyError: 'x'") >= 3
    assert "Warning" not in done.err
    report = json.loads((command.cwd / "r.json").read_text())
    assert (report["attempts"], report["error_type"]) == (2, "KeyError")
    (run,) = history(command)
    assert end_of(run) == ("exited", 1, None, "KeyError: 'x'")
    assert run["tags"] == {"a": "b"}
    assert run["metrics"]["cpu_time_seconds"] > 0


def test_a_timeout_a_signal_and_a_start_that_fails(command: support.Command) -> None:
    assert command("--quiet", "-c", "import time; time.sleep(60)", "--timeout", "0.5").exit_code == 124
    assert command("--quiet", "-c", "import os; os.kill(os.getpid(), 15)").exit_code == -15
    assert command("--quiet", "gone.py").exit_code == 127
    found = sorted((run["reason"], run["exit_code"]) for run in history(command))
    assert found == [("failed-to-start", 127), ("signaled", 143), ("timeout", 124)]


def test_questions(command: support.Command) -> None:
    command("--quiet", "-c", "")
    for question in ("history", "db stats", "metrics", "config show", "config schema", "--help-all", "--dry-run -c 1",
                     "completion bash", "--version"):  # fmt: skip
        done = command(*question.split())
        assert (done.exit_code, done.err) == (0, ""), question
        assert done.out


def test_a_configuration_file_in_json(command: support.Command) -> None:
    (command.cwd / "runner.json").write_text('{"retry": {"max_attempts": 2, "initial_delay": 0.01}}')
    command("--quiet", "-c", "raise SystemExit(3)")
    (run,) = history(command)
    assert (run["exit_code"], run["attempts"]) == (3, 2)


def test_a_program(command: support.Command) -> None:
    script = command.script("print('hello'); raise SystemExit(2)")
    program = f"""
from runner import HistoryManager, ScriptRunner
history = HistoryManager("my.db")
runner = ScriptRunner({script!r})
runner.history_manager = history
result = runner.run_script()
assert (result["exit_code"], result["stdout"]) == (2, "hello\\n"), result
(run,) = history.get_execution_history()
assert run["exit_code"] == 2
history.close()
print("done")
"""
    argv = [command.argv[0], "-W", "error", "-c", program]
    done = subprocess.run(argv, capture_output=True, text=True, cwd=command.cwd, env=command.env, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "hello\ndone\n", "")


def test_this_python_is_one_of_them() -> None:
    assert _is_supported("{}.{}".format(*sys.version_info))
