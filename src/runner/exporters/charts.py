"""Writes a chart to a file: SVG, a page for a browser, or PNG, by the end of the file's name."""

from __future__ import annotations

from runner.exporters import files
from runner.model.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.model.chart import Chart

ENDINGS = (".svg", ".html", ".png")


def check_chart_path(path: str, flag: str) -> None:
    """Refuse a path that no chart can be written to, before anything is done.

    Args:
        path: The path.
        flag: How it was given, for the message.

    Raises:
        UsageError: Its ending is none of `ENDINGS`, what a PNG needs is not installed, or the file can't be written.
    """
    if not path.lower().endswith(ENDINGS):
        raise UsageError(f"{flag}: {path or 'the path'} has to end with {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}")
    if path.lower().endswith(".png"):
        from importlib.util import find_spec

        if find_spec("matplotlib") is None:
            raise UsageError(
                f"{flag}: matplotlib draws PNG: pip install 'python-script-runner[plot]' (.svg and .html need nothing)"
            )
    files.check(path, flag)


def write_chart(chart: Chart, path: str, flag: str = "--plot") -> None:
    """Write a chart, whole or not at all.

    Args:
        chart: The chart.
        path: Where to; its ending says as what.
        flag: How the path was given, for messages.

    Raises:
        UsageError: As `check_chart_path`.
        ReportError: It could not be written; a file that was there before is untouched.
    """
    check_chart_path(path, flag)
    kind = path.lower()
    if kind.endswith(".svg"):
        from runner.exporters.charts_svg import svg

        data = svg(chart).encode("utf-8")
    elif kind.endswith(".html"):
        from runner.exporters.charts_html import page

        data = page(chart).encode("utf-8")
    else:
        from runner.exporters.charts_png import png

        data = png(chart)
    files.write(path, data)
