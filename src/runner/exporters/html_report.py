"""The HTML report of a run (``--html-output``): one page that needs no network, for a screen or for paper."""

from __future__ import annotations

from itertools import pairwise
from math import copysign, isfinite

from runner.exporters.charts_html import DRAWING_STYLE, document, drawing, pointer
from runner.exporters.charts_svg import WIDTH, Layout, svg
from runner.exporters.html_style import STYLE
from runner.exporters.plain import clean, one_line, output_text, streams
from runner.exporters.report import FileReport
from runner.exporters.telling import (
    FAILED,
    PASSED,
    SKIPPED_GATE,
    change_rows,
    facts,
    failure_note,
    gate_rows,
    good,
    headline,
    usual_rows,
)
from runner.model import metrics as m
from runner.model.drawing import known
from runner.model.groups import groups
from runner.model.metric import SAMPLED
from runner.model.run import label_of
from runner.model.units import format_bytes, format_seconds
from runner.model.verdict import error_of, figure, verdict
from runner.options import RUN, Options, opt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runner.model.chart import Chart
    from runner.model.judgement import Change, Judgement
    from runner.model.run import Run

#: Bytes of each output stream in a page.
_OUTPUT_BYTES = 512 << 10
#: Rows of a table.
_ROWS = 500

_MARKS = {PASSED: "✓ passed", FAILED: "✗ failed", SKIPPED_GATE: "not judged"}
#: Times the highest value of a curve beyond which a limit would make the curve flat.
_FAR = 4
#: The drawing of an interval, in pixels.
_BAR_WIDTH, _BAR_HEIGHT = 120, 16


class HtmlOptions(Options):
    """Where the HTML report goes."""

    html_output: str = opt(
        "Write the run as a page that needs nothing else: curves, gates, comparison, output; - is standard output",
        default="", metavar="FILE", env="RUNNER_HTML_OUTPUT", yaml="reports.html", role=RUN,
    )  # fmt: skip


class HtmlReport(FileReport):
    """Writes the HTML report.

    Args:
        path: Where to; ``-`` is standard output.
        draw: Returns the chart of a run.

    Raises:
        UsageError: The path can't work.
    """

    flag = "--html-output"

    def __init__(self, path: str, draw: Callable[[Run], Chart]) -> None:
        super().__init__(path)
        self._draw = draw

    def render(self, run: Run, judgement: Judgement | None) -> bytes:
        """Return the report."""
        return html_report(run, judgement, self._draw(run)).encode("utf-8")


def html_report(run: Run, judgement: Judgement | None, chart: Chart) -> str:
    """Return a run as an HTML page.

    Args:
        run: The run, with output.
        judgement: What was judged of it, or None.
        chart: Its curves.
    """
    title = one_line(f"{label_of(run.name, run.script_path)}: {headline(run, judgement)}", 200)
    chart.title = ""  # the page has a heading
    drawn = any(len(known(series.ys)) > 1 for panel in chart.panels for series in panel.series)
    _draw_limits(chart, judgement)
    parts = [
        _header(run, judgement),
        _cards(run),
        _notices(judgement),
        _gates(judgement),
        _changes(judgement),
        _usual(run),
        _section("Curves", drawing(chart) + _on_paper(chart)) if drawn else "",
        _attempts(run),
        _output(run),
        _figures(run),
        _section("Run", _pairs(facts(run), "facts")),
    ]
    body = "\n".join(part for part in parts if part)
    return document(title, DRAWING_STYLE + STYLE, f"<main>\n{body}\n</main>\n{pointer(chart) if drawn else ''}")


def _draw_limits(chart: Chart, judgement: Judgement | None) -> None:
    """Draw the limits that gates set on peaks across the curves that have them, but for those far above."""
    for gate in [] if judgement is None else judgement.gates:
        unit = {m.CPU_MAX.name: "percent", m.MEMORY_MAX.name: "MB"}.get(gate.metric)
        for panel in chart.panels:
            if panel.unit != unit or gate.limit is None:
                continue
            highest = max((value for series in panel.series for value in known(series.ys)), default=0.0)
            if 0 <= gate.limit <= _FAR * highest:
                panel.limits = [*panel.limits, (one_line(gate.gate, 100), gate.limit)]


def _on_paper(chart: Chart) -> str:
    """Return a chart in pieces of one panel each, between which a page of paper may end."""
    layout = Layout(chart, WIDTH)
    between = [layout.y(at, axis.low) + 7 for at, axis in enumerate(layout.axes)][:-1]  # in the middle of the gap
    pieces = [
        f'<svg viewBox="0 {top:.1f} {WIDTH} {bottom - top:.1f}">'
        + ('<use href="#whole"/>' if top else f'<g id="whole" class="whole">{svg(chart, WIDTH, False, "paper")}</g>')
        + "</svg>"
        for top, bottom in pairwise([0.0, *between, layout.height])
    ]
    return f'<div class="paper" style="--height:{layout.height}px" aria-hidden="true">{"".join(pieces)}</div>'


