"""Repeats a script before it is judged: the median of several runs, and once more before a timing fails it."""

from __future__ import annotations

from copy import copy

from runner.model.judgement import GateResult, Judgement
from runner.model.metric import BOUND, CEILING
from runner.model.metrics import BY_NAME, EXECUTION_TIME
from runner.model.run import NUMBER_TAG
from runner.options import RUN, Options, opt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Protocol, TypeVar

    from runner.model.run import Attempt, Run

    class HasSucceeded(Protocol):
        """What has run."""

        @property
        def success(self) -> bool:
            """Whether it succeeded."""

    Done = TypeVar("Done", bound=HasSucceeded)

#: Tag that the runs of one repetition have in common.
GROUP_TAG = "gate"


class ConfirmOptions(Options):
    """How often a script is run before it is judged."""

    gate_runs: int | None = opt(
        "Run it this often and judge the median of each figure; output is shown once", minimum=1, metavar="N",
        env="RUNNER_GATE_RUNS", role=RUN,
    )  # fmt: skip
    warmup: int | None = opt(
        "Run it this often before, without judging or remembering it", minimum=0, metavar="K", env="RUNNER_WARMUP",
        role=RUN,
    )  # fmt: skip
    confirm: bool = opt(
        "Run it once more before a gate on a timing fails; only a timing that fails twice fails", default=False,
        env="RUNNER_CONFIRM", role=RUN,
    )  # fmt: skip

    @property
    def repeats(self) -> bool:
        """Whether the script may be run more than once."""
        return (self.gate_runs or 1) > 1 or bool(self.warmup) or self.confirm


def repeat(once: Callable[[int], Done], runs: int, warmup: int = 0) -> list[Done]:
    """Run something several times, until one run fails.

    Args:
        once: Runs it: given 0 for a run that only warms up, else its number from 1 on.
        runs: How many runs count.
        warmup: How many come before.

    Returns:
        The runs that count, in order; where one fails, the last is that one, also of those that warm up.
    """
    done: list[Done] = []
    for number in [0] * warmup + list(range(1, runs + 1)):
        ran = once(number)
        if number or not ran.success:
            done.append(ran)
        if not ran.success:
            break
    return done


def median_run(runs: Sequence[Run]) -> Run:
    """Return one run that speaks for several: the one of median wall time, with the median of each figure.

    A figure that less than half of them have is not measured. It began when the first of them did, so that none of them
    is taken for an earlier run.

    Args:
        runs: Successful runs of one script; at least one.
    """
    ordered = sorted(runs, key=lambda run: run.last.metrics.get(EXECUTION_TIME.name) or 0.0)
    result = copy(ordered[(len(ordered) - 1) // 2])
    last: Attempt = copy(result.last)
    attempts = [run.last for run in runs]
    last.metrics = {name: _median(name, attempts) for name in last.metrics}
    last.kinds = {name: _weakest(name, attempts, kind) for name, kind in last.kinds.items()}
    result.attempts = [*result.attempts[:-1], last]
    result.started = runs[0].started
    if len(runs) > 1:
        result.tags = {**result.tags, NUMBER_TAG: f"median of {len(runs)}"}
    result.usual = None  # the others of them would be part of what is usual
    return result


def _median(name: str, attempts: Sequence[Attempt]) -> float | int | None:
    from runner.analysis.robust import median

    values = [value for attempt in attempts if (value := attempt.metrics.get(name)) is not None]
    if not values or 2 * len(values) < len(attempts):
        return None
    middle = median(values)
    whole = name in BY_NAME and BY_NAME[name].type is int and middle == int(middle)
    return int(middle) if whole else middle


def _weakest(name: str, attempts: Sequence[Attempt], kind: str) -> str:
    known = [attempt.kinds.get(name) for attempt in attempts]
    return next((limit for limit in (BOUND, CEILING) if limit in known), kind)


def worth_confirming(judgement: Judgement) -> bool:
    """Whether another run could change that it failed: all that failed are timings, which chance can move."""
    failed = judgement.failed
    measured = all(gate.passed or gate.value is not None for gate in judgement.gates)
    return bool(failed) and measured and all(is_timing(name) for name in failed)


def is_timing(name: str) -> bool:
    """Whether a metric depends on what else the machine does: times, and shares of them."""
    metric = BY_NAME.get(name)
    return metric is not None and metric.unit in ("seconds", "percent")


def confirmed(first: Judgement, second: Judgement) -> Judgement:
    """Return what two judgements of the same gates say together, the second of the run that all is told of.

    A timing has failed only where it failed twice. What chance does not move is what the second run showed.
    """
    result = Judgement(
        [_both(*pair) for pair in zip(first.gates, second.gates, strict=True)],
        second.changes,
        [*first.notices, *(notice for notice in second.notices if notice not in first.notices)],
        [name for name in second.regressed if name in first.regressed or not is_timing(name)],
    )
    if result.passed:
        result.notices.append("what failed in the first run did not fail again when it was confirmed")
    return result


def _both(first: GateResult, second: GateResult) -> GateResult:
    chosen = copy(second)
    if (first.passed and second.passed) or not is_timing(second.metric) or second.value is None:
        return chosen
    if first.passed or second.passed:
        chosen.passed, note = True, "failed in one of two runs"
        chosen.text += f"; {note}, the first: {first.text}"
    else:
        note = "confirmed by a second run"
        chosen.text += f"; {note}"
    chosen.note = f"{second.note}; {note}".removeprefix("; ")
    return chosen
