"""Waits for descriptors, each with what is to be done when it is ready."""

from __future__ import annotations

from select import POLLIN, POLLOUT, poll

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    Handler = Callable[[int], None]

READ = POLLIN
WRITE = POLLOUT


class Poller:
    """Descriptors, what is waited for on each, and who is called then with what came."""

    def __init__(self) -> None:
        self._poll = poll()
        self._masks: dict[int, int] = {}
        self._handlers: dict[int, Handler] = {}

    def want(self, fd: int, mask: int, handler: Handler) -> None:
        """Wait for something on a descriptor: `READ`, `WRITE`, or 0 for no more than its breaking."""
        if self._masks.get(fd) != mask:
            self._poll.register(fd, mask)
            self._masks[fd] = mask
        self._handlers[fd] = handler

    def drop(self, fd: int) -> None:
        """Wait for nothing on a descriptor any more; to be called before or right after it is closed."""
        if self._masks.pop(fd, None) is not None:
            del self._handlers[fd]
            self._poll.unregister(fd)

    def wait(self, seconds: float | None) -> int:
        """Wait until something is ready or the time has passed, call the handlers, and return how many there were.

        Args:
            seconds: How long to wait; None for as long as it takes.
        """
        ready = self._poll.poll(None if seconds is None else max(seconds, 0.0) * 1000)
        for fd, came in ready:
            handler = self._handlers.get(fd)
            if handler is not None:
                handler(came)
        return len(ready)
