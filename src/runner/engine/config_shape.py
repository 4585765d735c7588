"""Turns a part of a configuration file that is no single value into plain data, checked against its declared shape."""

from __future__ import annotations

from runner.model.words import did_you_mean
from runner.options import Filled, Section, Unset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from runner.engine.config_tree import Node

_NAMES = {"object": "a section", "array": "a list", "string": "a text", "number": "a number",
          "integer": "a whole number", "boolean": "true or false"}  # fmt: skip
_TRUE, _FALSE = ("true", "yes", "on"), ("false", "no", "off")


class Shaper:
    """Checks and converts; every problem is told, none ends it.

    Args:
        shown: What messages call the file.
        environ: Values for ``${NAME}``.
        problem: Told each problem, with its line.
    """

    def __init__(self, shown: str, environ: Mapping[str, str], problem: Callable[[int, str], None]) -> None:
        self.shown = shown
        self.environ = environ
        self.problem = problem

    def shape(self, node: Node, schema: Mapping[str, Any], path: str, meant: str = "") -> Any:
        """Return the data of a node: `Section` for objects, list, text, number, truth value, `Unset`, or None.

        Args:
            node: The node.
            schema: Its shape: ``type`` (one or a list of them), ``properties`` and ``required`` of an object (without
                ``properties`` any key is allowed; ``additionalProperties`` is the shape of other keys), ``items`` of an
                array, ``enum`` of a text.
            path: What messages call it.
            meant: What its key resembles, said where something is missing in it.
        """
        kinds = schema.get("type", list(_NAMES))
        kinds = [kinds] if isinstance(kinds, str) else kinds
        if node.kind == "mapping" and "object" in kinds:
            return self._section(node, schema, path, meant)
        if node.kind == "list" and "array" in kinds:
            items = schema.get("items", {})
            return [self.shape(item, items, f"{path}[{place}]") for place, item in enumerate(node.items)]
        if node.kind == "scalar":
            return self._scalar(node, kinds, schema, path)
        if node.kind != "invalid":
            self.problem(node.line, f"{path}: {' or '.join(_NAMES[kind] for kind in kinds)} is needed")
        return None

    def _section(self, node: Node, schema: Mapping[str, Any], path: str, meant: str) -> Section:
        properties = schema.get("properties")
        others = schema.get("additionalProperties")
        values = {}
        for entry in node.entries:
            if properties is not None and entry.key not in properties and not isinstance(others, dict):
                self.problem(entry.line, f"unknown key '{path}.{entry.key}'{did_you_mean(entry.key, properties)}")
            else:
                own = (properties or {}).get(entry.key)
                meant_by = "" if own is not None else did_you_mean(entry.key, properties or ())
                shape = others or {} if own is None else own
                values[entry.key] = self.shape(entry.node, shape, f"{path}.{entry.key}", meant_by)
        for key in schema.get("required", ()):
            if key not in values:
                self.problem(node.line, f"{path} lacks {key!r}{meant}")
        return Section(values, f"{self.shown}:{node.line}")

    def _scalar(self, node: Node, kinds: list[str], schema: Mapping[str, Any], path: str) -> Any:
        value = node.value
        if isinstance(value, str):
            written, value = value, substitute(value, self.environ)
            if isinstance(value, str) and value != written:
                value = Filled(value, written)
        if isinstance(value, Unset):
            return value
        for kind in kinds:
            found, converted = _convert(kind, value)
            if found:
                choices = schema.get("enum")
                if choices is None or converted in choices:
                    return converted
                guess = did_you_mean(str(value), choices)
                self.problem(node.line, f"{path}: {value!r} is not one of {', '.join(map(str, choices))}{guess}")
                return None
        self.problem(node.line, f"{path}: {' or '.join(_NAMES[kind] for kind in kinds)} is needed, not {value!r}")
        return None


def _convert(kind: str, value: Any) -> tuple[bool, Any]:
    """Return whether a value, as it was written or as JSON has it, is of a kind, and what it then is."""
    if kind == "string":
        return isinstance(value, str), value
    if kind == "boolean":
        if isinstance(value, bool):
            return True, value
        word = str(value).lower()
        return word in (*_TRUE, *_FALSE), word in _TRUE
    if kind in ("number", "integer") and not isinstance(value, bool):
        makers: tuple[Callable[[Any], float], ...] = (int, float) if kind == "number" else (int,)
        for make in makers:
            try:
                number = make(value)
            except (TypeError, ValueError, OverflowError):
                continue
            if number == number and abs(number) != float("inf") and (not isinstance(value, float) or number == value):
                return True, number
    return False, None


def substitute(text: str, environ: Mapping[str, str]) -> str | Unset:
    """Return a text with every ``${NAME}`` replaced; ``$${`` stands for ``${``.

    Returns:
        The text, or what tells which variable is not set: an error only where the value is used.
    """
    if "${" not in text:
        return text
    parts = []
    at = 0
    while True:
        begin = text.find("${", at)
        end = text.find("}", begin)
        if begin < 0 or end < 0:
            parts.append(text[at:])
            return "".join(parts)
        if begin > at and text[begin - 1] == "$":
            parts.append(text[at : begin - 1] + "${")
            at = begin + 2
            continue
        name = text[begin + 2 : end]
        if name not in environ:
            return Unset(name)
        parts.append(text[at:begin] + environ[name])
        at = end + 1
