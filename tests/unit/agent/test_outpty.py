"""The output pty gives back what the script wrote, and carries changes of modes to the outer terminal."""

from __future__ import annotations

import fcntl
import os
import struct
import termios
from typing import TYPE_CHECKING

import pytest

from runner.agent.outpty import OutputPty, device

if TYPE_CHECKING:
    from collections.abc import Iterator

EXTPROC = 0o200000


class Outer:
    """A terminal of the test's own, which is nobody's controlling terminal."""

    def __init__(self) -> None:
        self.master, self.slave = os.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 111, 0, 0))
        self.pty = OutputPty(self.slave)
        os.set_blocking(self.pty.master, False)

    def read(self) -> bytes:
        """All that has come, a carriage return that waits included."""
        data = b""
        while True:
            try:
                data += self.pty.read() or b""
            except BlockingIOError:
                return data + self.pty.release()


@pytest.fixture
def outer() -> Iterator[Outer]:
    made = Outer()
    yield made
    for fd in (made.master, made.slave, made.pty.master, made.pty.slave):
        os.close(fd)


@pytest.mark.parametrize("data", [b"a\nb\n", b"a\r\nb", b"\r", b"\n\r\r\n\n", b"\r\r\r", b"a\tb", bytes(range(256))])
def test_output_processing_is_undone(outer: Outer, data: bytes) -> None:
    os.write(outer.pty.slave, data)
    assert outer.read() == data


def test_carriage_return_waits_for_what_follows(outer: Outer) -> None:
    os.write(outer.pty.slave, b"50%\r")
    assert outer.pty.read() == b"50%"
    assert outer.pty.holds
    os.write(outer.pty.slave, b"60%\n")
    assert outer.pty.read() == b"\r60%\n"
    assert not outer.pty.holds


def test_raw_output_is_left_alone(outer: Outer) -> None:
    modes = termios.tcgetattr(outer.pty.slave)
    modes[1] &= ~termios.OPOST
    termios.tcsetattr(outer.pty.slave, termios.TCSANOW, modes)
    os.write(outer.pty.slave, b"a\r\nb\n")
    assert outer.read() == b"a\r\nb\n"


def test_modes_are_those_of_the_terminal_and_reach_it(outer: Outer) -> None:
    mine, its = termios.tcgetattr(outer.pty.slave), termios.tcgetattr(outer.slave)
    assert mine[3] & ~EXTPROC == its[3]
    assert mine[:3] == its[:3]
    mine[3] &= ~(termios.ICANON | termios.ECHO)
    termios.tcsetattr(outer.pty.slave, termios.TCSANOW, mine)
    outer.read()
    assert outer.pty.raw
    assert termios.tcgetattr(outer.slave)[3] & (termios.ICANON | termios.ECHO | EXTPROC) == 0


def test_modes_made_from_nothing_still_reach_it(outer: Outer) -> None:
    """A program that clears the flag by which changes are told is followed all the same."""
    for echo in (0, termios.ECHO, 0):
        modes = termios.tcgetattr(outer.slave)
        modes[3] = modes[3] & ~termios.ECHO | echo
        termios.tcsetattr(outer.pty.slave, termios.TCSANOW, modes)
        outer.read()
        assert termios.tcgetattr(outer.slave)[3] & termios.ECHO == echo


def test_size(outer: Outer) -> None:
    assert os.get_terminal_size(outer.pty.slave) == (111, 33)
    assert not outer.pty.resize()
    fcntl.ioctl(outer.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    assert outer.pty.resize()
    assert os.get_terminal_size(outer.pty.slave) == (80, 24)


def test_end_shows_when_nobody_has_the_slave(outer: Outer) -> None:
    slave = outer.pty.slave
    os.write(slave, b"last")
    outer.pty.slave = os.dup(outer.slave)
    os.close(slave)
    assert outer.pty.read() == b"last"
    with pytest.raises(OSError, match="Input/output"):
        outer.pty.read()


def test_device(outer: Outer) -> None:
    assert device(outer.slave) == os.fstat(outer.slave).st_rdev


def test_keys_are_wanted_only_by_those_who_read_them_here(outer: Outer) -> None:
    own = [os.getpid()]
    assert not outer.pty.wants_keys(own)
    modes = termios.tcgetattr(outer.pty.slave)
    modes[3] &= ~termios.ICANON
    termios.tcsetattr(outer.pty.slave, termios.TCSANOW, modes)
    outer.read()
    assert outer.pty.wants_keys(own)  # this process has the slave, above 2
    assert not outer.pty.wants_keys([1])
