"""Deleting from the SQLite store: what goes, what is accounted for, and that the plans of its questions hold."""

from __future__ import annotations

import re
import sqlite3
from time import monotonic
from typing import TYPE_CHECKING, Any

import pytest

from runner.model import parts as kinds
from runner.model.errors import StoreError
from runner.model.metrics import CPU_MAX, MEMORY_MAX
from runner.model.run import Run
from runner.stores import retention
from runner.stores.base import RunFilter
from runner.stores.database import read_queries
from runner.stores.purge import HOLD, Action, Pace, Purge
from runner.stores.sqlite import SqliteStore
from runner.stores.steps import TimeIsUp
from tests.unit.stores.made import MINUTE, START, attempt_of, run_of, whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from runner.stores.purge import Tally
    from runner.stores.retention import Keeper


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "history.db")


@pytest.fixture
def store(path: str) -> Iterator[SqliteStore]:
    opened = SqliteStore(path)
    yield opened
    opened.close()


@pytest.fixture
def keeper(store: SqliteStore) -> Keeper:
    return store.keeper()


def ask(store: SqliteStore, query: str) -> list[Any]:
    return store._connection.execute(query).fetchall()


def before(number: int, **wanted: Any) -> RunFilter:
    """Return a filter of the runs numbered lower."""
    return RunFilter(until=START + number * MINUTE, **wanted)


def delete(keeper: Keeper, purge: Purge, what: str = "cleanup", **more: Any) -> Tally:
    return keeper.delete(purge, Action(what), keeper.find(purge), **more)[0]


def ids(store: SqliteStore) -> list[str]:
    return sorted(run.id for run in store.runs(RunFilter()))


def fill(store: SqliteStore, count: int = 10, **facts: object) -> list[Run]:
    runs = [whole(number, script=f"job{number % 2}.py", **facts) for number in range(count)]  # type: ignore[arg-type]
    store.add(runs)
    return runs


def counted(store: SqliteStore) -> list[tuple[str, int, int, int]]:
    """Return what the counters of metrics say."""
    return [(each.name, each.runs, each.first, each.last) for each in store.presence() if each.runs]


def recounted(store: SqliteStore) -> list[tuple[str, int, int, int]]:
    """Return what they would say had all runs been counted now."""
    store._connection.executescript("DELETE FROM presence")
    ask(store, "INSERT INTO presence SELECT started / 86400000000000, measured, count(*) FROM runs GROUP BY 1, 2")
    ask(store, "INSERT INTO presence SELECT started / 86400000000000, e.key, count(*) FROM runs,"
               " json_each(runs.extra) e WHERE e.value IS NOT NULL GROUP BY 1, 2")  # fmt: skip
    return counted(store)


def test_what_is_weighed_is_what_goes(store: SqliteStore, keeper: Keeper) -> None:
    fill(store)
    for part in (kinds.OUTPUT, kinds.COARSER, kinds.SAMPLES, kinds.METRICS, kinds.RUNS):
        purge = Purge(part, before(7, script="job1.py"), metrics=[CPU_MAX.name, "loss"], seconds=1.0)
        weighed = keeper.weigh(purge)
        done = delete(keeper, purge)
        assert weighed.runs == done.runs == 3, part
        for field in ("samples", "outputs", "first", "last"):
            assert getattr(weighed, field) == getattr(done, field), (part, field)
        assert list(done.scripts) == list(weighed.scripts) == ["job1.py"]
        assert not keeper.weigh(purge), part
        assert not delete(keeper, purge), part
    assert len(ids(store)) == 7


def test_namesakes_are_told_apart(store: SqliteStore, keeper: Keeper) -> None:
    store.add([whole(1, script="a/job.py"), whole(2, script="b/job.py"), whole(3, script="other.py")])
    weighed = keeper.weigh(Purge(kinds.RUNS, before(9)))
    assert sorted(weighed.scripts) == ["/srv/app/a/job.py", "/srv/app/b/job.py", "other.py"]


