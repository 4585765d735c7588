"""The JSON Schema of a configuration file, from the declarations, for editors and other checkers."""

from __future__ import annotations

from runner.engine.config_later import LATER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runner.engine.config import Known
    from runner.options import Opt

#: What stands for a value from the environment.
_VARIABLE = {"type": "string", "pattern": r"\$\{[^}]+\}"}


def schema(known: Known) -> dict[str, Any]:
    """Return the schema.

    Args:
        known: The keys that have effect.
    """
    root: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of Python Script Runner",
        **_section(),
    }
    root["patternProperties"] = {"^x-": {"description": "Your own, to anchor what is used elsewhere"}}
    for path, declared in known.items():
        _place(root, path, _option(declared()))
    for path, fragment in LATER.items():
        _place(root, path, {"description": "Known, but without effect in this version", **fragment})
    return root


def _section() -> dict[str, Any]:
    return {"type": ["object", "null"], "properties": {}, "additionalProperties": False}


def _place(root: dict[str, Any], path: str, fragment: dict[str, Any]) -> None:
    *sections, key = path.split(".")
    for section in sections:
        root = root["properties"].setdefault(section, _section())
    root["properties"][key] = fragment


def _option(option: Opt) -> dict[str, Any]:
    if option.shape is not None:
        return {"description": option.help, **option.shape}
    single = _single(option)
    about: dict[str, Any] = {"description": option.help}
    if option.default is not None and option.default not in ("", ()):
        about["default"] = option.default
    if option.repeat:
        return {**about, "anyOf": [single, {"type": "array", "items": single}]}
    return {**about, "anyOf": [single, _VARIABLE]} if single.get("type") != "string" else {**about, **single}


def _single(option: Opt) -> dict[str, Any]:
    if option.type == "bool":
        return {"type": "boolean"}
    if option.choices:
        return {"enum": list(option.choices)}
    if option.type == "str":
        return {"type": "string"}
    single: dict[str, Any] = {"type": "integer" if option.type == "int" else "number"}
    if option.unit in ("seconds", "bytes"):
        single["type"] = [single["type"], "string"]
    if option.minimum is not None:
        single["minimum"] = option.minimum
    if option.maximum is not None:
        single["maximum"] = option.maximum
    return single
