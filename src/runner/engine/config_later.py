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
    "monitoring.enable_profiling": {"type": "boolean"},
}
