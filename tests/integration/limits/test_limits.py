"""Limits end the whole tree, whatever it does, and nothing else: with real processes, through the command."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from runner.agent import tree
from runner.agent.priority import has_io_priority

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests import support

pytestmark = pytest.mark.skipif(not tree.HAS_PROC, reason="needs /proc")

#: Seconds after which a hang is taken for granted.
HANG = 30.0
MB = 1 << 20

GROWS = """
    import time
    held = []
    while True:
        held.append(bytearray(b"1") * 5_000_000)
        time.sleep(0.002)
"""
SPINS = "while True: pass"


def report_of(runner: support.Command) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((runner.cwd / "report.json").read_text())
    return data


def run(runner: support.Command, *words: object, **options: Any) -> tuple[support.Result, dict[str, Any]]:
    result = runner("--json-output", "report.json", "--log-level", "WARNING", *words, **options)
    return result, report_of(runner)


def check_limit(result: support.Result, report: dict[str, Any], name: str) -> None:
    assert result.exit_code == 124, result
    assert (report["reason"], report["exit_code"], report["success"]) == ("limit", 124, False)
    assert report["error_type"] == f"limit:{name}"
    assert report["error_message"] in result.err


def processes_with(mark: str) -> list[str]:
    """Return the command lines of living processes that hold a mark, this one's and the runner's excepted."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as file:
            line = file.read().decode("utf-8", "replace")
            if mark in line and int(pid) != os.getpid():
                found.append(line)
    return found


