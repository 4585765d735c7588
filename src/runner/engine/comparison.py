"""Compares two runs, or one with what is usual: figures, curves, and the facts in which they differ."""

from __future__ import annotations

from runner.analysis.causes import Question, causes
from runner.analysis.usual import ENOUGH, beyond, place, swing
from runner.engine.curves import gauge
from runner.engine.usual import COMPARED, comparable, left_out, name_left_out
from runner.model.chart import SECONDS, Chart, Panel
from runner.model.likeness import arguments_shape, host_class
from runner.model.metric import MB
from runner.model.metrics import EXECUTION_TIME, METRICS
from runner.model.units import format_bytes
from runner.model.usual import LOWER, UNKNOWN
from runner.stores.base import SHORT_ID, script_label

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from runner.engine.history import HistoryManager
    from runner.model.metric import Metric, Value
    from runner.model.run import Run
    from runner.model.usual import Cause, Place

#: Samples that make a curve: of the first there is no rate, and one point is no line.
_FEWEST = 3


class Figure:
    """One figure of the compared runs.

    Attributes:
        metric: Which.
        base: That of the run compared with, or the median of those.
        value: That of the run.
        verdict: Whether they differ by more than is usual (see `model.usual`).
        usually: By how much two runs usually differ; None where that is not known, or `place` says more.
        place: The place of the run among those it is compared with, None where it is compared with one.
    """

    __slots__ = ("base", "metric", "place", "usually", "value", "verdict")

    def __init__(
        self, metric: Metric, base: Value, value: Value, verdict: str, usually: float | None, place: Place | None = None
    ) -> None:
        self.metric = metric
        self.base = base
        self.value = value
        self.verdict = verdict
        self.usually = usually
        self.place = place

    @property
    def difference(self) -> float | None:
        """How much more it is than the base, in the metric's unit."""
        return None if self.base is None or self.value is None else self.value - self.base

    @property
    def relative(self) -> float | None:
        """The difference as a part of the base, None where the base is zero."""
        return self.difference / self.base if self.difference is not None and self.base else None

    def to_dict(self) -> dict[str, Any]:
        """Return it as reports have it."""
        found = {
            "metric": self.metric.name,
            "unit": self.metric.unit,
            "base": self.base,
            "value": self.value,
            "difference": self.difference,
            "relative": self.relative,
            "usual_difference": self.usually,
            "verdict": self.verdict,
        }
        if self.place is not None:
            found.update(
                {name: value for name, value in self.place.to_dict().items() if name not in ("value", "verdict")}
            )
        return found


class Difference:
    """A fact in which two runs differ.

    Attributes:
        what: Which fact.
        base: What it was in the run compared with; None where that is not known.
        value: What it is in the run.
    """

    __slots__ = ("base", "value", "what")

    def __init__(self, what: str, base: str | None, value: str | None) -> None:
        self.what = what
        self.base = base
        self.value = value

    def to_dict(self) -> dict[str, Any]:
        """Return it as reports have it."""
        return {"what": self.what, "base": self.base, "value": self.value}


class RunComparison:
    """A run beside another, or beside the typical one of those that it can be compared with.

    Attributes:
        base: The other run; the one whose wall time is nearest the median where the run is compared with many.
        run: The run.
        figures: What is known of either.
        differences: Facts in which the two differ.
        causes: What may explain that figures are unusual; empty where the run is compared with one.
        count: Runs that it is compared with; 1 for another run.
        notes: What has to be known to read the figures.
    """

    def __init__(self, base: Run, run: Run, count: int = 1) -> None:
        self.base = base
        self.run = run
        self.count = count
        self.figures: list[Figure] = []
        self.differences = facts_that_differ(base, run)
        self.causes: list[Cause] = []
        self.notes: list[str] = []

    @property
    def chart(self) -> Chart:
        """CPU and memory of both over their time."""
        names = [run.id[:SHORT_ID] for run in (self.base, self.run)]
        labels = [script_label(run) for run in (self.base, self.run)]
        if labels[0] != labels[1]:
            names = [f"{label} {name}" for label, name in zip(labels, names, strict=True)]
        names[0] += " (typical)" if self.count > 1 else ""
        curves = [(run.last.curve, name) for run, name in zip((self.base, self.run), names, strict=True)]
        known = [(curve, name) for curve, name in curves if curve is not None and len(curve.buckets) >= _FEWEST]
        cpu = [gauge(curve, "cpu_percent", name) for curve, name in known]
        memory = [gauge(curve, "memory_bytes", name, MB) for curve, name in known]
        if labels[0] == labels[1]:
            title = f"{labels[0]}, runs {self.base.id} and {self.run.id}"
        else:
            title = f"{labels[0]}, run {self.base.id}, and {labels[1]}, run {self.run.id}"
        missing = [name for curve, name in curves if curve is None or len(curve.buckets) < _FEWEST]
        note = f"too short for a curve: {', '.join(missing)}" if missing else ""
        panels = [Panel("CPU", "percent", cpu), Panel("Memory", "MB", memory)] if known else []
        return Chart(title, SECONDS, panels, note)


