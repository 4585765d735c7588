"""Runs the agent in this process: for a program that has nothing else to do, the cheapest way."""

from __future__ import annotations

from runner.agent.attempt import Attempt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.agent.job import Job
    from runner.executors.base import Handle


class Here:
    """Starts scripts as children of this very process; signals, terminal and orphans are its business meanwhile."""

    def start(self, job: Job) -> Handle:
        """Start the script (see `Executor.start`)."""
        attempt = Attempt(job)
        attempt.start()
        return attempt