def _html(text: str) -> str:
    return clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def _header(run: Run, judgement: Judgement | None) -> str:
    passed = good(run, judgement)
    arguments = one_line(" ".join(run.args), 1000)
    error, note = ("", "") if run.last.success else (error_of(run.last), failure_note(run))
    return (
        f'<header class="{"good" if passed else "bad"}">\n'
        f'<h1><span class="mark">{"✓" if passed else "✗"}</span> {_html(one_line(label_of(run.name, run.script_path)))}'
        f' <span class="faint">{_html(arguments)}</span></h1>\n<p>{_html(headline(run, judgement))}</p>\n'
        + (f'<pre class="error">{_html(error[:4000])}</pre>\n' if error else "")
        + (f'<p class="faint">{_html(note)}</p>\n' if note else "")
        + "</header>"
    )


def _cards(run: Run) -> str:
    last = run.last
    rows = [("Wall time", figure(last, m.EXECUTION_TIME)), ("CPU time", figure(last, m.CPU_TIME)),
            ("CPU, of a core", figure(last, m.CPU_AVG)), ("Peak memory", figure(last, m.MEMORY_MAX)),
            ("Exit code", "none" if last.exit_code is None else str(last.exit_code))]  # fmt: skip
    if len(run.attempts) > 1:
        rows.append(("Attempts", f"{len(run.attempts)} in {format_seconds(run.total_seconds)}"))
    return _pairs(rows, "cards")


def _pairs(rows: Sequence[tuple[str, str]], style: str) -> str:
    inner = "".join(f"<div><dt>{_html(label)}</dt><dd>{_html(text)}</dd></div>" for label, text in rows)
    return f'<dl class="{style}">{inner}</dl>'


def _section(title: str, inner: str, note: str = "") -> str:
    told = f' <span class="faint">{_html(note)}</span>' if note else ""
    return f"<section>\n<h2>{_html(title)}{told}</h2>\n{inner}\n</section>"


def _notices(judgement: Judgement | None) -> str:
    notices = [] if judgement is None else judgement.notices
    return "".join(f'<p class="notice">{_html(one_line(notice, 1000))}</p>' for notice in notices[:_ROWS])


def _gates(judgement: Judgement | None) -> str:
    rows = gate_rows([] if judgement is None else judgement.gates)
    if not rows:
        return ""
    failed = sum(row[0] == FAILED for row in rows)
    cells = [[f'<td class="{row[0]}">{_MARKS[row[0]]}</td>', *map(_cell, row[1:])] for row in rows]
    note = f"{failed} of {len(rows)} failed" if failed else f"{len(rows)}"
    return _section("Gates", _table("gates", ("", "Gate", "Result"), "ll", cells), note)


def _changes(judgement: Judgement | None) -> str:
    changes = [] if judgement is None else judgement.changes
    if not changes:
        return ""
    edge = max((abs(bound) for change in changes for bound in (change.lower, change.upper, change.relative)
                if bound is not None and isfinite(bound)), default=0.0)  # fmt: skip
    edge = min(edge * 1.1, 2.0) or 1.0
    cells = []
    for change, row in zip(changes, change_rows(changes), strict=True):
        name, *figures, verdict = row
        cells.append([_cell(name), f'<td class="{verdict}">{verdict}</td>', *map(_cell, figures),
                      f'<td class="bar">{_bar(change, edge)}</td>'])  # fmt: skip
    head = ("Figure", "", "Baseline", "This run", "Change", "Interval", "")
    count = max(change.count for change in changes)
    note = f"{count} earlier run{'s' * (count != 1)}"
    return _section("Compared with the baseline", _table("changes", head, "lrrrrl", cells), note)


