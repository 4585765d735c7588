"""Draws a chart as SVG that stands alone: light or dark as its reader prefers, in colours that all can tell apart."""

from __future__ import annotations

from runner.exporters.charts_text import BOLD, HEADLINE, cut, text_width
from runner.model.chart import BARS, POINTS
from runner.model.drawing import band, dash, known, place_axis, reach, strokes, value_axis
from runner.model.units import format_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.model.chart import Chart, Panel, Series

#: Colours of series, for a light and a dark ground: after M. Okabe and K. Ito, "Color Universal Design" (2008).
LIGHT = ("#0072b2", "#d55e00", "#008a64", "#b3589a", "#8a6d00", "#3f3f3f")
DARK = ("#56b4e9", "#e69f00", "#35c59b", "#e58fc0", "#f0e442", "#c9c9c9")
_COLORS = len(LIGHT)

WIDTH = 960
_PANEL, _HEAD, _GAP, _EDGE = 150, 24, 14, 16


def style_sheet() -> str:
    """Return the style sheet; its classes all begin with ``rc-``, so that a page around it is left alone."""

    def colors(ground: str, ink: str, faint: str, grid: str, mark: str, series: tuple[str, ...]) -> str:
        rules = [f".rc-ground{{fill:{ground}}}", f".rc-text{{fill:{ink}}}", f".rc-faint{{fill:{faint}}}",
                 f".rc-grid{{stroke:{grid}}}", f".rc-axis,.rc-limit,.rc-cross{{stroke:{faint}}}",
                 f".rc-mark{{stroke:{mark};fill:{ground}}}"]  # fmt: skip
        rules += [f".rc-l{at}{{stroke:{color}}}.rc-f{at}{{fill:{color}}}" for at, color in enumerate(series)]
        return "".join(rules)

    return (
        ".rc-text,.rc-faint{font:12px system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif}"
        ".rc-title{font-size:16px;font-weight:600}.rc-name{font-weight:600}"
        ".rc-line{fill:none;stroke-width:1.6;stroke-linejoin:round;stroke-linecap:round}.rc-band{opacity:.2}"
        ".rc-limit{stroke-dasharray:6 4}.rc-mark{stroke-width:2}"
        + colors("#ffffff", "#1b1f24", "#59636e", "#e4e7eb", "#c2185b", LIGHT)
        + "@media (prefers-color-scheme:dark){"
        + colors("#15181c", "#e6e8ea", "#a3adb8", "#2b3138", "#ff6fa3", DARK)
        + "}"
    )


