"""Failed scripts are tried again, end to end: attempts, delays, filters, input, signals."""

from __future__ import annotations

import contextlib
import hashlib
import json
import signal
import sqlite3
import time

import pytest

FLAKY = """
    import pathlib, sys
    count = pathlib.Path("count")
    n = int(count.read_text()) + 1 if count.exists() else 1
    count.write_text(str(n))
    print("attempt", n)
    if n < {good}:
        {failure}
"""


def flaky(runner, good=3, failure="raise ConnectionError('refused')"):
    return runner.script(FLAKY.format(good=good, failure=failure), "flaky.py")


def report(result):
    text = result.out
    return json.loads(text[text.index("{\n") :])


def ask(runner, sql):
    with contextlib.closing(sqlite3.connect(runner.cwd / "script_runner_history.db")) as database:
        return database.execute(sql).fetchall()


def attempts(runner):
    count = runner.cwd / "count"
    return int(count.read_text()) if count.exists() else 0


def test_a_script_that_succeeds_at_the_third_attempt_succeeds(runner):
    script = flaky(runner)
    result = runner("--retry", 3, "--retry-delay", 0, "--json-output", "-", script)
    assert result.exit_code == 0
    data = report(result)
    assert data["attempts"] == 3
    assert [each["error_type"] for each in data["attempt_history"]] == ["ConnectionError", "ConnectionError", None]
    assert data["success"] is True
    assert data["total_seconds"] >= data["execution_time_seconds"]
    assert "2 x after ConnectionError: refused" in result.err
    assert ask(runner, "SELECT (SELECT count(*) FROM runs), (SELECT count(*) FROM attempts)") == [(1, 2)]


def test_when_all_attempts_fail_the_last_one_speaks(runner):
    script = flaky(runner, good=99, failure="sys.exit(n)")
    result = runner("--retry", 2, "--retry-delay", 0, script)
    assert result.exit_code == 3
    assert attempts(runner) == 3


def test_delays_are_waited_and_recorded(runner):
    script = flaky(runner)
    before = time.monotonic()
    result = runner("--retry", 3, "--retry-strategy", "linear", "--retry-delay", "0.2", "--json-output", "-", script)
    assert time.monotonic() - before >= 0.6
    assert [each["delay_seconds"] for each in report(result)["attempt_history"]] == [0.0, 0.2, 0.4]


def test_total_time_bounds_the_attempts(runner):
    script = flaky(runner, good=99)
    result = runner("--retry", 50, "--retry-strategy", "linear", "--retry-delay", "10", "--retry-max-time", "5", script)
    assert result.exit_code == 1
    assert attempts(runner) == 1


@pytest.mark.parametrize(
    ("flags", "tries"),
    [
        (["--retry-on-errors", "ConnectionError"], 3),
        (["--retry-on-errors", "OSError"], 3),
        (["--retry-on-errors", "ValueError"], 1),
        (["--skip-on-errors", "ConnectionError"], 1),
        (["--retry-on-errors", "exit:1"], 3),
    ],
)
def test_filters_by_what_ended_the_attempt(runner, flags, tries):
    script = flaky(runner)
    runner("--retry", 5, "--retry-delay", 0, *flags, script)
    assert attempts(runner) == tries


def test_death_by_signal_is_not_retried_unless_it_is_named(runner):
    script = flaky(runner, good=9, failure="import os; os.kill(os.getpid(), 11)")
    result = runner("--retry", 2, "--retry-delay", 0, script)
    assert (result.exit_code, attempts(runner)) == (-11, 1)
    result = runner("--retry", 2, "--retry-delay", 0, "--retry-on-errors", "signal:SEGV", script)
    assert (result.exit_code, attempts(runner)) == (-11, 4)


def test_each_attempt_has_the_whole_timeout_and_a_timeout_is_retried(runner):
    script = flaky(runner, failure="import time; time.sleep(60)")
    limits = ("--timeout", 1, "--kill-after", 1)
    result = runner("--retry", 3, "--retry-delay", 0, *limits, "--json-output", "-", script)
    assert result.exit_code == 0
    assert [each["reason"] for each in report(result)["attempt_history"]] == ["timeout", "timeout", "exited"]


