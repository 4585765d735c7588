"""What becomes of the script's descriptors 1 and 2, by where they lead: a pty, a pipe, or the descriptor itself."""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runner.agent.outpty import OutputPty

# How a stream is treated (`Started.streams`).
PTY = "pty"
PIPE = "pipe"
FILE = "file"
DIRECT = "direct"
CLOSED = "closed"

NAMES = {1: "stdout", 2: "stderr"}


class Stream:
    """One destination of output.

    Attributes:
        fd: Descriptor of ours that leads there: 1 or 2.
        status: What ``fstat`` said of it.
        kind: How it is treated.
        source: Our end of the pipe or pty that the script writes to, or -1.
        given: The script's end, or -1 where it gets the descriptor itself.
        pty: The pty, where it is one.
        offset: Position of a file's descriptor when the script was started.
        other: The same of descriptor 2, where that leads to the same file; -1 otherwise.
    """

    __slots__ = ("fd", "given", "kind", "offset", "other", "pty", "source", "status")

    def __init__(self, fd: int, status: os.stat_result, direct: bool, capture: bool = False) -> None:
        self.fd = fd
        self.status = status
        self.kind = DIRECT if direct else _kind(fd, status)
        if capture and self.kind in (FILE, DIRECT):
            self.kind = PIPE
        self.source = -1
        self.given = -1
        self.offset = 0
        self.other = -1
        self.pty: OutputPty | None = None

    @property
    def name(self) -> str:
        """``"stdout"`` or ``"stderr"``."""
        return NAMES[self.fd]

    def open(self) -> str:
        """Make the ends; return why output can't be captured after all, or ""."""
        if self.kind == PTY:
            try:
                from runner.agent.outpty import OutputPty

                self.pty = OutputPty(self.fd)
            except (ImportError, OSError) as error:
                self.kind = DIRECT
                return f"no pty can be had: {error}"
            self.source, self.given = self.pty.master, self.pty.slave
        elif self.kind == PIPE:
            self.source, self.given = os.pipe()
        elif self.kind == FILE:
            self.offset = position(self.fd)
        return ""


class Streams:
    """Descriptors 1 and 2 of one attempt, from before its start on.

    Args:
        direct: Hand both through untouched.
        capture: Have what goes to files and devices come through a pipe too.

    Attributes:
        streams: The destinations: none, one (both lead to the same) or two.
        given: What the script gets: its descriptor -> ours.
        merged: Whether both descriptors lead to the same destination and are counted together.
        weaker: Why output could not be captured, by counter (see `Ended.weaker`).
    """

    def __init__(self, direct: bool, capture: bool = False) -> None:
        plug()
        self.given: dict[int, int] = {}
        self.weaker: dict[str, list[str]] = {}
        self.streams: list[Stream] = []
        self._kinds = {"stdout": CLOSED, "stderr": CLOSED}
        opened = [Stream(fd, os.fstat(fd), direct, capture) for fd in (1, 2) if fd not in _plugged]
        self.merged = len(opened) == 2 and not direct and _same(*opened)
        for stream in opened[: 1 if self.merged else 2]:
            self._open(stream)
        if self.merged and opened[0].kind == FILE:
            opened[0].other = position(2)

    def _open(self, stream: Stream) -> None:
        trouble = stream.open()
        self.streams.append(stream)
        for fd in (1, 2) if self.merged else (stream.fd,):
            self._kinds[NAMES[fd]] = stream.kind
            if stream.given >= 0:
                self.given[fd] = stream.given
        if trouble:
            self.weaker[stream.name + "_size"] = self.weaker[stream.name + "_lines"] = ["none", trouble]

    def describe(self) -> dict[str, Any]:
        """Return what `Started.streams` tells."""
        return {**self._kinds, "merged": self.merged}

    def started(self) -> None:
        """Close the script's ends, which it has by now: the end of its output shows only then."""
        for stream in self.streams:
            if stream.given >= 0:
                os.close(stream.given)
                stream.given = -1

    def abandon(self) -> None:
        """Close all ends, since nothing was started."""
        self.started()
        for stream in self.streams:
            if stream.source >= 0:
                os.close(stream.source)


def position(fd: int) -> int:
    """Return the position of a file's descriptor."""
    return os.lseek(fd, 0, os.SEEK_CUR)


#: Standard descriptors that were closed when this process was started.
_plugged: set[int] = set()


def plug() -> None:
    """Keep places of closed standard descriptors from being taken by files of ours.

    What stands there is closed again when the script is executed, so it starts with the same descriptors as alone.
    """
    for fd in (0, 1, 2):
        if not _is_open(fd):
            os.open("/dev/null", os.O_RDWR)  # takes the lowest free number, which is this one
            _plugged.add(fd)


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def is_null(status: os.stat_result) -> bool:
    """Whether it is the null device."""
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == os.makedev(1, 3)


def write_all(fd: int, data: bytes | memoryview) -> bool:
    """Write all, however long it takes; return whether it could be."""
    data = memoryview(data)
    while data:
        taken = _write(fd, data)
        if taken < 0:
            return False
        data = data[taken:]
    return True


def _write(fd: int, data: memoryview) -> int:
    try:
        return os.write(fd, data)
    except BlockingIOError:
        from select import POLLOUT, poll

        poller = poll()
        poller.register(fd, POLLOUT)
        poller.poll()
        return 0
    except OSError:
        return -1


def _kind(fd: int, status: os.stat_result) -> str:
    mode = status.st_mode
    if stat.S_ISREG(mode):
        return FILE
    if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or is_null(status):
        return PIPE
    return PTY if stat.S_ISCHR(mode) and os.isatty(fd) else DIRECT


def _same(one: Stream, other: Stream) -> bool:
    if (one.status.st_dev, one.status.st_ino) == (other.status.st_dev, other.status.st_ino):
        return True
    if one.kind == other.kind == PTY:  # /dev/tty and the terminal it stands for
        from runner.agent.outpty import device

        return device(1) == device(2)
    return False
