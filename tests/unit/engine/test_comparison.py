"""Two runs are compared by their figures, their curves and their facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.engine.comparison import RunComparison, compare_runs, compare_with_typical, facts_that_differ
from runner.engine.history import HistoryManager
from runner.model.metrics import EXECUTION_TIME, IO_READ, MEMORY_MAX
from runner.model.usual import HIGHER, UNKNOWN, USUAL
from tests.unit.engine.test_comparable import SMALL, done, fill
from tests.unit.stores.made import whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from runner.engine.comparison import Figure
    from runner.model.run import Run


@pytest.fixture
def history(tmp_path: Path) -> Iterator[HistoryManager]:
    with HistoryManager(tmp_path / "history.db") as opened:
        fill(opened)
        yield opened


def figure(found: RunComparison, name: str) -> Figure:
    return next(each for each in found.figures if each.metric.name == name)


def differences(base: Run, run: Run) -> dict[str, tuple[str | None, str | None]]:
    return {each.what: (each.base, each.value) for each in facts_that_differ(base, run)}


def test_a_difference_is_judged_by_how_much_such_runs_differ(history: HistoryManager) -> None:
    found = compare_runs(history, done(97), done(99, 15.0))
    wall = figure(found, EXECUTION_TIME.name)
    assert wall.verdict == HIGHER
    assert wall.difference == pytest.approx(5, abs=0.2)
    assert wall.relative == pytest.approx(0.5, abs=0.02)
    assert wall.usually is not None
    assert 0 < wall.usually < 1
    assert figure(found, MEMORY_MAX.name).verdict == USUAL
    assert found.notes == []


@pytest.mark.parametrize(
    ("facts", "note"),
    [
        ({"script": "jobs/other.py"}, "different scripts: train.py and other.py"),
        ({"name": "weekly"}, "different scripts: train.py and weekly"),
        ({"args": ["--all"]}, "their arguments ask for different work"),
        ({"host": SMALL}, "on hosts of different classes"),
    ],
)
def test_runs_that_can_not_be_expected_to_be_alike_are_compared_and_it_is_said(
    history: HistoryManager, facts: dict[str, object], note: str
) -> None:
    named = {"name": "other.py"} if "script" in facts else {}
    found = compare_runs(history, done(97), done(99, 15.0, **{**named, **facts}))
    assert note in found.notes[0]
    assert {each.verdict for each in found.figures} == {UNKNOWN}
    assert figure(found, EXECUTION_TIME.name).difference == pytest.approx(5, abs=0.2)


def test_too_few_runs_to_judge_by_are_said(history: HistoryManager) -> None:
    found = compare_runs(history, done(98, args=["--few"]), done(99, args=["--few"]))
    assert found.notes == ["no other runs to compare with, 5 are needed to say how much two of them usually differ"]


def test_normal_is_the_median_and_the_run_nearest_to_it(history: HistoryManager) -> None:
    run = done(99, 15.0)
    found = compare_with_typical(history, run)
    assert found is not None
    assert found.count == 20
    wall = figure(found, EXECUTION_TIME.name)
    assert wall.place is not None
    assert wall.base == wall.place.usual.median
    assert abs(found.base.last.metrics[EXECUTION_TIME.name] - wall.base) < 0.011
    assert wall.verdict == HIGHER
    assert [cause.kind for cause in found.causes] == ["waiting"]


def test_without_any_run_like_it_there_is_no_normal(history: HistoryManager) -> None:
    assert compare_with_typical(history, done(99, script="jobs/new.py")) is None
    few = compare_with_typical(history, done(99, host=SMALL))
    assert few is not None
    assert few.notes == [
        "3 other runs to compare with, 5 are needed to say what is usual; "
        "left out: 4 that failed, 22 on hosts of other classes"
    ]


def test_a_figure_that_was_not_measured_then_is_none_and_not_zero(history: HistoryManager) -> None:
    old, new = done(97), done(99)
    new.last.metrics[IO_READ.name] = 5000
    read = figure(compare_runs(history, old, new), IO_READ.name)
    assert (read.base, read.value, read.difference, read.relative, read.verdict) == (None, 5000, None, None, UNKNOWN)


def test_facts_are_told_apart_and_what_was_not_recorded_is_not_called_nothing() -> None:
    base, run = done(1), done(2, python_version="3.12.1", args=["--epochs", "9"], user="bob", input_bytes=None)
    base.packages, run.packages = {"numpy": "1.26", "six": "1"}, {"numpy": "2.0", "six": "1", "new": "3"}
    run.variables = {"LANG": "C"}  # of the other none are known at all
    base.tags, run.tags = {}, {"team": "data"}
    assert differences(base, run) == {
        "arguments": ("--epochs 100", "--epochs 9"),
        "Python": ("3.11.2", "3.12.1"),
        "user": ("alice", "bob"),
        "package new": (None, "3"),
        "package numpy": ("1.26", "2.0"),
        "variables": (None, "1 of them"),
        "tag team": (None, "data"),
    }
    assert facts_that_differ(base, base) == []


def test_curves_lie_over_one_another() -> None:
    chart = RunComparison(whole(1), whole(2)).chart
    assert [panel.title for panel in chart.panels] == ["CPU", "Memory"]
    assert [len(panel.series) for panel in chart.panels] == [2, 2]
    names = [series.name for series in chart.panels[0].series]
    assert names == [whole(1).id[:8], whole(2).id[:8]]
    typical = RunComparison(whole(1), whole(2, script="jobs/b.py"), 40).chart.panels[0].series[0].name
    assert typical == f"train.py {whole(1).id[:8]} (typical)"


def test_runs_too_short_for_a_curve_draw_none() -> None:
    chart = RunComparison(done(1), done(2)).chart
    assert chart.panels == []
    chart = RunComparison(done(1), whole(2)).chart
    assert [len(panel.series) for panel in chart.panels] == [1, 1]
    assert chart.note == f"too short for a curve: {done(1).id[:8]}"
