"""Joins command line, environment and configuration file into the options of each feature."""

from __future__ import annotations

from runner.cli.features import known_keys, load
from runner.cli.table import COMMANDS, ENVIRONMENT, FILE
from runner.engine import config

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeVar

    from runner.cli.line import Line
    from runner.engine.config import Config
    from runner.options import Options

    Kind = TypeVar("Kind", bound=Options)


class Settings:
    """The options of every feature that a line, the environment or the configuration file asks for.

    Args:
        line: The line, split.
        environ: The environment.

    Raises:
        UsageError: A value does not fit; nothing has been started.
    """

    def __init__(self, line: Line, environ: Mapping[str, str]) -> None:
        self._line = line
        self._environ = environ
        self._made: dict[str, Options] = {}
        self.config = self._load()
        asked = {*line.given, *(owner for name, (owner, _) in ENVIRONMENT.items() if environ.get(name))}
        asked.update(owner for key, (owner, _) in FILE.items() if key in self.config.values)
        for owner in sorted(asked):
            if line.kind != "command" or owner in COMMANDS[line.command][0]:
                self._make(owner)

    def _load(self) -> Config:
        if self._line.kind == "command" and "config" not in COMMANDS[self._line.command][0]:
            return config.Config()  # what no setting touches works whatever the file says
        return config.load(self._named_config(), self._script(), self._environ, known_keys)

    def _script(self) -> str | None:
        target = self._line.target
        return str(target[1]) if target is not None and target[0] == "script" else None

    def _named_config(self) -> str | None:
        given = self._line.given.get("config", {}).get("config")
        return given[-1] if given else self._environ.get("RUNNER_CONFIG") or None

    def _make(self, owner: str) -> Options:
        given, typed = self._line.given.get(owner, {}), self._line.typed.get(owner)
        self._made[owner] = load(owner).resolve(given, self._environ, self.config.values, typed)
        return self._made[owner]

    def get(self, owner: str, kind: type[Kind]) -> Kind:
        """Return the options of a feature, defaults where nothing was asked for."""
        result = self._made.get(owner) or self._make(owner)
        assert isinstance(result, kind)
        return result

    def asked(self, owner: str) -> Options | None:
        """Return the options of a feature if anything asked for it; a feature nobody asked for is not imported."""
        return self._made.get(owner)
