"""Imports runs from files: all of a file or nothing of it, and each run once however often it is imported."""

from __future__ import annotations

import os

from runner.engine.checksum import check_sum
from runner.importers import reader_of
from runner.importers.base import DATABASE, BadFileError, Source
from runner.model.errors import UsageError
from runner.model.portable import portions
from runner.stores import STORES
from runner.stores.base import RunFilter
from runner.stores.snapshot import snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, BinaryIO

    from runner.engine.history import HistoryManager
    from runner.model.run import Run
    from runner.stores.base import Store

    Tell = Callable[[int, str, float], None]

#: Runs stored at a time: a runner that wants to store its own need not wait long.
_BATCH = 200
#: The same where each brings its samples and its output with it.
_FEW = 20
#: Marks a database of the runner's own, at byte 68.
_OURS = b"Rnnr"


class Imported:
    """What became of a file.

    Attributes:
        path: The file.
        runs: How many runs it holds.
        new: How many of them were not there before.
        dry_run: Whether nothing was stored.
    """

    __slots__ = ("dry_run", "new", "path", "runs")

    def __init__(self, path: str, dry_run: bool) -> None:
        self.path = path
        self.runs = 0
        self.new = 0
        self.dry_run = dry_run

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {"path": self.path, "runs": self.runs, "new": self.new, "known": self.runs - self.new}


def import_file(history: HistoryManager, path: str, dry_run: bool = False, tell: Tell | None = None) -> Imported:
    """Take the runs of a file into the record.

    The whole file is read and checked before anything is stored, so a file that is damaged changes nothing. Then runs
    are stored in small parts; an import that is cut off can be done again, and adds what is missing.

    Args:
        history: The record.
        path: A file of any format that `importers` reads, a database of the runner's own, or ``-`` for standard input.
        dry_run: Whether nothing is stored.
        tell: Called now and then with how many runs are done, with what is done ("runs checked", "runs stored"), and
            with how much of all that is, from 0 to 1.

    Raises:
        UsageError: There is no such file, or it is the record itself.
        BadFileError: It can't be imported, or is not what the checksum beside it says; nothing was stored.
        StoreError: The record, or the one to import, can't be used.
    """
    if path == "-":
        with _standard_input() as file:
            return _import(history, file, "standard input", dry_run, tell)
    if os.path.isdir(path):
        raise UsageError(f"{path} is a directory; name a file in it")
    if not os.path.exists(path):
        raise UsageError(f"there is no file {path}")
    if not os.path.isfile(path):
        with open(path, "rb") as stream, Spooled(stream) as file:
            return _import(history, file, path, dry_run, tell)
    check_sum(path)
    return _import(history, path, path, dry_run, tell)


def _import(history: HistoryManager, path: str, name: str, dry_run: bool, tell: Tell | None) -> Imported:
    result = Imported(name, dry_run)
    if os.path.exists(history.db_path) and os.path.samefile(path, history.db_path):
        raise UsageError(f"{name} is the record itself")
    for batch, share in _batches(path, name):
        if dry_run:
            result.new += len({run.id for run in batch} - _known(history, [run.id for run in batch]))
        result.runs += len(batch)
        if tell is not None:
            tell(result.runs, "runs checked", share)
    if not dry_run:
        stored = 0
        for batch, share in _batches(path, name):
            known = _known(history, [run.id for run in batch])
            fresh = [run for run in batch if run.id not in known]
            result.new += len(history.add(fresh)) if fresh else 0
            stored += len(batch)
            if tell is not None:
                tell(stored, "runs stored", share)
    return result


def _known(history: HistoryManager, ids: list[str]) -> set[str]:
    nothing: set[str] = set()
    return history.ask(lambda store: store.known(ids), nothing)


def _batches(path: str, name: str) -> Iterator[tuple[list[Run], float]]:
    """Yield the runs of a file in small parts, each with how much of it was read by then."""
    source = Source(path, name)
    if not (source.head.startswith(DATABASE) and source.head[68:72] == _OURS):
        for batch in portions(reader_of(source).read(source), _BATCH):
            yield batch, source.share()
        return
    with snapshot(path) as copy:
        store: Store = STORES.load("sqlite")(copy, create=False)
        try:
            total, done = store.count(RunFilter()), 0
            for batch in store.scan(RunFilter(), output=True, samples=True, size=_FEW):
                done += len(batch)
                yield batch, done / max(done, total)
        finally:
            store.close()


def _standard_input() -> Spooled:
    import sys

    if sys.stdin is None:
        raise BadFileError("standard input is closed")
    return Spooled(sys.stdin.buffer)


class Spooled:
    """A stream as a file, which can be read twice, for as long as the ``with`` block lasts."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def __enter__(self) -> str:
        from shutil import copyfileobj
        from tempfile import NamedTemporaryFile

        self._file = NamedTemporaryFile(prefix="runner-import-")
        try:
            copyfileobj(self._stream, self._file, 1 << 20)
            self._file.flush()
        except OSError as error:
            self._file.close()
            raise BadFileError(f"standard input could not be kept: {error.strerror}") from None
        return self._file.name

    def __exit__(self, *_: object) -> None:
        self._file.close()
