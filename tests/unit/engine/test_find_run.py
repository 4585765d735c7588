"""Which run somebody means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.engine.find_run import find_run, places_back
from runner.engine.history import HistoryManager
from runner.model.errors import UsageError
from tests.unit.stores.made import attempt_of, run_of

if TYPE_CHECKING:
    from pathlib import Path

IDS = ("0a1b2c3d4e5f", "0a1bffffffff", "77aabbccdd00", "c0ffee000000")


@pytest.fixture
def history(tmp_path: Path) -> HistoryManager:
    manager = HistoryManager(tmp_path / "history.db")
    for number, run_id in enumerate(IDS):
        run = run_of(number, script="even.py" if number % 2 == 0 else "odd.py", id=run_id)
        run.attempts = [attempt_of(run)]
        manager.save(run)
    return manager


@pytest.mark.parametrize(
    ("text", "index"),
    [("0a1b2c3d4e5f", 0), ("0a1b2", 0), ("0A1BF", 1), ("7", 2), ("last", 3), ("-1", 3), ("-2", 2), ("-4", 0),
     ("last:even.py", 2), ("last:odd.py", 3), ("last:/srv/app/even.py", 2), (" last ", 3)],
)  # fmt: skip
def test_a_run_is_found(history: HistoryManager, text: str, index: int) -> None:
    found = find_run(history, text)
    assert found.id == IDS[index]
    assert found.last.curve is not None, "with samples"
    assert found.last.output, "with output"


def test_the_last_can_be_narrowed_to_a_script(history: HistoryManager) -> None:
    assert find_run(history, "last", script="even.py").id == IDS[2]
    assert find_run(history, "-2", script="odd.py").id == IDS[1]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("0a1b", r"several runs begin with '0a1b':\n  0a1bffffffff  .* odd.py\n  0a1b2c3d4e5f  .* even.py$"),
        ("c0ffef", r"no run's id begins with c0ffef; the last runs are:\n  c0ffee000000 "),
        ("ffff", r"no run's id begins with ffff; the last runs are:\n  c0ffee000000 "),
        ("77aabbccdd000", "names no run"),
        ("", "'' names no run"),
        ("-5", "there is no run number 5 from the end: only 4 runs"),
        ("-0", "'-0' names no run"),
        ("lst", "did you mean 'last'"),
        ("even.py", "'even.py' is a script, not a run; its last run is called last:even.py"),
        ("last:evn.py", r"no run of evn.py, did you mean 'even.py'\?"),
    ],
)
def test_what_names_no_run_says_which_there_are(history: HistoryManager, text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        find_run(history, text)


def test_candidates_are_not_listed_by_the_hundred(tmp_path: Path) -> None:
    with HistoryManager(tmp_path / "history.db") as history:
        for number in range(20):
            run = run_of(number, id=f"abc{number:09x}")
            run.attempts = [attempt_of(run)]
            history.save(run)
        with pytest.raises(UsageError) as caught:
            find_run(history, "abc")
    assert len(str(caught.value).splitlines()) == 8
    assert str(caught.value).endswith("and others")


def test_an_empty_record_says_so(tmp_path: Path) -> None:
    with HistoryManager(tmp_path / "history.db") as history:
        for text in ("last", "-2", "abc", "last:x.py"):
            with pytest.raises(UsageError, match=r"no runs are remembered in .*history\.db"):
                find_run(history, text)
    assert not (tmp_path / "history.db").exists(), "a question creates nothing"


def test_counting_back() -> None:
    assert [places_back(text) for text in ("last", "last:x", "-1", "-12", "-", "-x", "-²", "lasting", "1")] == [
        1, 1, 1, 12, 0, 0, 0, 0, 0
    ]  # fmt: skip
