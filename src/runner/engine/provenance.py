"""Says what every option is set to and by what: for ``--dry-run`` and ``runner config show``."""

from __future__ import annotations

from runner.model.redact import redact_address, redact_arguments, redact_value
from runner.options import Filled, Unset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from runner.options import Opt, Options


def rows(features: Iterable[Options]) -> list[dict[str, object]]:
    """Return one row for each option: ``option``, ``value``, ``source``, ``key`` (of the file), ``variable``."""
    return [
        {
            "option": option.label,
            "value": shown(option, getattr(feature, attr)),
            "source": feature.source(attr),
            "key": option.yaml or None,
            "variable": option.env or None,
        }
        for feature in features
        for attr, option in feature.declared.items()
    ]


def shown(option: Opt, value: object) -> object:
    """Return a value as it may be shown: JSON types, secrets redacted."""
    if option.shape is not None:
        return _data("", value, option.shape)
    if isinstance(value, tuple):
        return [shown(option, item) for item in value]
    if isinstance(value, str):
        name, equals, rest = value.partition("=")
        if equals and option.metavar == "KEY=VALUE":
            return f"{name}={redact_value(name, rest)}"
        return redact_value(option.attr, value)
    return value


def _data(name: str, value: object, shape: Mapping[str, Any]) -> object:
    """Return structured data without what its shape, its names and its forms show to be secret.

    Args:
        name: Key of the value.
        value: The value.
        shape: What it is; ``writeOnly`` in it marks what nobody is shown.
    """
    if isinstance(value, Unset):
        return f"${{{value.name}}}"
    if isinstance(value, Filled):
        return value.written  # whatever it is called: who keeps a text in a variable may mean it to be a secret
    if isinstance(value, dict):
        parts = {key: _inner(shape, key) for key in value}
        return {key: _data(key, item, parts[key]) for key, item in value.items()}
    if isinstance(value, list):
        if value and not shape.get("writeOnly") and all(isinstance(item, str) for item in value):
            words = [item.written if isinstance(item, Filled) else item for item in value]
            return redact_arguments(words)  # they may be the words of a command
        return [_data(name, item, {**shape.get("items", {}), **_hidden(shape)}) for item in value]
    if not isinstance(value, str):
        return value
    return redact_address(value) if shape.get("writeOnly") else redact_value(name, value)


def _inner(shape: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    inner = shape.get("properties", {}).get(key) or shape.get("additionalProperties") or {}
    return {**inner, **_hidden(shape)}


def _hidden(shape: Mapping[str, Any]) -> dict[str, bool]:
    return {"writeOnly": True} if shape.get("writeOnly") else {}


def text(value: object) -> str:
    """Return a shown value as one word or several."""
    if value is None or value in ("", []):
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return " ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
