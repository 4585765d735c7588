"""Follows the files of a journal while its runner writes them: events, and the output of a stream."""

from __future__ import annotations

import os

from runner.agent.events import Ended, decode
from runner.stores.journal import EVENTS

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
