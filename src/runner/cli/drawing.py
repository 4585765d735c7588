"""Shows a chart where it was asked for: in the terminal, or in a file."""

from __future__ import annotations

import os

from runner.cli.output import Screen, printable
from runner.engine.query_options import TERMINAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from runner.model.chart import Chart

#: Columns of a chart that goes to no terminal, least lines of one, and of each panel besides a line for each series.
_WIDTH, _HEIGHT, _PANEL = 80, 18, 7


def check_place(place: str, flag: str = "--plot") -> None:
    """Refuse a place where no chart can be shown, before anything is computed.

    Args:
        place: "" for none, `TERMINAL`, or a file.
        flag: How it was given, for the message.

    Raises:
        UsageError: The file can't be written, or its ending says nothing.
    """
    if place and place != TERMINAL:
        from runner.exporters.charts import check_chart_path

        check_chart_path(place, flag)


def draw_file(chart: Chart, place: str, flag: str = "--plot") -> str:
    """Draw a chart into a file; return the line that tells of it.

    It is drawn before an answer is written: whoever reads that may leave in the middle of it.

    Args:
        chart: The chart.
        place: The file.
        flag: How it was given, for messages.

    Raises:
        RunnerError: The file can't be written.
    """
    from runner.exporters.charts import write_chart

    write_chart(chart, place, flag)
    return f"drawn in {printable(place)}\n"


def show_chart(chart: Chart, out: TextIO) -> None:
    """Draw a chart on standard output."""
    from runner.cli.plot import draw

    screen = Screen(1)
    height = max(_HEIGHT, sum(_PANEL + len(panel.series) for panel in chart.panels))
    if screen.terminal:
        height = max(8, min(height, os.get_terminal_size(1).lines - 2))
    out.writelines(line + "\n" for line in draw(chart, screen.width or _WIDTH, height, screen))
