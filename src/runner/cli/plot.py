"""Draws in a terminal: charts, sparklines and bars, in dots and blocks or in plain ASCII."""

from __future__ import annotations

from runner.cli.output import BOLD, DIM, RED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.cli.output import Screen
    from runner.cli.plot_canvas import Canvas
    from runner.model.chart import Chart, Panel, Series
    from runner.model.drawing import Axis

#: Styles of series, the first ones first; of marks; of axes and limits.
COLORS = ("\033[36m", "\033[33m", "\033[35m", "\033[32m", "\033[34m", "\033[31m")
_MARK = BOLD + RED
_AXIS, _MARKS = -1, -2  # owners of what is drawn that are no series

#: Columns of dots that are drawn and left out by turns, and what stands for each in a legend.
_STYLES = ((1, 0), (2, 2), (1, 3), (5, 2), (1, 1), (3, 3), (8, 3), (2, 6))
_SAMPLES = "━╍┄╌┈╸╾┅"

_LEVELS, _ASCII_LEVELS = "▁▂▃▄▅▆▇█", "_.-=+*#@"
_PARTS = " ▏▎▍▌▋▊▉█"
_NARROWEST = 20


def sparkline(values: Sequence[float | None], width: int, screen: Screen) -> str:
    """Return values as a line of little bars between zero and the highest; a gap is a blank.

    Args:
        values: The values, in order; the highest of those that share a column shows.
        width: Most columns it may take; fewer values take a column each.
        screen: What can be shown.
    """
    levels = _LEVELS if screen.unicode else _ASCII_LEVELS
    count = min(width, len(values))
    if count <= 0:
        return ""
    parts = [values[at * len(values) // count : (at + 1) * len(values) // count] for at in range(count)]
    tops = [max((value for value in part if value is not None), default=None) for part in parts]
    most = max((top for top in tops if top is not None), default=0) or 1
    last = len(levels) - 1
    return "".join(" " if top is None else levels[max(0, min(last, round(top / most * last)))] for top in tops)


def bar(value: float | None, most: float, width: int, screen: Screen) -> str:
    """Return a value as a bar that would be `width` columns long at `most`, blanks behind it."""
    share = 0.0 if not value or most <= 0 else max(0.0, min(1.0, value / most))
    if not screen.unicode:
        return ("#" * round(share * width)).ljust(width)
    # Whatever is more than nothing shows.
    eighths = max(round(share * width * 8), 1 if share else 0)
    whole, part = divmod(eighths, 8)
    return ("█" * whole + (_PARTS[part] if part else "")).ljust(width)


def draw(chart: Chart, width: int, height: int, screen: Screen) -> list[str]:
    """Return a chart as lines for a terminal.

    Args:
        chart: What is drawn.
        width: Columns it may take, at least 20.
        height: Most lines it may take in all; each panel gets two rows for its curves at least.
        screen: What can be shown: characters and colours.
    """
    from runner.model.drawing import place_axis

    width = max(_NARROWEST, width)
    lines = [screen.paint(_fit(chart.title, width, screen), BOLD)] if chart.title else []
    note = [screen.paint(_fit(chart.note, width, screen), DIM)] if chart.note else []
    heads = [_head(panel, chart.x, width, screen) for panel in chart.panels]
    room = height - len(lines) - len(note) - 2 - sum(map(len, heads))
    rows = max(2, room // max(1, len(heads)))
    axes = [_axis_of(panel, rows) for panel in chart.panels]
    left = max((len(label) for axis in axes for _, label in axis.ticks), default=0)
    places = place_axis(chart, max(1, (width - left - 2) // 14))
    for panel, head, axis in zip(chart.panels, heads, axes, strict=True):
        lines += head + _panel(panel, axis, places, (width, left, rows), screen)
    if chart.panels:
        lines += _foot(places, width, left, screen)
    return lines + note


def _fit(text: str, width: int, screen: Screen) -> str:
    from runner.cli.columns import columns, cut

    plain = screen.plain(text)
    return plain if columns(plain) <= width else cut(plain, width - 1) + ("…" if screen.unicode else ".")


def _axis_of(panel: Panel, rows: int) -> Axis:
    from runner.model.drawing import value_axis

    return value_axis(panel, max(1, min(4, rows // 2)))


def _style(number: int, screen: Screen) -> tuple[int, int]:
    """Return how many columns of dots are drawn and left out by turns, where colours can't tell lines apart."""
    return _STYLES[_alike(number, screen) % len(_STYLES)]


def _alike(number: int, screen: Screen) -> int:
    """Return how many lines before that one have its colour."""
    return number // len(COLORS) if screen.color else number


def _symbol(number: int, series: Series, screen: Screen) -> str:
    if not screen.unicode:
        from runner.cli.plot_canvas import SIGNS

        return ("-" + SIGNS)[number % (1 + len(SIGNS))]
    if series.style in ("bars", "points"):
        return "█" if series.style == "bars" else "•"
    return _SAMPLES[_alike(number, screen) % len(_SAMPLES)]


def _head(panel: Panel, x: str, width: int, screen: Screen) -> list[str]:
    """Return the lines above a panel: its title, and of each series what it is and how it went."""
    from runner.cli.columns import columns
    from runner.model.drawing import reach
    from runner.model.units import format_value

    several = len(panel.series) > 1
    title = screen.paint(_fit(panel.title, width, screen), BOLD)
    lines: list[str] = []
    for number, series in enumerate(panel.series):
        found = reach(series, x)
        told = "no values"
        if found is not None:
            figures = [(word, format_value(value, panel.unit)) for word, value in
                       zip(("min", "mean", "max"), found, strict=True)]  # fmt: skip
            told = "  ".join(f"{word} {value}" for word, value in figures)
            if len(told) + (4 + len(series.name) if several else 0) > width:
                told = "{} {}".format(*figures[-1])
        symbol = screen.paint(_symbol(number, series, screen), COLORS[number % len(COLORS)])
        if several:
            name = _fit(series.name, max(8, width - 4 - len(told)), screen)
            room = width - 4 - columns(name)
            lines.append(f"{symbol} {name}  {screen.paint(told[:room], DIM)}")
        elif len(panel.title) + 4 + len(told) <= width:
            gap = " " * (width - columns(_fit(panel.title, width, screen)) - len(told))
            title += gap + screen.paint(told, DIM)
        else:
            lines.append(screen.paint(told[:width], DIM))
    return [title, *lines]


def _panel(
    panel: Panel, axis: Axis, places: Axis, size: tuple[int, int, int], screen: Screen
) -> list[str]:
    from runner.cli.plot_canvas import Canvas

    width, left, rows = size
    canvas = Canvas(width - left - 2, rows, screen.unicode)
    for number, series in enumerate(panel.series):
        _band(canvas, series, number, axis, places)
    for number, series in enumerate(panel.series):
        if series.style == "bars":
            _bars(canvas, series, number, axis, places)
        elif series.style == "points":
            _points(canvas, series, number, axis, places, screen)
        else:
            _lines(canvas, series, number, axis, places, screen)
    _limits(canvas, panel, axis, screen)
    for series in panel.series:
        _marks(canvas, series, axis, places, screen)
    labels = {_row(axis, value, rows): label for value, label in axis.ticks}
    lines = []
    for row in range(rows):
        label = labels.get(row, "")
        tick, line = ("┤", "│") if screen.unicode else ("+", "|")
        begin = screen.paint(f"{label:>{left}} {tick if label else line}", DIM)
        lines.append(begin + "".join(_painted(text, owner, screen) for text, owner in canvas.row(row)).rstrip())
    return lines


def _painted(text: str, owner: int | None, screen: Screen) -> str:
    if owner is None:
        return text
    return screen.paint(text, {_AXIS: DIM, _MARKS: _MARK}.get(owner) or COLORS[owner % len(COLORS)])


def _row(axis: Axis, value: float, rows: int) -> int:
    """Return the row from the top in which a value lies."""
    return rows - 1 - min(rows - 1, max(0, int(axis.share(value) * (rows * 4 - 1) + 0.5) // 4))


def _dot(canvas: Canvas, axis: Axis, places: Axis, x: float, y: float) -> tuple[int, int]:
    return (
        int(places.share(x) * (2 * canvas.width - 1) + 0.5),
        int(axis.share(y) * (4 * canvas.height - 1) + 0.5),
    )


def _lines(canvas: Canvas, series: Series, number: int, axis: Axis, places: Axis, screen: Screen) -> None:
    from runner.model.drawing import strokes

    on, off = _style(number, screen)
    for stroke in strokes(series.xs, series.ys, places, 2 * canvas.width):
        dots = [_dot(canvas, axis, places, x, y) for x, y in stroke]
        for start, end in zip(dots, dots[1:] or dots, strict=False):
            canvas.line(start, end, number, on, off)


def _points(canvas: Canvas, series: Series, number: int, axis: Axis, places: Axis, screen: Screen) -> None:
    from runner.cli.plot_canvas import SIGNS

    sign = "•" if screen.unicode else ("*" + SIGNS)[number % (1 + len(SIGNS))]
    for x, y in zip(series.xs, series.ys, strict=False):
        if y is not None:
            _put(canvas, axis, places, (x, y), sign, number)


def _put(canvas: Canvas, axis: Axis, places: Axis, point: tuple[float, float], sign: str, owner: int) -> None:
    x, y = _dot(canvas, axis, places, *point)
    canvas.put(x // 2, canvas.height - 1 - y // 4, sign, owner)


def _bars(canvas: Canvas, series: Series, number: int, axis: Axis, places: Axis) -> None:
    base = min(1.0, max(0.0, axis.share(0.0)))
    centers = [places.share(x) * (canvas.width - 1) for x in series.xs]
    gaps = [centers[at + 1] - centers[at] for at in range(len(centers) - 1)]
    half = max(0.0, (min(gaps) if gaps else 3.0) * 0.4)
    for center, y in zip(centers, series.ys, strict=True):
        if y is not None:
            top = axis.share(y)
            for column in range(round(center - half), round(center + half) + 1):
                canvas.bar(column, min(base, top), max(base, top), number)


def _band(canvas: Canvas, series: Series, number: int, axis: Axis, places: Axis) -> None:
    from runner.model.drawing import band

    for stretch in band(series, places, 2 * canvas.width):
        for before, after in zip(stretch, stretch[1:] or stretch, strict=False):
            x0, x1 = (_dot(canvas, axis, places, each[0], 0.0)[0] for each in (before, after))
            for x in range(x0, x1 + 1):
                share = (x - x0) / (x1 - x0) if x1 > x0 else 0.0
                low, high = (before[at] + (after[at] - before[at]) * share for at in (1, 2))
                bottom, top = (_dot(canvas, axis, places, 0.0, value)[1] for value in (low, high))
                for y in range(bottom, top + 1):
                    if (x + y) % 2 == 0 and y % 2 == 0:
                        canvas.dot(x, y, number)


def _limits(canvas: Canvas, panel: Panel, axis: Axis, screen: Screen) -> None:
    from runner.cli.columns import columns

    for name, value in panel.limits:
        row = _row(axis, value, canvas.height)
        label = _fit(name, canvas.width, screen)
        start = canvas.width - columns(label)
        for column in range(canvas.width):
            if canvas.empty(column, row):
                canvas.put(column, row, "╌" if screen.unicode else "-", _AXIS)
        if columns(label) == len(label):
            for column, character in enumerate(label, start):
                canvas.put(column, row, character, _AXIS)


def _marks(canvas: Canvas, series: Series, axis: Axis, places: Axis, screen: Screen) -> None:
    for at in series.marks:
        y = series.ys[at]
        if y is not None:
            _put(canvas, axis, places, (series.xs[at], y), "◆" if screen.unicode else "X", _MARKS)


def _foot(places: Axis, width: int, left: int, screen: Screen) -> list[str]:
    """Return the axis of places below the panels, with as many labels as there is room for."""
    room = width - left - 2
    corner, line, tick = ("└", "─", "┬") if screen.unicode else ("+", "-", "+")
    axis = [line] * room
    labels = [" "] * (left + 2 + room)
    free = 0
    for place, label in places.ticks:
        column = int(places.share(place) * (2 * room - 1) + 0.5) // 2
        start = min(max(0, left + 2 + column - len(label) // 2), len(labels) - len(label))
        if start < free or not 0 <= column < room:
            continue
        axis[column] = tick
        labels[start : start + len(label)] = label
        free = start + len(label) + 2
    return [screen.paint(f"{' ' * left} {corner}{''.join(axis)}", DIM), screen.paint("".join(labels).rstrip(), DIM)]
