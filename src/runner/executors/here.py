"""Runs the agent in this process: for a program that has nothing else to do, the cheapest way."""

from __future__ import annotations

import gc

from runner.agent import pause
from runner.agent.attempt import Attempt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.agent.events import Ended, Tell
    from runner.agent.job import Job
    from runner.agent.overlay import Guard


class Here:
    """Starts scripts as children of this very process; signals, terminal and orphans are its business meanwhile.

    From the end of an attempt to the start of the next, or to the end of the process, signals that end programs are
    held: they must not strike while the run is being recorded.
    """

    def __init__(self) -> None:
        #: What may be drawn over the output of scripts, or hold it back.
        self.overlay: Guard | None = None
        self._mask: set[int] | None = None

    def start(self, job: Job) -> HereHandle:
        """Start the script (see `Executor.start`)."""
        if self._mask is not None:
            pause.release(self._mask)
            self._mask = None
        return HereHandle(Attempt(job, held=pause.ENDING), self)

    def hold(self, mask: set[int]) -> None:
        """Know that the ending signals are held, until the next start.

        Args:
            mask: Signal mask to put back then.
        """
        self._mask = mask

    def pause(self, seconds: float, requests: int = -1) -> int:
        """Wait before a start (see `Executor.pause`)."""
        if self._mask is None:
            self._mask = pause.hold()
        return pause.wait(seconds, requests)


class HereHandle:
    """An attempt in this process.

    Raises:
        StartFailed: The script could not be started.
    """

    def __init__(self, attempt: Attempt, executor: Here) -> None:
        self._attempt = attempt
        self._executor = executor
        self.started = attempt.start()
        self.spare = attempt.spare

    def run(self, tell: Tell, requests: int = -1) -> Ended:
        """Carry the script to its end (see `Handle.run`)."""
        # What has been loaded stays; only what a long run makes may be garbage. The end makes none worth a look.
        gc.freeze()
        gc.enable()
        self._attempt.control = requests
        self._attempt.overlay = self._executor.overlay
        ended = self._attempt.run(tell)
        gc.disable()
        self._executor.hold(self._attempt.mask)
        return ended
