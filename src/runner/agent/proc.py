"""Read one process from Linux /proc, through descriptors that stay open, and only when its CPU clock has moved."""

from __future__ import annotations

import os
from time import clock_gettime_ns

from runner.agent import process
from runner.agent.tree import LISTS_CHILDREN, children, scan, slurp

__all__ = ["LISTS_CHILDREN", "Process", "scan"]

_TICK = 10**9 // os.sysconf("SC_CLK_TCK")  # nanoseconds
_PAGE = os.sysconf("SC_PAGE_SIZE")
_SIZE = 1 << 13  # more than any of the files read here holds
_FILES = ("/proc/%d/stat", "/proc/%d/status", "/proc/%d/io", "/proc/%d/task/%d/children")
_STAT, _STATUS, _IO, _CHILDREN = range(4)
# SIGCHLD is bit 16 of a mask of 64 bits in hexadecimal: the last bit of the twelfth digit.
_SIGCHLD_DIGIT = 11
_ODD = b"13579bdf"
# One page fault in this many, and the high-water mark is as good as where it was.
_SETTLED = 50

# Open descriptors count against the limit that the script's own pipes and ptys are opened under, so take a part only.
_MAY_KEEP = min(max(os.sysconf("SC_OPEN_MAX") // 2 - 64, 0), 3000)
_kept = 0


def _clock_id(pid: int) -> int:
    return (~pid << 3) | 2


def _clocks_work() -> bool:
    try:
        return clock_gettime_ns(_clock_id(os.getpid())) > 0
    except OSError:  # a sandbox that emulates the kernel
        return False


def _fds_counted() -> bool:
    # From Linux 6.2 on, the size of the directory is the number of descriptors.
    try:
        return os.stat("/proc/self/fd").st_size > 0
    except OSError:
        return False


_CLOCKS = _clocks_work()
_FDS_COUNTED = _fds_counted()


class Process(process.Process):
    """One process, read from /proc through descriptors that stay open."""

    __slots__ = ("_born", "_clock", "_faulted", "_fds", "_stat")

    def __init__(self, pid: int, parent: int) -> None:
        super().__init__(pid, parent)
        self._clock = _clock_id(pid)
        self._born = b""
        self._faulted = 0
        self._stat: list[bytes] = []
        self._fds = [-1, -1, -1, -1]

    def moved(self) -> bool:
        """Read the CPU clock; return whether the process has run since the last call.

        Raises:
            ProcessLookupError: It is gone.
        """
        if not _CLOCKS:
            return self._moved_by_stat()
        try:
            cpu = clock_gettime_ns(self._clock)
        except OSError:
            raise ProcessLookupError(self.pid) from None
        if cpu == self.cpu:
            return False
        if cpu < self.cpu:  # its number belongs to another process by now
            raise ProcessLookupError(self.pid)
        self.cpu = cpu
        return True

    def _moved_by_stat(self) -> bool:
        try:
            data = self._pread(_STAT)
        except FileNotFoundError:
            raise ProcessLookupError(self.pid) from None
        fields = data[data.rindex(b")") + 2 :].split(None, 20)
        cpu = (int(fields[11]) + int(fields[12])) * _TICK
        if fields[19] != (self._born or fields[19]):
            raise ProcessLookupError(self.pid)
        moved = cpu != self.cpu
        self.cpu = cpu
        return moved

    def read(self, last: bool = False) -> None:
        """Read everything else.

        Args:
            last: The process is a zombie about to be waited for: what may have changed unnoticed is read too.

        Raises:
            ProcessLookupError: It is gone.
            OSError: It is there, but does not let itself be read.
        """
        try:
            data = self._pread(_STAT)
        except FileNotFoundError:
            raise ProcessLookupError(self.pid) from None
        fields = data[data.rindex(b")") + 2 :].split(None, 22)
        if fields[19] != self._born:
            if self._born:
                raise ProcessLookupError(self.pid)
            self._born = fields[19]
        self._stat = fields
        self.sightings += 1
        self.state = fields[0].decode("ascii")
        self.parent = int(fields[1])
        self.waited_before = self.waited
        self.waited = max(self.waited, (int(fields[13]) + int(fields[14])) * _TICK)
        self.threads = int(fields[17])
        self.size = int(fields[20])
        self.rss = int(fields[21]) * _PAGE
        # Resident memory grows by page faults only: without one, the high-water mark is where it was.
        faulted = int(fields[7]) + int(fields[9])
        if faulted != self._faulted or last:
            self.settled = (faulted - self._faulted) * _SETTLED <= faulted
            self._faulted = faulted
            self._read_status()
        else:
            self.rose = False
        self._read_io()
        self.fds = self._count_fds()

    def _read_status(self) -> None:
        data = self._pread(_STATUS)
        at = data.find(b"VmHWM:")
        if at >= 0:  # a zombie has no memory any more
            peak = int(data[at + 6 : data.index(b"k", at)]) << 10
            self.rose = peak != self.peak  # less than before: another program was executed, whose mark starts anew
            self.peak = peak
        else:
            self.rose = False
        at = data.find(b"SigIgn:")
        if at >= 0:
            self.ignores_children = data[at + 8 + _SIGCHLD_DIGIT] in _ODD

    def _read_io(self) -> None:
        self.io_before = self.io
        try:
            fields = self._pread(_IO).split()
        except (PermissionError, FileNotFoundError):
            self.io = None
            return
        self.io = [int(fields[9]), int(fields[11]), int(fields[1]), int(fields[3])]

    def _count_fds(self) -> int | None:
        try:
            if _FDS_COUNTED:
                return os.stat(f"/proc/{self.pid}/fd").st_size
            return len(os.listdir(f"/proc/{self.pid}/fd"))
        except OSError:
            return None

    def times(self) -> tuple[float, float]:
        """Return user and system CPU seconds so far, those of waited-for children included."""
        if not self._stat:
            return self.cpu / 1e9, 0.0
        # The kernel rounds each down to ticks; their sums are known better.
        user, system, waited_user, waited_system = (int(field) for field in self._stat[11:15])
        own = self.cpu * (user / (user + system) if user + system else 1.0)
        waited = self.waited * (waited_user / (waited_user + waited_system) if waited_user + waited_system else 1.0)
        return (own + waited) / 1e9, (self.cpu + self.waited - own - waited) / 1e9

    def faults(self) -> tuple[int, int]:
        """Return minor and major page faults so far, those of waited-for children included."""
        if not self._stat:
            return 0, 0
        minor, waited_minor, major, waited_major = (int(field) for field in self._stat[7:11])
        return minor + waited_minor, major + waited_major

    @property
    def had_children(self) -> bool:
        """Whether it has waited for a child: each has page faults, however little else."""
        return bool(self._stat) and self._stat[8] != b"0"

    def switches(self) -> tuple[int, int]:
        """Return voluntary and involuntary context switches of the threads it has now."""
        voluntary = involuntary = 0
        try:
            for thread in os.listdir(f"/proc/{self.pid}/task"):
                fields = slurp(f"/proc/{self.pid}/task/{thread}/status").split()
                voluntary += int(fields[fields.index(b"voluntary_ctxt_switches:") + 1])
                involuntary += int(fields[fields.index(b"nonvoluntary_ctxt_switches:") + 1])
        except (OSError, ValueError):
            pass
        return voluntary, involuntary

    def proportional(self) -> tuple[int, int, int] | None:
        """Return proportional, private and resident memory in bytes (slow), or None where they can't be read."""
        try:
            # Opened each time: the open file belongs to the memory of the program that ran at that moment.
            fields = slurp(f"/proc/{self.pid}/smaps_rollup").split()
            at = [fields.index(name) + 1 for name in (b"Pss:", b"Private_Clean:", b"Private_Dirty:", b"Rss:")]
        except (OSError, ValueError):
            return None
        pss, clean, dirty, rss = (int(fields[index]) << 10 for index in at)
        return pss, clean + dirty, rss

    def children(self) -> list[int]:
        """Return the ids of its children, zombies included; an empty list once it is gone."""
        try:
            # The number of links of the directory is two more than the number of threads.
            if os.stat(f"/proc/{self.pid}/task").st_nlink == 3:
                data = self._pread(_CHILDREN)
                if len(data) < 2048:  # more may come in further pieces
                    return list(map(int, data.split()))
        except OSError:
            return []
        return children(self.pid)

    def close(self) -> None:
        """Close what was kept open."""
        global _kept
        for index, fd in enumerate(self._fds):
            if fd >= 0:
                os.close(fd)
                _kept -= 1
                self._fds[index] = -1

    def _pread(self, which: int) -> bytes:
        global _kept
        fd = self._fds[which]
        if fd >= 0:
            return os.pread(fd, _SIZE, 0)
        path = _FILES[which]
        fd = os.open(path % ((self.pid, self.pid) if which == _CHILDREN else self.pid), os.O_RDONLY)
        if _kept < _MAY_KEEP:
            self._fds[which] = fd
            _kept += 1
            return os.pread(fd, _SIZE, 0)
        try:
            return os.pread(fd, _SIZE, 0)
        finally:
            os.close(fd)
