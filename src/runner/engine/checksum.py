"""The checksum beside a file, as ``sha256sum -c`` reads it: written with an archive, compared before it is imported."""

from __future__ import annotations

import os
from hashlib import sha256

from runner.importers.base import BadFileError

#: What follows the name of a file in that of its checksum.
CHECKSUM = ".sha256"


def write_checksum(path: str, digest: str) -> None:
    """Write the SHA-256 of a file beside it, on the disk.

    Raises:
        OSError: It can't be written.
    """
    fd = os.open(path + CHECKSUM, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, f"{digest}  {os.path.basename(path)}\n".encode("utf-8", "surrogateescape"))
        os.fsync(fd)
    finally:
        os.close(fd)
    folder = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def check_sum(path: str) -> None:
    """Compare a file with the checksum beside it, if there is one.

    Raises:
        BadFileError: It is not what was written, or the checksum can't be read.
    """
    try:
        with open(path + CHECKSUM, encoding="utf-8", errors="surrogateescape") as file:
            expected = file.read(4096).split()[:1]
    except FileNotFoundError:
        return
    except OSError as error:
        raise BadFileError(f"{path}{CHECKSUM} can't be read: {error.strerror}") from None
    try:
        found = sum_of(path)
    except OSError as error:
        raise BadFileError(f"{path} can't be read: {error.strerror}") from None
    if [found] != expected:
        raise BadFileError(f"{path} is not what was archived: its SHA-256 is not that in {path}{CHECKSUM}; "
                           "take another copy of it")  # fmt: skip


def sum_of(path: str) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    digest = sha256()
    with open(path, "rb") as file:
        while data := file.read(1 << 20):
            digest.update(data)
    return digest.hexdigest()
