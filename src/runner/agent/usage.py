"""Sum up what processes have used: those that were waited for, those still alive, and those the kernel forgot."""

from __future__ import annotations

import sys

from runner.agent.tree import slurp

TYPE_CHECKING = False
if TYPE_CHECKING:
    import resource

    from runner.agent.proc import Process

#: Unit of ``ru_maxrss`` in bytes.
MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


class Tally:
    """A sum over processes, by the names in `events.USAGE_FIELDS` (without the peak, which is no sum)."""

    __slots__ = ("faults", "io", "io_complete", "switches", "system", "user")

    def __init__(self) -> None:
        self.user = 0.0
        self.system = 0.0
        self.faults = [0, 0]  #: minor, major
        self.switches = [0, 0]  #: voluntary, involuntary
        self.io = [0, 0, 0, 0]  #: read_bytes, write_bytes, read_chars, write_chars
        self.io_complete = True  #: False once there was a process whose I/O the system did not tell

    @property
    def cpu(self) -> int:
        """User and system CPU time in nanoseconds."""
        return round((self.user + self.system) * 1e9)

    def add_rusage(self, rusage: resource.struct_rusage) -> None:
        """Add what ``wait4`` told of a process and of the children it had waited for."""
        self.user += rusage.ru_utime
        self.system += rusage.ru_stime
        self.faults[0] += rusage.ru_minflt
        self.faults[1] += rusage.ru_majflt
        self.switches[0] += rusage.ru_nvcsw
        self.switches[1] += rusage.ru_nivcsw

    def add_io(self, process: Process) -> None:
        """Add what a process and the children it had waited for read and wrote."""
        if process.io is None:
            self.io_complete = False
        else:
            self.io = [mine + its for mine, its in zip(self.io, process.io)]

    def add_process(self, process: Process, switches: bool = False) -> None:
        """Add what a process had used when it was last read, its waited-for children included.

        Args:
            process: The process.
            switches: Read its context switches too; those of children it has waited for can't be known.
        """
        user, system = process.times()
        self.user += user
        self.system += system
        for index, count in enumerate(process.faults()):
            self.faults[index] += count
        self.add_io(process)
        if switches:
            for index, count in enumerate(process.switches()):
                self.switches[index] += count

    def add(self, other: Tally) -> None:
        """Add another sum to this one."""
        self.user += other.user
        self.system += other.system
        self.faults = [mine + its for mine, its in zip(self.faults, other.faults)]
        self.switches = [mine + its for mine, its in zip(self.switches, other.switches)]
        self.io = [mine + its for mine, its in zip(self.io, other.io)]
        self.io_complete = self.io_complete and other.io_complete

    def to_dict(self) -> dict[str, float | None]:
        """Return the sum by the names in `events.USAGE_FIELDS`."""
        return {
            "user_seconds": self.user,
            "system_seconds": self.system,
            "faults_minor": self.faults[0],
            "faults_major": self.faults[1],
            "switches_voluntary": self.switches[0],
            "switches_involuntary": self.switches[1],
            "read_bytes": self.io[0],
            "write_bytes": self.io[1],
            "read_chars": self.io[2],
            "write_chars": self.io[3],
        }


def own_peak() -> int:
    """Return the peak resident memory of this process in bytes, at which the kernel starts that of its children.

    ``getrusage`` is of no use: it remembers the program that this process was before it executed this one, and an
    agent may have been started by a program of gigabytes.
    """
    try:
        for line in slurp("/proc/self/status").split(b"\n"):
            if line.startswith(b"VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        import resource
    except ImportError:
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MAXRSS_UNIT
