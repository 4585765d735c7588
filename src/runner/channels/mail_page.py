"""The page of a mail, in the HTML that readers of mail understand: tables, styles in place, and a PNG for the curve."""

from __future__ import annotations

from html import escape

from runner.channels.base import tail
from runner.channels.text import alert_lines, footer
from runner.model.notification import CRITICAL, RECOVER, WARNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.model.notification import Notification

_COLORS = {CRITICAL: "#b3261e", WARNING: "#9a6700"}
_BLUE, _GREEN = "#1f5fbf", "#1f7a45"
_FONT = "font-family:-apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif"
_MONO = "font-family:SFMono-Regular,Consolas,Menlo,monospace"

#: Size of the picture in points; it is shown at half of that, sharp on fine screens.
_WIDTH, _HEIGHT = 1120, 200
_LINE, _FILL, _GROUND = (31, 95, 191), (214, 226, 245), (255, 255, 255)


def page(notification: Notification, with_picture: bool) -> str:
    """Return the page."""
    color = _GREEN if notification.kind == RECOVER else _COLORS.get(notification.severity, _BLUE)
    told = "".join(f'<p style="margin:0 0 6px">{escape(line)}</p>' for line in alert_lines(notification))
    about = "".join(f'<p style="margin:0 0 4px;color:#444">{escape(line)}</p>' for line in notification.lines)
    rows = "".join(
        f'<tr><td style="padding:3px 16px 3px 0;color:#666;white-space:nowrap">{escape(label)}</td>'
        f'<td style="padding:3px 0">{escape(text)}</td></tr>'
        for label, text in notification.figures
    )
    table = f'<table cellpadding="0" cellspacing="0" style="margin:12px 0;font-size:14px">{rows}</table>'
    figures = table if rows else ""
    curve = ""
    if with_picture:
        peak = max(value for _, value in notification.curve)
        span = notification.curve[-1][0] - notification.curve[0][0]
        curve = (
            '<p style="margin:12px 0 4px;color:#666;font-size:13px">'
            f"Memory over {span:.3g} s, up to {peak:.4g} MB</p>"
            f'<img src="cid:curve" width="{_WIDTH // 2}" height="{_HEIGHT // 2}" alt="memory over time"'
            ' style="display:block;max-width:100%;border:1px solid #ddd">'
        )
    kept = tail(notification.output, 4000)
    output = (
        '<p style="margin:16px 0 4px;color:#666;font-size:13px">Last lines of output</p>'
        f'<pre style="margin:0;padding:10px;background:#f4f4f4;{_MONO};font-size:12px;white-space:pre-wrap;'
        f'word-break:break-word">{escape(kept)}</pre>'
        if kept
        else ""
    )
    return (
        '<!DOCTYPE html><html><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'</head><body style="margin:0;background:#fff;color:#1a1a1a;{_FONT};font-size:15px">'
        '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="table-layout:fixed">'
        '<tr><td style="padding:16px">'
        '<div style="max-width:640px;overflow-wrap:anywhere">'
        f'<div style="border-left:4px solid {color};padding:2px 0 2px 12px;margin:0 0 12px">'
        f'<div style="font-size:18px;font-weight:600;color:{color}">{escape(notification.title)}</div></div>'
        f"{told}{about}{figures}{curve}{output}"
        f'<p style="margin:16px 0 0;color:#777;font-size:12px">{escape(footer(notification))}</p>'
        "</div></td></tr></table></body></html>\n"
    )


def picture(curve: Sequence[Sequence[float]]) -> bytes:
    """Return a curve as a PNG, filled down to zero; b"" where there is nothing to draw.

    Readers of mail show neither SVG nor scripts, and a picture of two colours needs no library.

    Args:
        curve: (seconds, value), ascending.
    """
    if len(curve) < 2 or curve[-1][0] <= curve[0][0]:
        return b""
    first, last = curve[0][0], curve[-1][0]
    most = max(value for _, value in curve) or 1.0
    heights = []
    at = 0
    for x in range(_WIDTH):
        moment = first + (last - first) * x / (_WIDTH - 1)
        while at < len(curve) - 2 and curve[at + 1][0] < moment:
            at += 1
        (left, low), (right, high) = curve[at], curve[at + 1]
        share = (moment - left) / (right - left) if right > left else 1.0
        heights.append(round((low + (high - low) * max(0.0, min(1.0, share))) / most * (_HEIGHT - 10)))
    # The line is as high in each column as it has to be to join that of the column before.
    before = [heights[0], *heights]
    tops = list(map(max, zip(heights, before, strict=False)))
    feet = [min(pair) - 3 for pair in zip(heights, before, strict=False)]
    columns = list(zip(tops, feet, strict=True))
    rows = []
    for y in range(_HEIGHT):
        level = _HEIGHT - 1 - y
        rows.append(b"\0" + bytes((level <= top) + (foot <= level <= top) for top, foot in columns))
    return _png(b"".join(rows), bytes((*_GROUND, *_FILL, *_LINE)))


def _png(data: bytes, palette: bytes) -> bytes:
    from struct import pack
    from zlib import compress, crc32

    def chunk(kind: bytes, body: bytes) -> bytes:
        return pack(">I", len(body)) + kind + body + pack(">I", crc32(kind + body))

    head = pack(">IIBBBBB", _WIDTH, _HEIGHT, 8, 3, 0, 0, 0)
    parts = (chunk(b"IHDR", head), chunk(b"PLTE", palette), chunk(b"IDAT", compress(data)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)
