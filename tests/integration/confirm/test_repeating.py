"""A script that is run several times before it is judged: ``--gate-runs``, ``--warmup``, ``--confirm``."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests import support

#: Counts its runs in a file; ``plan.py`` says what each does.
COUNTING = """
    import os, sys, time
    n = os.path.getsize("runs") if os.path.exists("runs") else 0
    open("runs", "ab").write(b".")
    print("run", n)
    exec(open("plan.py").read())
"""


def prepare(runner: support.Command, plan: str = "") -> str:
    (runner.cwd / "plan.py").write_text(plan)
    return runner.script(COUNTING, "job.py")


def runs(runner: support.Command) -> int:
    return (runner.cwd / "runs").stat().st_size


def remembered(runner: support.Command) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(runner("history", "--format", "json").out)["runs"]
    return found


def test_output_is_shown_once_and_every_run_that_counts_is_remembered(runner: support.Command) -> None:
    done = runner("--gate-runs", 3, "--warmup", 2, prepare(runner))
    assert (done.exit_code, done.out) == (0, "run 2\n"), done
    assert runs(runner) == 5
    tags = [run["tags"] for run in remembered(runner)]
    assert [tag["gate_run"] for tag in tags] == ["3/3", "2/3", "1/3"]  # type: ignore[index]
    assert len({tag["gate"] for tag in tags}) == 1  # type: ignore[index]
    assert "3 runs, " in done.err


def test_every_run_reads_the_same_standard_input(runner: support.Command) -> None:
    script = prepare(runner, "open(f'in{n}', 'w').write(sys.stdin.read())")
    assert runner("--gate-runs", 3, script, input="one\ntwo\n").exit_code == 0
    assert [(runner.cwd / f"in{n}").read_text() for n in range(3)] == ["one\ntwo\n"] * 3


def test_standard_input_from_a_file_begins_anew_each_time(runner: support.Command) -> None:
    script = prepare(runner, "open(f'in{n}', 'w').write(sys.stdin.read())")
    (runner.cwd / "data").write_text("data")
    with open(runner.cwd / "data") as data:
        assert runner.start("--gate-runs", 2, "--quiet", script, stdin=data).wait(60) == 0
    assert [(runner.cwd / f"in{n}").read_text() for n in range(2)] == ["data"] * 2


def test_a_repetition_that_fails_ends_it_with_its_code_and_its_output(runner: support.Command) -> None:
    done = runner("--gate-runs", 5, "--add-gate", "num_threads:1000", prepare(runner, "sys.exit(7 if n == 2 else 0)"))
    assert (done.exit_code, done.out) == (7, "run 0\nrun 2\n"), done
    assert runs(runner) == 3
    assert "failed" in done.err


def test_a_warm_up_that_fails_is_the_end(runner: support.Command) -> None:
    done = runner("--gate-runs", 2, "--warmup", 1, prepare(runner, "sys.exit(4)"))
    assert (done.exit_code, done.out, runs(runner)) == (4, "run 0\n", 1), done


def test_the_median_is_judged_and_reported(runner: support.Command) -> None:
    plan = "import subprocess\nprint('x' * [10, 1000, 100][n])"
    done = runner(
        "--gate-runs", 3, "--add-gate", "stdout_size_bytes:<=107", "--json-output", "r.json", prepare(runner, plan)
    )
    assert done.exit_code == 0, done
    report = json.loads((runner.cwd / "r.json").read_text())
    assert report["stdout_size_bytes"] == 107
    assert runner("--gate-runs", 3, "--add-gate", "stdout_size_bytes:<=106", "job.py").exit_code != 0


def test_a_gate_that_fails_on_the_median_is_exit_code_3(runner: support.Command) -> None:
    done = runner("--gate-runs", 2, "--add-gate", "execution_time_seconds:1ms", prepare(runner))
    assert done.exit_code == 3, done
    assert "FAILED" in done.err


@pytest.mark.parametrize(("second", "code"), [("0", 0), ("0.3", 3)])
def test_a_timing_fails_only_if_it_fails_twice(runner: support.Command, second: str, code: int) -> None:
    script = prepare(runner, f"time.sleep([0.3, {second}][n])")
    done = runner("--confirm", "--add-gate", "execution_time_seconds:250ms", script)
    assert (done.exit_code, done.out, runs(runner)) == (code, "run 0\n", 2), done
    assert "confirm" in done.err


def test_what_chance_does_not_move_is_not_confirmed(runner: support.Command) -> None:
    done = runner("--confirm", "--add-gate", "stdout_lines:0", prepare(runner))
    assert (done.exit_code, runs(runner)) == (3, 1), done


def test_what_chance_does_not_move_fails_in_the_run_that_confirms(runner: support.Command) -> None:
    script = prepare(runner, "time.sleep(0 if n else 0.3)\nprint('x\\n' * (50 * n), end='')")
    gates = ("--add-gate", "execution_time_seconds:250ms", "--add-gate", "stdout_lines:40")
    done = runner("--confirm", "--save-baseline", "b.json", *gates, "--json-output", "j.json", script)
    assert (done.exit_code, runs(runner)) == (3, 2), done
    assert not (runner.cwd / "b.json").exists()
    assert "FAILED  stdout_lines 51 (at most 40)" in done.err
    report = json.loads((runner.cwd / "j.json").read_text())
    assert [gate["passed"] for gate in report["judgement"]["gates"]] == [True, False]
    assert report["judgement"]["gates"][0]["value"] == report["execution_time_seconds"]


def test_a_run_that_failed_a_timing_itself_is_not_saved(runner: support.Command) -> None:
    plan = "time.sleep(0 if n else 1.6)\nwhile n and time.process_time() < 0.5: pass"
    gates = ("--add-gate", "execution_time_seconds:1500ms", "--add-gate", "cpu_time_seconds:450ms")
    done = runner("--confirm", "--save-baseline", "b.json", *gates, prepare(runner, plan))
    assert (done.exit_code, runs(runner)) == (0, 2), done
    assert "not saved in the baseline: cpu_time_seconds failed in it" in " ".join(done.err.split())
    assert not (runner.cwd / "b.json").exists()


def test_what_passes_is_not_confirmed(runner: support.Command) -> None:
    assert runner("--confirm", "--add-gate", "execution_time_seconds:60s", prepare(runner)).exit_code == 0
    assert runs(runner) == 1


def test_output_that_can_not_be_held_back_is_refused(runner: support.Command) -> None:
    done = runner("--gate-runs", 2, "--direct", prepare(runner))
    assert done.exit_code == 2
    assert not (runner.cwd / "runs").exists()


def test_later_runs_start_from_a_parent_as_small(runner: support.Command) -> None:
    """A process begins with its parent's peak of memory: that of a runner that has recorded a run would count."""
    script = runner.script("")
    assert runner("--gate-runs", 4, script).exit_code == 0
    done = runner("sql", "select memory_max_mb from runs", "--format", "csv")
    peaks = [float(line) for line in done.out.splitlines()[1:]]
    assert len(peaks) == 4, done
    assert max(peaks) < min(peaks) + 2, peaks


