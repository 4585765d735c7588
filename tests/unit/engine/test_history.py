"""The record as programs use it."""

from __future__ import annotations

import io
import json
import os
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from runner import HistoryManager
from runner.cli.commands.history import db_stats, show_history
from runner.cli.commands.retention import clean_up as delete_old
from runner.engine.history_options import CleanupOptions, HistoryOptions, StatsOptions
from runner.engine.query_options import QueryOptions
from runner.engine.retention_options import DeletingOptions
from runner.engine.run_options import RecordOptions
from runner.model.errors import StoreCorruptError, UsageError
from runner.model.metrics import BY_NAME
from runner.stores.base import RunFilter
from tests.unit.stores.made import whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

METRICS = {"cpu_max": 87.5, "cpu_avg": 62.3, "memory_max_mb": 512.3, "execution_time_seconds": 345.531}


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def history() -> Iterator[HistoryManager]:
    with HistoryManager("metrics.db") as opened:
        yield opened


def test_what_was_saved_comes_back(history: HistoryManager) -> None:
    run_id = history.save_execution(script_name="train.py", metrics=METRICS)
    found = history.get_execution_history(script_name="train.py", days=30, limit=50)
    assert len(found) == 1
    assert (found[0]["run_id"], found[0]["script_name"], found[0]["metrics"]) == (run_id, "train.py", METRICS)
    age = datetime.now(UTC) - datetime.fromisoformat(found[0]["timestamp"])
    assert timedelta(0) <= age < timedelta(minutes=5)
    assert json.loads(json.dumps(found)) == found


def test_metrics_of_other_names_are_kept_beside(history: HistoryManager) -> None:
    history.save_execution(
        "train.py", {**METRICS, "loss": 0.25, "rows": 10**12, "done": True, "price": Decimal("1.5"), "x": None}
    )
    found = history.get_execution_history()[0]["metrics"]
    assert found == {**METRICS, "loss": 0.25, "rows": 10**12, "done": 1, "price": 1.5}


def test_facts_among_the_metrics_are_facts(history: HistoryManager) -> None:
    facts = {"start_time": "2026-01-31T12:00:00.250000+02:00", "end_time": "2026-01-31T12:00:01+02:00", "exit_code": 3,
             "success": False, "error_message": "token=abc"}  # fmt: skip
    history.save_execution("train.py", {**METRICS, **facts})
    found = history.get_execution_history(days=None)[0]
    assert found["metrics"] == METRICS
    assert (found["exit_code"], found["success"], found["error_message"]) == (3, False, "token=***")
    assert datetime.fromisoformat(found["timestamp"]) == datetime.fromisoformat(facts["start_time"])  # type: ignore[arg-type]
    assert found["total_seconds"] == 0.75
    history.save_execution("train.py", {"success": False})
    assert history.get_execution_history()[0]["exit_code"] == 1


def test_a_runs_own_metrics_can_be_saved_again(history: HistoryManager) -> None:
    metrics = whole(1).metrics()
    history.save_execution("train.py", metrics)
    found = history.get_execution_history(days=None)[0]
    known = {name: value for name, value in metrics.items() if name in BY_NAME and value is not None}
    assert found["metrics"] == known


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "fast", [1], {}])
def test_what_is_no_number_is_refused(history: HistoryManager, value: object) -> None:
    with pytest.raises(ValueError, match="loss"):
        history.save_execution("train.py", {"loss": value})
    assert history.get_execution_history() == []


def test_filters(history: HistoryManager) -> None:
    now = datetime.now(UTC)
    for days in (1, 5, 40):
        history.save_execution("a.py", {"cpu_max": days}, timestamp=now - timedelta(days=days), tags={"age": str(days)})
    history.save_execution("b.py", {"exit_code": 1}, args=["--token", "abc"])

    def ages(**wanted: object) -> list[float]:
        return [each["metrics"]["cpu_max"] for each in history.get_execution_history("a.py", **wanted)]  # type: ignore[arg-type]

    assert ages() == [1, 5]
    assert ages(days=None) == [1, 5, 40]
    assert ages(days=None, limit=1) == [1]
    assert ages(tags={"age": "5"}) == [5]
    failed = history.get_execution_history(status="failed")
    assert [(each["script_name"], each["script_args"]) for each in failed] == [("b.py", ["--token", "***"])]
    assert history.scripts() == ["a.py", "b.py"]
    assert ages(days=float("inf"), limit=1) == [1]
    for nonsense in ({"status": "fialed"}, {"limit": -1}):
        with pytest.raises(UsageError):
            history.get_execution_history(**nonsense)  # type: ignore[arg-type]


def test_it_is_cheap_to_create_and_reading_makes_no_file(tmp_path: Path) -> None:
    history = HistoryManager("new.db")
    assert history.get_execution_history() == []
    assert (history.count(RunFilter()), history.get("abc"), history.stats(), history.cleanup(0)) == (0, None, None, 0)
    assert history.scripts() == []
    assert history.fold() == []
    history.close()
    assert list(tmp_path.iterdir()) == []
    assert HistoryManager().db_path == str(tmp_path / "script_runner_history.db")


def test_it_can_be_used_after_it_was_closed(history: HistoryManager) -> None:
    history.save_execution("a.py", {})
    history.close()
    assert len(history.get_execution_history()) == 1
    history.close()
    history.save_execution("a.py", {})
    assert len(history.get_execution_history()) == 2


