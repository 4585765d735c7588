"""Carries the output of one pipe or pty to its destination without ever waiting for the one who reads it there."""

from __future__ import annotations

import errno
import os
import stat

from runner.agent.channels import is_null, write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from runner.agent.channels import Stream
    from runner.agent.keeper import Keeper, Nobody
    from runner.agent.limits import Allowance
    from runner.agent.overlay import Overlay

_BLOCK = 1 << 16
#: Capacity given to a pipe through which much flows: the script need not wait for us at each block.
_WIDE = 1 << 18
_F_SETPIPE_SZ = 1031
_SPLICE_F_NONBLOCK = 2
#: Full blocks after which output counts as a flood.
_FLOOD = 4
#: What a pipe that is ready for writing takes without waiting; no more can be offered to a descriptor that waits.
_CHUNK = 4096
_ROUNDS = 16


class Sink:
    """Where output goes. The descriptor is shared with others, so whether it waits is not ours to change.

    Attributes:
        fd: To be polled; -1 for the null device, which needs no writing.
        tells: Whether polling it tells that nobody reads any more.
        is_pipe: Whether it is a pipe.
    """

    def __init__(self, fd: int, status: os.stat_result) -> None:
        self.fd = fd
        self.tells = False
        #: Whether the descriptor is ours to close.
        self.owned = False
        self._waits = True
        self._socket: Any = None
        mode = status.st_mode
        self.is_pipe = stat.S_ISFIFO(mode)
        if is_null(status):
            self.fd = -1
        elif stat.S_ISSOCK(mode):
            from _socket import MSG_DONTWAIT, socket

            self._socket = socket(fileno=os.dup(fd))
            self.fd = self._socket.fileno()
            self.owned = True
            self._flags = MSG_DONTWAIT
            self.tells = True
        elif stat.S_ISREG(mode):
            self._waits = False  # and opened once more it would begin at its beginning
        else:
            self._reopen(fd)
            # A named pipe may get another reader.
            self.tells = not self.is_pipe or _target(fd).startswith("pipe:")

    def _reopen(self, fd: int) -> None:
        # The same pipe or terminal opened once more has flags of its own.
        try:
            self.fd = os.open(f"/proc/self/fd/{fd}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
            self._waits = False
            self.owned = True
        except OSError:
            pass  # no /proc, or another user's pipe

    def write(self, data: bytes | memoryview) -> int:
        """Write what is taken at once and return how much that was.

        Raises:
            OSError: Nobody reads it any more.
        """
        if self.fd < 0:
            return len(data)
        try:
            if self._socket is not None:
                sent: int = self._socket.send(data, self._flags)
                return sent
            if self._waits:
                return os.write(self.fd, data[:_CHUNK]) if self._is_ready() else 0
            return os.write(self.fd, data)
        except BlockingIOError:
            return 0

    def _is_ready(self) -> bool:
        from select import POLLOUT, poll

        poller = poll()
        poller.register(self.fd, POLLOUT)
        return bool(poller.poll(0))

    def close(self) -> None:
        """Close what was opened for writing: whoever reads it may be waiting for that."""
        if self._socket is not None:
            self._socket.close()
        elif self.owned and self.fd >= 0:
            os.close(self.fd)
        self.fd, self.owned = -1, False


class Carrier:
    """Reads what the script writes, has it counted, and passes it on.

    Attributes:
        stream: The stream it serves.
        source: Descriptor it reads from; -1 after the end.
        sink: Where it goes.
        pending: Bytes read that the destination has not taken yet.
        dry: Whether the last look found nothing to read.
        carried: Bytes read so far.
        allowance: Cuts output off at a limit; what comes later is read and dropped, so that whoever writes it can end.
        overlay: Decides what is written in the place of what the script writes, or None.
        announce: Called before the first byte is passed on.
        release: Whether this process lets go of its destination at the end, so that whoever reads it sees that.
    """

    def __init__(self, stream: Stream, keeper: Keeper | Nobody) -> None:
        self.stream = stream
        self.source = stream.source
        self.sink = Sink(stream.fd, stream.status)
        self.keeper = keeper
        self.allowance: Allowance | None = None
        self.overlay: Overlay | None = None
        self.pending: bytes | memoryview = b""
        self.dry = False
        self.carried = 0
        self.announce: Callable[[], None] | None = None
        self.release = False
        self._pty = stream.pty
        self._tee: Callable[..., int] | None = None
        self._full = 0
        os.set_blocking(self.source, False)

    def pump(self) -> None:
        """Move on whatever can be moved now."""
        for _ in range(_ROUNDS):
            if self.pending:
                self._offer(self.pending)
            if self.pending or self.source < 0:
                return
            data = self._duplicate() if self._tee is not None else None
            if data is None:
                data = self._read()
                if data is None:
                    return
                self._take(data)
            if len(data) < _BLOCK >> 2:
                return

    def drain(self, limit: int) -> None:
        """Move on what was written before now, as far as the destination takes it at once.

        Args:
            limit: Value of `carried` at which to stop all the same: others may go on writing.
        """
        self.dry = False
        while not (self.dry or self.pending or self.source < 0 or self.carried >= limit):
            self.pump()

    def _take(self, data: bytes) -> None:
        self.carried += len(data)
        if self.allowance is not None:
            data = self.allowance.grant(data)
            if not data:
                return
        if self.announce is not None:
            self.announce()
            self.announce = None
        # Written first, counted then: the one who reads it works meanwhile.
        self._offer(data if self.overlay is None else self.overlay.passing(self, data))
        self.keeper.feed(data)

    def _read(self) -> bytes | None:
        self.dry = False
        try:
            data = self._pty.read() if self._pty is not None else os.read(self.source, _BLOCK)
        except BlockingIOError:
            self.dry = True
            return None
        except OSError as error:
            if error.errno != errno.EIO:  # what a pty tells at its end
                raise
            data = self._pty.release() if self._pty is not None else b""
            self._close_source()
            return data or None
        if data:
            if self._pty is None and len(data) == _BLOCK:
                self._widen()
            return data
        if self._pty is None:
            self._close_source()
        return None

    def _duplicate(self) -> bytes | None:
        """Pass on a block without copying it, and return it; None where that can't be done now."""
        assert self._tee is not None
        if self.allowance is not None and self.allowance.left < _BLOCK:
            self._tee = None  # what is cut off can't be passed on whole
            return None
        length = self._tee(self.source, self.sink.fd, _BLOCK, _SPLICE_F_NONBLOCK)
        if length <= 0:
            return None  # nothing to read, or no room there, or nobody: the plain way finds out
        if length < _BLOCK >> 2:
            self._tee, self._full = None, 0  # small pieces would each take the room of a page
        data = os.read(self.source, length)
        self.carried += length
        if self.allowance is not None:
            self.allowance.grant(data)
        self.keeper.feed(data)
        return data

    def _widen(self) -> None:
        """Prepare for a flood, when one shows."""
        self._full += 1
        if self._full != _FLOOD:
            return
        from runner.agent.libc import function

        if self.sink.is_pipe and self.overlay is None:
            self._tee = function("tee")
        try:
            from fcntl import fcntl

            fcntl(self.source, _F_SETPIPE_SZ, _WIDE)
        except (ImportError, OSError):
            pass  # not Linux, or the user has no more room for pipes

    def settle(self) -> None:
        """Pass on the carriage return that waits for a newline, since none has followed."""
        if self._pty is not None and not self.pending:
            held = self._pty.release()
            if held:
                self._take(held)

    def insert(self, data: bytes) -> None:
        """Write something that is not the script's, behind all that has come of it so far.

        What is not taken at once goes before whatever comes next; where nobody reads any more, the script is the one
        to learn it.
        """
        if self.sink.fd < 0:
            write_all(self.stream.fd, data)  # it has ended
            return
        if self.pending:
            data = bytes(self.pending) + data
        try:
            taken = self.sink.write(data)
        except OSError:
            return
        self.pending = memoryview(data)[taken:] if taken < len(data) else b""

    @property
    def unsettled(self) -> bool:
        """Whether `settle` is due if nothing follows soon."""
        return self._pty is not None and self._pty.holds

    def _offer(self, data: bytes | memoryview) -> None:
        try:
            while data:
                taken = self.sink.write(data)
                if not taken:
                    break
                data = memoryview(data)[taken:] if taken < len(data) else b""
        except OSError:
            self.give_up()
            return
        self.pending = data

    def give_up(self) -> None:
        """Nobody reads the destination any more: let the script learn it as it would alone, when it writes."""
        self.pending = b""
        self._close_source()

    def _close_source(self) -> None:
        if self.source < 0:
            return
        if self._pty is not None:
            self._pty.close()
        else:
            os.close(self.source)
        self.source = -1

    @property
    def ended(self) -> bool:
        """Whether nothing more can come and all that came is written."""
        return self.source < 0 and not self.pending

    def close(self) -> None:
        """Close both ends."""
        self._close_source()
        self.sink.close()


def _target(fd: int) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{fd}")
    except OSError:
        return ""
