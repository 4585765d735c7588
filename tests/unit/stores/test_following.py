"""A journal is read while it is written: its output, its events, and where it is now."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from runner.agent.events import Ended, Output, Sample, Started
from runner.stores import journal as journals
from runner.stores import reading, segments
from runner.stores.following import EventReader, StreamReader, attempts
from runner.stores.journal import Journal
from runner.stores.segments import Segments
from tests.unit.stores.made import run_of, samples, started

STREAM = bytes(index % 251 for index in range(5000))


def placed(pieces: list[tuple[int, bytes]]) -> dict[int, int]:
    found = {}
    for offset, data in pieces:
        for number, byte in enumerate(data):
            assert offset + number not in found
            found[offset + number] = byte
    return found


@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_read_is_read_once_and_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    for name, value in (("HEAD", 80), ("SEGMENT", 40), ("KEPT", 80)):
        monkeypatch.setattr(segments, name, value)
    rng = random.Random(seed)
    written = Segments(str(tmp_path / "stdout.1"))
    reader = StreamReader(str(tmp_path), "stdout", 1)
    pieces = []
    offset = 0
    eager = rng.random()
    while offset < len(STREAM):
        length = rng.randrange(1, 60)
        if rng.random() < 0.95:  # otherwise the agent has kept nothing of it
            written.add(offset, STREAM[offset : offset + length], offset / 100)
        offset += length
        if rng.random() < eager:
            pieces += reader.read()
    written.close()
    pieces += reader.read()
    assert [place for place, _ in pieces] == sorted(place for place, _ in pieces)
    found = placed(pieces)
    assert all(STREAM[place] == byte for place, byte in found.items())
    for path in tmp_path.iterdir():
        if path.suffix != ".times":
            start = int(path.name.rpartition(".")[2])
            assert all(place in found for place in range(start, start + path.stat().st_size))
    assert reader.moments.at(0) == 0.0
    reader.close()


def test_what_was_open_is_read_to_its_end_when_the_journal_goes(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    folder.mkdir()
    written = Segments(str(folder / "stderr.2"))
    written.add(0, b"begun\n")
    assert attempts(str(folder)) == [(2, "stderr")]
    reader = StreamReader(str(folder), "stderr", 2)
    assert reader.read() == [(0, b"begun\n")]
    written.add(6, b"the end\n")
    shutil.rmtree(folder)
    assert reader.read() == [(6, b"the end\n")]
    assert reader.read() == []
    assert attempts(str(folder)) == []
    reader.close()
    written.close()


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Journal:
    monkeypatch.setattr(journals, "BOUND", 20_000)
    return Journal.create(str(tmp_path / "runs"), run_of(1))


def test_events_are_followed_over_a_rewritten_file(journal: Journal) -> None:
    from runner.model.fold import Fold

    fold = Fold(1)
    journal.curve = fold.curve
    journal._bound = 20_000
    reader = EventReader(journal.path, *reading.read_place(journal.path))
    told = [started(run_of(1)), *samples(1, 1000)]
    got = []
    for number, event in enumerate(told):
        fold.tell(event)
        journal.tell(event, 1)
        if number % 7 == 0:
            got += reader.read()
    got += reader.read()
    assert Path(journal.path, "events.jsonl").stat().st_size < 60_000  # it was rewritten
    assert [(number, event.name, event.t) for number, event in got] == [(1, event.name, event.t) for event in told]
    journal.tell(Ended(told[-1].t, "exited", 0), 1)
    journal.tell(started(run_of(1)), 2)
    assert [(number, event.name) for number, event in reader.read()] == [(1, "ended"), (2, "started")]
    reader.close()
    journal.close()


def test_now_is_the_attempt_that_runs_with_its_newest_samples(journal: Journal) -> None:
    assert reading.read_now(journal.path).started is None
    journal.tell(started(run_of(1)), 1)
    first = list(samples(1, 50))
    for sample in first:
        journal.tell(sample, 1)
    now = reading.read_now(journal.path)
    assert (now.attempt, now.ended) == (1, None)
    assert isinstance(now.started, Started)
    assert now.samples[-1].values == first[-1].values
    assert 1.0 <= now.samples[-1].t - now.samples[0].t < 1.2
    journal.tell(Ended(9.0, "exited", 1), 1)
    ended = reading.read_now(journal.path)
    assert ended.ended is not None
    journal.tell(Output(0.0, "stdout", 0, b"x", 1, 0), 2)
    second = reading.read_now(journal.path)
    assert (second.attempt, second.started, second.ended, second.samples) == (2, None, None, [])
    journal.tell(started(run_of(1)), 2)
    journal.tell(Sample(0.1, 0.1, first[0].values), 2)
    assert [sample.t for sample in reading.read_now(journal.path).samples] == [0.1]
    assert reading.read_starts(journal.path) == {1: run_of(1).started, 2: run_of(1).started}
    journal.close()


def test_a_run_waits_until_its_first_attempt_begins(journal: Journal) -> None:
    assert (reading.read_waiting(journal.path), reading.read_waiting("nowhere")) == ("", "")
    journal.wait("lock \u00e9")
    now = reading.read_now(journal.path)
    assert (now.waiting, now.started, now.ended) == ("lock \u00e9", None, None)
    assert EventReader(journal.path, 1, 0).read() == []
    journal.tell(Output(0.0, "stdout", 0, b"x", 1, 0), 1)
    assert reading.read_waiting(journal.path) == ""
    journal.close()


def test_what_is_half_written_or_newer_is_passed_over(journal: Journal) -> None:
    journal.tell(started(run_of(1)), 1)
    for sample in samples(1, 20):
        journal.tell(sample, 1)
    newest = reading.read_now(journal.path).samples[-1].t
    with open(Path(journal.path, "events.jsonl"), "ab") as file:
        file.write(b'{"t":99,"event":"sample","v":77,"span":1,"values":[]}\n{"t":99,"span":0.1,"event":"sam')
    assert reading.read_now(journal.path).samples[-1].t == newest
    journal.close()


def test_a_journal_is_held_while_its_runner_lives(journal: Journal) -> None:
    assert reading.held(journal.path)
    assert reading.held(journal.path)
    run, pid = reading.read_facts(journal.path)
    assert (run.id, run.args) == (run_of(1).id, ["--epochs", "100"])
    assert pid
    journal.close(remove=False)
    assert not reading.held(journal.path)
    shutil.rmtree(journal.path)
    with pytest.raises(FileNotFoundError):
        reading.held(journal.path)
