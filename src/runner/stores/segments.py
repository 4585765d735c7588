"""Keeps the beginning and the newest part of an output stream in files named by the offset of their first byte."""

from __future__ import annotations

import os

from runner.stores.files import high, write_all
from runner.stores.times import Times

#: Bytes kept from the beginning of a stream.
HEAD = 8 << 20
#: Bytes after which a new file is begun.
SEGMENT = 4 << 20
#: Files after the first are removed, the oldest first, while those that stay hold this much.
KEPT = 2 * SEGMENT


class Segments:
    """The files of one stream.

    Args:
        stem: Their path without the offset: ``<stem>.0`` is the beginning.
    """

    def __init__(self, stem: str) -> None:
        self._stem = stem
        self._file = -1
        self._start = 0
        self._end = 0  # of what has been written, as an offset in the stream
        self._later: list[tuple[int, int]] = []  # offset and size of the files after the first, but the open one
        self.times = Times(stem)

    def add(self, offset: int, data: bytes, t: float | None = None) -> None:
        """Write what stands at `offset`; of a piece larger than a segment only its end, unless it is the beginning.

        Args:
            offset: Of the first byte in the stream.
            data: The bytes.
            t: When they were told of, in seconds since the start of the attempt.

        Raises:
            OSError: It could not be written; what follows goes to a new file.
        """
        if t is not None:
            self.times.add(offset, t)  # first: who finds the bytes finds their time
        view = memoryview(data)
        if offset < HEAD and (self._file < 0 or (self._start == 0 and offset == self._end)):
            fits = view[: HEAD - offset]
            self._write(offset, fits)
            view, offset = view[len(fits) :], offset + len(fits)
        if len(view) > SEGMENT:
            offset += len(view) - SEGMENT
            view = view[len(view) - SEGMENT :]
        if view:
            self._write(offset, view)

    def _write(self, offset: int, view: memoryview) -> None:
        limit = HEAD if self._start == 0 else SEGMENT
        if self._file < 0 or offset != self._end or offset + len(view) - self._start > limit:
            self._begin(offset)
            path = f"{self._stem}.{offset}"
            self._file = high(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600))
        try:
            write_all(self._file, view)
        except OSError:
            self._end = -1
            raise
        self._end = offset + len(view)

    def _begin(self, offset: int) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
            if self._start > 0:
                self._later.append((self._start, self._end - self._start))
        self._start = offset
        while sum(size for _, size in self._later[1:]) >= KEPT:
            os.unlink(f"{self._stem}.{self._later.pop(0)[0]}")

    def close(self) -> None:
        """Close the open files."""
        self.times.close()
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
