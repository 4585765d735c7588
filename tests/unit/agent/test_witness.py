from __future__ import annotations

import os
import struct

import pytest

from runner.agent.witness import Witness, parent_of, state_of

TERM, HUP = 15, 1


@pytest.fixture
def heard() -> tuple[Witness, int]:
    """Return a witness that is no process, and the descriptor its reports are written to."""
    read_end, write_end = os.pipe()
    os.set_blocking(read_end, False)
    witness = object.__new__(Witness)
    witness.pid = os.getpid()
    witness._fd, witness._seen, witness._claimed = read_end, [], []
    return witness, write_end


def report(fd: int, number: int, sender: int) -> None:
    os.write(fd, struct.pack("=IiiII108x", number, 0, 0, sender, 0))


def test_a_report_answers_for_one_arrival(heard: tuple[Witness, int]) -> None:
    witness, fd = heard
    report(fd, TERM, 77)
    report(fd, TERM, 77)
    assert [witness.saw(TERM, 77, 0.0) for _ in range(3)] == [True, True, False]


def test_number_and_sender_must_agree(heard: tuple[Witness, int]) -> None:
    witness, fd = heard
    report(fd, TERM, 77)
    assert not witness.saw(HUP, 77, 0.0)
    assert not witness.saw(TERM, 78, 0.0)
    assert witness.saw(TERM, 77, 0.0)


def test_a_report_that_nobody_claims_grows_stale(heard: tuple[Witness, int]) -> None:
    witness, fd = heard
    report(fd, TERM, 77)
    assert not witness.saw(HUP, 1, 10.0)
    assert not witness.saw(TERM, 77, 11.0)


def test_nothing_is_pending_for_a_process_that_was_sent_nothing(heard: tuple[Witness, int]) -> None:
    assert not heard[0].has_pending(TERM, 77)


def test_a_report_claimed_before_it_came_answers_for_nothing(heard: tuple[Witness, int]) -> None:
    witness, fd = heard
    witness._claimed.append((TERM, 77))
    report(fd, TERM, 77)
    report(fd, TERM, 77)
    assert [witness.saw(TERM, 77, 0.0) for _ in range(2)] == [True, False]


def test_a_process_and_its_parent() -> None:
    assert parent_of(os.getpid()) == os.getppid()
    assert state_of(os.getpid()) == "R"
    gone = os.fork()
    if gone == 0:
        os._exit(0)
    os.waitpid(gone, 0)
    assert (parent_of(gone), state_of(gone)) == (0, "")
