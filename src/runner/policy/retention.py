"""How long runs are kept: what a policy says, and what it asks to be deleted now."""

from __future__ import annotations

from itertools import pairwise

from runner.model.days import days_before
from runner.model.errors import UsageError
from runner.model.parts import COARSER, METRICS, OUTPUT, RUNS, SAMPLES
from runner.model.units import parse_seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, Self

#: Days that a policy keeps where it does not say.
DEFAULT_DAYS = 90


class Preset:
    """A period that rules or auditors have in mind (sources: docs/explanation/compliance.md).

    Attributes:
        name: As `--compliance-mode` has it.
        days: The period.
        least: Whether it is the least that must be kept; otherwise it is the most that may be.
        why: One line on where the period comes from.
    """

    __slots__ = ("days", "least", "name", "why")

    def __init__(self, name: str, days: int, least: bool, why: str) -> None:
        self.name = name
        self.days = days
        self.least = least
        self.why = why

    @property
    def bound(self) -> str:
        """The period in words."""
        return f"at {'least' if self.least else 'most'} {self.days} days"


PRESETS = {
    preset.name: preset
    for preset in (
        Preset("SOC2", 365, True, "no period is prescribed; a Type 2 report usually looks back a year"),
        Preset("HIPAA", 2192, True, "six years for required documentation, 45 CFR 164.316(b)(2)(i) and 164.530(j)"),
        Preset("GDPR", 365, False, "no longer than necessary, Art. 5(1)(e); the number is yours to justify"),
    )
}


class Task:
    """One thing that a policy asks to be deleted: a part of the runs started before a moment.

    Attributes:
        part: One of `model.parts`.
        before: Nanoseconds since the epoch, UTC.
        since: Earliest start, None for any: what was started before goes with an earlier task.
        seconds: With `COARSER`, the span that samples are folded into.
    """

    __slots__ = ("before", "part", "seconds", "since")

    def __init__(self, part: str, before: int, since: int | None = None, seconds: float = 0.0) -> None:
        self.part = part
        self.before = before
        self.since = since
        self.seconds = seconds


