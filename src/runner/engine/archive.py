"""Archives runs before they are deleted: written, read back and compared, with a checksum beside the file."""

from __future__ import annotations

import os
from contextlib import suppress
from hashlib import sha256
from time import localtime, strftime

from runner.agent.events import dumps
from runner.engine.checksum import CHECKSUM, sum_of, write_checksum
from runner.exporters.files import ReportError
from runner.exporters.records import JSONL, PARQUET, write_runs
from runner.importers import read_runs
from runner.importers.base import BadFileError
from runner.model.errors import UsageError
from runner.model.portable import batch_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from runner.exporters.records import Written
    from runner.model.run import Run

#: Ends of the names of archives, and the format of each.
FORMATS = {".jsonl.gz": JSONL, ".jsonl": JSONL, ".parquet": PARQUET}

#: What an archive is called until it is verified; then come process, name and ending.
_MARK = f".unverified-{os.uname().nodename}-"


class ArchiveError(ReportError):
    """An archive could not be written, or not be read back as it was; nothing was deleted."""


def check_place(path: str) -> None:
    """Refuse a place that archives can't go to, before anything is done.

    Raises:
        UsageError: It is no regular file nor folder, or can't be written; or its name ends as that of a file does, and
            there is no such format.
    """
    folder = _folder(path)
    other = os.path.splitext(os.path.basename(path))[1]
    if other and not _ending(path) and not os.path.isdir(path):
        raise UsageError(f"--archive-path: {path} ends in {other}; an archive ends in {', '.join(FORMATS)}, "
                         "and a folder in /")  # fmt: skip
    if not os.path.isdir(path) and os.path.exists(path) and not os.path.isfile(path):
        raise UsageError(f"--archive-path: {path} is neither a file nor a folder")
    while not os.path.exists(folder):  # it will be made
        folder = os.path.dirname(folder)
    if not os.path.isdir(folder):
        raise UsageError(f"--archive-path: {folder} is not a folder")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f"--archive-path: {folder} can't be written (permission denied)")


def archive(path: str, name: str, runs: Iterable[Run], tell: Callable[[int], None] | None = None) -> Written:
    """Write runs to an archive, read it back, and compare; nothing that was there before is overwritten.

    Args:
        path: A file (see `FORMATS`), or a folder that gets a file of that `name` and the time; it is made if need be.
            A slash at the end says that it is a folder.
        name: What a file in a folder is called.
        runs: Whole, with samples and output.
        tell: Called with the number of runs written so far.

    Raises:
        ArchiveError: It could not be written, or what can be read back is not what was written.
    """
    folder, ending = _folder(path), _ending(path)
    if ending:
        stem = os.path.basename(path).removesuffix(ending)
    else:
        ending = ".jsonl.gz"
        safe = "".join(char if char.isalnum() or char in "-_." else "_" for char in name)
        stem = f"{safe}-{strftime('%Y%m%dT%H%M%S', localtime())}"
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        _clear_remnants(folder)
        unverified = os.path.join(folder, f"{_MARK}{os.getpid()}-{stem}{ending}")
        os.close(os.open(unverified, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))  # as the record is
        try:
            digest = _Digest()
            written = write_runs(unverified, FORMATS[ending], digest.watch(runs), tell=tell)
            _verify(unverified, written.runs, written.sha256, digest)
            target = _put(unverified, folder, stem, ending)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(unverified)
        write_checksum(target, written.sha256)
    except OSError as error:
        raise ArchiveError(f"the archive in {folder} was not written, nothing was deleted: {error.strerror}") from None
    except ReportError as error:
        raise ArchiveError(f"{error}; nothing was deleted") from None
    written.path = target
    return written


class _Digest:
    """What all facts of some runs amount to, in the order in which they pass."""

    def __init__(self) -> None:
        self.runs = 0
        self._hash = sha256()

    def watch(self, runs: Iterable[Run]) -> Iterator[Run]:
        """Let runs pass, and take them in."""
        for run in runs:
            self._hash.update(dumps(batch_of([run])).encode("ascii"))
            self.runs += 1
            yield run

    def value(self) -> str:
        """Return the digest of all that passed."""
        return self._hash.hexdigest()


def _verify(path: str, count: int, expected: str, written: _Digest) -> None:
    """Read an archive back and compare it, byte for byte and run for run, with what should be in it."""
    if sum_of(path) != expected:
        raise ReportError(f"{path} does not hold the bytes that were written into it")
    read = _Digest()
    try:
        for _ in read.watch(read_runs(path)):
            pass
    except BadFileError as error:
        raise ReportError(f"the archive can't be read back: {error}") from None
    if (count, written.value()) != (read.runs, read.value()):
        raise ReportError(f"{path} does not hold the runs that were written into it ({read.runs} of {count})")


def _put(unverified: str, folder: str, stem: str, ending: str) -> str:
    """Give a verified archive its name, or, where that is taken, the next one with a number."""
    number = 1
    while True:
        target = os.path.join(folder, f"{stem}{f'-{number}' if number > 1 else ''}{ending}")
        number += 1
        if os.path.exists(target + CHECKSUM):
            continue
        try:
            os.link(unverified, target)
        except FileExistsError:
            continue
        except OSError:  # a disk without links: the name is reserved instead
            try:
                os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            except FileExistsError:
                continue
            os.replace(unverified, target)
        return target


def _ending(path: str) -> str:
    if os.path.isdir(path):
        return ""
    return next((ending for ending in FORMATS if path.endswith(ending)), "")


def _folder(path: str) -> str:
    return os.path.abspath(os.path.dirname(path) if _ending(path) else path)


def _clear_remnants(folder: str) -> None:
    """Delete what runners left that were killed before they had verified an archive: nothing was deleted for it."""
    for name in os.listdir(folder):
        pid = name.removeprefix(_MARK).partition("-")[0]
        if name.startswith(_MARK) and pid.isdigit() and not _lives(int(pid)):
            os.unlink(os.path.join(folder, name))


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True