def _bar(change: Change, edge: float) -> str:
    """Return the interval of a change as a drawing: no change is in the middle, `edge` at either end."""

    def place(share: float) -> float:
        return round((min(max(share / edge, -1.0), 1.0) + 1) / 2 * (_BAR_WIDTH - 8) + 4, 1)

    middle = place(0.0)
    parts = [f'<path class="zero" d="M{middle} 0v{_BAR_HEIGHT}"/>']
    if change.lower is not None and change.upper is not None and isfinite(change.upper - change.lower):
        low, high = place(change.lower), place(change.upper)
        parts.append(f'<rect class="range" x="{low}" y="5" width="{max(1.0, high - low):.1f}" height="6" rx="3"/>')
    if change.relative is not None and isfinite(change.relative):
        at, way = place(change.relative), copysign(1, change.relative)
        beyond = f'<path class="point" d="M{at - 3 * way} 3l{7 * way} 5l{-7 * way} 5z"/>'
        within = f'<circle class="point" cx="{at}" cy="8" r="3.5"/>'
        parts.append(beyond if abs(change.relative) > edge else within)
    size = f'viewBox="0 0 {_BAR_WIDTH} {_BAR_HEIGHT}" width="{_BAR_WIDTH}" height="{_BAR_HEIGHT}"'
    return f'<svg class="interval {change.verdict}" {size} aria-hidden="true">{"".join(parts)}</svg>'


def _usual(run: Run) -> str:
    rows = usual_rows(run)
    if not rows or run.usual is None:
        return ""
    cells = []
    for name, usual, found, standing in rows:
        style = {"usual": "same", "unusually high": "worse"}.get(standing, "better")
        cells.append([_cell(name), f'<td class="{style}">{standing}</td>', _cell(usual), _cell(found)])
    causes = "".join(f"<li>{'likely' if cause.likely else 'differs'}: {_html(one_line(cause.text))}</li>"
                     for cause in run.usual.causes[:10])  # fmt: skip
    table = _table("usual", ("Figure", "", "Usual", "This run"), "lrr", cells)
    inner = f"{table}<ul>{causes}</ul>" if causes else table
    return _section("Compared with earlier runs", inner, f"{run.usual.count} like this one")


def _attempts(run: Run) -> str:
    if len(run.attempts) < 2:
        return ""
    cells = [
        [_cell(str(attempt.number)), _cell(format_seconds(attempt.delay) if attempt.delay else "-"),
         _cell(verdict(attempt)), _cell(one_line(error_of(attempt)))]
        for attempt in run.attempts[-_ROWS:]
    ]  # fmt: skip
    return _section("Attempts", _table("attempts", ("", "Waited", "Ended", "Error"), "rll", cells))


def _output(run: Run) -> str:
    parts = []
    for name, kept in streams(run.last):
        title = "Output" if name == "output" else f"Output on {name}"
        lines = f"{kept.lines:,} line{'s' * (kept.lines != 1)}, {format_bytes(kept.size)}"
        text = _html(output_text(kept, _OUTPUT_BYTES))
        # A newline that begins a <pre> is dropped by browsers, so one is put there to be dropped.
        head = f'<summary><h2>{title} <span class="faint">{lines}</span></h2></summary>'
        body = f'<pre tabindex="0">\n{text}</pre>'
        parts.append(f"<section>\n<details open>{head}\n{body}\n</details>\n</section>")
    return "\n".join(parts)


def _figures(run: Run) -> str:
    last = run.last
    columns = []
    for title, group in groups():
        rows = "".join(
            f'<tr title="{_html(metric.meaning)}"><td>{metric.name}</td><td>{_html(figure(last, metric))}</td>'
            f'<td class="faint">{"sampled" if last.kinds.get(metric.name) == SAMPLED else ""}</td></tr>'
            for metric in group
            if last.metrics.get(metric.name) is not None
        )
        if rows:
            columns.append(f"<table><caption>{_html(title)}</caption>{rows}</table>")
    if run.extra:
        rows = "".join(f"<tr><td>{_html(one_line(name))}</td><td>{value:g}</td><td></td></tr>"
                       for name, value in list(run.extra.items())[:_ROWS])  # fmt: skip
        columns.append(f"<table><caption>Other</caption>{rows}</table>")
    return _section("Figures", f'<div class="figures">{"".join(columns)}</div>') if columns else ""


def _cell(text: str) -> str:
    return f"<td>{_html(text)}</td>"


def _table(style: str, head: Sequence[str], align: str, rows: Sequence[Sequence[str]]) -> str:
    """Return a table; `align` has one letter for each column behind the first, which stands on the left."""
    styles = "".join(f" c{at}" for at, side in enumerate(align, 2) if side == "r")
    top = "".join(f"<th>{_html(title)}</th>" for title in head)
    inner = "\n".join(f"<tr>{''.join(row)}</tr>" for row in rows[:_ROWS])
    more = f'<p class="faint">and {len(rows) - _ROWS:,} more</p>' if len(rows) > _ROWS else ""
    table = f'<table class="rows {style}{styles}"><thead><tr>{top}</tr></thead>\n<tbody>\n{inner}\n</tbody></table>'
    return f'<div class="wide-table">{table}</div>{more}'