class Policy:
    """What a named policy says. Periods are days; None keeps for ever.

    Args:
        name: What it is called; empty for one that is only applied once.
        days: How long runs are kept, or, with `metrics`, how long their figures are. Where nothing else is said either,
            `DEFAULT_DAYS`.
        script: Only runs of this script, as `model.run.fits` has it: an absolute path, the end of one, or a name.
        status: Only runs that ended so.
        metrics: Only these figures of the runs, which stay themselves.
        samples_days: How long samples are kept.
        output_days: How long output is kept.
        downsample: How long samples are kept in which detail: ``raw:30d,5min:1y``.
        archive_path: File or folder to archive to before anything is deleted.
        compliance: Name of a preset.

    Raises:
        UsageError: It makes no sense, or contradicts itself.
    """

    __slots__ = (
        "archive_path", "compliance", "days", "downsample", "metrics", "name", "output_days", "samples_days", "script",
        "status",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        days: float | None = None,
        *,
        script: str = "",
        status: str = "",
        metrics: Iterable[str] = (),
        samples_days: float | None = None,
        output_days: float | None = None,
        downsample: str = "",
        archive_path: str = "",
        compliance: str = "",
    ) -> None:
        self.name = name
        self.days = days
        self.script = script
        self.status = status
        self.metrics = tuple(metrics)
        self.samples_days = samples_days
        self.output_days = output_days
        self.downsample = downsample
        self.archive_path = archive_path
        self.compliance = compliance
        if compliance not in ("", *PRESETS):
            raise UsageError(f"there is no preset {compliance!r}; there are {', '.join(PRESETS)}")
        if days is None and compliance:
            self.days = PRESETS[compliance].days
        elif days is None and samples_days is None and output_days is None and not downsample:
            self.days = DEFAULT_DAYS
        self._refuse_nonsense()

    def _refuse_nonsense(self) -> None:
        steps = parse_steps(self.downsample)
        parts = {"samples": self.samples_days, "output": self.output_days, "detail": steps[0][1] if steps else None}
        for what, days in (("runs", self.days), *parts.items()):
            if days is not None and not 0 <= days < float("inf"):
                raise UsageError(f"policy {self.name!r}: {what} can't be kept {days:g} days")
        if steps and self.samples_days is not None:
            raise UsageError(f"policy {self.name!r}: the last period of {self.downsample!r} ends the samples; "
                             "give either that or a period for samples")  # fmt: skip
        if self.metrics and any(days is not None for days in parts.values()):
            raise UsageError(f"policy {self.name!r}: figures and samples or output need a policy each")
        last = steps[-1][1] if steps else self.samples_days
        for what, kept in (("samples", last), ("output", self.output_days)):
            if self.days is not None and kept is not None and kept > self.days:
                raise UsageError(f"policy {self.name!r}: {what} can't outlive its run "
                                 f"({kept:g} days, the run is kept {self.days:g})")  # fmt: skip
        preset = PRESETS.get(self.compliance)
        if preset is None:
            return
        assert self.days is not None
        if preset.least and self.shortest < preset.days:
            raise UsageError(f"policy {self.name!r}: {preset.name} keeps {preset.bound}; {self.shortest:g} is shorter")
        if not preset.least and self.days > preset.days:
            raise UsageError(f"policy {self.name!r}: {preset.name} keeps {preset.bound}; {self.days:g} is longer")

    @classmethod
    def from_terms(cls, name: str, terms: Mapping[str, Any]) -> Self:
        """Build a policy from what `terms` returned."""
        return cls(name, **terms)

    def terms(self) -> dict[str, Any]:
        """Return all it says but its name, as plain data."""
        return {slot: list(value) if slot == "metrics" else value
                for slot in sorted(self.__slots__) if slot != "name" and (value := getattr(self, slot)) not in
                ("", None, ())}  # fmt: skip

    @property
    def shortest(self) -> float:
        """Days after which it first deletes anything; infinity if never."""
        return min((days for _, days in self._periods()), default=float("inf"))

    def _periods(self) -> list[tuple[str, float]]:
        """Return what it deletes, and after how many days the first of each."""
        steps = parse_steps(self.downsample)
        periods = (
            (METRICS if self.metrics else RUNS, self.days), (SAMPLES, self.samples_days), (OUTPUT, self.output_days),
            (COARSER, steps[0][1] if steps else None),
        )  # fmt: skip
        return [(part, days) for part, days in periods if days is not None]

    @property
    def floor(self) -> bool:
        """Whether it is a minimum: what it covers must not be deleted sooner, by whatever."""
        return bool(self.compliance) and PRESETS[self.compliance].least

    @property
    def ceiling(self) -> bool:
        """Whether it is a maximum: nothing else may keep longer what it covers."""
        return bool(self.compliance) and not PRESETS[self.compliance].least

    def protects(self, part: str, metrics: Iterable[str] = ()) -> bool:
        """Whether it is a minimum for a part of the runs; one for figures is so for these, and for whole runs.

        Args:
            part: One of `model.parts`.
            metrics: With `METRICS`, which figures.
        """
        if not self.floor or not self.metrics:
            return self.floor
        return part == RUNS or (part == METRICS and not set(self.metrics).isdisjoint(metrics))

    def soonest(self, floor: Policy) -> float:
        """Days after which it first deletes anything that a minimum is for; infinity if never."""
        periods = (days for part, days in self._periods() if floor.protects(part, self.metrics))
        return min(periods, default=float("inf"))

    def tasks(self, now: int) -> list[Task]:
        """Return what it asks to be deleted at a moment (nanoseconds since the epoch, UTC), whole runs first."""
        result = []
        gone = None  # what was started before that is gone already
        if self.days is not None:
            before = days_before(self.days, now)
            result.append(Task(METRICS if self.metrics else RUNS, before))
            gone = None if self.metrics else before
        if self.output_days is not None:
            result.append(Task(OUTPUT, days_before(self.output_days, now), gone))
        steps = parse_steps(self.downsample)
        last = steps[-1][1] if steps else self.samples_days
        if last is not None:
            result.append(Task(SAMPLES, days_before(last, now), gone))
            gone = result[-1].before
        # The coarsest first, so that what is very old is folded once.
        for (_, until), (span, _) in reversed(list(pairwise(steps))):
            result.append(Task(COARSER, days_before(until, now), gone, span))
            gone = result[-1].before
        return [task for task in result if task.since is None or task.since < task.before]

    def describe(self) -> str:
        """Return in words what it keeps, and of what."""
        parts = []
        if self.days is not None:
            parts.append(f"{', '.join(self.metrics) or 'runs'} {self.days:g} days")
        if self.samples_days is not None:
            parts.append(f"samples {self.samples_days:g} days")
        if self.output_days is not None:
            parts.append(f"output {self.output_days:g} days")
        if self.downsample:
            parts.append(f"samples {self.downsample}")
        scope = [f"of {self.script}"] if self.script else []
        scope += [f"that ended {self.status}"] if self.status else []
        return "keeps " + ", ".join(parts) + "".join(f" {part}" for part in scope)


def parse_steps(text: str) -> list[tuple[float, float]]:
    """Return the steps of ``raw:30d,5min:1y``: for each the span in seconds (0 for raw), and the days it is kept until.

    Raises:
        UsageError: The text is nothing like that.
    """
    steps = []
    for part in text.split(",") if text else ():
        span, colon, period = part.strip().partition(":")
        try:
            steps.append((0.0 if span == "raw" else _duration(span), _duration(period) / parse_seconds("1d")))
        except ValueError:
            colon = ""
        if not colon:
            raise UsageError(f"{text!r} says nothing about detail; it is written like raw:30d,5min:1y")
    if steps and steps[0][0]:
        raise UsageError(f"{text!r} has to begin with raw, such as raw:30d,5min:1y")
    if any(after[0] <= before[0] or after[1] <= before[1] for before, after in pairwise(steps)):
        raise UsageError(f"{text!r}: each step has to be coarser and longer than the one before")
    return steps


def _duration(text: str) -> float:
    seconds = parse_seconds(text)
    if seconds <= 0 or not text.strip()[-1].isalpha():  # a number alone might be days as well as seconds
        raise ValueError(text)
    return seconds
