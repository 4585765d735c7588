"""Microsoft Teams, by a webhook of Workflows: an adaptive card."""

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

_COLORS = {CRITICAL: "attention", WARNING: "warning"}
#: Bytes that Teams takes in all.
_MOST = 28_000
#: Characters of each part, and what they shrink by where a message of unusual characters is too large with them.
_TITLE, _TEXT, _OUTPUT, _FACTS = 200, 1500, 1000, 10
#: Alerts that are told, likewise.
_ALERTS = 10
_SHRUNK = (1, 2, 4, 8)


class Teams(Webhook):
    """Posts to a workflow of Teams."""

    SETTINGS: Mapping[str, Any] = {
        "type": "object",
        "properties": {"url": {"type": "string", "writeOnly": True}, "allow_metadata": {"type": "boolean"}},
        "required": ["url"],
    }

    def body(self, notification: Notification) -> bytes:
        """Return what is posted."""
        for part in _SHRUNK:
            data = self._card(notification, part)
            if len(data) <= _MOST:
                break
        return data

    def _card(self, notification: Notification, part: int) -> bytes:
        color = "good" if notification.kind == RECOVER else _COLORS.get(notification.severity, "accent")
        told = alert_lines(notification)
        shown = [clip(line, _TEXT // part) for line in told[: _ALERTS // part]]
        if len(told) > len(shown):
            shown.append(f"… and {len(told) - len(shown)} more")
        parts: list[dict[str, Any]] = [
            _block(clip(notification.title, _TITLE // part), size="large", weight="bolder", color=color),
            *map(_block, shown),
        ]
        about = fitting(notification.lines, _TEXT // part, "\n\n")
        if about:
            parts.append(_block(about))
        facts = [{"title": clip(label, 60), "value": clip(text, 100)} for label, text in notification.figures[:_FACTS]]
        if facts:
            parts.append({"type": "FactSet", "facts": facts})
        kept = tail(notification.output, _OUTPUT // part)
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
