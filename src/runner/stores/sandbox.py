"""Asks the record in a person's own SQL: on the documented views, reading only, and not for ever."""

from __future__ import annotations

import os
from time import monotonic

from runner.model.errors import RunnerError, UsageError
from runner.stores import rows
from runner.stores.codec import unpack
from runner.stores.database import explain
from runner.stores.views import SAMPLES, SCHEMA, VIEWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from threading import Event
    from typing import Any
else:
    try:
        import _sqlite3 as sqlite3
    except ImportError:
        import sqlite3

# Action codes of SQLite's authorizer, and its answers.
_READ, _SELECT, _FUNCTION, _RECURSIVE = 20, 21, 31, 33
_OK, _DENY = 0, 1
_LIMIT_LENGTH = 0
#: Longest text or blob a question may make, in bytes.
_LONGEST = 64 << 20
#: Instructions of SQLite's machine between two looks at the clock: about a millisecond.
_INSTRUCTIONS = 20_000
_FETCHED = 500
#: Seconds that a question may go on when its time is up, and between two looks whether it does.
_GRACE, _LOOK = 1.0, 0.5
_NEVER = float("inf")
_FORBIDDEN = ("load_extension", "fts3_tokenizer")


class Sandbox:
    """A connection on which a person's SQL can do no harm.

    The record is attached read-only to an empty database in memory; an authorizer lets through what reads the views
    and nothing else, and a question is stopped when its time is up. Time in which nobody fetches rows does not count.

    Args:
        path: The record, up to date.
        timeout: Seconds that a question may take.
        samples: Rows of the view of samples, None for no such view.
        overdue: Called, in a thread, with what to tell a person where a question can't be stopped when its time is up:
            SQLite looks up between instructions only, and one that searches a long text may take hours.

    Raises:
        StoreError: The record can't be read.
    """

    def __init__(
        self, path: str, timeout: float, samples: Sequence[Sequence[Any]] | None = None,
        overdue: Callable[[str], None] | None = None,
    ) -> None:  # fmt: skip
        self._path = path
        self._left = timeout
        self._timeout = timeout
        self._deadline = _NEVER
        self._refused = ""
        self._views = [*VIEWS, *([SAMPLES] if samples is not None else [])]
        self._connection = sqlite3.connect(":memory:", uri=True, isolation_level=None)
        # A person can make texts that are no UTF-8; nothing else would show any of their row.
        self._connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
        try:
            self._attach()
            self._fill(samples)
        except sqlite3.Error as error:
            self._connection.close()
            raise explain(error, path) from None
        self._connection.setlimit(_LIMIT_LENGTH, _LONGEST)
        self._connection.set_authorizer(self._authorize)
        self._connection.set_progress_handler(lambda: monotonic() > self._deadline, _INSTRUCTIONS)
        self._closed = None if overdue is None else self._watch(overdue)

    def _watch(self, overdue: Callable[[str], None]) -> Event:
        from threading import Event, Thread

        closed = Event()

        def look() -> None:
            while not closed.wait(_LOOK):
                if monotonic() > self._deadline + _GRACE:
                    overdue(self._too_long())
                    return

        Thread(target=look, daemon=True).start()
        return closed

    def _attach(self) -> None:
        # A name may hold anything, and need not be UTF-8.
        quoted = "".join(
            chr(byte) if (chr(byte).isalnum() and byte < 128) or chr(byte) in "/._-" else f"%{byte:02x}"
            for byte in os.fsencode(os.path.abspath(self._path))
        )
        try:
            self._attach_as(quoted, "mode=ro")
        except sqlite3.OperationalError:
            # Where even the side files of a reader can't be made, nobody writes either.
            self._attach_as(quoted, "mode=ro&immutable=1")

    def _attach_as(self, quoted: str, mode: str) -> None:
        execute = self._connection.execute
        execute(f"ATTACH 'file:{quoted}?{mode}' AS {SCHEMA}")
        try:
            execute(f"SELECT count(*) FROM {SCHEMA}.sqlite_master").fetchone()
        except sqlite3.OperationalError:
            execute(f"DETACH {SCHEMA}")
            raise

    def _fill(self, samples: Sequence[Sequence[Any]] | None) -> None:
        connection = self._connection
        connection.create_function("unpacked", 1, _unpacked, deterministic=True)
        connection.create_function("file_name", 1, _file_name, deterministic=True)
        for view in self._views:
            connection.execute(view.create())
        for name in ("json_each", "json_tree"):  # known from now on; later the authorizer would not have it
            connection.execute(f"SELECT key FROM {name}('[]')").fetchall()
        if samples is not None:
            marks = ", ".join("?" * len(SAMPLES.columns))
            connection.executemany(f"INSERT INTO temp.{SAMPLES.name} VALUES ({marks})", samples)
        connection.execute("PRAGMA query_only = ON")

    def _authorize(self, action: int, one: str | None, two: str | None, schema: str | None, view: str | None) -> int:
        known = [each.name for each in self._views]
        if action in (_SELECT, _RECURSIVE) or (action == _FUNCTION and two not in _FORBIDDEN):
            return _OK
        # Without a column, a table merely takes part in a join.
        if action == _READ and (schema != SCHEMA or view in known or not two):
            return _OK
        self._refused = self._only()
        if action == _READ:
            self._refused = f"{schema}.{one} is for the runner alone; `runner sql --schema` shows what there is to ask"
        return _DENY

    def _only(self) -> str:
        known = [view.name for view in self._views]
        return f"only SELECT on {_listed(known)} is allowed; nothing can be changed this way"

    def ask(self, query: str) -> tuple[list[str], Iterator[tuple[Any, ...]]]:
        """Put a question.

        Args:
            query: One SELECT.

        Returns:
            The names of the columns, and the rows as they come; bytes that are no text stay bytes.

        Raises:
            UsageError: It is no SQL, or does what it may not; rows may raise it too.
            RunnerError: It took too long; rows may raise it too.
            StoreError: The record can't be read.
        """
        cursor = self._connection.cursor()
        first = self._timed(lambda: cursor.execute(query).fetchmany(_FETCHED), query)
        if cursor.description is None:
            raise UsageError("there is no query: runner sql 'SELECT script, runs FROM scripts'")
        return _unique(column[0] for column in cursor.description), self._rows(cursor, first, query)

    def _rows(
        self, cursor: sqlite3.Cursor, batch: list[tuple[Any, ...]], query: str
    ) -> Iterator[tuple[Any, ...]]:
        while batch:
            for row in batch:
                yield tuple(map(_value, row))
            batch = self._timed(lambda: cursor.fetchmany(_FETCHED), query)

    def _timed(self, work: Any, query: str) -> Any:
        begin = monotonic()
        self._deadline = begin + self._left
        try:
            return work()
        except sqlite3.Error as error:
            raise self._explain(error, query) from None
        except UnicodeEncodeError:
            raise UsageError("the query is not UTF-8") from None
        finally:
            self._deadline = _NEVER
            self._left -= monotonic() - begin

    def _explain(self, error: sqlite3.Error, query: str) -> RunnerError:
        text = str(error)
        if self._refused or "cannot modify" in text:
            return UsageError(self._refused or self._only())
        if "interrupted" in text:
            return RunnerError(self._too_long())
        if "one statement at a time" in text:
            return UsageError("only one statement at a time can be asked")
        if isinstance(error, (sqlite3.OperationalError, sqlite3.ProgrammingError, sqlite3.DataError)) and (
            getattr(error, "sqlite_errorcode", 1) == 1
        ):
            return UsageError(f"the query makes no sense: {text}{self._place(text, query)}{self._hint(text, query)}")
        if getattr(error, "sqlite_errorname", "") == "SQLITE_TOOBIG":
            return UsageError(f"the query makes a value of more than {_LONGEST >> 20} MB")
        return explain(error, self._path)

    def _too_long(self) -> str:
        return f"the query took longer than {self._timeout:g} s and was stopped; --timeout allows more"

    def _place(self, text: str, query: str) -> str:
        """Return where in the query an error is, as far as that can be told."""
        near = text.startswith('near "')
        word = text[6:].rpartition('": ')[0] if near else text.rpartition(": ")[2].rpartition(".")[2]
        at = query.find(word) if word else -1
        while at >= 0 and near:
            # The parser fails at the word itself: what ends before it is merely unfinished.
            try:
                self._connection.execute("EXPLAIN " + query[: at + len(word)])
            except sqlite3.Error as error:
                if str(error) == text:
                    break
            at = query.find(word, at + 1)
        if at < 0:
            return ""
        line = query.count("\n", 0, at) + 1
        return f" (line {line}, column {at - query.rfind(chr(10), 0, at)})"

    def _hint(self, text: str, query: str) -> str:
        """Return what may have been meant by a name that there is not."""
        from runner.model.words import did_you_mean

        kind, _, name = text.rpartition(": ")
        if kind == "no such table":
            return did_you_mean(name, [view.name for view in self._views])
        if kind != "no such column":
            return ""
        name = name.rpartition(".")[2]
        having = [view.name for view in self._views if name in [column.name for column in view.columns]]
        if not having:
            return did_you_mean(name, sorted({column.name for view in self._views for column in view.columns}))
        if "from" not in query.lower().split():
            return f"; FROM {having[0]} is missing"
        return f"; {_listed(having)} {'has' if len(having) == 1 else 'have'} it"

    def close(self) -> None:
        """Let go of everything."""
        if self._closed is not None:
            self._closed.set()
        self._connection.close()


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _value(value: Any) -> Any:
    """Return a value as a person has it: what is kept as bytes since it is no UTF-8 is a text, any others are not."""
    try:
        return rows.text(value)
    except UnicodeDecodeError:
        return value


def _unique(names: Iterable[str]) -> list[str]:
    """Return names, with a number behind those that were there before: rows are shown by name."""
    result: list[str] = []
    for name in names:
        number, other = 1, name
        while other in result:
            number += 1
            other = f"{name}_{number}"
        result.append(other)
    return result


def _unpacked(data: str | bytes | None) -> str:
    """Return arguments as JSON, however the store keeps them."""
    if data is None:
        return "[]"
    return data if isinstance(data, str) else unpack(data).decode("ascii")


def _file_name(path: str | bytes) -> str:
    return str(rows.text(path)).rpartition("/")[2].encode("utf-8", "replace").decode()
