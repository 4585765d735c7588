"""Output is shown only if the run failed: bytes, order within a stream and streams as they were."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests import support

SCRIPT = """
    import os, sys
    for i in range(3):
        print("out", i, flush=True)
        print("err", i, file=sys.stderr, flush=True)
    sys.stdout.buffer.write(b"\\xff\\0 no text\\n")
    print([os.isatty(fd) for fd in (0, 1, 2)])
    sys.exit(int(sys.argv[1]))
"""
OUT = b"out 0\nout 1\nout 2\n\xff\0 no text\n[False, False, False]\n"
ERR = b"err 0\nerr 1\nerr 2\n"


def test_nothing_of_a_success(runner: support.Command) -> None:
    done = runner("--only-on-failure", runner.script(SCRIPT), "0")
    assert (done.exit_code, done.stdout, done.stderr) == (0, b"", b"")
    assert b'"stdout_lines": 5' in runner("history", "--format", "json").stdout


def test_everything_of_a_failure(runner: support.Command) -> None:
    done = runner("--only-on-failure", runner.script(SCRIPT), "3")
    assert (done.exit_code, done.stdout) == (3, OUT)
    assert done.stderr.startswith(ERR + b"\n")
    assert "script.py failed" in done.err
    quiet = runner("--only-on-failure", "--quiet", "script.py", "3")
    assert (quiet.exit_code, quiet.stdout, quiet.stderr) == (3, OUT, ERR)


def test_one_stream_keeps_its_order(runner: support.Command) -> None:
    script = runner.script(SCRIPT)
    ends = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with runner.start("--only-on-failure", "--quiet", script, 1, **ends) as run:
        assert run.stdout is not None
        assert run.stdout.read().startswith(b"out 0\nerr 0\nout 1\nerr 1\nout 2\nerr 2\n")


def test_a_file_gets_nothing_of_a_success(runner: support.Command) -> None:
    script = runner.script(SCRIPT)
    log = runner.cwd / "log"
    for code, expected in (("0", b"before\n"), ("1", b"before\n" + OUT)):
        log.write_bytes(b"before\n")
        with log.open("ab") as file:
            runner.start("--only-on-failure", "--quiet", script, code, stdout=file, stdin=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL).wait(60)  # fmt: skip
        assert log.read_bytes() == expected


def test_every_attempt_of_a_run_that_failed(runner: support.Command) -> None:
    script = runner.script("import sys; print('try'); sys.exit(1)")
    done = runner("--only-on-failure", "--retry", 2, "--retry-delay", 0.01, script)
    assert done.out == "try\n" * 3
    flaky = runner.script(
        "import os, sys\nprint('try'); known = os.path.exists('x'); open('x', 'w'); sys.exit(not known)"
    )
    done = runner("--only-on-failure", "--retry", 2, "--retry-delay", 0.01, flaky)
    assert (done.exit_code, done.stdout, done.stderr) == (0, b"", b"")


def test_more_than_memory_is_given(runner: support.Command) -> None:
    script = runner.script("import sys\nfor i in range(400_000): print(i)\nsys.exit(1)")
    done = runner("--only-on-failure", "--quiet", script)
    assert done.out.splitlines() == [str(i) for i in range(400_000)]


def test_no_room_for_what_is_held_back(runner: support.Command) -> None:
    """What can't be kept is shown: better seen for nothing than lost."""
    script = runner.script("import sys\nfor i in range(400_000): print(i)")
    runner.argv = ["bash", "-c", 'ulimit -f 1500; exec "$@"', "-", *runner.argv]
    done = runner("--only-on-failure", "--quiet", "--disable-history", script)
    assert done.exit_code == 0
    assert done.out.splitlines() == [str(i) for i in range(400_000)]


@pytest.mark.parametrize("code", [0, 1])
def test_what_is_left_running_is_heard_after_a_failure(runner: support.Command, code: int) -> None:
    done = runner("--only-on-failure", "--quiet", "--", "sh", "-c", f"(sleep 0.4; echo late) & echo now; exit {code}")
    assert done.out == ("now\nlate\n" if code else "")


def test_a_script_that_is_not_there(runner: support.Command) -> None:
    done = runner("--only-on-failure", "nothing.py")
    assert done.exit_code == 127
    assert "no such script" in done.err


def test_warnings_of_a_success_are_held_back_too(runner: support.Command) -> None:
    (runner.cwd / "runner.yaml").write_text("monitoring: {enable_profiling: true}\n")
    script = runner.script(SCRIPT)
    assert "enable_profiling" in runner(script, "0").err
    assert runner("--only-on-failure", script, "0").stderr == b""
    assert "enable_profiling" in runner("--only-on-failure", script, "1").err


def test_killed_runner(runner: support.Command) -> None:
    """What a runner that was killed had held back is in the record."""
    script = runner.script("import time; print('begun', flush=True); open('up', 'w'); time.sleep(60)")
    process = runner.start("--only-on-failure", script, stdin=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while not (runner.cwd / "up").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    time.sleep(0.3)  # the journal is written with the next tick
    os.kill(process.pid, signal.SIGKILL)
    process.wait(30)
    from runner import HistoryManager

    assert '"reason": "lost"' in runner("history", "--format", "json").out
    with HistoryManager(runner.cwd / "script_runner_history.db") as history:
        (found,) = history.get_execution_history()
        run = history.get(found["run_id"])
    assert run is not None
    assert run.last.output["stdout"].head == b"begun\n"


def test_direct_is_refused(runner: support.Command) -> None:
    done = runner("--only-on-failure", "--direct", runner.script("print('it ran')"))
    assert (done.exit_code, done.stdout) == (2, b"")
