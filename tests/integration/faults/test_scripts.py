"""Scripts that end badly or write oddly: what the caller sees and what the record holds are both true."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.faults.conftest import HANG, alone, end_of, history, shell, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests import support

MB = 1 << 20


@pytest.mark.parametrize("name", ["SIGSEGV", "SIGKILL", "SIGABRT", "SIGTERM"])
def test_death_of_a_signal(runner: support.Command, name: str) -> None:
    number = signal.Signals[name]
    code = f"import os; print('begun', flush=True); os.kill(os.getpid(), {number})"
    done = runner("--log-level", "WARNING", "-c", code)
    assert (done.exit_code, done.stdout) == (-number, b"begun\n")
    assert len(done.err.splitlines()) == 1
    assert f"killed by {name}" in done.err
    (run,) = history(runner)
    assert end_of(run) == ("signaled", 128 + number, number, f"killed by {name}")
    assert (run["error_type"], run["success"]) == (f"signal:{number}", False)
    assert run["metrics"]["stdout_size_bytes"] == 6


def test_a_script_that_ignores_term_is_killed_with_its_tree(runner: support.Command) -> None:
    script = runner.script(
        """
        import os, signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = os.fork()
        if child:
            open("pids", "w").write(f"{os.getpid()} {child}")
            print("stays", flush=True)
        time.sleep(100)
        """
    )
    done = runner("--log-level", "WARNING", "--kill-after", "0.3", script, "--timeout", "1.5")
    assert (done.exit_code, done.stdout) == (124, b"stays\n")
    assert done.err.count("timed out") == len(done.err.splitlines()) == 1
    (run,) = history(runner)
    assert end_of(run) == ("timeout", 124, signal.SIGKILL, "ran longer than the 1.5 s allowed")
    assert run["error_type"] == "timeout"
    assert 1.8 <= run["metrics"]["execution_time_seconds"] < HANG
    for pid in (runner.cwd / "pids").read_text().split():
        assert not Path(f"/proc/{pid}").exists()


def test_a_script_that_closes_its_output_and_goes_on(runner: support.Command) -> None:
    """Whoever reads its output sees the end at once, as alone, and the run lasts as long as the script."""
    script = runner.script(
        """
        import os, time
        os.write(1, b"before")
        os.close(1)
        while not os.path.exists("go"):
            time.sleep(0.02)
        os.write(2, b"after\\n")
        os._exit(5)
        """
    )
    process = runner.start("--quiet", script, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.read() == b"before"
    assert process.poll() is None
    (runner.cwd / "go").touch()
    assert process.communicate(timeout=HANG)[1] == b"after\n"
    assert process.returncode == 5
    (run,) = history(runner)
    assert end_of(run) == ("exited", 5, None, "exit code 5")
    assert (run["metrics"]["stdout_size_bytes"], run["metrics"]["stderr_size_bytes"]) == (6, 6)


def test_output_without_a_newline(runner: support.Command) -> None:
    done = runner("-c", "import sys; sys.stdout.write('out'); sys.stderr.write('err')")
    assert (done.exit_code, done.stdout) == (0, b"out")
    assert done.stderr.startswith(b"err\n")  # the summary begins on a line of its own
    (run,) = history(runner)
    assert [run["metrics"][f"stdout_{what}"] for what in ("size_bytes", "lines")] == [3, 0]


def test_output_without_a_newline_in_a_terminal(
    runner: support.Command, terminal: Callable[..., support.Terminal]
) -> None:
    shell = terminal()
    shell.line(runner.line("-c", "print('open line', end='')") + "; echo code=$?")
    lines = shell.wait("\ncode=0").splitlines()
    at = next(number for number, line in enumerate(lines) if line.rstrip() == "open line")
    assert any("-c succeeded" in line for line in lines[at + 1 :])


def test_binary_output(runner: support.Command) -> None:
    data = bytes(range(256)) * 300 + b"\xff\xfe\r\n\0"
    (runner.cwd / "data").write_bytes(data)
    code = "import sys; [file.buffer.write(open('data', 'rb').read()) for file in (sys.stdout, sys.stderr)]"
    done = runner("--quiet", "-c", code)
    assert (done.exit_code, done.stdout, done.stderr) == (0, data, data)
    (run,) = history(runner)
    sizes = [run["metrics"][f"{stream}_{what}"] for stream in ("stdout", "stderr") for what in ("size_bytes", "lines")]
    assert sizes == [len(data), 301] * 2


def test_a_binary_traceback_is_recorded_as_text(runner: support.Command) -> None:
    done = runner("--quiet", "-c", "raise ValueError('\\udcff\\x1b[31m\\0')")
    assert done.exit_code == 1
    assert done.stderr == alone(runner, "-c", "raise ValueError('\\udcff\\x1b[31m\\0')").stderr
    (run,) = history(runner)
    assert run["error_type"] == "ValueError"
    assert b"\x1b" not in runner("history").stdout


def test_a_flood_in_bounded_memory_and_on_bounded_disk(runner: support.Command) -> None:
    script = runner.script(
        """
        import os, sys
        block = (b"." * 99 + b"\\n") * 10000
        for _ in range(1200):
            os.write(1, block)
        with open(f"/proc/{os.getppid()}/status") as file:
            peak = next(line.split()[1] for line in file if line.startswith("VmHWM"))
        size = sum(os.stat(os.path.join(folder, name)).st_size for folder, _, names in os.walk(".") for name in names)
        sys.stderr.write(f"{peak} {size}")
        """
    )
    done = shell(runner, runner.line("--quiet", script) + " | tail -c 1")
    assert (done.exit_code, done.stdout) == (0, b"\n")
    peak, size = map(int, done.err.split())
    assert peak < 80_000, "KB of memory"
    assert size < 32 * MB
    (run,) = history(runner)
    assert end_of(run) == ("exited", 0, None, None)
    assert run["metrics"]["stdout_size_bytes"] == 1_200_000_000
    assert run["metrics"]["stdout_lines"] == 12_000_000
    assert sum(path.stat().st_size for path in runner.cwd.rglob("*")) < 2 * MB


def test_a_daemon_that_holds_the_output(runner: support.Command) -> None:
    script = runner.script(
        """
        import os, time
        print("parent", flush=True)
        if os.fork():
            os._exit(7)
        os.setsid()
        while not os.path.exists("go"):
            time.sleep(0.02)
        print("late", flush=True)
        """
    )
    process = runner.start(script, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.wait(HANG) == 7
    (run,) = history(runner)  # the run is over and stored, although the daemon still runs
    assert end_of(run) == ("exited", 7, None, "exit code 7")
    assert (run["metrics"]["survivors"], run["metrics"]["stdout_size_bytes"]) == (1, 7)
    (runner.cwd / "go").touch()
    assert process.stdout.read() == b"parent\nlate\n"
    assert b"1 process still running" in process.stderr.read()
    process.stdout.close()
    process.stderr.close()


def test_ten_thousand_arguments(runner: support.Command) -> None:
    script = runner.script("import sys; print(*map(ascii, sys.argv[1:]), sep='\\n')")
    args = [f"word {number} é" if number % 3 else "" for number in range(10_000)]
    done = runner("--quiet", script, *args)
    assert (done.exit_code, done.out.splitlines()) == (0, [ascii(arg) for arg in args])
    (run,) = history(runner)
    assert run["script_args"] == args


#: The runner, in whose process the clock is set back by an hour half a second after its start.
SET_BACK = """
import time
now, begin = time.time_ns, time.monotonic()
time.time_ns = lambda: now() - (3600 * 10**9 if time.monotonic() - begin > 0.5 else 0)
time.time = lambda: time.time_ns() / 1e9
from runner.cli.main import main
main()
"""


def test_a_clock_set_back_during_a_run(runner: support.Command) -> None:
    (runner.cwd / "set_back.py").write_text(SET_BACK)
    usual = runner.argv
    runner.argv = [sys.executable, "set_back.py"]
    before = time.time()
    done = runner("--log-level", "WARNING", "--json-output", "report.json", "-c", "import time; time.sleep(1.2)",
                  "--auto-cleanup", "--timeout", "40")  # fmt: skip
    assert done.exit_code == 0, done
    assert len(done.err.splitlines()) == 1
    runner.argv = usual
    import json
    from datetime import datetime

    report = json.loads((runner.cwd / "report.json").read_text())
    start, end = (datetime.fromisoformat(report[f"{which}_time"]).timestamp() for which in ("start", "end"))
    (run,) = history(runner)
    seconds = run["metrics"]["execution_time_seconds"]
    assert 1.2 <= seconds < HANG
    assert start == pytest.approx(before, abs=30)  # the start is what the clock said then
    assert end - start == pytest.approx(seconds, abs=0.01)
    assert run["total_seconds"] == pytest.approx(seconds, abs=0.5)
    assert run["metrics"]["cpu_avg"] < 100


def test_the_signal_of_a_script_that_died_while_its_output_was_stuck(runner: support.Command) -> None:
    """The reader takes its time: nothing is lost, and the end is told when all was passed on."""
    code = "import os, sys; os.write(1, b'x' * 300000); os.kill(os.getpid(), 6)"
    done = shell(runner, runner.line("--quiet", "-c", code) + " | (sleep 0.7; wc -c); echo ${PIPESTATUS[0]}")
    assert done.out.split() == ["300000", "134"]
    (run,) = history(runner)
    assert end_of(run) == ("signaled", 134, 6, "killed by SIGABRT")
    wait_for(lambda: not list(runner.cwd.glob("*.runs")), "the removal of the journal")


@pytest.mark.parametrize("direct", [[], ["--direct"]])
def test_a_script_that_closes_its_input_and_goes_on(runner: support.Command, direct: list[str]) -> None:
    """Whoever writes to it learns that nobody reads, as alone."""
    script = runner.script(
        """
        import os, time
        os.close(0)
        print("closed", flush=True)
        while not os.path.exists("go"):
            time.sleep(0.02)
        """
    )
    process = runner.start("--quiet", *direct, script, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == b"closed\n"
    with pytest.raises(BrokenPipeError):
        os.write(process.stdin.fileno(), b"x")
    (runner.cwd / "go").touch()
    assert process.communicate(timeout=HANG)[0] == b""
    assert process.returncode == 0


def test_a_report_to_the_output_that_the_script_has_closed(runner: support.Command) -> None:
    done = runner("--quiet", "--json-output", "-", "-c", "import os; os.write(1, b'x\\n'); os.close(1); os._exit(0)")
    import json

    assert done.stdout.startswith(b"x\n{")
    assert json.loads(done.stdout[2:])["exit_code"] == 0
