"""What can't be started, and what makes no sense: the exit code says which, one line says why, the record knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.faults.conftest import DATABASE, alone, end_of, history

if TYPE_CHECKING:
    from tests import support


def refused(done: support.Result, code: int, *texts: str) -> None:
    """Check the exit code, that nothing is on standard output, and that one line says all of the texts."""
    assert (done.exit_code, done.stdout) == (code, b""), done
    lines = done.err.splitlines()
    assert len(lines) == 1, done
    for text in texts:
        assert text in lines[0]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["gone.py", "a"], 127, "no such script: gone.py"),
        (["nowhere/gone.py"], 127, "no such script: nowhere/gone.py (there is no directory nowhere)"),
        (["dangling.py"], 127, "no such script: dangling.py is a link to gone.py, which does not exist"),
        (["--python", "/no/such/python", "fine.py"], 127, "--python /no/such/python: there is no such interpreter"),
        (["--python", "./fine.py", "fine.py"], 126, "--python ./fine.py is not executable"),
        (["./lost"], 127, "cannot execute ./lost: its interpreter /no/such/interpreter is not there"),
        (["--", "no-such-command"], 127, "no-such-command: command not found on PATH"),
        (["data.txt"], 126, "data.txt is neither a Python file nor executable"),
        (["folder"], 126, "folder is a directory without __main__.py"),
    ],
)
def test_what_is_not_there(runner: support.Command, words: list[str], code: int, message: str) -> None:
    runner.script("open('ran', 'w')", "fine.py")
    (runner.cwd / "fine.py").chmod(0o644)
    (runner.cwd / "dangling.py").symlink_to("gone.py")
    (runner.cwd / "data.txt").write_text("1,2\n")
    (runner.cwd / "folder").mkdir()
    runner.script("#!/no/such/interpreter\n", "lost")
    refused(runner("--log-level", "WARNING", *words), code, message)
    (run,) = history(runner)
    assert (run["reason"], run["exit_code"], run["signal"], run["success"]) == ("failed-to-start", code, None, False)
    assert run["error_message"].startswith(message)
    assert run["error_type"] == "failed-to-start"
    assert run["metrics"].get("cpu_time_seconds") is None
    assert not (runner.cwd / "ran").exists()


def test_what_may_not_be_read(bound: support.Command) -> None:
    script = bound.script("open('ran', 'w')")
    (bound.cwd / script).chmod(0o200)
    refused(bound("--log-level", "WARNING", script), 126, f"{script} can't be read: permission denied")
    (run,) = history(bound)
    assert end_of(run) == ("failed-to-start", 126, None, f"{script} can't be read: permission denied")
    assert not (bound.cwd / "ran").exists()


def test_what_may_not_be_executed(bound: support.Command) -> None:
    """Modes as a user has them who is not root: an executable file that can't be read is no script for its shell."""
    bound.script("#!/bin/sh\ntouch ran\n", "tool")
    (bound.cwd / "tool").chmod(0o111)
    done = bound("--quiet", "./tool")
    assert done.exit_code != 0  # the shell can't read it, and says so itself
    assert "tool" in done.err
    (run,) = history(bound)
    assert run["reason"] == "exited"
    assert not (bound.cwd / "ran").exists()


def test_a_module_that_is_not_there_is_pythons_own_trouble(runner: support.Command) -> None:
    ours, theirs = runner("--quiet", "-m", "no_such_module"), alone(runner, "-m", "no_such_module")
    assert (ours.exit_code, ours.stdout, ours.stderr) == (theirs.exit_code, theirs.stdout, theirs.stderr)
    (run,) = history(runner)
    assert (run["reason"], run["exit_code"]) == ("exited", theirs.exit_code)


@pytest.mark.parametrize("value", ["0", "-1", "0.001", "1e9", "1e400", "inf", "nan", "soon", ""])
@pytest.mark.parametrize("source", ["line", "environment", "file"])
def test_an_interval_that_makes_no_sense(runner: support.Command, source: str, value: str) -> None:
    script = runner.script("open('ran', 'w')")
    words: list[str] = []
    if source == "line":
        words, names = ["--monitor-interval", value], "--monitor-interval"
    elif source == "environment":
        runner.env["RUNNER_MONITOR_INTERVAL"], names = value, "RUNNER_MONITOR_INTERVAL"
    else:
        names = "runner.yaml:2: monitoring.sampling_interval"
        (runner.cwd / "runner.yaml").write_text(f"monitoring:\n  sampling_interval: {value or chr(34) * 2}\n")
    if source == "environment" and not value:
        assert runner(*words, script).exit_code == 0  # a variable that is empty is not set
        return
    refused(runner(*words, script), 2, names)
    assert not (runner.cwd / "ran").exists()
    assert not (runner.cwd / DATABASE).exists()


@pytest.mark.parametrize("value", ["0.01", "10ms", "3600", "1h"])
def test_an_interval_at_the_limits(runner: support.Command, value: str) -> None:
    """Figures of a script that ends before its first sample are there all the same."""
    done = runner("--quiet", "--monitor-interval", value, "-c", "sum(range(10**6))")
    assert done.exit_code == 0
    (run,) = history(runner)
    assert run["metrics"]["cpu_time_seconds"] > 0
    assert run["metrics"]["cpu_max"] > 0
    assert run["metrics"]["memory_max_mb"] > 1


@pytest.mark.parametrize("value", ["0", "-5", "nan", "inf"])
def test_a_timeout_that_makes_no_sense(runner: support.Command, value: str) -> None:
    refused(runner(runner.script("open('ran', 'w')"), "--timeout", value), 2, "--timeout")
    assert not (runner.cwd / "ran").exists()


def test_as_many_bytes_of_arguments_as_alone(runner: support.Command) -> None:
    """The runner adds nothing to a line that counts, and what is too long for the system is said."""
    script = runner.script("import sys; print(len(sys.argv))")
    assert runner("--quiet", script, *["x" * 100_000] * 15).out == "16\n"
    (run,) = history(runner)
    assert run["exit_code"] == 0
