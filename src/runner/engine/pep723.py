"""Reads what a script says of its own dependencies (PEP 723), and which versions of Python it fits."""

from __future__ import annotations

from runner.model.errors import UsageError

_ANYWAY = "--no-script-deps runs it without"


class Metadata:
    """What a script asks for.

    Attributes:
        dependencies: Requirements, as PEP 508 writes them.
        requires_python: Specifier of the versions of Python it runs on, or "".
        for_uv: What it says to uv alone (``[tool.uv]``: sources, indexes), as text; "" for nothing.
    """

    __slots__ = ("dependencies", "for_uv", "requires_python")

    def __init__(self, dependencies: list[str], requires_python: str = "", for_uv: str = "") -> None:
        self.dependencies = dependencies
        self.requires_python = requires_python
        self.for_uv = for_uv


def find_block(data: bytes, path: str) -> str | None:
    """Return the metadata of a script as it is written there, without the comment signs; None where there is none.

    Args:
        data: What the script begins with.
        path: Its path, for messages.

    Raises:
        UsageError: There are several.
    """
    found = _blocks(data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    if len(found) > 1:
        raise UsageError(f"{path} has {len(found)} blocks of script metadata, and one is allowed; {_ANYWAY}")
    return found[0] if found else None


def _blocks(lines: list[str]) -> list[str]:
    """Return the text of each block for scripts: from its first line to the last that closes it within one comment.

    Blocks for other tools count too: what stands in one of them begins no block.
    """
    blocks = []
    at = 0
    while at < len(lines):
        kind = lines[at].removeprefix("# /// ")
        end = at + 1
        if kind == lines[at] or not kind.isascii() or not kind.replace("-", "a").isalnum():
            at = end
            continue
        closed = 0
        while end < len(lines) and (lines[end] == "#" or lines[end].startswith("# ")):
            if lines[end] == "# ///":
                closed = end
            end += 1
        if closed > at + 1:
            if kind == "script":
                blocks.append("".join(line[2:] + "\n" for line in lines[at + 1 : closed]))
            end = closed + 1
        else:
            end = at + 1
        at = end
    return blocks


def parse(path: str, block: str) -> Metadata:
    """Return what a block of metadata asks for.

    Args:
        path: The script, for messages.
        block: What `find_block` returned.

    Raises:
        UsageError: It is no TOML, or asks for something that makes no sense.
    """
    import tomllib

    try:
        data = tomllib.loads(block)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: its script metadata is no TOML: {error}; {_ANYWAY}") from None
    dependencies = data.get("dependencies", [])
    if not isinstance(dependencies, list) or not all(isinstance(each, str) for each in dependencies):
        raise UsageError(f"{path}: dependencies in its script metadata must be a list of texts; {_ANYWAY}")
    for each in dependencies:
        if not _is_requirement(each):
            raise UsageError(f"{path}: {each!r} in its script metadata is no requirement such as 'numpy>=2'; {_ANYWAY}")
    required = data.get("requires-python", "")
    if not isinstance(required, str):
        raise UsageError(f"{path}: requires-python in its script metadata must be a text; {_ANYWAY}")
    try:
        fits("3.0.0", required)
    except ValueError as error:
        raise UsageError(f"{path}: requires-python in its script metadata: {error}; {_ANYWAY}") from None
    tool = data.get("tool")
    uv = tool.get("uv") if isinstance(tool, dict) else None
    return Metadata([each.strip() for each in dependencies], required, repr(uv) if uv else "")


def _is_requirement(text: str) -> bool:
    # What the installer would take for an option, a file or an address must not reach it.
    import re

    name, extras, rest = r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", r"(\[[^\]]*\])?", r"([<>=!~;@(].*)?"
    return re.fullmatch(rf"{name}\s*{extras}\s*{rest}", text.strip()) is not None


def fits(version: str, specifier: str) -> bool:
    """Whether a version of Python is among those a specifier (PEP 440) names.

    Args:
        version: ``3.11.2``; what follows the numbers does not count.
        specifier: ``>=3.9,<4``; "" for any.

    Raises:
        ValueError: It is no specifier.
    """
    have = _numbers(version)
    return all(_fits(have, clause.strip()) for clause in specifier.split(",") if clause.strip())


def _fits(have: tuple[int, ...], clause: str) -> bool:
    for operator in ("===", "~=", "==", "!=", "<=", ">=", "<", ">"):
        if clause.startswith(operator):
            break
    else:
        raise ValueError(f"{clause!r} is no version specifier")
    text = clause[len(operator) :].strip()
    prefix = text.endswith(".*")
    want = _numbers(text.removesuffix(".*"))
    if not want or (prefix and operator not in ("==", "!=")) or (operator == "~=" and len(want) < 2):
        raise ValueError(f"{clause!r} is no version specifier")
    if prefix:
        return (have[: len(want)] == want) == (operator == "==")
    width = max(len(have), len(want))
    left, right = (numbers + (0,) * (width - len(numbers)) for numbers in (have, want))
    if operator == "~=":
        return left >= right and have[: len(want) - 1] == want[:-1]
    return {
        "==": left == right, "===": left == right, "!=": left != right,
        "<=": left <= right, ">=": left >= right, "<": left < right, ">": left > right,
    }[operator]  # fmt: skip


def _numbers(text: str) -> tuple[int, ...]:
    """Return the numbers that a version begins with."""
    numbers = []
    for part in text.split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits))
        if digits != part:
            break  # a release candidate and the like
    return tuple(numbers)
