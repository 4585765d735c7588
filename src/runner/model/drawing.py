"""What every drawing of a chart reckons the same way: ranges, ticks with their labels, and no more points than show."""

from __future__ import annotations

from math import ceil, floor, log10

from runner.model.chart import BARS, INDEX, SECONDS, TIME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from runner.model.chart import Chart, Panel, Series

    Value = float | None
    Point = tuple[float, float]

_SECOND = 1_000_000_000
_DAY = 86400
#: Steps of a clock, in seconds.
_CLOCK = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, _DAY)
#: Seconds or bytes in a unit and what it is called, the largest first.
_TIMES = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"), (0.001, "ms"), (0.000001, "us"))
_SIZES = (
    (1024.0**5, "PB"), (1024.0**4, "TB"), (1024.0**3, "GB"), (1024.0**2, "MB"), (1024.0, "KB"), (1.0, "B")
)  # fmt: skip


#: Lines of one colour: whole, dashed, dotted, both by turns.
_DASHES: tuple[tuple[int, ...], ...] = ((), (7, 4), (2, 4), (10, 3, 2, 3))


class Axis:
    """The part of an axis that shows, and the places on it that are labelled.

    Attributes:
        low: Its beginning.
        high: Its end, larger than `low`.
        ticks: Ascending places, each with its label.
    """

    __slots__ = ("high", "low", "ticks")

    def __init__(self, low: float, high: float, ticks: Sequence[tuple[float, str]]) -> None:
        self.low = low
        self.high = high
        self.ticks = ticks

    def share(self, value: float) -> float:
        """Return where a value lies between the beginning (0.0) and the end (1.0)."""
        return (value - self.low) / (self.high - self.low)


def known(values: Iterable[Value] | None) -> list[float]:
    """Return the values that are there: neither None nor NaN."""
    return [value for value in values or () if value is not None and value == value]


def value_axis(panel: Panel, most: int) -> Axis:
    """Return the axis of a panel's values, which begins with zero unless values lie below.

    Args:
        panel: The panel.
        most: How many ticks there is room for.
    """
    values = [limit for _, limit in panel.limits]
    for series in panel.series:
        for part in (series.ys, series.low, series.high):
            values += known(part)
    low, high = min([0.0, *values]), max([0.0, *values])
    scale = 1 << 20 if panel.unit == "MB" else 1
    if high == low:
        high = low + 1
    room = (high - low) * 0.02
    low, high = (low - room if low < 0 else low), (high + room if high > 0 else high)
    step = _value_step((high - low) * scale / max(1, most), panel.unit) / scale
    ticks = [at * step for at in range(ceil(low / step), floor(high / step) + 1)]
    return Axis(low, high, [(tick, _value_label(tick * scale, step * scale, panel.unit)) for tick in ticks])


def place_axis(chart: Chart, most: int) -> Axis:
    """Return the axis of a chart's places.

    Args:
        chart: The chart.
        most: How many ticks there is room for.
    """
    drawn = [series for panel in chart.panels for series in panel.series if len(series.xs)]
    low = min((series.xs[0] for series in drawn), default=0.0)
    high = max((series.xs[-1] for series in drawn), default=0.0)
    if any(series.style == BARS for series in drawn):
        half = min((_nearest(series.xs) for series in drawn), default=0.0) / 2
        low, high = low - half, high + half
    if chart.x == SECONDS:
        low = min(0.0, low)
    if high <= low:
        spare = {SECONDS: 1.0, TIME: 60.0 * _SECOND, INDEX: 0.5}[chart.x]
        low, high = (low, low + spare) if chart.x == SECONDS else (low - spare, high + spare)
    if chart.x == TIME:
        return Axis(low, high, _moments(low / _SECOND, high / _SECOND, most))
    unit = "seconds" if chart.x == SECONDS else "count"
    step = _value_step((high - low) / max(1, most), unit)
    ticks = [at * step for at in range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)]
    return Axis(low, high, [(tick, _value_label(tick, step, unit)) for tick in ticks])


def _nearest(xs: Sequence[float]) -> float:
    return min((xs[at + 1] - xs[at] for at in range(len(xs) - 1)), default=0.0)


def _value_step(least: float, unit: str) -> float:
    """Return the smallest round step that is not below `least`."""
    if unit == "seconds" and least > 1:
        return next((float(step) for step in _CLOCK if step >= least), None) or _DAY * _round_up(least / _DAY)
    if unit in ("MB", "bytes", "bytes/s"):
        base = next((size for size, _ in _SIZES if least > size / 2), 1.0)
        return max(1.0, base * _round_up(least / base))
    step = _round_up(least)
    return max(1.0, step) if unit in ("count", "lines") else step


def _round_up(value: float) -> float:
    power = 10.0 ** floor(log10(value))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= value * 0.999999)


def _value_label(value: float, step: float, unit: str) -> str:
    units = _TIMES if unit == "seconds" else _SIZES if unit in ("MB", "bytes", "bytes/s") else ()
    # Tenths of a second read better than hundreds of milliseconds.
    least = step * 10 if unit == "seconds" and 0.099 < step < 1 else step
    scale, name = next(((scale, name) for scale, name in units if least >= scale * 0.999), (units or ((1.0, ""),))[-1])
    name = {"percent": "%", "bytes/s": f"{name}/s"}.get(unit, name)
    decimals = max(0, -floor(log10(step / scale) + 1e-9))
    return f"{value / scale + 0.0:,.{decimals}f} {name}".rstrip()


