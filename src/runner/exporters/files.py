"""Writes a report to the path that was asked for: whole or not at all."""

from __future__ import annotations

import os
import stat

from runner.model.errors import RunnerError, UsageError

#: Seconds a report waits for somebody to read the FIFO it is written to.
FIFO_PATIENCE = 5.0
#: How a database begins.
_DATABASE = b"SQLite format 3\0"
#: Ends of the names of what a record keeps beside itself: files of SQLite's, and the folder of journals.
_FILES, _FOLDER = ("-wal", "-shm", "-journal"), ".runs"


class ReportError(RunnerError):
    """A report could not be written; the run is not affected."""


def check(path: str, flag: str) -> None:
    """Refuse a path that can't work, before anything is started.

    Raises:
        UsageError: It is a directory, its folder does not exist, it can't be written, or runs are kept there.
    """
    if path == "-":
        return
    if not path:
        raise UsageError(f"{flag}: the path is empty")
    folder = os.path.dirname(os.path.realpath(path))
    if os.path.isdir(path):
        raise UsageError(f"{flag}: {path} is a directory; name a file in it")
    if not os.path.isdir(folder):
        raise UsageError(f"{flag}: the folder {folder} does not exist; create it first")
    if not os.access(path if os.path.exists(path) and not os.path.isfile(path) else folder, os.W_OK):
        raise UsageError(f"{flag}: {path} can't be written (permission denied)")
    check_spares_records(path, flag)


def check_spares_records(path: str, flag: str) -> None:
    """Refuse a path at which a record is, or what belongs to one: whatever is written there destroys it.

    Raises:
        UsageError: A database is there, by whatever name or link, or the path is one of its own.
    """
    real = os.path.realpath(path)
    if _is_database(real):
        raise UsageError(f"{flag}: {path} is a database, such as the record itself; name another file")
    owners = [real.removesuffix(ending) for ending in _FILES if real.endswith(ending)]
    folder = os.path.dirname(real)
    while folder != os.path.dirname(folder):
        if folder.endswith(_FOLDER):
            owners.append(folder.removesuffix(_FOLDER))
        folder = os.path.dirname(folder)
    for owner in owners:
        if _is_database(owner):
            raise UsageError(f"{flag}: {path} belongs to the record {owner}; name another file")


def _is_database(path: str) -> bool:
    try:
        if not os.path.isfile(path):
            return False  # a FIFO would wait for who writes it
        with open(path, "rb") as file:
            return file.read(len(_DATABASE)) == _DATABASE
    except OSError:
        return False


def relative(path: str, root: str) -> str:
    """Return a path relative to a folder that it lies in, else as it is."""
    if not root or not path:
        return path
    inside = os.path.relpath(os.path.realpath(path), os.path.realpath(root))
    return path if inside.startswith("..") else inside


def is_stdout(path: str) -> bool:
    """Whether a report of that path is written to standard output, by whatever name."""
    return stream_of(path) == 1


def stream_of(path: str) -> int:
    """Return the descriptor of the standard stream that a path leads to (``/dev/stdout``), 0 for none."""
    if path == "-":
        return 1
    for descriptor in (1, 2):
        try:
            if os.path.samestat(os.stat(path), os.fstat(descriptor)):
                return descriptor
        except OSError:
            continue
    return 0


def write(path: str, data: bytes) -> None:
    """Write a report: a new or regular file is replaced in one step, a device, FIFO or ``-`` is written to.

    The file that standard output goes to is not replaced: what the script wrote into it would be lost.

    Raises:
        ReportError: It could not be written; a regular file that was there before is untouched.
    """
    try:
        stream = stream_of(path)
        if stream:
            write_all(stream, data)
        elif os.path.exists(path) and not os.path.isfile(path):
            _write_special(path, data)
        else:
            _replace(os.path.realpath(path), data)
    except OSError as error:
        raise ReportError(f"{path} was not written: {error.strerror or error}") from None


def _replace(path: str, data: bytes) -> None:
    # No number of a process: in a container each run may have the same, and find what a killed one left.
    temporary = f"{path}.{os.urandom(8).hex()}.tmp"
    mode = stat.S_IMODE(os.stat(path).st_mode) if os.path.exists(path) else None
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        try:
            if mode is not None:
                os.fchmod(fd, mode)
            write_all(fd, data)
        finally:
            os.close(fd)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _write_special(path: str, data: bytes) -> None:
    fd = open_special(path)
    try:
        write_all(fd, data)
    finally:
        os.close(fd)


def open_special(path: str) -> int:
    """Open a device or FIFO for writing, once somebody reads it.

    Raises:
        OSError: It can't be opened, or nobody came to read it for `FIFO_PATIENCE`.
    """
    from time import monotonic, sleep

    patience = monotonic() + FIFO_PATIENCE
    while True:
        try:
            fd = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
            break
        except OSError:  # ENXIO: a FIFO that nobody reads yet
            if not stat.S_ISFIFO(os.stat(path).st_mode) or monotonic() > patience:
                raise
            sleep(0.05)
    os.set_blocking(fd, True)
    return fd


def write_all(fd: int, data: bytes | bytearray) -> None:
    """Write all bytes to a descriptor."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
