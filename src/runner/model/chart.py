"""What is drawn: a chart of panels of series, for a terminal, a page or a picture alike."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

#: What `Chart.x` can be: seconds since a start, nanoseconds since the epoch (UTC), or the place in a sequence.
SECONDS, TIME, INDEX = "seconds", "time", "index"

#: How a series is drawn.
LINE, POINTS, BARS = "line", "points", "bars"


class Series:
    """One set of values.

    Attributes:
        name: What it is called in the legend.
        xs: Places, ascending; their meaning is the chart's.
        ys: Values in the panel's unit, None where there is a gap.
        low: Lower edge of a band around the values, or None.
        high: Upper edge of it, or None.
        style: `LINE`, `POINTS` or `BARS`.
        marks: Positions in `xs` of values that stand out.
    """

    __slots__ = ("high", "low", "marks", "name", "style", "xs", "ys")

    def __init__(
        self,
        name: str,
        xs: Sequence[float],
        ys: Sequence[float | None],
        low: Sequence[float | None] | None = None,
        high: Sequence[float | None] | None = None,
        style: str = LINE,
        marks: Sequence[int] = (),
    ) -> None:
        self.name = name
        self.xs = xs
        self.ys = ys
        self.low = low
        self.high = high
        self.style = style
        self.marks = marks


class Panel:
    """Series over one axis of values.

    Attributes:
        title: What is shown.
        unit: Unit of the values, one that `model.units.format_value` knows.
        series: The series; two or more are told apart by a legend.
        limits: Values at which a labelled line is drawn across.
    """

    __slots__ = ("limits", "series", "title", "unit")

    def __init__(
        self, title: str, unit: str, series: Sequence[Series], limits: Sequence[tuple[str, float]] = ()
    ) -> None:
        self.title = title
        self.unit = unit
        self.series = series
        self.limits = limits


class Chart:
    """Panels one below the other, over one axis of places.

    Attributes:
        title: Headline.
        x: `SECONDS`, `TIME` or `INDEX`.
        panels: The panels.
        note: A line below, or "".
    """

    __slots__ = ("note", "panels", "title", "x")

    def __init__(self, title: str, x: str, panels: Sequence[Panel], note: str = "") -> None:
        self.title = title
        self.x = x
        self.panels = panels
        self.note = note
