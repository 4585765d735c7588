"""Runs a script in two places in turn, and judges whether it got worse from the one to the other."""

from __future__ import annotations

import os
from random import Random

from runner.analysis import paired
from runner.analysis.robust import median
from runner.engine.confirm import GROUP_TAG, median_run
from runner.engine.execution import Execution
from runner.engine.judging import more_is_worse
from runner.engine.usual import COMPARED
from runner.executors.process import Process
from runner.model.errors import StartError
from runner.model.judgement import WORSE, Change, GateResult, Judgement
from runner.model.metric import BOUND, CEILING
from runner.model.metrics import EXECUTION_TIME
from runner.model.run import SIDE_TAG
from runner.model.units import format_change, format_seconds, format_value
from runner.policy.gates import RISE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from runner.engine.limit_options import LimitOptions
    from runner.engine.run_options import MonitorOptions, RecordOptions, RunOptions
    from runner.engine.target import Target
    from runner.model.run import Run
    from runner.policy.gates import Gate

#: Tag of the runs that are compared: to which pair each belongs.
PAIR_TAG = "gate_pair"
BASE, HEAD = "base", "head"


class Side:
    """One of the two places.

    Attributes:
        name: `BASE` or `HEAD`.
        label: What people call it: the revision, or the working tree.
        target: What runs there.
        env: Its environment.
        options: How it is run there.
        runs: The runs that count, in order.
    """

    def __init__(self, name: str, label: str, target: Target, env: dict[str, str], options: RunOptions) -> None:
        self.name = name
        self.label = label
        self.target = target
        self.env = env
        self.options = options
        self.runs: list[Run] = []


class RunFailedError(StartError):
    """A run failed, so there is nothing to compare; `run` is that run."""

    def __init__(self, side: Side, run: Run) -> None:
        last = run.last
        why = last.error_message or last.error_type or last.reason
        # At head it is the script's own failure, which wins; at the base it says nothing about the change.
        code = (last.exit_code if side.name == HEAD else None) or 125
        super().__init__(f"the script fails at {side.name} ({side.label}): {why}", code)
        self.side = side
        self.run = run


