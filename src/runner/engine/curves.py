"""The chart of a run: CPU, memory and I/O over its time, from the curve that was sampled."""

from __future__ import annotations

from runner.agent.events import SAMPLE_FIELDS
from runner.model.chart import SECONDS, Chart, Panel, Series
from runner.model.metric import MB
from runner.model.units import format_count
from runner.stores.base import script_label

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.model.curve import Bucket, Curve
    from runner.model.run import Attempt, Run


def run_chart(run: Run, attempt: Attempt | None = None) -> Chart:
    """Return the chart of one attempt of a run.

    Args:
        run: The run, with samples.
        attempt: Which attempt; the last where None.
    """
    attempt = attempt or run.last
    title = f"{' '.join([script_label(run), *run.args])[:200]}, run {run.id}"
    if len(run.attempts) > 1:
        title += f", attempt {attempt.number} of {len(run.attempts)}"
    curve = attempt.curve
    return Chart(title, SECONDS, [] if curve is None else panels(curve), _note(curve))


def panels(curve: Curve) -> list[Panel]:
    """Return the panels of a curve; I/O is that with storage, or where there was none, through read and write calls."""
    memory = "Memory (proportional)" if curve.memory == "pss" else "Memory"
    result = [
        Panel("CPU", "percent", [gauge(curve, "cpu_percent", "CPU")]),
        Panel(memory, "MB", [gauge(curve, "memory_bytes", memory, MB)]),
    ]
    for title, fields in (("Storage", ("read_bytes", "write_bytes")),
                          ("Read and write calls", ("read_chars", "write_chars"))):  # fmt: skip
        if any(curve.maximum(field) for field in fields):
            names = ("read", "written")
            series = [rate(curve, field, name) for field, name in zip(fields, names, strict=True)]
            return [*result, Panel(title, "bytes/s", series)]
    return result


def gauge(curve: Curve, field: str, name: str, scale: float = 1.0) -> Series:
    """Return a sample field as a series; where samples were folded together, their mean with a band of their range.

    Args:
        curve: The curve.
        field: One of `SAMPLE_FIELDS`.
        name: What the series is called.
        scale: What values are divided by.
    """
    index = SAMPLE_FIELDS.index(field)
    buckets = curve.buckets
    means = [_scaled(bucket.mean(index), scale) for bucket in buckets]
    lows = [_scaled(bucket.low[index], scale) for bucket in buckets]
    highs = [_scaled(bucket.high[index], scale) for bucket in buckets]
    folded = lows != highs
    return Series(name, [bucket.t for bucket in buckets], means, lows if folded else None, highs if folded else None)


def rate(curve: Curve, field: str, name: str) -> Series:
    """Return how fast a counter of `SAMPLE_FIELDS` rose, a second.

    Args:
        curve: The curve.
        field: The counter.
        name: What the series is called.
    """
    index = SAMPLE_FIELDS.index(field)
    rates: list[float | None] = []
    place, before = 0.0, 0.0
    for bucket in curve.buckets:
        value = bucket.high[index]
        rates.append(_rate(bucket, value, place, before))
        if value is not None:
            place, before = bucket.t, value
    return Series(name, [bucket.t for bucket in curve.buckets], rates)


def _rate(bucket: Bucket, value: float | None, place: float, before: float) -> float | None:
    if value is None or bucket.t <= place:
        return None
    return max(0.0, value - before) / (bucket.t - place)


def _scaled(value: float | None, scale: float) -> float | None:
    return None if value is None else value / scale


def _note(curve: Curve | None) -> str:
    if curve is None or not curve.samples:
        return "no samples were taken"
    note = f"{format_count(curve.samples)} sample{'s' * (curve.samples != 1)}"
    folded = len(curve.buckets) < curve.samples
    return f"{note}, folded into {format_count(len(curve.buckets))} ranges" if folded else note
