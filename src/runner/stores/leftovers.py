"""Deletes what no run needs any more from a SQLite store, and gives the space back to the disk."""

from __future__ import annotations

from time import monotonic

from runner.agent.events import dumps
from runner.stores.database import explain
from runner.stores.purge import Pace
from runner.stores.steps import Steps, TimeIsUp

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from typing import Any
else:
    try:
        import _sqlite3 as sqlite3
    except ImportError:
        import sqlite3

_SOME = 2000  # rows that are deleted at once
#: Tables that runs share, and the column of a run that says which row is its.
_SHARED = (
    ("hosts", "host"), ("environments", "environment"), ("versions", "version"), ("arguments", "arguments"),
    ("lines", "line"),
)  # fmt: skip


class Leftovers(Steps):
    """What deleting runs leaves behind in one SQLite store."""

    def drop_unused(self, deadline: float | None = None) -> bool:
        """Delete the scripts, hosts, arguments and the like that no run has any more; return whether time sufficed."""
        newest = self._ask("newest_key")
        try:
            with self._until(deadline):
                candidates = {place: self._unused(*place) for place in _SHARED}
        except TimeIsUp:
            return False
        for place, keys in candidates.items():
            for at in range(0, len(keys), _SOME):
                if deadline is not None and monotonic() > deadline:
                    return False
                some = keys[at : at + _SOME]
                self._transact(lambda: self._drop(place, some, newest))  # noqa: B023 (called at once)
                self._let_others_in()
        self._transact(self._drop_orphans)
        return True

    def _unused(self, table: str, column: str) -> list[int]:
        query = self._queries["unused"].replace("{table}", table).replace("{column}", column)
        return [row[0] for row in self._connection.execute(query)]

    def _drop(self, place: tuple[str, str], keys: list[int], newest: list[Any]) -> None:
        # They were looked for while others could write. A run stored since then has a higher key than the newest had,
        # provided that one is still there.
        if self._ask("newest_key_of", newest[0] if newest else (0, 0)) == [] and newest:
            return
        table, column = place
        query = self._queries["drop_unused"].replace("{table}", table).replace("{column}", column)
        self._connection.execute(query, [dumps(keys), newest[0][0] if newest else -1])

    def _drop_orphans(self) -> None:
        for name in ("drop_unused_scripts", "drop_unused_packages", "drop_unused_variables"):
            self._execute(name, [])

    def has_free_pages(self) -> bool:
        """Whether the file has space that could be given back."""
        return bool(self._pragma("freelist_count"))

    def give_back(self, deadline: float | None = None) -> int:
        """Give free pages back to the disk, a few at a time, and empty the log; return by how many bytes it shrank."""
        before, size = self._pragma("page_count"), self._pragma("page_size")
        pace = self._paces.setdefault("space", Pace(100))
        try:
            while self._pragma("freelist_count"):
                start = monotonic()
                # Each step frees one page, and only a script is stepped to its end: its rows have no columns.
                self._connection.executescript(f"PRAGMA incremental_vacuum({pace.size})")
                pace.took(monotonic() - start)
                if deadline is not None and monotonic() > deadline:
                    break
                if self._pragma("freelist_count"):
                    self._let_others_in()
            if deadline is None:
                self._empty_log()
        except sqlite3.Error as error:
            raise explain(error, self._store.path) from None
        return int((before - self._pragma("page_count")) * size)

    def _empty_log(self) -> None:
        self._checkpoint("PASSIVE")
        with self.impatient():  # nobody may write while this waits for readers
            self._checkpoint("TRUNCATE")
