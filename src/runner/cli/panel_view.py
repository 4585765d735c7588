"""What the panel looks like: a title, the newest output, curves and processes, as much of each as there is room for."""

from __future__ import annotations

from runner.cli.columns import columns, cut, pad
from runner.cli.live_line import clock, compose
from runner.cli.plot import draw, sparkline
from runner.model.chart import SECONDS, Chart, Panel, Series
from runner.model.units import format_bytes, format_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.cli.live_figures import Figures, Trail
    from runner.cli.output import Screen
    from runner.cli.panel_text import Text
    from runner.engine.live_tree import Entry

_REVERSE, _DIM, _BOLD, _RESET = "\x1b[7m", "\x1b[2m", "\x1b[1m", "\x1b[m"
#: Columns from which three charts stand side by side, and lines from which charts are drawn at all.
_WIDE, _TALL = 78, 20
_CHART = 8  # lines of a chart
_GAP = 2
_LABEL = 20  # columns before a sparkline
_LEAST = 4  # lines of output, however small the screen is
_MOST = 8  # processes
#: What is told of each before its command, with its columns, and what gives way so that commands have so many.
_BEFORE = {"PID": 8, "CPU": 6, "MEMORY": 8, "TIME": 8}
_DISPENSABLE, _COMMAND = ("TIME", "MEMORY", "PID"), 20


class View:
    """Composes the rows of the screen.

    Args:
        name: What the script is called.
        figures: What is known of it.
        text: Its output.
        screen: What can be shown.
    """

    def __init__(self, name: str, figures: Figures, text: Text, screen: Screen) -> None:
        self._name = name
        self._figures = figures
        self._text = text
        self._screen = screen

    def rows(self, width: int, height: int, elapsed: float, entries: list[Entry]) -> tuple[list[str], tuple[int, int]]:
        """Return all rows of the screen, and where the cursor belongs (row and column from 0).

        Args:
            width: Columns of the screen.
            height: Lines of it.
            elapsed: Seconds since the start.
            entries: The processes, those that use most first.
        """
        room = height - 1 - _LEAST  # below the title
        below: list[str] = []
        curves = self._curves(width, room)
        if len(curves) < room:
            below += [self._rule(width), *curves]
            left = min(room - len(below) - 1, _MOST, len(entries))
            if left > 0 and (len(entries) > 1 or height >= _TALL):
                below += self._table(entries, left, width)
        count = height - 1 - len(below)
        shown = self._text.rows(width, count)
        at = len(shown), self._text.cursor(width)
        return [self._title(width, elapsed), *shown, *[""] * (count - len(shown)), *below], at

    def _title(self, width: int, elapsed: float) -> str:
        line = compose(self._figures, elapsed, width, self._screen)
        name = self._screen.plain(self._name)
        room = width - columns(line) - 2
        if room >= 4:
            line = f" {pad(cut(name, room), min(columns(name), room))} {line}"
        return self._screen.paint(pad(cut(line, width), width), _REVERSE)

    def _rule(self, width: int) -> str:
        return self._screen.paint(("─" if self._screen.unicode else "-") * width, _DIM)

    def _curves(self, width: int, room: int) -> list[str]:
        figures = self._figures
        series = [
            ("CPU", "percent", figures.cpu_trail, 1.0),
            ("Memory", "MB", figures.memory_trail, 1 / (1 << 20)),
            ("I/O per second", "MB", figures.io_trail, 1 / (1 << 20)),
        ]
        if width >= _WIDE and room >= _CHART + 3:
            return self._charts(series, width)
        return [self._spark(title, unit, trail, scale, width) for title, unit, trail, scale in series]

    def _charts(self, series: list[tuple[str, str, Trail, float]], width: int) -> list[str]:
        each = (width - 2 * _GAP) // 3
        drawn = []
        for title, unit, trail, scale in series:
            ys = [value * scale for value in trail.values]
            chart = Chart("", SECONDS, [Panel(title, unit, [Series(title, trail.ends, ys)] if ys else [])])
            drawn.append(draw(chart, each, _CHART, self._screen) if ys else [title])
        rows = []
        for number in range(max(map(len, drawn))):
            cells = [lines[number] if number < len(lines) else "" for lines in drawn]
            rows.append((" " * _GAP).join(cell + _RESET + " " * (each - _visible(cell)) for cell in cells))
        return rows

    def _spark(self, title: str, unit: str, trail: Trail, scale: float, width: int) -> str:
        value = format_value(trail.values[-1] * scale, unit) if trail.values else "-"
        label = f" {title.split()[0]:<7} {value:>9} "
        return cut(pad(label, _LABEL) + sparkline(trail.values, max(0, width - _LABEL - 1), self._screen), width)

    def _table(self, entries: list[Entry], count: int, width: int) -> list[str]:
        sizes = dict(_BEFORE)
        for name in _DISPENSABLE:
            if sum(size + 1 for size in sizes.values()) + 2 + _COMMAND > width:
                del sizes[name]
        rows = [self._screen.paint(_told({name: name for name in sizes}, sizes, "COMMAND", width), _DIM)]
        for entry in entries[:count]:
            cells = {
                "PID": str(entry.pid),
                "CPU": "-" if entry.cpu_percent is None else f"{entry.cpu_percent:.0f} %",
                "MEMORY": format_bytes(entry.memory_bytes),
                "TIME": clock(entry.cpu_seconds),
            }
            rows.append(_told(cells, sizes, self._screen.plain(entry.brief[:1000]), width))
        return rows


def _told(cells: Mapping[str, str], sizes: Mapping[str, int], last: str, width: int) -> str:
    return cut("".join(f" {cells[name]:>{size}}" for name, size in sizes.items()) + f"  {last}", width)


def _visible(text: str) -> int:
    """Return the columns that a text with colours takes."""
    plain, rest = "", text
    while rest:
        before, escape, rest = rest.partition("\x1b")
        plain += before
        if escape:
            rest = rest.partition("m")[2]
    return columns(plain)
