"""Runs are remembered whatever happens: crashes, locks, full and read-only disks, damage, many runners at once."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runner.agent.events import LOST
from runner.engine.location import journal_roots
from runner.engine.record import Recorder
from runner.engine.run_options import RecordOptions
from runner.stores import database as database_module
from runner.stores.base import RunFilter
from runner.stores.sqlite import SqliteStore
from tests import support
from tests.integration.record.conftest import finish_events, remember
from tests.unit.stores.made import run_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.model.run import Run
    from tests.integration.record.conftest import Worker


def stored(database: str) -> list[Run]:
    store = SqliteStore(database, create=False)
    try:
        return store.runs(RunFilter(order="oldest"), output=True, samples=True)
    finally:
        store.close()


def left_beside(database: str) -> list[str]:
    """Return the files beside the database that are not SQLite's own."""
    own = {Path(database).name + suffix for suffix in ("", "-wal", "-shm")}
    return sorted(path.name for path in Path(database).parent.iterdir() if path.name not in own)


def test_a_run_is_stored_and_nothing_else_is_left(database: str) -> None:
    run, said = remember(database, 1)
    assert said == []
    assert left_beside(database) == []
    assert run.usual is not None
    run.usual = None  # told at the end of a run, not stored
    assert [each.to_dict() for each in stored(database)] == [run.to_dict()]


def test_the_journal_is_there_while_the_run_lasts(database: str) -> None:
    run = run_of(1)
    recorder = Recorder(RecordOptions(history_db=database), "/", run)
    folder = Path(database + ".runs") / run.id
    assert {path.name for path in folder.iterdir()} == {"lock", "requests", "run.json", "events.jsonl"}
    assert not Path(database).exists()
    finish_events(recorder, run, 1)
    assert (folder / "stdout.1.0").read_bytes() == b"hello\n" * 10
    assert recorder.finish(run) == []
    assert not folder.parent.exists()


def test_fifty_runners_at_once_on_a_new_database(database: str, worker: Callable[..., Worker]) -> None:
    workers = [worker(database, number, "wait") for number in range(50)]
    for each in workers:
        each.wait_ready()
    for each in workers:
        assert each.process.stdin is not None
        each.process.stdin.close()  # all of them end now
        each.process.stdin = None
    assert [each.finish() for each in workers] == [(0, [])] * 50
    assert {run.id for run in stored(database)} == {run_of(number).id for number in range(50)}
    assert left_beside(database) == []


def test_a_killed_runners_run_is_stored_as_lost_by_the_next(database: str, worker: Callable[..., Worker]) -> None:
    assert worker(database, 1, "die").finish() == (-9, [])
    assert left_beside(database) == ["history.db.runs"]
    run, said = remember(database, 2)
    assert len(said) == 1
    assert run_of(1).id in said[0]
    assert "lost" in said[0]
    lost, other = stored(database)
    assert (lost.id, other.id) == (run_of(1).id, run.id)
    assert (lost.last.reason, lost.last.exit_code, lost.last.error_type) == (LOST, None, LOST)
    assert lost.last.curve is not None
    assert lost.last.curve.samples == 20
    assert lost.last.output["stdout"].head == b"hello\n" * 10
    assert left_beside(database) == []


def test_many_runners_that_fold_one_lost_run_make_one_row(database: str, worker: Callable[..., Worker]) -> None:
    worker(database, 1, "die").finish()
    others = [worker(database, number, "wait") for number in range(2, 10)]
    for each in others:
        each.wait_ready()
    for each in others:
        assert each.process.stdin is not None
        each.process.stdin.close()
        each.process.stdin = None
    said = [line for each in others for line in each.finish()[1]]
    assert len(said) == 1
    assert "lost" in said[0]
    assert [run.id for run in stored(database)] == [run_of(number).id for number in range(1, 10)]


def test_a_run_that_was_stored_but_whose_journal_stayed_is_not_stored_twice(database: str) -> None:
    run = run_of(1)
    recorder = Recorder(RecordOptions(history_db=database), "/", run)
    finish_events(recorder, run, 1)
    store = SqliteStore(database)
    store.save(run)
    store.close()
    assert recorder._journal is not None
    recorder._journal.close(remove=False)  # as if it had been killed in between
    assert remember(database, 2)[1] == []
    assert [each.id for each in stored(database)] == [run_of(1).id, run_of(2).id]
    assert left_beside(database) == []


