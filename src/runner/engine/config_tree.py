"""The tree a configuration file is parsed to, every value with its line, and the parsers that build it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

#: Nodes that a file may unfold to; aliases that repeat each other would otherwise fill the memory.
MAX_NODES = 20_000
MAX_DEPTH = 50

_STANDARD = "tag:yaml.org,2002:"
_TAGS = ("map", "seq", "str", "int", "float", "bool", "null", "timestamp", "merge", "value")


class Entry:
    """One ``key: value`` of a mapping."""

    __slots__ = ("key", "line", "node")

    def __init__(self, key: str, line: int, node: Node) -> None:
        self.key = key
        self.line = line
        self.node = node


class Node:
    """One value of a file.

    Attributes:
        line: Where it begins, from 1 on.
        kind: ``mapping``, ``list``, ``scalar``, ``null``, or ``invalid`` where a problem has been told already.
        entries: Of a mapping.
        items: Of a list.
        value: Of a scalar: the text as it was written (YAML), or the value (JSON).
    """

    __slots__ = ("entries", "items", "kind", "line", "value")

    def __init__(self, line: int, kind: str, value: object = None) -> None:
        self.line = line
        self.kind = kind
        self.value = value
        self.entries: list[Entry] = []
        self.items: list[Node] = []


class Unreadable(Exception):
    """The text is no YAML or JSON; `line` says where that shows."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


def parse_yaml(text: str) -> tuple[Node, list[tuple[int, str]]]:
    """Parse YAML; scalars stay as they were written, so that what they mean is decided by the key they belong to.

    Returns:
        The tree, and (line, message) of what is wrong although it is YAML.

    Raises:
        Unreadable: It is no YAML.
        ImportError: PyYAML is not installed.
    """
    import yaml

    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = error.problem or error.context or "not YAML"
        if "'\\t'" in message:
            message = "a tab can't indent in YAML; use spaces"
        elif "another document" in message:
            message = "a second document begins here, but only one is read"
        raise Unreadable(mark.line + 1 if mark else 1, message) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise Unreadable(line, f"the character #x{int(error.character):02x} is not allowed") from None
    except RecursionError:
        raise Unreadable(1, "nested too deeply") from None
    if root is None:
        return Node(1, "null"), []
    builder = _YamlBuilder()
    return builder.build(root, 0), builder.problems


class _YamlBuilder:
    def __init__(self) -> None:
        self.problems: list[tuple[int, str]] = []
        self.count = 0

    def build(self, source: Any, depth: int) -> Node:
        line = source.start_mark.line + 1
        self.count += 1
        if self.count > MAX_NODES or depth > MAX_DEPTH:
            raise Unreadable(line, "it unfolds to too much (do aliases repeat each other?)")
        kind = source.tag.removeprefix(_STANDARD)
        if kind not in _TAGS:
            self.problems.append((line, f"the tag {source.tag.replace(_STANDARD, '!!')} is not allowed"))
            return Node(line, "invalid")
        if source.id == "mapping":
            return self._mapping(source, line, depth)
        if source.id == "sequence":
            node = Node(line, "list")
            node.items = [self.build(item, depth + 1) for item in source.value]
            return node
        return Node(line, "null") if kind == "null" else Node(line, "scalar", source.value)

    def _mapping(self, source: Any, line: int, depth: int) -> Node:
        node = Node(line, "mapping")
        merged: list[Entry] = []
        first: dict[str, int] = {}
        for key, value in source.value:
            at = key.start_mark.line + 1
            if key.tag == _STANDARD + "merge":
                merged += self._merge(value, at, depth)
            elif key.id != "scalar":
                self.problems.append((at, "a key must be a plain word"))
            elif key.value in first:
                self.problems.append((at, f"{key.value!r} is there twice (first in line {first[key.value]})"))
            else:
                first[key.value] = at
                node.entries.append(Entry(key.value, at, self.build(value, depth + 1)))
        for entry in merged:
            if entry.key not in first:
                first[entry.key] = entry.line
                node.entries.append(entry)
        return node

    def _merge(self, value: Any, line: int, depth: int) -> list[Entry]:
        """Return what ``<<`` brings in; of several mappings the earlier one wins."""
        sources = value.value if value.id == "sequence" else [value]
        result: list[Entry] = []
        for source in sources:
            if source.id != "mapping":
                self.problems.append((line, "<< needs a mapping"))
            else:
                result += self.build(source, depth + 1).entries
        return result


