"""A pty for output only: the script writes to a terminal; its session, group, input and Ctrl-C stay the real one's.

The slave has the modes of the outer terminal, so what the script sets there is copied out, and what the slave's own
output processing adds is taken out again: the outer terminal does the same once more.
"""

from __future__ import annotations

import os
import termios
from fcntl import ioctl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Collection

_EXTPROC = 0o200000  # no `termios` module has it
_TIOCPKT = 0x5420
_TIOCGDEV = 0x80045432
_MODES_CHANGED = 64  # TIOCPKT_IOCTL
_BLOCK = 1 << 16
_OFLAG, _LFLAG = 1, 3
_TTY = os.makedev(5, 0)  # /dev/tty


class OutputPty:
    """One pty whose slave the script gets as standard output, error or both.

    Args:
        outer: Descriptor of the real terminal.

    Raises:
        OSError: No pty can be had.

    Attributes:
        master: Our end; -1 once it is closed.
        slave: The script's end; to be closed once the script has it.
    """

    def __init__(self, outer: int) -> None:
        self._outer = outer
        self.master, self.slave = os.openpty()
        try:
            modes = termios.tcgetattr(outer)
            modes[_LFLAG] |= _EXTPROC
            termios.tcsetattr(self.slave, termios.TCSANOW, modes)
            ioctl(self.master, _TIOCPKT, b"\1\0\0\0")
            self.resize()
        except (OSError, termios.error) as error:
            os.close(self.master)
            os.close(self.slave)
            raise OSError(*error.args) from None
        self._device = os.fstat(self.slave).st_rdev
        self._held = b""
        #: How often the script has changed modes.
        self.changes = 0
        self._learn(modes)

    def _learn(self, modes: list[Any]) -> None:
        self._undo = modes[_OFLAG] & termios.OPOST != 0 and modes[_OFLAG] & termios.ONLCR != 0
        #: Whether the script reads single keys from this terminal, or may be about to.
        self.raw = modes[_LFLAG] & termios.ICANON == 0

    def read(self) -> bytes | None:
        """Return the next output of the script as it wrote it: None after a change of modes, b"" for nothing yet.

        Raises:
            OSError: EIO once nobody has the slave any more; BlockingIOError where nothing has come.
        """
        data = os.read(self.master, _BLOCK)
        if data[:1] != b"\0":
            if data and data[0] & _MODES_CHANGED:
                self._modes_changed()
            return None
        data = self._held + data[1:]
        self._held = b""
        if self._undo:
            if data.endswith(b"\r"):  # it may be the first half of what became of a newline
                self._held = b"\r"
                data = data[:-1]
            data = data.replace(b"\r\n", b"\n")
        return data

    @property
    def holds(self) -> bool:
        """Whether a carriage return waits for what follows it."""
        return self._held != b""

    def release(self) -> bytes:
        """Return the carriage return that waits, now that nothing has followed it."""
        held, self._held = self._held, b""
        return held

    def resize(self) -> bool:
        """Give the slave the size of the outer terminal; return whether that is a change."""
        if self.master < 0:
            return False
        try:
            size = ioctl(self._outer, termios.TIOCGWINSZ, bytes(8))
        except OSError:  # hung up while this process was stopped
            return False
        if size == ioctl(self.master, termios.TIOCGWINSZ, bytes(8)):
            return False
        ioctl(self.master, termios.TIOCSWINSZ, size)
        return True

    def _modes_changed(self) -> None:
        modes = termios.tcgetattr(self.master)
        self.changes += 1
        self._learn(modes)
        if modes[_LFLAG] & _EXTPROC == 0:  # without it no further change would be told
            termios.tcsetattr(self.master, termios.TCSANOW, [*modes[:_LFLAG], modes[_LFLAG] | _EXTPROC, *modes[4:]])
        if in_foreground(self._outer):
            modes[_LFLAG] &= ~_EXTPROC
            try:
                if termios.tcgetattr(self._outer) != modes:
                    termios.tcsetattr(self._outer, termios.TCSANOW, modes)
            except termios.error:
                pass  # the terminal is gone; whoever writes to it will notice

    def wants_keys(self, tree: Collection[int]) -> bool:
        """Whether a process of the script reads single keys from the slave: what is typed then has to be relayed.

        So do pagers, which open the terminal that standard error stands for, and programs whose input is no terminal.

        Args:
            tree: The script and its descendants.
        """
        if not self.raw or not in_foreground(self._outer):
            return False
        terminal = device(self._outer)
        return any(self._reads_slave(pid, terminal) for pid in tree)

    def _reads_slave(self, pid: int, terminal: int) -> bool:
        folder = f"/proc/{pid}/fd/"
        try:
            devices = {int(name): _device_at(folder + name) for name in os.listdir(folder)}
        except OSError:
            return False
        mine = [fd for fd, number in devices.items() if number == self._device]
        return any(fd > 2 for fd in mine) or (bool(mine) and devices.get(0) not in (terminal, _TTY))

    def close(self) -> None:
        """Close our end; the script gets EIO from then on."""
        os.close(self.master)
        self.master = -1
        self.raw = False


def _device_at(path: str) -> int:
    try:
        return os.stat(path).st_rdev
    except OSError:
        return 0


def device(fd: int) -> int:
    """Return the number of the terminal behind a descriptor, which for /dev/tty is the one it stands for."""
    try:
        number = int.from_bytes(ioctl(fd, _TIOCGDEV, bytes(4)), "little")
    except OSError:
        return os.fstat(fd).st_rdev
    # The kernel's 32 bits: minor 0-7, major 8-19, minor again.
    return os.makedev(number >> 8 & 0xFFF, number & 0xFF | number >> 12 & 0xFFF00)


def in_foreground(fd: int) -> bool:
    """Whether this process may set modes of a terminal and read from it without being stopped."""
    try:
        return os.tcgetpgrp(fd) == os.getpgrp()
    except OSError:
        return True  # not the controlling terminal, so no job control either
