"""Where an exception came from, by what Python itself writes."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from runner.analysis.traceback import last_frames, place_of, source_around
from tests import support

if TYPE_CHECKING:
    from pathlib import Path

CHAIN = """
import json
def parse(text):
    return json.loads(text)
def main():
    try:
        1 / 0
    except ZeroDivisionError:
        parse("nothing")
main()
"""


def stderr_of(folder: Path, code: str, python: str = sys.executable) -> str:
    (folder / "x.py").write_text(code)
    done = subprocess.run([python, "x.py"], cwd=folder, capture_output=True, text=True, timeout=60,
                          env={"PATH": os.environ["PATH"]})  # fmt: skip
    assert done.returncode == 1, done
    return done.stderr


@pytest.mark.parametrize("version", ["", *sorted(set(support.AGENT_INTERPRETERS) - {"pypy3"})])
def test_the_place_is_the_innermost_line_of_the_users_own_code(tmp_path: Path, version: str) -> None:
    python = support.AGENT_INTERPRETERS[version] if version else sys.executable
    frames = last_frames(stderr_of(tmp_path, CHAIN, python))
    place = place_of(frames)
    assert place is not None
    assert (os.path.basename(place.file), place.line, place.function) == ("x.py", 4, "parse")
    assert place.text == "return json.loads(text)"
    assert frames[0].function == "<module>"
    assert frames[-1].file.endswith("json/decoder.py"), "the exception itself was raised further in"


def test_an_error_while_compiling_has_a_place(tmp_path: Path) -> None:
    [frame] = last_frames(stderr_of(tmp_path, "a = 1\nb = (\n"))
    assert (os.path.basename(frame.file), frame.line, frame.function, frame.text) == ("x.py", 2, "", "b = (")


@pytest.mark.skipif(sys.version_info < (3, 11), reason="exception groups")
def test_of_a_group_the_outermost_counts(tmp_path: Path) -> None:
    code = "def f():\n    raise ValueError\ntry:\n    f()\nexcept Exception as e:\n    raise ExceptionGroup('g', [e])\n"
    frames = last_frames(stderr_of(tmp_path, code))
    assert [(frame.line, frame.text) for frame in frames] == [(6, "raise ExceptionGroup('g', [e])")]


def test_colors_and_line_ends_of_a_terminal_are_no_hindrance() -> None:
    text = (
        "Traceback (most recent call last):\r\n"
        '  File \033[35m"/srv/x.py"\033[0m, line \033[35m2\033[0m, in \033[35mf\033[0m\r\n'
        "    return \033[31m1\033[0m\033[1;31m/\033[0m\033[31mx\033[0m\r\n"
        "           \033[31m~\033[0m\033[1;31m^\033[0m\033[31m~\033[0m\r\n"
        "\033[1;35mZeroDivisionError\033[0m: \033[35mdivision by zero\033[0m\r\n"
    )
    [frame] = last_frames(text)
    assert (frame.file, frame.line, frame.function, frame.text) == ("/srv/x.py", 2, "f", "return 1/x")


@pytest.mark.parametrize(
    "text",
    [
        "", "no traceback", "Traceback (most recent call last):\n", 'Traceback (most recent call last):\n  File "x',
        'Traceback (most recent call last):\n  File "x.py", line two, in f\nE: x\n',
    ],
)  # fmt: skip
def test_what_is_no_traceback_has_no_place(text: str) -> None:
    assert last_frames(text) == []
    assert place_of([]) is None


def test_only_files_that_end_are_read(tmp_path: Path) -> None:
    path = tmp_path / "x.py"
    path.write_text("1\n2\n3\n4\n5\n")
    assert source_around(str(path), 1) == [(1, "1"), (2, "2"), (3, "3")]
    assert source_around(str(path), 4, more=1) == [(3, "3"), (4, "4"), (5, "5")]
    assert source_around(str(path), 9) == []
    os.mkfifo(tmp_path / "pipe")
    for name in (tmp_path / "pipe", tmp_path, tmp_path / "gone", "/dev/zero", "a\0b"):
        assert source_around(str(name), 1) == []
