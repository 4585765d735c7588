"""What happens to a runner from outside: it is killed, its terminal closes, its reader leaves, its disk is full."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.faults.conftest import DATABASE, HANG, end_of, history, shell, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests import support

SLEEPER = """
import os, time
print("ready", os.getpid(), flush=True)
time.sleep(100)
"""


def is_there(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_runners_and_queries_that_fold_one_lost_run_at_once_make_one(runner: support.Command) -> None:
    process = runner.start("--retry", "1", runner.script(SLEEPER, "killed.py"), "arg", stdout=subprocess.PIPE)
    assert process.stdout is not None
    script = int(process.stdout.readline().split()[1])
    wait_for(lambda: list(runner.cwd.glob(f"{DATABASE}.runs/[0-9a-f]*/stdout.1.0")), "the journal of its output")
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=HANG)
    wait_for(lambda: not is_there(script), "the end of the script")
    runner.script("", "next.py")
    pipe = subprocess.PIPE
    others = [runner.start("next.py", stdout=pipe, stderr=pipe) for _ in range(4)]
    others += [runner.start("history", stdout=pipe, stderr=pipe) for _ in range(4)]
    said = [other.communicate(timeout=HANG)[1].decode() for other in others]
    assert [other.returncode for other in others] == [0] * 8
    assert sum(text.count("was lost") for text in said) == 1, said
    runs = history(runner)
    assert sorted(run["script_name"] for run in runs) == ["killed.py"] + ["next.py"] * 4
    (lost,) = (run for run in runs if run["script_name"] == "killed.py")
    assert end_of(lost) == (
        "lost", None, None, "the runner ended before the script did; its end is not known"
    )  # fmt: skip
    assert (lost["success"], lost["error_type"], lost["script_args"]) == (False, "lost", ["arg"])
    assert set(lost["kinds"].values()) == {"bound"}
    assert lost["metrics"]["stdout_size_bytes"] == len(f"ready {script}\n")
    assert not list(runner.cwd.glob("*.runs"))


def test_its_terminal_closes(runner: support.Command, terminal: Callable[..., support.Terminal]) -> None:
    window = terminal()
    window.line(runner.line(runner.script(SLEEPER)))
    text = window.wait("\nready ")
    script = int(text.rpartition("\nready ")[2].split()[0])
    window.close()
    wait_for(lambda: not is_there(script), "the end of the script")
    wait_for(lambda: (runner.cwd / DATABASE).exists() and history(runner), "the record of the run")
    (run,) = history(runner)
    assert end_of(run) == ("cancelled", 129, signal.SIGHUP, "cancelled by SIGHUP")
    assert run["metrics"]["stdout_lines"] == 1
    assert not list(runner.cwd.glob("*.runs"))


def test_a_script_that_outlives_its_terminal_is_waited_for(
    runner: support.Command, terminal: Callable[..., support.Terminal]
) -> None:
    """As under nohup: what it writes goes nowhere, it runs to its end, and that is recorded."""
    script = runner.script(
        """
        import os, signal, sys, time
        signal.signal(signal.SIGHUP, lambda *_: open("hung up", "w").close())
        print("ready", flush=True)
        while not os.path.exists("go"):
            time.sleep(0.02)
        try:
            os.write(1, b"nobody reads this")
        except OSError:
            pass
        sys.exit(3)
        """
    )
    window = terminal()
    window.line(runner.line(script))
    window.wait("\nready")
    window.close()
    wait_for((runner.cwd / "hung up").exists, "the hang-up")
    (runner.cwd / "go").touch()
    wait_for(lambda: (runner.cwd / DATABASE).exists() and history(runner), "the record of the run")
    (run,) = history(runner)
    assert run["exit_code"] == 3
    assert run["signal"] is None


@pytest.mark.parametrize(
    ("code", "end"),
    [
        ("while True: print('y' * 70)", ("exited", 1, None, "BrokenPipeError: [Errno 32] Broken pipe")),
        (
            "import signal; signal.signal(signal.SIGPIPE, signal.SIG_DFL)\nwhile True: print('y' * 70)",
            ("signaled", 141, signal.SIGPIPE, "killed by SIGPIPE"),
        ),
    ],
    ids=["exception", "signal"],
)
def test_its_reader_leaves(runner: support.Command, code: str, end: tuple[Any, ...]) -> None:
    script = runner.script(code)
    ours = shell(runner, f"{runner.line('--quiet', script)} | head -1; echo ${{PIPESTATUS[0]}}")
    theirs = shell(runner, f"{sys.executable} {script} | head -1; echo ${{PIPESTATUS[0]}}")
    assert ours.stdout == theirs.stdout == b"y" * 70 + b"\n%d\n" % end[1]
    (run,) = history(runner)
    assert end_of(run) == end


def test_the_reader_of_what_the_runner_says_leaves(runner: support.Command) -> None:
    """The summary goes nowhere, and that is nobody's trouble."""
    line = runner.line("-c", "print('fine'); raise SystemExit(7)")
    done = shell(runner, f"exec 2> >(exec true); sleep 0.3; {line}")
    assert (done.exit_code, done.out) == (7, "fine\n")
    (run,) = history(runner)
    assert run["exit_code"] == 7


