"""What is decided about a signal, with arrivals and a witness that are made up."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from runner.agent import signals, witness
from runner.agent.signals import FORWARDED, REFUSED, SEEN, Signals

if TYPE_CHECKING:
    from collections.abc import Iterator

KERNEL, USER, QUEUED = 128, 0, -1
SCRIPT, STRANGER = 999_999_001, 999_999_002
INT, TERM, HUP, CONT, TSTP, CHLD = 2, 15, 1, 18, 20, 17


class Source:
    def __init__(self) -> None:
        self.fd = -1
        self.arrivals: list[tuple[int, int, int]] = []

    def read(self) -> list[tuple[int, int, int]]:
        came, self.arrivals = self.arrivals, []
        return came

    def close(self) -> None:
        pass


class Witnessing:
    def __init__(self) -> None:
        self.reports: list[tuple[int, int]] = []
        self.pending: list[tuple[int, int]] = []
        self.dismissed = False

    def saw(self, number: int, sender: int, now: float) -> bool:
        found = (number, sender) in self.reports
        if found:
            self.reports.remove((number, sender))
        return found

    def has_pending(self, number: int, sender: int) -> bool:
        return (number, sender) in self.pending

    def dismiss(self) -> None:
        self.dismissed = True

    def close(self) -> None:
        pass


class Case:
    """Signals of a script that is not there, whose clock stands still."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        self.sent: list[int] = []
        self.error: OSError | None = None
        self.source, self.witness = Source(), Witnessing()
        monkeypatch.setattr(signals, "monotonic", lambda: self.now)
        monkeypatch.setattr(signals, "BLOCKED", frozenset())
        monkeypatch.setattr(witness, "send", self._send)
        monkeypatch.setattr(os, "getpgid", lambda pid: os.getpgrp())
        self.signals = Signals()
        self.signals.open(SCRIPT, set())
        self.signals._source.close()
        self.signals._source = self.source  # type: ignore[assignment]
        self.signals._witness = self.witness  # type: ignore[assignment]
        self.signals._guard_at = None
        self.signals._pidfd = os.open(os.devnull, os.O_RDONLY)
        self.signals._leader = False

    def _send(self, pid: int, pidfd: int, number: int) -> None:
        if self.error is not None:
            raise self.error
        self.sent.append(number)

    def take(self, *arrivals: tuple[int, int, int], after: float = 0.0) -> list[tuple[int, int, str]]:
        self.now += after
        self.source.arrivals = list(arrivals)
        return self.signals.take()