def wait_for_runs(runner: support.Command, count: int) -> None:
    deadline = time.monotonic() + 60
    while not (runner.cwd / "runs").exists() or runs(runner) < count:
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_to_the_runner_alone_ends_the_script_and_all(runner: support.Command, number: int) -> None:
    script = prepare(runner, "if n == 1: open('ready', 'w'); time.sleep(60)")
    process = runner.start("--gate-runs", 5, "--quiet", script, start_new_session=True)
    deadline = time.monotonic() + 60
    while not (runner.cwd / "ready").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(process.pid, number)
    assert process.wait(60) == -number
    assert runs(runner) == 2
    assert [run["signal"] for run in remembered(runner)] == [number, None]


def test_ctrl_c_ends_the_script_and_all(
    runner: support.Command, terminal: Callable[..., support.Terminal]
) -> None:
    script = prepare(runner, "time.sleep(60)")
    screen = terminal()
    screen.line(runner.line("--gate-runs", 3, script))
    wait_for_runs(runner, 1)
    screen.wait("run 0")
    screen.key("C-c")
    screen.wait("cancelled by SIGINT")
    screen.line("echo code $?")
    screen.wait("code 130")
    assert runs(runner) == 1


def runs_still(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_script_that_a_killed_runner_repeats_does_not_run_on(runner: support.Command) -> None:
    script = prepare(runner, "open('pid', 'w').write(str(os.getpid())); time.sleep(600)")
    process = runner.start("--gate-runs", 2, "--quiet", script)
    deadline = time.monotonic() + 60
    while not (runner.cwd / "pid").exists() or not (runner.cwd / "pid").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    pid = int((runner.cwd / "pid").read_text())
    process.kill()
    process.wait(60)
    while runs_still(pid):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_terminal_is_the_script_s_in_every_run(
    runner: support.Command, terminal: Callable[..., support.Terminal]
) -> None:
    script = prepare(runner, "open(f'tty{n}', 'w').write(str((sys.stdout.isatty(), sys.stdin.isatty())))")
    screen = terminal()
    screen.line(f"{runner.line('--gate-runs', 3, script)}; echo code $?")
    screen.wait("code 0")
    assert {(runner.cwd / f"tty{n}").read_text() for n in range(3)} == {"(True, True)"}


def test_a_lock_is_held_from_the_first_run_to_the_last(runner: support.Command) -> None:
    script = prepare(runner, "open('ready', 'w')\nwhile n and not os.path.exists('go'): time.sleep(0.01)")
    process = runner.start("--gate-runs", 3, "--lock", "one", "--quiet", script)
    wait_for_runs(runner, 2)
    other = runner("--lock", "one", "--no-overlap", "fail", "--disable-history", "-c", "pass")
    (runner.cwd / "go").touch()
    assert other.exit_code == 125, other
    assert process.wait(60) == 0
    assert runs(runner) == 3
    assert runner("--lock", "one", "--no-overlap", "fail", "-c", "pass").exit_code == 0


def test_a_lock_that_can_not_be_had_is_the_end(runner: support.Command) -> None:
    script = prepare(runner, "open('ready', 'w')\nwhile not os.path.exists('go'): time.sleep(0.01)")
    process = runner.start("--lock", "one", "--quiet", script)
    wait_for_runs(runner, 1)
    failed = runner("--gate-runs", 3, "--lock", "one", "--no-overlap", "fail", "-c", "open('other', 'w')")
    skipped = runner("--gate-runs", 3, "--lock", "one", "--no-overlap", "skip", "-c", "open('other', 'w')")
    (runner.cwd / "go").touch()
    assert process.wait(60) == 0
    assert (failed.exit_code, skipped.exit_code) == (125, 0), (failed, skipped)
    assert not (runner.cwd / "other").exists()


def test_a_monitor_hears_of_one_start_and_one_end(runner: support.Command) -> None:
    paths: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            paths.append(self.path)
            self.send_response(200)
            self.end_headers()

        do_GET = do_POST

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_address[1]}/check"
        done = runner("--gate-runs", 3, "--heartbeat", url, prepare(runner, "time.sleep(0.3)"))
    finally:
        server.shutdown()
        server.server_close()
    assert done.exit_code == 0, done
    assert [path.partition("?")[0] for path in paths] == ["/check/start", "/check"]
    assert len({path.partition("?")[2] for path in paths}) == 1