def test_output_to_a_full_device(runner: support.Command) -> None:
    script = runner.script("print('x' * 100)")
    ours = shell(runner, runner.line("--quiet", script) + " >/dev/full")
    theirs = shell(runner, f"{sys.executable} {script} >/dev/full")
    assert (ours.exit_code, ours.stderr) == (theirs.exit_code, theirs.stderr)
    (run,) = history(runner)
    assert run["reason"] == "exited"
    assert run["exit_code"] == theirs.exit_code != 0
    assert "stdout_size_bytes" not in run["metrics"]  # it was not captured, and nobody guesses


def test_what_the_runner_says_to_a_full_device(runner: support.Command) -> None:
    done = shell(runner, runner.line("-c", "print('fine'); raise SystemExit(7)") + " 2>/dev/full")
    assert (done.exit_code, done.out, done.err) == (7, "fine\n", "")
    (run,) = history(runner)
    assert run["exit_code"] == 7


@pytest.mark.parametrize("where", [">/dev/full", ">&-"])
@pytest.mark.parametrize("question", [["history"], ["history", "--format", "json"], ["--help"], ["config", "schema"]])
def test_an_answer_that_can_not_be_written_is_said(runner: support.Command, question: list[str], where: str) -> None:
    runner("--quiet", "-c", "")
    done = shell(runner, f"{runner.line(*question)} {where}")
    assert done.exit_code == 1
    assert len(done.err.splitlines()) == 1
    assert done.err.startswith("runner: error: ")


def test_a_report_to_a_full_device_is_said(runner: support.Command) -> None:
    done = runner("--log-level", "WARNING", "--json-output", "/dev/full", "-c", "print('fine'); raise SystemExit(7)")
    assert (done.exit_code, done.out) == (7, "fine\n")
    assert done.err.splitlines()[0] == "runner: warning: /dev/full was not written: No space left on device"


def test_its_folder_is_removed(runner: support.Command) -> None:
    """A script by its absolute path, or code, runs there as it does alone, and the run is in the next record."""
    script = runner.cwd / runner.script("import os, sys; print(sys.argv[1:], sys.path[0])")
    for words in ([str(script), "a"], ["-c", "import sys; print(sys.argv)"]):
        remove = "mkdir gone; cd gone; rmdir ../gone; "
        ours = shell(runner, remove + runner.line("--log-level", "WARNING", *words))
        theirs = shell(runner, remove + shlex.join([sys.executable, *words]))
        assert (ours.exit_code, ours.stdout) == (0, theirs.stdout)
        assert len(ours.err.splitlines()) <= 2
        assert "itself failed" not in ours.err
    found = shell(runner, "mkdir gone; cd gone; rmdir ../gone; " + runner.line("history", "--format", "json"))
    assert found.exit_code == 0, found
    assert len(json.loads(found.out)["runs"]) == 2


def test_a_relative_script_in_a_folder_that_was_removed(runner: support.Command) -> None:
    done = shell(runner, "mkdir gone; cd gone; rmdir ../gone; " + runner.line("--log-level", "WARNING", "x.py"))
    assert done.exit_code == 127
    assert "no such script: x.py" in done.err
    assert "Traceback" not in done.err


def test_no_home_and_no_environment_at_all(runner: support.Command) -> None:
    script = runner.script("import os; print(sorted(os.environ))")
    line = f"exec env -i PYTHONPATH={runner.env['PYTHONPATH']} {runner.line('--log-level', 'WARNING', script)}"
    done = shell(runner, line)
    assert done.exit_code == 0, done
    assert "PYTHONPATH" in done.out
    assert len(done.err.splitlines()) == 1
    (run,) = history(runner)
    assert run["reason"] == "exited"
    assert os.path.exists(runner.cwd / DATABASE)
