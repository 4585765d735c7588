"""The place of a failure in the code, its earlier cases, and the curves of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.agent.events import EXITED, SAMPLE_FIELDS, Sample
from runner.engine.curves import gauge, panels, rate, run_chart
from runner.engine.facts import file_hash
from runner.engine.history import HistoryManager
from runner.engine.one_run import place_in_code, recurrence_of
from runner.model.curve import LIMIT, Curve
from runner.model.run import Tail
from tests.unit.stores.made import attempt_of, run_of

if TYPE_CHECKING:
    from pathlib import Path

    from runner.model.run import Run

CODE = "import sys\n\n\ndef f():\n    raise ValueError(7)\n\n\nf()\n"


def failed(folder: Path, text: str, merged: bool = False) -> Run:
    path = folder / "train.py"
    run = run_of(1, script="train.py", cwd=str(folder), script_key=str(path), script_hash=file_hash(str(path)))
    attempt = attempt_of(run)
    attempt.reason, attempt.exit_code, attempt.merged = EXITED, 1, merged
    attempt.error_type, attempt.error_message = "ValueError", "ValueError: 7"
    attempt.output = {"stdout" if merged else "stderr": Tail(text.encode(), b"", len(text), 1)}
    run.attempts = [attempt]
    return run


def traceback(file: str, line: int = 5, text: str = "raise ValueError(7)") -> str:
    return f'Traceback (most recent call last):\n  File "{file}", line {line}, in f\n    {text}\nValueError: 7\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "train.py").write_text(CODE)
    return tmp_path


@pytest.mark.parametrize("merged", [False, True])
def test_the_source_is_shown_around_the_place(folder: Path, merged: bool) -> None:
    run = failed(folder, traceback("train.py"), merged)
    place = place_in_code(run, run.last)
    assert place is not None
    assert (place.path, place.frame.line, place.raised, place.changed) == (str(folder / "train.py"), 5, None, False)
    assert place.source == [(3, ""), (4, "def f():"), (5, "    raise ValueError(7)"), (6, ""), (7, "")]
    assert place.to_dict()["file"] == place.path


def test_of_a_script_that_has_changed_only_what_the_traceback_shows_is_shown(folder: Path) -> None:
    run = failed(folder, traceback(str(folder / "train.py")))
    (folder / "train.py").write_text("# a new first line\n" + CODE)
    place = place_in_code(run, run.last)
    assert place is not None
    assert place.changed
    assert place.source == [(5, "raise ValueError(7)")]


def test_a_module_is_the_same_if_the_line_is(folder: Path) -> None:
    (folder / "helper.py").write_text(CODE)
    run = failed(folder, traceback("helper.py"))
    place = place_in_code(run, run.last)
    assert place is not None and not place.changed and len(place.source) == 5
    (folder / "helper.py").write_text(CODE.replace("7", "8"))
    place = place_in_code(run, run.last)
    assert place is not None and place.changed
    (folder / "helper.py").unlink()
    place = place_in_code(run, run.last)
    assert place is not None and place.changed and place.source == [(5, "raise ValueError(7)")]


def test_where_no_exception_ended_it_there_is_no_place(folder: Path) -> None:
    run = failed(folder, traceback("train.py"))
    for change in ({"exit_code": 3}, {"error_type": "signal:9"}, {"error_type": None}, {"output": {}}):
        for name, value in change.items():
            changed = failed(folder, traceback("train.py"))
            setattr(changed.last, name, value)
            assert place_in_code(changed, changed.last) is None
    assert place_in_code(failed(folder, "nothing"), failed(folder, "nothing").last) is None
    assert place_in_code(run, run.last) is not None


def test_code_that_is_in_no_file_has_a_place_without_source(folder: Path) -> None:
    run = failed(folder, traceback("<string>", 1, ""))
    place = place_in_code(run, run.last)
    assert place is not None
    assert (place.path, place.source, place.changed) == ("<string>", [], False)


def test_the_same_error_is_counted_before_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with HistoryManager(tmp_path / "h.db") as history:
        runs = []
        for number in range(6):
            run = run_of(number)
            run.attempts = [attempt_of(run)]
            if number not in (1, 4):
                run.last.exit_code, run.last.reason, run.last.error_type = 1, EXITED, "KeyError"
                run.last.error_message = f"KeyError: 'row {number}'" if number != 3 else "KeyError: 'column'"
            runs.append(run)
            history.save(run)
        found = recurrence_of(history, runs[5])
        assert found is not None
        assert (found.count, found.first, found.last, found.runs) == (2, runs[0].started, runs[2].started, 5)
        monkeypatch.setattr("runner.engine.one_run.WITHIN", 4)
        found = recurrence_of(history, runs[5])
        assert found is not None
        assert (found.count, found.first, found.runs) == (1, runs[2].started, 4)
        runs[4].last.error_type = None
        assert recurrence_of(history, runs[4]) is None


def curve_of(values: list[dict[str, float | None]]) -> Curve:
    curve = Curve()
    for at, given in enumerate(values):
        curve.add(Sample(at + 1.0, 1.0, [given.get(name) for name in SAMPLE_FIELDS]))
    return curve


def test_counters_become_rates() -> None:
    curve = curve_of([{"read_bytes": 100.0}, {"read_bytes": None}, {"read_bytes": 500.0}, {"read_bytes": 500.0}])
    assert rate(curve, "read_bytes", "read").ys == [100.0, None, 200.0, 0.0]


def test_folded_samples_have_a_band() -> None:
    curve = curve_of([{"cpu_percent": 10.0}] * 3)
    assert gauge(curve, "cpu_percent", "CPU").low is None
    curve = curve_of([{"cpu_percent": float(at % 2)} for at in range(LIMIT + 1)])
    folded = gauge(curve, "cpu_percent", "CPU", 2.0)
    assert folded.low is not None and folded.high is not None
    assert (folded.low[0], folded.ys[0], folded.high[0]) == (0.0, 0.25, 0.5)


def test_io_is_that_with_storage_if_there_was_any() -> None:
    calls = {"read_bytes": 0.0, "write_bytes": 0.0, "read_chars": 5.0, "write_chars": 0.0, "cpu_percent": 1.0}
    assert [panel.title for panel in panels(curve_of([calls]))] == ["CPU", "Memory", "Read and write calls"]
    assert panels(curve_of([{**calls, "write_bytes": 1.0}]))[-1].title == "Storage"
    assert len(panels(curve_of([{"cpu_percent": 1.0}]))) == 2


def test_a_run_without_samples_has_a_chart_that_says_so() -> None:
    run = run_of(1)
    run.attempts = [attempt_of(run, 1), attempt_of(run, 2)]
    assert "attempt 1 of 2" in run_chart(run, run.attempts[0]).title
    run.last.curve = None
    chart = run_chart(run)
    assert (chart.panels, chart.note) == ([], "no samples were taken")