@pytest.fixture
def case(monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    case = Case(monkeypatch)
    yield case
    case.signals.close()


@pytest.mark.parametrize("code", [USER, QUEUED])
def test_what_came_to_the_runner_alone_is_passed_on_after_the_grace(case: Case, code: int) -> None:
    assert case.take((TERM, code, STRANGER)) == []
    assert case.signals.due == pytest.approx(case.now + 0.05)
    assert case.take(after=0.04) == []
    assert case.take(after=0.02) == [(TERM, STRANGER, FORWARDED)]
    assert (case.sent, case.signals.due, case.signals.came) == ([TERM], None, {TERM})


def test_what_the_group_got_is_not(case: Case) -> None:
    case.witness.reports = [(TERM, STRANGER)]
    assert case.take((TERM, USER, STRANGER)) == [(TERM, STRANGER, SEEN)]
    assert case.take(after=1) == case.sent == []


def test_a_report_may_come_later(case: Case) -> None:
    case.take((TERM, USER, STRANGER))
    case.witness.reports = [(TERM, STRANGER)]
    assert case.take(after=0.03) == [(TERM, STRANGER, SEEN)]


def test_in_the_end_the_kernel_is_asked(case: Case) -> None:
    case.witness.pending = [(TERM, STRANGER)]
    assert case.take((TERM, USER, STRANGER)) == []
    assert case.take(after=0.06) == [(TERM, STRANGER, SEEN)]
    assert case.sent == []


def test_each_of_several_is_judged_on_its_own(case: Case) -> None:
    case.witness.reports = [(TERM, STRANGER)]
    assert case.take((TERM, USER, STRANGER), (TERM, USER, STRANGER)) == [(TERM, STRANGER, SEEN)]
    assert case.take(after=0.06) == [(TERM, STRANGER, FORWARDED)]


@pytest.mark.parametrize("number", [INT, 3, TSTP, HUP, CONT])
def test_what_the_terminal_sends_is_never_passed_on(case: Case, number: int) -> None:
    assert case.take((number, KERNEL, 0)) == [(number, 0, SEEN)]
    assert case.take(after=1) == case.sent == []
    assert number in case.signals.came


@pytest.mark.parametrize(("number", "action"), [(HUP, FORWARDED), (CONT, FORWARDED), (INT, SEEN)])
def test_a_session_leader_passes_a_hang_up_on(case: Case, number: int, action: str) -> None:
    case.signals._leader = True
    assert case.take((number, KERNEL, 0)) == [(number, 0, action)]


def test_what_the_script_sends_is_neither_passed_on_nor_counted(case: Case) -> None:
    assert case.take((TERM, USER, os.getpid())) == [(TERM, os.getpid(), SEEN)]
    assert case.take(after=1) == case.sent == []
    assert case.signals.came == set()


def test_a_sender_out_of_sight_is_outside(case: Case) -> None:
    """One on the other side of a container's wall has process id 0."""
    case.take((TERM, USER, 0))
    assert case.take(after=0.06) == [(TERM, 0, FORWARDED)]


def test_a_script_that_left_the_group_gets_all_at_once(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getpgid", lambda pid: 12345)
    assert case.take((TERM, USER, STRANGER)) == [(TERM, STRANGER, FORWARDED)]


def test_without_a_witness_all_is_passed_on_at_once(case: Case) -> None:
    case.signals._witness = None
    assert case.take((TERM, USER, STRANGER)) == [(TERM, STRANGER, FORWARDED)]


@pytest.mark.parametrize(("error", "action"), [(ProcessLookupError(), SEEN), (PermissionError(), REFUSED)])
def test_a_signal_that_cannot_be_passed_on(case: Case, error: OSError, action: str) -> None:
    case.error = error
    case.signals._witness = None
    assert case.take((TERM, USER, STRANGER)) == [(TERM, STRANGER, action)]


def test_the_end_of_the_script_dismisses_the_witness(case: Case) -> None:
    assert case.take((CHLD, 5, STRANGER)) == []
    assert not case.witness.dismissed
    assert case.take((CHLD, 1, SCRIPT)) == []
    assert case.witness.dismissed
    assert case.signals.child_changed
    assert case.signals.came == set()


def test_a_child_signal_from_a_process_is_a_signal_like_others(case: Case) -> None:
    case.take((CHLD, USER, STRANGER))
    assert case.take(after=0.06) == [(CHLD, STRANGER, FORWARDED)]


@pytest.mark.parametrize(
    ("arrivals", "stopped", "after", "expected"),
    [
        ([(TSTP, KERNEL, 0)], signal.SIGTSTP, 0, True),
        ([(TSTP, KERNEL, 0)], signal.SIGTSTP, 60, True),  # a program may take its time to tidy up
        ([(TSTP, KERNEL, 0)], signal.SIGSTOP, 0, True),  # and then stop itself the hard way
        ([(TSTP, KERNEL, 0)], signal.SIGSTOP, 60, False),  # but not much later: that was somebody else
        ([(TSTP, KERNEL, 0), (CONT, KERNEL, 0)], signal.SIGTSTP, 0, False),
        ([(TERM, KERNEL, 0)], signal.SIGTSTP, 0, False),
        ([], signal.SIGSTOP, 0, False),
        ([(TSTP, KERNEL, 0)], 0, 0, False),
    ],
)
def test_when_the_runner_stops_too(
    case: Case, arrivals: list[tuple[int, int, int]], stopped: int, after: float, expected: bool
) -> None:
    case.take(*arrivals)
    case.now += after
    case.signals._stopped = stopped
    assert case.signals.must_stop is expected
