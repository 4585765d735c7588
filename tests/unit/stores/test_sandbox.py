from __future__ import annotations

import os
import sqlite3
import statistics
import time
from typing import TYPE_CHECKING, Any

import pytest

from runner.agent.events import SAMPLE_FIELDS, TIMEOUT
from runner.model import metrics
from runner.model.errors import RunnerError, StoreError, UsageError
from runner.stores import views
from runner.stores.sandbox import Sandbox
from runner.stores.sqlite import SqliteStore
from tests.unit.stores.made import MINUTE, START, whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WALL = metrics.EXECUTION_TIME.name
RUNS = 40


@pytest.fixture(autouse=True)
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def path(tmp_path: Path) -> str:
    path = str(tmp_path / "history.db")
    store = SqliteStore(path)
    store._connection.execute("PRAGMA synchronous = OFF")
    for number in range(RUNS):
        run = whole(number * 60, script=f"jobs/{'ab'[number % 2]}.py", tags={"team": "data"}, extra={"loss": 0.5})
        run.last.metrics[WALL] = float(number * number)
        if number % 10 == 3:
            run.last.reason, run.last.exit_code = TIMEOUT, None
        store.save(run)
    facts = {"rule": "broken", "severity": "WARNING", "condition": "failed", "outcome": "told", "text": "failed"}
    store.alert_book().add_alert(run.id, run.script_key, run.name, run.started, False, facts)
    store.close()
    return path


def ask(path: str, query: str, timeout: float = 30.0, samples: list[list[Any]] | None = None) -> list[dict[str, Any]]:
    sandbox = Sandbox(path, timeout, samples)
    try:
        columns, rows = sandbox.ask(query)
        return [dict(zip(columns, row, strict=True)) for row in rows]
    finally:
        sandbox.close()


def test_a_run_is_a_row_with_names_that_people_know(path: str) -> None:
    row = ask(path, "SELECT * FROM runs ORDER BY started_ns LIMIT 1 OFFSET 3")[0]
    run = whole(3 * 60, script="jobs/b.py")
    shown = {name: row[name] for name in ("run_id", "script", "script_path", "args", "shape", "status", "reason")}
    assert shown == {
        "run_id": run.id, "script": "b.py", "script_path": "jobs/b.py", "args": '["--epochs","100"]',
        "shape": "--epochs *", "status": "failed", "reason": "timeout",
    }  # fmt: skip
    assert (row["started"], row["started_ns"]) == ("2026-01-31T16:00:00.000", run.started)
    assert row["started_epoch"] == run.started / 1e9
    assert (row["host"], row["user"], row["python_version"]) == (run.host["hostname"], run.user, run.python_version)
    assert (row["git_commit"], row["tags"], row["extra"]) == (run.git_commit, '{"team":"data"}', '{"loss":0.5}')
    for metric in metrics.METRICS:
        assert row[metric.name] == (9.0 if metric.name == WALL else run.last.metrics[metric.name]), metric.name


def test_every_declared_column_is_there_and_no_name_twice(path: str) -> None:
    for view in views.VIEWS:
        names = [column.name for column in view.columns]
        assert len(names) == len({*names})
        assert list(ask(path, f"SELECT * FROM {view.name} LIMIT 1")[0]) == names
        assert all(column.type in ("text", "integer", "real", "json") and column.meaning for column in view.columns)


def test_scripts_and_days_add_up_to_the_runs(path: str) -> None:
    scripts = ask(path, "SELECT script, runs, failures, wall_max, first_started FROM scripts ORDER BY script")
    assert scripts == [
        {"script": "a.py", "runs": 20, "failures": 0, "wall_max": 38.0**2, "first_started": "2026-01-31T13:00:00.000"},
        {"script": "b.py", "runs": 20, "failures": 4, "wall_max": 39.0**2, "first_started": "2026-01-31T14:00:00.000"},
    ]
    days = ask(path, "SELECT * FROM daily ORDER BY script, day")
    # The first run starts at 13:00 local time, one follows every hour.
    walls = {"2026-01-31": range(11), "2026-02-01": range(11, 35), "2026-02-02": range(35, RUNS)}
    assert [(day["day"], day["script"]) for day in days] == [(day, name) for name in ("a.py", "b.py") for day in walls]
    for day in days:
        of_day = [float(n * n) for n in walls[day["day"]] if "ab"[n % 2] == day["script"][0]]
        percentiles = statistics.quantiles(of_day, n=100, method="inclusive")
        assert (day["runs"], day["wall_max"], day["wall_sum"]) == (len(of_day), max(of_day), sum(of_day))
        assert day["wall_p50"] == pytest.approx(statistics.median(of_day))
        assert day["wall_p95"] == pytest.approx(percentiles[94])


