"""The output of a run, while it runs and afterwards: ``runner logs``."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.integration.live_runs.conftest import until


def start_following(background, *args):
    following = background.runner.start("logs", "--follow", *args, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    background.started.append(following)
    return following


def read_until(process, wanted):
    text = b""
    while wanted not in text:
        data = os.read(process.stdout.fileno(), 65536)
        assert data, text
        text += data
    return text


def test_the_output_of_a_finished_run(runner):
    script = runner.script("""
        import sys
        for number in range(20): print("line", number)
        sys.stdout.flush(); print("trouble", file=sys.stderr, flush=True); print("no newline", end="")
    """)
    runner(script)
    assert runner("logs").out.splitlines()[:2] == ["line 0", "line 1"]
    assert runner("logs").out.splitlines()[20:] == ["no newline", "trouble"]
    assert runner("logs", "--stderr").out == "trouble\n"
    assert runner("logs", "--stdout", "--head", 2).out == "line 0\nline 1\n"
    assert runner("logs", "--stdout", "--tail", 2).out == "line 19\nno newline"
    assert runner("logs", "--stdout", "--tail", 0).out == ""
    assert runner("logs", "last:script.py", "--stdout", "--grep", r"\b1$").out == "line 1\n"
    assert runner("logs", "--grep", "TROU", "--ignore-case").out == "trouble\n"
    nothing = runner("logs", "--grep", "absent")
    assert (nothing.exit_code, nothing.out) == (1, "")
    assert runner("logs", "--grep", "(").exit_code == 2
    assert runner("logs", "--head", 1, "--tail", 1).exit_code == 2
    assert runner("logs", "ffff").exit_code == 2
    assert runner("logs", "--attempt", 2).exit_code == 2
    assert runner("logs", "--follow", "--head", 1, "--stdout").out == "line 0\n"
    answer = json.loads(runner("logs", "--stderr", "--format", "json").out)
    assert answer["status"] == "ok"
    assert [line["text"] for line in answer["lines"]] == ["trouble"]
    assert runner("logs", "--stderr", "--format", "csv").out.splitlines()[1].endswith(",trouble")


def test_a_line_that_was_redrawn_keeps_what_still_shows(runner):
    runner("-c", r"print('downloading file 100%\rdone'); print('working\r\x1b[Kdone'); print('last')")
    assert runner("logs").out.splitlines() == ["[redrawn] doneloading file 100%", "[redrawn] done", "last"]
    assert "doneloading file 100%" in runner("show").out
    for pattern, lines in (("^downloading", 1), ("^done", 2), ("^doneloading", 1), ("^work", 1), ("redrawn", 0)):
        assert runner("logs", "--grep", pattern).out.count("\n") == lines, pattern


def test_the_output_of_a_running_run(runner, background):
    background("job.py", script="print('begun', flush=True); print('open', end='', flush=True); wait('go')")
    until(lambda: runner("logs").out == "begun\nopen", "its output")
    assert runner("logs", "last:job.py", "--grep", "beg").out == "begun\n"
    assert json.loads(runner("logs", "--format", "json").out)["running"] is True


def test_two_streams_are_shown_in_the_order_they_were_written(runner, background):
    background("job.py", script="""
import sys
for number in range(3):
    print("out", number, flush=True); wait(f"o{number}")
    print("err", number, file=sys.stderr, flush=True); wait(f"e{number}")
""")
    expected = ""
    for number in range(3):
        for stream in ("out", "err"):
            expected += f"{stream} {number}\n"
            until(lambda: runner("logs").out == expected, expected)  # noqa: B023 (called at once)
            background.go(f"{stream[0]}{number}")
    background.started[0].wait(30)
    assert runner("logs").out == expected


def test_following_shows_what_comes_and_ends_with_the_run(runner, background):
    process = background("job.py", script="""
for number in range(3):
    print("line", number, flush=True)
    wait(f"go{number}")
print("the end", end="")
""")
    following = start_following(background)
    for number in range(3):
        read_until(following, b"line %d\n" % number)
        background.go(f"go{number}")
    out, err = following.communicate(timeout=30)
    assert (out, err, following.returncode) == (b"the end", b"", 0)
    assert process.wait(30) == 0


def test_following_ends_with_the_last_line_that_is_wanted(runner, background):
    background("job.py", script="print('one'); print('two', flush=True); wait('go')")
    until(lambda: runner("logs").out == "one\ntwo\n", "its output")
    for count, expected in ((0, ""), (1, "one\n"), (2, "one\ntwo\n")):
        assert runner("logs", "--follow", "--head", count).out == expected


def test_the_end_of_a_run_while_its_output_is_read(runner, background):
    """What came after the journal was looked at is shown too, but no more lines than were asked for."""
    background("job.py", script="print('one'); print('two', end='', flush=True); wait('go'); print(' three')")
    until(lambda: runner("logs").out == "one\ntwo", "its output")
    code = """
import os, sys, time
from runner.engine.logs import LiveOutput
from runner.cli.main import main
read = LiveOutput.read
def read_and_let_it_end(self):
    yield from read(self)
    open("go", "w").close()
    while os.path.isdir(self.path): time.sleep(0.01)
LiveOutput.read = read_and_let_it_end
sys.argv[1:] = ["logs", "--tail", "1"]
main()
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=runner.cwd, env=runner.env, capture_output=True, timeout=30)
    assert done.stdout == b"two three\n"


