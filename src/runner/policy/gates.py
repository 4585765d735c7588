"""A gate: what a figure of a run may be, absolutely or against a baseline, for the run to pass."""

from __future__ import annotations

from runner.model.errors import UsageError
from runner.model.judgement import GateResult
from runner.model.metric import BOUND, CEILING, is_figure
from runner.model.metrics import BY_NAME, find
from runner.model.units import format_value, parse_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.model.metric import Metric
    from runner.model.reference import Reference, References

# What a gate compares by.
AT_MOST, AT_LEAST, EQUAL, BELOW, ABOVE = "<=", ">=", "==", "<", ">"
RISE, FALL = "+", "-"  # against a baseline

_OPERATORS = (AT_MOST, AT_LEAST, EQUAL, BELOW, ABOVE)  # the longer ones first
_WORDS = {AT_MOST: "at most", AT_LEAST: "at least", EQUAL: "exactly", BELOW: "less than", ABOVE: "more than"}
_HOLDS = {
    AT_MOST: lambda value, limit: value <= limit,
    AT_LEAST: lambda value, limit: value >= limit,
    EQUAL: lambda value, limit: value == limit,
    BELOW: lambda value, limit: value < limit,
    ABOVE: lambda value, limit: value > limit,
}
#: Gates of one metric that say the same in another way: of these the last one counts.
_SIDES = {AT_MOST: "upper", BELOW: "upper", AT_LEAST: "lower", ABOVE: "lower"}
_KINDS = {BOUND: "at least ", CEILING: "at most "}
#: The smallest step that figures for people are told in, by unit.
_STEPS = {"seconds": 1e-6, "percent": 0.1, "MB": 2.0**-20, "bytes": 1.0, "count": 1.0, "lines": 1.0}
#: What a report of a run has besides figures.
_NO_FIGURES = ("start_time", "end_time", "exit_code", "success", "error_message")

_EXAMPLES = "such as cpu_max:90, memory_max_mb:<=1GB or execution_time_seconds:+10%"


