"""Says what every option is set to and by what: for ``--dry-run`` and ``runner config show``."""

from __future__ import annotations

from runner.model.redact import redact_value
from runner.options import Unset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

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
        return _data("", value)
    if isinstance(value, tuple):
        return [shown(option, item) for item in value]
    if isinstance(value, str):
        name, equals, rest = value.partition("=")
        if equals and option.metavar == "KEY=VALUE":
            return f"{name}={redact_value(name, rest)}"
        return redact_value(option.attr, value)
    return value


def _data(name: str, value: object) -> object:
    """Return structured data with what its names and forms show to be secret redacted."""
    if isinstance(value, dict):
        return {key: _data(key, item) for key, item in value.items()}
    if isinstance(value, list):
        return [_data(name, item) for item in value]
    if isinstance(value, Unset):
        return f"${{{value.name}}}"
    return redact_value(name, value) if isinstance(value, str) else value


def text(value: object) -> str:
    """Return a shown value as one word or several."""
    if value is None or value in ("", []):
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return " ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