def test_only_a_part_of_the_runs_meant_goes(store: SqliteStore, keeper: Keeper) -> None:
    run = whole(1, extra={"loss": 0.5, 'a"b': 1.0})
    run.attempts = [attempt_of(run, number) for number in (1, 2)]
    store.save(run)
    store.save(whole(2))
    delete(keeper, Purge(kinds.METRICS, before(2), metrics=[CPU_MAX.name, "loss"]))
    found = store.get(run.id)
    assert found is not None
    assert [attempt.metrics[CPU_MAX.name] for attempt in found.attempts] == [None, None]
    assert found.last.metrics[MEMORY_MAX.name] == run.last.metrics[MEMORY_MAX.name]
    assert found.extra == {'a"b': 1.0}
    assert found.last.output and found.last.curve
    assert delete(keeper, Purge(kinds.METRICS, before(2), metrics=['a"b'])).runs == 1
    found = store.get(run.id)
    assert found is not None and found.extra == {}
    delete(keeper, Purge(kinds.OUTPUT, before(2)))
    delete(keeper, Purge(kinds.SAMPLES, before(2)))
    found = store.get(run.id)
    assert found is not None
    assert not found.last.output and not found.last.curve
    other = store.get(whole(2).id)
    assert other is not None
    assert other.to_dict() == whole(2).to_dict()
    assert other.last.output and other.last.curve
    assert counted(store) == recounted(store)


def test_samples_are_folded_once_into_buckets_that_keep_extremes(store: SqliteStore, keeper: Keeper) -> None:
    run = whole(1, count=100)  # 10 s
    store.save(run)
    purge = Purge(kinds.COARSER, before(2), seconds=3.0)
    assert delete(keeper, purge).samples == 1
    curve = store.samples(run.id, 1)
    assert curve is not None and run.last.curve is not None
    assert [round(bucket.t, 6) for bucket in curve.buckets] == [3.0, 6.0, 9.0, 10.0]
    assert [round(bucket.span, 6) for bucket in curve.buckets] == [3.0, 3.0, 3.0, 1.0]
    for field in ("memory_bytes", "processes"):
        assert curve.maximum(field) == run.last.curve.maximum(field)
        assert curve.minimum(field) == run.last.curve.minimum(field)
        assert curve.mean(field) == pytest.approx(run.last.curve.mean(field))
    assert curve.samples == 100
    for finer in (1.0, 3.0):
        assert not keeper.weigh(Purge(kinds.COARSER, before(2), seconds=finer))
    assert delete(keeper, Purge(kinds.COARSER, before(2), seconds=5.0)).samples == 1
    delete(keeper, Purge(kinds.RUNS, before(2)))
    assert ask(store, "SELECT count(*) FROM coarse_curves") == [(0,)]


def test_runs_that_must_stay_are_withheld(store: SqliteStore, keeper: Keeper) -> None:
    runs = fill(store)
    kept = {"law": RunFilter("job0.py", since=START + 4 * MINUTE)}
    purge = Purge(kinds.RUNS, before(8), kept)
    assert keeper.count_kept(purge) == {"law": 2}
    assert keeper.count_kept(purge, monotonic() + 1000) == {"law": 2}
    assert delete(keeper, purge).runs == 6
    assert ids(store) == sorted(runs[number].id for number in (4, 6, 8, 9))


def test_a_question_ends_when_its_time_is_up(store: SqliteStore, keeper: Keeper) -> None:
    long = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 100000) SELECT count(*) FROM c"
    with pytest.raises(TimeIsUp), keeper._until(monotonic() - 1):
        ask(store, long)
    with keeper._until(monotonic() + 1000):
        assert ask(store, long) == [(100000,)]
    with pytest.raises(StoreError), keeper._until(None):
        ask(store, "SELECT nothing")
    assert ask(store, long) == [(100000,)]


def test_progress_is_kept_by_policy_and_for_the_cleanup_without_one(keeper: Keeper) -> None:
    keeper.put_policy("p", {"days": 1}, Action("add"))
    for name in ("", "p"):
        assert keeper.progress(name) == ({}, 0)
        keeper.put_progress(name, {"runs 0": (5, 6)})
        assert keeper.progress(name) == ({"runs 0": [5, 6]}, 0)
        keeper.put_progress(name, {}, 77)
        assert keeper.progress(name) == ({}, 77)
    keeper.put_progress("gone", {}, 77)
    assert [name for name, _, _ in keeper.policies()] == ["p"]
    keeper.put_policy("p", {"days": 2}, Action("add"))
    assert keeper.progress("p") == ({}, 0)