def test_following_goes_on_over_attempts(runner, background):
    background("--retry", 1, "--retry-delay", "0.05", "job.py", script="""
import os
again = os.path.exists("again")
print("second" if again else "first", flush=True)
wait("go")
open("again", "w").close()
raise SystemExit(0 if again else 1)
""")
    following = start_following(background)
    read_until(following, b"first\n")
    background.go()
    out, _ = following.communicate(timeout=30)
    assert out == b"[attempt 2]\nsecond\n"
    assert following.returncode == 0
    assert runner("logs").out == "first\n[attempt 2]\nsecond\n"
    assert runner("logs", "--attempt", 1).out == "first\n"


def test_following_over_dropped_segments_says_what_is_missing(runner, background):
    """60 MB: more than a journal keeps, and written faster than a reader need be."""
    background("job.py", script="""
import sys
print("begun", flush=True)
wait("go")
for block in range(60):
    sys.stdout.write("".join(f"{block:02d} {number:06d} {'x' * 89}\\n" for number in range(10486)))
print("the end", flush=True)
wait("more")
""")
    following = start_following(background)
    drained = background.started[0]
    read_until(following, b"begun\n")
    background.go()
    # The run's own output has to be read for it to go on.
    while b"the end" not in os.read(drained.stdout.fileno(), 1 << 20):
        pass
    text = read_until(following, b"the end\n")
    background.go("more")
    assert following.wait(30) == 0
    lines = text.decode().splitlines()
    assert lines[-1] == "the end"
    whole = [line for line in lines if len(line) == 99]
    assert whole == sorted(whole)
    missing = [line for line in lines if "not kept" in line]
    assert missing or len(whole) == 60 * 10486
    kept = runner("logs").out
    assert "not kept ...]\n" in kept
    assert kept.endswith("the end\n")


def test_what_came_after_the_last_look_is_taken_from_the_record(runner, background):
    """However the end of the run and the looks at its journal fall, everything is shown, once."""
    for number in range(5):
        (runner.cwd / "go").unlink(missing_ok=True)
        process = background("job.py", script="""
print('begun', flush=True)
wait('go')
for n in range(1000): print('line', n)
""")
        following = start_following(background, "last:job.py")
        read_until(following, b"begun\n")
        background.go()
        out, _ = following.communicate(timeout=30)
        assert out.decode() == "".join(f"line {n}\n" for n in range(1000)), number
        process.communicate(timeout=30)


NASTY = (
    b"\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b[2J \x1b[8mhidden\x1b[0m \x9b5n tab\there \xff\xfe\n"
    b"10%\r20%\r\x1b[K30%\n" + "\u202egnp.exe\n".encode()
)


def test_control_characters_do_nothing(runner, terminal):
    runner.script(f"import os; os.write(1, {NASTY!r})")
    runner("script.py")
    safe = runner("logs").out
    assert safe == ("red \\x1b]0;title\\x07 \\x1b[2J hidden \ufffd5n tab\there \ufffd\ufffd\n"
                    "[redrawn 2 times] 30%\n\\u202egnp.exe\n")  # fmt: skip
    assert runner("logs", "--raw").stdout == NASTY
    assert runner("logs", "--raw", "--head", 1).stdout == NASTY.split(b"\n")[0] + b"\n"
    screen = terminal()
    screen.line("clear; " + runner.line("logs") + "; echo e''nd")
    text = screen.wait("end")
    assert "hidden" in text
    assert "title" in text
    assert "\x1b[31mred" in screen.screen(escapes=True)


def test_time_stamps(runner, background):
    background("job.py", script="print('first', flush=True); wait('go'); print('second', flush=True); wait('more')")
    until(lambda: "first" in runner("logs").out, "output")
    background.go()
    until(lambda: "second" in runner("logs").out, "output")
    live = runner("logs", "--timestamps").out
    background.go("more")
    background.started[0].wait(30)
    stored = runner("logs", "--timestamps").out
    assert live == stored
    first, second = stored.splitlines()
    assert first.endswith("  first")
    assert first[:23] < second[:23]
    lines = json.loads(runner("logs", "--format", "json").out)["lines"]
    assert lines[0]["time"][:23].replace("T", " ") == first[:23]


def test_a_run_without_output(runner):
    script = runner.script("pass")
    runner(script)
    answer = runner("logs")
    assert (answer.exit_code, answer.out) == (0, "")
    assert "no output" in answer.err
    assert json.loads(runner("logs", "--format", "json").out)["status"] == "no_data"


def test_a_run_whose_runner_was_killed(runner, background):
    process = background("job.py", script="print('begun', flush=True); wait('go')")
    until(lambda: "begun" in runner("logs").out, "output")
    process.kill()
    process.wait(30)
    answer = runner("logs")
    assert answer.out == "begun\n"
    assert "was lost" in answer.err


def test_a_growing_line_is_redrawn_on_a_terminal(runner, background, terminal):
    background("job.py", script="""
import sys
for number in range(3):
    sys.stdout.write(f"\\r{number} of 3"); sys.stdout.flush(); wait(f"go{number}")
print("\\ndone", flush=True)
""")
    screen = terminal()
    screen.line("clear; " + runner.line("logs", "--follow"))
    for number in range(3):
        until(lambda: screen.screen().count("of 3") == 1 and f"{number} of 3" in screen.screen(), f"{number}")  # noqa: B023
        background.go(f"go{number}")
    screen.wait("done")
    assert screen.screen().count("of 3") == 1


@pytest.mark.parametrize("options", [("--raw", "--format", "json"), ("--ignore-case",)])
def test_options_that_make_no_sense_together(runner, options):
    assert runner("logs", *options).exit_code == 2