class Layout:
    """Where the parts of a chart are, in pixels.

    Args:
        chart: The chart.
        width: Its width.
    """

    def __init__(self, chart: Chart, width: int) -> None:
        self.chart = chart
        self.width = width
        self.axes = [value_axis(panel, 4) for panel in chart.panels]
        labels = [text_width(label) for axis in self.axes for _, label in axis.ticks]
        self.left = _EDGE + max(labels, default=0) + 8
        self.right = width - _EDGE - 8
        self.columns = int(self.right - self.left)
        self.places = place_axis(chart, max(2, self.columns // 110))
        self.tops: list[float] = []
        at = _EDGE + (26.0 if chart.title else 4.0)
        for panel in chart.panels:
            at += _HEAD + 18 * (len(legend_rows(panel, chart.x, self.right - self.left)) - 1)
            self.tops.append(at)
            at += _PANEL + _GAP
        self.foot = at - _GAP + 18
        self.height = round(self.foot + (22 if chart.note else 4) + _EDGE / 2)

    def x(self, place: float) -> float:
        """Return the pixel of a place."""
        return self.left + self.places.share(place) * (self.right - self.left)

    def y(self, number: int, value: float) -> float:
        """Return the pixel of a value of one panel."""
        return self.tops[number] + _PANEL * (1 - self.axes[number].share(value))


def svg(chart: Chart, width: int = WIDTH, style: bool = True, name: str = "rc") -> str:
    """Return a chart as SVG.

    Args:
        chart: The chart.
        width: Its width in pixels; the height follows from what is in it.
        style: Whether the style sheet is in it; a page has it once.
        name: Beginning of its ids, of which each may occur once in a page.
    """
    layout = Layout(chart, width)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {layout.height}" width="{width}" '
        f'height="{layout.height}" role="img" aria-labelledby="{name}-title {name}-desc" class="rc-chart">',
        f'<title id="{name}-title">{escape(chart.title or "Chart")}</title>',
        f'<desc id="{name}-desc">{escape(described(chart))}</desc>',
        f"<style>{style_sheet()}</style>" if style else "",
        f'<rect class="rc-ground" width="{width}" height="{layout.height}" rx="6"/>',
    ]
    if chart.title:
        parts.append(_text(_EDGE, _EDGE + 14, cut(chart.title, width - 2 * _EDGE, HEADLINE), "rc-text rc-title"))
    for number, panel in enumerate(chart.panels):
        parts += _panel(layout, number, panel, name)
    parts += _places(layout)
    if chart.note:
        parts.append(_text(_EDGE, layout.height - 12, cut(chart.note, width - 2 * _EDGE), "rc-faint"))
    return "\n".join(part for part in parts if part) + "\n</svg>\n"


def described(chart: Chart) -> str:
    """Return in words what a chart shows, for those who can't see it."""
    lines = []
    for panel in chart.panels:
        for series in panel.series:
            label = panel.title if series.name in ("", panel.title) else f"{panel.title}, {series.name}"
            lines.append(f"{label}: {figures(series, panel.unit, chart.x)}")
    return "; ".join([*lines, chart.note] if chart.note else lines)


def figures(series: Series, unit: str, x: str) -> str:
    """Return lowest, mean and highest value of a series as text."""
    found = reach(series, x)
    if found is None:
        return "no values"
    low, middle, high = (format_value(value, unit) for value in found)
    return f"min {low}, mean {middle}, max {high}"


def legend_rows(panel: Panel, x: str, room: float) -> list[list[tuple[float, int, str]]]:
    """Return the legend in rows beside and below a panel's title: offset, number of the series, text."""
    if len(panel.series) == 1 and panel.series[0].name in ("", panel.title):
        entries = [(-1, figures(panel.series[0], panel.unit, x))]
    else:
        entries = [(at, _entry(series, panel.unit, x, room - 22)) for at, series in enumerate(panel.series)]
    rows: list[list[tuple[float, int, str]]] = [[]]
    at = text_width(panel.title, BOLD) + 20
    for number, told in entries:
        wide = text_width(told) + (44 if number >= 0 else 20)
        if at + wide > room + 20 and (rows[-1] or at > 0):
            rows.append([])
            at = 0.0
        rows[-1].append((at, number, cut(told, room - at)))
        at += wide
    return rows


def _entry(series: Series, unit: str, x: str, room: float) -> str:
    """Return what a legend says of a series: without the mean where there is no room for it."""
    told = f"{series.name}: {figures(series, unit, x)}"
    if text_width(told) <= room:
        return told
    low, mean, rest = told.rpartition(", mean ")
    return f"{low}, {rest.rpartition(', ')[2]}" if mean else told


def _panel(layout: Layout, number: int, panel: Panel, name: str) -> list[str]:
    top, axis = layout.tops[number], layout.axes[number]
    rows = legend_rows(panel, layout.chart.x, layout.right - layout.left)
    head = top - 8 - 18 * (len(rows) - 1)
    parts = [_text(layout.left, head, cut(panel.title, layout.right - layout.left, BOLD), "rc-text rc-name")]
    for line, row in enumerate(rows):
        for offset, color, told in row:
            at = layout.left + offset
            if color >= 0:
                parts.append(f'<path class="rc-line rc-l{color % _COLORS}"{_dashes(color)} stroke-width="3" '
                             f'd="M{_n(at)} {_n(head + 18 * line - 4)}h16"/>')  # fmt: skip
                at += 22
            parts.append(_text(at, head + 18 * line, told, "rc-faint"))
    for value, label in axis.ticks:
        y = _n(layout.y(number, value))
        parts.append(f'<path class="rc-grid" d="M{_n(layout.left)} {y}H{_n(layout.right)}"/>')
        parts.append(_text(layout.left - 8, layout.y(number, value) + 4, label, "rc-faint", "end"))
    parts.append(f'<clipPath id="{name}-{number}"><rect x="{_n(layout.left - 4)}" y="{_n(top - 4)}" '
                 f'width="{_n(layout.right - layout.left + 8)}" height="{_PANEL + 8}"/></clipPath>')  # fmt: skip
    parts.append(f'<g clip-path="url(#{name}-{number})">')
    for color, series in enumerate(panel.series):
        parts += _band(layout, number, series, color)
    for color, series in enumerate(panel.series):
        parts += _series(layout, number, series, color)
    parts.append("</g>")
    if not any(known(series.ys) for series in panel.series):
        parts.append(_text((layout.left + layout.right) / 2, top + _PANEL / 2, "no values", "rc-faint", "middle"))
    parts += _limits(layout, number, panel)
    return parts


def _band(layout: Layout, number: int, series: Series, at: int) -> list[str]:
    parts = []
    for stretch in band(series, layout.places, layout.columns):
        upper = [f"{_n(layout.x(x))} {_n(layout.y(number, high))}" for x, _, high in stretch]
        lower = [f"{_n(layout.x(x))} {_n(layout.y(number, low))}" for x, low, _ in reversed(stretch)]
        parts.append(f'<path class="rc-band rc-f{at % _COLORS}" d="M{"L".join(upper + lower)}Z"/>')
    return parts


def _series(layout: Layout, number: int, series: Series, at: int) -> list[str]:
    parts: list[str] = []
    color = at % _COLORS
    if series.style == BARS:
        parts = _bars(layout, number, series, color)
    else:
        lines = strokes(series.xs, series.ys, layout.places, layout.columns)
        for line in lines:
            points = [(layout.x(x), layout.y(number, y)) for x, y in line]
            if series.style == POINTS or len(points) == 1:
                parts += [f'<circle class="rc-f{color}" cx="{_n(x)}" cy="{_n(y)}" r="2.6"/>' for x, y in points]
            else:
                path = "L".join(f"{_n(x)} {_n(y)}" for x, y in points)
                parts.append(f'<path class="rc-line rc-l{color}"{_dashes(at)} d="M{path}"/>')
    for mark in series.marks:
        y = series.ys[mark]
        if y is not None:
            x, y = layout.x(series.xs[mark]), layout.y(number, y)
            parts.append(f'<path class="rc-mark" d="M{_n(x)} {_n(y - 5)}l5 5l-5 5l-5 -5Z"/>')
    return parts


def _dashes(number: int) -> str:
    lengths = dash(number, _COLORS)
    return f' stroke-dasharray="{" ".join(map(str, lengths))}"' if lengths else ""


def _bars(layout: Layout, number: int, series: Series, color: int) -> list[str]:
    centers = [layout.x(x) for x in series.xs]
    gaps = [centers[at + 1] - centers[at] for at in range(len(centers) - 1)]
    wide = max(1.0, min(40.0, (min(gaps) if gaps else 40.0) * 0.8))
    base = layout.y(number, 0.0)
    parts = []
    for center, value in zip(centers, series.ys, strict=False):
        if value is not None and value == value:
            y = layout.y(number, value)
            parts.append(f'<rect class="rc-f{color}" x="{_n(center - wide / 2)}" y="{_n(min(y, base))}" '
                         f'width="{_n(wide)}" height="{_n(abs(base - y))}"/>')  # fmt: skip
    return parts


def _limits(layout: Layout, number: int, panel: Panel) -> list[str]:
    parts = []
    for label, value in panel.limits:
        y = layout.y(number, value)
        parts.append(f'<path class="rc-limit" d="M{_n(layout.left)} {_n(y)}H{_n(layout.right)}"/>')
        under = y - layout.tops[number] < 12  # above it stands the head of the panel
        parts.append(_text(layout.right - 4, y + (13 if under else -4), cut(label, layout.columns), "rc-text", "end"))
    return parts


def _places(layout: Layout) -> list[str]:
    if not layout.chart.panels:
        return []
    parts = []
    for top in layout.tops:
        bottom = _n(top + _PANEL)
        ticks = "".join(f"M{_n(layout.x(place))} {bottom}v4" for place, _ in layout.places.ticks)
        parts.append(f'<path class="rc-axis" d="M{_n(layout.left)} {bottom}H{_n(layout.right)}{ticks}"/>')
    free = 0.0
    for place, label in layout.places.ticks:
        wide = text_width(label)
        x = min(max(layout.x(place), 4 + wide / 2), layout.width - 4 - wide / 2)
        if x - wide / 2 >= free:
            parts.append(_text(x, layout.foot, label, "rc-faint", "middle"))
            free = x + wide / 2 + 10
    return parts


def _text(x: float, y: float, text: str, style: str, anchor: str = "") -> str:
    place = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text class="{style}" x="{_n(x)}" y="{_n(y)}"{place}>{escape(text)}</text>'


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def escape(text: str) -> str:
    """Return a text as it stands in XML and HTML; what neither can hold becomes a question mark."""
    clean = "".join(each if each.isprintable() else "?" for each in text)
    return clean.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
