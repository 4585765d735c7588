"""Counts output that goes to a file past us: by the movement of its descriptor, and by reading what was written."""

from __future__ import annotations

import os

from runner.agent.channels import position

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.agent.channels import Stream
    from runner.agent.keeper import Keeper

_BLOCK = 1 << 20
#: Bytes read at most for each second of the script, so that counting lines never takes much of a core.
_A_SECOND = 100 << 20
#: Bytes read besides when the script has ended, a third of a second's work; of more the middle is passed over.
_AT_END = 512 << 20


class HandedFile:
    """A regular file that the script writes to itself.

    Args:
        stream: Where it is.
        keeper: Counts what is read.

    Attributes:
        weaker: Why a counter is worth less than usual, by counter.
    """

    def __init__(self, stream: Stream, keeper: Keeper) -> None:
        from fcntl import F_GETFL, fcntl

        self.keeper = keeper
        self.weaker: dict[str, list[str]] = {}
        self.name = stream.name
        self._fd = stream.fd
        self._appends = bool(fcntl(self._fd, F_GETFL) & os.O_APPEND)
        self._start = stream.status.st_size if self._appends else stream.offset
        self._at = self._start
        self._length = stream.status.st_size
        self._other = stream.other
        try:
            self._reader = os.open(f"/proc/self/fd/{self._fd}", os.O_RDONLY)
        except OSError:
            self._reader = -1

    def look(self, seconds: float) -> None:
        """Read what is new in the file, as far as the time allows.

        Args:
            seconds: Time since the last look.
        """
        if self._reader >= 0:
            self._read(self._position(), int(_A_SECOND * seconds))

    def finish(self, seconds: float) -> list[int | None]:
        """Return bytes and lines written since the start; lines are None where the file can't be read.

        Args:
            seconds: How long the script ran.
        """
        end = self._position()
        size = self._size(end)
        if self._reader >= 0:
            missed = end - self._at - _AT_END - int(_A_SECOND * seconds)
            if missed > 0:
                self._pass_over(missed)
            self._read(end, end)
            os.close(self._reader)
        doubt: list[str] = []
        if self._appends:
            cut = end < self._at  # what was read of it is gone
            doubt = ["bound" if cut else "ceiling", "growth of a file that is appended to, whoever wrote it"]
        elif os.fstat(self._fd).st_size > max(end, self._length, self._start + size):
            doubt = ["bound", "the position in the file was moved back"]
        if doubt:
            self.weaker[self.name + "_size"] = self.weaker[self.name + "_lines"] = doubt
        return [size, self.keeper.lines if self._reader >= 0 else None]

    def written(self) -> int:
        """Return the bytes written so far."""
        return self._size(self._position())

    def trace(self) -> tuple[int, int, int]:
        """Return what differs once something was written: position, size, and time of the last change."""
        status = os.fstat(self._fd)
        return position(self._fd), status.st_size, status.st_mtime_ns

    def _size(self, end: int) -> int:
        return max(end - self._start, 0) + self._apart(end)

    def _position(self) -> int:
        return os.fstat(self._fd).st_size if self._appends else position(self._fd)

    def _apart(self, end: int) -> int:
        # Opened twice, the same file has two positions; a file opened once has one.
        if self._other < 0 or self._appends:
            return 0
        there = position(2)
        apart = there != end or self._other != self._start
        return max(there - self._other, 0) if apart else 0

    def _read(self, end: int, budget: int) -> None:
        stop = min(end, self._at + budget)
        while self._at < stop:
            data = os.pread(self._reader, min(_BLOCK, stop - self._at), self._at)
            if not data:
                return
            self._at += len(data)
            self.keeper.feed(data)

    def _pass_over(self, length: int) -> None:
        self.keeper.skip(length)
        self._at += length
        self.weaker[self.name + "_lines"] = ["bound", f"{length} bytes of the file were not read"]
