"""Tracebacks of Python among other output, by what Python itself writes."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import chain
from typing import TYPE_CHECKING

import pytest

from runner.analysis.fault import Fault, kind_of
from runner.analysis.log_scan import scan
from runner.analysis.traceback import last_frames
from tests import support

if TYPE_CHECKING:
    from pathlib import Path

ONE = "def first():\n    raise ValueError('one')\n\nfirst()\n"
TWO = "\n\n\n\n\n\ndef second():\n    {}['two']\n\nsecond()\n"
OWN = "class Own(Exception):\n    pass\ndef f():\n    raise Own\nf()\n"
SEGFAULT = "import ctypes, faulthandler\nfaulthandler.enable()\ndef f():\n    ctypes.string_at(0)\nf()\n"
CHILDREN = """
import multiprocessing, sys
def work(number):
    raise ValueError(f"row {number}")
if __name__ == "__main__":
    children = [multiprocessing.Process(target=work, args=(number,)) for number in range(3)]
    for child in children: child.start()
    for child in children: child.join()
    sys.exit(2)
"""
THREAD = "import threading\ndef f():\n    raise OSError('in it')\nthreading.Thread(target=f).start()\n"
GROUP = """
def f():
    raise OSError(28, "No space left on device")
errors = [ValueError("x")]
try:
    f()
except OSError as error:
    errors.append(error)