def test_every_step_is_accounted_for_in_its_own_transaction(
    store: SqliteStore, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store)
    keeper._paces[kinds.RUNS] = Pace(3)
    monkeypatch.setattr(Pace, "took", lambda *_: None)
    action = Action("apply", "old", {"user": "alice", "host": "h", "pid": 1, "line": ["x"]})
    purge = Purge(kinds.RUNS, before(8))
    keeper.delete(purge, action, keeper.find(purge))
    rows = keeper.audit(5)
    assert [row["runs"] for row in rows] == [3, 3, 2]
    assert {row["action"] for row in rows} == {action.id}
    assert [row["by"] for row in rows] == [{"user": "alice", "host": "h", "pid": 1, "line": ["x"]}, {}, {}]
    assert [row["scripts"] for row in rows] == [
        {"job0.py": 2, "job1.py": 1}, {"job1.py": 2, "job0.py": 1}, {"job0.py": 1, "job1.py": 1},
    ]  # fmt: skip
    assert [(row["first"], row["last"]) for row in rows] == [
        (START + first * MINUTE, START + last * MINUTE) for first, last in ((0, 2), (3, 5), (6, 7))
    ]
    assert sum(row["samples"] for row in rows) == sum(row["outputs"] for row in rows) == 8


def test_a_step_that_fails_leaves_neither_a_deletion_nor_an_entry(store: SqliteStore, keeper: Keeper) -> None:
    fill(store)
    ask(store, "CREATE TRIGGER broken BEFORE DELETE ON runs BEGIN SELECT RAISE(ABORT, 'no'); END")
    with pytest.raises(Exception, match="no"):
        delete(keeper, Purge(kinds.RUNS, before(8)))
    assert len(ids(store)) == 10
    assert keeper.audit(5) == []
    assert ask(store, "SELECT count(*) FROM outputs") == [(10,)]


@pytest.mark.parametrize("statement", ["DELETE FROM retention_audit", "UPDATE retention_audit SET runs = 0"])
def test_the_audit_can_only_grow(store: SqliteStore, keeper: Keeper, statement: str) -> None:
    fill(store)
    delete(keeper, Purge(kinds.RUNS, before(8)))
    with pytest.raises(sqlite3.DatabaseError, match="can only grow"):
        ask(store, statement)
    assert [row["runs"] for row in keeper.audit(1)] == [8]


def test_a_key_that_is_given_anew_does_not_doom_the_next_run(store: SqliteStore, keeper: Keeper, path: str) -> None:
    fill(store, 3)
    purge = Purge(kinds.RUNS, before(3))
    pages = list(keeper.find(purge))
    other = SqliteStore(path)
    other.cleanup(START + 3 * MINUTE)
    new = whole(1000)  # its key is one of those
    other.save(new)
    assert ask(other, "SELECT count(*) FROM runs WHERE seq <= 3") == [(1,)]
    other.close()
    assert not keeper.delete(purge, Action("cleanup"), iter(pages))[0]
    assert [run.id for run in keeper.read(pages[0][0])] == []
    assert ids(store) == [new.id]
    assert store.get(new.id).last.output  # type: ignore[union-attr]


def test_counters_are_right_after_deleting(store: SqliteStore, keeper: Keeper) -> None:
    fill(store, 8, extra={"loss": 0.5})
    store.save(run_with_nothing(9))
    delete(keeper, Purge(kinds.RUNS, before(4)))
    now = counted(store)
    assert {name: runs for name, runs, _, _ in now}["loss"] == 4
    assert now == recounted(store)


def run_with_nothing(number: int) -> Run:
    run = run_of(number)
    attempt = attempt_of(run, count=0)
    attempt.metrics = dict.fromkeys(attempt.metrics)
    run.attempts = [attempt]
    return run