def compare_runs(history: HistoryManager, base: Run, run: Run) -> RunComparison:
    """Compare a run with another.

    Args:
        history: The record, which tells how much such runs usually differ.
        base: The run compared with.
        run: The run; both with samples, packages and variables.

    Raises:
        StoreError: The record can't be read.
    """
    found = RunComparison(base, run)
    found.notes = _notes(base, run)
    others: list[Run] = []
    if not found.notes:
        later = max(base, run, key=lambda each: each.started)
        others = [other for other in comparable(history, later) if other.id not in (base.id, run.id)]
        if len(others) < ENOUGH:
            found.notes.append(f"{_too_few(len(others))} to say how much two of them usually differ")
    for metric in METRICS:
        before, now = base.last.metrics.get(metric.name), run.last.metrics.get(metric.name)
        if before or now:
            usually = swing([other.last.metrics.get(metric.name) for other in others])
            found.figures.append(Figure(metric, before, now, beyond(before, now, usually, metric.unit), usually))
    return found


def compare_with_typical(history: HistoryManager, run: Run) -> RunComparison | None:
    """Compare a run with what is usual.

    Args:
        history: The record.
        run: The run, with samples, packages and variables.

    Returns:
        None where there is no earlier run that it can be compared with.

    Raises:
        StoreError: The record can't be read.
    """
    others = comparable(history, run)
    if not others:
        return None
    places = {
        metric.name: place(
            run.last.metrics.get(metric.name), [other.last.metrics.get(metric.name) for other in others], metric.unit
        )
        for metric in METRICS
    }
    middle = places[EXECUTION_TIME.name].usual.median
    typical = min(others, key=lambda other: abs((other.last.metrics.get(EXECUTION_TIME.name) or 0) - middle))
    found = RunComparison(history.get(typical.id) or typical, run, len(others))
    for metric in METRICS:
        each = places[metric.name]
        base = each.usual.median if each.usual.count else None
        if base or each.value:
            verdict = each.verdict if run.last.success or each.verdict != LOWER else UNKNOWN
            found.figures.append(Figure(metric, base, each.value, verdict, None, each))
    found.causes = causes(Question(run, others, history.get, {metric.name: places[metric.name] for metric in COMPARED}))
    if len(others) < ENOUGH:
        told = [f"{_too_few(len(others))} to say what is usual", name_left_out(left_out(history, run))]
        found.notes.append("; ".join(filter(None, told)))
    return found


def _too_few(count: int) -> str:
    return f"{count or 'no'} other run{'s' * (count != 1)} to compare with, {ENOUGH} are needed"


def _notes(base: Run, run: Run) -> list[str]:
    """Return why two runs can't be measured by how much such runs usually differ."""
    notes = []
    if base.script_key != run.script_key or base.name != run.name:
        notes.append(f"these are runs of different scripts: {script_label(base)} and {script_label(run)}")
    elif arguments_shape(base.args) != arguments_shape(run.args):
        notes.append("their arguments ask for different work")
    if host_class(base.host) != host_class(run.host):
        notes.append(f"they ran on hosts of different classes: {host_class(base.host)} and {host_class(run.host)}")
    kinds = [each.last.curve.memory for each in (base, run) if each.last.curve is not None]
    if len(set(kinds)) > 1:
        notes.append(f"their memory was measured differently: {' and '.join(kinds)}")
    return notes


def facts_that_differ(base: Run, run: Run) -> list[Difference]:
    """Return the facts in which two runs differ: what ran, with what, where, and what came of it."""
    pairs = zip(_facts(base), _facts(run), strict=True)
    found = [Difference(what, before, now) for (what, before), (_, now) in pairs if before != now]
    for what, before, now in (
        ("package", base.packages, run.packages),
        ("variable", base.variables, run.variables),
        ("tag", base.tags, run.tags),
    ):
        if what != "tag" and bool(before) != bool(now):
            found.append(Difference(f"{what}s", _amount(before), _amount(now)))
            continue
        names = [name for name in sorted({*before, *now}) if before.get(name) != now.get(name)]
        found += [Difference(f"{what} {name}", before.get(name), now.get(name)) for name in names]
    return found


def _amount(known: Mapping[str, str]) -> str | None:
    return f"{len(known)} of them" if known else None


def _facts(run: Run) -> Sequence[tuple[str, str | None]]:
    last = run.last
    dirty = {None: None, False: "no", True: "yes"}[run.git_dirty]
    return (
        ("script", run.script_key),
        ("name", run.name),
        ("arguments", " ".join(run.args)),
        ("ended", last.reason),
        ("exit code", None if last.exit_code is None else str(last.exit_code)),
        ("error", last.error_message or ""),
        ("attempts", str(len(run.attempts))),
        ("script's hash", _short(run.script_hash)),
        ("commit", _short(run.git_commit)),
        ("uncommitted changes", dirty),
        ("input", None if run.input_bytes is None else format_bytes(run.input_bytes)),
        ("interpreter", run.python),
        ("Python", run.python_version),
        ("directory", run.cwd),
        ("user", run.user),
        ("host", run.host.get("hostname")),
        ("class of host", host_class(run.host)),
        ("load at the start", None if run.load is None else f"{run.load:.1f}"),
        ("runner", run.runner_version),
    )


def _short(digits: str | None) -> str | None:
    return None if digits is None else digits[:12]
