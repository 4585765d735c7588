"""Asks the record, beside the run and never in its way, how long comparable runs took."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from runner.model.run import Run

_SIGKILL, _SIGALRM = 9, 14
#: Seconds after which the record is given up.
_PATIENCE = 10
_MOST = 1 << 16


class Durations:
    """Reads the record in a process of its own: whatever makes that slow, the script's output does not wait for it.

    Args:
        path: The record.
        run: The run, as far as it is known.

    Attributes:
        pid: The process, no part of the script's tree; 0 where there is none.
    """

    def __init__(self, path: str, run: Run) -> None:
        self.pid = 0
        self._source = -1
        self._text = b""
        self._values: list[float] = []
        if not os.path.exists(path):
            return
        source, sink = os.pipe()
        try:
            self.pid = os.fork()
        except OSError:
            os.close(source)
            os.close(sink)
            return
        if self.pid == 0:
            _answer(sink, path, run)
        os.close(sink)
        os.set_blocking(source, False)
        self._source = source

    def read(self) -> list[float]:
        """Return the durations in seconds, as soon as they are known; none before. Never waits."""
        if self._source >= 0:
            try:
                data = os.read(self._source, _MOST)
            except BlockingIOError:
                return self._values
            self._text += data
            if not data:
                os.close(self._source)
                self._source = -1
                if self._text.endswith(b"\n"):
                    self._values = [float(word) for word in self._text.split()]
        return self._values

    def close(self) -> None:
        """Listen no longer; the process ends with this one, if it has not yet."""
        if self._source >= 0:
            os.close(self._source)
            self._source = -1


def _answer(sink: int, path: str, run: Run) -> NoReturn:
    """Write the durations, as the process that was made for that."""
    try:
        _let_go(sink)
        text = " ".join(map(repr, _durations(path, run)))
        os.write(sink, text.encode("ascii") + b"\n")
    finally:
        os._exit(0)


def _durations(path: str, run: Run) -> list[float]:
    from runner.engine.history import HistoryManager
    from runner.engine.usual import comparable
    from runner.model.metrics import EXECUTION_TIME
    from runner.stores.database import is_current

    if not is_current(path):
        return []  # to bring it up to date is for those who write it
    values = [found.last.metrics.get(EXECUTION_TIME.name) for found in comparable(HistoryManager(path), run)]
    return [float(value) for value in values if value is not None]


def _let_go(sink: int) -> None:
    """Keep nothing of the runner's, do not outlive it, and do not take the script's core."""
    import _signal
    from resource import RLIMIT_NOFILE, getrlimit

    from runner.agent.libc import PR_SET_PDEATHSIG, prctl

    prctl(PR_SET_PDEATHSIG, _SIGKILL)
    _signal.setitimer(_signal.ITIMER_REAL, _PATIENCE)
    _signal.signal(_SIGALRM, _signal.SIG_DFL)
    _signal.pthread_sigmask(_signal.SIG_UNBLOCK, {_SIGALRM})
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    highest = min(getrlimit(RLIMIT_NOFILE)[0], 1 << 16)
    os.closerange(3, sink)
    os.closerange(sink + 1, highest)
    os.nice(10)
