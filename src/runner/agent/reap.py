"""Finds children that have ended, without reaping them: what the kernel still tells of them must be read first."""

from __future__ import annotations

import os
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
    from resource import struct_rusage
    from types import FrameType
    from typing import Collection
else:
    import _signal

_SIGCHLD = int(_signal.SIGCHLD)


def ended_child(known: Collection[int]) -> int:
    """Return the process id of a child that has ended and waits to be reaped, or 0.

    Args:
        known: Children known of, for systems that can't list them.
    """
    if hasattr(os, "waitid"):
        try:
            found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return 0
        return 0 if found is None else found.si_pid
    from runner.agent import tree

    own = os.getpid()
    for pid in tree.children(own) if tree.LISTS_CHILDREN else known:
        if tree.is_zombie(pid):
            return pid
    return 0


def reap(pid: int) -> tuple[int, struct_rusage] | None:
    """Reap a child that has ended; return its wait status and what it used, None where somebody else did."""
    try:
        _, status, usage = os.wait4(pid, 0)
    except ChildProcessError:
        return None
    return status, usage


class ExitNote:
    """Notes when the script ends while this process is busy with other things than waiting for it.

    A short script ends while the modules that measure it are still being imported. To be made in the main thread.

    Args:
        pid: Process id of the script.

    Attributes:
        at: Monotonic time of its end, None while it runs.
    """

    def __init__(self, pid: int) -> None:
        self.at: float | None = None
        self._pid = pid
        self._handler = _signal.signal(_SIGCHLD, self._look)
        self._mask = _signal.pthread_sigmask(_signal.SIG_UNBLOCK, {_SIGCHLD})

    def _look(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if self.at is None and _has_ended(self._pid):
            self.at = monotonic()

    def close(self) -> None:
        """Leave SIGCHLD to those who had it before."""
        _signal.pthread_sigmask(_signal.SIG_SETMASK, self._mask)
        _signal.signal(_SIGCHLD, _signal.SIG_DFL if self._handler is None else self._handler)


def _has_ended(pid: int) -> bool:
    if not hasattr(os, "waitid"):
        from runner.agent import tree

        return tree.is_zombie(pid)
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True
