"""Answers questions in SQL on the record's documented views."""

from __future__ import annotations

import os

from runner.engine.find_run import find_run
from runner.model.errors import StoreError, UsageError
from runner.stores.sandbox import Sandbox
from runner.stores.views import sample_rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType
    from typing import Any, Self

    from runner.engine.history import HistoryManager

#: Seconds that a question may take.
TIMEOUT = 30.0


class SqlAnswer:
    """The answer to a question; close it, or use it in a ``with`` statement.

    Args:
        history: The record.
        query: One SELECT on the views ``runs``, ``scripts``, ``daily`` and ``alerts``.
        samples: A run whose samples are the view ``samples``, as people name it; "" for none.
        timeout: Seconds that it may take.
        overdue: What ends it where nothing else does (see `Sandbox`).

    Attributes:
        columns: Names of the columns.
        rows: The rows, as they come.

    Raises:
        UsageError: It is no SQL, does what it may not, or there is no such run; `rows` may raise it too.
        RunnerError: It took too long; `rows` may raise it too.
        StoreError: The record can't be read.
    """

    def __init__(
        self, history: HistoryManager, query: str, samples: str = "", timeout: float = TIMEOUT,
        overdue: Callable[[str], None] | None = None,
    ) -> None:  # fmt: skip
        if "\0" in query:
            raise UsageError("the query holds a null character")
        history.ask(lambda store: None, None)  # brings it up to date, and says what is wrong with it
        if not os.path.exists(history.db_path):
            raise StoreError(f"no runs are remembered: {history.db_path} does not exist")
        sampled = None
        if samples:
            attempts = find_run(history, samples).attempts
            sampled = [row for each in attempts if each.curve for row in sample_rows(each.number, each.curve)]
        self._sandbox = Sandbox(history.db_path, timeout, sampled, overdue)
        self.columns: list[str]
        self.rows: Iterator[tuple[Any, ...]]
        try:
            self.columns, self.rows = self._sandbox.ask(query)
        except BaseException:
            self._sandbox.close()
            raise

    def close(self) -> None:
        """Let go of the record."""
        self._sandbox.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
