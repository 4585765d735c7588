"""The record can't be written: the script does not suffer, what happened is said, and nothing is lost."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runner.stores.database import SCHEMA
from tests.integration.faults.conftest import DATABASE, history

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests import support

FAILS = "print('fine'); raise SystemExit(7)"


def fill(folder: Path) -> Path:
    """Leave no room on a disk."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                pass
    return filler


def said_once(done: support.Result, *texts: str) -> None:
    """Check that the script's end is the command's, and that one warning says all of the texts."""
    assert (done.exit_code, done.out) == (7, "fine\n"), done
    warnings = [line for line in done.err.splitlines() if line.startswith("runner: warning: ")]
    assert len(warnings) == 1, done
    for text in texts:
        assert text in warnings[0]
    assert "Traceback" not in done.err


def test_a_full_disk(runner: support.Command, disk: Callable[[str], Path]) -> None:
    folder = disk("2m")
    database = folder / "my.db"
    runner("--history-db", database, "--quiet", "-c", "")
    filler = fill(folder)
    done = runner("--history-db", database, "-c", FAILS)
    said_once(done, str(database), "is kept in", runner.env["XDG_STATE_HOME"])
    assert "full" in done.err or "No space left" in done.err
    assert [run["exit_code"] for run in history(runner, "--history-db", database)] == [0]
    filler.unlink()
    after = runner("--history-db", database, "--quiet", "-c", "")
    assert after.err.count("stored now") == 1
    runs = history(runner, "--history-db", database)
    assert sorted(run["exit_code"] for run in runs) == [0, 0, 7]
    assert next(run for run in runs if run["exit_code"])["metrics"]["stdout_size_bytes"] == 5


def test_a_disk_that_the_script_fills(runner: support.Command, disk: Callable[[str], Path]) -> None:
    """The script gets what it gets alone, and goes on; so does the runner with what is left."""
    folder = disk("2m")
    script = runner.script(
        """
        import os, sys
        with open(sys.argv[1], "wb", buffering=0) as file:
            for size in (4096, 1):
                try:
                    while True:
                        file.write(b"x" * size)
                except OSError:
                    pass
        print("fine")
        sys.exit(7)
        """
    )
    said_once(runner("--history-db", folder / "new.db", script, folder / "filler"), "is kept in")
    (folder / "filler").unlink()
    (run,) = history(runner, "--history-db", folder / "new.db")
    assert (run["exit_code"], run["error_message"]) == (7, "exit code 7")


def test_no_room_anywhere(runner: support.Command, disk: Callable[[str], Path]) -> None:
    folder = disk("2m")
    runner.env["XDG_STATE_HOME"] = str(folder / "state")
    fill(folder)
    said_once(runner("--history-db", folder / "my.db", "-c", FAILS), "the run is not remembered")


def test_a_record_that_may_only_be_read(bound: support.Command) -> None:
    bound("--quiet", "-c", "")
    database = bound.cwd / DATABASE
    database.chmod(0o444)
    bound.cwd.chmod(0o555)
    try:
        done = bound("-c", FAILS)
        said_once(done, f"{database} can't be written", "is kept in", bound.env["XDG_STATE_HOME"])
        assert [run["exit_code"] for run in history(bound)] == [0]  # it can still be read
        question = bound("history")
        assert question.err.splitlines() == [
            f"runner: warning: runs that wait to be stored may be missing here: {database} can't be written"
        ]
    finally:
        bound.cwd.chmod(0o755)
        database.chmod(0o644)
    assert [run["exit_code"] for run in history(bound)] == [7, 0]
    assert not list(Path(bound.env["XDG_STATE_HOME"]).rglob("run.json"))


def test_a_folder_without_a_record_that_may_only_be_read(bound: support.Command) -> None:
    bound.cwd.chmod(0o555)
    try:
        said_once(bound("-c", FAILS), f"{bound.cwd} can't be written; the run is remembered in", DATABASE)
        assert [run["exit_code"] for run in history(bound)] == [7]
    finally:
        bound.cwd.chmod(0o755)


def test_a_lock_that_outlasts_every_patience(runner: support.Command) -> None:
    """The script's end waits for nobody: it comes when the script ends, and the run is stored when the lock is gone."""
    runner("--quiet", "-c", "")
    other = sqlite3.connect(runner.cwd / DATABASE, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    said_once(runner("-c", FAILS), "was locked by another program", f"{DATABASE}.runs/")
    (journal,) = (runner.cwd / f"{DATABASE}.runs").iterdir()
    assert (journal / "run.json").exists()
    other.execute("ROLLBACK")
    other.close()
    assert [run["exit_code"] for run in history(runner)] == [7, 0]
    assert not journal.exists()


@pytest.mark.parametrize("damage", ["middle", "header", "cut", "zeros"])
def test_a_damaged_record(runner: support.Command, damage: str) -> None:
    runner("--quiet", "-c", "")
    database = runner.cwd / DATABASE
    data = bytearray(database.read_bytes())
    if damage == "middle":
        data[4096:] = b"\xa5" * (len(data) - 4096)
    elif damage == "header":
        data[:100] = b"\xa5" * 100
    elif damage == "cut":
        del data[5000:]
    else:
        data = bytearray(len(data))
    database.write_bytes(data)
    query = runner("history")
    assert (query.exit_code, query.out) == (1, "")
    assert len(query.err.splitlines()) == 1
    assert "damaged" in query.err
    assert database.read_bytes() == data  # a question moves nothing
    done = runner("-c", FAILS)
    said_once(done, "damaged", "it was moved to", "a new record was begun")
    (aside,) = (path for path in runner.cwd.glob(f"{DATABASE}.corrupt-*") if not path.name.endswith(("-wal", "-shm")))
    assert str(aside) in done.err
    assert aside.read_bytes() == data
    assert [run["exit_code"] for run in history(runner)] == [7]
    assert "damaged" not in runner("-c", "").err


def test_a_record_of_a_newer_version(runner: support.Command) -> None:
    runner("--quiet", "-c", "")
    database = runner.cwd / DATABASE
    set_version(database, 99)
    before = database.read_bytes()
    done = runner("-c", FAILS)
    said_once(done, "was written by a newer version", "upgrade the runner", f"is kept in {database}.runs/")
    query = runner("history")
    assert (query.exit_code, query.out) == (1, "")
    assert "newer version" in query.err
    assert len(query.err.splitlines()) == 1
    assert database.read_bytes() == before
    set_version(database, SCHEMA)  # as if the runner had been upgraded
    assert [run["exit_code"] for run in history(runner)] == [7, 0]


def set_version(database: Path, version: int) -> None:
    connection = sqlite3.connect(database)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