def test_threads_may_share_one(history: HistoryManager) -> None:
    def work(number: int) -> None:
        for _ in range(10):
            history.save_execution(f"{number}.py", METRICS)
            history.get_execution_history(f"{number}.py")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert history.count(RunFilter()) == 80
    assert {len(history.get_execution_history(f"{number}.py")) for number in range(8)} == {10}


def test_both_sides_of_a_fork_go_on(history: HistoryManager) -> None:
    history.save_execution("parent.py", {})
    pid = os.fork()
    if not pid:
        code = 1
        try:
            history.save_execution("child.py", {})
            code = 0 if len(history.get_execution_history()) == 2 else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    history.save_execution("parent.py", {})
    assert len(history.get_execution_history()) == 3


def test_a_damaged_database_is_said_and_not_moved(history: HistoryManager, tmp_path: Path) -> None:
    history.save_execution("a.py", {})
    history.close()
    path = tmp_path / "metrics.db"
    data = path.read_bytes()
    path.write_bytes(data[:4096] + b"\xa5" * (len(data) - 4096))
    with pytest.raises(StoreCorruptError, match=r"metrics\.db"):
        history.get_execution_history()
    assert [each.name for each in tmp_path.iterdir() if "corrupt" in each.name] == []


def ask(function: object, options: object, format: str) -> str:
    out = io.StringIO()
    code = function(options, RecordOptions(history_db="metrics.db"), QueryOptions(format=format), out)  # type: ignore[operator]
    assert code == 0
    return out.getvalue()


def test_a_table_of_runs(history: HistoryManager) -> None:
    history.save_execution("train.py", METRICS, args=["--day", "\x1b[31mred"])
    history.save_execution("other.py", {"exit_code": 2})
    lines = ask(show_history, HistoryOptions(script="train.py"), "table").splitlines()
    assert lines[0].split() == ["STARTED", "STATUS", "WALL", "CPU", "MEMORY", "RUN", "SCRIPT"]
    assert len(lines) == 2
    assert "5 min 46 s" in lines[1]
    assert "train.py --day ?[31mred" in lines[1]
    assert "1 of 2 runs" in ask(show_history, HistoryOptions(limit=1), "table")


def test_json_and_csv_of_runs(history: HistoryManager) -> None:
    history.save_execution("train.py", METRICS)
    answer = json.loads(ask(show_history, HistoryOptions(), "json"))
    assert (answer["status"], answer["matching"]) == ("ok", 1)
    assert answer["runs"][0]["metrics"] == METRICS
    head, row = ask(show_history, HistoryOptions(), "csv").splitlines()
    assert dict(zip(head.split(","), row.split(","), strict=True))["cpu_max"] == "87.5"


def test_a_script_without_runs_names_those_that_have_some(history: HistoryManager) -> None:
    history.save_execution("train.py", METRICS)
    assert "there are runs of: train.py" in ask(show_history, HistoryOptions(script="trian.py"), "table")
    answer = json.loads(ask(show_history, HistoryOptions(script="trian.py"), "json"))
    assert (answer["status"], answer["runs"], answer["scripts"]) == ("no_data", [], ["train.py"])
    assert ask(show_history, HistoryOptions(script="trian.py"), "csv").count("\n") == 1


def test_filters_of_the_command(history: HistoryManager) -> None:
    for day in (1, 2, 3):
        history.save_execution("a.py", {}, timestamp=f"2020-01-0{day}T12:00", tags={"n": str(day)})

    def matching(**options: object) -> int:
        return int(json.loads(ask(show_history, HistoryOptions(**options), "json"))["matching"])

    assert matching() == 0
    assert matching(since="2020-01-02") == 2
    assert matching(since="2020-01-01", until="2020-01-02") == 2
    assert matching(until="2020-01-02T11:00") == 1
    assert matching(until="2020-01-31", tag=("n=3",)) == 1
    with pytest.raises(UsageError, match="KEY=VALUE"):
        matching(tag=("n",))


def clean_up(options: CleanupOptions, *rest: object) -> int:
    return delete_old(options, DeletingOptions(), *rest)  # type: ignore[arg-type]


def test_stats_and_cleanup(history: HistoryManager) -> None:
    history.save_execution("old.py", {}, timestamp="2020-01-01")
    history.save_execution("new.py", {})
    history.close()
    assert json.loads(ask(db_stats, StatsOptions(), "json"))["runs"] == 2
    assert "runs       2" in ask(db_stats, StatsOptions(), "table")
    assert ask(clean_up, CleanupOptions(older_than=30), "table").startswith("deleted 1 run started before")
    assert json.loads(ask(clean_up, CleanupOptions(older_than=30), "json"))["removed"] == 0
    assert history.scripts() == ["new.py"]


def test_queries_without_a_record(tmp_path: Path) -> None:
    assert "no runs are remembered" in ask(show_history, HistoryOptions(), "table")
    assert "no runs are remembered" in ask(db_stats, StatsOptions(), "table")
    assert json.loads(ask(db_stats, StatsOptions(), "json"))["status"] == "no_data"
    assert "deleted 0 runs" in ask(clean_up, CleanupOptions(older_than=0), "table")
    assert list(tmp_path.iterdir()) == []
