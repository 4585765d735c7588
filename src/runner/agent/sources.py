"""Where the signals that came to this process are read: a signalfd, or handlers where there is none."""

from __future__ import annotations

import os
import sys

from runner.agent import libc

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
    from types import FrameType
    from typing import Iterable, Tuple

    #: Number, ``si_code`` and sender's process id (0: the kernel, the terminal, or a process out of sight).
    Arrival = Tuple[int, int, int]
else:
    import _signal

SI_USER = 0
SI_KERNEL = 128

SIGCHLD = int(_signal.SIGCHLD)
SIGWINCH = int(_signal.SIGWINCH)
_TYPED = frozenset(int(number) for number in (_signal.SIGINT, _signal.SIGQUIT, _signal.SIGTSTP))
# The kernel sends these for what the process itself did; a handler that returns would only run again.
_FAULTS = frozenset(
    getattr(_signal, name) for name in ("SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGTRAP", "SIGSYS", "SIGABRT")
)

_RECORD = 128  # bytes of one struct signalfd_siginfo, the same on every architecture


def decode(data: bytes) -> list[Arrival]:
    """Return the arrivals in what was read from a signalfd."""
    order = sys.byteorder
    return [
        (
            int.from_bytes(data[at : at + 4], order),
            int.from_bytes(data[at + 8 : at + 12], order, signed=True),
            int.from_bytes(data[at + 12 : at + 16], order),
        )
        for at in range(0, len(data) - _RECORD + 1, _RECORD)
    ]


def open_signalfd(numbers: Iterable[int], blocking: bool = False) -> int:
    """Return a descriptor from which blocked signals are read; it is closed on exec and not below 3.

    Args:
        numbers: The signals, which the caller has blocked.
        blocking: Whether reading it waits for a signal.

    Raises:
        OSError: There is no signalfd on this system, or no more descriptors.
    """
    call = libc.function("signalfd") if sys.platform == "linux" else None
    if call is None:
        raise OSError("no signalfd")
    # A sigset_t is an array of unsigned long.
    size = 8 if sys.maxsize > 2**32 else 4
    bits = sum(1 << number - 1 for number in numbers)
    words = [bits >> shift & (1 << size * 8) - 1 for shift in range(0, 1024, size * 8)]
    mask = b"".join(word.to_bytes(size, sys.byteorder) for word in words)
    fd = call(-1, mask, os.O_CLOEXEC | (0 if blocking else os.O_NONBLOCK))
    if fd < 0:
        raise OSError("signalfd failed")
    return above_standard(fd)


def above_standard(fd: int) -> int:
    """Move a descriptor out of the place of a standard stream that is closed, and return it."""
    low = []
    while fd < 3:
        low.append(fd)
        fd = os.dup(fd)
    for number in low:
        os.close(number)
    return fd


class SignalFd:
    """Signals that stay blocked and are read with all the kernel knows about them."""

    def __init__(self, numbers: Iterable[int]) -> None:
        self.fd = open_signalfd(numbers)

    def read(self) -> list[Arrival]:
        """Return what came since the last call; never waits."""
        arrivals: list[Arrival] = []
        while True:
            try:
                data = os.read(self.fd, 32 * _RECORD)
            except BlockingIOError:
                return arrivals
            arrivals += decode(data)

    def close(self) -> None:
        """Close the descriptor; the signals stay blocked."""
        os.close(self.fd)


class Handlers:
    """Signals caught by handlers: weaker, since a handler is not told who sent a signal.

    What a terminal can send counts as sent by it while this process is in its foreground. A signal that is ignored is
    not caught, so it is not read either.
    """

    def __init__(self, numbers: Iterable[int]) -> None:
        self._came: list[int] = []
        read_end, write_end = os.pipe()
        self.fd, self._write_end = above_standard(read_end), above_standard(write_end)
        for end in (self.fd, self._write_end):
            os.set_blocking(end, False)
        self._wakeup = _signal.set_wakeup_fd(self._write_end, warn_on_full_buffer=False)
        self._replaced = {}
        for number in numbers:
            if number not in _FAULTS and _signal.getsignal(number) != _signal.SIG_IGN:
                self._replaced[number] = _signal.signal(number, self._catch)
        self._mask = _signal.pthread_sigmask(_signal.SIG_UNBLOCK, set(self._replaced))

    def _catch(self, number: int, frame: FrameType | None) -> None:
        del frame
        self._came.append(number)

    def read(self) -> list[Arrival]:
        """Return what came since the last call, as far as it can be told; never waits."""
        try:
            while os.read(self.fd, 4096):
                pass
        except BlockingIOError:
            pass
        came, self._came = self._came, []
        by_kernel = {SIGCHLD, SIGWINCH, int(_signal.SIGTTIN), int(_signal.SIGTTOU)}
        if _TYPED.intersection(came) and _in_foreground():
            by_kernel |= _TYPED
        return [(number, SI_KERNEL if number in by_kernel else SI_USER, 0) for number in came]

    def close(self) -> None:
        """Put the handlers back that were there before."""
        _signal.pthread_sigmask(_signal.SIG_SETMASK, self._mask)
        for number, handler in self._replaced.items():
            _signal.signal(number, _signal.SIG_DFL if handler is None else handler)
        _signal.set_wakeup_fd(self._wakeup)
        os.close(self.fd)
        os.close(self._write_end)


def _in_foreground() -> bool:
    try:
        fd = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(fd) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(fd)
