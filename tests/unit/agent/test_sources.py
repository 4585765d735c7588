from __future__ import annotations

import inspect
import os
import signal
import struct
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from runner.agent import libc, sources
from tests import support

if TYPE_CHECKING:
    from collections.abc import Callable


def alone(function: Callable[[], None]) -> None:
    """Call a function in a process of one thread.

    A signal to a process goes to any thread of it, and in this one are those of libraries that other tests use.
    """
    code = f"import os, signal\nfrom runner.agent import sources\n{inspect.getsource(function)}\n{function.__name__}()"
    environ = {**os.environ, "PYTHONPATH": str(support.SRC)}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def record(number: int, code: int, sender: int) -> bytes:
    """Return a struct signalfd_siginfo as the kernel fills it."""
    return struct.pack("=IiiII108x", number, 0, code, sender, 1000)


def test_decode_reads_number_code_and_sender() -> None:
    data = record(15, 0, 4321) + record(2, 128, 0) + record(34, -1, 2**22)
    assert sources.decode(data) == [(15, 0, 4321), (2, 128, 0), (34, -1, 2**22)]


def test_decode_ignores_what_is_cut_off() -> None:
    assert sources.decode(record(15, 0, 1)[:-1]) == []
    assert sources.decode(b"") == []


@pytest.mark.skipif(sys.platform != "linux", reason="signalfd is Linux's")
def test_a_signalfd_holds_what_was_sent_and_nothing_else() -> None:
    alone(signalfd_holds)


def signalfd_holds() -> None:
    numbers = {signal.SIGUSR1, signal.SIGRTMAX}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {*numbers, signal.SIGUSR2})
    source = sources.SignalFd(numbers)
    try:
        assert source.read() == []
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGRTMAX):
            os.kill(os.getpid(), number)
        assert sorted(source.read()) == sorted((int(n), sources.SI_USER, os.getpid()) for n in numbers)
        assert source.read() == []
        assert not os.get_inheritable(source.fd)
    finally:
        source.close()
        signal.sigtimedwait({signal.SIGUSR2}, 0)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def test_without_a_signalfd_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libc, "function", lambda name: None)
    with pytest.raises(OSError, match="no signalfd"):
        sources.SignalFd({signal.SIGUSR1})


def test_handlers_put_everything_back() -> None:
    alone(handlers_put_back)


def handlers_put_back() -> None:
    before = signal.signal(signal.SIGUSR1, signal.SIG_DFL)
    ignored = signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    try:
        source = sources.Handlers({signal.SIGUSR1, signal.SIGUSR2})
        os.kill(os.getpid(), signal.SIGUSR1)
        os.kill(os.getpid(), signal.SIGUSR2)
        assert source.read() == [(signal.SIGUSR1, sources.SI_USER, 0)]
        assert source.read() == []
        source.close()
        assert signal.getsignal(signal.SIGUSR1) == signal.SIG_DFL
        assert signal.SIGUSR1 in signal.pthread_sigmask(signal.SIG_BLOCK, [])
        assert signal.set_wakeup_fd(-1) == -1
    finally:
        signal.signal(signal.SIGUSR1, before)
        signal.signal(signal.SIGUSR2, ignored)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def test_a_descriptor_is_moved_above_the_standard_streams() -> None:
    pid = os.fork()
    if pid == 0:
        os.closerange(0, 3)
        fd = os.open(os.devnull, os.O_RDONLY)
        moved = sources.above_standard(fd)
        try:
            os.fstat(0)
            os._exit(1)
        except OSError:
            os._exit(0 if (fd, moved) == (0, 3) or moved >= 3 else 2)
    assert os.waitpid(pid, 0)[1] == 0


def test_libc_calls_what_is_there_and_nothing_else() -> None:
    getpid = libc.function("getpid")
    assert getpid is not None
    assert getpid() == os.getpid()
    assert libc.function("no_such_function_anywhere") is None
    assert libc.prctl(-1, 0) is False