def test_what_runs_share_goes_with_the_last_of_them(store: SqliteStore, keeper: Keeper, path: str) -> None:
    fill(store, 4, packages_hash="x", packages={"a": "1"}, variables={"LANG": "C"}, line=["a"])
    store.save(whole(8, script="new.py", args=["other"], cwd="/elsewhere"))
    delete(keeper, Purge(kinds.RUNS, before(5)))
    tables = ("scripts", "hosts", "environments", "versions", "arguments", "lines", "packages", "variables")
    assert keeper.drop_unused()
    left = {table: ask(store, f"SELECT count(*) FROM {table}")[0][0] for table in tables}
    assert left == {**dict.fromkeys(tables, 1), "lines": 0, "packages": 0, "variables": 0}
    delete(keeper, Purge(kinds.RUNS, before(9)))
    keeper.drop_unused()
    assert [ask(store, f"SELECT count(*) FROM {table}")[0][0] for table in tables] == [0] * len(tables)


def test_what_another_runner_takes_up_again_meanwhile_stays(
    store: SqliteStore, keeper: Keeper, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save(whole(1, args=["old"]))
    store.save(whole(5, args=["new"]))
    delete(keeper, Purge(kinds.RUNS, before(2)))
    find = keeper._unused

    def find_and_store(table: str, column: str) -> list[int]:
        found = find(table, column)
        if table == "arguments":
            assert found
            other = SqliteStore(path)
            other.save(whole(9, args=["old"]))
            other.close()
        return found

    monkeypatch.setattr(keeper, "_unused", find_and_store)
    keeper.drop_unused()
    assert store.get(whole(9).id).args == ["old"]  # type: ignore[union-attr]


def test_time_that_is_over_leaves_the_rest_and_says_where_to_go_on(
    store: SqliteStore, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store, 10)
    monkeypatch.setattr(retention, "_PAGE", 2)
    purge = Purge(kinds.RUNS, before(9))
    deadline = monotonic() + 1000
    moments = iter([0.0, 0.0, 0.0, deadline + 1])
    monkeypatch.setattr(retention, "monotonic", lambda: next(moments, deadline + 1))
    tally, position = keeper.delete(purge, Action("auto"), keeper.find(purge), deadline)
    monkeypatch.undo()
    assert 0 < tally.runs < 9
    assert position is not None
    rest, position = keeper.delete(purge, Action("auto"), keeper.find(purge, position))
    assert (tally.runs + rest.runs, position) == (9, None)


def test_time_that_is_over_at_once_does_not_send_the_search_back(store: SqliteStore, keeper: Keeper) -> None:
    fill(store, 10)
    for part in (kinds.RUNS, kinds.COARSER):
        purge = Purge(part, before(9), seconds=1.0)
        position = (START, 5)
        tally, left = keeper.delete(purge, Action("auto"), keeper.find(purge, position), monotonic() - 1)
        assert (bool(tally), left) == (False, position)


def test_a_pace_finds_the_size_that_fits() -> None:
    pace = Pace(100)
    pace.took(10 * HOLD)
    assert pace.size == 10
    pace.took(HOLD / 100)
    assert pace.size == 20  # grows carefully
    pace.took(1000.0)
    assert pace.size == 1


#: Tables that hold so little that reading all of them costs nothing.
SMALL = ("retention_policies", "retention_audit", "sqlite_master", "environments", "scripts", "packages", "variables")
#: Questions that are about all runs: whether any has a host, say. They are asked while others may write.
ALL_RUNS = ("unused", "weigh_samples", "weigh_output", "page_of_samples", "page_of_output", "some_curves")


#: Parts of questions.
PARTS = ("is_coarse", "has_figure", "doomed")


@pytest.mark.parametrize("name", [name for name in read_queries("retention") if name not in PARTS])
def test_no_question_reads_a_table_where_an_index_serves(store: SqliteStore, name: str) -> None:
    queries = read_queries("retention")
    text = queries[name].replace("{doomed}", queries["doomed"]).replace("{where}", "r.started < 5")
    for key, value in {"table": "hosts", "column": "host", "key": "seq", "figures": "facts = NULL"}.items():
        text = text.replace(f"{{{key}}}", "runs" if name == "forget_figures" and key == "table" else value)
    text = text.replace("facts = NULL", "cpu_max = NULL")
    plan = [row[3] for row in ask(store, "EXPLAIN QUERY PLAN " + re.sub(r"\?\d*", "1", text))]
    if name in ALL_RUNS:
        return
    scans = [step for step in plan if re.match(r"SCAN (?!json_each)", step) and not any(t in step for t in SMALL)
             and "COVERING INDEX" not in step]  # fmt: skip
    assert scans == [], plan
