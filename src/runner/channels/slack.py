"""Slack, by an incoming webhook: blocks within the sizes that Slack takes."""

from __future__ import annotations

import json

from runner.channels.base import clip, tail
from runner.channels.text import alert_lines, footer
from runner.channels.webhook import Webhook
from runner.model.notification import CRITICAL, RECOVER, WARNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from runner.model.notification import Notification

# What Slack refuses to take more of, in characters.
_HEADER, _SECTION, _FIELD, _FIELDS, _FALLBACK = 150, 3000, 2000, 10, 3000
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
        data: dict[str, Any] = {"text": clip(escape(notification.title), _FALLBACK), "blocks": blocks(notification)}
        for key in ("username", "icon_emoji"):
            if isinstance(self.settings.get(key), str):
                data[key] = self.settings[key]
        return json.dumps(data, ensure_ascii=True).encode("ascii")


def escape(text: str) -> str:
    """Return a text without what Slack takes for markup of its own: mentions, links, channels."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def blocks(notification: Notification) -> list[dict[str, Any]]:
    """Return the message as blocks."""
    mark = _MARKS.get(RECOVER if notification.kind == RECOVER else notification.severity, ":information_source:")
    parts: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": clip(f"{mark} {notification.title}", _HEADER)}}
    ]
    told = "\n".join(f"• {line}" for line in alert_lines(notification))
    about = "\n".join(notification.lines)
    parts += [_section(clip(escape(text), _SECTION)) for text in (told, about) if text]
    fields = [
        {"type": "mrkdwn", "text": clip(f"*{escape(label)}*\n{escape(text)}", _FIELD)}
        for label, text in notification.figures[:_FIELDS]
    ]
    if fields:
        parts.append({"type": "section", "fields": fields})
    # Three characters become five at most, and the fences take eight.
    kept = escape(tail(notification.output, (_SECTION - 8) // 5)).replace("```", "'''")
    if kept:
        parts.append(_section(f"```\n{kept}\n```"))
    below = {"type": "mrkdwn", "text": clip(escape(footer(notification)), _FIELD)}
    return [*parts, {"type": "context", "elements": [below]}]


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}
