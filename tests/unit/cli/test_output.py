"""The summary says at a glance what a run was and what it cost."""

from __future__ import annotations

import io
import os

import pytest

from runner.agent.events import SAMPLE_FIELDS, Ended, Output, Sample, Started
from runner.cli.columns import columns
from runner.cli.output import Screen, fail, is_dumb, summarize, warn
from runner.engine.run_options import ShowOptions
from runner.model.fold import Fold
from runner.model.metric import MB
from runner.model.run import Run


def make_run(code=0, reason="exited", signal=None, message=None, survivors=0, attempts=1):
    run = Run("0123456789ab", "etl.py", 0)
    run.name = "etl.py"
    for number in range(1, attempts + 1):
        fold = Fold(number)
        fold.tell(Started(0.0, number * 10_000_000_000, 1, 1, "", {}, {"merged": False}))
        values = [0.0] * len(SAMPLE_FIELDS)
        values[SAMPLE_FIELDS.index("processes")] = 3
        values[SAMPLE_FIELDS.index("threads")] = 5
        values[SAMPLE_FIELDS.index("cpu_percent")] = 187.0
        fold.tell(Sample(0.1, 0.1, values))
        fold.tell(Output(0.2, "stdout", 0, b"x" * 2000, 2000, 1234))
        usage = {"user_seconds": 4.0, "system_seconds": 0.9, "max_process_bytes": 312 * MB, "read_bytes": 5 * MB}
        fold.tell(
            Ended(5.31, reason, code, signal, message, usage,
                  {"stdout": [2000, 1234], "stderr": [0, 0], "merged": False}, survivors)
        )  # fmt: skip
        run.attempts.append(fold.attempt)
    return run


class Recorded(Screen):
    def __init__(self, width=0, color=False, unicode=True):
        super().__init__(os.open(os.devnull, os.O_WRONLY), {})
        self.width, self.color, self.unicode, self.terminal = width, color, unicode, bool(width)
        self.text = ""

    def write(self, text):
        self.text += text


def summary(run, screen=None, **show):
    screen = screen or Recorded()
    summarize(screen, run, ShowOptions(**show))
    return screen.text


def test_everything_that_matters_is_in_it():
    text = summary(make_run())
    for part in ("etl.py succeeded in 5.31 s", "0123456789ab", "4.90 s", "92 %", "187 %", "312 MB", "3 processes",
                 "5 MB read", "1,234 lines"):  # fmt: skip
        assert part in text
    assert "\033" not in text
    assert "written" not in text  # nothing was: no line says so
    assert "still running" not in text


def test_a_failure_says_why():
    text = summary(make_run(code=1, message="ValueError: bad row"))
    assert "failed after 5.31 s (exit code 1)" in text
    assert "Error    ValueError: bad row\n" in text
    text = summary(make_run(code=137, reason="signaled", signal=9, message="killed by SIGKILL"))
    assert "killed by SIGKILL" in text


def test_a_long_message_is_wrapped_and_not_cut_off_by_anything_beside_it():
    screen = Recorded(60)
    message = "ValueError: " + " ".join(f"word{n}" for n in range(15))
    summarize(screen, make_run(code=1, message=message), ShowOptions())
    assert " ".join(screen.text.split()).count(message) == 1


def test_a_script_that_was_not_started_says_why():
    run = make_run(code=127, reason="failed-to-start", message="no such script: a.py, did you mean 'b.py'?")
    text = summary(run, Recorded(80))
    assert "was not started (exit code 127)" in text
    assert "no such script: a.py, did you mean 'b.py'?" in text
    assert "CPU" not in text


def test_survivors_and_retries_are_said():
    text = summary(make_run(survivors=2, attempts=3))
    assert "2 processes still running" in text
    assert "2 x after" in text


@pytest.mark.parametrize(("level", "lines"), [("DEBUG", 5), ("INFO", 5), ("WARNING", 1), ("ERROR", 0)])
def test_the_log_level_decides_how_much(level, lines):
    text = summary(make_run(), log_level=level)
    assert len(text.split("\n")) - 1 >= lines
    assert (text == "") is (lines == 0)
    if lines == 1:
        assert text.count("\n") == 1


def test_errors_only_speaks_up_when_it_failed():
    assert "exit code 3" in summary(make_run(code=3), log_level="ERROR")


def test_quiet_is_silent():
    assert summary(make_run(code=3), quiet=True) == ""


