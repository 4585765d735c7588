"""Draws a chart as PNG, through matplotlib (extra ``plot``)."""

from __future__ import annotations

from runner.exporters.charts_svg import LIGHT, figures
from runner.model.chart import BARS, POINTS
from runner.model.drawing import dash, known, place_axis, value_axis

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runner.model.chart import Chart, Panel, Series

_INK, _FAINT, _GRID, _MARK = "#1b1f24", "#59636e", "#e4e7eb", "#c2185b"
_INCHES, _DOTS = 9.6, 150


def png(chart: Chart) -> bytes:
    """Return a chart as PNG.

    Raises:
        ImportError: matplotlib is not installed.
    """
    import warnings
    from io import BytesIO

    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    count = max(1, len(chart.panels))
    figure = Figure(figsize=(_INCHES, 0.9 + 1.9 * count), dpi=_DOTS, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    places = place_axis(chart, 8)
    grid: Any = figure.subplots(count, 1, squeeze=False, sharex=True)
    for panel, plot in zip(chart.panels, grid[:, 0], strict=False):
        _draw(plot, panel, chart.x)
    lowest = grid[-1, 0]
    lowest.set_xlim(places.low, places.high)
    lowest.set_xticks([place for place, _ in places.ticks], [label for _, label in places.ticks])
    if chart.title:
        figure.suptitle(_plain(chart.title), x=0.012, ha="left", color=_INK, fontsize=12, fontweight="bold", wrap=True)
    if chart.note:
        figure.supxlabel(_plain(chart.note), x=0.012, ha="left", color=_FAINT, fontsize=8)
    data = BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of characters that its font does not have
        figure.savefig(data, format="png")
    return data.getvalue()


def _draw(plot: Any, panel: Panel, x: str) -> None:
    axis = value_axis(panel, 4)
    plot.set_title(_plain(panel.title), loc="left", fontsize=9, color=_INK, fontweight="bold")
    plot.set_ylim(axis.low, axis.high)
    plot.set_yticks([value for value, _ in axis.ticks], [_plain(label) for _, label in axis.ticks])
    plot.tick_params(labelsize=8, colors=_FAINT, length=3)
    plot.grid(axis="y", color=_GRID, linewidth=0.8)
    plot.set_axisbelow(True)
    for side in ("top", "right", "left"):
        plot.spines[side].set_visible(False)
    plot.spines["bottom"].set_color(_FAINT)
    for number, series in enumerate(panel.series):
        _add(plot, series, LIGHT[number % len(LIGHT)], dash(number, len(LIGHT)))
    for name, value in panel.limits:
        plot.axhline(value, color=_FAINT, linewidth=1, linestyle=(0, (5, 3)))
        plot.annotate(_plain(name), (1, value), xycoords=("axes fraction", "data"), xytext=(-2, 2), ha="right",
                      textcoords="offset points", fontsize=8, color=_INK)  # fmt: skip
    if not any(known(series.ys) for series in panel.series):
        plot.text(0.5, 0.5, "no values", transform=plot.transAxes, ha="center", color=_FAINT, fontsize=9)
    if len(panel.series) == 1:
        plot.set_title(_plain(figures(panel.series[0], panel.unit, x)), loc="right", fontsize=8, color=_FAINT)
    else:
        labels = [_plain(f"{series.name}: {figures(series, panel.unit, x)}") for series in panel.series]
        plot.legend(plot.runner_handles, labels, loc="lower right", bbox_to_anchor=(1, 1), frameon=False, fontsize=8,
                    labelcolor=_FAINT, ncols=min(2, len(labels)), borderaxespad=0)  # fmt: skip


def _add(plot: Any, series: Series, color: str, dashes: tuple[int, ...]) -> None:
    ys = [float("nan") if y is None else y for y in series.ys]
    xs = list(series.xs)
    if series.low is not None and series.high is not None:
        edges = [[float("nan") if edge is None else edge for edge in part] for part in (series.low, series.high)]
        plot.fill_between(xs, *edges, color=color, alpha=0.2, linewidth=0)
    if series.style == BARS:
        gaps = [xs[at + 1] - xs[at] for at in range(len(xs) - 1)]
        handle = plot.bar(xs, ys, width=(min(gaps) if gaps else 1.0) * 0.8, color=color)
    else:
        dotted = series.style == POINTS
        style: Any = (0, dashes) if dashes else "-"
        (handle,) = plot.plot(xs, ys, color=color, linewidth=1.2, linestyle="" if dotted else style,
                              marker="." if dotted else "", markersize=5)  # fmt: skip
        # A value between two gaps is no line.
        lone = [at for at, y in enumerate(ys) if y == y and all(ys[by] != ys[by] for by in (at - 1, at + 1)
                if 0 <= by < len(ys))]  # fmt: skip
        plot.plot([xs[at] for at in lone], [ys[at] for at in lone], color=color, linestyle="", marker=".", markersize=5)
    plot.runner_handles = [*getattr(plot, "runner_handles", []), handle]
    marked = [at for at in series.marks if series.ys[at] is not None]
    plot.plot([xs[at] for at in marked], [ys[at] for at in marked], linestyle="", marker="D", markersize=5,
              markerfacecolor="white", markeredgecolor=_MARK, markeredgewidth=1.3)  # fmt: skip


def _plain(text: str) -> str:
    """Return a text that matplotlib takes as it is: nothing unprintable, and no formulas between dollar signs."""
    return "".join(each if each.isprintable() else "?" for each in text).replace("$", r"\$")
