"""The journal: what is written can be rebuilt, whoever holds the lock owns it, trouble is never raised."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from runner.agent.events import EXITED, LOST, SAMPLE_FIELDS, Ended, Output, Signal
from runner.model.errors import StoreCorruptError
from runner.model.fold import KEPT, Fold
from runner.stores import journal as journal_module
from runner.stores.journal import EVENTS, FACTS, Journal, abandoned
from runner.stores.replay import load
from tests.support import SRC
from tests.unit.stores.made import ended, events, run_of, samples, started

if TYPE_CHECKING:
    from pathlib import Path

    from runner.model.run import Run


def told(root: Path, run: Run, count: int = 20, until: int | None = None) -> Journal:
    """Write the journal of one attempt, of which the last events may be missing."""
    journal = Journal.create(str(root), run)
    for event in list(events(run, 1, count))[:until]:
        journal.tell(event, 1)
    return journal


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "history.db.runs"


def test_a_finished_run_is_rebuilt_as_what_it_was(root: Path) -> None:
    run = run_of(1)
    journal = told(root, run)
    fold = Fold(1)
    for event in events(run, 1):
        fold.tell(event)
    run.attempts = [fold.attempt]
    again = load(journal.path)
    assert again.to_dict() == run.to_dict()
    assert again.script_key == run.script_key
    assert again.last.output["stdout"].head == b"hello\n" * 10
    assert again.last.curve is not None
    assert again.last.curve.samples == 20
    journal.close()


def test_a_run_whose_end_nobody_saw_is_lost_with_all_it_measured(root: Path) -> None:
    run = run_of(1)
    journal = told(root, run, until=-1)
    again = load(journal.path)
    assert (again.last.reason, again.last.exit_code, again.last.success) == (LOST, None, False)
    assert again.last.curve is not None
    assert again.last.curve.samples == 20
    assert again.last.output["stdout"].size == 60
    measured = {name for name, value in again.last.metrics.items() if value is not None}
    assert len(measured) > 10
    assert set(again.last.kinds.values()) == {"bound"}
    journal.close()


def test_a_run_of_which_nothing_was_told_is_lost_too(root: Path) -> None:
    run = run_of(1)
    journal = Journal.create(str(root), run)
    again = load(journal.path)
    assert (again.last.reason, again.last.started, again.id) == (LOST, run.started, run.id)
    journal.close()


def test_what_the_runner_made_of_an_attempt_wins(root: Path) -> None:
    run = run_of(1)
    journal = told(root, run)
    attempt = Fold(1).attempt
    attempt.reason, attempt.exit_code, attempt.error_type, attempt.error_message = (
        EXITED,
        1,
        "KeyError",
        "KeyError: 'x'",
    )
    attempt.started, attempt.delay = run.started, 2.5
    run.attempts = [attempt]
    run.git_dirty = True
    journal.update(run)
    again = load(journal.path)
    assert (again.last.error_type, again.last.error_message, again.last.delay) == ("KeyError", "KeyError: 'x'", 2.5)
    assert again.git_dirty is True
    journal.close()


def test_each_attempt_has_its_own_events_and_output(root: Path) -> None:
    run = run_of(1)
    journal = Journal.create(str(root), run)
    for number in (1, 2):
        journal.tell(started(run), number)
        for sample in samples(number, number):
            journal.tell(sample, number)
        text = f"attempt {number}\n".encode()
        journal.tell(Output(0.1, "stdout", 0, text, len(text), 1), number)
        journal.tell(ended(number, 0.5, exit_code=2 - number), number)
    again = load(journal.path)
    assert [attempt.exit_code for attempt in again.attempts] == [1, 0]
    assert [attempt.curve.samples for attempt in again.attempts if attempt.curve] == [1, 2]
    assert [attempt.output["stdout"].head for attempt in again.attempts] == [b"attempt 1\n", b"attempt 2\n"]
    journal.close()


def test_output_keeps_beginning_and_end(root: Path) -> None:
    journal = Journal.create(str(root), run_of(1))
    size = 20 << 20
    block = b"0123456789abcde\n" * 65536
    for offset in range(0, size, len(block)):
        journal.tell(Output(0.1, "stdout", offset, block, offset + len(block), 0), 1)
    journal.tell(Output(0.2, "stdout", size, b"the end\n", size + 8, 0), 1)
    kept = sum(path.stat().st_size for path in root.glob("*/stdout.*"))
    assert kept <= (8 << 20) + (12 << 20)
    tail = load(journal.path).last.output["stdout"]
    assert (tail.head, tail.size) == (block[:KEPT], size + 8)
    assert tail.tail == (block + b"the end\n")[-KEPT:]
    journal.close()


def test_events_stay_bounded_and_lose_no_sample_and_no_other_event(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "BOUND", 20_000)
    run = run_of(1)
    journal = Journal.create(str(root), run)
    for number in (1, 2):
        fold = Fold(number)
        journal.curve = fold.curve
        for index, event in enumerate([started(run), *samples(number, 1000), ended(number, 100.0)]):
            fold.tell(event)
            journal.tell(event, number)
            if index == 10:
                journal.tell(Signal(1.0, 15, 1, "forwarded"), number)
        run.attempts.append(fold.attempt)
    path = root / run.id / EVENTS
    assert path.stat().st_size < 400_000
    assert path.read_text().count('"event":"signal"') == 2
    assert path.read_text().count('"event":"sample"') < 500
    again = load(journal.path)
    assert again.to_dict() == run.to_dict()
    for mine, other in zip(again.attempts, run.attempts, strict=True):
        assert mine.curve is not None and other.curve is not None
        assert mine.curve.samples == 1000
        assert [bucket.high for bucket in mine.curve.buckets] == [bucket.high for bucket in other.curve.buckets]
    assert not journal.trouble
    journal.close()


def test_a_line_that_was_cut_short_is_passed_over(root: Path) -> None:
    run = run_of(1)
    journal = told(root, run, until=10)
    with (root / run.id / EVENTS).open("a") as file:
        file.write('{"t":1.0,"span":0.1,"val')
    assert load(journal.path).last.curve.samples == 9  # type: ignore[union-attr]
    journal.close()


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"v":1}', '{"v":99,"run":{}}'])
def test_a_journal_without_facts_is_said_to_be_damaged(root: Path, damage: str) -> None:
    journal = told(root, run_of(1))
    (root / run_of(1).id / FACTS).write_text(damage)
    with pytest.raises(StoreCorruptError):
        load(journal.path)
    journal.close()


def test_a_full_disk_is_remembered_and_not_raised(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_of(1)
    journal = told(root, run, until=5)
    write, full = os.write, True

    def fail(descriptor: int, data: bytes) -> int:
        if full and len(data) > 10:
            write(descriptor, data[:10])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", fail)
    for sample in samples(2, 5):
        journal.tell(sample, 1)
    journal.tell(Output(0.1, "stdout", 0, b"x" * 100, 100, 0), 1)
    assert journal.trouble == os.strerror(errno.ENOSPC)
    full = False
    for sample in samples(3, 5):
        journal.tell(sample, 1)
    assert load(journal.path).last.curve.samples == 4 + 5  # type: ignore[union-attr]
    journal.close()


def test_whole_attempts_can_be_written_into_a_journal_that_saw_none(root: Path) -> None:
    run = run_of(1)
    fold = Fold(1)
    for event in events(run, 1):
        fold.tell(event)
    run.attempts = [fold.attempt]
    run.last.output["stdout"].tail, run.last.output["stdout"].size = b"the end", 1000
    journal = Journal.create(str(root), run)
    journal.write_attempts(run)
    again = load(journal.path)
    assert again.to_dict() == run.to_dict()
    tail = again.last.output["stdout"]
    assert (tail.head, tail.tail, tail.size) == (b"hello\n" * 10, b"the end", 1000)
    assert again.last.curve is not None
    assert again.last.curve.samples == 20
    journal.close()


def test_a_live_journal_is_nobody_elses(root: Path) -> None:
    journal = told(root, run_of(1))
    assert list(abandoned(str(root))) == []
    journal.close(remove=False)
    left = list(abandoned(str(root)))
    assert [each.path for each in left] == [str(root / run_of(1).id)]
    assert list(abandoned(str(root))) == []  # it is ours now
    left[0].close()
    assert list(root.iterdir()) == []


def test_the_lock_of_a_killed_process_is_free(root: Path) -> None:
    code = f"""
