"""What a reader of runs is, and the file that it reads."""

from __future__ import annotations

import os
import zlib

from runner.model.errors import RunnerError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, BinaryIO, Protocol

    from runner.model.run import Run

#: How a file of SQLite begins.
DATABASE = b"SQLite format 3\0"
_GZIP = b"\x1f\x8b"
#: How the name of a file of JSON lines ends, which may have none.
_LINES = (".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz")
#: Bytes of a file that tell what it is.
_HEAD = 1 << 16


class BadFileError(RunnerError):
    """A file can't be imported: it is cut off, damaged, or nothing that is known. Nothing of it was stored."""


class Source:
    """A file to read runs from.

    Args:
        path: A regular file.
        name: What messages call it; its path where empty.

    Attributes:
        head: Its beginning, decompressed.

    Raises:
        BadFileError: It can't be read.
    """

    def __init__(self, path: str, name: str = "") -> None:
        self.path = path
        self.name = name or path
        self._file: Any = None
        self._done = 0.0
        try:
            with open(path, "rb") as file:
                self.compressed = file.read(2) == _GZIP
            with self.open() as content:
                self.head = content.read(_HEAD)
        except (OSError, EOFError, zlib.error) as error:
            raise self.failure(error) from None
        if self.compressed and self.head.startswith(DATABASE):
            raise BadFileError(f"{self.name} is a compressed database; decompress it first")

    def open(self) -> BinaryIO:
        """Open the file; what is read from it is decompressed."""
        if self.compressed:
            import gzip

            self._file = gzip.GzipFile(self.path, "rb")
        else:
            self._file = open(self.path, "rb")  # noqa: SIM115 (whoever asked for it closes it)
        return self._file  # type: ignore[no-any-return]

    def tell(self, share: float) -> None:
        """Note how much of it was read, where that is not as far as the file was read."""
        self._done = share

    def share(self) -> float:
        """Return how much of it was read, from 0 to 1."""
        if self._done or self._file.closed:
            return self._done or 1.0
        position: int = (self._file.fileobj if self.compressed else self._file).tell()
        return min(1.0, position / max(1, os.path.getsize(self.path)))

    def failure(self, error: Exception, line: int = 0) -> BadFileError:
        """Return the error that tells a person why the file can't be read, and where."""
        where = f"{self.name}, line {line}" if line else self.name
        if isinstance(error, EOFError):
            return BadFileError(f"{where}: the compressed file is cut off")
        if isinstance(error, zlib.error):
            return BadFileError(f"{where}: the compressed file is damaged ({error})")
        if isinstance(error, UnicodeDecodeError):
            return BadFileError(f"{where}: it is no UTF-8 text ({error})")
        if isinstance(error, OSError):
            return BadFileError(f"{where} can't be read: {error.strerror or error}")
        return BadFileError(f"{where}: {error}")

    @property
    def is_lines(self) -> bool:
        """Whether it is called a file of JSON lines: the only one that is whole when it is empty."""
        return self.name.endswith(_LINES)

    @property
    def modified(self) -> int:
        """When the file was last written, in ns since the epoch."""
        return os.stat(self.path).st_mtime_ns


if TYPE_CHECKING:

    class Reader(Protocol):
        """Reads one format. It is made without arguments."""

        def matches(self, source: Source) -> bool:
            """Whether the file is of this format, by what it holds."""

        def read(self, source: Source) -> Iterator[Run]:
            """Yield the runs in it.

            Raises:
                BadFileError: It is cut off, damaged, or holds what can't be a run.
            """