def test_piped_input_is_there_again_for_every_attempt(runner):
    script = runner.script("""
        import hashlib, pathlib, sys
        seen = pathlib.Path("seen")
        data = sys.stdin.buffer.read()
        lines = seen.read_text().split() if seen.exists() else []
        seen.write_text("\\n".join([*lines, hashlib.sha256(data).hexdigest()]))
        sys.exit(0 if len(lines) == 2 else 1)
    """)
    data = bytes(range(256)) * 2000
    result = runner("--retry", 5, "--retry-delay", 0, script, input=data)
    assert result.exit_code == 0
    assert (runner.cwd / "seen").read_text().split() == [hashlib.sha256(data).hexdigest()] * 3


def test_input_that_the_first_attempt_left_unread_is_there_for_the_second(runner):
    script = runner.script("""
        import pathlib, sys
        first = not pathlib.Path("mark").exists()
        pathlib.Path("mark").touch()
        if first:
            sys.stdin.readline()
            sys.exit(1)
        sys.stdout.write(sys.stdin.read())
    """)
    text = "".join(f"line {n}\n" for n in range(5000))
    result = runner("--retry", 1, "--retry-delay", 0, "--quiet", script, input=text)
    assert result.out == text


def test_input_that_never_reached_the_first_attempt_reaches_the_second(runner):
    script = runner.script("""
        import os, pathlib, sys
        first = not pathlib.Path("mark").exists()
        pathlib.Path("mark").touch()
        if first:
            os.read(0, 10)
            sys.exit(1)
        print(sum(len(block) for block in iter(lambda: os.read(0, 1 << 16), b"")))
    """)
    result = runner("--retry", 1, "--retry-delay", 0, "--quiet", script, input=b"x" * 3_000_000)
    assert result.out == "3000000\n"


def test_a_file_on_standard_input_is_wound_back(runner):
    script = flaky(runner, good=2)
    (runner.cwd / script).write_text((runner.cwd / script).read_text() + "\nprint(len(sys.stdin.read()))\n")
    (runner.cwd / script).write_text("import sys\nsys.stdin.read(7)\n" + (runner.cwd / script).read_text())
    (runner.cwd / "input").write_bytes(b"y" * 100_000)
    with (runner.cwd / "input").open("rb") as file:
        file.seek(1000)
        process = runner.start("--retry", 1, "--retry-delay", 0, "--quiet", script, stdin=file, stdout=-1)
        out, _ = process.communicate(timeout=60)
    assert out.split()[-1] == b"98993"


def test_a_signal_during_the_delay_ends_the_run_and_it_is_recorded(runner):
    script = flaky(runner, good=99)
    process = runner.start("--retry", 5, "--retry-delay", 60, script, stderr=-1, stdout=-1)
    deadline = time.monotonic() + 30
    while attempts(runner) < 1 and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.3)  # the first attempt is over, the delay has begun
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == -signal.SIGTERM
    assert attempts(runner) == 1
    assert ask(runner, "SELECT exit_code FROM runs") == [(1,)]


def test_what_a_person_ended_is_not_retried(runner):
    script = runner.script("""
        import pathlib, time
        with open("starts", "a") as file:
            file.write("x")
        time.sleep(60)
    """)
    process = runner.start("--retry", 5, "--retry-delay", 0, script, stderr=-1, stdout=-1)
    deadline = time.monotonic() + 30
    while not (runner.cwd / "starts").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == -signal.SIGTERM
    assert (runner.cwd / "starts").read_text() == "x"


def test_with_direct_a_filter_by_class_is_refused_and_nothing_starts(runner):
    script = flaky(runner)
    result = runner("--direct", "--retry", 2, "--retry-on-errors", "ValueError", script)
    assert result.exit_code == 2
    assert "--direct" in result.err
    assert attempts(runner) == 0


@pytest.mark.parametrize("flags", [["--retry", "-1"], ["--retry", "x"], ["--retry-strategy", "cubic"],
                                   ["--retry", "1", "--retry-on-errors", "exit:zero"]])  # fmt: skip
def test_nonsense_is_refused_before_the_start(runner, flags):
    script = flaky(runner)
    result = runner(*flags, script)
    assert result.exit_code == 2
    assert flags[-2] in result.err
    assert attempts(runner) == 0


def test_attempts_in_all_from_a_file(runner):
    script = flaky(runner, good=99)
    (runner.cwd / "runner.yaml").write_text("retry:\n  max_attempts: 2\n  initial_delay: 0\n  strategy: linear\n")
    runner(script)
    assert attempts(runner) == 2
