"""Does work in processes forked off this one, so that this one stays small: scripts started later begin as small."""

from __future__ import annotations

import os

from runner.agent import libc, pause

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
    from collections.abc import Callable
    from typing import Any
else:
    import _signal

_SIGCHLD = int(_signal.SIGCHLD)
_SIGTERM = int(_signal.SIGTERM)


class Answer:
    """What the work in one process came to.

    Args:
        file: Where it is.
        begin: Where it begins there.
        came: Signal that came to this process meanwhile and is to end all, 0 for none.

    Attributes:
        brief: The first part of what it returned.
        came: As given.
    """

    def __init__(self, file: int, begin: int, came: int) -> None:
        self._file = file
        self.brief, self._rest = _load(file, begin)
        self.came = came

    def whole(self) -> Any:
        """Return the second part, which is read only now."""
        return _load(self._file, self._rest)[0]


class Isolated:
    """A series of such processes, one after the other.

    What is sent to this process alone is passed on to the one that works. Signals that end programs are held from now
    on, so that it is the caller that ends this process when they have come.

    Attributes:
        mask: Signal mask that a script must get: the one from before.
    """

    def __init__(self) -> None:
        self.mask = pause.hold()
        self._file = _anonymous()  # one for all answers: as many as there are runs could not be open
        _signal.pthread_sigmask(_signal.SIG_BLOCK, {_SIGCHLD})
        self._ignored = _signal.getsignal(_SIGCHLD) == _signal.SIG_IGN
        if self._ignored:
            _signal.signal(_SIGCHLD, _signal.SIG_DFL)  # or the end of the process would not be told

    def call(self, work: Callable[[], tuple[object, object]]) -> Answer:
        """Do work in a process of its own.

        Args:
            work: Returns two things that can be pickled: one that is wanted at once, and one for later. It begins with
                the ending signals held.

        Raises:
            RuntimeError: It raised an exception, or its process was killed.
        """
        begin = os.fstat(self._file).st_size
        parent = os.getpid()
        child = os.fork()
        if not child:
            self._work(work, parent)
        came = self._wait(child)
        if os.fstat(self._file).st_size == begin:
            raise RuntimeError("the process that ran the script was killed")
        answer = Answer(self._file, begin, came)
        if isinstance(answer.brief, BaseException):
            raise RuntimeError(f"{type(answer.brief).__name__}: {answer.brief}")
        return answer

    def _work(self, work: Callable[[], tuple[object, object]], parent: int) -> None:
        """Work, in the new process, and end it."""
        from pickle import dumps

        try:
            # Whoever kills the runner does not find its script running on for nobody.
            libc.prctl(libc.PR_SET_PDEATHSIG, _SIGTERM)
            if os.getppid() != parent:
                os._exit(1)
            if self._ignored:
                _signal.signal(_SIGCHLD, _signal.SIG_IGN)
            _signal.pthread_sigmask(_signal.SIG_UNBLOCK, {_SIGCHLD} - self.mask)
            brief, whole = work()
            data = dumps(brief) + dumps(whole)
        except BaseException as error:
            data = dumps(RuntimeError(f"{type(error).__name__}: {error}"))
        try:
            os.lseek(self._file, 0, os.SEEK_END)
            view = memoryview(data)
            while view:
                view = view[os.write(self._file, view) :]
        finally:
            os._exit(0)

    def _wait(self, child: int) -> int:
        """Wait for a process; return the signal that came meanwhile."""
        came = 0
        heeded = {number for number in pause.ENDING if _signal.getsignal(number) not in (_signal.SIG_IGN, None)}
        while True:
            if os.waitpid(child, os.WNOHANG)[0]:
                return came
            info = _signal.sigwaitinfo({_SIGCHLD, *heeded})
            if info.si_signo == _SIGCHLD:
                continue
            came = int(info.si_signo)
            if info.si_code <= 0:  # what the terminal sends, it sends to every process of the group
                os.kill(child, came)


def _load(file: int, begin: int) -> tuple[Any, int]:
    """Return what was pickled from a place of a file on, and where that ends."""
    from pickle import load

    with open(file, "rb", closefd=False) as reader:
        reader.seek(begin)
        return load(reader), reader.tell()


def _anonymous() -> int:
    """Return a descriptor of a file without a name: in memory where that can be, since a disk may be full."""
    try:
        return os.memfd_create("runner-answer")
    except (AttributeError, OSError):
        from tempfile import TemporaryFile

        with TemporaryFile(prefix="runner-answer-") as file:
            return os.dup(file.fileno())