def _moments(low: float, high: float, most: int) -> list[tuple[float, str]]:
    """Return the ticks of a time axis, in local time, between two moments in seconds since the epoch."""
    from time import localtime, strftime

    least = (high - low) / max(1, most)
    step = next((step for step in _CLOCK if step >= least), 0)
    if step and step < _DAY:
        offset = localtime(low).tm_gmtoff
        first, last = ceil((low + offset) / step), floor((high + offset) / step)
        ticks = [float(at * step - offset) for at in range(first, last + 1)]
        pattern = "%H:%M:%S" if step < 60 else "%H:%M"
        days = {localtime(at)[:3] for at in (low, *ticks, high)}
    else:
        ticks, pattern = _days(low, high, least)
        days = set()
    labels = []
    before = None
    for tick in ticks:
        day = localtime(tick)[:3]
        new = len(days) > 1 and day != before
        labels.append((tick * _SECOND, strftime(f"%m-%d {pattern}" if new else pattern, localtime(tick))))
        before = day
    return labels


def _days(low: float, high: float, least: float) -> tuple[list[float], str]:
    """Return local midnights of every few days, months or years, and how they are written."""
    from time import localtime, mktime

    year, month, day = localtime(low)[:3]
    days = next((count for count in (1, 2, 7, 14) if count * _DAY >= least), 0)
    months = next((count for count in (1, 3, 6) if count * 30 * _DAY >= least), 0)
    years = 0 if days or months else ceil(_round_up(max(1.0, least / (365 * _DAY))))
    ticks: list[float] = []
    for at in range(1, 10000):
        if days:
            parts = (year, month, day + at * days)
        elif months:
            parts = (year, (month - 1) // months * months + 1 + at * months, 1)
        else:
            parts = (year // years * years + at * years, 1, 1)
        tick = mktime((*parts, 0, 0, 0, 0, 0, -1))
        if tick > high:
            break
        ticks.append(tick)
    return ticks, "%m-%d" if days else "%Y-%m" if months else "%Y"


def mean(series: Series, x: str) -> float | None:
    """Return the mean of a series: over time where it was sampled in a run, of its values otherwise; None for none."""
    if x != SECONDS:
        values = known(series.ys)
        return sum(values) / len(values) if values else None
    total = weight = before = 0.0
    for place, value in zip(series.xs, series.ys, strict=False):
        if value is not None and value == value:
            total += value * (place - before)
            weight += place - before
        before = place
    return total / weight if weight > 0 else next(iter(known(series.ys)), None)


def reach(series: Series, x: str) -> tuple[float, float, float] | None:
    """Return the lowest, the mean and the highest of what a series shows, its band included; None of no values.

    Args:
        series: The series.
        x: Kind of the chart's places (`Chart.x`).
    """
    values, average = known(series.ys), mean(series, x)
    if not values or average is None:
        return None
    return min([*values, *known(series.low)]), average, max([*values, *known(series.high)])


def dash(number: int, colors: int) -> tuple[int, ...]:
    """Return how much of a line is drawn and left out by turns, in pixels; nothing where it is whole.

    Args:
        number: Place of the series in its panel.
        colors: How many colours there are; lines of one colour differ by this.
    """
    return _DASHES[number // colors % len(_DASHES)]


def strokes(xs: Sequence[float], ys: Sequence[Value], axis: Axis, columns: int) -> list[list[Point]]:
    """Return a series as lines between its gaps, with at most four points a column: nothing that shows is lost.

    Args:
        xs: Places, ascending.
        ys: Values, None for a gap.
        axis: The part that shows.
        columns: How many columns (of dots or pixels) it shows in.
    """
    lines: list[list[Point]] = [[]]
    for x, y in zip(xs, ys, strict=False):
        if y is None or y != y:
            if lines[-1]:
                lines.append([])
        else:
            lines[-1].append((x, y))
    lines = [line for line in lines if line]
    if sum(map(len, lines)) <= 4 * columns:
        return lines
    return [_thinned(line, axis, columns) for line in lines]


def _thinned(line: list[Point], axis: Axis, columns: int) -> list[Point]:
    """Return first, lowest, highest and last point of every column."""
    result: list[Point] = []
    start = 0
    while start < len(line):
        column = int(axis.share(line[start][0]) * columns)
        end = start + 1
        while end < len(line) and int(axis.share(line[end][0]) * columns) == column:
            end += 1
        part = line[start:end]
        chosen = {0, len(part) - 1}
        chosen.add(min(range(len(part)), key=lambda at: part[at][1]))
        chosen.add(max(range(len(part)), key=lambda at: part[at][1]))
        result += [part[at] for at in sorted(chosen)]
        start = end
    return result


def band(series: Series, axis: Axis, columns: int) -> list[list[tuple[float, float, float]]]:
    """Return the band around a series as stretches between its gaps: place, lower and upper edge, few a column."""
    stretches: list[list[tuple[float, float, float]]] = [[]]
    dense = len(series.xs) > 2 * columns
    before = None
    for x, low, high in zip(series.xs, series.low or (), series.high or (), strict=False):
        if low is None or high is None:
            if stretches[-1]:
                stretches.append([])
            continue
        column = int(axis.share(x) * columns)
        if dense and stretches[-1] and column == before:
            _, least, most = stretches[-1][-1]
            stretches[-1][-1] = (x, min(least, low), max(most, high))
        else:
            stretches[-1].append((x, low, high))
        before = column
    return [stretch for stretch in stretches if stretch]
