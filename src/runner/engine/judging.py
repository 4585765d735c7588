"""Compares the figures of a run with a baseline or with what the record holds, and says what is worse."""

from __future__ import annotations

from runner.analysis.regression import ENOUGH, WINDOW
from runner.analysis.robust import median
from runner.engine.baseline import chance
from runner.model.judgement import BETTER, SAME, UNSURE, WORSE, Change
from runner.model.metric import BOUND, CEILING
from runner.model.metrics import BY_NAME, CPU_TIME, EXECUTION_TIME
from runner.model.reference import Reference
from runner.model.units import format_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from runner.model.judgement import Judgement
    from runner.model.metric import Value
    from runner.model.reference import References
    from runner.model.run import Run
    from runner.policy.gates import Gate

#: A change by less than this part is none.
LEAST_PART = 0.05
#: What is said of a figure that got worse in small steps, after its name, and of a wall time that counts for nothing.
CREPT = "has crept up to"
EXCUSED = f"{EXECUTION_TIME.name} is not held against the run"
#: What differs in nearly every build.
CHANGED = "the script has changed since"


class Remembered:
    """What the record holds of earlier runs that a run can be compared with.

    Args:
        history_db: Database of runs, "" for the one that applies here.
        run: The run.
        names: Metrics that will be asked for.

    Attributes:
        notice: Why there is nothing to compare with, or "".
    """

    def __init__(self, history_db: str, run: Run, names: Sequence[str]) -> None:
        from runner.engine.history import HistoryManager
        from runner.engine.usual import comparable_figures
        from runner.model.errors import RunnerError

        self.notice = ""
        self._values: dict[str, list[float]] = {}
        try:
            with HistoryManager(history_db) as history:
                rows = comparable_figures(history, run, names, WINDOW)
        except RunnerError as error:
            self.notice = f"nothing was compared: {error}"
            return
        for place, name in enumerate(names):
            self._values[name] = [float(value) for row in reversed(rows) if (value := row[place]) is not None]
        if len(rows) < ENOUGH:
            self.notice = (
                f"nothing was compared yet: {len(rows)} comparable run{'s are' if len(rows) != 1 else ' is'} "
                f"remembered, {ENOUGH} are needed"
            )

    def references(self, metric: str) -> list[Reference]:
        """Return the level of a metric in those runs; nothing where they are too few."""
        values = self._values.get(metric, [])
        if len(values) < ENOUGH:
            return []
        low, high = chance(values, BY_NAME[metric])
        return [Reference(median(values), low, high, len(values), f"median of {len(values)} remembered runs")]


def compare(
    figures: Mapping[str, Value],
    source: References,
    names: Sequence[str],
    gates: Sequence[Gate] = (),
    kinds: Mapping[str, str] | None = None,
) -> list[Change]:
    """Return how some figures compare with what they are held against first; those that can't be compared are left out.

    Args:
        figures: Figures of the run.
        source: What they are compared with.
        names: Metrics.
        gates: Gates of the run: they tell which way is worse where the catalog does not.
        kinds: How each figure is known.
    """
    changes = []
    for name in names:
        value, found = figures.get(name), source.references(name)
        if value is not None and value == value and found:
            told = verdict(value, found[0], more_is_worse(name, gates), (kinds or {}).get(name, ""))
            changes.append(_change(name, value, found[0], told))
    return changes


def _change(name: str, value: float, reference: Reference, told: str) -> Change:
    level = abs(reference.value)
    lower, upper = (None, None)
    if level:
        lower, upper = (value - reference.upper) / level, (value - reference.lower) / level
    return Change(name, value, reference.value, lower, upper, told, reference.count)


def verdict(value: float, reference: Reference, more_is_worse: bool = True, kind: str = "") -> str:
    """Return what a figure is against a reference.

    Args:
        value: The figure.
        reference: The reference.
        more_is_worse: Whether larger values are worse.
        kind: How it is known: what is at most this may be less by any amount, and what is at least this more.

    Returns:
        `WORSE` or `BETTER` where it differs by more than chance; else `SAME` where it differs by less than 5 %, and
        `UNSURE` where it differs by more.
    """
    if value > reference.upper:
        if kind == CEILING:
            return UNSURE
        return WORSE if more_is_worse else BETTER
    if value < reference.lower:
        if kind == BOUND:
            return UNSURE
        return BETTER if more_is_worse else WORSE
    return SAME if abs(value - reference.value) <= LEAST_PART * abs(reference.value) else UNSURE


