"""Lets go of pipes that only the script needs, so that their other ends are told what they would be alone."""

from __future__ import annotations

import os
import stat


def let_go(fd: int) -> None:
    """Replace a standard descriptor of this process by the null device, where it is a pipe or a socket.

    A writer is told that nobody reads, and a reader that nothing more comes, when the last process has closed its end.

    Args:
        fd: The descriptor; that of other processes stays.
    """
    try:
        mode = os.fstat(fd).st_mode
    except OSError:
        return
    if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, fd)
        os.close(null)
