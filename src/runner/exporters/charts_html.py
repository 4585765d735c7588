"""Draws a chart as a page that needs nothing else: the SVG, what the pointer is at, and the figures as a table."""

from __future__ import annotations

from runner.agent.events import dumps
from runner.exporters.charts_svg import Layout, escape, style_sheet, svg
from runner.model.chart import SECONDS, TIME
from runner.model.drawing import reach, strokes
from runner.model.run import iso
from runner.model.units import format_count, format_seconds, format_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runner.model.chart import Chart

#: Widths that the chart is drawn in: for a window as wide as this at least, and for a narrow one.
_WIDTHS = (("wide", 960), ("narrow", 400))

_PAGE_STYLE = """
body{margin:0;padding:16px;background:#fff;color:#1b1f24}
body{font:14px system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif}
main{max-width:1200px;margin:auto}
@media (max-width:640px){body{padding:4px}}
table{border-collapse:collapse;margin:16px;font-variant-numeric:tabular-nums}
td,th{padding:3px 14px 3px 0;text-align:right;font-weight:400}
td:first-child,th:first-child{text-align:left}
th{opacity:.7}
@media (prefers-color-scheme:dark){body{background:#15181c;color:#e6e8ea}}
"""

#: Style of a chart in a page.
DRAWING_STYLE = """
svg{width:100%;height:auto;display:block;touch-action:pan-y}
.narrow{display:none}
@media (max-width:640px){.wide{display:none}.narrow{display:block}}
#at{position:fixed;display:none;pointer-events:none;padding:6px 10px;border-radius:6px;box-shadow:0 2px 8px #0004}
#at{background:#1b1f24;color:#fff;font-size:12px;line-height:1.5;white-space:nowrap}
@media (prefers-color-scheme:dark){#at{background:#e6e8ea;color:#15181c}}
"""

_SCRIPT = """
const data=JSON.parse(document.getElementById('data').textContent),at=document.getElementById('at');
for(const box of document.querySelectorAll('[data-drawing]')){
 const d=data[box.dataset.drawing],svg=box.querySelector('svg'),ns=svg.namespaceURI;
 const cross=document.createElementNS(ns,'path');cross.setAttribute('class','rc-cross');svg.append(cross);
 const hide=()=>{at.style.display='none';cross.removeAttribute('d')};
 svg.addEventListener('pointerleave',hide);
 svg.addEventListener('pointermove',e=>{
  const r=svg.getBoundingClientRect(),scale=d.width/r.width,x=(e.clientX-r.left)*scale;
  if(x<d.left-8||x>d.right+8)return hide();
  let best=null;const rows=[];
  for(const s of d.series){
   if(!s.x.length)continue;
   let lo=0,hi=s.x.length-1;
   while(lo<hi){const m=(lo+hi)>>1;if(s.x[m]<x)lo=m+1;else hi=m}
   if(lo>0&&x-s.x[lo-1]<s.x[lo]-x)lo--;
   rows.push([s,lo]);
   if(!best||Math.abs(s.x[lo]-x)<Math.abs(best[0].x[best[1]]-x))best=[s,lo];
  }
  if(!best)return hide();
  const px=best[0].x[best[1]];
  at.textContent='';
  const line=t=>{const div=document.createElement('div');div.textContent=t;at.append(div);return div};
  line(best[0].at[best[1]]).style.fontWeight='600';
  for(const [s,i] of rows)if(Math.abs(s.x[i]-px)<12)line(s.name+': '+s.y[i]);
  at.style.display='block';
  cross.setAttribute('d','M'+px+' '+d.top+'V'+d.bottom);
  const w=at.offsetWidth,h=at.offsetHeight,cx=r.left+px/scale;
  at.style.left=Math.max(4,cx+14+w>innerWidth?cx-14-w:cx+14)+'px';
  at.style.top=Math.max(4,Math.min(e.clientY+14,innerHeight-h-8))+'px';
 });
}
"""

# Nothing is loaded from anywhere, whatever the texts of a chart hold.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def page(chart: Chart) -> str:
    """Return a chart as an HTML page."""
    title = chart.title or "Chart"
    return document(
        title, _PAGE_STYLE + DRAWING_STYLE, f"<main>\n{drawing(chart)}{_table(chart)}</main>\n{pointer(chart)}"
    )


def document(title: str, style: str, body: str) -> str:
    """Return a page that needs nothing but itself, light or dark as its reader prefers.

    Args:
        title: What the window shows.
        style: Its style sheet, next to that of charts.
        body: What is in it, as HTML.
    """
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="color-scheme" content="light dark">\n<title>{escape(title)}</title>\n'
        f"<style>{style}{style_sheet()}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )


def drawing(chart: Chart) -> str:
    """Return a chart as HTML, drawn for a wide and for a narrow window."""
    return "\n".join(
        f'<div class="{name}" data-drawing="{name}">{svg(chart, width, False, name)}</div>' for name, width in _WIDTHS
    )


def pointer(chart: Chart) -> str:
    """Return what shows the values that the pointer is at; it stands at the end of the page."""
    data = dumps({name: _readings(chart, width) for name, width in _WIDTHS}).replace("<", "\\u003c")
    return (
        f'<div id="at" role="status"></div>\n<script type="application/json" id="data">{data}</script>\n'
        f"<script>{_SCRIPT}</script>\n"
    )


def _readings(chart: Chart, width: int) -> dict[str, Any]:
    """Return what the pointer can be at: for each series its places in pixels, and what is said there."""
    layout = Layout(chart, width)
    series = []
    for panel in chart.panels:
        for each in panel.series:
            points = [point for line in strokes(each.xs, each.ys, layout.places, layout.columns // 3) for point in line]
            name = panel.title if len(panel.series) == 1 else f"{panel.title}, {each.name}"
            series.append({
                "name": name,
                "x": [round(layout.x(x), 1) for x, _ in points],
                "at": [_place(x, chart.x) for x, _ in points],
                "y": [format_value(y, panel.unit) for _, y in points],
            })  # fmt: skip
    top, bottom = (layout.tops[0], layout.foot - 18) if layout.tops else (0, 0)
    return {"width": width, "left": layout.left, "right": layout.right, "top": top, "bottom": bottom, "series": series}


def _place(x: float, kind: str) -> str:
    if kind == TIME:
        return iso(int(x))[:19].replace("T", " ")
    return format_seconds(x) if kind == SECONDS else format_count(x)


def _table(chart: Chart) -> str:
    rows = []
    for panel in chart.panels:
        for series in panel.series:
            found = reach(series, chart.x)
            told = [format_value(value, panel.unit) for value in found] if found else ["no values", "", ""]
            name = panel.title if len(panel.series) == 1 else f"{panel.title}, {series.name}"
            rows.append(f"<tr><td>{escape(name)}</td>" + "".join(f"<td>{escape(cell)}</td>" for cell in told) + "</tr>")
    return (
        "\n<table>\n<tr><th></th><th>lowest</th><th>mean</th><th>highest</th></tr>\n" + "\n".join(rows) + "\n</table>\n"
    )
