"""Between and after attempts: a signal that comes then ends the run, never the runner in the middle of its record."""

from __future__ import annotations

from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
else:
    import _signal

#: What people and systems end programs with.
ENDING = frozenset(int(getattr(_signal, name)) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"))

#: Seconds between two looks at a descriptor: who waits for signals can't wait for it too.
LOOK = 0.2


def hold() -> set[int]:
    """Hold the ending signals back; return the signal mask from before."""
    return {int(number) for number in _signal.pthread_sigmask(_signal.SIG_BLOCK, ENDING)}


def release(mask: set[int]) -> None:
    """Put back a signal mask from before they were held; a signal that came meanwhile takes effect."""
    _signal.pthread_sigmask(_signal.SIG_SETMASK, mask)


def wait(seconds: float, requests: int = -1) -> int:
    """Wait, while the ending signals are held.

    Args:
        seconds: How long.
        requests: Descriptor that ends the wait when something is to be read there, or -1.

    Returns:
        The signal that ended the wait, 0 if none did.
    """
    heeded = {number for number in ENDING if _signal.getsignal(number) not in (_signal.SIG_IGN, None)}
    until = monotonic() + seconds
    while True:
        left = max(until - monotonic(), 0.0)
        came = _signal.sigtimedwait(heeded, left if requests < 0 else min(left, LOOK))
        if came is not None:
            return int(came.si_signo)
        if monotonic() >= until or is_asked(requests):
            return 0


def is_asked(requests: int) -> bool:
    """Whether something is to be read on a descriptor; never of -1."""
    from select import POLLIN, poll  # to load it takes longer than the start of a script may be held up

    poller = poll()
    if requests >= 0:
        poller.register(requests, POLLIN)
    return bool(poller.poll(0))
