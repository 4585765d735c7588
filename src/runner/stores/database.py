"""Opens the SQLite file of the record: creates it, brings it up to date, and says in words what went wrong."""

from __future__ import annotations

import os
import sys

from runner.model.errors import StoreCorruptError, StoreError, StoreLockedError, StoreVersionError
from runner.stores.base import DEFAULT_NAME

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from typing import Any
else:
    # The package around the module imports datetime for converters that are not used here. And the module imports
    # functools, and with it collections and more (1.5 ms), for the cache of statements alone.
    try:
        if "functools" not in sys.modules:
            from _functools import _lru_cache_wrapper

            sys.modules["functools"] = type(sys)("functools")
            sys.modules["functools"].lru_cache = lambda size: lambda call: _lru_cache_wrapper(call, size, False, tuple)
            try:
                import _sqlite3 as sqlite3
            finally:
                del sys.modules["functools"]
        else:
            import _sqlite3 as sqlite3
    except ImportError:
        import sqlite3

#: Version of the schema: the number of the last migration.
SCHEMA = 6
#: Marks the file as ours ("Rnnr", at byte 68 of the file).
APPLICATION_ID = 0x526E6E72
#: Seconds to wait for another writer.
BUSY_SECONDS = 5.0

_MAGIC = b"SQLite format 3\0"
_FOLDER = os.path.dirname(os.path.abspath(__file__))

# Primary result codes of SQLite.
_BUSY, _LOCKED, _READONLY, _IOERR, _CORRUPT, _FULL, _CANTOPEN, _NOTADB = 5, 6, 8, 10, 11, 13, 14, 26


def connect(path: str, create: bool = True) -> sqlite3.Connection:
    """Open the record at `path`, up to date and with the settings that every user of it shares.

    Args:
        path: The file.
        create: Whether it is created where there is none, and migrated; without it the record is only read.

    Raises:
        StoreVersionError: It was written by a newer version.
        StoreCorruptError: It is ours and damaged.
        StoreError: It is not there, of somebody else, locked, or can't be opened.
    """
    if create:
        _create(path)
    elif not os.path.exists(path):
        raise StoreError(f"there is no record of runs at {path}")
    connection = None
    try:
        connection = sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, cached_statements=64, check_same_thread=False
        )
        if _version(connection, path) < SCHEMA:
            _migrate(connection, path)
        connection.execute("PRAGMA synchronous = FULL")
        return connection
    except sqlite3.Error as error:
        if connection is not None:
            connection.close()
        if not create and (_code(error) in (_READONLY, _CANTOPEN) or _is_for_want_of_room(error, path)):
            return _connect_immutable(path)
        raise explain(error, path) from None
    except BaseException:
        if connection is not None:
            connection.close()
        raise


def _version(connection: sqlite3.Connection, path: str) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA:
        raise StoreVersionError(
            f"{path} was written by a newer version of the runner (its schema is {version}, this one knows {SCHEMA});"
            " upgrade the runner, or name another file with --history-db"
        )
    return version


def is_current(path: str) -> bool:
    """Whether the record at `path` can be read as it is, and nothing of it has to be changed first."""
    connection = None
    try:
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
        connection.execute("PRAGMA query_only = ON")
        return bool(connection.execute("PRAGMA user_version").fetchone()[0] == SCHEMA)
    except sqlite3.Error:
        return False
    finally:
        if connection is not None:
            connection.close()


def _create(path: str) -> None:
    # SQLite would create it readable for everyone; its side files take the mode of the file.
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        raise StoreError(f"{path} can't be created: {error.strerror}") from None


def _connect_immutable(path: str) -> sqlite3.Connection:
    """Read a record where even the side files of a reader can't be written."""
    quoted = os.path.abspath(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    connection = None
    try:
        connection = sqlite3.connect(
            f"file:{quoted}?mode=ro&immutable=1", uri=True, isolation_level=None, check_same_thread=False
        )
        _version(connection, path)
        return connection
    except (sqlite3.Error, StoreError) as error:
        if connection is not None:
            connection.close()
        raise (explain(error, path) if isinstance(error, sqlite3.Error) else error) from None


def _migrate(connection: sqlite3.Connection, path: str) -> None:
    if _is_new(connection, path):
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        _patiently(connection, "PRAGMA journal_mode = WAL")
    _add_functions(connection)
    _patiently(connection, "BEGIN IMMEDIATE")
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]  # another runner may have been first
        for number in range(version + 1, SCHEMA + 1):
            for statement in read_migration(number):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _add_functions(connection: sqlite3.Connection) -> None:
    """Let migrations compute of older rows what newer ones are stored with."""
    from runner.model.likeness import arguments_shape, host_class

    def read(data: str | bytes) -> Any:
        from json import loads

        from runner.stores.codec import unpack

        return loads(data if isinstance(data, str) else unpack(data))

    connection.create_function("arguments_shape", 1, lambda args: arguments_shape(read(args)))
    connection.create_function("host_class", 1, lambda facts: host_class(read(facts)))


