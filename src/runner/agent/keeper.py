"""Counts the output of one stream and keeps its beginning and its newest part until they are told."""

from __future__ import annotations

from runner.agent.events import Output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import deque
else:
    from _collections import deque

#: Bytes of the very end that stay at hand after they were told.
_END = 512


class Keeper:
    """What is known of one stream.

    Args:
        stream: ``"stdout"`` or ``"stderr"``.
        keep_head: Bytes from the beginning that are all told.
        keep_tail: Bytes of the newest output told at most at a time once the head is complete.
    """

    def __init__(self, stream: str, keep_head: int, keep_tail: int) -> None:
        self.stream = stream
        self.size = 0  #: bytes so far
        self.lines = 0  #: newlines so far
        self.end = b""  #: the last bytes that were told
        self._told = 0
        self._room = keep_head
        self._keep_tail = keep_tail
        # Whole blocks, as they were read: cutting a tail off at every read would halve the speed of a flood.
        self._head: list[bytes] = []
        self._tail: deque[bytes] = deque()
        self._held = 0
        self._sparse = True

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the stream."""
        length = len(data)
        self.size += length
        # `count` looks at every byte, `replace` leaps from newline to newline: each has its kind of output.
        lines = length - len(data.replace(b"\n", b"")) if self._sparse else data.count(b"\n")
        self._sparse = lines * 32 < length
        self.lines += lines
        if self._room > 0:
            self._head.append(data[: self._room])
            data = data[self._room :]
            self._room -= length
            if not data:
                return
        self._keep(data)

    def _keep(self, data: bytes) -> None:
        tail = self._tail
        tail.append(data)
        held = self._held + len(data)
        while tail and held - len(tail[0]) >= self._keep_tail:
            held -= len(tail.popleft())
        self._held = held

    def skip(self, length: int, lines: int = 0) -> None:
        """Pass over bytes that are counted but were not read."""
        self.size += length
        self.lines += lines
        self._room = 0
        self._tail.clear()
        self._held = 0

    def take(self, t: float) -> list[Output]:
        """Return what is to be told now, at most one event for the head and one for the tail.

        Args:
            t: Seconds since the start of the script.
        """
        events = []
        if self._head:
            data = b"".join(self._head)
            self._head.clear()
            events.append(Output(t, self.stream, self._told, data, self.size, self.lines))
            self._told += len(data)
            self.end = (self.end + data[-_END:])[-_END:]
        if self._tail:
            data = b"".join(self._tail)
            self._tail.clear()
            self._held = 0
            data = data[max(len(data) - self._keep_tail, 0) :]
            events.append(Output(t, self.stream, self.size - len(data), data, self.size, self.lines))
            self.end = (self.end + data[-_END:])[-_END:]
        return events


class Nobody:
    """A keeper that keeps nothing, for output that is only carried."""

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the stream, and forget them."""
