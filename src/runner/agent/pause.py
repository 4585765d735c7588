"""Between and after attempts: a signal that comes then ends the run, never the runner in the middle of its record."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
else:
    import _signal

#: What people and systems end programs with.
ENDING = frozenset(int(getattr(_signal, name)) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"))


def release(mask: set[int]) -> None:
    """Put back a signal mask from before they were held; a signal that came meanwhile takes effect."""
    _signal.pthread_sigmask(_signal.SIG_SETMASK, mask)


def wait(seconds: float) -> int:
    """Wait, while the ending signals are held.

    Returns:
        The signal that ended the wait, 0 if the time has passed.
    """
    heeded = {number for number in ENDING if _signal.getsignal(number) not in (_signal.SIG_IGN, None)}
    came = _signal.sigtimedwait(heeded, seconds)
    return 0 if came is None else int(came.si_signo)