def test_a_locked_database_keeps_the_journal(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "BUSY_SECONDS", 0.2)
    remember(database, 1)
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    run, said = remember(database, 2)
    assert len(said) == 1
    assert "locked" in said[0]
    assert f"{database}.runs/{run.id}" in said[0]
    other.execute("ROLLBACK")
    other.close()
    said = remember(database, 3)[1]
    assert len(said) == 1
    assert "stored now" in said[0]
    runs = stored(database)
    assert [each.id for each in runs] == [run_of(number).id for number in (1, 2, 3)]
    assert runs[1].to_dict() == run.to_dict()
    assert left_beside(database) == []


def test_a_failed_run_that_was_kept_is_stored_as_what_it_was(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_of(1)
    recorder = Recorder(RecordOptions(history_db=database), "/", run)
    finish_events(recorder, run, 1)
    run.last.exit_code, run.last.error_type, run.last.error_message = 1, "KeyError", "KeyError: 'x'"
    run.git_dirty = True
    os.mkdir(database)  # nothing can be stored there
    said = recorder.finish(run)
    assert len(said) == 1
    assert "directory" in said[0]
    os.rmdir(database)
    remember(database, 2)
    assert stored(database)[0].to_dict() == run.to_dict()


def fill(folder: Path) -> None:
    with (folder / "filler").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            pass


def test_a_disk_that_fills_up_while_storing(disk: Callable[[str], Path], state: Path) -> None:
    folder = disk("2m")
    database = str(folder / "history.db")
    remember(database, 1)
    run = run_of(2)
    recorder = Recorder(RecordOptions(history_db=database), "/", run)
    fill(folder)
    finish_events(recorder, run, 2)
    said = recorder.finish(run)
    assert any("full" in line or "No space" in line for line in said), said
    kept = next(line for line in said if "is kept in" in line)
    assert str(state) in kept  # its journal could not be completed on the full disk
    (folder / "filler").unlink()
    assert [each.id for each in stored(database)] == [run_of(1).id]
    assert "stored now" in remember(database, 3)[1][0]
    runs = stored(database)
    assert [each.id for each in runs] == [run_of(number).id for number in (1, 2, 3)]
    assert runs[1].to_dict() == run.to_dict()
    assert runs[1].last.curve is not None
    assert list(state.rglob("*.jsonl")) == []


def test_a_read_only_disk_keeps_the_journal_in_the_state_directory(disk: Callable[[str], Path], state: Path) -> None:
    folder = disk("2m")
    database = str(folder / "history.db")
    remember(database, 1)
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    run, said = remember(database, 2)
    assert len(said) == 1
    assert f"kept in {journal_roots(database)[1]}/{run.id}" in said[0]
    assert [each.id for each in stored(database)] == [run_of(1).id]  # and it can still be read
    subprocess.run(["mount", "-o", "remount,rw", str(folder)], check=True)
    remember(database, 3)
    assert [each.id for each in stored(database)] == [run_of(number).id for number in (1, 2, 3)]
    assert list(state.rglob("run.json")) == []


def test_a_folder_that_does_not_exist_keeps_the_journal(tmp_path: Path, state: Path) -> None:
    run, said = remember(str(tmp_path / "missing" / "history.db"), 1)
    assert len(said) == 1
    assert "missing" in said[0]
    assert len(list(state.rglob(f"{run.id}/run.json"))) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_database_is_moved_aside_and_the_run_kept(database: str) -> None:
    remember(database, 1)
    damaged = bytearray(Path(database).read_bytes())
    damaged[4096:] = b"\xa5" * (len(damaged) - 4096)
    Path(database).write_bytes(damaged)
    run, said = remember(database, 2)
    assert len(said) == 1
    assert "moved to" in said[0]
    aside = [name for name in left_beside(database) if "corrupt" in name and not name.endswith(("-wal", "-shm"))]
    assert len(aside) == 1
    assert Path(database).parent.joinpath(aside[0]).read_bytes() == damaged
    assert [each.id for each in stored(database)] == [run.id]


def test_of_many_runners_that_find_damage_one_moves_it(database: str, worker: Callable[..., Worker]) -> None:
    remember(database, 1)
    data = bytearray(Path(database).read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    Path(database).write_bytes(data)
    workers = [worker(database, number, "wait") for number in range(2, 8)]
    for each in workers:
        each.wait_ready()
    for each in workers:
        assert each.process.stdin is not None
        each.process.stdin.close()
        each.process.stdin = None
    ends = [each.finish() for each in workers]
    assert [code for code, _ in ends] == [0] * 6
    assert sum("moved to" in line for _, said in ends for line in said) == 1
    remember(database, 9)
    assert [each.id for each in stored(database)] == [run_of(number).id for number in (*range(2, 8), 9)]


@pytest.mark.parametrize("version", [0, 99])
def test_what_is_no_record_of_ours_is_left_alone_and_the_run_kept(database: str, version: int) -> None:
    if version:
        remember(database, 1)
        connection = sqlite3.connect(database)
        connection.execute(f"PRAGMA user_version = {version}")
        connection.close()
    else:
        Path(database).write_text("dear diary\n")
    before = Path(database).read_bytes()
    run, said = remember(database, 2)
    assert len(said) == 1
    assert ("newer version" if version else "not a record") in said[0]
    assert f"kept in {database}.runs/{run.id}" in said[0]
    assert Path(database).read_bytes() == before


def test_a_journal_that_can_not_be_read_is_set_aside_once(database: str) -> None:
    broken = Path(database + ".runs") / run_of(1).id
    broken.mkdir(parents=True)
    (broken / "lock").touch()
    (broken / "run.json").write_text("{")
    said = remember(database, 2)[1]
    assert len(said) == 1
    assert "set aside" in said[0]
    assert remember(database, 3)[1] == []
    assert len(stored(database)) == 2


def test_automatic_cleanup_keeps_what_is_young_enough(database: str) -> None:
    remember(database, 1)
    from time import time_ns

    run = run_of(2)
    run.started = time_ns()
    recorder = Recorder(RecordOptions(history_db=database, auto_cleanup=True, retention_days=1), "/", run)
    finish_events(recorder, run, 2)
    assert recorder.finish(run) == []
    assert [each.id for each in stored(database)] == [run.id]


def test_remembering_imports_nothing_heavy(database: str) -> None:
    heavy = [
        "argparse",
        "dataclasses",
        "datetime",
        "enum",
        "json",
        "pathlib",
        "random",
        "re",
        "signal",
        "tempfile",
        "typing",
    ]
    code = f"""
import sys
before = set(sys.modules)
from runner.engine.record import Recorder
from runner.engine.run_options import RecordOptions
from runner.agent.events import Ended, Started
from runner.model.fold import Fold
from runner.model.run import Run
run = Run("0123456789ab", "x.py", 1)
recorder = Recorder(RecordOptions(history_db={database!r}), "/", run)
fold = Fold(1)
recorder.begin(fold.attempt)
for event in (Started(0.0, 1, 2, 3, "", {{}}, {{}}), Ended(1.0, "exited", 0)):
    fold.tell(event)
    recorder.tell(event, 1)
run.attempts = [fold.attempt]
assert recorder.finish(run) == []
print(*sorted(set(sys.modules) - before))
"""
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={"PYTHONPATH": str(support.SRC), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    imported = done.stdout.split()
    assert "runner.stores.sqlite" in imported
    assert not set(imported) & set(heavy)
    assert len(stored(database)) == 1


def test_storing_waits_for_the_disk_no_oftener_than_a_bare_insert(tmp_path: Path) -> None:
    support.require("strace")
    from benchmarks import store

    plain, record = store.prepare(tmp_path, runs=20)
    least = store.fsyncs("bare", plain, tmp_path)
    assert least > 0
    assert store.fsyncs("store", record, tmp_path) <= least
    assert store.fsyncs("recorder", record, tmp_path) <= least
