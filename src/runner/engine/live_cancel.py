"""Ends a run from beside its runner: asks it on the FIFO of its journal, and wakes it if it was stopped."""

from __future__ import annotations

import os

from runner.agent.requests import Cancel
from runner.model.errors import RunnerError
from runner.stores.journal import REQUESTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.engine.live import LiveRun

_SIGCONT = 18


class NotRunning(RunnerError):
    """The run has ended before it could be asked to."""


def cancel(live: LiveRun, who: str, kill_after: float | None = None) -> None:
    """Ask the runner of a run to end it, its whole tree and whatever attempt would follow; don't wait for that.

    Args:
        live: The run.
        who: Name of the user who asks, for the record.
        kill_after: Seconds between SIGTERM and SIGKILL; None for what the run itself was given.

    Raises:
        NotRunning: It has ended meanwhile.
        RunnerError: It can't be asked: it is another user's, or its journal is where nothing can listen.
    """
    path = os.path.join(live.path, REQUESTS)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            os.write(descriptor, Cancel(kill_after, who).encode())
        finally:
            os.close(descriptor)
    except PermissionError:
        raise RunnerError(f"run {live.id} is {live.user}'s: only {live.user} and root can cancel it") from None
    except FileNotFoundError:
        if not live.alive():
            raise NotRunning(f"run {live.id} has ended already") from None
        raise RunnerError(
            f"run {live.id} can't be asked to end: there is no {path}; kill {live.runner_pid} ends its script alone"
        ) from None
    except OSError as error:  # nobody listens any more, or nobody reads what was asked so often
        if not live.alive():
            raise NotRunning(f"run {live.id} has ended already") from None
        raise RunnerError(f"run {live.id} can't be asked to end: {error.strerror}") from None
    _wake(live.runner_pid, path)


def _wake(pid: int, path: str) -> None:
    """Let a runner go on that was stopped together with its script; its own FIFO tells it from a namesake elsewhere."""
    from runner.agent.witness import state_of

    try:
        if state_of(pid) != "T":
            return
        folder = f"/proc/{pid}/fd"
        if any(os.readlink(f"{folder}/{name}") == os.path.realpath(path) for name in os.listdir(folder)):
            os.kill(pid, _SIGCONT)
    except OSError:
        pass
