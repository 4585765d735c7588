"""End the runner as the script ended: of the same signal, so that whoever waits for the runner is told the truth."""

from __future__ import annotations

import os

from runner.agent import libc

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
    from typing import NoReturn
else:
    import _signal


def die_of(number: int) -> NoReturn:
    """Die of a signal, without a core dump; nothing that is still buffered is written.

    An exit code of 128+N is not the same: after a Ctrl-C a shell goes on with the next command if the one before
    exited with 130, and stops if it died of SIGINT.

    Args:
        number: The signal.
    """
    _forbid_core()
    try:
        _signal.signal(number, _signal.SIG_DFL)
    except (OSError, ValueError):
        pass  # SIGKILL is always at its default
    try:
        os.kill(os.getpid(), number)
        _signal.pthread_sigmask(_signal.SIG_UNBLOCK, {number})
    finally:
        # Process 1 of a container does not die of what it sends itself.
        os._exit(128 + number)


def _forbid_core() -> None:
    # A limit of 0 is ignored where cores are piped to a program; a process that is not dumpable has none at all.
    libc.prctl(libc.PR_SET_DUMPABLE, 0)
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    except (ImportError, ValueError, OSError):
        pass
