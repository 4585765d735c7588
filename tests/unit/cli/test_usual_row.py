from __future__ import annotations

import pytest

from runner.analysis.usual import place
from runner.cli.output import summarize
from runner.cli.usual_row import distance, rank_text, span, usual_rows
from runner.engine.run_options import ShowOptions
from runner.model import metrics as m
from runner.model.metric import Metric
from runner.model.run import Run
from runner.model.usual import Cause, Comparison
from tests.unit.cli.test_output import Recorded, make_run

WALL = [5.0 + 0.01 * number for number in range(20)]
CPU = [4.5 + 0.01 * number for number in range(20)]
MEMORY = [312.0] * 20


def compared(wall: float = 5.31, causes: tuple[Cause, ...] = (), count: int = 20, code: int = 0) -> Run:
    run: Run = make_run(code=code)
    run.usual = Comparison(
        {
            m.EXECUTION_TIME.name: place(wall, WALL[:count], "seconds"),
            m.CPU_TIME.name: place(4.6, CPU[:count], "seconds"),
            m.MEMORY_MAX.name: place(312.0, MEMORY[:count], "MB"),
        },
        {},
        causes,
    )
    return run


def rows(run: Run, room: int = 0) -> list[tuple[str, str, bool]]:
    found = usual_rows(run, True, room)
    return [(label, text.replace("\N{EN DASH}", "-"), alarming) for label, text, alarming in found]


def test_the_normal_case_is_one_line() -> None:
    assert rows(compared(5.125)) == [
        ("Usual", "5.01-5.18 s, CPU 4.51-4.68 s, peak 312 MB · slower than 13 of the last 20", False)
    ]


def test_a_narrow_terminal_gets_what_matters_most() -> None:
    assert rows(compared(5.125), 50)[0][1] == "5.01-5.18 s · slower than 13 of the last 20"
    assert rows(compared(5.125), 60)[0][1] == "5.01-5.18 s, peak 312 MB · slower than 13 of the last 20"
    assert rows(compared(5.125), 20)[0][1] == "5.01-5.18 s · slower than 13 of the last 20"


def test_what_stands_out_is_said_with_its_likely_causes() -> None:
    causes = (*(Cause("script", f"cause {number}", True) for number in range(5)), Cause("host", "elsewhere"))
    assert rows(compared(15.0, causes))[1:] == [
        ("Unusual", "wall time of 15.0 s is 2.9 times the median of 5.09 s", True),
        ("Likely", "cause 0", False),
        ("", "cause 1", False),
        ("", "cause 2", False),
    ]


def test_what_merely_differs_is_not_called_likely() -> None:
    assert rows(compared(15.0, (Cause("host", "on another host, b"),)))[2] == ("Differs", "on another host, b", False)
    assert rows(compared(15.0))[2] == ("", "nothing that is recorded explains it", False)


def test_a_failure_tells_what_changed_since_it_succeeded() -> None:
    found = rows(compared(5.1, (Cause("script", "the script changed", True),), code=1))
    assert found == [
        ("Usual", "5.01-5.18 s, CPU 4.51-4.68 s, peak 312 MB · of 20 that succeeded", False),
        ("Changed", "the script changed", False),
    ]


def test_the_first_runs_say_what_is_missing_and_the_very_first_nothing() -> None:
    run = compared(count=3)
    assert rows(run) == [("Usual", "3 runs to compare with, 5 are needed", False)]
    assert run.usual is not None
    run.usual.left_out = {"failed": 12, "arguments": 1200}
    assert rows(run)[0][1].endswith("; left out: 12 that failed, 1,200 with other arguments")
    run = compared(count=0)
    assert rows(run) == []
    assert run.usual is not None
    run.usual.left_out = {"host": 4}
    assert rows(run) == [("Usual", "no run to compare with; left out: 4 on hosts of other classes", False)]


def test_without_a_record_there_is_no_row() -> None:
    assert rows(make_run()) == []


@pytest.mark.parametrize("show", [{"quiet": True}, {"log_level": "WARNING"}, {"log_level": "ERROR"}])
def test_who_wants_less_than_the_summary_gets_none_of_it(show: dict[str, str]) -> None:
    screen = Recorded()
    summarize(screen, compared(15.0), ShowOptions(**show))
    assert "sual" not in screen.text


def test_it_can_do_nothing_to_a_terminal_and_fits_into_it() -> None:
    screen = Recorded(width=40, unicode=False)
    cause = Cause("arguments", "other arguments: a -> \033[31mred\a " + "long " * 10, True)
    summarize(screen, compared(15.0, (cause,)), ShowOptions())
    assert "\033" not in screen.text
    assert "\a" not in screen.text
    assert screen.text.isascii()
    assert max(map(len, screen.text.splitlines())) <= 40
    assert screen.text.count("long") == 10  # nothing of it is cut off


def test_ranks_in_words() -> None:
    for value, words in (
        (9.0, "slower than all of the last 20"),
        (1.0, "faster than all of the last 20"),
        (WALL[15], "slower than 15 of the last 20"),
        (WALL[2], "faster than 17 of the last 20"),
    ):
        assert rank_text(place(value, WALL, "seconds")) == words


def test_distances_in_words() -> None:
    told = [distance(value, 100) for value in (112, 60, 199, 200, 350, 2000, 0)]
    assert told == ["12 % above", "40 % below", "99 % above", "2 times", "3.5 times", "20 times", "100 % below"]
    assert distance(3, 0) == "above"


@pytest.mark.parametrize(
    ("values", "unit", "told"),
    [
        ([0.9] * 5 + [1.6] * 5, m.EXECUTION_TIME, "900 ms to 1.60 s"),
        ([0.2] * 5 + [0.3] * 5, m.EXECUTION_TIME, "200-300 ms"),
        ([300.0] * 9, m.EXECUTION_TIME, "5 min 00 s"),
        ([300.0] * 5 + [400.0] * 5, m.EXECUTION_TIME, "5 min 00 s to 6 min 40 s"),
        ([1] * 5 + [4000] * 5, m.PAGE_FAULTS_MINOR, "1-4,000"),
    ],
)
def test_a_range_names_a_unit_once(values: list[float], unit: Metric, told: str) -> None:
    assert span(unit, place(None, values, unit.unit).usual, True).replace("\N{EN DASH}", "-") == told
    assert span(unit, place(None, values, unit.unit).usual, False).isascii()