def more_is_worse(name: str, gates: Sequence[Gate]) -> bool:
    """Whether larger values of a metric are worse; where the catalog does not say, a gate on it does."""
    known = BY_NAME[name].more_is_worse
    if known is not None:
        return known
    return not any(gate.metric.name == name and gate.bounds_below for gate in gates)


def regressions(
    figures: Mapping[str, Value], source: References, names: Sequence[str], kinds: Mapping[str, str] | None = None
) -> tuple[list[str], list[str]]:
    """Return the metrics that are worse than one of the things they are held against, and lines about those that crept.

    A figure that is no worse than the last runs but worse than where the baseline began has got there in small steps.
    """
    worse, crept = [], []
    for name in names:
        value, found = figures.get(name), source.references(name)
        if value is None or BY_NAME[name].more_is_worse is None:
            continue
        judged = [verdict(value, reference, kind=(kinds or {}).get(name, "")) == WORSE for reference in found]
        if any(judged):
            worse.append(name)
        if any(judged) and not judged[0]:
            start, unit = found[judged.index(True)], BY_NAME[name].unit
            crept.append(
                f"{name} {CREPT} {format_value(value, unit)} in small steps, from "
                f"{format_value(start.value, unit)} {start.label}"
            )
    return worse, crept


def busy_host(run: Run, source: References) -> str:
    """Return why a longer wall time says nothing of a run, "" where it does.

    Where more processes want to run than there are cores, each waits for the others. A script that is to blame for its
    wall time on such a host needs more CPU time too, which no neighbour changes much; where that is no worse, the
    neighbours are.
    """
    cores, load = run.host.get("cores"), run.load
    if not cores or load is None or load <= cores or not source.references(CPU_TIME.name):
        return ""
    if regressions(run.last.metrics, source, [CPU_TIME.name])[0]:
        return ""
    return f"the host was overloaded (load {load:.1f} on {cores} cores), and CPU time is no worse"


def excuse(judgement: Judgement, gates: Sequence[Gate], reason: str) -> None:
    """Hold no wall time against a run, and say so where it would have been.

    Args:
        judgement: What was judged; it is changed.
        gates: The gates of its results.
        reason: What `busy_host` returned.
    """
    wall = EXECUTION_TIME.name
    failed = [
        result for result, gate in zip(judgement.gates, gates, strict=True)
        if gate.relative and result.metric == wall and result.value is not None and not result.passed
    ]  # fmt: skip
    worse = [change for change in judgement.changes if change.metric == wall and change.verdict == WORSE]
    for result in failed:
        result.passed, result.note = True, f"unsure: {reason}"
        result.text += f": {result.note}"
    for change in worse:
        change.verdict = UNSURE
    if failed or worse or wall in judgement.regressed:
        judgement.regressed = [name for name in judgement.regressed if name != wall]
        crept = f"{wall} {CREPT}"
        judgement.notices = [notice for notice in judgement.notices if not notice.startswith(crept)]
        judgement.notices.append(f"{EXCUSED}: {reason}")


def differences(baseline: Mapping[str, Any], run: Mapping[str, Any]) -> list[str]:
    """Return in words how a run of a baseline was made otherwise than another; what is not known differs in nothing.

    Args:
        baseline: A run as a baseline keeps it.
        run: Another.
    """
    told = []
    for name, what in (("script", "script"), ("host_class", "class of host"), ("python_version", "Python")):
        before, now = baseline.get(name), run.get(name)
        if before and now and before != now:
            told.append(f"{what} {before} (here {now})")
    before, now = baseline.get("arguments"), run.get("arguments")
    if None not in (before, now) and before != now:
        told.append(f"arguments {before or 'none'} (here {now or 'none'})")
    before, now = baseline.get("script_hash"), run.get("script_hash")
    if before and now and before != now:
        told.append(CHANGED)
    return told
