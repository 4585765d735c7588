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

        def run(self, tell: Tell) -> Ended:
            """Carry and measure the script until it has ended, telling events; return the last one, untold."""

    class Executor(Protocol):
        """A place where scripts run."""

        def start(self, job: Job) -> Handle:
            """Start the script.

            Raises:
                StartFailed: It could not be started; nothing runs.
            """

        def pause(self, seconds: float) -> int:
            """Wait before a retry.

            Returns:
                The signal that came meanwhile and ends the run, 0 for none.
            """
