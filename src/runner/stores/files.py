"""What the files of a journal need: locks, descriptors out of the way, and writes that are whole or fail."""

from __future__ import annotations

import os


def take(descriptor: int) -> None:
    """Take a lock without waiting.

    Raises:
        OSError: Somebody else has it, or the file system knows no locks.
    """
    import fcntl

    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def high(descriptor: int) -> int:
    """Return a descriptor outside of the range 0 to 9, where scripts and shells expect their own streams."""
    if descriptor >= 10:
        return descriptor
    import fcntl

    try:
        return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Write all of `data`.

    Raises:
        OSError: Not all could be written.
    """
    written = os.write(descriptor, data)
    while written < len(data):
        data = data[written:]
        written = os.write(descriptor, data)
