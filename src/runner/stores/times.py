"""Keeps when the output of a stream was written, in a file beside its segments."""

from __future__ import annotations

import os

from runner.model.moments import Moments
from runner.stores.files import high, write_all

#: Bytes of an entry: offset in the stream, and milliseconds since the start of the attempt, big-endian.
WIDTH = 16
#: Entries at which every other one is dropped, and from then on the more rarely one is added.
MOST = 1 << 16


class Times:
    """The file of one stream, bounded at 1 MB.

    Args:
        stem: Its path without the ending.
    """

    def __init__(self, stem: str) -> None:
        self._path = stem + ".times"
        self._file = -1
        self._count = 0
        self._pause = 0.0
        self._due = 0.0
        self._last = -1

    def add(self, offset: int, t: float) -> None:
        """Append that what stands at `offset` in the stream was written by `t`, in seconds.

        Raises:
            OSError: It could not be written.
        """
        if t < self._due or offset <= self._last:
            return
        if self._file < 0:
            self._file = high(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600))
        if self._count >= MOST:
            self._thin_out(t)
        write_all(self._file, (offset << 64 | round(t * 1e3)).to_bytes(WIDTH, "big"))
        self._count += 1
        self._due = t + self._pause
        self._last = offset

    def _thin_out(self, t: float) -> None:
        data = os.pread(self._file, MOST * WIDTH, 0)
        kept = b"".join(data[at : at + WIDTH] for at in range(0, len(data), 2 * WIDTH))
        flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC
        thinner = high(os.open(self._path + ".new", flags, 0o600))
        try:
            write_all(thinner, kept)
            os.rename(self._path + ".new", self._path)
        except OSError:
            os.close(thinner)
            raise
        os.close(self._file)
        self._file, self._count = thinner, len(kept) // WIDTH
        self._pause = t / (MOST // 2)

    def close(self) -> None:
        """Close the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


class TimesReader:
    """Reads the file of one stream, and goes on while it grows.

    Args:
        stem: Its path without the ending.
    """

    def __init__(self, stem: str) -> None:
        self._path = stem + ".times"
        self._moments = Moments()
        self._inode = 0

    def read(self) -> Moments:
        """Return what is known by now; none where there is no file."""
        try:
            with open(self._path, "rb") as file:
                inode = os.fstat(file.fileno()).st_ino
                if inode != self._inode:  # it was thinned out
                    self._inode, self._moments = inode, Moments()
                file.seek(len(self._moments) * WIDTH)
                data = file.read()
        except OSError:
            return self._moments
        for at in range(0, len(data) - WIDTH + 1, WIDTH):
            number = int.from_bytes(data[at : at + WIDTH], "big")
            self._moments.add(number >> 64, (number & (1 << 64) - 1) / 1e3)
        return self._moments


def read_times(stem: str) -> Moments:
    """Return the times of the stream whose files begin with `stem`; none where there are none."""
    return TimesReader(stem).read()
