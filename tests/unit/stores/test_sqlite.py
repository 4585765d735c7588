"""The SQLite file: its schema, its settings, and what is done with files that are something else."""

from __future__ import annotations

import os
import random
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from runner.model import metrics
from runner.model.errors import StoreCorruptError, StoreError, StoreVersionError
from runner.stores import database
from runner.stores.base import DEFAULT_NAME, RunFilter
from runner.stores.sqlite import SqliteStore
from tests.unit.stores.made import START, attempt_of, run_of, whole

#: Columns of `runs` that a migration put behind the metrics.
FACTS_ADDED_LATER = ("line", "load", "input_bytes")

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "history.db")


@pytest.fixture
def store(path: str) -> Iterator[SqliteStore]:
    opened = SqliteStore(path)
    yield opened
    opened.close()


def save_at(path: str) -> bool:
    store = SqliteStore(path)
    try:
        return store.save(whole(2))
    finally:
        store.close()


def ask(path: str, query: str) -> list[Any]:
    connection = sqlite3.connect(path)
    try:
        found = connection.execute(query).fetchall()
        connection.commit()
        return found
    finally:
        connection.close()


@pytest.mark.parametrize("table", ["runs", "attempts"])
def test_the_columns_are_the_catalog(store: SqliteStore, path: str, table: str) -> None:
    columns = {name: kind for _, name, kind, *_ in ask(path, f"PRAGMA table_info({table})")}
    first = list(columns).index("kinds") + 1
    kinds = {float: "REAL", int: "INTEGER"}
    measured = [(name, kind) for name, kind in list(columns.items())[first:] if name not in FACTS_ADDED_LATER]
    assert measured == [(metric.name, kinds[metric.type]) for metric in metrics.METRICS]


def test_a_record_of_the_first_schema_is_brought_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(tmp_path / "old.db")
    monkeypatch.setattr(database, "SCHEMA", 1)
    database.connect(path).close()
    ask(path, "INSERT INTO hosts (facts) VALUES ('{\"machine\": \"arm64\", \"cores\": 2}')")
    ask(path, "INSERT INTO arguments (crc, args) VALUES (1, '[\"--n\", \"5\"]')")
    monkeypatch.undo()
    database.connect(path).close()
    assert ask(path, "SELECT class FROM hosts") == [("arm64, 2 cores",)]
    assert ask(path, "SELECT shape FROM arguments") == [("--n *",)]


def test_migrations_are_numbered_without_a_gap() -> None:
    folder = Path(database.__file__).parent / "migrations"
    numbers = sorted(int(each.name[:4]) for each in folder.glob("*.sql"))
    assert numbers == list(range(1, database.SCHEMA + 1))


def test_every_query_is_named_and_valid(store: SqliteStore) -> None:
    store._add_search()
    for name in database.read_queries():
        text = store._query(name).replace("{columns}", "r.seq")
        text = f"SELECT 1 FROM runs r WHERE {text}" if name == "mentions" else text  # part of a condition
        for statement in text.split(";"):
            count = statement.count("?")
            store._connection.execute("EXPLAIN " + statement, [1] * count)


def test_settings(store: SqliteStore, path: str) -> None:
    asked = {
        name: store._connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "auto_vacuum", "application_id", "user_version", "busy_timeout")
    }
    assert asked == {
        "journal_mode": "wal",
        "synchronous": 2,
        "auto_vacuum": 2,
        "application_id": database.APPLICATION_ID,
        "user_version": database.SCHEMA,
        "busy_timeout": 5000,
    }
    store.save(whole(1))
    for name in (path, path + "-wal", path + "-shm"):
        assert os.stat(name).st_mode & 0o777 == 0o600


def test_opening_again_asks_only_for_the_version(store: SqliteStore, path: str) -> None:
    store.save(whole(1))
    store.close()
    asked: list[str] = []
    connection = database.connect(path)
    connection.close()
    real = database.sqlite3.connect

    class Spy(sqlite3.Connection):
        def execute(self, sql: str, *rest: Any) -> sqlite3.Cursor:
            asked.append(sql)
            return super().execute(sql, *rest)

    database.sqlite3.connect = lambda *args, **rest: real(*args, factory=Spy, **rest)  # type: ignore[assignment]
    try:
        database.connect(path).close()
    finally:
        database.sqlite3.connect = real
    assert asked == ["PRAGMA user_version", "PRAGMA synchronous = FULL"]


def test_a_run_costs_less_than_400_bytes(store: SqliteStore, path: str) -> None:
    store._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    empty = os.path.getsize(path)
    store._connection.execute("PRAGMA synchronous = OFF")
    for number in range(2000):
        run = run_of(number, script=f"job{number % 20}.py", script_hash=f"{number % 40:064x}")
        run.args = ["--day", f"2026-{number % 12 + 1:02d}-{number % 28 + 1:02d}"]
        run.attempts = [attempt_of(run, count=3)]
        rng = random.Random(number)
        for metric in metrics.METRICS:  # no figure may profit from being the same in every run
            run.last.metrics[metric.name] = rng.random() * 1000 if metric.type is float else rng.randrange(1 << 24)
        run.last.output, run.last.curve = {}, None
        store.save(run)
    store.close()
    assert (os.path.getsize(path) - empty) / 2000 < 400