def _is_new(connection: sqlite3.Connection, path: str) -> bool:
    if connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID:
        return False
    if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
        return True
    # Between the two questions another runner may have created the record.
    if connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID:
        return False
    raise StoreError(_foreign(path))


def _patiently(connection: sqlite3.Connection, statement: str) -> None:
    # Changing the journal's mode fails at once where another runner is about to do the same.
    from time import monotonic, sleep

    deadline = monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute(statement)
            return
        except sqlite3.OperationalError as error:
            if _code(error) not in (_BUSY, _LOCKED) or monotonic() > deadline:
                raise
            sleep(0.01)


def read_migration(number: int) -> list[str]:
    """Return the statements of one migration."""
    folder = os.path.join(_FOLDER, "migrations")
    for name in os.listdir(folder):
        if name.startswith(f"{number:04d}_"):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                return [part for part in file.read().split(";\n") if part.strip()]
    raise StoreError(f"migration {number} is missing from {folder}: the installation is incomplete")


def read_queries(file_name: str = "queries") -> dict[str, str]:
    """Return the named queries of one ``.sql`` file."""
    with open(os.path.join(_FOLDER, f"{file_name}.sql"), encoding="utf-8") as file:
        parts = file.read().split("\n-- ")[1:]
    queries = {}
    for part in parts:
        name, _, text = part.partition(" --\n")
        queries[name] = text.strip()
    return queries


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def explain(error: sqlite3.Error, path: str) -> StoreError:
    """Return the error that tells a person what SQLite's error means for the record at `path`."""
    code = _code(error)
    if code in (_BUSY, _LOCKED):
        return StoreLockedError(f"{path} was locked by another program for more than {BUSY_SECONDS:g} s")
    if _is_for_want_of_room(error, path):
        return StoreError(f"{path} can't grow: the disk is full")
    if code == _READONLY:
        return StoreError(f"{path} can't be written")
    if code == _CANTOPEN or os.path.isdir(path):
        return StoreError(f"{path} can't be opened: {_why_not(path)}")
    if code in (_CORRUPT, _NOTADB):
        if is_ours(path):
            return StoreCorruptError(f"{path} is damaged ({error})")
        return StoreError(f"{path} is not a record of runs ({error}); it was left as it is")
    if "no such table" in str(error) or "no such column" in str(error):
        return StoreError(_foreign(path))
    return StoreError(f"{path}: {error}")


def is_ours(path: str) -> bool:
    """Whether a damaged file was a record of ours, as far as its beginning, or else its name, tells."""
    try:
        with open(path, "rb") as file:
            head = file.read(100)
    except OSError:
        return False
    if head[:16] == _MAGIC:
        return head[68:72] == APPLICATION_ID.to_bytes(4, "big")
    # A crash of the host can leave a file of zeros; there is nothing in it to lose.
    return not any(head) or os.path.basename(path) == DEFAULT_NAME


def refuse_other(path: str) -> None:
    """Refuse a file that is no record by how it begins; nothing is opened for it.

    Raises:
        StoreError: There is a file of another kind, or a folder.
    """
    if os.path.isdir(path):
        raise StoreError(f"{path} can't be opened: {_why_not(path)}")
    if not os.path.isfile(path):
        return
    try:
        with open(path, "rb") as file:
            head = file.read(len(_MAGIC))
    except OSError:
        return  # whoever is to read it will say so
    if head not in (b"", _MAGIC) and not is_ours(path):
        raise StoreError(f"{path} is not a record of runs; it was left as it is")


def _foreign(path: str) -> str:
    return f"{path} is a database of another program; it was left as it is"


def _is_for_want_of_room(error: sqlite3.Error, path: str) -> bool:
    # SQLite calls it an I/O error where it is its shared memory that can't grow.
    if _code(error) != _IOERR:
        return _code(error) == _FULL
    try:
        disk = os.statvfs(os.path.dirname(os.path.abspath(path)))
    except OSError:
        return False
    return disk.f_bavail * disk.f_frsize < 65536


def _why_not(path: str) -> str:
    if os.path.isdir(path):
        return "it is a directory"
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CLOEXEC))
    except OSError as error:
        return error.strerror or str(error)
    return "the folder can't be written"