def parse_json(text: str) -> tuple[Node, list[tuple[int, str]]]:
    """Parse JSON, keeping the line of every value, as `parse_yaml` does.

    Raises:
        Unreadable: It is no JSON.
    """
    from json import JSONDecodeError

    builder = _JsonBuilder(text)
    try:
        node, end = builder.build(builder.skip(0), 0)
        end = builder.skip(end)
        if end < len(text):
            raise JSONDecodeError("something follows the end", text, end)
    except JSONDecodeError as error:
        raise Unreadable(error.lineno, f"not JSON: {error.msg[:1].lower()}{error.msg[1:]}") from None
    except (StopIteration, RecursionError) as error:
        at = error.value if isinstance(error, StopIteration) else 0
        raise Unreadable(text.count("\n", 0, at) + 1, "not JSON: a value is missing") from None
    return node, builder.problems


class _JsonBuilder:
    def __init__(self, text: str) -> None:
        from json import JSONDecoder
        from json.decoder import scanstring  # type: ignore[attr-defined]

        self.text = text
        self.string: Callable[[str, int, bool], tuple[str, int]] = scanstring
        self.scan: Callable[[str, int], tuple[Any, int]] = JSONDecoder().scan_once  # type: ignore[attr-defined]
        self.problems: list[tuple[int, str]] = []

    def skip(self, at: int) -> int:
        while self.text[at : at + 1] in (" ", "\t", "\n", "\r"):
            at += 1
        return at

    def line(self, at: int) -> int:
        return self.text.count("\n", 0, at) + 1

    def expect(self, at: int, what: str) -> int:
        from json import JSONDecodeError

        at = self.skip(at)
        if self.text[at : at + 1] != what:
            raise JSONDecodeError(f"{what!r} is missing", self.text, at)
        return self.skip(at + 1)

    def build(self, at: int, depth: int) -> tuple[Node, int]:
        if depth > MAX_DEPTH:
            raise Unreadable(self.line(at), "nested too deeply")
        begin = self.text[at : at + 1]
        if begin == "{":
            return self._mapping(at, depth)
        if begin == "[":
            return self._list(at, depth)
        value, end = self.scan(self.text, at)
        return Node(self.line(at), "null" if value is None else "scalar", value), end

    def _mapping(self, at: int, depth: int) -> tuple[Node, int]:
        node = Node(self.line(at), "mapping")
        first: dict[str, int] = {}
        at = self.skip(at + 1)
        while self.text[at : at + 1] != "}":
            if node.entries or first:
                at = self.expect(at, ",")
            line = self.line(at)
            key, at = self.string(self.text, self.expect(at, '"') if self.text[at : at + 1] != '"' else at + 1, True)
            value, at = self.build(self.expect(at, ":"), depth + 1)
            if key in first:
                self.problems.append((line, f"{key!r} is there twice (first in line {first[key]})"))
            else:
                first[key] = line
                node.entries.append(Entry(key, line, value))
            at = self.skip(at)
        return node, at + 1

    def _list(self, at: int, depth: int) -> tuple[Node, int]:
        node = Node(self.line(at), "list")
        at = self.skip(at + 1)
        while self.text[at : at + 1] != "]":
            if node.items:
                at = self.expect(at, ",")
            item, at = self.build(at, depth + 1)
            node.items.append(item)
            at = self.skip(at)
        return node, at + 1
