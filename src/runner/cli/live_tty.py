"""Looks at the terminal before anything is drawn on it: its size, whose it is, its modes, who reads it."""

from __future__ import annotations

import os
import termios
from fcntl import ioctl

from runner.agent.outpty import device

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection

_TTY = os.makedev(5, 0)  # /dev/tty
#: Modes without which a line is not a line, or what is typed is none of ours to see.
_LOCAL = termios.ICANON | termios.ECHO
_OUTPUT = termios.OPOST | termios.ONLCR
#: Numbers of the calls that read from a descriptor.
_READS = {"x86_64": ("0", "19"), "aarch64": ("63", "65")}.get(os.uname().machine, ())
#: Tasks that are asked whether they read the terminal; a tree of more is looked at in part.
_ASKED = 32


class Tty:
    """One terminal.

    Args:
        fd: Descriptor of it.
    """

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._device = device(fd)

    def size(self) -> tuple[int, int]:
        """Return columns and lines: 80 and 24 where the terminal, a serial line for instance, does not tell."""
        try:
            size = os.get_terminal_size(self.fd)
        except OSError:
            return 0, 0  # gone
        return size.columns or 80, size.lines or 24

    def is_ours(self) -> bool:
        """Whether this process is in the foreground of it."""
        try:
            return os.tcgetpgrp(self.fd) == os.getpgrp()
        except OSError:
            return False  # another's, or gone

    def is_calm(self) -> bool:
        """Whether it takes lines, shows what is typed, and writes lines below each other."""
        try:
            modes = termios.tcgetattr(self.fd)
        except termios.error:
            return False
        local, output = int(modes[3]), int(modes[1])
        return local & _LOCAL == _LOCAL and output & _OUTPUT == _OUTPUT

    def typed(self) -> int:
        """Return how many bytes of whole lines were typed that nobody has read yet."""
        try:
            return int.from_bytes(ioctl(self.fd, termios.FIONREAD, bytes(4)), "little")
        except OSError:
            return 0

    def is_read(self, tree: Callable[[], Collection[int]]) -> bool:
        """Whether a process waits for what is typed.

        Args:
            tree: Returns the processes that are asked.
        """
        if not _READS:
            return False
        left = _ASKED
        for pid in tree():
            try:
                tasks = os.listdir(f"/proc/{pid}/task")
            except OSError:
                continue
            for task in tasks[:left]:
                if self._reads(pid, task):
                    return True
            left -= len(tasks)
            if left <= 0:
                break
        return False

    def _reads(self, pid: int, task: str) -> bool:
        try:
            with open(f"/proc/{pid}/task/{task}/syscall", "rb", buffering=0) as file:
                number, _, rest = file.read(64).decode("ascii").partition(" ")
            if number not in _READS:
                return False
            found = os.stat(f"/proc/{pid}/fd/{int(rest.split(' ', 1)[0], 16)}").st_rdev
        except (OSError, ValueError):
            return False
        return found in (self._device, _TTY)
