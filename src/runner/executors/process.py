"""Runs the agent as a small process of its own, for a host program with memory, threads and children of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from select import POLLIN, poll
from time import monotonic

from runner.agent.attempt import StartFailed
from runner.agent.events import CANCELLED, FAILED_TO_START, LOST, Ended, Started, decode
from runner.agent.job import EXIT_RUNNER
from runner.agent.pause import LOOK, is_asked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.agent.events import Event, Tell
    from runner.agent.job import Job

#: The root of the package: an isolated interpreter does not look where the host program does.
_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_SIGINT = 2
_CODE = "import sys; sys.path.insert(0, sys.argv.pop(1)); from runner.agent.__main__ import main; main(sys.argv[1:])"


class Process:
    """Starts each attempt under an agent process: exact figures in a 2 GB host, whose own children are left alone.

    Args:
        interrupted: Set when the host program is to stop; ends the wait before a retry.
        output: Descriptor for both output streams of scripts, None for those of this process.
    """

    def __init__(self, interrupted: threading.Event | None = None, output: int | None = None) -> None:
        self._interrupted = interrupted or threading.Event()
        self._output = output

    def start(self, job: Job) -> ProcessHandle:
        """Start an agent, and the script under it (see `Executor.start`)."""
        job_read, job_write = os.pipe()
        events_read, events_write = os.pipe()
        try:
            agent = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _CODE, _ROOT, str(job_read), str(events_write)],
                pass_fds=(job_read, events_write),
                stdout=self._output,
                stderr=self._output,
            )
        except OSError as error:
            os.close(job_write)
            os.close(events_read)
            raise StartFailed(EXIT_RUNNER, f"the agent could not be started: {error}") from None
        finally:
            os.close(job_read)
            os.close(events_write)
        return ProcessHandle(agent, job, job_write, events_read)

    def pause(self, seconds: float, requests: int = -1) -> int:
        """Wait before a start (see `Executor.pause`)."""
        until = monotonic() + seconds
        while not self._interrupted.is_set():
            left = until - monotonic()
            if left <= 0 or is_asked(requests):
                return 0
            self._interrupted.wait(left if requests < 0 else min(left, LOOK))
        return _SIGINT


class ProcessHandle:
    """An attempt under an agent process.

    Raises:
        StartFailed: The script could not be started.
    """

    def __init__(self, agent: subprocess.Popen[bytes], job: Job, control: int, events: int) -> None:
        from runner.agent.events import dumps

        self._agent = agent
        self._control = control
        self._events = events
        self._lines = [b""]  #: what has been read of the agent's lines, the last one first and not complete
        self._passed = b""  #: what was asked and has been passed on
        #: Processes that are no part of the script's tree; under an agent the host's never are.
        self.spare: set[int] = set()
        try:
            with open(control, "wb", closefd=False) as pipe:
                pipe.write(dumps(job.to_dict()).encode("ascii") + b"\n")
            first = self._next()
        except OSError:
            first = None
        if not isinstance(first, Started):
            self._close()
            if isinstance(first, Ended) and first.reason == FAILED_TO_START:
                raise StartFailed(first.exit_code or EXIT_RUNNER, first.message or "the script could not be started")
            raise StartFailed(EXIT_RUNNER, "the agent ended before the script was started")
        self.started = first

    def run(self, tell: Tell, requests: int = -1) -> Ended:
        """Pass on what the agent tells, until the script has ended (see `Handle.run`).

        An exception that a signal handler of the host program raises ends the script too: nobody waits for it any more.
        """
        try:
            while True:
                event = self._next(requests) or Ended(0.0, LOST, None, message="the agent was killed")
                if isinstance(event, Ended):
                    if self._passed and event.reason != CANCELLED:
                        self._put_back(requests)
                    return event
                tell(event)
        finally:
            self._close()

    def _next(self, requests: int = -1) -> Event | None:
        """Return what the agent tells next, None where it is gone; what is asked meanwhile is passed on."""
        while len(self._lines) < 2:
            self._wait(requests)
            data = os.read(self._events, 1 << 20)
            if not data:
                return None
            self._lines = (self._lines[0] + data).split(b"\n")[::-1]
        return decode(self._lines.pop().decode("ascii"))

    def _wait(self, requests: int) -> None:
        waiting = poll()
        waiting.register(self._events, POLLIN)
        if requests >= 0:
            waiting.register(requests, POLLIN)
        while True:
            ready = [fd for fd, _ in waiting.poll()]
            if requests in ready:
                self._pass_on(requests)
            if self._events in ready:
                return

    def _pass_on(self, requests: int) -> None:
        try:
            self._passed = os.read(requests, 4096)
            os.write(self._control, self._passed)
        except OSError:
            pass  # there was nothing after all, or the agent is gone

    def _put_back(self, requests: int) -> None:
        """Leave what came too late for this attempt to who decides about another: it is a FIFO, open for both."""
        try:
            os.write(requests, self._passed)
        except OSError:
            pass

    def _close(self) -> None:
        os.close(self._control)
        os.close(self._events)
        self._agent.wait()
