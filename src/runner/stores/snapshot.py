"""Gives a look at a record that an older version wrote, without bringing it up to date."""

from __future__ import annotations

import os
from contextlib import closing, contextmanager

from runner.stores.base import DEFAULT_NAME
from runner.stores.database import SCHEMA, explain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def snapshot(path: str) -> Iterator[str]:
    """Give, for as long as the ``with`` block lasts, a path at which the record at `path` can be read.

    That is the record itself, or a copy where its schema is older: to look at somebody's record is no reason to migrate
    it.

    Raises:
        StoreError: It can't be read.
    """
    with open(path, "rb") as file:
        version = int.from_bytes(file.read(64)[60:], "big")  # SQLite keeps it there
    if version >= SCHEMA:
        yield path
        return
    import sqlite3
    from tempfile import TemporaryDirectory

    quoted = os.path.abspath(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    with TemporaryDirectory(prefix="runner-record-") as folder:
        copy = os.path.join(folder, DEFAULT_NAME)
        try:
            source = sqlite3.connect(f"file:{quoted}?mode=ro", uri=True)
            with closing(source) as old, closing(sqlite3.connect(copy)) as new:
                old.backup(new)
        except sqlite3.Error as error:
            raise explain(error, path) from None
        yield copy