raise ExceptionGroup("several", errors)
"""


def stderr_of(folder: Path, code: str, python: str = sys.executable, **env: str) -> str:
    (folder / "x.py").write_text(code)
    done = subprocess.run([python, "x.py"], cwd=folder, capture_output=True, text=True, timeout=60,
                          env={"PATH": os.environ["PATH"], **env})  # fmt: skip
    return done.stderr


def told(text: str) -> list[tuple[str, str, str]]:
    return [(fault.type, fault.message, fault.where) for fault in scan(text).faults]


def mixed(*texts: str, every: int = 1) -> str:
    """Return lines of several texts in turns, as processes write them."""
    turns = [[text.splitlines()[at : at + every] for at in range(0, 40, every)] for text in texts]
    return "\n".join(chain.from_iterable(chain.from_iterable(zip(*turns, strict=True)))) + "\n"


@pytest.mark.parametrize("version", ["", *sorted(support.INTERPRETERS)])
def test_every_python_is_understood(tmp_path: Path, version: str) -> None:
    python = support.INTERPRETERS[version] if version else sys.executable
    assert told(stderr_of(tmp_path, ONE, python)) == [("ValueError", "one", "x.py:2, in first")]
    [(kind, message, where)] = told(stderr_of(tmp_path, OWN, python))
    assert (kind.rpartition(".")[2], message, where) == ("Own", "", "x.py:4, in f")


@pytest.mark.parametrize("version", ["", *sorted(support.INTERPRETERS)])
def test_an_error_while_compiling_is_one(tmp_path: Path, version: str) -> None:
    python = support.INTERPRETERS[version] if version else sys.executable
    text = stderr_of(tmp_path, "a = 1\nb = ]\nc = 1\n", python)
    [fault] = scan("before: 1\n" + text + "after\n").faults
    assert (fault.type, fault.where, fault.kind) == ("SyntaxError", "x.py:2", "syntax")
    assert [(frame.line, frame.text) for frame in last_frames(text)] == [(2, "b = ]")]


def test_an_error_while_compiling_that_comes_after_a_traceback_counts(tmp_path: Path) -> None:
    text = stderr_of(tmp_path, ONE) + stderr_of(tmp_path, "b = ]\n")
    assert [(frame.line, frame.text) for frame in last_frames(text)] == [(1, "b = ]")]


def test_a_line_that_looks_like_a_place_is_none_yet() -> None:
    assert told('  File "x.py", line 3\n    text\nnothing of the kind\nSyntaxError: said by a log\n') == []


@pytest.mark.parametrize("every", [1, 2, 3])
def test_of_mixed_tracebacks_both_errors_are_found_and_no_place_is_claimed(tmp_path: Path, every: int) -> None:
    text = mixed(stderr_of(tmp_path, ONE), stderr_of(tmp_path, TWO), every=every)
    found = [(fault.type, fault.place, fault.frames) for fault in scan(text).faults]
    assert found == [("ValueError", "", []), ("KeyError", "", [])]
    assert last_frames(text) == []


def test_one_after_the_other_has_its_place(tmp_path: Path) -> None:
    text = stderr_of(tmp_path, ONE) + "other output\n" + stderr_of(tmp_path, TWO)
    assert [each[2] for each in told(text)] == ["x.py:2, in first", "x.py:8, in second"]
    assert [frame.line for frame in last_frames(text)] == [10, 8]


def test_mixed_tracebacks_that_came_the_same_way_have_one_place(tmp_path: Path) -> None:
    text = stderr_of(tmp_path, ONE)
    assert told(mixed(text, text, text)) == [("ValueError", "one", "x.py:2, in first")] * 3
    assert [frame.line for frame in last_frames(mixed(text, text))] == [4, 2]


def test_processes_with_names_are_told_apart(tmp_path: Path) -> None:
    texts = [stderr_of(tmp_path, ONE), stderr_of(tmp_path, TWO)]
    named = ["".join(f"[p{at}] {line}\n" for line in text.splitlines()) for at, text in enumerate(texts)]
    assert told(mixed(*named)) == [
        ("ValueError", "one", "x.py:2, in first"), ("KeyError", "'two'", "x.py:8, in second"),
    ]  # fmt: skip


def test_one_that_was_cut_short_takes_no_place_from_the_next(tmp_path: Path) -> None:
    whole = stderr_of(tmp_path, TWO)
    gap = "\n[... 12345 bytes not kept ...]\n"
    cut = stderr_of(tmp_path, ONE).partition("ValueError")[0]
    assert told(cut + gap + whole) == [("KeyError", "'two'", "x.py:8, in second")]
    assert told(cut + "\n" + whole) == [("KeyError", "'two'", "")]


def test_what_ended_a_child_or_a_thread_is_known(tmp_path: Path) -> None:
    faults = scan(stderr_of(tmp_path, CHILDREN)).faults
    assert sorted(fault.message for fault in faults) == ["row 0", "row 1", "row 2"]
    assert all(fault.uncaught and fault.where in ("x.py:4, in work", "") for fault in faults)
    [fault] = scan(stderr_of(tmp_path, THREAD)).faults
    assert (fault.uncaught, fault.where) == (True, "x.py:3, in f")
    assert not scan("Process list:\nnone\n" + stderr_of(tmp_path, ONE)).faults[0].uncaught


@pytest.mark.skipif(sys.version_info < (3, 11), reason="exception groups")
def test_a_group_is_of_the_class_of_its_most_telling_member(tmp_path: Path) -> None:
    faults = scan(stderr_of(tmp_path, GROUP)).faults
    assert [(fault.type, fault.member) for fault in faults] == [
        ("ExceptionGroup", False), ("ValueError", True), ("OSError", True),
    ]  # fmt: skip
    assert kind_of(faults) == "disk"
    assert kind_of(faults[:2]) == "data"
    assert kind_of([*faults, Fault("python", "KeyError", "'x'", "", 99)]) == "data"


def test_the_names_that_docker_gives_make_no_members(tmp_path: Path) -> None:
    text = "".join(f"web_1  | {line}\n" for line in stderr_of(tmp_path, ONE).splitlines())
    [fault] = scan(text).faults
    assert (fault.where, fault.member) == ("x.py:2, in first", False)


@pytest.mark.parametrize("version", ["", *sorted(set(support.INTERPRETERS) - {"2.7", "pypy3"})])
def test_a_crash_that_faulthandler_saw_has_a_place(tmp_path: Path, version: str) -> None:
    python = support.INTERPRETERS[version] if version else sys.executable
    text = stderr_of(tmp_path, SEGFAULT, python)
    for each in (text, text.rstrip("\n"), text + "Segmentation fault\n"):
        [fault] = scan(each).faults
        assert (fault.text, fault.where, fault.kind) == (
            "Fatal Python error: Segmentation fault", "x.py:4, in f", "crash",
        )  # fmt: skip


def test_painted_tracebacks_are_read(tmp_path: Path) -> None:
    python = support.interpreter("3.13")
    text = stderr_of(tmp_path, ONE, python, FORCE_COLOR="1")
    assert "\033[" in text and told(text) == [("ValueError", "one", "x.py:2, in first")]
    text = stderr_of(tmp_path, "b = ]\n", python, FORCE_COLOR="1")
    assert [(fault.type, fault.where) for fault in scan(text).faults] == [("SyntaxError", "x.py:1")]


def test_levels_of_other_processes_are_no_exceptions(tmp_path: Path) -> None:
    text = stderr_of(tmp_path, ONE).replace("\nValueError", "\nINFO: still here\nWARNING: slow\nValueError")
    assert told(text) == [("ValueError", "one", "x.py:2, in first")]
    assert scan(text).levels == {"warning": 1}


def test_the_traceback_of_ruby_begins_like_one_of_python() -> None:
    text = (
        "Traceback (most recent call last):\n\t1: from app.rb:5:in `<main>'\n"
        "app.rb:2:in `f': boom (RuntimeError)\nvalue: 3\n"
    )
    assert [(fault.language, fault.text, fault.place) for fault in scan(text).faults] == [
        ("ruby", "RuntimeError: boom", "app.rb:2")
    ]
