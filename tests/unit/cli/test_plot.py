"""What is drawn in a terminal."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.cli.columns import columns
from runner.cli.output import Screen
from runner.cli.plot import bar, draw, sparkline
from runner.cli.plot_canvas import Canvas
from runner.model.chart import BARS, INDEX, LINE, POINTS, SECONDS, TIME, Chart, Panel, Series


def screen(unicode: bool = True, color: bool = False) -> Screen:
    result = Screen(1, {})
    result.unicode, result.color, result.width = unicode, color, 80
    return result


def chart(*series: Series, unit: str = "MB", x: str = SECONDS, **more: object) -> Chart:
    return Chart("Title", x, [Panel("Memory", unit, series, **more)], note="a note")  # type: ignore[arg-type]


RAMP = Series("ramp", [0.0, 1.0, 2.0, 3.0], [0.0, 10.0, 20.0, 30.0])


def test_a_line_rises_from_the_lower_left_to_the_upper_right() -> None:
    lines = draw(chart(RAMP), 40, 12, screen())
    assert lines[0] == "Title" and lines[-1] == "a note"
    assert lines[1].startswith("Memory") and lines[1].endswith("min 0 B  mean 20 MB  max 30 MB")
    plot = [line[8:] for line in lines[2:-3]]
    firsts = [len(line) - len(line.lstrip()) for line in plot]
    assert firsts == sorted(firsts, reverse=True)
    assert lines[-3].count("┬") == 2 and lines[-2].split() == ["0", "s", "2", "s"]


@pytest.mark.parametrize(("unicode", "color"), [(True, True), (True, False), (False, False)])
def test_all_lines_have_signs_of_their_own(unicode: bool, color: bool) -> None:
    lines = [Series(f"line {number}", [0.0, 1.0], [1.0, float(number)]) for number in range(8)]
    heads = draw(chart(*lines), 60, 30, screen(unicode, color))[2:10]
    assert len({head.partition(" ")[0] for head in heads}) == 8


def test_ascii_alone_draws_it_too() -> None:
    text = "\n".join(draw(chart(RAMP, Series("é", [0.0, 3.0], [30.0, 0.0])), 60, 14, screen(unicode=False)))
    assert text.isascii()
    assert "+" in text and "'" in text


@settings(deadline=None)
@given(
    st.lists(st.none() | st.floats(-1e9, 1e12), max_size=40), st.integers(1, 130), st.integers(1, 40),
    st.sampled_from((LINE, BARS, POINTS)), st.sampled_from((SECONDS, INDEX, TIME)), st.booleans(),
)  # fmt: skip
def test_no_chart_is_larger_than_it_may_be(
    ys: list[float | None], width: int, height: int, style: str, x: str, unicode: bool
) -> None:
    xs = [at * (1e15 if x == TIME else 0.5) for at in range(len(ys))]
    band = [None if y is None else y + 1 for y in ys]
    marks = [at for at, y in enumerate(ys) if y is not None][:1]
    series = [Series("日本語", xs, ys, ys, band, style, marks), Series("b", xs, ys)]
    lines = draw(chart(*series, x=x, limits=[("limit", 5.0)]), width, height, screen(unicode))
    assert max(map(columns, lines)) <= max(20, width)
    # Two rows of curves and what says what they are is the least.
    assert len(lines) <= max(height, 2 + 1 + 2 + 1 + 1 + 2)


def test_a_gap_stays_empty() -> None:
    series = Series("s", [0.0, 1.0, 2.0, 3.0, 4.0], [1.0, 1.0, None, 1.0, 1.0])
    [drawn] = [line for line in draw(chart(series), 60, 8, screen()) if "⠉" in line or "⠒" in line or "⠤" in line]
    assert re.search(r"\S +\S", drawn.split("┤")[-1].split("│")[-1])


def test_what_no_color_tells_apart_patterns_do() -> None:
    flat = [Series(name, [0.0, 9.0], [value, value]) for name, value in (("a", 10.0), ("b", 30.0))]
    lines = draw(chart(*flat), 60, 14, screen())
    dots = [sum(character > "\u2800" for character in line) for line in lines]
    assert sorted(dots)[-2] < max(dots), "one is solid, the other is not"
    assert "━ a" in "\n".join(lines) and "╍ b" in "\n".join(lines)
    assert "\033" not in "".join(lines)
    assert "\033[33m" in "".join(draw(chart(*flat), 60, 14, screen(color=True)))


def test_marks_and_limits_show() -> None:
    series = Series("s", [0.0, 1.0, 2.0], [1.0, 9.0, 1.0], marks=[1])
    text = "\n".join(draw(chart(series, limits=[("most", 5.0)]), 60, 14, screen()))
    assert "◆" in text and "╌╌" in text and "most" in text


def test_bars_are_as_high_as_their_values() -> None:
    lines = draw(chart(Series("s", [1.0, 2.0], [4.0, 2.0], style=BARS), unit="count", x=INDEX), 42, 14, screen())
    left = [line for line in lines if re.search(r"[┤│] +█", line)]
    right = [line for line in lines if re.search(r"█ +█+$", line)]
    assert len(left) >= 2 * len(right) - 1 > 0


def test_nothing_to_draw_is_said() -> None:
    assert "no values" in "\n".join(draw(chart(Series("s", [], [])), 40, 10, screen()))
    assert draw(Chart("t", SECONDS, [], "n"), 40, 10, screen()) == ["t", "n"]


def test_a_title_can_do_nothing_to_the_terminal() -> None:
    made = Chart("a\033[2Jb\n", SECONDS, [Panel("p\r", "MB", [Series("s\x07", [0.0], [1.0]), RAMP])], "\033c")
    assert all(line.isprintable() for line in draw(made, 60, 12, screen()))


def test_many_points_are_quick() -> None:
    xs = [float(at) for at in range(5000)]
    made = chart(Series("s", xs, [x % 97 for x in xs], [0.0] * 5000, xs))
    begin = time.process_time()
    for _ in range(3):
        draw(made, 200, 40, screen())
    assert time.process_time() - begin < 3, "measured: 0.05 s each"


def test_a_sparkline_has_a_bar_for_each_value() -> None:
    assert sparkline([0, 1, 2, None, 7], 10, screen()) == "▁▂▃ █"
    assert sparkline([0, 1, 2, None, 7], 10, screen(unicode=False)) == "_.- @"
    assert sparkline([0] * 100 + [5], 4, screen()) == "▁▁▁█", "the highest shows"
    assert sparkline([], 10, screen()) == ""
    assert sparkline([0, 0], 0, screen()) == ""
    assert sparkline([0, 0], 5, screen()) == "▁▁"
    assert sparkline([None, None], 5, screen()) == "  "


@pytest.mark.parametrize(
    ("value", "drawn"),
    [(0, "    "), (None, "    "), (0.01, "▏   "), (5, "██  "), (4.4, "█▊  "), (10, "████"), (99, "████"), (-3, "    ")],
)
def test_a_bar_is_as_long_as_its_value(value: float | None, drawn: str) -> None:
    assert bar(value, 10, 4, screen()) == drawn
    assert len(bar(value, 10, 4, screen(unicode=False))) == 4
    assert bar(1, 0, 4, screen()) == "    "


def test_a_canvas_draws_nothing_outside() -> None:
    canvas = Canvas(2, 1, True)
    for x, y in ((-1, 0), (4, 0), (0, 4), (0, -1)):
        canvas.dot(x, y, 0)
    canvas.bar(9, 0, 1, 0)
    canvas.put(2, 0, "x", 0)
    assert canvas.row(0) == [("  ", None)]
    canvas.dot(0, 0, 3)
    assert canvas.row(0) == [("⡀", 3), (" ", None)]
