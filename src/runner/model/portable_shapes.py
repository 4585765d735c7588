"""What values of a portable record may be beyond their kind: which JSON, and which texts."""

from __future__ import annotations

from runner.model.metric import is_figure
from runner.model.portable_parts import is_unicode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _text_by_name(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())


def _objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _of_a_host(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("hostname"), (str, type(None)))


def _numbers(value: Any) -> bool:
    return isinstance(value, dict) and all(is_figure(item) and is_unicode(name) for name, item in value.items())


#: What a column may hold beyond its kind. Names of files and users may be any bytes; these texts never are.
SHAPES: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("reason", "python_version", "runner_version", "script_hash", "git_commit", "packages_hash"),
                    is_unicode),
    "script_args": _texts, "line": _texts, "tags": _text_by_name, "kinds": _text_by_name, "packages": _text_by_name,
    "variables": _text_by_name, "extra": _numbers, "host": _of_a_host,
    "earlier_attempts": _objects, "samples": _objects, "output": _objects, "alerts": _objects,
}  # fmt: skip
