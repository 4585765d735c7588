"""Reads a configuration file and says everything that is wrong with it at once, each with file and line."""

from __future__ import annotations

import os

from runner import __version__
from runner.engine.config import Config
from runner.engine.config_later import LATER
from runner.engine.config_shape import Shaper, substitute
from runner.engine.config_tree import Node, Unreadable, parse_json, parse_yaml
from runner.engine.location import absolute
from runner.model.errors import ConfigError, UsageError
from runner.model.words import did_you_mean
from runner.options import Unset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from runner.engine.config import Known
    from runner.options import Opt

MAX_BYTES = 1 << 20


def read(path: str, environ: Mapping[str, str], known: Known) -> Config:
    """Read and check a configuration file, YAML or (by its name) JSON.

    Args:
        path: The file.
        environ: Values for ``${NAME}``.
        known: Key path -> what returns its declaration; called for the keys that the file has.

    Raises:
        ConfigError: The file can't be read, or something is wrong with it.
    """
    return _Checker(path, environ, known).check()


def read_section(path: str, environ: Mapping[str, str], shape: Mapping[str, Any], name: str) -> Any:
    """Read a file that holds one section alone, such as the settings of mail.

    Args:
        path: The file, YAML or (by its name) JSON.
        environ: Values for ``${NAME}``.
        shape: What it may hold (see `Opt.shape`).
        name: What messages call the section.

    Raises:
        ConfigError: The file can't be read, or something is wrong with it.
    """
    return _Checker(path, environ, {}).read_as(shape, name)


