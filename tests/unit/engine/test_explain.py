"""Past runs are judged by an alert as it would have judged them then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.engine.explain import adhoc, explain
from runner.engine.history import HistoryManager
from runner.model.errors import UsageError
from runner.model.metrics import MEMORY_MAX
from runner.policy.alerts import AlertRule
from tests.unit.engine.test_resolver import done

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def history(tmp_path: Path) -> Iterator[HistoryManager]:
    """Return a record of ten runs, one a minute, of which the fourth to the sixth failed, and one of another script."""
    with HistoryManager(tmp_path / "history.db") as opened:
        for number in range(1, 11):
            opened.save(done(number, code=int(number in (4, 5, 6))))
        opened.save(done(11, script="other.py", script_key="/other.py", name="other.py", extra={"loss": 1.0}))
        yield opened


def test_each_run_is_judged_as_it_was_then(history: HistoryManager) -> None:
    [found] = explain(history, [adhoc("failures_in_a_row >= 2 or recovered")], "train.py")
    assert [number for number, each in zip(range(10, 0, -1), found.judged, strict=True) if each.verdict.fired] == [
        7,
        6,
        5,
    ]
    assert (found.fired, found.unknown, found.reasons) == (3, 0, [])
    # The ninth has eight before it, of which five succeeded; the eighth has four.
    [early] = explain(history, [adhoc(f"{MEMORY_MAX.name} > baseline({MEMORY_MAX.name})")], "train.py", runs=5)
    assert [each.verdict.fired for each in early.judged] == [True, True, None, None, None]
    assert early.reasons == [f"baseline({MEMORY_MAX.name}): too few comparable earlier runs"]
    assert [each.outcome for each in early.judged[2:]] == ["", "", ""]


def test_throttle_runs_in_a_row_and_recovery_are_lived_through(history: HistoryManager) -> None:
    failed = AlertRule("failed", "failed", throttle_seconds=0)
    throttled = AlertRule("often", "true", throttle_seconds=150)
    later = AlertRule("third", "failed", after=3)
    found = explain(history, [failed, throttled, later], "train.py")
    assert [each.outcome for each in found[0].judged] == ["", "", "", "over", "told", "told", "told", "", "", ""]
    assert [each.outcome for each in found[1].judged][::-1] == ["told", "throttled", "throttled"] * 3 + ["told"]
    assert [each.outcome for each in found[2].judged][::-1][3:7] == ["waiting", "waiting", "told", "over"]
    assert [(each.fired, each.told) for each in found] == [(3, 3), (10, 4), (3, 1)]
    assert found[0].to_dict()["judged"][3]["outcome"] == "over"


def test_the_script_that_ran_last_and_its_own_metrics(history: HistoryManager) -> None:
    [last] = explain(history, [adhoc("loss > 0.5")])
    assert (last.script, last.fired, len(last.judged)) == ("other.py", 1, 1)
    with pytest.raises(UsageError, match="unknown name 'los'"):
        explain(history, [adhoc("los > 0.5")])


def test_without_runs(tmp_path: Path) -> None:
    with HistoryManager(tmp_path / "none.db") as empty:
        [found] = explain(empty, [adhoc("failed")])
        assert found.to_dict()["status"] == "no_data" and found.judged == []
        with pytest.raises(UsageError):
            explain(empty, [adhoc("faild")])
