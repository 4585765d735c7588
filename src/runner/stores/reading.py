"""Reads the journal of a run that still lasts, without getting in the way of the runner that writes it."""

from __future__ import annotations

import os

from runner.agent.events import Ended, Sample, Started, decode
from runner.model.errors import StoreCorruptError
from runner.model.run import Run
from runner.stores.journal import EVENTS, FACTS, LOCK, PLACE, VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Bytes read from the end of the events, and read where that held no sample (a curve is one long line).
_TAILS = (16 << 10, 1 << 20)
#: Bytes in which the lines that begin an attempt stand.
_BEGIN = 16 << 10
_WAITING = b'{"waiting":'


def held(path: str) -> bool:
    """Whether somebody holds the lock of the journal at `path`: its runner lives, or somebody stores what it left.

    A shared lock is tried and let go at once: it can't be in the way of the runner, which took its own before anybody
    could find the journal, and never takes it again.

    Raises:
        OSError: The journal is gone, or may not be read.
    """
    import fcntl

    lock = os.open(os.path.join(path, LOCK), os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def read_facts(path: str) -> tuple[Run, int]:
    """Return the run of a journal as far as it was known at its start, and the process id of its runner.

    Raises:
        OSError: The journal is gone, or may not be read.
        StoreCorruptError: What it says is no run, or one of a newer version.
    """
    from json import loads

    try:
        with open(os.path.join(path, FACTS), encoding="ascii") as file:
            data = loads(file.read())
        if data["v"] != VERSION:
            raise ValueError(f"it is of version {data['v']}")
        facts: dict[str, Any] = data["run"]
        run = Run(facts["id"], facts["script_path"], facts["started"])
        for name, value in facts.items():
            if hasattr(run, name):
                setattr(run, name, value)
        return run, int(data["pid"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreCorruptError(f"the journal {path} can't be read ({error})") from None


class Now:
    """The running attempt of a journal, as its newest events tell it.

    Attributes:
        attempt: Its number.
        waiting: For what the run waits before it can start, "" where it does not.
        started: What was told of its start, None while it is being started.
        samples: Those of about the last second, the oldest first.
        ended: How it ended, None while it runs.
    """

    def __init__(self, attempt: int) -> None:
        self.attempt = attempt
        self.waiting = ""
        self.started: Started | None = None
        self.samples: list[Sample] = []
        self.ended: Ended | None = None


def read_now(path: str, seconds: float = 1.0) -> Now:
    """Return the running attempt of the journal at `path`; of a long run only the ends of its events are read.

    Args:
        path: The journal.
        seconds: Of the newest samples.

    Raises:
        OSError: The journal is gone, or may not be read.
    """
    number, offset = read_place(path)
    with open(os.path.join(path, EVENTS), "rb", buffering=0) as file:
        now = Now(number)
        _read_start(now, file.fileno(), offset)
        size = os.fstat(file.fileno()).st_size
        for length in _TAILS:
            begin = max(offset, size - length)
            _read_newest(now, os.pread(file.fileno(), size - begin, begin), seconds)
            if now.samples or now.ended or begin == offset:
                break
    return now


def read_place(path: str) -> tuple[int, int]:
    """Return the number of the running attempt and where among the events it begins, in bytes.

    Raises:
        OSError: The journal may not be read.
    """
    try:
        with open(os.path.join(path, PLACE), encoding="ascii") as file:
            number, offset = file.read().split()
            return int(number), int(offset)
    except (FileNotFoundError, ValueError):
        return 1, 0


def read_waiting(path: str) -> str:
    """Return for what the run of a journal waits, or did when its runner was killed; "" where it does not."""
    try:
        return read_now(path).waiting
    except OSError:
        return ""


def _read_start(now: Now, descriptor: int, offset: int) -> None:
    for line in os.pread(descriptor, _BEGIN, offset).split(b"\n")[:-1]:
        if line.startswith(_WAITING):
            now.waiting = _decode_waiting(line)
        elif line.startswith(b'{"attempt":'):
            now.waiting = ""
        elif b'"event":"started"' in line:
            event = _decode(line)
            now.started = event if isinstance(event, Started) else None
            return


def _read_newest(now: Now, data: bytes, seconds: float) -> None:
    now.samples = []
    for line in reversed(data.split(b"\n")[:-1]):  # the last line may be half-written
        if b'"event":"sample"' in line:
            event = _decode(line)
            if isinstance(event, Sample):
                now.samples.insert(0, event)
                if now.samples[-1].t - event.t >= seconds:
                    return
        elif b'"event":"ended"' in line and not now.samples:
            event = _decode(line)
            now.ended = event if isinstance(event, Ended) else now.ended


def _decode(line: bytes) -> Any:
    try:
        return decode(line.decode("ascii", "replace"))
    except (ValueError, KeyError):
        return None  # cut short, or of a newer version


def _decode_waiting(line: bytes) -> str:
    from json import loads

    try:
        return str(loads(line)["waiting"])
    except (ValueError, KeyError, TypeError):
        return ""


def read_starts(path: str) -> dict[int, int]:
    """Return when each attempt was started, in nanoseconds since the epoch, by its number; nothing where it is gone."""
    starts: dict[int, int] = {}
    number = 1
    try:
        with open(os.path.join(path, EVENTS), "rb") as file:
            for line in file:
                if line.startswith(b'{"attempt":'):
                    number = int(line[11:].strip().rstrip(b"}") or 0)
                elif b'"event":"started"' in line:
                    event = _decode(line)
                    if isinstance(event, Started):
                        starts[number] = event.time
    except (OSError, ValueError):
        pass
    return starts
