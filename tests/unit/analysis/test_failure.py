"""What ended an attempt, read from its end and its output."""

from __future__ import annotations

import subprocess
import sys

import pytest

from runner.agent import events
from runner.analysis.failure import explain, last_exception, signal_name, without_colors

TRACEBACK = "Traceback (most recent call last):\nValueError: x\n"


def stderr_of(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stderr


@pytest.mark.parametrize(
    ("code", "error_type", "message"),
    [
        ("1/0", "ZeroDivisionError", "ZeroDivisionError: division by zero"),
        ("raise KeyError('x')", "KeyError", "KeyError: 'x'"),
        ("raise SystemError", "SystemError", "SystemError"),
        ("import json; json.loads('{')", "json.decoder.JSONDecodeError", None),
        ("try:\n 1/0\nexcept ArithmeticError as e:\n raise ValueError('outer') from e", "ValueError", None),
        ("raise ExceptionGroup('many', [ValueError('a'), TypeError('b')])", "ExceptionGroup", None),
        ("def f(:", "SyntaxError", None),
        ("raise ValueError('first\\nsecond')", "ValueError", "ValueError: first"),
    ],
)
def test_the_last_traceback_of_a_real_interpreter(code, error_type, message):
    found = last_exception(stderr_of(code))
    assert found is not None
    assert found[0] == error_type
    assert message is None or found[1] == message


def test_output_after_the_traceback_does_not_hide_it():
    text = stderr_of("import atexit, sys; atexit.register(lambda: sys.stderr.write('bye\\n')); 1/0")
    assert last_exception(text) == ("ZeroDivisionError", "ZeroDivisionError: division by zero")


def test_a_traceback_that_python_paints_on_a_terminal_is_read_too():
    text = (
        "Traceback (most recent call last):\n"
        '  File \033[35m"x.py"\033[0m, line \033[35m2\033[0m, in \033[35mf\033[0m\n'
        "    return \033[31m1\033[0m\033[1;31m/\033[0m\033[31mx\033[0m\n"
        "\033[1;35mZeroDivisionError\033[0m: \033[35mdivision by zero\033[0m\n"
    )
    assert last_exception(text) == ("ZeroDivisionError", "ZeroDivisionError: division by zero")
    assert without_colors("\033[2Ka\033[1;31mb\033[mc\033[") == "\033[2Kabc\033["


def test_a_log_line_between_its_lines_is_not_the_exception():
    assert last_exception(TRACEBACK.replace("ValueError", "INFO: still here\nValueError")) == (
        "ValueError", "ValueError: x",
    )  # fmt: skip


@pytest.mark.parametrize("text", ["", "ValueError: said by a log line\n", "Traceback (most recent call last):\n  File"])
def test_no_traceback_no_exception(text):
    assert last_exception(text) is None


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        ((events.EXITED, 0, None, None, TRACEBACK), (None, None)),
        ((events.EXITED, 1, None, None, TRACEBACK), ("ValueError", "ValueError: x")),
        ((events.EXITED, 3, None, None, TRACEBACK), ("exit:3", "exit code 3")),
        ((events.EXITED, 1, None, None, None), ("exit:1", "exit code 1")),
        ((events.EXITED, 1, None, None, "config missing: x.ini\n"), ("exit:1", "config missing: x.ini")),
        ((events.EXITED, 3, None, None, f"Process Process-1:\n{TRACEBACK}"), ("exit:3", "ValueError: x")),
        ((events.EXITED, 1, None, None, "done 3 of 7\n", True), ("exit:1", "exit code 1")),
        ((events.SIGNALED, 134, 6, None, "terminate called after throwing an instance of 'std::bad_alloc'\n"),
         ("signal:6", "killed by SIGABRT: std::bad_alloc")),
        ((events.SIGNALED, 137, 9, None, "panic: x\n\ngoroutine 1 [running]:\n"), ("signal:9", "killed by SIGKILL")),
        ((events.SIGNALED, 139, 11, None, ""), ("signal:11", "killed by SIGSEGV")),
        ((events.TIMEOUT, 124, 15, "timeout after 5 s", ""), ("timeout", "timeout after 5 s")),
        ((events.CANCELLED, 130, 2, None, ""), ("signal:2", "cancelled by SIGINT")),
    ],
)  # fmt: skip
def test_every_end_has_a_type_and_a_message(end, expected):
    assert explain(*end) == expected


def test_names_of_signals():
    names = ["SIGHUP", "SIGABRT", "SIGKILL", "SIGTERM", "SIGCHLD", "SIGIO", "signal 40"]
    assert [signal_name(n) for n in (1, 6, 9, 15, 17, 29, 40)] == names
