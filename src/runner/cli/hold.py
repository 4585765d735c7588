"""Holds output back until it is known whether it is to be shown."""

from __future__ import annotations

import os

from runner.agent.channels import write_all
from runner.agent.overlay import Overlay

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _io
    from collections.abc import Callable, Iterator

    from runner.agent.carry import Carrier

#: Bytes kept in memory; what is more goes to a file without a name.
_IN_MEMORY = 1 << 20
_HEAD = 5  # bytes before each piece: the descriptor it goes to, and its length
_BLOCK = 4096
_GLANCE = 0.2  # seconds a reader may take until it is asked whether anybody still waits for the end


class Spool:
    """Output in the order in which it came, of whatever length: in memory first, then in a file without a name."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0
        self._file: _io.FileIO | None = None

    def add(self, fd: int, data: bytes) -> None:
        """Take output.

        Args:
            fd: Descriptor it is meant for.
            data: The output.

        Raises:
            OSError: There is no room for more; what came before is still there.
        """
        self._pieces.append(bytes((fd,)) + len(data).to_bytes(_HEAD - 1, "big"))
        self._pieces.append(data)
        self._size += _HEAD + len(data)
        if self._size > _IN_MEMORY:
            self._spill()

    def _spill(self) -> None:
        if self._file is None:
            from tempfile import TemporaryFile

            self._file = TemporaryFile(prefix="runner-output-", buffering=0)  # noqa: SIM115
        assert self._file is not None
        end = self._file.tell()
        if not write_all(self._file.fileno(), b"".join(self._pieces)):
            os.ftruncate(self._file.fileno(), end)
            self._file.seek(end)
            raise OSError("there is no room for the output that is held back")
        self._pieces.clear()
        self._size = 0

    def take(self) -> Iterator[tuple[int, bytes]]:
        """Yield everything, each piece with its descriptor, and forget it."""
        if self._file is not None:
            self._file.seek(0)
            with self._file as file:
                while head := file.read(_HEAD):
                    yield from _pieces(head[0], int.from_bytes(head[1:], "big"), file.read)
            self._file = None
        pieces, self._pieces, self._size = self._pieces, [], 0
        for head, data in zip(pieces[::2], pieces[1::2], strict=True):
            yield head[0], data


def _pieces(fd: int, length: int, read: Callable[[int], bytes | None]) -> Iterator[tuple[int, bytes]]:
    while length:
        data = read(length)
        if not data:
            return
        length -= len(data)
        yield fd, data


def show(spool: Spool) -> None:
    """Write what was held back where it was meant for; a signal that ends programs ends that too."""
    for fd, data in spool.take():
        if not write(fd, data):
            return


def write(fd: int, data: bytes) -> bool:
    """Write for whoever reads, in vain where nobody does; return whether to go on: False once a signal asks to end."""
    at = 0
    while at < len(data):
        if not _is_ready(fd):
            if _is_asked_to_end():
                return False
            continue
        # A pipe or terminal that is ready takes as much as this without waiting.
        if not write_all(fd, data[at : at + _BLOCK]):
            break
        at += _BLOCK
    return True


def _is_ready(fd: int) -> bool:
    from select import POLLOUT, poll

    poller = poll()
    poller.register(fd, POLLOUT)
    return bool(poller.poll(_GLANCE * 1000))


def _is_asked_to_end() -> bool:
    """Whether a signal waits that was held for the sake of the record, which is complete by now."""
    import _signal

    from runner.agent.pause import ENDING

    return bool(ENDING & {int(number) for number in _signal.sigpending()})


class Hold(Overlay):
    """Holds back all output of a run, attempt after attempt, streams apart.

    Where there is no more room for it, it is shown as it comes: seen for nothing is better than lost.
    """

    def __init__(self) -> None:
        self._spool: Spool | None = Spool()
        self._carriers: list[Carrier] = []

    def open(self, carriers: object, began: float, tree: object) -> None:
        """Begin with an attempt (see `Overlay.open`)."""
        self._carriers = list(carriers)  # type: ignore[call-overload]

    def passing(self, carrier: Carrier, data: bytes) -> bytes:
        """Take the output (see `Overlay.passing`)."""
        if self._spool is None:
            return data
        try:
            self._spool.add(carrier.stream.fd, data)
        except OSError:
            self.show()
        return b""

    def close(self, failed: bool) -> None:
        """Have what survivors still write shown after a failure only (see `Overlay.close`)."""
        if not failed and self._spool is not None:
            for carrier in self._carriers:
                carrier.sink.close()  # whatever is written there from now on is gone

    def finish(self, failed: bool) -> None:
        """Show everything after a failure (see `Overlay.finish`)."""
        if failed:
            self.show()

    def show(self) -> None:
        """Write everything where it was meant for, and hold nothing back from now on."""
        spool, self._spool = self._spool, None
        if spool is not None:
            show(spool)
