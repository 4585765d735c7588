"""Read one process by psutil, on systems without a /proc of Linux's kind; without psutil there is nothing to read."""

from __future__ import annotations

from runner.agent import process

try:
    import psutil
except ImportError:  # an extra: the run goes on, its figures are those of wait4
    psutil = None  # type: ignore[assignment]

#: The parent of every process has to be read to find the children of one.
LISTS_CHILDREN = False


class Process(process.Process):
    """One process, read by psutil.

    There is no high-water mark, so the peak is the highest memory read; what children used is counted by the system
    only where psutil knows it.
    """

    __slots__ = ("_faults", "_process", "_switches", "_times")

    def __init__(self, pid: int, parent: int) -> None:
        super().__init__(pid, parent)
        self.io = self.io_before = None
        self._times = (0.0, 0.0, 0.0, 0.0)
        self._switches = (0, 0)
        self._faults = (0, 0)
        try:
            self._process = psutil.Process(pid) if psutil else None
        except psutil.Error:
            self._process = None

    def moved(self) -> bool:
        """Read the CPU times; return whether the process may have run since: too coarse a clock to tell, so it may.

        Raises:
            ProcessLookupError: It is gone.
        """
        if self._process is None or not self._process.is_running():
            raise ProcessLookupError(self.pid)
        try:
            times = self._process.cpu_times()
        except psutil.ZombieProcess:
            return False
        except psutil.NoSuchProcess:
            raise ProcessLookupError(self.pid) from None
        except psutil.AccessDenied:
            return True
        children = getattr(times, "children_user", 0.0), getattr(times, "children_system", 0.0)
        self._times = (times.user, times.system, *children)
        self.cpu = max(self.cpu, round((times.user + times.system) * 1e9))
        return True

    def read(self, last: bool = False) -> None:
        """Read everything else.

        Args:
            last: The process is a zombie about to be waited for.

        Raises:
            ProcessLookupError: It is gone.
            OSError: It is there, but does not let itself be read.
        """
        if self._process is None:
            raise ProcessLookupError(self.pid)
        try:
            with self._process.oneshot():
                self._read(self._process)
        except psutil.ZombieProcess:
            self.state = "Z"
            if last:
                raise PermissionError(self.pid) from None
        except psutil.NoSuchProcess:
            raise ProcessLookupError(self.pid) from None
        except psutil.AccessDenied:
            raise PermissionError(self.pid) from None

    def _read(self, process: psutil.Process) -> None:
        self.state = "Z" if process.status() == psutil.STATUS_ZOMBIE else "R"
        if self.state == "Z":
            raise psutil.ZombieProcess(self.pid)
        self.parent = process.ppid()
        self.waited_before = self.waited
        self.waited = max(self.waited, round((self._times[2] + self._times[3]) * 1e9))
        memory = process.memory_info()
        self.rss = memory.rss
        self.size = memory.vms
        self.rose = self.rss > self.peak
        self.peak = max(self.peak, self.rss)
        self._faults = getattr(memory, "pfaults", 0), getattr(memory, "pageins", 0)
        self.threads = process.num_threads()
        switches = process.num_ctx_switches()
        self._switches = switches.voluntary, switches.involuntary
        self.io_before = self.io
        self.io = self._read_io(process)
        try:
            self.fds = process.num_fds()
        except (AttributeError, psutil.AccessDenied):
            self.fds = None
        self.sightings += 1

    def _read_io(self, process: psutil.Process) -> list[int] | None:
        try:
            io = process.io_counters()
        except (AttributeError, psutil.AccessDenied):  # macOS has none
            return None
        return [io.read_bytes, io.write_bytes, getattr(io, "read_chars", 0), getattr(io, "write_chars", 0)]

    def times(self) -> tuple[float, float]:
        """Return user and system CPU seconds so far, those of waited-for children included."""
        user, system, waited_user, waited_system = self._times
        return user + waited_user, system + waited_system

    def faults(self) -> tuple[int, int]:
        """Return minor and major page faults so far, where the system tells."""
        return self._faults

    @property
    def had_children(self) -> bool:
        """Whether it has waited for a child, as far as the system tells."""
        return any(self._times[2:])

    def switches(self) -> tuple[int, int]:
        """Return voluntary and involuntary context switches so far."""
        return self._switches

    def proportional(self) -> tuple[int, int, int] | None:
        """Return proportional, private and resident memory in bytes (slow), or None where they can't be read."""
        try:
            memory = self._process.memory_full_info() if self._process else None
        except psutil.Error:
            return None
        if memory is None or not hasattr(memory, "pss"):
            return None
        return memory.pss, memory.uss, memory.rss

    def close(self) -> None:
        """Do nothing: nothing is kept open."""


def scan() -> dict[int, list[int]]:
    """Return the children of every process on the machine."""
    found: dict[int, list[int]] = {}
    if psutil:
        for process in psutil.process_iter(["ppid"]):
            found.setdefault(process.info["ppid"], []).append(process.pid)
    return found


def is_zombie(pid: int) -> bool:
    """Whether a process has ended and only waits to be waited for; True also for one that is gone or out of sight."""
    if not psutil:
        return True
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return True