class Gate:
    """One condition on one metric.

    Args:
        metric: The metric.
        operator: ``<=``, ``>=``, ``==``, ``<``, ``>``; against a baseline ``+`` (how much more is allowed) or ``-``.
        bound: The limit in the metric's unit; against a baseline a part of it (0.1 for a tenth).
        least: Smallest change against a baseline that matters, in the metric's unit.
        text: The gate as it was written.
    """

    __slots__ = ("bound", "least", "metric", "operator", "text")

    def __init__(self, metric: Metric, operator: str, bound: float, least: float = 0.0, text: str = "") -> None:
        self.metric = metric
        self.operator = operator
        self.bound = bound
        self.least = least
        self.text = text or f"{metric.name}:{operator}{bound:.15g}"

    @property
    def relative(self) -> bool:
        """Whether it holds the figure against a baseline."""
        return self.operator in (RISE, FALL)

    @property
    def bounds_below(self) -> bool:
        """Whether it is a figure that is too small that fails it."""
        return self.operator in (AT_LEAST, ABOVE, FALL)

    @property
    def side(self) -> tuple[str, str]:
        """Metric and direction: of gates that have both in common the last one counts."""
        return self.metric.name, _SIDES.get(self.operator, self.operator)

    def judge(
        self, figures: Mapping[str, object], kinds: Mapping[str, str] | None = None, baseline: References | None = None
    ) -> GateResult:
        """Judge the figures of a run.

        Args:
            figures: Figures by name, as `Run.metrics` has them.
            kinds: How each is known (`Attempt.kinds`).
            baseline: What a relative gate goes by. Where it has nothing for the metric, such a gate passes and says so.
        """
        value = figures.get(self.metric.name)
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            return self._failed("was not measured" if value is None else f"is not a number: {value!r}")
        if not is_figure(value):
            return self._failed(f"is not a finite number: {value}")
        known = _KINDS.get((kinds or {}).get(self.metric.name, ""), "")
        if self.relative:
            return self._against(value, known, [] if baseline is None else baseline.references(self.metric.name))
        shown, limit = _apart(value, self.bound, self.metric.unit)
        text = f"{self.metric.name} {known}{shown} ({_WORDS[self.operator]} {limit})"
        note = "" if not known else f"known only as {known}this"
        return self._result(value, self.bound, _HOLDS[self.operator](value, self.bound), text, note)

    def limit_against(self, reference: Reference) -> float:
        """Return the last value that the gate lets pass whatever chance may be."""
        sign = 1 if self.operator == RISE else -1
        return reference.value + sign * max(self.bound * abs(reference.value), self.least)

    def _against(self, value: float, known: str, references: Sequence[Reference]) -> GateResult:
        """Judge against each reference; the worst of the answers counts."""
        worst = None
        for reference in references:
            found = self._against_one(value, known, reference)
            if worst is None or (found.passed, not found.note) < (worst.passed, not worst.note):
                worst = found
        if worst is not None:
            return worst
        shown = _shown(value, self.metric.unit)
        note = "nothing to compare with yet"
        return self._result(value, None, True, f"{self.metric.name} {known}{shown} ({self._allowed()}): {note}", note)

    def _against_one(self, value: float, known: str, reference: Reference) -> GateResult:
        limit = self.limit_against(reference)
        rise = self.operator == RISE
        crossed = value > limit if rise else value < limit
        # What is at most this may be less by any amount, and what is at least this more.
        open_ended = known == _KINDS[CEILING if rise else BOUND]
        certain = not open_ended and (value > reference.upper if rise else value < reference.lower)
        unit = self.metric.unit
        shown, bound = _apart(value, limit, unit)
        level = _shown(reference.value, unit)
        word = "at most" if rise else "at least"
        text = f"{self.metric.name} {known}{shown} ({word} {bound}, {self._allowed()} {level}, {reference.label})"
        note = ""
        if crossed and not certain:
            chance = _shown(reference.upper if rise else reference.lower, unit)
            note = f"unsure: known only as {known}this" if open_ended else ""
            note = note or f"unsure: by chance alone a run may reach {chance}"
            text += f": {note}"
        return self._result(value, limit, not (crossed and certain), text, note)

    def _allowed(self) -> str:
        """Return in words what a relative gate allows."""
        change = f"{100 * self.bound:.4g} %" if self.bound or not self.least else ""
        least = format_value(self.least, self.metric.unit) if self.least else ""
        amount = f"the larger of {change} and {least}" if change and least else change or least
        return f"{amount} {'above' if self.operator == RISE else 'below'}"

    def _failed(self, note: str) -> GateResult:
        return self._result(None, None if self.relative else self.bound, False, f"{self.metric.name} {note}", note)

    def _result(self, value: float | None, limit: float | None, passed: bool, text: str, note: str) -> GateResult:
        return GateResult(self.metric.name, self.text, value, limit, passed, text, note)


def _apart(value: float, limit: float, unit: str) -> tuple[str, str]:
    """Return two figures for people, with more digits where they would look the same and are not."""
    shown, bound = _shown(value, unit), _shown(limit, unit)
    return (shown, bound) if shown != bound or value == limit else (_exact(value, unit), _exact(limit, unit))


def _shown(value: float, unit: str) -> str:
    """Return a figure for people, with more digits where it would be told wrong by more than a hundredth."""
    step = _STEPS[unit]
    if abs(value) < 50 * step and abs(round(value / step) * step - value) > 0.01 * abs(value):
        return _exact(value, unit, 3)
    return format_value(value, unit)


def _exact(value: float, unit: str, digits: int = 9) -> str:
    name = {"seconds": " s", "percent": " %", "count": "", "lines": ""}.get(unit, f" {unit}")
    return f"{value:.{digits}g}{name}"


def in_force(gates: Sequence[Gate]) -> tuple[list[Gate], list[str]]:
    """Return the gates that count, and lines about those that another replaces: of one direction the last one counts.

    Args:
        gates: Gates in the order in which they were asked for.
    """
    chosen: dict[tuple[str, str], Gate] = {}
    notices = []
    for gate in gates:
        before = chosen.pop(gate.side, None)
        if before is not None and before.text != gate.text:
            notices.append(f"gate {gate.text} replaces {before.text}")
        chosen[gate.side] = gate
    return list(chosen.values()), notices


