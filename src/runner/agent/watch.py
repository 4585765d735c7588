"""Follow the processes of a tree from one round to the next, and lose nothing of what those that end had used."""

from __future__ import annotations

from time import monotonic_ns, thread_time_ns

from runner.agent.usage import Tally

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import AbstractSet

    from runner.agent.proc import Process

#: Seconds after which a process that has not run is read all the same: others can change its memory and its parent.
_REFRESH = 2.0
#: Reading every process on the machine, where the kernel lists no children, takes at most one part in this of a core.
_SCAN_SHARE = 50


class Watch:
    """The processes of a tree. A process once found belongs to it until it ends, whoever becomes its parent.

    Args:
        root: The process whose descendants are followed.
        spare: Processes that don't belong to the tree, nor what is below them; may change from round to round.
        backend: The module that reads processes: `proc` or `portable`.
        whole: Whether the root itself belongs to the tree.

    Attributes:
        processes: The living by process id, zombies included, parents before their children.
        aside: Zombies that the caller is about to wait for; they are the caller's to account for.
        ended: What was used by processes that ended without a process of the tree waiting for them.
        lost: What was used by children of processes that ignore SIGCHLD: the kernel drops it.
        deaf: Whether a process was seen that ignores SIGCHLD.
        peak: Highest resident memory of a single process seen, in bytes.
        stamp: Monotonic clock in nanoseconds when the CPU clocks of this round were read.
        round: Number of the last look.
        changed: Whether anything may differ from the round before.
        stride: Of how many processes that have run one is read in a round; raised when a round takes too long.
    """

    def __init__(self, root: int, spare: AbstractSet[int], backend: ModuleType, whole: bool = False) -> None:
        self.processes: dict[int, Process] = {}
        self.aside: dict[int, Process] = {}
        self.ended = Tally()
        self.lost = Tally()
        self.deaf = False
        self.peak = 0
        self.stamp = monotonic_ns()
        self.stride = 1
        self.changed = True
        self.round = 0
        self._spare = spare
        self._backend = backend
        self._root: Process = backend.Process(root, 0)
        self._tops = [] if whole else [self._root]
        self._scan_due = 0
        self._broods: dict[int, set[int]] = {}  # the known children of each process that has some
        if whole:
            self.processes[root] = self._root

    def update(self, now: float) -> None:
        """Look at the tree once more.

        Args:
            now: Seconds by any clock that only rises.
        """
        self.round += 1
        gone: dict[int, Process] = {}
        stirred: list[Process] = []
        self.stamp = monotonic_ns()
        for process in self.processes.values():
            if self._runs(process, gone) or (now >= process.due and process.pid not in gone):
                process.stirred = True
                stirred.append(process)
            else:
                process.stirred = False
        known = len(self.processes)
        self._discover(stirred)
        found = list(self.processes.values())[known:] if len(self.processes) > known else []
        if found:
            # Opening files takes a while in which the tree runs on: a rate needs all clocks read at one time.
            self.stamp = monotonic_ns()
            for process in stirred + found:
                self._runs(process, gone)
        self.changed = bool(stirred or gone or found)
        if self.changed:
            self._read(now, gone)
            if gone:
                self._bury(gone)

    def _runs(self, process: Process, gone: dict[int, Process]) -> bool:
        """Read the CPU clock of a process; return whether it has run. One that is gone is added to `gone`."""
        try:
            return process.moved()
        except ProcessLookupError:
            process.stirred = False
            gone[process.pid] = process
            return False

    def refresh(self, now: float) -> None:
        """Look at the tree once more, and read every process of it."""
        self.stride = 1
        self._scan_due = 0
        for process in self.processes.values():
            process.due = 0.0
        self.update(now)

    def _discover(self, stirred: list[Process]) -> None:
        # A process that has not run has not forked.
        if not self._backend.LISTS_CHILDREN:
            self._discover_by_scan()
            return
        queue = self._tops + stirred
        for process in queue:  # grows while it is walked
            for pid in process.children():
                if pid not in self.processes:
                    found = self._admit(pid, process)
                    if found is not None:
                        queue.append(found)

    def _discover_by_scan(self) -> None:
        if self.stamp < self._scan_due:
            return
        begun = thread_time_ns()
        below = self._backend.scan()
        queue = [self._root, *self.processes.values()]
        for process in queue:
            for pid in below.get(process.pid, ()):
                if pid not in self.processes:
                    found = self._admit(pid, process)
                    if found is not None:
                        queue.append(found)
        self._scan_due = self.stamp + (thread_time_ns() - begun) * _SCAN_SHARE

    def _admit(self, pid: int, parent: Process) -> Process | None:
        if pid in self._spare or pid in self.aside:
            return None
        process: Process = self._backend.Process(pid, parent.pid)
        try:
            process.moved()
        except ProcessLookupError:
            return None
        self.processes[pid] = process
        self._broods.setdefault(parent.pid, set()).add(pid)
        return process

    def _read(self, now: float, gone: dict[int, Process]) -> None:
        # Parents come first: a child that is still there after its parent was read is not yet in the parent's sums.
        for process in list(self.processes.values()):
            if process.pid in gone:
                continue
            parent = self.processes.get(process.parent)
            try:
                if not process.stirred:
                    if parent is not None and parent.stirred:
                        process.moved()
                elif self.stride > 1 and process.sightings and (process.pid + self.round) % self.stride:
                    process.due = 0.0
                    process.moved()
                else:
                    self._read_one(process, parent, now)
            except ProcessLookupError:
                gone[process.pid] = process

    def _read_one(self, process: Process, parent: Process | None, now: float) -> None:
        parent_before = process.parent
        try:
            process.read()
        except ProcessLookupError:
            raise
        except OSError:  # hidden from this user, or no descriptor is left: its CPU clock can be read all the same
            process.moved()
            process.io = None
        if process.parent != parent_before:
            self._broods.get(parent_before, set()).discard(process.pid)
            self._broods.setdefault(process.parent, set()).add(process.pid)
        process.round = self.round
        process.due = now + _REFRESH * (1 + process.pid % 8 / 8)  # not all of them at once
        self.peak = max(self.peak, process.peak if process.rose else process.rss)
        if process.ignores_children:
            self.deaf = True
        # Between fork (or vfork) and exec a process is a copy of its parent: counted, it would double the memory.
        process.copy = (
            parent is not None
            and process.size == parent.size
            and (process.sightings == 1 or (process.copy and parent.state == "D"))
        )
        if process.copy:
            process.due = now

    def _bury(self, gone: dict[int, Process]) -> None:
        # Children before their parents: what a child had used passes through a parent that is gone too.
        for process in _children_first(gone):
            del self.processes[process.pid]
            process.close()
            parent = self.processes.get(process.parent)
            if parent is None:
                self.ended.add_process(process)
            elif parent.ignores_children:
                self.lost.add_process(process)
            else:
                self._inherit(parent, process)
            self._unlink(process)

    def _inherit(self, parent: Process, child: Process) -> None:
        """Let a parent's sums hold at least what they held before, and what its child had used when last seen."""
        if parent.round != self.round:
            parent.round = self.round
            parent.waited_before = parent.waited
            parent.io_before = parent.io
        parent.waited_before += child.cpu + child.waited
        parent.waited = max(parent.waited, parent.waited_before)
        if parent.io is None or parent.io_before is None or child.io is None:
            return
        parent.io_before = [mine + its for mine, its in zip(parent.io_before, child.io)]
        parent.io = [max(pair) for pair in zip(parent.io, parent.io_before)]

    def _unlink(self, process: Process) -> None:
        """Take a process from its parent; its children belong to the root until they are read and tell otherwise."""
        self._broods.get(process.parent, set()).discard(process.pid)
        for pid in self._broods.pop(process.pid, ()):
            child = self.processes.get(pid)
            if child is not None:
                child.parent = self._root.pid
                child.due = 0.0
                self._broods.setdefault(child.parent, set()).add(pid)

    def _gone_below(self, pid: int) -> dict[int, Process]:
        """Return the children of a process that are gone, and theirs, as far as the generations are without gap."""
        gone: dict[int, Process] = {}
        parents = [pid]
        for parent in parents:  # grows while it is walked
            for child in self._broods.get(parent, ()):
                process = self.processes.get(child)
                if process is not None:
                    self._runs(process, gone)
                    if child in gone:
                        parents.append(child)
        return gone

    def forget(self, pid: int) -> Process | None:
        """Drop a process that the caller has waited for; return it as it was last read, if it was known."""
        process = self.aside.pop(pid, None) or self.processes.pop(pid, None)
        if process is not None:
            process.close()
            self._unlink(process)
            self.changed = True
        return process

    def set_aside(self, pid: int) -> None:
        """Read a zombie for the last time, and leave it to the caller to wait for it and account for it."""
        # Children of it that are gone it had waited for: its sums hold them, and the caller is told these.
        self._bury(self._gone_below(pid))
        process = self.processes.pop(pid, None) or self._backend.Process(pid, self._root.pid)
        try:
            process.moved()
            process.read(last=True)
        except OSError:
            if not process.sightings:
                process.io = None
        process.close()
        self.deaf = self.deaf or process.ignores_children
        self.aside[pid] = process
        self._unlink(process)
        self.changed = True

    def close(self) -> None:
        """Let go of what reading has kept open; it is opened again should the tree be read once more."""
        self._root.close()
        for process in self.processes.values():
            process.close()


def _children_first(processes: dict[int, Process]) -> list[Process]:
    """Return processes, children before their parents."""
    ordered: list[Process] = []
    pending = dict(processes)
    while pending:
        _, process = pending.popitem()
        line = [process]
        while line[-1].parent in pending:
            line.append(pending.pop(line[-1].parent))
        ordered += line[::-1]
    return ordered[::-1]
