"""What an executor is: it puts an agent where the script is to run."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from runner.agent.events import Ended, Started, Tell
    from runner.agent.job import Job

    class Handle(Protocol):
        """An attempt that has been started."""

        started: Started
        #: Processes that are no part of the script's tree.
        spare: set[int]

        def run(self, tell: Tell, requests: int = -1) -> Ended:
            """Carry and measure the script until it has ended.

            Args:
                tell: Called with each event, the last one excepted.
                requests: Descriptor that does not block, on which is asked for what `agent.requests` knows, or -1. A
                    request that came too late for this attempt is still to be read there.

            Returns:
                The last event.
            """

    class Executor(Protocol):
        """A place where scripts run."""

        def start(self, job: Job) -> Handle:
            """Start the script.

            Raises:
                StartFailed: It could not be started; nothing runs.
            """

        def pause(self, seconds: float, requests: int = -1) -> int:
            """Wait before a start, or until something is to be read on `requests`.

            Returns:
                The signal that came meanwhile and ends the run, 0 for none.
            """