def parse_gate(text: str, where: str = "gate") -> Gate:
    """Return the gate that a text such as ``cpu_max:90`` or ``execution_time_seconds:+10%&>0.5s`` stands for.

    Args:
        text: The text.
        where: What messages begin with.

    Raises:
        UsageError: It is none, or there is no such metric.
    """
    at = next((at for at, char in enumerate(text) if char in ":<>="), len(text))
    name, rest = text[:at].strip(), text[at:].removeprefix(":").strip()
    try:
        metric = _metric(name) if name else None
        if metric is None or not rest:
            raise UsageError(f"METRIC:LIMIT is needed, {_EXAMPLES}")
        operator, bound, least = _condition(rest, metric)
    except UsageError as error:
        raise UsageError(f"{where} {text}: {error}") from None
    return Gate(metric, operator, bound, least, text.strip())


def bounds(
    metric: str, max_value: float | str | None = None, min_value: float | str | None = None, where: str = "gate"
) -> list[Gate]:
    """Return the gates that a largest and a smallest value stand for.

    Args:
        metric: Name of the metric.
        max_value: A number in its unit, or a text: ``1GB``, against a baseline ``+10%``; None for no such limit.
        min_value: Likewise; against a baseline ``-10%``.
        where: What messages begin with.

    Raises:
        UsageError: A value makes no sense, neither is given, or there is no such metric.
    """
    try:
        if not isinstance(metric, str):
            raise UsageError("the name of a metric is a text")
        known = _metric(metric)
        gates = []
        for value, operator, relative in ((max_value, AT_MOST, RISE), (min_value, AT_LEAST, FALL)):
            if value is None:
                continue
            text = _written(value)
            if text[:1] in (RISE, FALL) and "%" in text:
                if text[0] != relative:
                    way = "+10%" if relative == RISE else "-10%"
                    raise UsageError(f"{text!r}: a change that is allowed in this direction is written as {way}")
                gates.append(Gate(known, *_relative(text, known), f"{metric}:{text}"))
            else:
                gates.append(Gate(known, operator, _figure(text, known.unit), 0.0, f"{metric}:{operator}{text}"))
    except UsageError as error:
        raise UsageError(f"{where} on {metric}: {error}") from None
    if not gates:
        raise UsageError(f"{where} on {metric}: it needs a max_value, a min_value or both")
    return gates


def _written(value: object) -> str:
    """Return a limit as a text."""
    if isinstance(value, str):
        return value.strip()
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise UsageError(f"a limit is a number or a text such as 1GB, not a {type(value).__name__}")
    if not is_figure(value):
        raise UsageError("the limit is not a finite number")
    return f"{value:.15g}"


def _metric(name: str) -> Metric:
    if name in _NO_FIGURES and name not in BY_NAME:
        raise UsageError(f"{name} is no figure; `runner metrics` lists what gates can be on")
    return find(name)


def _condition(text: str, metric: Metric) -> tuple[str, float, float]:
    """Return operator, bound and smallest change that matters."""
    if text[0] in (RISE, FALL):
        return _relative(text, metric)
    operator = next((each for each in _OPERATORS if text.startswith(each)), "")
    if not operator and text[0] == "=":
        raise UsageError(f"{text!r}: equality is written ==")
    limit = text[len(operator) :].strip()
    if limit.startswith((RISE, FALL)):
        raise UsageError(f"{text!r}: a change against the baseline takes no operator, as in {limit.rstrip('%')}%")
    return operator or AT_MOST, _figure(limit, metric.unit), 0.0


def _relative(text: str, metric: Metric) -> tuple[str, float, float]:
    change, ampersand, least = (part.strip() for part in text.partition("&"))
    if not change.endswith("%"):
        raise UsageError(f"{change!r}: a change against the baseline is written in percent, as +10% or +10%&>0.5s")
    part = -1.0 if change[1:2] in (RISE, FALL) else _figure(change[1:], "percent") / 100
    if part < 0 or (change[0] == FALL and part > 1):
        raise UsageError(f"{change!r} is no change that can be allowed")
    if ampersand and not least.startswith(">"):
        raise UsageError(f"{text!r}: after & comes the smallest change that matters, as in +10%&>0.5s")
    smallest = _figure(least.removeprefix(">").removeprefix("="), metric.unit) if ampersand else 0.0
    if smallest < 0:
        raise UsageError(f"{least!r}: the smallest change that matters can't be negative")
    return change[0], part, smallest


def _figure(text: str, unit: str) -> float:
    try:
        return parse_value(text, unit)
    except ValueError as error:
        raise UsageError(str(error)) from None
