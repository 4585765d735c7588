"""Keys of a configuration file whose meaning is settled but which this version does not act on, as a JSON Schema."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_TEXT = {"type": "string"}
_NUMBER = {"type": "number"}
_TEXTS = {"type": "array", "items": _TEXT}


def _mapping(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


#: Path of the key -> what it holds.
LATER: dict[str, dict[str, Any]] = {
    "alerts": {
        "type": "array",
        "items": _mapping(name=_TEXT, condition=_TEXT, channels=_TEXTS, severity=_TEXT, throttle_seconds=_NUMBER),
    },
    "notifications": _mapping(
        slack=_mapping(webhook_url=_TEXT, username=_TEXT, icon_emoji=_TEXT),
        email={
            "type": "object",
            "properties": {
                "smtp_server": _TEXT,
                "smtp_port": {"type": "integer"},
                "from": _TEXT,
                "to": {"type": ["array", "string"], "items": _TEXT},
                "username": _TEXT,
                "password": _TEXT,
                "use_tls": {"type": "boolean"},
            },
            "additionalProperties": False,
        },
        webhook={"type": "object"},
    ),
    "monitoring.enable_profiling": {"type": "boolean"},
}
