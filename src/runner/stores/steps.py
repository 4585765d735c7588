"""Asks the SQLite store in small steps, between which others come to their turn."""

from __future__ import annotations

from contextlib import contextmanager
from time import monotonic, sleep

from runner.stores.database import explain, read_queries
from runner.stores.purge import GAP, HOLD, Pace

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from runner.stores.sqlite import SqliteStore
else:
    try:
        import _sqlite3 as sqlite3
    except ImportError:
        import sqlite3


class TimeIsUp(Exception):
    """A question was not answered in time."""


class Steps:
    """What everything shares that changes a SQLite store besides storing runs.

    Args:
        store: The store; it serves one thread at a time.

    Every method may raise `StoreError`.
    """

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self._connection = store._connection
        self._queries = read_queries("retention")
        self._paces: dict[str, Pace] = {}

    def _ask(self, name: str, values: Sequence[Any] = (), where: str = "") -> list[Any]:
        return self._store._ask(self._queries[name].replace("{where}", where), list(values))

    def _execute(self, name: str, values: Sequence[Any]) -> sqlite3.Cursor:
        return self._connection.execute(self._queries[name], values)

    def _about(self, name: str, doomed: str) -> list[Any]:
        query = self._queries[name].replace("{doomed}", self._queries["doomed"])
        return self._connection.execute(query, [doomed]).fetchall()

    def _pragma(self, name: str) -> Any:
        return self._store._ask(f"PRAGMA {name}")[0][0]

    @contextmanager
    def _until(self, deadline: float | None) -> Iterator[None]:
        """Ask the connection no longer than until a moment (`time.monotonic`), inside the block, which writes nothing.

        Raises:
            TimeIsUp: It came before the answer.
        """
        if deadline is not None:
            self._connection.set_progress_handler(lambda: monotonic() > deadline, 20_000)
        try:
            yield
        except sqlite3.Error as error:
            if "interrupted" in str(error):
                raise TimeIsUp from None
            raise explain(error, self._store.path) from None
        finally:
            self._connection.set_progress_handler(None, 0)

    def _transact(self, work: Callable[[], object]) -> None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            work()
            self._connection.execute("COMMIT")
        except BaseException as error:
            raise self._store._undo(error) from None

    @contextmanager
    def impatient(self) -> Iterator[None]:
        """Wait for other writers no longer than `HOLD` seconds, inside the block."""
        patience = self._pragma("busy_timeout")
        self._connection.execute(f"PRAGMA busy_timeout = {int(HOLD * 1000)}")
        try:
            yield
        finally:
            self._connection.execute(f"PRAGMA busy_timeout = {patience}")

    @contextmanager
    def gentle(self) -> Iterator[None]:
        """Keep transactions short, inside the block: what they wrote is brought to the disk between them.

        After a power failure the last of them may not have happened, which does no harm: what was to go is there again.
        """
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute("PRAGMA wal_autocheckpoint = 0")
        try:
            yield
        finally:
            self._connection.execute("PRAGMA wal_autocheckpoint = 1000")
            self._connection.execute("PRAGMA synchronous = FULL")

    def _checkpoint(self, kind: str) -> None:
        self._connection.execute(f"PRAGMA wal_checkpoint({kind})").fetchall()

    def _let_others_in(self) -> None:
        start = monotonic()
        self._checkpoint("PASSIVE")  # what was written goes to its place, while others may write
        sleep(max(0.001, GAP - (monotonic() - start)))
