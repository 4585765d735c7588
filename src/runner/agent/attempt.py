"""One attempt: start the script, carry its streams, sample and wait until it has ended, telling events."""

from __future__ import annotations

import os
from time import monotonic, time_ns

from runner.agent.channels import Streams
from runner.agent.job import EXIT_RUNNER
from runner.agent.signals import Signals
from runner.agent.spawn import StartFailed, spawn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Collection

    from runner.agent.events import Ended, Started, Tell
    from runner.agent.feeder import Feeder
    from runner.agent.job import Job
    from runner.agent.overlay import Overlay

__all__ = ["Attempt", "StartFailed"]


class Attempt:
    """One start of a script. It takes over this process's signals, and takes all its children for the script's.

    Args:
        job: What to start, and how to treat it.
        control: Descriptor that does not block, on which is asked for what `requests` knows, or -1; its closing means
            that nobody waits for the script any more.
        held: Signals that stay blocked when the script has ended, so that none strikes before that is recorded.

    Attributes:
        started: What `start` told.
        spare: Children of this process that are no part of the script's tree.
        mask: Signal mask that this process had before.
    """

    def __init__(self, job: Job, control: int = -1, held: Collection[int] = ()) -> None:
        self.job = job
        self.control = control
        self.held = held
        #: What may be drawn over its output, or hold it back.
        self.overlay: Overlay | None = None
        self.mask: set[int] = set()
        self.started: Started
        self.spare: set[int] = set()
        self.pid = 0
        #: Peak of this process's memory at the start, in bytes; the script's own begins there.
        self.floor = 0
        self.feeder: Feeder | None = None

    def start(self) -> Started:
        """Start the script; it runs when this returns.

        Nothing is imported or read here before the start that the start does not need.

        Raises:
            StartFailed: It could not be started; nothing runs.
        """
        job = self.job
        try:
            self.streams = streams = Streams(job.direct, job.capture)
        except OSError as error:
            raise StartFailed(EXIT_RUNNER, f"cannot make a pipe for the output: {error}") from None
        self.signals = signals = Signals()
        self.mask = {int(number) for number in signals.mask}
        opened = -1
        try:
            given = dict(streams.given)
            opened = self._open_input(given)
            prepare = self._prepare()
            self.spare = present_children()
            early = _is_early(job.executable)
            if early:
                become_subreaper()
            self.time = time_ns()
            self.began = monotonic()
            self.pid = spawn(
                job.executable, job.argv, job.env, job.cwd, given, signals.mask, signals.defaults, signals.ignores,
                prepare,
            )  # fmt: skip
        except BaseException:
            streams.abandon()
            signals.close()
            if self.feeder is not None:
                self.feeder.close()
            raise
        finally:
            if opened >= 0:
                os.close(opened)
        if not early:
            become_subreaper()
        from runner.agent.usage import own_peak

        self.floor = own_peak()
        streams.started()
        if self.feeder is not None:
            self.feeder.started()
        if job.release:
            self._release()
        signals.open(self.pid, self.spare)
        from runner.agent.reap import ExitNote

        self.note = ExitNote(self.pid)
        self.started = self._describe()
        return self.started

    def _prepare(self) -> Callable[[], None] | None:
        """Refuse limits that can't be watched; return what is to be done in the script's process before it begins."""
        job = self.job
        if job.limited:
            from runner.agent.limits import unseen

            problem = unseen(job, self.streams.describe())
            if problem:
                raise StartFailed(EXIT_RUNNER, problem)
        if job.nice is None and job.ionice is None:
            return None
        from runner.agent.priority import prepare

        return prepare(job)

    def _release(self) -> None:
        """Let go of what the script has got and this process does not use."""
        from runner.agent.release import let_go

        if self.feeder is None:
            let_go(0)
        if self.job.direct:
            let_go(1)

    def _open_input(self, given: dict[int, int]) -> int:
        job = self.job
        if job.spool is not None:
            from runner.agent.feeder import Feeder

            try:
                self.feeder = Feeder(job.spool, again=job.stdin is not None)
            except OSError as error:
                raise StartFailed(EXIT_RUNNER, f"cannot keep a copy of the input: {error}") from None
            given[0] = self.feeder.given
        elif job.stdin is not None:
            try:
                given[0] = os.open(job.stdin, os.O_RDONLY)
            except OSError as error:
                raise StartFailed(EXIT_RUNNER, f"cannot read the input: {error}") from None
            return given[0]
        return -1

    def _describe(self) -> Started:
        from runner.agent.events import Started
        from runner.agent.facts import boot_id, host_facts, start_ticks

        ticks = start_ticks(self.pid)
        return Started(0.0, self.time, self.pid, ticks, boot_id(), host_facts(), self.streams.describe())

    def run(self, tell: Tell) -> Ended:
        """Carry, sample and wait until the script has ended.

        Args:
            tell: Called with each event while it lasts.

        Returns:
            The last event, which is not told.
        """
        from runner.agent.loop import Loop

        return Loop(self, tell).run()


def present_children() -> set[int]:
    """Return the children this process has already: its own by an exec, or survivors of an earlier attempt."""
    own = os.getpid()
    try:
        with open(f"/proc/{own}/task/{own}/children", "rb", buffering=0) as file:
            return {int(pid) for pid in (file.readall() or b"").split()}
    except OSError:
        return set()


def become_subreaper() -> None:
    """Have orphans of the script become children of this process, where their CPU time is found."""
    from runner.agent.libc import PR_SET_CHILD_SUBREAPER, prctl

    prctl(PR_SET_CHILD_SUBREAPER, 1)


def _is_early(executable: str) -> bool:
    """Whether a program may leave an orphan within its first millisecond.

    A Python interpreter takes longer than that to reach the script's first line, so for one there is time to become
    subreaper after the start, while it comes up. Anything else has to wait for that third of a millisecond.
    """
    name = os.path.basename(executable)
    return not name.startswith(("python", "pypy"))