def test_a_script_that_was_not_started_is_said_even_then():
    run = make_run(code=127, reason="failed-to-start", message="no such script: a.py")
    assert summary(run, quiet=True) == "runner: error: no such script: a.py\n"


def test_figures_are_never_cut_in_the_middle():
    screen = Recorded(60)
    summarize(screen, make_run(), ShowOptions())
    lines = screen.text.split("\n")
    at = next(number for number, line in enumerate(lines) if line.startswith("  CPU"))
    assert lines[at : at + 2] == [
        "  CPU      4.90 s · user 4.00 s, system 900 ms",
        "           92 % of a core, highest 187 %",
    ]
    assert "…" not in screen.text


def test_a_very_narrow_terminal_gets_the_first_figure_of_each_row():
    screen = Recorded(10)
    summarize(screen, make_run(), ShowOptions())
    lines = screen.text.split("\n")
    assert max(map(columns, lines)) <= 10
    assert lines[lines.index("  CPU") + 1] == "    4.90 s"
    assert lines[lines.index("  Memory") + 1 :][:2] == ["    peak", "    312 MB"]
    assert "user" not in screen.text


@pytest.mark.parametrize(("term", "dumb"), [(None, True), ("", True), ("dumb", True), ("xterm", False)])
def test_what_can_do_no_more_than_print(term, dumb):
    assert is_dumb({} if term is None else {"TERM": term}) is dumb


@pytest.mark.parametrize("width", [10, 20, 40, 60, 80, 200])
def test_no_line_is_wider_than_the_terminal(width):
    screen = Recorded(width)
    run = make_run(code=1, message="ValueError: " + "long " * 50)
    summarize(screen, run, ShowOptions())
    assert max(len(line) for line in screen.text.split("\n")) <= width


@pytest.mark.parametrize("width", [20, 30, 60, 80])
def test_wide_characters_and_long_names_keep_to_the_width(width):
    for name, message in (("数据处理🎉.py", "ValueError: " + "値が不正です" * 40), ("n" * 100 + ".py", "oh")):
        screen = Recorded(width)
        run = make_run(code=1, message=message)
        run.name = name
        summarize(screen, run, ShowOptions())
        assert max(columns(line) for line in screen.text.split("\n")) <= width
        assert "failed" in screen.text


def test_the_same_failure_is_named_once_and_not_many_of_them():
    run = make_run(attempts=100)
    for attempt in run.attempts:
        attempt.error_message = "ValueError: bad row"
    assert "99 x after ValueError: bad row · " in summary(run)
    for attempt in run.attempts:
        attempt.error_message = f"exit code {attempt.number}"
    assert "99 x after exit code 1, then exit code 2, then exit code 3, then others · " in summary(run)


@pytest.mark.parametrize(
    ("environ", "unicode"),
    [({}, True), ({"LC_ALL": "C"}, False), ({"LANG": "de_DE.ISO-8859-1"}, False),
     ({"LANG": "C", "LC_ALL": "C.UTF-8"}, True)],
)
def test_the_locale_says_what_a_terminal_can_show(environ, unicode, monkeypatch):
    monkeypatch.setattr("sys.stderr", io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))
    assert Screen(2, environ).unicode is unicode


def test_warnings_and_errors_do_nothing_to_a_terminal():
    screen = Recorded()
    warn(screen, "\033[2J\n")
    fail(screen, "one \a\ntwo")
    assert screen.text == "runner: warning: ?[2J?\nrunner: error: one ?\nrunner: error: two\n"


def test_a_terminal_without_utf8_gets_ascii_only():
    text = summary(make_run(code=1, message="ValueError: übel"), Recorded(80, unicode=False))
    assert text.isascii()


def test_escape_sequences_in_a_message_are_defused():
    assert "\033" not in summary(make_run(code=1, message="ValueError: \033[2Jgone"))


def test_a_last_line_that_was_left_open_stays_whole():
    run = make_run()
    run.last.merged = True
    run.last.output["stdout"].head = b"no newline"
    screen = Recorded(80)
    summarize(screen, run, ShowOptions())
    assert screen.text.startswith("\n\n")


def test_warnings_can_be_silenced():
    screen = Recorded()
    warn(screen, "the disk is full", ShowOptions(suppress_warnings=True))
    assert screen.text == ""
    warn(screen, "the disk is full", ShowOptions())
    assert screen.text == "runner: warning: the disk is full\n"
