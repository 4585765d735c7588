"""The style sheet of the HTML report: light, dark, narrow and printed."""

from __future__ import annotations

_LIGHT = "--ground:#fff;--ink:#1b1f24;--faint:#59636e;--line:#d8dee4;--soft:#f4f6f8;--good:#15803d;--bad:#c62828"
_DARK = "--ground:#15181c;--ink:#e6e8ea;--faint:#a3adb8;--line:#2b3138;--soft:#1d2126;--good:#4ac26b;--bad:#ff7b72"

#: Tables say by a class which columns are numbers; style sheets can't be told otherwise without one for each cell.
_NUMBERS = ",".join(f".rows.c{at} td:nth-child({at}),.rows.c{at} th:nth-child({at})" for at in range(2, 8))

#: On a narrow screen each row of a table is a small grid, so that nothing of it lies beyond the edge.
_NARROW = """
 main{padding:12px}.cards{gap:8px}.cards div{padding:8px}
 .figures{columns:1}.facts div{grid-template-columns:90px 1fr}
 .rows,.rows thead,.rows tbody{display:block}
 .rows tr{display:grid;gap:0 10px;padding:6px 0;border-bottom:1px solid var(--line)}
 .rows td,.rows th{padding:0;border:0}.rows td{font-size:14px;overflow-wrap:anywhere}
 .gates tr{grid-template-columns:74px 1fr}
 .gates td:nth-child(2){color:var(--faint)}.gates td:nth-child(3){grid-column:2}
 .gates thead,.changes :nth-child(7){display:none}
 .changes tr{grid-template-columns:1fr 1fr 1fr 2.2fr;column-gap:8px}
 .changes td:first-child{grid-column:1/4}.changes td,.usual td{font-size:13px;overflow-wrap:break-word}
 .usual tr{grid-template-columns:1fr auto}
 .changes th:nth-child(-n+2),.usual th:nth-child(-n+2){display:none}
 .changes td:nth-child(2),.usual td:nth-child(2){text-align:right}
 .rows.changes.c3 tr :nth-child(3),.rows.usual.c3 tr :nth-child(3){text-align:left}
 .attempts tr{grid-template-columns:1.2em 4em 1fr}
 .attempts td:nth-child(4){grid-column:3}.attempts th:nth-child(4){display:none}
"""

STYLE = f"""
:root{{{_LIGHT}}}
@media screen and (prefers-color-scheme:dark){{:root{{{_DARK}}}}}
*{{box-sizing:border-box}}
body{{margin:0;background:var(--ground);color:var(--ink)}}
body{{font:15px/1.5 system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif}}
main{{max-width:1080px;margin:auto;padding:24px}}
h1{{font-size:22px;margin:0;overflow-wrap:anywhere}}
h1 .faint{{font-size:15px}}
h2{{font-size:16px;margin:0 0 8px}}summary h2{{display:inline-block}}
.faint{{color:var(--faint);font-weight:400}}
header{{border-left:5px solid;padding:6px 0 6px 16px;margin-bottom:20px}}
header p{{margin:4px 0 0;font-size:16px}}header p.faint{{margin-top:8px;font-size:14px}}
header.good,.good .mark{{border-color:var(--good)}}.good .mark{{color:var(--good)}}
header.bad,.bad .mark{{border-color:var(--bad)}}.bad .mark{{color:var(--bad)}}
section{{margin:28px 0}}
pre{{font:13px/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;margin:0;padding:12px;background:var(--soft)}}
pre{{border:1px solid var(--line);border-radius:6px;white-space:pre-wrap;overflow-wrap:anywhere;tab-size:8}}
details pre{{max-height:480px;overflow:auto}}
summary{{cursor:pointer}}
pre.error{{margin-top:10px;color:var(--bad)}}
dl{{margin:0}}dd{{margin:0;overflow-wrap:anywhere}}dt{{color:var(--faint)}}
.cards{{display:flex;flex-wrap:wrap;gap:10px}}
.cards div{{flex:1 1 110px;background:var(--soft);border:1px solid var(--line);border-radius:6px;padding:8px 10px}}
.cards dt{{font-size:13px}}.cards dd{{font-size:18px;font-weight:600;font-variant-numeric:tabular-nums}}
.facts div{{display:grid;grid-template-columns:110px 1fr;padding:2px 0}}
.notice{{margin:12px 0;padding:8px 12px;border:1px solid var(--line);border-radius:6px;overflow-wrap:anywhere}}
.wide-table{{overflow-x:auto}}
table{{border-collapse:collapse;font-variant-numeric:tabular-nums}}
th{{color:var(--faint);font-weight:400;font-size:13px;text-align:left}}
td,th{{padding:5px 18px 5px 0;border-bottom:1px solid var(--line);vertical-align:top}}
.rows td{{overflow-wrap:break-word}}.rows td.bar{{padding-bottom:0}}
{_NUMBERS}{{text-align:right}}
@media (min-width:641px){{{_NUMBERS}{{white-space:nowrap}}}}
.passed,.better{{color:var(--good)}}.failed,.worse{{color:var(--bad);font-weight:600}}
.skipped,.unsure{{color:var(--faint)}}
.rows td[class]{{white-space:nowrap}}
svg.interval{{width:120px;height:16px;display:block;margin-top:3px}}
.interval .zero{{stroke:var(--faint);stroke-dasharray:2 2}}
.interval .range{{fill:currentColor;opacity:.35}}.interval .point{{fill:currentColor}}
.interval.same,.interval.unsure{{color:var(--faint)}}
.figures{{columns:2;column-gap:40px}}
.figures table{{width:100%;break-inside:avoid;margin-bottom:16px}}
.figures caption{{text-align:left;font-weight:600;padding-bottom:2px}}
.figures td{{padding:2px 8px 2px 0;font-size:14px;overflow-wrap:anywhere;vertical-align:baseline}}
.figures td:nth-child(2){{text-align:right;white-space:nowrap}}.figures td:nth-child(3){{width:60px;font-size:12px}}
ul{{margin:8px 0;padding-left:20px}}
.paper{{display:none}}.whole svg{{width:960px;height:var(--height)}}
@media screen and (max-width:900px){{td,th{{padding-right:12px}}.changes :nth-child(7){{display:none}}}}
@media (max-width:640px){{{_NARROW}}}
@media print{{
 main{{padding:0;max-width:none}}body{{font-size:12px}}
 details pre{{max-height:none;overflow:visible;font-size:10px;orphans:3;widows:3}}
 h2,summary{{break-after:avoid}}tr,svg,.cards,.facts div{{break-inside:avoid}}
 .wide,.narrow{{display:none}}.paper{{display:block}}
 .wide-table{{overflow:visible}}#at{{display:none!important}}
}}
"""
