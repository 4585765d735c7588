"""What was judged of a run: its gates, and its figures against a baseline; reports and exit code go by it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

# What a figure is, compared with its baseline.
BETTER = "better"
SAME = "same"
WORSE = "worse"
UNSURE = "unsure"  # it differs, by no more than chance allows


class GateResult:
    """What one gate says of a run.

    Attributes:
        metric: Name of the metric.
        gate: The gate as it was written, such as ``cpu_max:<=90``.
        value: The run's figure, None where it was not measured.
        limit: What it was held against, in the metric's unit; None where there was nothing to hold it against.
        passed: Whether the gate lets the run pass.
        text: One line for people, with units: what was found, and what was allowed.
        note: Why it passed or failed where the figures do not say it (not measured, no baseline yet), or "".
    """

    __slots__ = ("gate", "limit", "metric", "note", "passed", "text", "value")

    def __init__(
        self, metric: str, gate: str, value: float | None, limit: float | None, passed: bool, text: str, note: str = ""
    ) -> None:
        self.metric = metric
        self.gate = gate
        self.value = value
        self.limit = limit
        self.passed = passed
        self.text = text
        self.note = note

    def __str__(self) -> str:
        return f"{self.text}: {'passed' if self.passed else 'failed'}"

    @property
    def skipped(self) -> bool:
        """Whether it let the run pass without a judgement, as there was nothing to hold it against; `note` says why."""
        return self.passed and self.limit is None

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {name: getattr(self, name) for name in ("metric", "gate", "value", "limit", "passed", "text", "note")}


class Change:
    """How one figure compares with its baseline.

    Attributes:
        metric: Name of the metric.
        value: The run's figure.
        baseline: What it is compared with.
        lower: Least relative change (0.1 is a tenth more) that chance leaves, None where nothing can be said.
        upper: Largest relative change, likewise.
        verdict: `BETTER`, `SAME`, `WORSE` or `UNSURE`.
        count: Earlier runs that the comparison rests on, or pairs of runs.
        relative: The change as a part of the baseline, None of a baseline of 0. Pairs of runs tell it better than the
            two figures do.
    """

    __slots__ = ("baseline", "count", "lower", "metric", "relative", "upper", "value", "verdict")

    def __init__(
        self,
        metric: str,
        value: float,
        baseline: float,
        lower: float | None,
        upper: float | None,
        verdict: str,
        count: int,
        relative: float | None = None,
    ) -> None:
        self.metric = metric
        self.value = value
        self.baseline = baseline
        self.lower = lower
        self.upper = upper
        self.verdict = verdict
        self.count = count
        self.relative = relative
        if relative is None and baseline:
            self.relative = (value - baseline) / abs(baseline)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        names = ("metric", "value", "baseline", "relative", "lower", "upper", "verdict", "count")
        return {name: getattr(self, name) for name in names}


class Judgement:
    """All that was judged of a run.

    Attributes:
        gates: What each gate says.
        changes: How figures compare with the baseline; empty without one.
        notices: Lines to tell: a first run without baseline, a baseline of another kind of host.
        regressed: Names of metrics that got worse and fail the run although no gate is on them (asked for apart).
    """

    __slots__ = ("changes", "gates", "notices", "regressed")

    def __init__(
        self,
        gates: Sequence[GateResult] = (),
        changes: Sequence[Change] = (),
        notices: Sequence[str] = (),
        regressed: Sequence[str] = (),
    ) -> None:
        self.gates = list(gates)
        self.changes = list(changes)
        self.notices = list(notices)
        self.regressed = list(regressed)

    @property
    def passed(self) -> bool:
        """Whether the run passes: no gate failed, and nothing got worse that may not."""
        return not self.failed

    @property
    def failed(self) -> list[str]:
        """Names of the metrics that fail the run, each once."""
        return list(dict.fromkeys([*(gate.metric for gate in self.gates if not gate.passed), *self.regressed]))

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "passed": self.passed,
            "gates": [gate.to_dict() for gate in self.gates],
            "baseline": [change.to_dict() for change in self.changes],
            "notices": self.notices,
            "regressed": self.regressed,
        }
