"""Where an export goes, piece by piece: a file that appears whole or not at all, or a stream."""

from __future__ import annotations

import fcntl
import os
import stat

from runner.exporters.files import ReportError, open_special, stream_of, write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

#: Bytes collected before they are written.
_CHUNK = 1 << 20
#: What a file is called before it is whole, after its own name and a number.
_SUFFIX = ".export.tmp"


class Sink:
    """A file to write to; leaving its ``with`` block by an error leaves nothing behind.

    A new or regular file is written beside its place, and takes it in one step when it is committed. A device, a FIFO,
    ``-`` or the file that standard output goes to is written to as it is.

    Args:
        path: Where to; ``-`` is standard output.
        compress: Whether to compress it (gzip).

    Attributes:
        size: Bytes written so far.

    Raises:
        ReportError: It can't be opened.
    """

    def __init__(self, path: str, compress: bool = False) -> None:
        from hashlib import sha256

        self.path = path
        self.size = 0
        self.closed = False  # asked for by whoever takes this for a file
        self._digest = sha256()
        self._buffer = bytearray()
        self._temporary = ""
        self._own = True
        self._gzip = None
        if compress:
            from zlib import DEFLATED, compressobj

            self._gzip = compressobj(6, DEFLATED, 31)  # 31: with the header of gzip, without name and time
        try:
            self._fd = self._open()
        except OSError as error:
            raise self._failure(error) from None

    def _open(self) -> int:
        stream = stream_of(self.path)
        if stream:
            self._own = False
            return stream
        if os.path.exists(self.path) and not os.path.isfile(self.path):
            return open_special(self.path)
        target = os.path.realpath(self.path)
        _clear_remnants(target)
        temporary = f"{target}.{os.getpid()}{_SUFFIX}"
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        self._temporary = temporary
        fcntl.flock(fd, fcntl.LOCK_EX)  # tells others that somebody still writes it
        if os.path.exists(target):
            os.fchmod(fd, stat.S_IMODE(os.stat(target).st_mode))
        return fd

    def write(self, data: bytes) -> int:
        """Write bytes; return how many were given.

        Raises:
            ReportError: They could not be written.
            BrokenPipeError: Nobody reads standard output any more.
        """
        self._buffer += data if self._gzip is None else self._gzip.compress(data)
        if len(self._buffer) >= _CHUNK:
            self._drain()
        return len(data)

    def _drain(self) -> None:
        self._digest.update(self._buffer)
        self.size += len(self._buffer)
        try:
            write_all(self._fd, self._buffer)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise self._failure(error) from None
        self._buffer = bytearray()

    def flush(self) -> None:
        """Do nothing: what is written counts only once it is committed."""

    def close(self) -> None:
        """Do nothing: whoever takes this for a file does not decide whether it is whole."""

    def commit(self) -> str:
        """Put the file in its place, on the disk; return the SHA-256 of what was written, in hexadecimal.

        Raises:
            ReportError: It could not be written; a file that was there before is untouched.
        """
        if self._gzip is not None:
            self._buffer += self._gzip.flush()
        self._drain()
        try:
            if self._temporary:
                os.fsync(self._fd)
                target = os.path.realpath(self.path)
                os.replace(self._temporary, target)
                self._temporary = ""
                _sync_folder(os.path.dirname(target))
        except OSError as error:
            raise self._failure(error) from None
        return self._digest.hexdigest()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._temporary:
            try:
                os.unlink(self._temporary)
            except FileNotFoundError:
                pass  # it had just taken its place
            self._temporary = ""
        if self._own and not self.closed:
            os.close(self._fd)
        self.closed = True

    def _failure(self, error: OSError) -> ReportError:
        return ReportError(f"{self.path} was not written: {error.strerror or error}")


def _clear_remnants(target: str) -> None:
    """Remove what killed exports to the same place left behind; one that is still being written is locked."""
    folder, name = os.path.split(target)
    try:
        entries = os.listdir(folder)
    except OSError:
        return
    for entry in entries:
        number = entry.removeprefix(name + ".").removesuffix(_SUFFIX)
        if entry != f"{name}.{number}{_SUFFIX}" or not number.isdigit():
            continue
        path = os.path.join(folder, entry)
        try:
            fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.unlink(path)
        except OSError:
            pass
        finally:
            os.close(fd)


def _sync_folder(folder: str) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    except OSError:
        pass  # some file systems can't; the file itself is on the disk
    finally:
        os.close(fd)
