"""Slack, by an incoming webhook: blocks within the sizes that Slack takes."""

from __future__ import annotations

import json

from runner.channels.base import clip, tail
from runner.channels.text import alert_lines, fitting, footer
from runner.channels.webhook import Webhook
from runner.model.notification import CRITICAL, RECOVER, WARNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from runner.model.notification import Notification

# What Slack refuses to take more of, in characters.
_HEADER, _SECTION, _FIELD, _FIELDS, _FALLBACK = 150, 3000, 2000, 10, 3000
_LABEL = 200
#: How many characters `escape` makes of one at most.
_GROWTH = 5
_MARKS = {RECOVER: ":large_green_circle:", CRITICAL: ":red_circle:", WARNING: ":large_yellow_circle:"}


class Slack(Webhook):
    """Posts to an incoming webhook of Slack (Mattermost and Rocket.Chat take the same)."""

    SETTINGS: Mapping[str, Any] = {
        "type": "object",
        "properties": {
            "webhook_url": {"type": "string", "writeOnly": True},
            "username": {"type": "string"},
            "icon_emoji": {"type": "string"},
            "allow_metadata": {"type": "boolean"},
        },
        "required": ["webhook_url"],
    }
    KEY = "webhook_url"

    def body(self, notification: Notification) -> bytes:
        """Return what is posted: a fallback text and blocks."""
        data: dict[str, Any] = {"text": _escaped(notification.title, _FALLBACK), "blocks": blocks(notification)}
        for key in ("username", "icon_emoji"):
            if isinstance(self.settings.get(key), str):
                data[key] = self.settings[key]
        return json.dumps(data, ensure_ascii=True).encode("ascii")


def escape(text: str) -> str:
    """Return a text without what Slack takes for markup of its own: mentions, links, channels."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _escaped(text: str, most: int) -> str:
    """Return an escaped text of at most so many characters; none that stands for another is cut in two."""
    whole = escape(text)
    return whole if len(whole) <= most else escape(clip(text, most // _GROWTH))


def blocks(notification: Notification) -> list[dict[str, Any]]:
    """Return the message as blocks."""
    mark = _MARKS.get(RECOVER if notification.kind == RECOVER else notification.severity, ":information_source:")
    parts: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": clip(f"{mark} {notification.title}", _HEADER)}}
    ]
    told = [f"• {line}" for line in alert_lines(notification)]
    parts += [
        _section(fitting([_escaped(line, _SECTION - 50) for line in lines], _SECTION))
        for lines in (told, notification.lines)
        if lines
    ]
    fields = [
        {"type": "mrkdwn", "text": f"*{_escaped(label, _LABEL)}*\n{_escaped(text, _FIELD - _LABEL - 3)}"}
        for label, text in notification.figures[:_FIELDS]
    ]
    if fields:
        parts.append({"type": "section", "fields": fields})
    # The fences take eight characters.
    kept = escape(tail(notification.output, (_SECTION - 8) // _GROWTH)).replace("```", "'''")
    if kept:
        parts.append(_section(f"```\n{kept}\n```"))
    below = {"type": "mrkdwn", "text": _escaped(footer(notification), _FIELD)}
    return [*parts, {"type": "context", "elements": [below]}]


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}
