"""How a plug-in is found: by name, imported on first use."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


class Registry:
    """Names of plug-ins and where each lives, as ``"package.module:attribute"``.

    Args:
        kind: What a plug-in of this registry is called in messages ("store", "executor").
        builtin: Those that ship with the runner.
        entry_points: Group of entry points in which other distributions add their own.
    """

    def __init__(self, kind: str, builtin: dict[str, str], entry_points: str) -> None:
        self.kind = kind
        self._places = builtin
        self._group = entry_points
        self._loaded: dict[str, Any] = {}

    @property
    def builtin(self) -> tuple[str, ...]:
        """Names of those that ship with the runner; to look for others costs 20 ms."""
        return tuple(self._places)

    def load(self, name: str) -> Any:
        """Return the plug-in of that name, importing it if this is its first use.

        Raises:
            UsageError: There is none of that name.
        """
        if name not in self._loaded:
            place = self._places.get(name)
            self._loaded[name] = _resolve(place) if place else self._load_foreign(name)
        return self._loaded[name]

    def _load_foreign(self, name: str) -> Any:
        from importlib.metadata import entry_points

        for entry in entry_points(group=self._group, name=name):
            return entry.load()
        from runner.model.errors import UsageError
        from runner.model.words import did_you_mean

        raise UsageError(f"unknown {self.kind} {name!r}{did_you_mean(name, self)}")

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of all plug-ins, those of other distributions included."""
        from importlib.metadata import entry_points

        yield from self._places
        yield from (entry.name for entry in entry_points(group=self._group) if entry.name not in self._places)


def _resolve(place: str) -> Any:
    module, _, attribute = place.partition(":")
    return getattr(__import__(module, fromlist=[attribute]), attribute)