def test_a_day_without_wall_times_has_no_quantiles(tmp_path: Path) -> None:
    store = SqliteStore(str(tmp_path / "h.db"))
    run = whole(1)
    run.last.metrics[WALL] = None
    store.save(run)
    store.close()
    assert ask(str(tmp_path / "h.db"), "SELECT wall_p50, wall_avg, runs FROM daily") == [
        {"wall_p50": None, "wall_avg": None, "runs": 1}
    ]


def test_long_arguments_and_names_that_are_no_text_are_readable(tmp_path: Path) -> None:
    store = SqliteStore(str(tmp_path / "h.db"))
    run = whole(1, script="odd\udcff.py")
    run.args = ["x" * 5000]
    store.save(run)
    store.close()
    row = ask(str(tmp_path / "h.db"), "SELECT script, script_path, args ->> 0 AS first, length(args) AS n FROM runs")[0]
    assert row == {"script": "odd?.py", "script_path": "odd\udcff.py", "first": "x" * 5000, "n": 5004}


def test_samples_are_a_view_where_they_are_asked_for(path: str) -> None:
    curve = whole(1, count=5).last.curve
    assert curve is not None
    found = ask(path, "SELECT * FROM samples ORDER BY t", samples=views.sample_rows(2, curve))
    assert list(found[0]) == [column.name for column in views.SAMPLES.columns]
    assert [(row["attempt"], row["t"]) for row in found] == [(2, pytest.approx(0.1 * n)) for n in range(1, 6)]
    for index, name in enumerate(SAMPLE_FIELDS):
        assert [row[name] for row in found] == [bucket.mean(index) for bucket in curve.buckets]
    with pytest.raises(UsageError, match="no such table: samples"):
        ask(path, "SELECT * FROM samples")


def test_what_people_write_in_sql_works(path: str) -> None:
    teams = ask(path, "SELECT tags ->> 'team' AS team, count(*) AS n FROM runs GROUP BY 1")
    assert teams == [{"team": "data", "n": RUNS}]
    assert ask(path, "SELECT DISTINCT x.value AS arg FROM runs, json_each(args) x ORDER BY 1") == [
        {"arg": "--epochs"}, {"arg": "100"}
    ]  # fmt: skip
    numbered = "WITH r AS (SELECT script, row_number() OVER (ORDER BY started_ns) n FROM runs)"
    assert ask(path, f"{numbered} SELECT s.script FROM r JOIN scripts s USING (script) WHERE n = 2") == [
        {"script": "b.py"}
    ]
    assert ask(path, "SELECT count(*) AS n FROM runs a JOIN runs b USING (run_id)") == [{"n": RUNS}]
    assert ask(path, "SELECT 1, 2 AS x, 3 AS x, 4 AS x") == [{"1": 1, "x": 2, "x_2": 3, "x_3": 4}]
    assert ask(path, "SELECT run_id FROM runs WHERE started_ns = 0;  -- nothing") == []


REFUSED = [
    "DELETE FROM runs",
    "INSERT INTO runs (run_id) VALUES (1)",
    "UPDATE runs SET status = 'success'",
    "DELETE FROM record.runs",
    "INSERT INTO record.scripts VALUES (9, 1, 1, 1)",
    "UPDATE record.runs SET exit_code = 0",
    "DROP VIEW runs",
    "DROP TABLE record.runs",
    "CREATE TABLE x (a)",
    "CREATE TEMP TABLE x (a)",
    "CREATE TEMP TRIGGER t INSTEAD OF INSERT ON runs BEGIN SELECT 1; END",
    "ALTER TABLE record.runs ADD COLUMN x",
    "ATTACH 'other.db' AS other",
    "DETACH record",
    "PRAGMA writable_schema = ON",
    "PRAGMA query_only = OFF",
    "SELECT * FROM pragma_database_list",
    "VACUUM INTO 'copy.db'",
    "REINDEX",
    "ANALYZE",
    "BEGIN",
    "SELECT load_extension('evil.so')",
    "SELECT started FROM record.runs",
    "SELECT sql FROM record.sqlite_master",
    "WITH x AS (SELECT 1) DELETE FROM record.runs",
]


@pytest.mark.parametrize("query", REFUSED)
def test_whatever_could_change_something_is_refused(path: str, query: str, tmp_path: Path) -> None:
    before = {name: (tmp_path / name).read_bytes() for name in os.listdir(tmp_path) if name.endswith(".db")}
    with pytest.raises(UsageError, match=r"is allowed; nothing can be changed|is for the runner alone"):
        ask(path, query)
    assert {name: (tmp_path / name).read_bytes() for name in os.listdir(tmp_path) if name.endswith(".db")} == before