import sys, time
sys.path[:0] = [{str(SRC)!r}, {str(SRC.parent)!r}]
from tests.unit.stores.made import run_of
from runner.stores.journal import Journal
journal = Journal.create({str(root)!r}, run_of(1))
print("ready", flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        assert list(abandoned(str(root))) == []
        process.kill()
    left = list(abandoned(str(root)))
    assert len(left) == 1
    left[0].close()


def test_remnants_are_cleared_and_other_folders_left(root: Path) -> None:
    for name, age in (
        (".new-0123456789ab", 7200),
        (".new-ba9876543210", 0),
        (".gone-0123456789ab", 0),
        (".damaged-1", 7200),
    ):
        (root / name).mkdir(parents=True)
        (root / name / FACTS).write_text("{}")
        os.utime(root / name, (time.time() - age, time.time() - age))
    (root / "notes").mkdir()
    assert list(abandoned(str(root))) == []
    assert sorted(path.name for path in root.iterdir()) == [".damaged-1", ".new-ba9876543210", "notes"]
    assert list(abandoned(str(root / "nothing"))) == []


def test_a_journal_is_for_its_owner_alone_and_out_of_the_way(root: Path) -> None:
    before = set(os.listdir("/proc/self/fd"))
    journal = told(root, run_of(1))
    assert all(int(name) >= 10 for name in set(os.listdir("/proc/self/fd")) - before)
    assert root.stat().st_mode & 0o777 == 0o700
    folder = root / run_of(1).id
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    journal.close()
    assert set(os.listdir("/proc/self/fd")) == before
    assert not folder.exists()


def test_no_journal_where_it_can_not_be_written(tmp_path: Path) -> None:
    before = set(os.listdir("/proc/self/fd"))
    (tmp_path / "file").write_text("")
    for root in (tmp_path / "file", tmp_path / "missing" / "runs"):
        with pytest.raises(OSError):
            Journal.create(str(root), run_of(1))
    assert set(os.listdir("/proc/self/fd")) == before
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_size_of_what_a_sample_costs(root: Path) -> None:
    journal = told(root, run_of(1), count=1000)
    assert (root / run_of(1).id / EVENTS).stat().st_size / 1000 < 250
    assert len(SAMPLE_FIELDS) == 11
    journal.close()


def test_an_attempt_that_could_not_be_started(root: Path) -> None:
    run = run_of(1)
    journal = Journal.create(str(root), run)
    journal.tell(Ended(0.0, "failed-to-start", 127, message="no such file"), 1)
    again = load(journal.path)
    assert (again.last.reason, again.last.exit_code, again.last.error_message) == (
        "failed-to-start",
        127,
        "no such file",
    )
    assert again.last.started == run.started
    journal.close()
