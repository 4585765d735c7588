"""Standard input that a retry reads from where the first attempt began."""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.agent.job import Job


class Input:
    """The inherited standard input: a pipe is copied while it is read, a file is wound back, a terminal is as it is.

    Args:
        job: Told to copy a pipe, if it is one.

    Raises:
        OSError: No temporary file can be made for the copy.
    """

    def __init__(self, job: Job) -> None:
        self._position = -1
        try:
            mode = os.fstat(0).st_mode
        except OSError:  # closed
            return
        if stat.S_ISREG(mode):
            self._position = os.lseek(0, 0, os.SEEK_CUR)
        elif stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
            from tempfile import TemporaryFile

            # Without a name: it goes with this process, however that ends.
            self._copy = TemporaryFile(prefix="runner-stdin-")  # noqa: SIM115 (it lives as long as the run)
            job.spool = f"/proc/{os.getpid()}/fd/{self._copy.fileno()}"

    def rewind(self, job: Job) -> None:
        """Have the next attempt begin with what the first one read."""
        if self._position >= 0:
            os.lseek(0, self._position, os.SEEK_SET)
        job.stdin = job.spool
