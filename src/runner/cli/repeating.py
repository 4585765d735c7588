"""Runs a script several times before it is judged, each time as it would run alone: ``--gate-runs``, ``--confirm``."""

from __future__ import annotations

import os

from runner.agent.overlay import Guard
from runner.cli.hold import Hold
from runner.engine.confirm import GROUP_TAG, confirmed, median_run, repeat, worth_confirming
from runner.engine.isolated import Isolated
from runner.model.errors import UsageError
from runner.model.metrics import EXECUTION_TIME
from runner.model.run import NUMBER_TAG
from runner.model.units import format_seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.engine.ci import Judge
    from runner.engine.confirm import ConfirmOptions
    from runner.engine.execution import Execution
    from runner.engine.isolated import Answer
    from runner.executors.here import Here
    from runner.model.judgement import Judgement
    from runner.model.run import Run


class Done:
    """What is known at once of a run that has ended.

    Attributes:
        success: Whether it succeeded, and nothing came that is to end them all.
        seconds: Its wall time, None where that was not measured.
        warnings: Lines of trouble that did not touch the script.
        interrupted_by: Signal that ends the runner, although it did not end the script.
        answer: The rest.
    """

    __slots__ = ("answer", "interrupted_by", "seconds", "success", "warnings")

    def __init__(self, success: bool, seconds: float | None, warnings: list[str], interrupted_by: int) -> None:
        self.success = success
        self.seconds = seconds
        self.warnings = warnings
        self.interrupted_by = interrupted_by
        self.answer: Answer | None = None

    def run(self) -> Run:
        """Return the run."""
        assert self.answer is not None
        whole: Run = self.answer.whole()
        return whole


class Repeating:
    """The runs of one line, each in a process forked off this one while it is small.

    Every run has what the first one has: the same standard input, terminal and environment. Output of the first one is
    passed on; that of the others is held back and shown if they fail.

    Args:
        execution: What is run, not started.
        here: Where it is carried out.
        options: How often.
        begin: Called in the process of a run whose output is shown, once the script has started.
        warn: Given the lines of trouble of each run, those of runs before left out.
        tell: Told how far it is.

    Raises:
        UsageError: Output that has to be held back can't be.
    """

    def __init__(
        self,
        execution: Execution,
        here: Here,
        options: ConfirmOptions,
        begin: Callable[[], None],
        warn: Callable[[list[str]], None],
        tell: Callable[[str], None],
    ) -> None:
        if execution.options.direct:
            raise UsageError("--direct: output of the runs that are not shown can't be held back; leave one out")
        self._execution = execution
        self._here = here
        self._runs = options.gate_runs or 1
        self._warmup = options.warmup or 0
        self._judge = _judge(execution)
        self._confirm = options.confirm and self._judge is not None
        self._begin = begin
        self._warn = warn
        self._tell = tell
        self._group = os.urandom(4).hex()
        self._tags = execution.options.tag
        self._said: set[str] = set()
        self._started = 0  # when the first run began: later ones are no history to it
        self._ran = self._shown = False
        self._isolated: Isolated | None = None

    def start(self) -> None:
        """Do what comes before the first run: where it can't be done, `finish` says why."""
        execution = self._execution
        if not execution.take_lock():
            return
        execution.forget()  # that it waited: each run is one of its own
        self._isolated = Isolated()
        self._here.hold(self._isolated.mask)
        execution.job.release = False
        execution.keep_input()

    def finish(self) -> Run:
        """Run, judge, and write the reports.

        Returns:
            The run that speaks for all: that of median wall time, with the median of each figure, or one that failed.
        """
        execution = self._execution
        if self._isolated is None:
            return execution.finish()
        run = self._round("", self._warmup)
        judgement = None
        if self._judge is not None:
            judgement = own = self._first_judgement(run)
            if self._confirm and self._succeeded(run) and worth_confirming(judgement):
                self._tell("a timing did not pass: running once more to confirm")
                run = self._round("confirm ", 0)
                own = self._judge.judge(run)
                judgement = confirmed(judgement, own) if self._succeeded(run) else own
            if self._succeeded(run):
                self._judge.save(run, judgement, own)
        execution.conclude(run, judgement)
        return run

    def _succeeded(self, run: Run) -> bool:
        return bool(run.last.success) and not self._execution.interrupted_by

    def _first_judgement(self, run: Run) -> Judgement:
        """Judge, in another process where another run may follow."""
        judge = self._judge
        assert judge is not None and self._isolated is not None
        if not self._confirm or not self._succeeded(run):
            return judge.judge(run)
        judgement: Judgement = self._isolated.call(lambda: (judge.judge(run), None)).brief
        return judgement

    def _round(self, name: str, warmup: int) -> Run:
        """Run as often as was asked for; return the run that speaks for these."""
        done = repeat(lambda number: self._once(name, number), self._runs, warmup)
        last = done[-1]
        if not last.success:
            return last.run()
        runs = [each.run() for each in done]
        result = median_run(runs)
        result.started = self._started = self._started or result.started
        seconds = [each.seconds for each in done if each.seconds is not None]
        if len(seconds) > 1:
            spread = f"{format_seconds(min(seconds))} to {format_seconds(max(seconds))}"
            self._tell(f"{len(done)} runs, {spread}; below is the median of each figure")
        return result

    def _once(self, name: str, number: int) -> Done:
        """Run once, in a process of its own.

        Args:
            name: What comes before its number.
            number: From 1 on; 0 for a run that only warms up.
        """
        assert self._isolated is not None
        execution = self._execution
        shown = bool(number) and not self._shown
        if self._ran:
            execution.rewind()
        self._ran = True
        self._shown = self._shown or shown
        if self._runs > 1 or name:
            told = (f"{GROUP_TAG}={self._group}", f"{NUMBER_TAG}={name}{number}/{self._runs}")
            execution.options.tag = (*self._tags, *told)
        answer = self._isolated.call(lambda: self._work(shown, remembered=bool(number)))
        done: Done = answer.brief
        done.answer = answer
        execution.interrupted_by = done.interrupted_by or answer.came
        if execution.interrupted_by:
            done.success = False
        self._warn([line for line in done.warnings if line not in self._said])
        self._said.update(done.warnings)
        if done.success and (self._runs > 1 or not number or name):
            took = "" if done.seconds is None else f": {format_seconds(done.seconds)}"
            self._tell(f"{name}run {number} of {self._runs}{took}" if number else f"warm-up{took}")
        return done

    def _work(self, shown: bool, remembered: bool) -> tuple[Done, Run]:
        """Run once, in this process; it ends after that."""
        execution, here = self._execution, self._here
        execution.reports, execution.judge, execution.lock = [], None, None
        execution.record.disable_history = execution.record.disable_history or not remembered
        execution.job.capture = execution.job.capture or not shown
        execution.start()
        if shown:
            self._begin()
        else:
            here.overlay = Guard(Hold())
        run = execution.finish()
        if here.overlay is not None:
            here.overlay.finish(not run.last.success)
        seconds = run.last.metrics.get(EXECUTION_TIME.name)
        return Done(run.last.success, seconds, execution.warnings, execution.interrupted_by), run


def _judge(execution: Execution) -> Judge | None:
    if execution.judge is None:
        return None
    from runner.engine.ci import Judge

    assert isinstance(execution.judge, Judge)
    return execution.judge
