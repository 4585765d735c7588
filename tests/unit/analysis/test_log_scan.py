from __future__ import annotations

import textwrap
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.analysis.log_scan import scan


def faults(text: str) -> list[tuple[str, str, str, str]]:
    found = scan(textwrap.dedent(text).strip("\n")).faults
    return [(fault.language, fault.type, fault.message, fault.place) for fault in found]


def raised(number: int) -> str:
    try:
        raise ValueError(f"bad {number}")
    except ValueError:
        return traceback.format_exc()


def test_a_traceback_is_found() -> None:
    [(language, kind, message, place)] = faults("before\n" + raised(1) + "after\n")
    assert (language, kind, message) == ("python", "ValueError", "bad 1")
    assert place.startswith(__file__)


def test_chains_are_told_apart() -> None:
    def chain() -> str:
        try:
            try:
                {}["a"]
            except KeyError as error:
                raise RuntimeError("outer") from error
        except RuntimeError:
            return traceback.format_exc()

    found = scan(chain()).faults
    assert [(fault.type, fault.chained) for fault in found] == [("KeyError", False), ("RuntimeError", True)]


def test_groups_are_looked_into() -> None:
    def group() -> str:
        try:
            raise ExceptionGroup("several", [ValueError("one"), OSError("two")])
        except ExceptionGroup:
            return traceback.format_exc()

    found = [(fault.type, fault.message) for fault in scan(group()).faults]
    assert found == [("ExceptionGroup", "several (2 sub-exceptions)"), ("ValueError", "one"), ("OSError", "two")]


def test_processes_may_talk_at_once() -> None:
    one, two = raised(1).splitlines(), raised(2).splitlines()
    mixed = []
    for left, right in zip(one, two, strict=True):
        mixed += [f"[p1] {left}", f"[p2] {right}"]
    assert [fault.message for fault in scan("\n".join(mixed)).faults] == ["bad 1"] or [
        fault.message for fault in scan("\n".join(mixed)).faults
    ] == ["bad 1", "bad 2"]
    interrupted = raised(1).replace("ValueError: bad", "worker 7 is alive and well\nValueError: bad")
    assert faults(interrupted)[0][1:3] == ("ValueError", "bad 1")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('Exception in thread "main" java.lang.IllegalStateException: no config\n\tat com.x.Main.run(Main.java:12)',
         ("java", "java.lang.IllegalStateException", "no config", "Main.java:12")),
        ("TypeError: x is not a function\n    at main (/srv/app.js:3:5)\n    at node:internal",
         ("node", "TypeError", "x is not a function", "/srv/app.js:3:5")),
        ("panic: runtime error: index out of range [5]\n\ngoroutine 1 [running]:\nmain.main()\n\t/srv/x.go:8 +0x1d",
         ("go", "panic", "runtime error: index out of range [5]", "/srv/x.go:8")),
        ("thread 'main' panicked at src/main.rs:2:5:\nindex out of bounds",
         ("rust", "panic", "index out of bounds", "src/main.rs:2:5")),
        ("app.rb:3:in 'main': undefined local variable (NameError)",
         ("ruby", "NameError", "undefined local variable", "app.rb:3")),
        ("./job.sh: line 12: foo: command not found", ("shell", "", "foo: command not found", "./job.sh:12")),
    ],
)  # fmt: skip
def test_other_languages_are_understood_roughly(text: str, expected: tuple[str, str, str, str]) -> None:
    assert scan(text).faults and faults(text)[0] == expected


def test_levels_and_warnings_are_counted() -> None:
    found = scan(
        "2026-01-31 12:00:00,1 WARNING disk\n[ERROR] x\n12:00 | CRITICAL | y\n"
        "no error here\nINFO an Error was avoided\n"
        '{"level": "warn", "msg": "z"}\n'
        "/x.py:3: DeprecationWarning: old way\n  old()\n/x.py:3: DeprecationWarning: old way\n"
    )
    assert found.levels == {"warning": 2, "error": 1, "critical": 1}
    assert found.warnings == [("DeprecationWarning", "old way")]


@given(st.text(max_size=300))
def test_nothing_upsets_it(text: str) -> None:
    scan("Traceback (most recent call last):\n" + text)
    scan(text + "\n\tat x")
