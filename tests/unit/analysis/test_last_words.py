"""What a program said last of why it failed."""

from __future__ import annotations

import subprocess
import sys
import traceback

import pytest

from runner.analysis.last_words import kind_of_group, words_of_crash, words_of_exit

LONG = 64 << 10
NODE = "/srv/a.js:1\nthrow new Error('boom')\n^\n\nError: boom\n    at main (/srv/a.js:1:7)\n\nNode.js v20.20.2\n"


def said(text: str, code: int = 1, mixed: bool = False) -> str:
    words = words_of_exit(text, code, mixed)
    return "" if words is None else words.text


def handled() -> str:
    try:
        {}["x"]
    except KeyError:
        return traceback.format_exc()
    return ""


def stderr_of(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60).stderr


@pytest.mark.parametrize("mixed", [False, True])
def test_what_an_exit_was_given_is_told(mixed: bool) -> None:
    assert said(stderr_of("import sys; sys.exit('config file missing: /x.ini')"), 1, mixed) == (
        "config file missing: /x.ini"
    )
    usage = "import argparse; p = argparse.ArgumentParser(prog='x'); p.add_argument('a'); p.parse_args([])"
    assert said(stderr_of(usage), 2, mixed) == "x: error: the following arguments are required: a"


def test_a_line_that_does_not_speak_of_a_failure_is_told_as_what_it_is() -> None:
    assert said("nothing to do today\n") == "last line: nothing to do today"
    assert said("nothing to do today\n", mixed=True) == ""
    assert said("nothing to do today\n", code=3) == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("\n}\n---\n", ""),
        ("ERROR: no distribution\n\n[notice] To update, run: pip\n", "ERROR: no distribution"),
        ("can't go on\nINFO: bye\nDebug: gone\n", "can't go on"),
        ("can't go on\n 40%|####      | 2/5 [00:01<00:02]\r100%|##########| 5/5\n", "can't go on"),
        ("loading\r\033[31mfailed to load\033[0m\r\n", "failed to load"),
        ("grep: /none: No such file or directory\n", "grep: /none: No such file or directory"),
        ("make: *** [Makefile:2: all] Error 1\n", "make: *** [Makefile:2: all] Error 1"),
    ],
)
def test_lines_that_say_nothing_are_passed_over(text: str, expected: str) -> None:
    assert said(text, code=2) == expected


def test_an_error_of_another_language_comes_first() -> None:
    assert said(NODE) == "Error: boom"
    assert said(NODE + "failed to build\n") == "Error: boom"
    words = words_of_exit(NODE, 1, False)
    assert words is not None and (words.kind, words.place) == ("other", "a.js:1:7")


def test_a_script_may_go_on_behind_what_a_shell_or_perl_said() -> None:
    text = "x.sh: line 3: foo: command not found\n"
    assert said(text, 127) == "foo: command not found"
    assert said(text + "curl: (6) Could not resolve host: x\n", 6) == "curl: (6) Could not resolve host: x"
    assert said(text + "more output\n", 3) == "foo: command not found"
    assert said("careful at x.pl line 1.\nboom at x.pl line 2.\n", 255) == "boom"


def test_a_traceback_before_another_exit_is_history() -> None:
    assert said(handled(), code=3) == ""
    assert said("can't go on\n" + handled(), code=3) == ""
    assert said(handled() + "giving up\n", code=3) == "giving up"
    assert said("Process Process-1:\n" + handled(), code=3) == "KeyError: 'x'"


@pytest.mark.parametrize(
    ("text", "code", "expected"),
    [
        ("connection refused, trying again\nKilled\n", 137, ("Killed", "killed")),
        ("x.sh: line 2: 4711 Killed                  ./a\n", 137, ("4711 Killed                  ./a", "killed")),
        ("Segmentation fault\n", 139, ("Segmentation fault", "crash")),
        ("terminate called after throwing an instance of 'X'\nAborted\n", 134, ("X", "crash")),
        ("FATAL ERROR: JavaScript heap out of memory\n", 134,
         ("FATAL ERROR: JavaScript heap out of memory", "memory")),
        ("connection refused, trying again\n", 137, None),
        ("a.B: java.lang.IllegalStateException\njava.lang.IllegalStateException: x\n\tat a.B(B.java:1)\n", 143, None),
        ("", 143, None),
    ],
)  # fmt: skip
def test_where_a_shell_tells_of_a_signal_that_is_the_reason(
    text: str, code: int, expected: tuple[str, str] | None
) -> None:
    words = words_of_exit(text, code, False)
    assert (None if words is None else (words.text, words.kind)) == expected


def test_of_a_crash_only_what_gave_up_is_told() -> None:
    assert words_of_crash(handled() + "x.sh: line 3: foo: command not found\n") is None
    words = words_of_crash("thread 'main' panicked at src/main.rs:2:5:\nboom\n")
    assert words is not None and (words.text, words.kind, words.place) == ("panic: boom", "crash", "main.rs:2:5")


def test_a_group_without_a_traceback_is_of_no_class() -> None:
    assert kind_of_group("nothing") == "other"


@pytest.mark.parametrize(
    "piece",
    ["x", ": ", " at ", " line ", "a:1:in '': (", "Warning: ", "\033[1;", "\r", "Traceback (most recent call last)",
     'File "', "' failed: Assertion `", "| "],
)  # fmt: skip
def test_no_line_takes_long(piece: str) -> None:
    import time

    line = piece * (LONG // len(piece))
    begun = time.process_time()
    for text in (f"{line}\n" * 40, f"panic: {line}\n" * 40, f"thread '{line} panicked at {line}\n" * 40):
        words_of_exit(text, 1, False)
        words_of_crash(text)
    assert time.process_time() - begun < 2, "seconds"


def test_many_tracebacks_that_never_end_take_no_long_time() -> None:
    import time

    from runner.analysis.log_scan import scan

    begun = time.process_time()
    scan("Traceback (most recent call last):\n" * 50_000)
    scan("".join(f"[p{number}] Traceback (most recent call last):\n" for number in range(50_000)))
    assert time.process_time() - begun < 5, "seconds"