def wait_for(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + HANG
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come"
        time.sleep(0.01)


@pytest.mark.parametrize("interval", ["0.05", "60"])
def test_memory_is_watched_whatever_the_interval_of_samples(runner: support.Command, interval: str) -> None:
    script = runner.script(GROWS)
    result, report = run(runner, "--monitor-interval", interval, "--max-memory", "150MB", script)
    check_limit(result, report, "memory")
    assert "memory limit of 150 MB reached" in result.err
    assert report["memory_max_mb"] > 150  # the curve has the value that was too much


def test_memory_is_that_of_the_whole_tree_which_goes_whatever_it_ignores(runner: support.Command) -> None:
    mark = f"mark-{os.getpid()}-{time.monotonic_ns()}"
    script = runner.script("""
        import os, signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for _ in range(20):
            if not os.fork():
                os.setsid()
                held = bytearray(b"1") * 8_000_000
                time.sleep(60)
        time.sleep(60)
    """)
    result, report = run(runner, "--max-memory", "120MB", "--kill-after", "0.1", script, mark)
    check_limit(result, report, "memory")
    assert processes_with(mark) == []


def test_what_multiplies_is_killed_before_its_grace_is_over(runner: support.Command) -> None:
    mark = f"mark-{os.getpid()}-{time.monotonic_ns()}"
    script = runner.script("""
        import os, signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        held = b""
        for _ in range(8):
            held += bytearray(b"1") * 1_000_000
            os.fork()
            time.sleep(0.1)
        time.sleep(60)
    """)
    result, report = run(runner, "--max-memory", "100MB", "--kill-after", "50", script, mark, timeout=45)
    check_limit(result, report, "memory")
    assert processes_with(mark) == []


def test_a_limit_below_what_an_interpreter_takes_ends_it(runner: support.Command) -> None:
    script = runner.script("import time; time.sleep(60)")
    check_limit(*run(runner, "--max-memory", "1MB", script), "memory")


def test_cpu_time_counts_children_and_not_waiting(runner: support.Command) -> None:
    script = runner.script("""
        import os, time
        time.sleep(0.3)
        for _ in range(2):
            if not os.fork():
                while True: pass
        time.sleep(60)
    """)
    result, report = run(runner, "--monitor-interval", "60", "--max-cpu-time", "0.4", script)
    check_limit(result, report, "cpu-time")
    assert report["cpu_time_seconds"] >= 0.4


def test_a_script_that_sleeps_uses_no_cpu_time(runner: support.Command) -> None:
    result, report = run(runner, "--max-cpu-time", "2", runner.script("import time; time.sleep(0.5)"))
    assert (result.exit_code, report["reason"]) == (0, "exited")


@pytest.mark.parametrize("limit", [1, 1000, 70_001])
def test_output_is_passed_on_up_to_the_last_byte_allowed(runner: support.Command, limit: int) -> None:
    script = runner.script("import sys\nwhile True: sys.stdout.write('é' * 40 + '\\n')")
    result, report = run(runner, "--max-output", limit, script)
    check_limit(result, report, "output")
    assert result.stdout == (("é" * 40 + "\n").encode() * 1000)[:limit]
    assert report["stdout_size_bytes"] == limit


def test_exactly_what_is_allowed_is_no_excess(runner: support.Command) -> None:
    script = runner.script("print('x' * 999)")
    assert run(runner, "--max-output", 1000, script)[0].exit_code == 0
    result, report = run(runner, "--max-output", 999, script)
    check_limit(result, report, "output")
    assert result.stdout == b"x" * 999


def test_what_a_script_leaves_behind_goes_too_if_its_last_words_were_too_many(runner: support.Command) -> None:
    mark = f"mark-{os.getpid()}-{time.monotonic_ns()}"
    script = runner.script("""
        import os, time
        if not os.fork():
            os.setsid()
            os.close(1), os.close(2)
            time.sleep(60)
        os.write(1, b"x" * 2000)
        os._exit(0)
    """)
    result, report = run(runner, "--max-output", 1000, script, mark)
    check_limit(result, report, "output")
    assert processes_with(mark) == []


def test_both_streams_count_together(runner: support.Command) -> None:
    script = runner.script("""
        import os, time
        os.write(1, b"o" * 600)
        time.sleep(0.2)
        os.write(2, b"e" * 600)
        time.sleep(60)
    """)
    result, report = run(runner, "--max-output", 1000, script)
    check_limit(result, report, "output")
    assert (report["stdout_size_bytes"], report["stderr_size_bytes"]) == (600, 400)


def test_a_script_that_says_good_bye_beyond_its_limit_can_end(runner: support.Command) -> None:
    """What it writes while it tidies up is read and dropped: it must not hang in a full pipe until it is killed."""
    script = runner.script("""
        import os, pathlib, signal, sys
        def tidy(number, frame):
            os.write(1, b"x" * 300_000)
            pathlib.Path("tidy").touch()
            sys.exit(1)
        signal.signal(signal.SIGTERM, tidy)
        while True: sys.stdout.write("y" * 1000)
    """)
    result, report = run(runner, "--max-output", 5000, "--kill-after", 30, script)
    check_limit(result, report, "output")
    assert (runner.cwd / "tidy").exists()
    assert len(result.stdout) == 5000


def test_output_past_the_runner_is_judged_by_the_growth_of_the_file(runner: support.Command) -> None:
    script = runner.script("import sys, time\nwhile True: sys.stdout.write('y' * 10_000); time.sleep(0.001)")
    with open(runner.cwd / "out", "wb") as out:
        done = runner.start("--json-output", "report.json", "--max-output", "1MB", script, stdout=out,
                            stderr=subprocess.DEVNULL)  # fmt: skip
        assert done.wait(HANG) == 124
    assert report_of(runner)["error_type"] == "limit:output"
    assert (runner.cwd / "out").stat().st_size >= MB


def test_silence_ends_a_script_that_has_stopped_to_tell(runner: support.Command) -> None:
    script = runner.script("""
        import time
        for n in range(6):
            print(n, flush=True)
            time.sleep(0.2)
        time.sleep(60)
    """)
    result, report = run(runner, "--idle-timeout", "2", script)
    check_limit(result, report, "idle")
    assert result.out == "0\n1\n2\n3\n4\n5\n"


def test_writing_to_a_file_is_no_silence(runner: support.Command) -> None:
    script = runner.script("""
        import time
        for n in range(12):
            print(n, flush=True)
            time.sleep(0.25)
    """)
    with open(runner.cwd / "out", "wb") as out:
        assert runner.start("--idle-timeout", "2", script, stdout=out, stderr=subprocess.DEVNULL).wait(HANG) == 0


def test_a_stopped_script_is_silent_and_ends_all_the_same(runner: support.Command) -> None:
    script = runner.script("import os, signal; os.kill(os.getpid(), signal.SIGSTOP)")
    check_limit(*run(runner, "--idle-timeout", "0.3", script), "idle")


def test_a_reader_that_takes_its_time_makes_no_silence(runner: support.Command) -> None:
    script = runner.script("import sys; sys.stdout.write('x' * 400_000)")
    done = runner.start("--json-output", "report.json", "--idle-timeout", "1.5", script, stdout=subprocess.PIPE,
                        stderr=subprocess.DEVNULL)  # fmt: skip
    time.sleep(2.5)
    assert len(done.communicate(timeout=HANG)[0]) == 400_000
    assert done.returncode == 0


def test_the_first_of_several_limits_is_the_reason(runner: support.Command) -> None:
    script = runner.script(SPINS)
    result, report = run(runner, "--timeout", "30", "--max-cpu-time", "0.2", "--idle-timeout", "20", script)
    check_limit(result, report, "cpu-time")
    result, report = run(runner, "--timeout", "0.3", "--max-cpu-time", "30", script)
    assert (result.exit_code, report["reason"]) == (124, "timeout")


def test_each_attempt_has_its_limits_and_a_limit_is_retried_like_any_failure(runner: support.Command) -> None:
    script = runner.script(SPINS)
    result, report = run(runner, "--max-cpu-time", "0.2", "--retry", 2, "--retry-delay", 0, script)
    check_limit(result, report, "cpu-time")
    assert [each["error_type"] for each in report["attempt_history"]] == ["limit:cpu-time"] * 3


@pytest.mark.parametrize(
    ("filters", "attempts"),
    [
        (["--retry-on-errors", "limit"], 2),
        (["--retry-on-errors", "limit:cpu-time"], 2),
        (["--retry-on-errors", "limit:memory"], 1),
        (["--skip-on-errors", "limit"], 1),
    ],
)
def test_limits_can_be_named_in_filters(runner: support.Command, filters: list[str], attempts: int) -> None:
    script = runner.script(SPINS)
    _, report = run(runner, "--max-cpu-time", "0.1", "--retry", 1, "--retry-delay", 0, *filters, script)
    assert report["attempts"] == attempts


def test_the_record_names_the_limit(runner: support.Command) -> None:
    run(runner, "--max-cpu-time", "0.1", runner.script(SPINS))
    shown = json.loads(runner("history", "--format", "json").out)["runs"][0]
    assert (shown["reason"], shown["error_type"]) == ("limit", "limit:cpu-time")


def test_limits_come_from_environment_and_file_too(runner: support.Command) -> None:
    script = runner.script(SPINS)
    check_limit(*run(runner, script, env={"RUNNER_MAX_CPU_TIME": "0.1"}), "cpu-time")
    (runner.cwd / "runner.yaml").write_text("limits:\n  max_cpu_time: 100ms\n")
    check_limit(*run(runner, script), "cpu-time")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--max-memory", "much"], "--max-memory: 'much' is not a size"),
        (["--max-memory", "0"], "too small"),
        (["--direct", "--max-output", "1MB"], "--max-output: with --direct no output passes through the runner"),
        (["--direct", "--idle-timeout", "1m"], "--idle-timeout: with --direct"),
        (["--ionice", "quick"], "--ionice: 'quick' is not idle, best-effort or realtime"),
        (["--nice", "20"], "--nice: 20 is too large"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_starts(
    runner: support.Command, words: list[str], said: str
) -> None:
    result = runner(*words, runner.script("open('ran', 'w')"))
    assert result.exit_code == 2
    assert said in result.err
    assert result.err.count("\n") == 1
    assert not (runner.cwd / "ran").exists()


def test_output_that_can_not_be_seen_is_refused(runner: support.Command) -> None:
    script = runner.script("open('ran', 'w')")
    with open("/dev/full", "wb") as device:
        done = runner.start("--idle-timeout", "5", script, stdout=device, stderr=subprocess.PIPE)
        _, err = done.communicate(timeout=HANG)
    assert done.returncode == 125
    assert b"stdout is a device" in err
    assert not (runner.cwd / "ran").exists()


PRIORITY = """
    import os
    print(os.getpriority(os.PRIO_PROCESS, 0), os.getpriority(os.PRIO_PROCESS, os.getppid()))
"""


def test_the_script_starts_at_its_niceness_and_the_runner_keeps_its_own(runner: support.Command) -> None:
    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert runner("--nice", 12, runner.script(PRIORITY)).out.split() == ["12", str(own)]
    assert runner("--nice", 12, "--", "sh", "-c", "nice").out.split() == ["12"]


@pytest.mark.skipif(not has_io_priority(), reason="the system has no priorities of disk accesses")
@pytest.mark.parametrize(
    ("asked", "shown"),
    [("idle", "idle"), ("best-effort:6", "best-effort: prio 6"), ("best-effort", "best-effort: prio 4")],
)
def test_the_script_starts_in_its_class_of_disk_accesses(
    runner: support.Command, require: Callable[..., str], asked: str, shown: str
) -> None:
    ionice = require("ionice")
    assert runner("--ionice", asked, "--", ionice).out.strip() == shown


def test_a_priority_that_the_user_may_not_have_is_one_line(
    runner: support.Command, require: Callable[..., str]
) -> None:
    if not os.geteuid():  # root without its capabilities
        runner.argv = [require("setpriv"), "--bounding-set=-all", "--inh-caps=-all", *runner.argv]
    result = runner("--disable-history", "--nice", -5, "--log-level", "WARNING", "--", "true")
    assert result.exit_code == 125
    assert "a niceness of -5 is refused" in result.err
    assert result.err.count("\n") == 1


def test_a_program_that_is_missing_is_still_127_with_a_niceness(runner: support.Command) -> None:
    program = runner.cwd / "program"
    program.write_text("#!/no/such/interpreter\n")
    program.chmod(0o755)
    assert runner("--nice", 5, "--", "./program").exit_code == 127


def test_signals_are_as_without_a_niceness(runner: support.Command) -> None:
    script = runner.script("""
        import signal
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, [])
        ignored = [n for n in range(1, 32) if n not in (9, 19) and signal.getsignal(n) is signal.SIG_IGN]
        print(sorted(mask), ignored, open("/proc/self/status").read().count("SigBlk:\\t0000000000000000"))
    """)
    assert runner("--nice", 1, script).out == runner(script).out


def test_dry_run_shows_limits(runner: support.Command) -> None:
    result = runner("--max-memory", "2GB", "--nice", 5, "--dry-run", runner.script(""))
    assert "--max-memory" in result.out
    assert str(2 << 30) in result.out
    assert "--nice" in result.out


def test_on_a_terminal_the_cut_is_in_the_middle_of_a_line_and_the_summary_below(
    runner: support.Command, terminal: Callable[..., support.Terminal]
) -> None:
    runner.script("import sys, time\nwhile True: sys.stdout.write('0123456789'); time.sleep(0.001)", "flood.py")
    screen = terminal()
    command = " ".join(runner.argv)
    screen.line(f"clear; {command} --max-output 25 --disable-history flood.py; echo end=$?")
    text = screen.wait("end=124")
    lines = [line.rstrip() for line in text.splitlines()]
    assert "0123456789012345678901234" in lines
    assert any(line.startswith("✗ flood.py ended at a limit") for line in lines)


def test_a_person_who_stops_and_continues_a_job_is_not_idle(
    runner: support.Command, terminal: Callable[..., support.Terminal]
) -> None:
    # By its CPU time, which stands still meanwhile, it has nothing to say when it goes on.
    runner.script(
        """
        import time
        for n in range(6):
            print(n, flush=True)
            while time.process_time() < n / 2 + 0.5: pass
        """,
        "ticks.py",
    )
    screen = terminal()
    screen.line(f"{' '.join(runner.argv)} --idle-timeout 2 --disable-history --log-level WARNING ticks.py; echo end=$?")
    screen.wait("\n2\n")
    time.sleep(0.3)  # the runner has looked meanwhile
    screen.key("C-z")
    screen.wait("Stopped")
    time.sleep(2.5)
    screen.line("fg")
    screen.wait("ticks.py succeeded")


def test_an_end_by_the_user_stays_the_reason(runner: support.Command) -> None:
    script = runner.script("import time; print('up', flush=True); time.sleep(60)")
    done = runner.start("--json-output", "report.json", "--idle-timeout", "30", "--max-output", "1MB", script,
                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True)  # fmt: skip
    assert done.stdout is not None
    assert done.stdout.readline() == b"up\n"
    done.send_signal(signal.SIGTERM)
    done.communicate(timeout=HANG)
    assert done.returncode == -signal.SIGTERM
    assert report_of(runner)["reason"] == "cancelled"


def test_a_program_has_limits_too(runner: support.Command) -> None:
    grows = runner.script(GROWS)
    program = runner.script(f"""
        import json
        from runner import ScriptRunner
        result = ScriptRunner({grows!r}, max_memory="100MB", nice=3).run_script()
        print(json.dumps([result["reason"], result["exit_code"], result["error_type"]]))
    """, "program.py")  # fmt: skip
    done = subprocess.run([sys.executable, program], cwd=runner.cwd, env=runner.env, capture_output=True, timeout=HANG)
    assert json.loads(done.stdout) == ["limit", 124, "limit:memory"], done.stderr
