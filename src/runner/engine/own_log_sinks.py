"""Where events of the runner's own log go, each place in its own form."""

from __future__ import annotations

import os

from runner.agent.events import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    Form = Callable[[dict[str, Any]], str]

    class Sink(Protocol):
        """A place for events."""

        place: str

        def write(self, event: dict[str, Any]) -> None:
            """Write one event down.

            Raises:
                OSError: It can't be written.
            """

else:
    Sink = object

#: Level -> severity of syslog and the journal.
_SEVERITY = {"DEBUG": 7, "INFO": 6, "WARNING": 4, "ERROR": 3}
#: Facility of programs of users, times eight.
_USER = 8
_NAME = "runner"
#: Bytes of a datagram that every syslog takes.
_DATAGRAM = 8192

DEV_LOG = "/dev/log"
JOURNAL = "/run/systemd/journal/socket"


def logfmt(event: dict[str, Any]) -> str:
    """Return an event as one line: time, level, name, and ``key=value`` for the rest."""
    rest = " ".join(
        f"{key}={_word(value)}" for key, value in event.items() if key not in ("time", "level", "event") and value != ""
    )
    return f"{event['time']} {event['level']} {event['event']} {rest}"


def _word(value: Any) -> str:
    text = value if isinstance(value, str) else f"{value:.6g}" if isinstance(value, float) else dumps(value)
    return text if text.isprintable() and text and not set(text) & set(" \"=") else dumps(text)


class StreamSink:
    """A descriptor that is open anyway, such as standard error."""

    def __init__(self, fd: int, form: Form) -> None:
        self.place = f"on descriptor {fd}"
        self._fd = fd
        self._form = form

    def write(self, event: dict[str, Any]) -> None:
        """Write one line."""
        data = (self._form(event) + "\n").encode("utf-8", "replace")
        while data:
            data = data[os.write(self._fd, data) :]


class HeldSink:
    """What is only of use to who looks for a mistake, held back until the summary has been shown."""

    place = "in memory"

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, event: dict[str, Any]) -> None:
        """Keep the event if it is of level DEBUG."""
        if event["level"] == "DEBUG":
            self.lines.append(logfmt({**event, "run_id": ""}).partition(" DEBUG ")[2])


class FileSink:
    """A file that is put aside when it has grown; several runners may share it.

    Each line is appended by one call, so that lines of several runners never mix. Who finds the file too large holds
    its lock, renames it to ``FILE.1`` (what was ``FILE.1`` to ``FILE.2``, and so on) and begins a new one.

    Args:
        path: The file.
        form: Turns an event into a line.
        most: Size at which it is put aside, in bytes.
        keep: How many that were put aside stay.
    """

    def __init__(self, path: str, form: Form, most: int, keep: int) -> None:
        self.place = path
        self._form = form
        self._most = most
        self._keep = keep

    def write(self, event: dict[str, Any]) -> None:
        """Append one line."""
        import fcntl

        data = (self._form(event) + "\n").encode("utf-8", "replace")
        while True:
            fd = os.open(self.place, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX)
                if not self._is_current(fd):
                    continue  # it was put aside while we waited
                size = os.fstat(fd).st_size
                if size and size + len(data) > self._most:
                    self._put_aside()
                    continue
                if os.write(fd, data) < len(data):
                    raise OSError(28, os.strerror(28))
                return
            finally:
                os.close(fd)

    def _is_current(self, fd: int) -> bool:
        try:
            return os.path.samestat(os.fstat(fd), os.stat(self.place))
        except FileNotFoundError:
            return False

    def _put_aside(self) -> None:
        if not self._keep:
            os.unlink(self.place)
            return
        for number in range(self._keep - 1, 0, -1):
            if os.path.exists(f"{self.place}.{number}"):
                os.replace(f"{self.place}.{number}", f"{self.place}.{number + 1}")
        os.replace(self.place, f"{self.place}.1")


class SyslogSink:
    """The system's log, by its socket."""

    def __init__(self, path: str = "") -> None:
        self.place = path or DEV_LOG

    def write(self, event: dict[str, Any]) -> None:
        """Send one datagram."""
        priority = _USER + _SEVERITY[event["level"]]
        text = logfmt(event).partition(" ")[2]  # syslog has its own time
        _send(self.place, f"<{priority}>{_NAME}[{os.getpid()}]: {text}".encode("utf-8", "replace")[:_DATAGRAM])


class JournalSink:
    """The journal of systemd, by its own protocol: each fact is a field that can be asked for."""

    def __init__(self, path: str = "") -> None:
        self.place = path or JOURNAL

    def write(self, event: dict[str, Any]) -> None:
        """Send one entry."""
        fields = {
            "MESSAGE": logfmt(event).split(" ", 2)[2],
            "PRIORITY": str(_SEVERITY[event["level"]]),
            "SYSLOG_IDENTIFIER": _NAME,
        }
        for key, value in event.items():
            if key not in ("time", "level"):
                fields[f"RUNNER_{key.upper()}"] = value if isinstance(value, str) else dumps(value)
        _send(self.place, b"".join(_field(name, value) for name, value in fields.items()))


def _field(name: str, value: str) -> bytes:
    data = value.encode("utf-8", "replace")
    if b"\n" not in data:
        return name.encode() + b"=" + data + b"\n"
    return name.encode() + b"\n" + len(data).to_bytes(8, "little") + data + b"\n"


def _send(place: str, data: bytes) -> None:
    import socket

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.settimeout(1.0)  # a log that hangs must not hold up a run
        channel.sendto(data, place)


class LoggingSink:
    """The `logging` of the program that runs scripts, for those that have it; its handlers decide the rest."""

    place = "logging"

    def __init__(self) -> None:
        import logging

        self._logger = logging.getLogger(_NAME)
        if not self._logger.handlers:
            self._logger.addHandler(logging.NullHandler())

    def write(self, event: dict[str, Any]) -> None:
        """Log one event; its facts are in ``record.runner``."""
        import logging

        text = logfmt(event).split(" ", 2)[2]
        self._logger.log(logging.getLevelName(event["level"]), "%s", text, extra={"runner": event})