def test_the_file_is_open_for_reading_only_whatever_the_authorizer_lets_through(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Sandbox, "_authorize", lambda *_: 0)
    with pytest.raises(RunnerError, match="can't be written"):
        sandbox = Sandbox(path, 30.0)
        sandbox._connection.execute("PRAGMA query_only = OFF")
        sandbox.ask("DELETE FROM record.runs")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELEC 1", r'near "SELEC": syntax error \(line 1, column 1\)'),
        ("SELECT script,\n  runs frm scripts", r'near "scripts": syntax error \(line 2, column 12\)'),
        ("SELECT a a a FROM runs", r'near "a": syntax error \(line 1, column 12\)'),
        ("SELECT wall FROM daily", r"no such column: wall \(line 1, column 8\), did you mean 'wall_"),
        ("SELECT r.cpu_mx FROM runs r", r"no such column: r.cpu_mx \(line 1, column 10\), did you mean 'cpu_max'"),
        ("SELECT avg(cpu_max)", r"no such column: cpu_max \(line 1, column 12\); FROM runs is missing$"),
        ("SELECT wall_p95 FROM runs", r"no such column: wall_p95 \(line 1, column 8\); daily has it$"),
        ("SELECT x.script FROM runs", r"column 10\); runs, scripts, daily and alerts have it$"),
        ("SELECT * FROM run", r"no such table: run \(line 1, column 15\), did you mean 'runs'"),
        ("SELECT median(load) FROM runs", "no such function: median"),
        ("SELECT", "incomplete input"),
        ("SELECT 'open", "unrecognized token"),
        ("SELECT 1; SELECT 2", "only one statement"),
        ("SELECT ?", "binding"),
        ("", "there is no query"),
        (" -- only a comment", "there is no query"),
        ("SELECT '\udcff'", "not UTF-8"),
        ("SELECT hex(zeroblob(500000000))", "more than 64 MB"),
    ],
)
def test_what_is_wrong_with_a_query_is_said_in_one_line_and_where(path: str, query: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as error:
        ask(path, query)
    assert "\n" not in str(error.value)


def test_bytes_that_are_no_text_stay_bytes(path: str) -> None:
    assert ask(path, "SELECT x'ff00' AS a, x'4142' AS b") == [{"a": b"\xff\0", "b": "AB"}]
    assert ask(path, "SELECT CAST(x'41ff' AS TEXT) AS a") == [{"a": "A\udcff"}]


def test_a_query_that_runs_for_ever_is_stopped(path: str) -> None:
    for_ever = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT "
    with pytest.raises(RunnerError, match=r"longer than 0\.2 s and was stopped"):
        ask(path, for_ever + "count(*) FROM n", timeout=0.2)
    sandbox = Sandbox(path, 0.2)
    _, rows = sandbox.ask(for_ever + "x FROM n")
    assert next(rows) == (1,)
    time.sleep(0.3)  # a pager may take its time: only the query's own counts
    assert [next(rows)[0] for _ in range(1000)] == [*range(2, 1002)]
    with pytest.raises(RunnerError, match="was stopped"):
        for _ in rows:
            pass
    sandbox.close()


def test_a_record_in_an_odd_place_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "a'b ?#%41 \N{SNOWMAN}"
    folder.mkdir()
    store = SqliteStore(str(folder / "h;.db"))
    store.save(whole(1))
    store.close()
    assert ask(str(folder / "h;.db"), "SELECT count(*) AS n FROM runs") == [{"n": 1}]


def test_a_record_that_can_only_be_read_is_asked_all_the_same(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    attach = Sandbox._attach_as

    def refuse(self: Sandbox, quoted: str, mode: str) -> None:
        asked.append(mode)
        if "immutable" not in mode:  # as SQLite does where the side files can't be made
            raise sqlite3.OperationalError("unable to open database file")
        attach(self, quoted, mode)

    monkeypatch.setattr(Sandbox, "_attach_as", refuse)
    assert ask(path, "SELECT count(*) AS n FROM runs") == [{"n": RUNS}]
    assert asked == ["mode=ro", "mode=ro&immutable=1"]


def test_a_time_or_a_script_is_found_by_an_index(path: str) -> None:
    for query in (
        f"SELECT run_id FROM runs WHERE started_ns > {START}",
        "SELECT script, cpu_max FROM runs ORDER BY started_ns DESC LIMIT 5",
        f"SELECT count(*) FROM runs WHERE started_ns BETWEEN {START} AND {START + MINUTE}",
    ):
        steps = [row["detail"] for row in ask(path, f"EXPLAIN QUERY PLAN {query}")]
        assert any("r USING" in step and "runs_by_start" in step for step in steps), steps


def test_what_is_no_record_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("no database, and long enough to be seen as none" * 30)
    with pytest.raises(StoreError, match="is not a record of runs"):
        Sandbox(str(tmp_path / "x.db"), 1.0)


def test_runs_stored_meanwhile_are_seen(path: str) -> None:
    store = SqliteStore(path)
    store.save(whole(10_000))
    assert ask(path, "SELECT max(started_ns) AS last FROM runs")[0]["last"] == START + 10_000 * MINUTE
    store.close()
