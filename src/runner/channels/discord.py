"""Discord, by a webhook: one embed, and nobody mentioned."""

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

# What Discord takes at most, in characters; all of an embed together 6,000.
_TITLE, _DESCRIPTION, _ABOUT, _NAME, _VALUE, _FIELDS, _FOOTER = 256, 3000, 800, 60, 160, 10, 300
_COLORS = {CRITICAL: 0xD13438, WARNING: 0xF2A900}
_BLUE, _GREEN = 0x2F80ED, 0x2E9E5B


class Discord(Webhook):
    """Posts to a webhook of a Discord channel."""

    SETTINGS: Mapping[str, Any] = {
        "type": "object",
        "properties": {
            "url": {"type": "string", "writeOnly": True},
            "username": {"type": "string"},
            "allow_metadata": {"type": "boolean"},
        },
        "required": ["url"],
    }

    def body(self, notification: Notification) -> bytes:
        """Return what is posted."""
        color = _GREEN if notification.kind == RECOVER else _COLORS.get(notification.severity, _BLUE)
        kept = tail(notification.output, 1000).replace("```", "'''")
        about = fitting(notification.lines, _ABOUT)
        told = fitting(alert_lines(notification), _DESCRIPTION - len(about) - len(kept) - 12)
        shown = "\n".join(filter(None, (told, about, f"```\n{kept}\n```" if kept else "")))
        embed = {
            "title": clip(notification.title, _TITLE),
            "description": shown,
            "color": color,
            "fields": [
                {"name": clip(label, _NAME), "value": clip(value, _VALUE) or "-", "inline": True}
                for label, value in notification.figures[:_FIELDS]
            ],
            "footer": {"text": clip(footer(notification), _FOOTER)},
        }
        data: dict[str, Any] = {"embeds": [embed], "allowed_mentions": {"parse": []}}
        if isinstance(self.settings.get("username"), str):
            data["username"] = clip(self.settings["username"], 80)
        return json.dumps(data, ensure_ascii=True).encode("ascii")
