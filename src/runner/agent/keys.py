"""Passes on what is typed to a program that reads keys from the output pty, as pagers do."""

from __future__ import annotations

import os
from time import monotonic

from runner.agent.outpty import in_foreground

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Collection

    from runner.agent.outpty import OutputPty
    from runner.agent.poller import Poller

_SOON, _SELDOM = 0.02, 2.0  # seconds between two looks at who reads keys


class Keys:
    """Relays keys while the script's terminal gives single ones and a process of the script reads them there.

    Args:
        pty: The pty.
        outer: Descriptor of the real terminal.
        tree: Returns the process ids of the script and its descendants.
    """

    def __init__(self, pty: OutputPty, outer: int, tree: Callable[[], Collection[int]]) -> None:
        self._pty = pty
        self._outer = outer
        self._tree = tree
        self._fd = -1
        self._changes = 0
        self._pause = _SOON
        #: Monotonic time at which `look` must be called.
        self.due = float("inf")

    def look(self, poller: Poller) -> None:
        """Begin or end relaying, as the modes of the pty and its readers ask for it."""
        if self._pty.changes != self._changes:
            self._changes = self._pty.changes
            self._pause = _SOON
        if not self._pty.raw:
            self._stop(poller)
            return
        if self._pty.wants_keys(self._tree()):
            self._start(poller)
        elif self._fd >= 0:
            poller.drop(self._fd)
        self.due = monotonic() + self._pause
        self._pause = min(self._pause * 2, _SELDOM)

    @property
    def changed(self) -> bool:
        """Whether the modes changed since the last look."""
        return self._pty.changes != self._changes

    def _start(self, poller: Poller) -> None:
        if self._fd < 0:
            try:
                flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY
                self._fd = os.open(f"/proc/self/fd/{self._outer}", flags)
            except OSError:
                return
        from runner.agent.poller import READ

        poller.want(self._fd, READ, lambda came: self._relay(poller))

    def _relay(self, poller: Poller) -> None:
        try:
            if not in_foreground(self._outer):
                raise BlockingIOError
            keys = os.read(self._fd, 4096)
            if keys:
                os.write(self._pty.master, keys)
        except BlockingIOError:
            poller.drop(self._fd)  # until the next look
        except OSError:
            self._stop(poller)

    def _stop(self, poller: Poller) -> None:
        self.due = float("inf")
        if self._fd >= 0:
            poller.drop(self._fd)
            os.close(self._fd)
            self._fd = -1