def test_a_run_that_is_retried_is_one_of_them(runner: support.Command) -> None:
    script = prepare(runner, "sys.stdin.read() == 'in' or sys.exit(9)\nsys.exit(n == 1)")
    done = runner("--gate-runs", 2, "--retry", 1, "--retry-delay", 0, script, input="in")
    assert (done.exit_code, runs(runner)) == (0, 3), done
    assert len(remembered(runner)) == 2


def test_relative_gates_do_not_compare_with_runs_of_the_same_series(runner: support.Command) -> None:
    script = prepare(runner, "print('x\\n' * (100 if n < 12 else 150), end='')")
    for _ in range(12):
        assert runner("--quiet", script).exit_code == 0
    done = runner("--gate-runs", 10, "--add-gate", "stdout_lines:+10%", script)
    assert done.exit_code == 3, done


def test_what_a_series_has_passed_is_saved_once(runner: support.Command) -> None:
    done = runner("--gate-runs", 3, "--save-baseline", "b.json", prepare(runner))
    assert done.exit_code == 0, done
    [series] = json.loads((runner.cwd / "b.json").read_text())["series"]
    assert len(series["runs"]) == 1


@pytest.mark.parametrize(("plan", "seen"), [("sys.exit(7)", 1), ("sys.exit(7 if n else 0)", 2)])
def test_gates_of_a_run_that_failed_are_reported_as_of_any_other(runner: support.Command, plan: str, seen: int) -> None:
    gates = ("--add-gate", "execution_time_seconds:1ms", "--add-gate", "memory_max_mb:8GB", "--json-output", "x.json")
    done = runner("--confirm", *gates, prepare(runner, plan))
    assert done.exit_code == 7, done
    assert runs(runner) == seen
    report = json.loads((runner.cwd / "x.json").read_text())
    assert [gate["passed"] for gate in report["judgement"]["gates"]] == [False, True]
    assert not report["success"]
