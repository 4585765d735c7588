"""Follows the files of a journal while its runner writes them: events, and the output of a stream."""

from __future__ import annotations

import os

from runner.agent.events import Ended, decode
from runner.model.moments import Moments
from runner.stores.journal import EVENTS
from runner.stores.times import TimesReader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.agent.events import Event


class EventReader:
    """Reads the events of a journal from the beginning of an attempt on, as they come.

    Args:
        path: The journal.
        number: The attempt.
        offset: Where it begins among the events, in bytes.
    """

    def __init__(self, path: str, number: int, offset: int) -> None:
        self._path = os.path.join(path, EVENTS)
        self._number = number
        self._offset = offset
        self._file = -1
        self._rest = b""
        self._t = -1.0
        self._skip = False

    def read(self) -> list[tuple[int, Event]]:
        """Return the events that came since the last call, each with the number of its attempt."""
        events: list[tuple[int, Event]] = []
        try:
            if self._file < 0:
                self._open()
            self._read_on(events)
            # The file is replaced when it has grown too long: what follows is in another.
            if not os.path.samestat(os.fstat(self._file), os.stat(self._path)):
                self._read_on(events)
                self.close()
                self._skip = True
                self._open()
                self._read_on(events)
        except FileNotFoundError:
            if self._file >= 0:
                self._read_on(events)
        return events

    def _open(self) -> None:
        self._file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        os.lseek(self._file, self._offset, os.SEEK_SET)
        self._rest = b""

    def _read_on(self, events: list[tuple[int, Event]]) -> None:
        while data := os.read(self._file, 1 << 18):
            *lines, self._rest = (self._rest + data).split(b"\n")
            for line in lines:
                self._take(line, events)

    def _take(self, line: bytes, events: list[tuple[int, Event]]) -> None:
        if line.startswith(b'{"attempt":'):
            number = int(line[11:-1])
            if number != self._number:
                self._number, self._t, self._skip = number, -1.0, False
            return
        try:
            event = decode(line.decode("ascii", "replace"))
        except (ValueError, KeyError):
            return  # what the record has besides events, or a line of a newer version
        # What a rewritten file repeats has been told.
        if self._skip and event.t <= self._t and not isinstance(event, Ended):
            return
        self._skip = False
        self._t = event.t
        events.append((self._number, event))

    def close(self) -> None:
        """Let go of the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


class StreamReader:
    """Reads what a journal keeps of one stream of one attempt, and goes on while it grows.

    Args:
        folder: The journal.
        stream: ``stdout`` or ``stderr``.
        attempt: Number of the attempt.

    Attributes:
        position: Offset in the stream up to which was read.
        moments: When what was read was written, as far as known.
    """

    def __init__(self, folder: str, stream: str, attempt: int) -> None:
        self.stream = stream
        self.attempt = attempt
        self.position = 0
        self.moments = Moments()
        self._folder = folder
        self._name = f"{stream}.{attempt}"
        self._file = -1
        self._start = -1
        self._times = TimesReader(f"{folder}/{self._name}")

    def read(self) -> list[tuple[int, bytes]]:
        """Return what came since the last call, each piece with its offset; what lies between was not kept."""
        pieces: list[tuple[int, bytes]] = []
        while True:
            later = [start for start in offsets(self._folder, self._name) if start > self._start]
            # A file is complete once there is a later one: so it is read after that was looked for.
            if self._file >= 0:
                self._read_on(pieces)
            if not later or not self._begin(min(later)):
                break
        self.moments = self._times.read()
        return pieces

    def _begin(self, start: int) -> bool:
        try:
            file = os.open(f"{self._folder}/{self._name}.{start}", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:  # dropped, or gone with the journal
            self._start = max(self._start, start) if os.path.isdir(self._folder) else self._start
            return os.path.isdir(self._folder)
        self.close()
        self._file, self._start = file, start
        self.position = max(self.position, start)
        return True

    def _read_on(self, pieces: list[tuple[int, bytes]]) -> None:
        while data := os.pread(self._file, 1 << 20, self.position - self._start):
            pieces.append((self.position, data))
            self.position += len(data)

    def close(self) -> None:
        """Let go of the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def offsets(folder: str, name: str) -> list[int]:
    """Return where the pieces of a stream begin that a journal keeps, the first first; none where it is gone."""
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    ends = [each[len(name) + 1 :] for each in names if each.startswith(name + ".")]
    return sorted(int(end) for end in ends if end.isdigit())


def attempts(folder: str) -> list[tuple[int, str]]:
    """Return number and stream of all output that a journal keeps, in order; none where it is gone."""
    found = set()
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    for each in names:
        stream, _, rest = each.partition(".")
        number, _, start = rest.partition(".")
        if stream in ("stdout", "stderr") and number.isdigit() and start.isdigit():
            found.add((int(number), stream))
    return sorted(found, key=lambda each: (each[0], each[1] != "stdout"))