class Interleaved:
    """Pairs of runs, one of either side, in an order that neither side gains from.

    Args:
        sides: Base and head, or one of them alone.
        monitor: How they are measured.
        record: Where they are remembered.
        limits: What a run may use.
        stdin: File that each run reads, "" for nothing.
        seed: Begins the random order.
        tell: Told how far it is.

    Attributes:
        warnings: Lines of trouble that did not touch the script.
    """

    def __init__(
        self,
        sides: tuple[Side, ...],
        monitor: MonitorOptions,
        record: RecordOptions,
        limits: LimitOptions | None = None,
        stdin: str = "",
        seed: int = 0,
        tell: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.sides = sides
        self.warnings: list[str] = []
        self._monitor = monitor
        self._record = record
        self._limits = limits
        self._stdin = stdin
        self._random = Random(seed)
        self._tell = tell
        self._group = os.urandom(4).hex()

    def run(self, pairs: int, warmup: int = 1) -> None:
        """Run every side `warmup` times without counting it, then `pairs` times; runs from before no longer count.

        Raises:
            RunFailedError: A run failed.
        """
        for side in self.sides:
            side.runs = []
        for number in range(warmup):
            for side in self.sides:
                self._tell(f"warm-up {number + 1} of {warmup}, {side.name}")
                self._once(side, "")
        order: list[tuple[Side, ...]] = []
        what = "pair" if len(self.sides) > 1 else "run"
        for number in range(pairs):
            if not order:  # A B B A or B A A B: what grows steadily meanwhile counts for both alike
                # The very first run is one of the base: where both fail, it is not the change that fails.
                first = self.sides if not number or self._random.random() < 0.5 else self.sides[::-1]
                order = [first[::-1], first]
            for side in order.pop():
                self._tell(f"{what} {number + 1} of {pairs}, {side.name}{self._so_far()}")
                side.runs.append(self._once(side, f"{number + 1}/{pairs}"))

    def _so_far(self) -> str:
        told = [f"{side.name} {format_seconds(median(times))}" for side in self.sides if (times := _times(side))]
        return f" (so far: {', '.join(told)})" if told else ""

    def _once(self, side: Side, pair: str) -> Run:
        """Run one side once; a run that belongs to no pair is not remembered."""
        from copy import copy

        record, options = copy(self._record), copy(side.options)
        record.disable_history = record.disable_history or not pair
        options.tag = (*options.tag, f"{GROUP_TAG}={self._group}", f"{SIDE_TAG}={side.name}", f"{PAIR_TAG}={pair}")
        nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        try:
            executor = Process(output=nothing)
            execution = Execution(
                side.target, side.env, options, self._monitor, record, executor, hold=True, limits=self._limits
            )
            execution.job.stdin = self._stdin or os.devnull
            execution.start()
            try:
                run = execution.finish()
            except BaseException:
                execution.forget()  # half a run is not worth to be told of as lost
                raise
        finally:
            os.close(nothing)
        self.warnings += [line for line in execution.warnings if line not in self.warnings]
        if not run.last.success:
            raise RunFailedError(side, run)
        return run


def _times(side: Side) -> list[float]:
    return [value for run in side.runs if (value := run.last.metrics.get(EXECUTION_TIME.name)) is not None]


def judge_pairs(
    base: Sequence[Run],
    head: Sequence[Run],
    gates: Sequence[Gate] = (),
    metrics: Sequence[str] = (),
    least: float = 0.03,
    confidence: float = 0.99,
    seed: int = 0,
) -> Judgement:
    """Judge whether a script got worse.

    Args:
        base: Runs before the change, in order.
        head: Runs after it, each paired with the one at its place of `base`.
        gates: What the median run of `head` has to pass; a relative one allows that change of its metric for sure.
        metrics: Metrics compared, those of every run where none is named; gates add theirs.
        least: Smallest relative change that matters; a metric with a relative gate fails by that alone.
        confidence: How often all intervals hold the true changes; of several, each has to be surer (Bonferroni).
        seed: Begins the random resamples.
    """
    judgement = Judgement()
    whole = median_run(head).last
    relative = [gate.metric.name for gate in gates if gate.relative]
    names = list(dict.fromkeys([*(metrics or [metric.name for metric in COMPARED]), *relative]))
    changes: dict[str, Change] = {}
    unknown: dict[str, str] = {}
    each = 1 - (1 - confidence) / len(names)
    for name in names:
        reason = _why_not([*base, *head], name)
        if reason:
            unknown[name] = reason
            judgement.notices.append(f"{name} is not compared: {reason}")
            continue
        before, after = ([float(run.last.metrics[name] or 0) for run in side] for side in (base, head))
        lower, middle, upper = paired.paired_interval(before, after, each, seed)
        verdict = paired.verdict(lower, upper, least, len(base), more_is_worse(name, gates))
        change = Change(name, median(after), median(before), lower, upper, verdict, len(base), middle)
        changes[name] = change
        if verdict == WORSE and name not in relative:
            judgement.regressed.append(name)
    judgement.changes = list(changes.values())
    judgement.gates = [
        _held(gate, changes, unknown) if gate.relative else gate.judge(whole.metrics, whole.kinds) for gate in gates
    ]
    if len(base) < paired.ENOUGH:
        few = "1 pair is" if len(base) == 1 else f"{len(base)} pairs are"
        judgement.notices.append(f"{few} too few to tell; {paired.ENOUGH} are needed, 10 are better")
    return judgement


def judge_alone(runs: Sequence[Run], gates: Sequence[Gate] = ()) -> Judgement:
    """Judge a script that there is nothing to compare with: limits hold for the median of its runs."""
    whole = median_run(runs).last
    return Judgement([gate.judge(whole.metrics, whole.kinds) for gate in gates])


def _why_not(runs: Sequence[Run], name: str) -> str:
    """Return why a metric of some runs can't be compared, "" if it can."""
    if any(run.last.metrics.get(name) is None for run in runs):
        return "it was not measured in every run"
    # What is known of a script that is shorter than the interval of samples may come from the process that started it.
    limits = [run for run in runs if run.last.kinds.get(name) in (BOUND, CEILING)]
    return f"of {len(limits)} of {len(runs)} runs only a limit is known" if limits else ""


def _held(gate: Gate, changes: Mapping[str, Change], unknown: Mapping[str, str]) -> GateResult:
    """Return what a relative gate says: it fails where the whole interval lies beyond what it allows."""
    name = gate.metric.name
    if name in unknown:
        note = f"not compared: {unknown[name]}"
        return GateResult(name, gate.text, None, None, False, f"{name} {note}", note)
    change = changes[name]
    rise = gate.operator == RISE
    sign = 1 if rise else -1
    limit = change.baseline + sign * max(gate.bound * change.baseline, gate.least)
    small = abs(change.value - change.baseline) <= gate.least
    assert change.lower is not None and change.upper is not None
    passed = small or paired.verdict(change.lower, change.upper, gate.bound, change.count, rise) != WORSE
    told = f"{format_change(change.relative)}, {format_change(change.lower)} to {format_change(change.upper)}"
    text = (
        f"{name} {format_value(change.value, gate.metric.unit)} ({told}; "
        f"{'at most' if rise else 'at least'} {format_change(sign * gate.bound)})"
    )
    return GateResult(name, gate.text, change.value, limit, passed, text)
