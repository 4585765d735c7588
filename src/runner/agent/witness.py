"""A child that tells which signals the runner's whole group got, and kills the script if the runner dies."""

from __future__ import annotations

import os

from runner.agent import libc
from runner.agent.sources import above_standard, decode, open_signalfd

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
    from typing import NoReturn
else:
    import _signal

_SIGKILL = int(_signal.SIGKILL)
_CLAIM_WITHIN = 0.25  # seconds


class Witness:
    """Stands where the script stands: what was sent to the group reached it too, what was sent to the runner did not.

    All signals that the runner blocks are blocked in it. Each that comes is reported, so the runner forwards only what
    nobody but itself got. When the runner dies, killed or not, the witness kills the script.

    Raises:
        OSError: No process can be made, or the system has no signalfd.

    Attributes:
        pid: Its process id, to be left out of every figure.
    """

    def __init__(self, script: int, numbers: frozenset[int]) -> None:
        if libc.function("prctl") is None:
            raise OSError("no prctl")
        own = os.getpid()
        pidfd = open_pidfd(script)
        read_end, write_end = os.pipe()
        try:
            self.pid = os.fork()
            if self.pid == 0:
                _stand_by(own, script, pidfd, numbers, write_end)
        except OSError:
            os.close(read_end)
            raise
        finally:
            os.close(write_end)
            if pidfd >= 0:
                os.close(pidfd)
        self._fd = above_standard(read_end)
        os.set_blocking(self._fd, False)
        #: Reports that nobody has claimed yet: (number, sender, when they were heard).
        self._seen: list[tuple[int, int, float]] = []
        #: Reports that are still to come and were claimed already.
        self._claimed: list[tuple[int, int]] = []

    def saw(self, number: int, sender: int, now: float) -> bool:
        """Tell whether the group got a signal that came to the runner; each report answers for one arrival.

        Args:
            number: The signal.
            sender: Who sent it, 0 for the kernel.
            now: Monotonic time.
        """
        self._listen(now)
        for report in self._seen:
            if report[:2] == (number, sender):
                self._seen.remove(report)
                return True
        return False

    def has_pending(self, number: int, sender: int) -> bool:
        """As `saw`, for a witness that had no time yet to report: the kernel tells what is waiting for it."""
        try:
            fd = os.open(f"/proc/{self.pid}/status", os.O_RDONLY)
        except OSError:
            return False
        try:
            status = os.read(fd, 8192)
        finally:
            os.close(fd)
        at = status.find(b"ShdPnd:")
        pending = at >= 0 and int(status[at + 7 :].split(None, 1)[0], 16) >> number - 1 & 1 == 1
        if pending:
            self._claimed.append((number, sender))
        return pending

    def _listen(self, now: float) -> None:
        # The kernel merges equal signals, perhaps two into one for the runner and not for the witness: a report that
        # nobody claims soon must not answer for a later signal.
        self._seen = [report for report in self._seen if now - report[2] < _CLAIM_WITHIN]
        try:
            while True:
                data = os.read(self._fd, 4096)
                if not data:
                    return
                for number, _, sender in decode(data):
                    if (number, sender) in self._claimed:
                        self._claimed.remove((number, sender))
                    else:
                        self._seen.append((number, sender, now))
        except BlockingIOError:
            return

    def dismiss(self) -> None:
        """End the witness, without waiting for that: the script has ended, or is to be left alone."""
        if parent_of(self.pid) == os.getpid():  # else it was reaped, and the number may be another process's
            os.kill(self.pid, _SIGKILL)

    def close(self) -> None:
        """End the witness and reap it."""
        try:
            self.dismiss()
            os.waitpid(self.pid, 0)
        except ChildProcessError:
            pass
        os.close(self._fd)


def open_pidfd(pid: int) -> int:
    """Return a descriptor that stands for a process for good, closed on exec; -1 where there is no such thing."""
    try:
        return above_standard(os.pidfd_open(pid))
    except (AttributeError, OSError):
        return -1


def send(pid: int, pidfd: int, number: int) -> None:
    """Send a signal to a process, by its descriptor where there is one (-1: none).

    Raises:
        ProcessLookupError: The process is gone.
        PermissionError: It belongs to another user.
    """
    if pidfd >= 0 and hasattr(_signal, "pidfd_send_signal"):
        _signal.pidfd_send_signal(pidfd, number)
    else:
        os.kill(pid, number)


def _stand_by(runner: int, script: int, pidfd: int, numbers: frozenset[int], reports: int) -> NoReturn:
    try:
        _close_all_but(reports, pidfd)
        signals = open_signalfd(numbers, blocking=True)
        _rename()
        # Which signal it is does not matter, only that something wakes the loop: the parent's id says why.
        libc.prctl(libc.PR_SET_PDEATHSIG, min(numbers))
        while os.getppid() == runner:
            data = os.read(signals, 4096)
            try:
                os.write(reports, data)
            except OSError:
                pass
        send(script, pidfd, _SIGKILL)
    finally:
        os._exit(0)


def _close_all_but(*kept: int) -> None:
    # Whoever waits for the end of one of the runner's pipes must not wait for the witness.
    for name in os.listdir("/proc/self/fd"):
        if int(name) not in kept:
            try:
                os.close(int(name))
            except OSError:
                pass


def _rename() -> None:
    # `pkill -f` with a pattern for the runner, or for the script, must not find the witness: it would report a signal
    # that the script did not get.
    libc.prctl(libc.PR_SET_NAME, b"witness\0")
    try:
        with open("/proc/self/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        start, end = int(fields[45]), int(fields[46])  # arg_start and arg_end of proc(5), counted after the name
        fd = os.open("/proc/self/mem", os.O_WRONLY)
        os.pwrite(fd, b"witness".ljust(end - start, b"\0")[: end - start], start)
        os.close(fd)
    except (OSError, ValueError, IndexError):
        pass


def _stat(pid: int) -> list[bytes]:
    try:
        fd = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
    except OSError:
        return []
    try:
        return os.read(fd, 1024).rpartition(b")")[2].split()
    except OSError:
        return []
    finally:
        os.close(fd)


def state_of(pid: int) -> str:
    """Return the state letter of a process as the kernel shows it, "" when it is gone."""
    fields = _stat(pid)
    return fields[0].decode() if fields else ""


def parent_of(pid: int) -> int:
    """Return the parent of a process, 0 when it is gone."""
    fields = _stat(pid)
    return int(fields[1]) if len(fields) > 1 else 0
