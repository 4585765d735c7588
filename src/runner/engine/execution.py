"""One run, from its first start to its record: attempts, retries, facts, reports.

What is imported on top is all that happens before the script is started; the rest is imported while it runs.
"""

from __future__ import annotations

from runner.agent.attempt import StartFailed
from runner.agent.job import Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Protocol

    from runner.agent.events import Ended, Event
    from runner.engine.estimate import Durations
    from runner.engine.limit_options import LimitOptions
    from runner.engine.locks import Lock
    from runner.engine.record import Recorder
    from runner.engine.run_options import MonitorOptions, RecordOptions, RunOptions
    from runner.engine.spool import Input
    from runner.engine.target import Target
    from runner.executors.base import Executor, Handle
    from runner.model.fold import Fold
    from runner.model.judgement import Judgement
    from runner.model.run import Attempt, Run
    from runner.policy.retry import RetryPolicy

    class Report(Protocol):
        """Something written about a finished run."""

        to_stdout: bool

        def write(self, run: Run, judgement: Judgement | None) -> None:
            """Write it; a `RunnerError` is said and changes nothing."""


_SIGTERM = 15


class Execution:
    """Runs one target to its end.

    Args:
        target: What to run.
        env: The script's environment.
        run: How it is run.
        monitor: How it is measured.
        record: Where it is remembered.
        executor: Where it runs.
        retry: Whether and when it is tried again; None for one attempt.
        reports: What is written about it at the end.
        judge: Judges the finished run, once it is recorded and before its reports are written.
        watch: Called with every event and the number of its attempt, for those who look on; what it raises is raised
            again when the run has been recorded.
        words: What the runner was given, for the record.
        hold: Whether output is held back, even what goes to files.
        limits: What the script may use; None for all there is.
        lock: What keeps other runs from running at the same time, or None.
        waiting: Told for whom the run has to wait.
    """

    def __init__(
        self,
        target: Target,
        env: dict[str, str],
        run: RunOptions,
        monitor: MonitorOptions,
        record: RecordOptions,
        executor: Executor,
        retry: RetryPolicy | None = None,
        reports: Sequence[Report] = (),
        judge: Callable[[Run], Judgement] | None = None,
        watch: Callable[[Event, int], None] | None = None,
        words: Sequence[str] = (),
        hold: bool = False,
        limits: LimitOptions | None = None,
        lock: Lock | None = None,
        waiting: Callable[[str], None] | None = None,
    ) -> None:
        self.options = run
        self.record = record
        self.target = target
        self.executor = executor
        self.policy = retry if retry is not None and retry.retries else None
        self.reports = reports
        self.judge = judge
        #: What was judged of the run, None where nothing was or as long as it lasts.
        self.judgement: Judgement | None = None
        self.watch = watch
        self.words = words
        self.lock = lock
        self.waiting = waiting
        #: Lines of trouble that did not touch the script.
        self.warnings: list[str] = []
        #: How the last attempt ended, as soon as it has.
        self.end: Ended | None = None
        #: Signal that came during the delay before a retry, or while the lock was waited for, and ended the run.
        self.interrupted_by = 0
        self.job = Job(
            argv=target.argv,
            executable=target.executable,
            env=env,
            cwd=run.cwd or None,
            timeout=run.timeout,
            kill_after=run.kill_after,
            kill_tree=run.kill_tree,
            interval=monitor.interval,
            memory=monitor.memory,
            direct=run.direct,
            release=self.policy is None and not hold and not any(report.to_stdout for report in reports),
            capture=hold,
        )
        if limits is not None:
            limits.apply(self.job)
        self._input: Input | None = None
        self._handle: Handle | None = None
        self._failure: StartFailed | None = None
        self._trouble: Exception | None = None
        self._recorder: Recorder | None = None
        #: The run's id, where it was shown before it could start.
        self._id = ""
        #: Whether the finished run was to be in the record, and could not be stored.
        self.unrecorded = False
        self._run: Run | None = None

    def start(self) -> None:
        """Start the first attempt; a failure to start is part of the run's record, not an error."""
        problem = self.target.problem
        if problem is not None:
            self._failure = StartFailed(problem.exit_code, str(problem))
            return
        if not self.take_lock():
            return
        if self.policy is not None and self._input is None:
            self.keep_input()
        self._launch()

    def take_lock(self) -> bool:
        """Take the lock, if there is one; return whether the script may be started."""
        if self.lock is None:
            return True
        try:
            self.interrupted_by = self.lock.acquire(self.executor.pause, self.waiting, self._wait_visibly)
        except StartFailed as failure:
            self._failure = failure
        if self.interrupted_by:
            self.forget()
        return not (self._failure or self.interrupted_by)

    def _wait_visibly(self, what: str) -> int:
        """Show the run among those that are running; return the descriptor on which its end may be asked for, or -1."""
        from runner.engine.description import Description

        try:
            run = Description(self.target, self.options, self.job, self.words).run
            self._open_record(run, what)
        except Exception:  # it waits unseen, and whatever is wrong is told when it is recorded
            return -1
        self._id = run.id
        return self._requests

    def keep_input(self) -> None:
        """Have standard input copied while it is read, for an attempt or a run after the first one."""
        from runner.engine.spool import Input

        self._input = Input(self.job)

    def rewind(self) -> None:
        """Have the next attempt or run begin with what the first one read."""
        assert self._input is not None
        self._input.rewind(self.job)

    def _launch(self) -> None:
        self._handle = self._failure = None
        try:
            self._handle = self.executor.start(self.job)
        except StartFailed as failure:
            self._failure = failure

    def finish(self) -> Run:
        """Carry the run to its end: all attempts, the record, the reports."""
        from runner.engine.description import Description

        description = Description(self.target, self.options, self.job, self.words, self._id)
        self._run = run = description.run
        if self.lock is not None:
            self.lock.sign(run.id)
        if self._handle is not None:
            description.begin(self._handle)
        self._open_record(run)
        if self._handle is not None:
            description.ask_git(self._handle)
        description.look_around()
        waited = 0.0
        while True:
            attempt = self._attempt(len(run.attempts) + 1)
            attempt.delay = waited
            run.attempts.append(attempt)
            if self.job.limited:
                from runner.engine.limits import unnoticed

                which = "" if self.policy is None else f"attempt {attempt.number}: "
                self.warnings += [which + line for line in unnoticed(attempt, self.job)]
            delay = self._next_delay(run, attempt)
            if delay is None or not self._wait(delay, attempt):
                break
            waited = delay
            self.rewind()
            self._launch()
        description.complete()
        self._remember(run)
        self.conclude(run, None if self.judge is None else self.judge(run))
        if self._trouble is not None:
            raise self._trouble
        return run

    def release(self) -> None:
        """Let the lock go; the end of the process does it too."""
        if self.lock is not None:
            self.lock.release()

    @property
    def skipped(self) -> bool:
        """Whether nothing was started since another run has the lock: no run at all, as far as the record goes."""
        return self.lock is not None and self.lock.skipped

    def _open_record(self, run: Run, waiting: str = "") -> None:
        if self.record.disable_history or self.skipped:
            self.forget()
            return
        if self._recorder is not None:
            self._recorder.go_on(run)
            return
        from runner.engine.location import absolute
        from runner.engine.record import Recorder

        self._recorder = Recorder(self.record, absolute(), run, waiting)

    def _attempt(self, number: int) -> Attempt:
        from runner.engine.failure import name_failure
        from runner.model.fold import Fold

        fold = Fold(number, self.job.memory)
        if self._recorder is not None:
            self._recorder.begin(fold.attempt)
        if self._handle is None:
            self._tell_failure(fold, number)
        else:
            self._tell(fold, number, self._handle.started)
            self.end = ended = self._handle.run(lambda event: self._tell(fold, number, event), self._requests)
            self._tell(fold, number, ended)
        name_failure(fold.attempt)
        return fold.attempt

    def _tell(self, fold: Fold, number: int, event: Event) -> None:
        """Pass one event on; what listens may fail, but never in the middle of carrying the script."""
        try:
            fold.tell(event)
            if self._recorder is not None:
                self._recorder.tell(event, number)
            if self.watch is not None:
                self.watch(event, number)
        except Exception as error:
            self._trouble = self._trouble or error

    def _tell_failure(self, fold: Fold, number: int) -> None:
        from time import time_ns

        from runner.agent.events import CANCELLED, FAILED_TO_START, SKIPPED, Ended

        assert self._failure is not None
        fold.attempt.started = time_ns()
        message = self._failure.message
        cancelled = self.lock is not None and self.lock.cancelled
        reason = SKIPPED if self.skipped else CANCELLED if cancelled else FAILED_TO_START
        self._tell(fold, number, Ended(0.0, reason, self._failure.code, message=message))
        if cancelled:
            fold.attempt.metrics, fold.attempt.kinds = {}, {}  # nothing ran that could be measured

    def _next_delay(self, run: Run, attempt: Attempt) -> float | None:
        if self.policy is None or self._trouble is not None:
            return None
        return self.policy.next_delay(attempt, run.total_seconds)

    @property
    def _requests(self) -> int:
        return -1 if self._recorder is None else self._recorder.requests

    def _wait(self, delay: float, attempt: Attempt) -> bool:
        """Wait before a retry; return False if a signal, or whoever asks for it, is to end the run instead."""
        self.interrupted_by = self.executor.pause(delay, self._requests)
        if self._requests >= 0 and not self.interrupted_by:
            from runner.agent.events import CANCELLED
            from runner.agent.requests import read

            cancel = read(self._requests)
            if cancel is not None:
                self.interrupted_by = _SIGTERM
                came_to = attempt.error_message or attempt.reason
                attempt.reason, attempt.exit_code, attempt.signal = CANCELLED, 128 + _SIGTERM, None
                attempt.error_type = CANCELLED
                attempt.error_message = f"{cancel.message} before another attempt, after {came_to}"
        return not self.interrupted_by

    def _remember(self, run: Run) -> None:
        if self._recorder is not None:
            self.warnings.extend(self._recorder.finish(run))
            self.unrecorded = self._recorder.failed

    def foresee(self) -> Durations | None:
        """Begin to ask the record how long comparable runs took, while the script runs; None without a record."""
        if self._recorder is None or self._handle is None or self._run is None:
            return None
        from runner.engine.estimate import Durations

        durations = Durations(self._recorder.path, self._run)
        if durations.pid:
            self._handle.spare.add(durations.pid)
        return durations

    @property
    def run(self) -> Run | None:
        """The run as far as it is known, None before anything is."""
        return self._run

    def forget(self) -> None:
        """Leave nothing of a run whose `finish` has failed, or that only waited."""
        if self._recorder is not None:
            self._recorder.forget()
            self._recorder = None
        self._id = ""

    def make_do(self) -> Ended | None:
        """Carry the script to its end with nothing around it, after the runner's own parts have failed."""
        if self.end is None and self._handle is not None:
            self.end = self._handle.run(lambda event: None)
        return self.end

    def conclude(self, run: Run, judgement: Judgement | None) -> None:
        """End a run that is recorded and judged: write its reports, and let the lock go."""
        from runner.model.errors import RunnerError

        self.judgement = judgement
        for report in self.reports:
            try:
                report.write(run, self.judgement)
            except RunnerError as error:
                self.warnings.append(str(error))
            except Exception as error:  # a fault of ours in one report keeps no other from being written
                self.warnings.append(f"a report was not written ({type(report).__name__}): {error!r}")
        self.release()
