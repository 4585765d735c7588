"""The live line says what there is room for, what matters most first."""

from __future__ import annotations

import os

import pytest

from runner.agent.events import SAMPLE_FIELDS, Sample, Started
from runner.cli.columns import columns
from runner.cli.live_figures import Figures, Trail
from runner.cli.live_line import clock, compose, rough
from runner.cli.output import Screen


class Known:
    def __init__(self, *values: float) -> None:
        self.values = list(values)

    def read(self) -> list[float]:
        return self.values


def sample(t: float, cpu_seconds: float, memory: float, processes: int = 12, chars: float = 0.0) -> Sample:
    values = dict.fromkeys(SAMPLE_FIELDS, 0.0)
    values.update(cpu_seconds=cpu_seconds, cpu_percent=50.0, memory_bytes=memory, processes=processes, read_chars=chars)
    return Sample(t, 0.1, list(values.values()))


@pytest.fixture
def figures() -> Figures:
    figures = Figures()
    figures.tell(Started(0.0, 0, 1, 1, "", {}, {}), 1)
    for number in range(1, 21):
        figures.tell(sample(number / 10, number / 10, number << 22, chars=number * 1e5), 1)
    figures.durations = Known(900, 1000, 1100, 1200, 1300)  # type: ignore[assignment]
    return figures


def screen(unicode: bool = True) -> Screen:
    made = Screen(os.open(os.devnull, os.O_WRONLY), {})
    made.unicode = unicode
    return made


def test_everything_fits_where_terminals_are_80_columns_wide(figures):
    text = compose(figures, 750, 79, screen())
    expected = " 12:30 · ≈6 min left (3-8.5 min) · CPU 100 % · 80 MB ▂▃▃▅▅▆▇█ · 12 processes"
    assert text == expected.replace("-", "\N{EN DASH}")


def test_what_does_not_fit_gives_way(figures):
    figures.tell(Started(0.0, 0, 1, 1, "", {}, {}), 2)
    figures.tell(sample(0.1, 0.1, 1 << 26), 2)
    before = None
    for width in range(120, 4, -1):
        text = compose(figures, 750, width, screen())
        assert columns(text) <= width
        assert text.startswith(" 12:30"[:width])
        assert before is None or len(text) <= len(before)
        before = text
    assert "attempt 2" in compose(figures, 750, 100, screen())
    assert compose(figures, 750, 18, screen()) == " 12:30 · CPU 50 %"
    assert compose(figures, 750, 9, screen()) == " 12:30"


def test_ascii(figures):
    text = compose(figures, 750, 100, screen(unicode=False))
    assert text.isascii()
    assert "about 6 min left (3-8.5 min), CPU 100 %" in text


def test_nothing_is_said_of_what_is_not_known():
    assert compose(Figures(), 3, 79, screen()) == " 0:03"


def test_what_came_up_meanwhile_stands_before_the_figures(figures):
    figures.notice = "alert: long"
    assert compose(figures, 750, 79, screen()).startswith(" 12:30 · alert: long · ")
    assert compose(figures, 750, 12, screen()) == " 12:30"


def test_no_estimate_beyond_what_is_known(figures):
    assert "left" not in compose(figures, 1250, 79, screen())


@pytest.mark.parametrize(
    ("seconds", "text"), [(7.9, "0:07"), (750, "12:30"), (3723, "1:02:03"), (172_800 + 4 * 3600 + 300, "2 d 04:05")]
)
def test_clock(seconds, text):
    assert clock(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (8.4, "8 s"), (52, "50 s"), (59, "1 min"), (150, "2.5 min"), (750, "12 min"), (3500, "1 h"),
     (5400, "1.5 h"), (100_000, "28 h"), (260_000, "3 d")],
)  # fmt: skip
def test_rough(seconds, text):
    assert " ".join(rough(seconds)) == text


def test_cpu_is_that_of_the_last_second(figures):
    assert figures.cpu == pytest.approx(100)
    for number in range(21, 41):
        figures.tell(sample(number / 10, 2.0, 1 << 20), 1)
    assert figures.cpu == pytest.approx(0)


def test_io_is_a_rate(figures):
    assert figures.io_trail.values == pytest.approx([1e6] * 19)


def test_a_trail_keeps_the_highest_in_a_bounded_number_of_places():
    trail = Trail(8)
    for number in range(1000):
        trail.add(float(number), 100.0 if number == 500 else 1.0)
    assert len(trail.values) <= 8
    assert max(trail.values) == 100.0
    assert trail.ends == sorted(trail.ends)
    assert trail.ends[-1] == 999.0
