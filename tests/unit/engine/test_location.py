"""Where the record is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runner.engine.location import journal_roots, locate
from runner.stores.base import DEFAULT_NAME


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def here(tmp_path: Path) -> Path:
    folder = tmp_path / "project" / "jobs" / "daily"
    folder.mkdir(parents=True)
    return folder


def test_a_new_one_is_here(here: Path) -> None:
    assert locate("", str(here)) == (str(here / DEFAULT_NAME), None)


def test_the_nearest_above_is_taken(here: Path) -> None:
    for folder in (here.parent.parent, here.parent):
        (folder / DEFAULT_NAME).touch()
        assert locate("", str(here)) == (str(folder / DEFAULT_NAME), None)


def test_what_was_asked_for_is_taken(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(here)
    monkeypatch.setenv("HOME", "/home/alice")
    assert locate("x.db", "/elsewhere") == (str(here / "x.db"), None)
    assert locate("~/x.db", "/elsewhere") == ("/home/alice/x.db", None)


def test_where_it_can_not_be_written_it_is_in_the_state_directory(state: Path) -> None:
    path, said = locate("", "/proc/self")
    assert path == str(state / "runner" / DEFAULT_NAME)
    assert said is not None
    assert "/proc/self can't be written" in said
    assert path in said


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_that_somebody_put_into_a_common_folder_is_passed_over(here: Path) -> None:
    common = here.parent.parent
    (common / DEFAULT_NAME).touch()
    os.chown(common / DEFAULT_NAME, 12345, 12345)
    assert locate("", str(here))[0] == str(common / DEFAULT_NAME)
    common.chmod(0o1777)
    assert locate("", str(here))[0] == str(here / DEFAULT_NAME)
    os.chown(common / DEFAULT_NAME, os.geteuid(), -1)
    assert locate("", str(here))[0] == str(common / DEFAULT_NAME)


def test_journals_of_different_records_never_mix() -> None:
    first, second = journal_roots("/a/history.db"), journal_roots("/b/history.db")
    assert first[0] == "/a/history.db.runs"
    assert len({*first, *second}) == 4
    assert Path(first[1]).name.startswith("history.db-")
