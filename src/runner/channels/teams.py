"""Microsoft Teams, by a webhook of Workflows: an adaptive card."""

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

_COLORS = {CRITICAL: "attention", WARNING: "warning"}
#: Characters of each part: Teams takes 28 KB in all, of which a character may be six bytes.
_TITLE, _TEXT, _OUTPUT, _FACTS = 200, 1500, 1000, 10


class Teams(Webhook):
    """Posts to a workflow of Teams."""

    SETTINGS: Mapping[str, Any] = {
        "type": "object",
        "properties": {"url": {"type": "string"}, "allow_metadata": {"type": "boolean"}},
        "required": ["url"],
    }

    def body(self, notification: Notification) -> bytes:
        """Return what is posted."""
        color = "good" if notification.kind == RECOVER else _COLORS.get(notification.severity, "accent")
        parts: list[dict[str, Any]] = [
            _block(clip(notification.title, _TITLE), size="large", weight="bolder", color=color),
            *(_block(clip(line, _TEXT)) for line in alert_lines(notification)[:10]),
        ]
        about = clip("\n\n".join(notification.lines), _TEXT)
        if about:
            parts.append(_block(about))
        facts = [{"title": clip(label, 60), "value": clip(text, 100)} for label, text in notification.figures[:_FACTS]]
        if facts:
            parts.append({"type": "FactSet", "facts": facts})
        kept = tail(notification.output, _OUTPUT)
        if kept:
            parts.append({**_block(kept.replace("\n", "\n\n")), "fontType": "monospace"})
        parts.append({**_block(footer(notification)), "isSubtle": True, "size": "small"})
        card = {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.4",
            "body": parts,
        }
        attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
        return json.dumps({"type": "message", "attachments": [attachment]}, ensure_ascii=True).encode("ascii")


def _block(text: str, **looks: str) -> dict[str, Any]:
    return {"type": "TextBlock", "text": _escape(text), "wrap": True, **looks}


def _escape(text: str) -> str:
    """Return a text without what Teams takes for Markdown."""
    return "".join("\\" + char if char in "\\*_[]`#~" else char for char in text)