class _Checker:
    def __init__(self, path: str, environ: Mapping[str, str], known: Known) -> None:
        self.path = path
        self.shown = os.path.relpath(path) if absolute(path).startswith(absolute() + os.sep) else path
        self.environ = environ
        self.known = known
        self.config = Config(path)
        self.problems: list[tuple[int, str]] = []
        self.later: list[str] = []

    def read_as(self, shape: Mapping[str, Any], name: str) -> Any:
        root = self._parse(self._text())
        value = Shaper(self.shown, self.environ, self._problem).shape(root, shape, name)
        self._refuse()
        return value

    def _refuse(self) -> None:
        if self.problems:
            raise ConfigError([f"{self.shown}:{line}: {message}" for line, message in sorted(self.problems)])

    def check(self) -> Config:
        root = self._parse(self._text())
        if root.kind == "mapping":
            self._section(root, "")
        elif root.kind not in ("null", "invalid"):
            what = "a list" if root.kind == "list" else "one value"
            self._problem(root.line, f"sections such as 'retry:' are needed, not {what}")
        self._refuse()
        if self.later:
            listed = ", ".join(dict.fromkeys(self.later))
            self.config.warnings.append(f"{self.shown}: this version ({__version__}) does not act on {listed}")
        return self.config

    def _problem(self, line: int, message: str) -> None:
        self.problems.append((line, message))

    def _text(self) -> str:
        try:
            with open(self.path, "rb") as file:
                data = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise ConfigError([f"configuration file {self.shown}: {error.strerror}"]) from None
        if len(data) > MAX_BYTES:
            raise ConfigError([f"{self.shown}: larger than {MAX_BYTES >> 20} MB, that is no configuration file"])
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise ConfigError([f"{self.shown}:{line}: not UTF-8 (byte 0x{data[error.start]:02x})"]) from None

    def _parse(self, text: str) -> Node:
        try:
            root, problems = parse_json(text) if self.path.lower().endswith(".json") else parse_yaml(text)
        except Unreadable as error:
            raise ConfigError([f"{self.shown}:{error.line}: {error}"]) from None
        except ImportError:
            raise ConfigError(
                [f"{self.shown}: reading YAML needs PyYAML (pip install PyYAML); a .json file needs nothing"]
            ) from None
        self.problems += problems
        return root

    def _section(self, node: Node, prefix: str) -> None:
        """Check the keys of a mapping; `prefix` is its own path with a dot behind, or empty."""
        for entry in node.entries:
            path = prefix + entry.key
            if path in self.known:
                self._value(entry.node, path, entry.line, self.known[path]())
            elif path in LATER:
                self.later.append(path)
                self._later(entry.node, LATER[path], path)
            elif self._begins(path):
                if entry.node.kind == "mapping":
                    self._section(entry.node, path + ".")
                elif entry.node.kind not in ("null", "invalid"):
                    self._problem(entry.line, f"{path} is a section, keys belong below it")
            elif not path.startswith("x-"):  # a place of the user's own, to anchor what is used elsewhere
                self._problem(entry.line, f"unknown key {path!r}{self._guess(path, prefix)}")

    def _begins(self, path: str) -> bool:
        return any(key.startswith(path + ".") for key in (*self.known, *LATER))

    def _guess(self, path: str, prefix: str) -> str:
        keys = [*self.known, *LATER]
        siblings = {key[len(prefix) :].partition(".")[0] for key in keys if key.startswith(prefix)}
        word = path[len(prefix) :]
        guess = did_you_mean(word, siblings)
        if guess:
            return guess
        elsewhere = {key.rpartition(".")[2]: key for key in keys}
        return f", did you mean {elsewhere[word]!r}?" if word in elsewhere else did_you_mean(path, keys)

    def _value(self, node: Node, path: str, line: int, option: Opt) -> None:
        """Take the value of a key, checked as its declaration says."""
        if node.kind == "invalid":
            return
        if node.kind == "null":
            self._problem(line, f"{path} has no value")
            return
        if option.shape is not None:
            shaped = Shaper(self.shown, self.environ, self._problem).shape(node, option.shape, path)
            self.config.values[path] = (shaped, f"{self.shown}:{node.line}")
            return
        if node.kind == "mapping":
            self._problem(line, f"{path} is a value, not a section")
            return
        where = f"{self.shown}:{node.line}"
        if node.kind == "list":
            if not option.repeat:
                self._problem(line, f"{path}: one value is needed, not a list")
                return
            value: object = [self._scalar(item, path, option) for item in node.items]
        else:
            value = self._scalar(node, path, option)
        self.config.values[path] = (value, where)

    def _scalar(self, node: Node, path: str, option: Opt) -> object:
        if node.kind != "scalar":
            if node.kind != "invalid":
                self._problem(node.line, f"{path}: a single value is needed")
            return ""
        value = node.value
        if isinstance(value, str):
            value = substitute(value, self.environ)
        if isinstance(value, Unset):
            return value
        if isinstance(value, str):
            if option.metavar in ("FILE", "DIR"):
                value = self._beside(value)
            if option.type in ("int", "float") and len(value) > 1 and value[0] == "0" and value.isdigit():
                self._problem(node.line, f"{path}: {value} could be octal; write it without the leading zero")
                return value
        try:
            option.convert(value, path)
        except UsageError as error:
            self._problem(node.line, str(error))
        return value

    def _beside(self, value: str) -> str:
        """Return the path meant by a text of the file: relative ones begin where the file is."""
        value = os.path.expanduser(value)
        if not value or value == "-" or "://" in value or os.path.isabs(value):
            return value
        return os.path.join(os.path.dirname(self.path), value)

    def _later(self, node: Node, schema: Mapping[str, Any], path: str) -> None:
        """Check the keys below one that has no effect yet, so that a typing error shows now and not then."""
        properties = schema.get("properties")
        if node.kind == "mapping" and properties is not None:
            for entry in node.entries:
                if entry.key in properties:
                    self._later(entry.node, properties[entry.key], f"{path}.{entry.key}")
                else:
                    guess = did_you_mean(entry.key, properties)
                    self._problem(entry.line, f"unknown key '{path}.{entry.key}'{guess}")
        elif node.kind == "list" and "items" in schema:
            for item in node.items:
                self._later(item, schema["items"], path)
        elif node.kind == "scalar" and schema["type"] in ("array", "object"):
            self._problem(node.line, f"{path}: {'a list' if schema['type'] == 'array' else 'a section'} is needed")
