"""What the summary after a run says of the earlier ones: what is usual, where this run stands, what may explain it."""

from __future__ import annotations

from runner.analysis.usual import ENOUGH
from runner.engine.usual import name_left_out
from runner.model.metrics import BY_NAME, CPU_TIME, EXECUTION_TIME, MEMORY_MAX
from runner.model.units import format_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.model.metric import Metric
    from runner.model.run import Run
    from runner.model.usual import Comparison, Place, Usual

#: What the compared figures are called.
CALLED = {EXECUTION_TIME.name: "wall time", CPU_TIME.name: "CPU time", MEMORY_MAX.name: "peak memory"}
#: In the range of each, the name that keeps the row short.
_SHORT = {EXECUTION_TIME.name: "", CPU_TIME.name: "CPU ", MEMORY_MAX.name: "peak "}

#: Causes named; a reader of a summary wants the likeliest, `runner compare` has all.
_MOST_CAUSES = 3


def usual_rows(run: Run, unicode: bool, room: int) -> list[tuple[str, str, bool]]:
    """Return the rows of the summary that compare a run with earlier ones.

    Args:
        run: The run that has just ended.
        unicode: Whether characters beyond ASCII can be shown.
        room: Columns for the text of a row; 0 for any number.

    Returns:
        For each its label, its text, and whether it calls for attention.
    """
    found = run.usual
    if found is None:
        return []
    if not found.enough:
        text = _too_few(found)
        return [("Usual", text, False)] if text else []
    rows = [("Usual", _range(found, run.last.success, unicode, room), False)]
    told = [unusual(BY_NAME[name], place) for name, place in found.standing_out.items()]
    rows += _labelled("Unusual", told, True)
    causes = found.causes
    shown = [cause for cause in causes if cause.likely][:_MOST_CAUSES] or causes[:_MOST_CAUSES]
    if shown:
        label = "Changed" if not found.standing_out else "Likely" if shown[0].likely else "Differs"
        return rows + _labelled(label, [cause.text for cause in shown])
    if found.standing_out:
        rows.append(("", "nothing that is recorded explains it", False))
    return rows


def _labelled(label: str, texts: list[str], alarming: bool = False) -> list[tuple[str, str, bool]]:
    return [("" if at else label, text, alarming) for at, text in enumerate(texts)]


def _too_few(found: Comparison) -> str:
    others = name_left_out(found.left_out)
    if not found.count:
        return f"no run to compare with; {others}" if others else ""
    text = f"{found.count} run{'s' * (found.count != 1)} to compare with, {ENOUGH} are needed"
    return f"{text}; {others}" if others else text


def _range(found: Comparison, success: bool, unicode: bool, room: int) -> str:
    """Return what is usual in one line; what matters less is left out where a line is too short for it."""
    parts = {
        name: _SHORT[name] + span(BY_NAME[name], place.usual, unicode)
        for name, place in found.places.items()
        if place.usual.enough
    }
    wall = found.places[EXECUTION_TIME.name]
    standing = rank_text(wall) if success and wall.value is not None and wall.usual.enough else ""
    if not success:
        standing = f"of {found.count} that succeeded"
    dropped = [CPU_TIME.name, MEMORY_MAX.name]
    while True:
        text = ", ".join(parts.values())
        whole = f"{text} · {standing}" if standing else text
        if not room or len(whole) <= room or not dropped:
            return whole
        parts.pop(dropped.pop(0), None)


def rank_text(place: Place) -> str:
    """Return the place of a duration in words: ``slower than 94 of the last 100``."""
    below, above, count = place.below, place.above, place.usual.count
    if below == count:
        return f"slower than all of the last {count}"
    if above == count:
        return f"faster than all of the last {count}"
    return f"slower than {below} of the last {count}" if below >= above else f"faster than {above} of the last {count}"


def unusual(metric: Metric, place: Place) -> str:
    """Return in words how far a figure that stands out is from what is usual."""
    assert place.value is not None
    usual = place.usual.median
    name, value, median = CALLED[metric.name], format_value(place.value, metric.unit), format_value(usual, metric.unit)
    return f"{name} of {value} is {distance(place.value, usual)} the median of {median}"


def distance(value: float, base: float) -> str:
    """Return how far a value is from another: ``12 % above``, ``40 % below``, ``3.1 times``."""
    if base > 0 and value >= 2 * base:
        return f"{value / base:.2g} times" if value < 10 * base else f"{value / base:,.0f} times"
    if base <= 0:
        return "above" if value > base else "below"
    return f"{100 * abs(value - base) / base:.0f} % {'above' if value > base else 'below'}"


def span(metric: Metric, usual: Usual, unicode: bool) -> str:
    """Return the usual range of a figure; its ends share a unit where they have one: ``4.81-5.62 s``."""
    low, high = format_value(usual.low, metric.unit), format_value(usual.high, metric.unit)
    if low == high:
        return low
    number, _, unit = low.partition(" ")
    dash = "\N{EN DASH}" if unicode else "-"
    if " " not in unit and high.partition(" ")[2] == unit:
        return f"{number}{dash}{high}"
    return f"{low} to {high}"
