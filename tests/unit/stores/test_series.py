from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.model import metrics
from runner.stores import database, rows
from runner.stores.aggregates import FUNCTIONS
from runner.stores.base import SUCCESS, RunFilter
from runner.stores.sqlite import SqliteStore
from tests.unit.stores.made import MINUTE, START, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

WALL = metrics.EXECUTION_TIME.name
DAY = 86_400_000_000_000
TRUTH = f"""
SELECT started / {DAY}, measured, count(*) FROM runs GROUP BY 1, 2 UNION ALL
SELECT started / {DAY}, e.key, count(*) FROM runs, json_each(runs.extra) e WHERE e.value IS NOT NULL GROUP BY 1, 2
ORDER BY 1, 2
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(str(tmp_path / "history.db"))
    opened._connection.execute("PRAGMA synchronous = OFF")
    yield opened
    opened.close()


def counted(store: SqliteStore) -> list[tuple[int, int | str, int]]:
    """Return the counters, and make sure that they are true."""
    found = store._connection.execute("SELECT * FROM presence ORDER BY 1, 2").fetchall()
    assert found == store._connection.execute(TRUTH).fetchall()
    return found


def fill(store: SqliteStore) -> None:
    for number in range(30):
        run = whole(number * 200, extra={"loss": 0.5, "5": 1.0} if number % 3 else {})
        if number % 4 == 0:
            run.last.metrics[WALL] = None
        store.save(run)
        store.save(run)


def test_the_counters_stay_true_whoever_changes_runs(store: SqliteStore) -> None:
    fill(store)
    before = counted(store)
    assert len(before) > 8
    for change in (
        "DELETE FROM runs WHERE seq < 5",
        f"UPDATE runs SET {WALL} = NULL, extra = NULL WHERE seq BETWEEN 10 AND 20",
        f"UPDATE runs SET started = started + {2 * DAY} WHERE seq BETWEEN 15 AND 25",
        "UPDATE runs SET extra = '{\"other\": 1.5, \"none\": null}' WHERE seq = 16",
    ):
        store._connection.execute(change)
        assert counted(store) != before, change
        before = counted(store)
    store._connection.execute("DELETE FROM runs")
    assert counted(store) == []


def test_a_change_that_touches_no_metric_touches_no_counter(store: SqliteStore) -> None:
    fill(store)
    before = store._connection.total_changes
    store._connection.execute("UPDATE runs SET error_message = 'x' WHERE seq = 3")
    assert store._connection.total_changes == before + 1


def test_runs_of_before_are_counted_when_the_counters_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(tmp_path / "old.db")
    monkeypatch.setattr(database, "SCHEMA", 2)
    old = database.connect(path)
    old.execute("INSERT INTO scripts VALUES (1, 'x.py', 'x.py', 'x.py')")
    old.execute("INSERT INTO hosts (id, facts) VALUES (1, '{}')")
    old.execute("INSERT INTO environments (id, runner_version, user, cwd) VALUES (1, '', '', '')")
    facts = f"(id, extra, started, script, host, environment, attempts, number, delay, offset, reason, merged, {WALL})"
    for number in range(5):
        extra = '{"loss": 1.0}' if number else None
        values = [number, extra, START, 1, 1, 1, 1, 1, 0.0, 0, "exited", 0, 2.5]
        old.execute(f"INSERT INTO runs {facts} VALUES ({', '.join('?' * len(values))})", values)
    old.close()
    monkeypatch.undo()
    store = SqliteStore(path)
    assert {entry.name: entry.runs for entry in store.presence()}["loss"] == 4
    assert sum(runs for _, what, runs in counted(store) if isinstance(what, int)) == 5
    store.close()


def test_each_metric_has_its_bit(store: SqliteStore) -> None:
    for place, name in enumerate(rows.METRIC_COLUMNS):
        run = whole(place)
        run.last.metrics = {each: 1 if each == name else None for each in rows.METRIC_COLUMNS}
        store.save(run)
    found = {entry.name: (entry.runs, entry.first, entry.last) for entry in store.presence()}
    assert list(found) == list(rows.METRIC_COLUMNS)
    for place, name in enumerate(rows.METRIC_COLUMNS):
        assert found[name] == (1, START + place * MINUTE, START + place * MINUTE)


def plans(store: SqliteStore, work: Callable[[], object]) -> list[str]:
    """Return how SQLite goes about each question that some work asks."""
    asked: list[tuple[str, list[object]]] = []
    ask = store._ask

    def spy(query: str, values: list[object] | tuple[object, ...] = ()) -> list[object]:
        asked.append((query, [*values]))
        return ask(query, values)

    store._ask = spy  # type: ignore[method-assign]
    work()
    store._ask = ask  # type: ignore[method-assign]
    result = []
    for query, values in asked:
        result += [step[3] for step in store._connection.execute("EXPLAIN QUERY PLAN " + query, values)]
    assert result
    return result


SCRIPT = RunFilter(script="train.py")
EDGES = [START, START + DAY, START + 2 * DAY]


@pytest.mark.parametrize("functions", [FUNCTIONS, ("avg", "count")], ids=["all", "usual"])
def test_questions_about_a_script_read_its_runs_only(store: SqliteStore, functions: tuple[str, ...]) -> None:
    fill(store)
    for work in (
        lambda: store.series(WALL, SCRIPT),
        lambda: store.aggregate(WALL, SCRIPT, functions),
        lambda: store.buckets(WALL, SCRIPT, functions, EDGES),
        lambda: store.buckets("loss", SCRIPT, functions, EDGES),
        lambda: store.span(SCRIPT),
        lambda: store.runs(SCRIPT),
        lambda: store.count(SCRIPT),
        lambda: store.runs(RunFilter(script="train.py", status=SUCCESS, since=START, limit=5)),
    ):
        steps = plans(store, work)
        assert any("SEARCH r USING" in step and "runs_by_script" in step for step in steps), steps
        assert not [step for step in steps if f"{step} ".startswith("SCAN r ")], steps


def test_questions_about_a_time_read_its_runs_only(store: SqliteStore) -> None:
    fill(store)
    wanted = RunFilter(since=START, until=START + DAY, limit=10)
    for work in (
        lambda: store.series(WALL, wanted),
        lambda: store.aggregate(WALL, wanted, FUNCTIONS),
        lambda: store.buckets(WALL, RunFilter(), FUNCTIONS, EDGES),
        lambda: store.runs(wanted),
        lambda: store.count(wanted),
        lambda: store.span(wanted),
    ):
        steps = plans(store, work)
        assert any(step.startswith(("SEARCH r ", "SEARCH runs ")) and "runs_by_start" in step for step in steps), steps
        assert not [step for step in steps if step in ("SCAN r", "SCAN runs")], steps


def test_the_newest_runs_are_found_without_sorting_all(store: SqliteStore) -> None:
    fill(store)
    steps = plans(store, lambda: (store.runs(RunFilter(limit=50)), store.series(WALL, RunFilter(limit=50))))
    assert "SCAN r USING INDEX runs_by_start" in steps
    assert not [step for step in steps if "ORDER BY" in step and "LAST TERM" not in step], steps
    assert "SCAN r" not in steps


def test_the_list_of_metrics_reads_counters_and_a_day_of_runs(store: SqliteStore) -> None:
    fill(store)
    steps = plans(store, store.presence)
    assert {step for step in steps if "r USING" in step} == {
        "SEARCH r USING INDEX runs_by_start (started>?)", "SEARCH r USING INDEX runs_by_start (started<?)"
    }  # fmt: skip
    assert "SCAN r" not in steps


#: Questions about everything: no index could serve them.
WHOLE = {"count_all": {"SCAN runs"}, "weigh": {"SCAN curves", "SCAN outputs"}}
#: A few rows, and what is no table.
SMALL = ("SCAN scripts", "SCAN CONSTANT ROW")


def test_no_query_reads_a_whole_table_where_an_index_serves(store: SqliteStore) -> None:
    fill(store)
    for name, text in store._queries.items():
        whole = text.startswith(("SELECT", "DELETE", "UPDATE", "WITH"))  # others are parts of questions
        if not whole or "{" in text.replace("{metrics}", "").replace("{marks}", "") or name.startswith("scan_"):
            continue
        for statement in store._query(name).split(";"):
            found = store._connection.execute("EXPLAIN QUERY PLAN " + statement, [1] * statement.count("?")).fetchall()
            scans = {step[3] for step in found if step[3].startswith("SCAN") and step[3] not in SMALL}
            scans = {scan for scan in scans if "VIRTUAL TABLE" not in scan}  # a list handed over as JSON
            assert scans <= WHOLE.get(name, set()), name


@pytest.mark.parametrize("question", [
    lambda store: store.aggregate(WALL, RunFilter(), FUNCTIONS), lambda store: store.presence(),
], ids=["aggregate", "presence"])  # fmt: skip
def test_runs_that_are_deleted_between_two_questions_do_no_harm(
    store: SqliteStore, question: Callable[[SqliteStore], object]
) -> None:
    fill(store)
    ask = store._ask

    def interfered(query: str, values: list[object] | tuple[object, ...] = ()) -> list[object]:
        answer = ask(query, values)
        if "runs r" in query or "presence" in query:
            store._connection.execute("DELETE FROM curves")
            store._connection.execute("DELETE FROM outputs")
            store._connection.execute("DELETE FROM runs")
        return answer

    store._ask = interfered  # type: ignore[method-assign]
    question(store)


def test_what_is_aggregated_is_taken_from_the_runs_once(store: SqliteStore) -> None:
    fill(store)
    steps = plans(store, lambda: store.aggregate(WALL, RunFilter(), FUNCTIONS))
    assert [step for step in steps if step.endswith(" r")] == ["SCAN r"]  # all runs are meant: nothing could serve
    assert "SEARCH temp.picked USING INTEGER PRIMARY KEY (rowid=?)" in steps
