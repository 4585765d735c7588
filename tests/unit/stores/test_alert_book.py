"""What the store keeps of alerts: leases, pauses and what goes with a run, by a clock that the test moves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from runner.model.alert_state import AlertState
from runner.stores.alerts import LEASE, LONGEST_PAUSE, REFUSED, SENT, UNSENT, AlertBook
from runner.stores.sqlite import SqliteStore
from tests.unit.stores.made import whole

if TYPE_CHECKING:
    from collections.abc import Iterator

SECOND = 1_000_000_000
NOW = 1_700_000_000 * SECOND
FACTS = {"rule": "broken", "severity": "WARNING", "condition": "failed", "outcome": "told", "text": "failed"}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(str(tmp_path / "record.db"))
    yield opened
    opened.close()


@pytest.fixture
def book(store: SqliteStore) -> AlertBook:
    return store.alert_book()


def message(number: int, run_id: str = "0" * 12, **more: Any) -> dict[str, Any]:
    return {"id": f"{number:032x}", "run_id": run_id, "title": f"message {number}", **more}


def put(book: AlertBook, *numbers: int, owner: str = "me", channel: str = "slack", run_id: str = "0" * 12) -> list[int]:
    with book.transaction():
        alert = book.add_alert(run_id, "/job.py", "job.py", NOW, False, FACTS)
        return [book.add_message(message(number, run_id), "t", channel, NOW, owner, [alert]) for number in numbers]


def claimed(book: AlertBook, owner: str, now: int, early: bool = False, limit: int = 10) -> list[str]:
    return [each["title"] for _, each in book.claim(owner, "slack", "t", now, limit, early)]


def test_what_one_sends_no_other_takes_before_its_lease_is_over(book: AlertBook) -> None:
    put(book, 1, 2)
    assert claimed(book, "other", NOW) == claimed(book, "other", NOW + LEASE - 1, early=True) == []
    assert claimed(book, "other", NOW + LEASE + 1) == ["message 1", "message 2"]
    assert claimed(book, "third", NOW + LEASE + 2) == []


def test_who_read_the_clock_earlier_does_not_take_what_another_has(book: AlertBook) -> None:
    put(book, 1)
    for early in (False, True):
        assert claimed(book, "other", NOW - 5 * SECOND, early=early) == []


def test_a_lease_of_a_clock_that_was_set_back_since_is_over(book: AlertBook) -> None:
    put(book, 1)
    assert claimed(book, "other", NOW - 3600 * SECOND) == ["message 1"]


def test_what_failed_waits_and_a_wait_of_another_clock_does_not_count(book: AlertBook) -> None:
    keys = put(book, 1)
    book.settle("me", NOW, [(keys[0], UNSENT, "HTTP 500", NOW + 30 * SECOND)])
    assert claimed(book, "you", NOW + 29 * SECOND) == []
    assert claimed(book, "you", NOW - LONGEST_PAUSE) == ["message 1"]
    assert [each["problem"] for each in book.outbox()] == ["HTTP 500"]


def test_who_asks_for_it_need_not_wait(book: AlertBook) -> None:
    keys = put(book, 1)
    book.settle("me", NOW, [(keys[0], UNSENT, "HTTP 500", NOW + 30 * SECOND)])
    assert claimed(book, "you", NOW, early=True) == ["message 1"]


def test_what_was_given_back_was_not_tried(book: AlertBook) -> None:
    keys = put(book, 1, 2)
    book.settle("me", NOW, [(key, UNSENT, "", NOW) for key in keys])
    assert [each["tries"] for each in book.outbox()] == [0, 0]
    assert claimed(book, "you", NOW, limit=1) == ["message 1"]
    assert [each["tries"] for each in book.outbox()] == [1, 0]


def test_one_that_fails_again_and_again_does_not_keep_others_waiting(book: AlertBook) -> None:
    keys = put(book, 1, 2)
    book.settle("me", NOW, [(keys[0], UNSENT, "HTTP 500", NOW), (keys[1], UNSENT, "", NOW)])
    assert claimed(book, "you", NOW, limit=1) == ["message 2"]


def test_what_was_sent_stays_sent_whatever_a_later_owner_says(book: AlertBook) -> None:
    keys = put(book, 1)
    book.settle("me", NOW, [(keys[0], SENT, "", NOW)])
    for state, problem in ((UNSENT, "late"), (UNSENT, ""), (REFUSED, "late")):
        book.settle("you", NOW, [(keys[0], state, problem, NOW)])
    assert book.outbox() == [] and claimed(book, "you", NOW + 2 * LEASE, early=True) == []
    assert book.alerts()[0]["messages"] == [{"channel": "slack", "state": "sent", "problem": None}]


def test_what_was_refused_is_kept_and_can_be_sent_elsewhere(book: AlertBook) -> None:
    keys = put(book, 1)
    book.settle("me", NOW, [(keys[0], REFUSED, "HTTP 404", 0)])
    assert book.waiting() == [("slack", "t", "refused", 1)] and claimed(book, "you", NOW, early=True) == []
    book.retarget("slack", "new", NOW)
    assert [each["title"] for _, each in book.claim("you", "slack", "new", NOW, 5)] == ["message 1"]


def test_messages_for_another_place_are_let_alone(book: AlertBook) -> None:
    put(book, 1)
    assert book.claim("you", "slack", "elsewhere", NOW + 2 * LEASE, 5) == []
    assert book.claim("you", "email", "t", NOW + 2 * LEASE, 5) == []


def test_a_run_that_is_deleted_takes_its_alerts_and_messages_with_it(store: SqliteStore, book: AlertBook) -> None:
    gone, kept = whole(1), whole(2)
    store.add([gone, kept])
    for run in (gone, kept):
        put(book, int(run.id, 16), run_id=run.id)
    assert store.cleanup(gone.started + 1) == 1
    assert [each["run_id"] for each in book.alerts()] == [each["run_id"] for each in book.outbox()] == [kept.id]
    assert store._ask("SELECT count(*) FROM alert_messages") == [(1,)]


def test_names_that_are_no_utf8_are_kept(book: AlertBook) -> None:
    state = AlertState(held=1, since=NOW, acked_by="\udcff")
    with book.transaction():
        book.put_state("broken", "/srv/\udcff.py", "\udcff.py", state)
        book.add_alert("0" * 12, "/srv/\udcff.py", "\udcff.py", NOW, False, {**FACTS, "text": "\udcff"})
    assert [each[1:3] for each in book.holding("\udcff.py")] == [("/srv/\udcff.py", "\udcff.py")]
    assert book.alerts("\udcff.py")[0]["text"] == "\udcff"
    assert book.alerts("other.py") == []


def test_a_transaction_that_fails_leaves_nothing(book: AlertBook) -> None:
    with pytest.raises(KeyError), book.transaction():
        book.add_alert("0" * 12, "/job.py", "job.py", NOW, False, FACTS)
        raise KeyError
    assert book.alerts() == []


def test_a_message_that_is_never_taken_does_not_stand_before_the_others(book: AlertBook) -> None:
    first, _ = put(book, 1, 2)
    assert claimed(book, "other", NOW + LEASE + 1, limit=1) == ["message 1"]
    book.settle("other", NOW, [(first, UNSENT, "no", NOW)])
    assert claimed(book, "you", NOW + 2 * LEASE + 2) == ["message 2", "message 1"]
