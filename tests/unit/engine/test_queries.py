from __future__ import annotations

import json
import time
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

import runner
from runner.engine import queries
from runner.model.errors import StoreError, UsageError
from runner.model.metrics import CPU_MAX, EXECUTION_TIME
from runner.stores.aggregates import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAY = timedelta(days=1)
NOON = datetime(2026, 6, 10, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def history(tmp_path: Path) -> Iterator[runner.HistoryManager]:
    with runner.HistoryManager(tmp_path / "h.db") as manager:
        for number, wall in enumerate((1.0, 3.0, 5.0, 100.0)):
            when = NOON + number * DAY + (number > 1) * DAY  # none on the third day
            figures: dict[str, Any] = {EXECUTION_TIME.name: wall, "success": number != 3, "rows": number}
            manager.save_execution("load.py", figures, timestamp=when, tags={"team": "ab"[number % 2]})
        manager.save_execution("other.py", {EXECUTION_TIME.name: 7.0}, timestamp=NOON + DAY)
        yield manager


def walls(history: runner.HistoryManager) -> runner.TimeSeries:
    return runner.TimeSeries(history).metric(EXECUTION_TIME.name).script("load.py")


def test_each_step_leaves_the_question_before_as_it_was(history: runner.HistoryManager) -> None:
    whole = walls(history)
    narrow = whole.since("2026-06-11").until("2026-06-13").limit(5).status("success").tags({"team": "b"})
    assert [point["value"] for point in narrow.points()] == [3.0]
    assert [point["value"] for point in whole.points()] == [1.0, 3.0, 5.0, 100.0]


def test_dates_are_taken_wherever_moments_are(history: runner.HistoryManager, tmp_path: Path) -> None:
    first, last = date(2026, 6, 11), date(2026, 6, 13)
    asked = {"script_name": "load.py", "start": first, "end": last}
    assert [point["value"] for point in history.query_metric(EXECUTION_TIME.name, **asked)] == [3.0, 5.0]
    assert history.aggregate(EXECUTION_TIME.name, "count", **asked) == {"count": 2}
    assert history.export(tmp_path / "runs.csv", **asked)["runs"] == 2
    noon = {"start": NOON, "end": NOON + DAY}
    assert history.export(tmp_path / "runs.csv", **noon)["runs"] == 1
    assert len(history.query_metric(EXECUTION_TIME.name, **noon)) == 1
    with pytest.raises(UsageError, match="7 is no time"):
        history.export(tmp_path / "runs.csv", start=7)  # type: ignore[arg-type]


def test_metrics_of_one_script_are_counted_alone(history: runner.HistoryManager) -> None:
    def counted(script: str | None) -> dict[str, int]:
        return {each["name"]: each["runs"] for each in history.metrics(script) if each["runs"]}

    assert counted(None) == {EXECUTION_TIME.name: 5, "rows": 4}
    assert counted("load.py") == {EXECUTION_TIME.name: 4, "rows": 4}
    assert counted("other.py") == {EXECUTION_TIME.name: 1}
    [wall] = [each for each in history.metrics("other.py") if each["name"] == EXECUTION_TIME.name]
    assert wall["first"] == wall["last"] == "2026-06-11T12:00:00.000000+00:00"


def test_what_is_no_value_of_a_run_is_drawn_on_an_axis_of_its_own(history: runner.HistoryManager) -> None:
    drawn = walls(history).bucket("1day").chart(FUNCTIONS)
    names = [(panel.title, panel.unit, [series.name for series in panel.series]) for panel in drawn.panels]
    assert names == [
        (EXECUTION_TIME.name, "seconds", ["min", "max", "avg", "median", "p90", "p95", "p99", "stddev"]),
        (f"sum of {EXECUTION_TIME.name}", "seconds", ["sum"]),
        ("runs", "count", ["count"]),
    ]
    assert [panel.title for panel in walls(history).bucket("1day").chart(["count"]).panels] == ["runs"]
    [band] = walls(history).bucket("1day").chart().panels[0].series
    assert (min(filter(None, band.low or ())), max(filter(None, band.high or ()))) == (1.0, 100.0)


def test_points_are_plain_and_the_oldest_first(history: runner.HistoryManager) -> None:
    points = walls(history).limit(2).points()
    assert json.loads(json.dumps(points)) == points
    assert [(point["timestamp"], point["value"], point["script_name"]) for point in points] == [
        ("2026-06-13T12:00:00.000000+00:00", 5.0, "load.py"), ("2026-06-14T12:00:00.000000+00:00", 100.0, "load.py"),
    ]  # fmt: skip
    found = history.get(points[0]["run_id"])
    assert found is not None
    assert found.last.metrics[EXECUTION_TIME.name] == 5.0


def test_buckets_without_runs_are_there_too(history: runner.HistoryManager) -> None:
    found = walls(history).bucket("1day").aggregate("count", "max")
    assert [(each["start"][:10], each["end"][:10], each["count"], each["max"]) for each in found] == [
        ("2026-06-10", "2026-06-11", 1, 1.0),
        ("2026-06-11", "2026-06-12", 1, 3.0),
        ("2026-06-12", "2026-06-13", 0, None),
        ("2026-06-13", "2026-06-14", 1, 5.0),
        ("2026-06-14", "2026-06-15", 1, 100.0),
    ]
    assert list(walls(history).bucket("1day").aggregate()[0]) == ["start", "end", "avg", "count", "min", "max"]
    assert walls(history).bucket("1day").limit(2).aggregate("max") == [
        {name: each[name] for name in ("start", "end", "max")} for each in found[-2:]
    ]


def test_buckets_reach_as_far_as_was_asked_for(
    history: runner.HistoryManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = int((NOON + 10 * DAY).timestamp()) * 10**9
    monkeypatch.setattr(queries, "time_ns", lambda: now)
    question = walls(history).bucket("1day")
    assert [each["start"][:10] for each in question.since("2026-06-13").aggregate()][-1] == "2026-06-20"
    both = question.since("2026-06-01").until("2026-06-15").aggregate("count")
    assert (both[0]["start"][:10], both[-1]["start"][:10], len(both)) == ("2026-06-01", "2026-06-15", 15)
    assert question.until("2026-06-12").aggregate("count")[-1]["start"][:10] == "2026-06-12"
    assert question.until("2030-01-01").aggregate("count")[-1]["start"][:10] == "2026-06-20"
    assert question.script("nowhere.py").aggregate() == []


def test_one_result_over_all_has_every_figure(history: runner.HistoryManager) -> None:
    found = walls(history).aggregate()
    assert (found["count"], found["sum"], found["median"], found["max"]) == (4, 109.0, 4.0, 100.0)
    assert runner.TimeSeries(history).aggregate("count") == {"count": 5}  # the wall time, of all scripts
    assert walls(history).until(NOON).aggregate("count", "avg") == {"count": 0, "avg": None}


def test_the_manager_answers_the_same(history: runner.HistoryManager) -> None:
    name = EXECUTION_TIME.name
    assert history.query_metric(name, "load.py", limit=None) == walls(history).points()
    assert history.query_metric(name, limit=1)[0]["value"] == 100.0
    assert history.aggregate(name, "p95", script_name="load.py") == walls(history).aggregate("p95")
    assert history.aggregate("rows", "sum", start=NOON, end="2026-06-13", bucket="1day") == (
        runner.TimeSeries(history).metric("rows").since(NOON).until("2026-06-13").bucket("1day").aggregate("sum")
    )
    assert history.sql("SELECT script, runs FROM scripts ORDER BY runs DESC") == [
        {"script": "load.py", "runs": 4}, {"script": "other.py", "runs": 1}
    ]  # fmt: skip


def test_every_metric_is_listed_with_its_runs(history: runner.HistoryManager) -> None:
    listed = {each["name"]: each for each in history.metrics()}
    wall, rows = listed[EXECUTION_TIME.name], listed["rows"]
    assert (wall["runs"], wall["unit"], wall["first"][:10], wall["last"][:10]) == (
        5, "seconds", "2026-06-10", "2026-06-14"
    )  # fmt: skip
    assert (rows["runs"], rows["meaning"]) == (4, None)
    assert (listed[CPU_MAX.name]["runs"], listed[CPU_MAX.name]["first"]) == (0, None)
    json.dumps(history.metrics())


def test_what_makes_no_sense_is_refused(history: runner.HistoryManager) -> None:
    for work, message in (
        (lambda: walls(history).metric("row"), "unknown metric 'row', did you mean 'rows'"),
        (lambda: walls(history).bucket("1d"), "no buckets of '1d' .*did you mean '1day'"),
        (lambda: walls(history).aggregate("mean"), "no aggregation 'mean'"),
        (lambda: walls(history).since("2026-06-12").until("2026-06-10").points(), "ends before it begins"),
        (lambda: walls(history).since("someday"), "is no time"),
        (lambda: walls(history).status("fine").points(), "no run ends 'fine'"),
    ):
        with pytest.raises(UsageError, match=message):
            work()


def test_nothing_is_created_by_asking(tmp_path: Path) -> None:
    history = runner.HistoryManager(tmp_path / "none.db")
    question = runner.TimeSeries(history)
    assert question.points() == []
    assert question.aggregate("count", "max") == {"count": 0, "max": None}
    assert question.bucket("1day").aggregate() == []
    assert all(each["runs"] == 0 for each in history.metrics())
    with pytest.raises(StoreError, match="does not exist"):
        history.sql("SELECT 1")
    assert list(tmp_path.iterdir()) == []


def test_a_question_can_be_drawn(history: runner.HistoryManager) -> None:
    chart = walls(history).chart()
    assert chart.panels[0].series[0].ys == [1.0, 3.0, 5.0, 100.0]
    series = walls(history).bucket("1day").chart().panels[0].series[0]
    assert series.ys == [1.0, 3.0, None, 5.0, 100.0] == series.low == series.high
    lines = walls(history).bucket("1day").chart(("p95", "count", "min")).panels[0].series
    assert [line.name for line in lines] == ["p95", "min"]
    count = walls(history).bucket("1day").chart(("count",)).panels[0]
    assert (count.unit, count.series[0].ys) == ("count", [1, 1, 0, 1, 1])
