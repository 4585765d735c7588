"""Shows a chart where it was asked for: in the terminal, or in a file."""

from __future__ import annotations

import os

from runner.cli.output import Screen, printable
from runner.engine.query_options import TERMINAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from runner.model.chart import Chart

#: Columns and lines of a chart that goes to no terminal, and most lines in one.
_WIDTH, _HEIGHT = 80, 18


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


def show_chart(chart: Chart, place: str, out: TextIO | None, flag: str = "--plot") -> None:
    """Show a chart.

    Args:
        chart: The chart.
        place: `TERMINAL`, or a file.
        out: Standard output, where it is drawn, or told which file it is in; None where it has room for neither.
        flag: How the place was given, for messages.

    Raises:
        RunnerError: The file can't be written.
    """
    if place != TERMINAL:
        from runner.exporters.charts import write_chart

        write_chart(chart, place, flag)
        if out is not None:
            out.write(f"drawn in {printable(place)}\n")
        return
    from runner.cli.plot import draw

    assert out is not None
    screen = Screen(1)
    height = _HEIGHT
    if screen.terminal:
        height = max(8, min(_HEIGHT, os.get_terminal_size(1).lines - 2))
    out.writelines(line + "\n" for line in draw(chart, screen.width or _WIDTH, height, screen))
