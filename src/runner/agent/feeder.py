"""Gives the script standard input that another attempt may have to read again: copied on its way to the script."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.agent.poller import Poller

_BLOCK = 1 << 16


class Feeder:
    """A pipe from which the script reads, filled from the inherited standard input.

    What was passed on is appended to the spool. What an earlier attempt left there is passed on first.

    Args:
        spool: Path of the spool.
        again: Whether to begin with what the spool holds.

    Raises:
        OSError: The spool can't be opened.

    Attributes:
        given: The script's end, -1 once it has it.
        source: Descriptor to read next; -1 after the end of the input.
        sink: Our end of the pipe; -1 once the script has closed its own or everything is passed on.
        pending: Bytes that the pipe has not taken yet.
        trouble: Why the spool is incomplete, or "".
    """

    def __init__(self, spool: str, again: bool) -> None:
        self._spool = os.open(spool, os.O_WRONLY | os.O_APPEND)
        self._replay = os.open(spool, os.O_RDONLY) if again else -1
        self.given, self.sink = os.pipe()
        os.set_blocking(self.sink, False)
        self.source = self._replay if again else 0
        self.pending: bytes | memoryview = b""
        self.trouble = ""

    def started(self) -> None:
        """Close the script's end, which it has by now."""
        os.close(self.given)
        self.given = -1

    def pump(self) -> None:
        """Move on one block; `source` must be readable unless something is pending."""
        if not self.pending:
            self._read()
        try:
            while self.pending:
                taken = os.write(self.sink, self.pending)
                self.pending = memoryview(self.pending)[taken:] if taken < len(self.pending) else b""
        except BlockingIOError:
            return
        except OSError:  # the script reads no more; what it left belongs to whoever reads next
            self.close()
            return
        if self.source < 0:
            self.close()

    def _read(self) -> None:
        try:
            data = os.read(self.source, _BLOCK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data and self.source == self._replay:
            os.close(self._replay)
            self.source, self._replay = 0, -1
            return
        if not data:
            self.source = -1
            return
        if self.source == 0:
            self._copy(data)
        self.pending = data

    def _copy(self, data: bytes) -> None:
        if self.trouble:
            return
        try:
            while data:
                data = data[os.write(self._spool, data) :]
        except OSError as error:
            self.trouble = error.strerror or str(error)

    def watch(self, poller: Poller) -> None:
        """Have itself pumped whenever that can move something on."""
        if self.sink < 0:
            return
        from runner.agent.poller import READ, WRITE

        before = (self.source, self.sink)

        def move(came: int) -> None:
            self.pump()
            for fd, now in zip(before, (self.source, self.sink)):
                if fd >= 0 and fd != now:
                    poller.drop(fd)
            self.watch(poller)

        def broken(came: int) -> None:
            for fd in before:
                poller.drop(fd)
            self.close()

        if self.pending:
            poller.drop(self.source)
            poller.want(self.sink, WRITE, move)
        else:
            poller.want(self.source, READ, move)
            poller.want(self.sink, 0, broken)

    def close(self) -> None:
        """Close everything; the script gets the end of its input."""
        for fd in (self._spool, self._replay, self.given, self.sink):
            if fd >= 0:
                os.close(fd)
        self._spool = self._replay = self.given = self.sink = self.source = -1
        self.pending = b""