def test_deleting_gives_space_back_to_the_disk(store: SqliteStore, path: str) -> None:
    for number in range(300):
        run = whole(number, count=50)
        run.last.output["stdout"].head = random.Random(number).randbytes(20_000)
        store.save(run)
    store._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    before = os.path.getsize(path)
    assert store.cleanup(START + 295 * 60 * 10**9) == 295
    assert os.path.getsize(path) < before / 10
    assert os.path.getsize(path + "-wal") == 0
    assert store.count(RunFilter()) == 5
    assert ask(path, "PRAGMA integrity_check") == [("ok",)]
    for table in ("scripts", "hosts", "environments", "versions", "arguments"):
        assert ask(path, f"SELECT count(*) FROM {table}") == [(1,)]


def test_a_newer_record_is_refused_and_untouched(store: SqliteStore, path: str) -> None:
    store.save(whole(1))
    store._connection.execute("PRAGMA user_version = 99")
    store.close()
    before = Path(path).read_bytes()
    for create in (True, False):
        with pytest.raises(StoreVersionError, match=r"newer version.*99"):
            SqliteStore(path, create)
    assert Path(path).read_bytes() == before


@pytest.mark.parametrize("name", ["notes.txt", "history.db"])
def test_a_file_that_is_no_database_is_refused_and_untouched(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("dear diary\n" * 100)
    with pytest.raises(StoreError, match="not a record") as caught:
        SqliteStore(str(path))
    assert not isinstance(caught.value, StoreCorruptError)
    assert path.read_text() == "dear diary\n" * 100


@pytest.mark.parametrize("version", [0, database.SCHEMA])
def test_a_database_of_another_program_is_refused_and_untouched(path: str, version: int) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE songs (title TEXT)")
    connection.execute(f"PRAGMA user_version = {version}")
    connection.commit()
    connection.close()
    with pytest.raises(StoreError, match="another program"):
        save_at(path)
    assert ask(path, "SELECT name FROM sqlite_master") == [("songs",)]


def test_an_empty_file_becomes_a_record(path: str) -> None:
    Path(path).touch()
    store = SqliteStore(path)
    assert store.save(whole(1))
    store.close()


def damage_header(data: bytearray) -> None:
    data[16:40] = b"\xff" * 24


def damage_pages(data: bytearray) -> None:
    data[4096 : 4096 * 30] = b"\xa5" * (4096 * 29)


def cut(data: bytearray) -> None:
    del data[4096 * 3 :]


def blank(data: bytearray) -> None:
    data[:] = bytes(len(data))


@pytest.mark.parametrize("damage", [damage_header, damage_pages, cut, blank])
def test_damage_of_ours_is_told_from_a_foreign_file(store: SqliteStore, path: str, damage: Any) -> None:
    store.save(whole(1))
    store.close()
    data = bytearray(Path(path).read_bytes())
    damage(data)
    Path(path).write_bytes(data)
    with pytest.raises(StoreCorruptError, match="damaged"):
        save_at(path)


def test_under_the_default_name_garbage_is_taken_for_damage(tmp_path: Path) -> None:
    (tmp_path / DEFAULT_NAME).write_bytes(b"\xa5" * 8192)
    with pytest.raises(StoreCorruptError):
        SqliteStore(str(tmp_path / DEFAULT_NAME))


def test_reading_creates_nothing(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no record"):
        SqliteStore(str(tmp_path / "history.db"), create=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("where", ["missing/history.db", "folder"])
def test_a_path_that_can_not_work(tmp_path: Path, where: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(StoreError, match=where):
        SqliteStore(str(tmp_path / where))


def test_a_run_is_stored_wholly_or_not_at_all(store: SqliteStore, path: str) -> None:
    run = whole(1)
    run.last.output["stderr"] = run.last.output["stdout"]
    store._queries["add_output"] = store._queries["add_output"].replace("outputs", "nowhere")
    with pytest.raises(StoreError):
        store.save(run)
    for table in ("runs", "curves", "scripts", "hosts"):
        assert ask(path, f"SELECT count(*) FROM {table}") == [(0,)]
    store._queries = database.read_queries()
    assert store.save(run)


def test_half_a_creation_is_completed(path: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    store = SqliteStore(path)
    assert store.save(whole(1))
    store.close()


def test_many_arguments_are_kept_small(store: SqliteStore, path: str) -> None:
    run = whole(1, args=[f"--file=/srv/data/{number:05d}.csv" for number in range(10_000)])
    store.save(run)
    store.save(whole(2, args=run.args))
    found = store.get(run.id)
    assert found is not None
    assert found.args == run.args
    assert ask(path, "SELECT count(*), sum(length(args)) < 60000 FROM arguments") == [(1, 1)]


def test_what_can_not_be_stored_is_said(store: SqliteStore, path: str) -> None:
    run = whole(1)
    run.last.exit_code = 1 << 70
    with pytest.raises(StoreError, match=r"history\.db"):
        store.save(run)
    run.last.exit_code = 0
    run.host["x"] = object()
    with pytest.raises(StoreError, match=r"history\.db"):
        store.save(run)
    assert store.save(whole(1))
