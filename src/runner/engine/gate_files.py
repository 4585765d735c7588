"""Judges a run that a file holds against a baseline in another file; nothing is run."""

from __future__ import annotations

from runner.analysis.usual import LEAST
from runner.engine.baseline import Baseline
from runner.engine.ci import gates_of, judge_figures
from runner.engine.judging import compare
from runner.model.errors import UsageError
from runner.model.judgement import SAME
from runner.model.metrics import BY_NAME, METRICS
from runner.options import Options, opt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.engine.baseline_key import Key
    from runner.engine.ci_options import CiOptions
    from runner.model.judgement import Change, Judgement


class GateOptions(Options):
    """What is judged without a run."""

    files: tuple[str, ...] = opt(
        "Two files: the baseline, and the run that is judged by it (what --json-output or --save-baseline wrote); with "
        "--base the script and its arguments",
        default=(), metavar="FILE", positional=True,
    )  # fmt: skip


def gate_files(base: str, head: str, options: CiOptions, key: Key) -> tuple[Judgement, int]:
    """Judge the newest run of one file by what is in another.

    Args:
        base: File with the baseline.
        head: File with the run.
        options: The gates.
        key: Which series of the baseline is meant.

    Returns:
        The judgement, with figures that no gate is on where they differ, and how many others there are.

    Raises:
        UsageError: A file is missing or makes no sense, or a gate does.
    """
    gates, notices = gates_of(options)
    files = [Baseline.load(path, "runner gate") for path in (base, head)]
    for file in files:
        if file.missing:
            raise UsageError(f"runner gate: {file.path} does not exist")
    baseline, newer = files
    runs = [run for series in newer.series[-1:] for run in series.runs[-1:]]
    if not runs:
        raise UsageError(f"runner gate: {head} holds no run")
    [run] = runs
    baseline.choose(key, run)
    if baseline.chosen is None and baseline.series and not key.explicit:
        baseline.chosen = baseline.series[-1]  # of another script: whoever names two files wants them compared
    figures = run["figures"]
    kinds = run.get("kinds") or {}
    judgement = judge_figures(gates, figures, kinds, baseline, options.fail_on_regression)
    judgement.notices[:0] = [*notices, *baseline.notices(run)]
    shown = {change.metric for change in judgement.changes}
    others = [metric.name for metric in METRICS if metric.name not in shown and metric.more_is_worse is not None]
    changes = compare(figures, baseline, others, kinds=kinds)
    telling = [change for change in changes if change.verdict != SAME and _matters(change)]
    judgement.changes += telling
    return judgement, len(changes) - len(telling)


def _matters(change: Change) -> bool:
    """Whether a change is large enough for its unit to be told although nobody asked."""
    return abs(change.value - change.baseline) >= LEAST[BY_NAME[change.metric].unit]
