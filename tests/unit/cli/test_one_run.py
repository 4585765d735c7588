"""How one run is shown to a person."""

from __future__ import annotations

import json
import math
from io import StringIO
from typing import TYPE_CHECKING

import pytest

from runner.agent.events import EXITED, dumps, loads
from runner.analysis.recurrence import Recurrence
from runner.analysis.traceback import Frame
from runner.cli import one_run
from runner.cli.columns import columns
from runner.cli.figures import figure_lines
from runner.cli.output import Screen
from runner.cli.tables import write_json
from runner.engine.one_run import Place
from runner.model import metrics as m
from runner.model.groups import GROUPS
from runner.model.metric import BOUND, CEILING
from runner.model.run import Tail
from tests.unit.stores.made import START, attempt_of, run_of

if TYPE_CHECKING:
    from runner.model.run import Run


def screen(width: int, unicode: bool = True) -> Screen:
    result = Screen(1, {})
    result.width, result.unicode, result.color, result.terminal = width, unicode, False, width > 0
    return result


def evil(attempts: int = 3) -> Run:
    run = run_of(1, args=["\033[2J", "日本語" * 9, "--x=\udcff"], tags={"a\n": "\033c"}, line=["x.py", "\033[1A"])
    run.called_in, run.load, run.input_bytes, run.extra = "/elsewhere", 1.5, 1 << 20, {"loss\r": 0.25, "n": 1e9}
    run.attempts = [attempt_of(run, number) for number in range(1, attempts + 1)]
    for attempt in run.attempts:
        attempt.reason, attempt.exit_code, attempt.delay = EXITED, 1, 2.5
        attempt.error_type, attempt.error_message = "KeyError", "KeyError: '\033[31m'"
        text = b"one\r\n\x1b[2Jtwo\tx\x07\xff\n" + "日本".encode() * 60 + b"\nlast"
        attempt.output = {"stdout": Tail(text, b"", len(text), 3), "stderr": Tail(b"err\n", b"", 4, 1)}
    return run


def whole(run: Run, shown: Screen) -> list[str]:
    place = Place(Frame("/srv/app/x.py", 7, "f"), Frame("/usr/lib/python3/z.py", 3, "g"), "/srv/app/x.py")
    place.source = [(6, "\tdef f():\033[2J"), (7, "\t\traise KeyError" + "x" * 200)]
    return [
        *one_run.failure(shown, run, place, Recurrence(3, START, START, 12)), *one_run.facts(shown, run),
        *one_run.attempts(shown, run), *one_run.figures(shown, run, run.attempts),
        *one_run.curves(shown, run, run.last), *one_run.output(shown, run.last, 20),
    ]  # fmt: skip


@pytest.mark.parametrize("unicode", [True, False])
@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
def test_it_fits_the_screen_and_does_nothing_to_it(width: int, unicode: bool) -> None:
    lines = whole(evil(), screen(width, unicode))
    assert all(line.isprintable() for line in lines)
    assert all(columns(line) <= width for line in lines), max(lines, key=columns)
    assert unicode or all(line.isascii() for line in lines)
    text = "\n".join(lines)
    for part in ("Called in", "attempt 3", "3 times in 12 earlier runs", "x.py:7, in f", "Curves of attempt 3", "last"):
        assert part in text


def test_a_very_narrow_screen_gets_something_too() -> None:
    lines = whole(evil(), screen(20))
    assert all(line.isprintable() for line in lines) and "Error" in "\n".join(lines)


def test_every_metric_is_in_one_group() -> None:
    grouped = [metric for _, group in GROUPS for metric in group]
    assert sorted(metric.name for metric in grouped) == sorted(m.BY_NAME)


def test_figures_say_how_they_are_known() -> None:
    run = evil(1)
    run.last.kinds[m.CPU_TIME.name], run.last.kinds[m.MEMORY_MAX.name] = BOUND, CEILING
    text = "\n".join(figure_lines(screen(80), run.attempts, {}, 80))
    assert "≥ " in text and "≤ " in text and "~ sampled   ≥ at least   ≤ at most" in text
    plain = "\n".join(figure_lines(screen(80, unicode=False), run.attempts, {"loss": 0.25}, 80))
    assert ">= " in plain and "<= at most" in plain and "0.25" in plain
    assert "attempt" not in text, "there was only one"


def test_two_columns_of_figures_where_there_is_room() -> None:
    run = evil(1)
    narrow, wide = (figure_lines(screen(width), run.attempts, {}, width) for width in (70, 120))
    assert len(wide) < 0.7 * len(narrow)
    for metric in m.METRICS:
        assert sum(metric.name in line for line in wide) == sum(metric.name in line for line in narrow)


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (Recurrence(0, None, None, 0), "this is the first run of the script"),
        (Recurrence(0, None, None, 5), "never in 5 earlier runs"),
        (Recurrence(1, START, START, 1), "once in 1 earlier run, on 2026-01-31"),
        (Recurrence(1200, START, START + 10**15, 5000), "1,200 times in 5,000 earlier runs, first on 2026-01-31"),
        (Recurrence(12, START, START, 10_000), "12 times in the last 10,000 runs, first on 2026-01-31"),
    ],
)
def test_how_often_it_came_before(before: Recurrence, said: str) -> None:
    assert said in "\n".join(one_run.failure(screen(0), evil(), None, before))


def test_a_success_has_no_failure() -> None:
    run = run_of(1)
    run.attempts = [attempt_of(run)]
    run.last.reason, run.last.exit_code = EXITED, 0
    assert one_run.failure(screen(80), run, None, None) == []
    assert one_run.attempts(screen(80), run) == []


def test_the_tail_of_the_output_is_as_long_as_asked_for() -> None:
    run = evil(1)
    shown = one_run.output(screen(0), run.last, 1)
    assert [line for line in shown if line] == ["Output on stdout  3 lines, 382 B, the last 1", "  last",
                                                "Output on stderr  1 line, 4 B", "  err"]  # fmt: skip
    assert one_run.output(screen(0), run.last, 0) == []


VALUES = [
    {}, [], {"a": [1, 2.5, None, True, {"b": {}}, []], "c": "é\u2028\ud800\x00"}, [[], [[1]], (), (1, 2)],
    {1: 2, None: 3, False: 4, 1.5: 1}, "s", 1e300, -0.0, math.inf,
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=str)
def test_json_is_written_and_read_as_the_standard_library_does(value: object) -> None:
    out = StringIO()
    write_json(out, value)
    assert out.getvalue() == json.dumps(value, indent=2) + "\n"
    assert loads(dumps(value)) == json.loads(json.dumps(value))
    assert loads(f" {dumps(value)}\n".encode()) == json.loads(json.dumps(value))


@pytest.mark.parametrize("text", ["", "{", "[1,]", "1 2", "nul", '{"a" 1}', '"\x01"', "{1:2}"])
def test_what_is_no_json_is_an_error(text: str) -> None:
    with pytest.raises(ValueError):
        loads(text)
