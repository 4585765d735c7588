"""A run is compared with what it can be compared with, and with nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from runner.agent.events import FAILED_TO_START, TIMEOUT
from runner.engine.history import HistoryManager
from runner.engine.usual import WITHIN, comparable, comparable_filter, compare_with_usual, left_out, name_left_out
from runner.model.metrics import CPU_TIME, EXECUTION_TIME, MEMORY_MAX
from runner.model.usual import HIGHER, UNKNOWN, USUAL
from runner.stores.sqlite import SqliteStore
from tests.unit.stores.made import HOST, run_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from runner.model.run import Run


def done(number: int, wall: float = 10.0, success: bool = True, **facts: Any) -> Run:
    from runner.model.run import Attempt

    run = run_of(number, **{"name": "train.py", **facts})
    attempt = Attempt(1, run.started)
    attempt.ended = run.started + int(wall * 1e9)
    attempt.reason, attempt.exit_code = "exited", int(not success)
    # A little noise, the same for the same number.
    wobble = 1 + (number % 7) / 1000
    attempt.metrics = {EXECUTION_TIME.name: wall * wobble, CPU_TIME.name: 8.0 * wobble, MEMORY_MAX.name: 200.0 * wobble}
    run.attempts = [attempt]
    return run


@pytest.fixture
def history(tmp_path: Path) -> Iterator[HistoryManager]:
    with HistoryManager(tmp_path / "history.db") as opened:
        yield opened


SMALL = {**HOST, "hostname": "small", "cores": 1}


def fill(history: HistoryManager) -> None:
    """Store twenty runs that are alike, and among them others that are not."""
    for number in range(1, 21):
        history.save(done(number))
    for number in range(21, 25):
        history.save(done(number, 1.0, success=False))
    for number in range(25, 28):
        history.save(done(number, 90.0, host=SMALL))
    for number in range(28, 30):
        history.save(done(number, 500.0, args=["--all"]))
    history.save(done(30, 7.0, script="jobs/other.py"))
    history.save(done(31, 7.0, name="weekly"))


def test_failures_other_hosts_and_other_work_are_not_mixed_in(history: HistoryManager) -> None:
    fill(history)
    run = done(99)
    assert [other.started for other in comparable(history, run)] == [
        done(number).started for number in range(20, 0, -1)
    ]
    found = compare_with_usual(history, run)
    assert found is not None
    assert (found.count, found.enough, found.left_out, found.causes) == (20, True, {}, [])
    assert {place.verdict for place in found.places.values()} == {USUAL}


def test_a_run_is_not_compared_with_itself_nor_with_later_ones(history: HistoryManager) -> None:
    fill(history)
    first = history.runs(comparable_filter(done(99)))[-1]
    assert comparable(history, first) == []
    assert len(comparable(history, done(11))) == 10


def test_too_few_runs_say_what_was_left_out(history: HistoryManager) -> None:
    fill(history)
    for_small = compare_with_usual(history, done(99, host=SMALL))
    assert for_small is not None
    assert not for_small.enough
    assert for_small.left_out == {"failed": 4, "host": 22}
    for_all = compare_with_usual(history, done(99, args=["--all"]))
    assert for_all is not None
    assert for_all.left_out == {"failed": 4, "host": 3, "arguments": 20}
    told = name_left_out(for_all.left_out)
    assert told == "left out: 4 that failed, 3 on hosts of other classes, 20 with other arguments"
    assert left_out(history, done(99, script="jobs/third.py")) == {}
    assert name_left_out({}) == ""


def test_what_stands_out_is_explained(history: HistoryManager) -> None:
    fill(history)
    found = compare_with_usual(history, done(99, 40.0, script_hash="5" * 64))
    assert found is not None
    assert list(found.standing_out) == [EXECUTION_TIME.name]
    assert [(cause.kind, cause.likely) for cause in found.causes] == [("script", True), ("waiting", True)]


def test_a_failure_is_never_unusually_fast(history: HistoryManager) -> None:
    fill(history)
    quick, slow = done(98, 0.1, success=False, script_hash="5" * 64), done(99, 60.0, success=False)
    found = compare_with_usual(history, quick)
    assert found is not None
    assert found.places[EXECUTION_TIME.name].verdict == UNKNOWN
    assert [cause.kind for cause in found.causes] == ["script"]  # what changed since it last succeeded
    slow.last.reason = TIMEOUT
    found = compare_with_usual(history, slow)
    assert found is not None
    assert found.places[EXECUTION_TIME.name].verdict == HIGHER


def test_what_never_started_is_not_compared(history: HistoryManager) -> None:
    fill(history)
    run = done(99)
    run.last.reason = FAILED_TO_START
    assert compare_with_usual(history, run) is None


def test_code_on_the_line_needs_a_name_to_be_compared(history: HistoryManager) -> None:
    for number in range(1, 8):
        history.save(done(number, script_key="-c", name="-c"))
        history.save(done(number + 20, script_key="-c", name="nightly"))
    assert compare_with_usual(history, done(99, script_key="-c", name="-c")) is None
    assert comparable(history, done(99, script_key="-c", name="-c")) == []
    assert len(comparable(history, done(99, script_key="-c", name="nightly"))) == 7


def test_an_empty_record_is_no_trouble(history: HistoryManager) -> None:
    found = compare_with_usual(history, done(1))
    assert found is not None
    assert (found.count, found.enough, found.left_out) == (0, False, {})


def test_the_newest_hundred_count(history: HistoryManager) -> None:
    for number in range(1, 131):
        history.save(done(number, 50.0 if number <= 30 else 10.0))
    found = compare_with_usual(history, done(140))
    assert found is not None
    assert found.count == 100
    assert found.places[EXECUTION_TIME.name].usual.high < 11


def test_the_question_asked_after_every_run_walks_an_index_and_is_bounded(tmp_path: Path) -> None:
    store = SqliteStore(str(tmp_path / "history.db"))
    store.save(done(1))
    asked: list[str] = []
    store._connection.set_trace_callback(asked.append)
    store.figures(comparable_filter(done(2)), [EXECUTION_TIME.name])
    store._connection.set_trace_callback(None)
    [question] = [statement for statement in asked if EXECUTION_TIME.name in statement]
    plan = [row[3] for row in store._connection.execute(f"EXPLAIN QUERY PLAN {question}")]
    store.close()
    assert any("runs_by_script (script=? AND started>? AND started<?)" in step for step in plan), plan
    assert not [step for step in plan if step.startswith("SCAN r") or "TEMP B-TREE" in step], plan
    assert str(WITHIN - 1) in question


def test_two_comparisons_of_the_same_give_the_same(history: HistoryManager) -> None:
    fill(history)
    first, second = (compare_with_usual(history, done(99, 40.0)) for _ in range(2))
    assert first is not None
    assert second is not None
    assert first.to_dict() == second.to_dict()
