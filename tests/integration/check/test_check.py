"""What a monitor is told: one line, one exit code."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from runner import HistoryManager

if TYPE_CHECKING:
    from tests import support

DAY = 86_400
#: `label=value[unit];[warn];[crit];[min]`, as the Monitoring Plugins guidelines have it.
FIGURE = re.compile(r"[a-z]+=[0-9.e+-]+(s|B);[0-9.e+-]*;[0-9.e+-]*;0$")


def remember(runner: support.Command, ago: float, **figures: object) -> None:
    with HistoryManager(runner.cwd / "script_runner_history.db") as history:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() - ago))
        history.save_execution("job.py", {"execution_time_seconds": 12.5, **figures}, timestamp=stamp)


def checked(runner: support.Command, *args: object) -> tuple[int, str]:
    done = runner("check", *args)
    assert done.out.count("\n") == 1 and done.err == ""
    text, _, figures = done.out.rstrip("\n").partition(" | ")
    assert all(FIGURE.match(each) for each in figures.split())
    return done.exit_code, text


def test_a_script_that_ran_and_succeeded_is_ok(runner: support.Command) -> None:
    remember(runner, 3600, memory_max_mb=100.0)
    done = runner("check", "job.py", "--max-age", "26h", "--max-duration", "1m", "--max-memory", "1GB")
    assert done.exit_code == 0
    assert re.match(r"RUNNER OK - job.py: last run succeeded in 12.5 s, 59 min \d\d s ago \| time=12.5s;60;;0 "
                    r"memory=104857600B;1073741824;;0 age=35\d\ds;;93600;0\n$", done.out), done  # fmt: skip


@pytest.mark.parametrize(
    ("options", "code", "text"),
    [
        ((), 0, "last run succeeded"),
        (("--max-age", "1d"), 2, "last success 47 h 59 min ago, more than 24 h 00 min"),
        (("--max-duration", "10s"), 1, "last run took 12.5 s, more than 10.0 s"),
        (("--max-age", "0"), 2, "ago, more than 0 s"),
        (("--max-memory", "50MB"), 1, "last run needed 100 MB, more than 50 MB"),
        (("--max-duration", "10s", "--max-age", "1h"), 2, "last success 47 h 59 min ago"),
    ],
)
def test_bounds_decide(runner: support.Command, options: tuple[str, ...], code: int, text: str) -> None:
    remember(runner, 2 * DAY, memory_max_mb=100.0)
    found, line = checked(runner, "job.py", *options)
    assert (found, text in line) == (code, True), line


def test_a_failure_is_critical_whatever_was_before(runner: support.Command) -> None:
    remember(runner, 7200)
    remember(runner, 3600, exit_code=3, error_message="ValueError: a | b\nc")
    code, line = checked(runner, "job.py", "--max-age", "1d")
    assert code == 2
    assert line.startswith("RUNNER CRITICAL - job.py: last run failed") and line.endswith("ValueError: a / b c")


def test_what_can_not_be_told_is_unknown(runner: support.Command) -> None:
    assert checked(runner, "job.py")[0] == 3
    remember(runner, 60)
    assert checked(runner, "other.py") == (2, "RUNNER CRITICAL - other.py: never seen to run")
    for wrong in (["job.py", "--max-age", "soon"], ["job.py", "--nonsense"], [], ["a.py", "b.py"]):
        code, line = checked(runner, *wrong)
        assert code == 3 and line.startswith("RUNNER UNKNOWN - ")
    (runner.cwd / "script_runner_history.db").write_bytes(b"no database" * 100)
    assert checked(runner, "job.py")[0] == 3


def test_a_run_under_way_is_taken_into_account(runner: support.Command) -> None:
    remember(runner, 2 * DAY)
    script = runner.script("import sys; print('up', flush=True); sys.stdin.read()", "job.py")
    with runner.start(script, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None and process.stdin is not None
        process.stdout.readline()
        code, line = checked(runner, "job.py", "--max-age", "1d")
        assert code == 1 and "; running now, for " in line
        code, line = checked(runner, "job.py", "--max-duration", "1ms")
        assert code == 1 and re.search(r"run [0-9a-f]{12} is running for .*, more than 1 ms", line)
        process.stdin.close()
        process.wait(30)
    assert checked(runner, "job.py", "--max-age", "1d")[0] == 0


def test_it_answers_as_data_with_the_same_exit_code(runner: support.Command) -> None:
    remember(runner, 60, exit_code=1)
    done = runner("check", "job.py", "--format", "json")
    answer = json.loads(done.out)
    assert (done.exit_code, answer["state"], answer["success"]) == (2, "CRITICAL", False)
    assert answer["figures"] == {"time": 12.5}
    done = runner("check", "job.py", "--format", "csv")
    assert done.exit_code == 2 and done.out.splitlines()[0].startswith("status,state,text,running,run_id")


def test_a_script_called_check_is_still_a_script(runner: support.Command) -> None:
    runner.script("#!/bin/sh\nexit 7\n", "check")
    assert runner("./check").exit_code == 7
    assert runner("run", "-c", "import sys; sys.exit(5)", "check").exit_code == 5
    assert runner("--nonsense", "run", "check").exit_code == 2


@pytest.mark.parametrize("where", [">&-", ">/dev/full", ">&3"])
def test_an_answer_that_cannot_be_given_is_unknown(runner: support.Command, where: str) -> None:
    remember(runner, 3600)
    pipe, left = os.pipe()
    os.close(pipe)  # nobody reads
    line = f"exec 3>&{left}; {runner.line('check', 'job.py')} {where}"
    with open(left, "wb"):
        done = subprocess.run(
            ["bash", "-c", line], cwd=runner.cwd, env=runner.env, capture_output=True, pass_fds=[left]
        )
    assert done.returncode == 3, done
    assert b"Traceback" not in done.stderr
