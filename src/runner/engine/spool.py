"""A copy of piped standard input, so that a retry reads what the first attempt read."""

from __future__ import annotations

import os
import stat


def needed() -> bool:
    """Tell whether standard input is something that can be read only once."""
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


class Spool:
    """A temporary file without a name, which goes with the process that made it.

    Raises:
        OSError: No temporary file can be made.
    """

    def __init__(self) -> None:
        from tempfile import TemporaryFile

        self._file = TemporaryFile(prefix="runner-stdin-")  # noqa: SIM115 (it lives as long as the run)
        #: A path under which the file can be opened, for the agent.
        self.path = f"/proc/{os.getpid()}/fd/{self._file.fileno()}"
