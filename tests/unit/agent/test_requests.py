"""What is asked of a running attempt is understood, or passed over."""

from __future__ import annotations

import os
import signal
import threading
from time import monotonic

import pytest

from runner.agent import pause, requests
from runner.agent.requests import Cancel


@pytest.fixture
def fifo(tmp_path):
    path = str(tmp_path / "requests")
    os.mkfifo(path)
    descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    yield descriptor
    os.close(descriptor)


@pytest.mark.parametrize(
    ("kill_after", "who"), [(None, "alice"), (0.0, "bob"), (2.5, "a b"), (10.0, "caf\u00e9 \udcff")]
)
def test_a_request_arrives_as_it_was_made(fifo, kill_after, who):
    os.write(fifo, Cancel(kill_after, who).encode())
    got = requests.read(fifo)
    assert (got.kill_after, got.who) == (kill_after, who)
    assert got.message == f"cancelled by {who}"
    assert requests.read(fifo) is None


@pytest.mark.parametrize("data", [b"\n", b"cancel\n", b"cancel soon me\n", b"\xff\x00\n", b"stop 1 me\n", b"x" * 5000])
def test_what_is_no_request_is_passed_over(fifo, data):
    os.write(fifo, data)
    assert requests.read(fifo) is None


def test_of_several_the_last_counts(fifo):
    os.write(fifo, Cancel(None, "alice").encode() + b"nonsense\n" + Cancel(0.5, "bob").encode())
    assert requests.read(fifo).who == "bob"


def test_nobody_is_left_to_ask():
    read_end, write_end = os.pipe()
    os.close(write_end)
    with pytest.raises(EOFError):
        requests.read(read_end)
    os.close(read_end)


def test_a_request_ends_a_pause(fifo):
    os.write(fifo, b"cancel - me\n")
    began = monotonic()
    assert pause.wait(600, fifo) == 0
    assert monotonic() - began < 60
    assert requests.read(fifo) is not None


def test_a_pause_without_a_request_lasts_and_heeds_signals(fifo):
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, pause.ENDING)
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM))
    previous = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        began = monotonic()
        assert pause.wait(0.05, fifo) == 0
        assert monotonic() - began >= 0.05
        timer.start()
        assert pause.wait(600, fifo) == signal.SIGTERM
    finally:
        timer.join()
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGTERM, previous)
