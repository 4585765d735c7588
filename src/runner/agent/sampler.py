"""Measure a process tree: samples of it while it lasts, and what it has used when it is over."""

from __future__ import annotations

import os
from time import thread_time_ns

from runner.agent import tree
from runner.agent.cpu import CpuCounter
from runner.agent.events import SAMPLE_FIELDS, USAGE_FIELDS
from runner.agent.usage import MAXRSS_UNIT, Tally, own_peak
from runner.agent.watch import Watch

TYPE_CHECKING = False
if TYPE_CHECKING:
    import resource
    from types import ModuleType
    from typing import AbstractSet

    from runner.agent.pss import Shares

#: Reading a tree takes at most this part of a core; of a tree too large for that, each process is read less often.
_SHARE = 0.1
#: No sample that takes less than this many nanoseconds is too slow.
_QUICK = 1_000_000
#: The kernel keeps the count of resident memory in parts, a part for each core: it is off by some pages.
_SLACK = 1 << 18

_IO = ("read_bytes", "write_bytes", "read_chars", "write_chars")
_SWITCHES = ("switches_voluntary", "switches_involuntary")
_BELOW_FLOOR = ["sampled", "the kernel's figure starts at the peak of the runner, which was higher"]
_UNKNOWN_BELOW_FLOOR = ["ceiling", "it ended before it was read, and the kernel's figure starts here"]
_UNSEEN_TREE = ["sampled", "no process was read; the largest is known to have stayed below this, not all together"]
#: Readings after which the peak seen is taken for the peak, where the kernel does not tell.
_ENOUGH = 4


class Sampler:
    """Measures the descendants of a process.

    Args:
        root: The process whose descendants are the tree; usually this one.
        memory: ``"rss"`` or ``"pss"``.
        spare: Children of the root that don't belong to the tree; looked at anew with each sample.
        started: When the tree began, by the clock that `take` is called with.
        floor: Peak resident memory of this process when it started the script, in bytes; the kernel starts the
            script's own peak there. Measured now where it is not given.
        backend: The module that reads processes; the best for this system where it is not given.
        whole: Whether the root itself belongs to the tree.
    """

    def __init__(
        self,
        root: int,
        memory: str,
        spare: AbstractSet[int],
        started: float = 0.0,
        floor: int = 0,
        backend: ModuleType | None = None,
        whole: bool = False,
    ) -> None:
        self._watch = Watch(root, spare, backend or _backend(), whole)
        self._last = started
        self._floor = floor or own_peak()
        self._reaped = Tally()
        self._reaped_peak = 0
        self._cpu = CpuCounter(os.cpu_count() or 1)
        self._io = [0, 0, 0, 0]
        self._io_known = False
        self._values: list[float | None] = []
        self._stamp: int | None = None
        self._shares = _shares() if memory == "pss" else None

    def take(self, now: float) -> tuple[float, list[float | None]]:
        """Take one sample.

        Args:
            now: Seconds by the monotonic clock; zero may be anywhere.

        Returns:
            Seconds since the sample before (since `started` at first), and the values by `events.SAMPLE_FIELDS`, each
            None where the system does not tell.
        """
        begun = thread_time_ns()
        watch = self._watch
        span = now - self._last
        self._last = now
        watch.update(now)
        # The clocks were read a little after `now` was, and a rate must not suffer from that.
        elapsed = round(span * 1e9) if self._stamp is None else watch.stamp - self._stamp
        self._stamp = watch.stamp
        if not (watch.processes or watch.aside):
            return span, [None] * len(SAMPLE_FIELDS)
        if watch.changed or self._shares or not self._values:
            self._values = self._sum_up(now, span)
        else:
            self._values[3] = self._values[2]
        known = watch.ended.cpu + watch.lost.cpu + self._reaped.cpu
        gain = self._cpu.advance(elapsed, known, (watch.processes, watch.aside))
        self._values[0] = self._cpu.total / 1e9
        self._values[1] = 100 * gain / elapsed if elapsed > 0 else None
        self._throttle(thread_time_ns() - begun, elapsed)
        return span, list(self._values)

    def look(self, now: float) -> list[float | None] | None:
        """Read the tree between two samples: what it holds, without a rate; None if there is nothing.

        Args:
            now: As for `take`.
        """
        watch = self._watch
        watch.update(now)
        if not watch.processes:
            return None
        if watch.changed or not self._values:
            self._values = self._sum_up(now, now - self._last)
        return [None, None, *self._values[2:]]

    def cpu_seconds(self) -> float:
        """Return the CPU time of the tree when it was last read, at least: what ended children used comes in ticks."""
        watch = self._watch
        spent = watch.ended.cpu + watch.lost.cpu + self._reaped.cpu
        for process in (*watch.processes.values(), *watch.aside.values()):
            spent += process.cpu + process.waited
        return spent / 1e9

    def attach(self, now: float) -> None:
        """Begin with a tree that has been running for a while: what it has used so far is in no rate.

        Args:
            now: As for `take`.
        """
        self._watch.refresh(now)
        self._last = now
        self._stamp = self._watch.stamp
        self._watch.peak = 0
        for process in self._watch.processes.values():
            self._watch.peak = max(self._watch.peak, process.rss)
            process.told = process.cpu
            self._cpu.total += process.cpu + process.waited

    def alive(self, pid: int) -> bool:
        """Whether a process of the tree was alive when last looked at."""
        process = self._watch.processes.get(pid)
        return process is not None and process.state not in "ZX"

    def _sum_up(self, now: float, span: float) -> list[float | None]:
        watch = self._watch
        shares = self._shares.estimate(watch.processes, now, span, watch.changed) if self._shares else None
        memory = peak = count = threads = 0
        fds: int | None = None
        io = [sum(column) for column in zip(watch.ended.io, watch.lost.io, self._reaped.io)]
        for process in (*watch.processes.values(), *watch.aside.values()):
            if process.io is not None:
                io = [mine + its for mine, its in zip(io, process.io)]
                self._io_known = True
            if process.state in "ZX":
                continue
            count += 1
            threads += process.threads
            if process.fds is not None:
                fds = (fds or 0) + process.fds
            if process.copy:
                continue
            own = process.rss if shares is None else shares[process.pid]
            memory += own
            peak += own
            if process.rose and process.round == watch.round:
                # What it held between two readings shows in its high-water mark only.
                peak += max(process.peak - process.rss, 0)
        self._io = [max(pair) for pair in zip(self._io, io)]
        counters: list[int] | list[None] = self._io if self._io_known else [None] * 4
        if not memory:  # a program is just being loaded
            return [0.0, 0.0, None, None, count, threads, fds, *counters]
        return [0.0, 0.0, memory, peak, count, threads, fds, *counters]

    def _throttle(self, took: int, elapsed: int) -> None:
        watch = self._watch
        if took > max(elapsed * _SHARE, _QUICK):
            watch.stride = min(watch.stride * 2, 64)
        elif watch.stride > 1 and took < elapsed * _SHARE / 4:
            watch.stride //= 2

    def last_look(self, pid: int) -> None:
        """Read what a zombie's /proc still tells: to be called before it is waited for.

        Args:
            pid: The script, or an orphan that this process is about to collect.
        """
        self._watch.set_aside(pid)

    def reaped(self, rusage: resource.struct_rusage, pid: int) -> None:
        """Account for an orphan that this process has collected (the script itself is for `finish`).

        Args:
            rusage: What ``wait4`` told of it.
            pid: Its process id.
        """
        self._reaped.add_rusage(rusage)
        self._reaped_peak = max(self._reaped_peak, rusage.ru_maxrss * MAXRSS_UNIT)
        looked_at = pid in self._watch.aside
        process = self._watch.forget(pid)
        if process is not None:
            self._reaped.add_io(process)
        if not looked_at:
            self._reaped.io_complete = False

    def survivors(self) -> list[int]:
        """Return the processes of the tree that are alive now."""
        self._watch.refresh(self._last)
        return [process.pid for process in self._watch.processes.values() if process.state not in "ZX"]

    def finish(self, rusage: resource.struct_rusage | None) -> tuple[dict[str, float | None], dict[str, list[str]]]:
        """Sum up what the tree has used.

        Args:
            rusage: What ``wait4`` told of the script; None where nobody could wait for it.

        Returns:
            The counters by `events.USAGE_FIELDS`, and those that are worth less than usual, each with its kind and
            the reason.
        """
        watch = self._watch
        watch.refresh(self._last)
        total = Tally()
        total.add(self._reaped)
        total.add(watch.lost)
        if rusage is None:
            total.add(watch.ended)
        else:
            total.add_rusage(rusage)
        for process in watch.aside.values():
            if rusage is None:
                total.add_process(process)
            else:
                total.add_io(process)
        for process in watch.processes.values():
            total.add_process(process, switches=True)
        weaker = self._reservations(total, rusage is not None)
        usage: dict[str, float | None] = {**total.to_dict(), "max_process_bytes": self._peak(rusage, weaker)}
        if not (total.io_complete or any(total.io)):
            usage.update(dict.fromkeys(_IO))
        return usage, weaker

    def close(self) -> None:
        """Let go of the descriptors of what is still alive: a process may measure many trees, one after the other."""
        self._watch.close()

    def _peak(self, rusage: resource.struct_rusage | None, weaker: dict[str, list[str]]) -> int | None:
        """Return the peak of the largest process in bytes; note in `weaker` where the kernel does not vouch for it."""
        seen = max(self._watch.peak, self._reaped_peak)
        if rusage is None:
            return seen or None
        told = rusage.ru_maxrss * MAXRSS_UNIT
        floor = self._floor + _SLACK
        if max(told, seen) > floor:
            return max(told, seen)
        # The script and its children stayed below what the kernel's figure started at.
        aside = self._watch.aside.values()
        # One that was first read when it was ending or a zombie showed no memory at all, however often it was read.
        known = all(process.peak and (process.settled or process.sightings >= _ENOUGH) for process in aside)
        if known:
            weaker.setdefault("max_process_bytes", _BELOW_FLOOR)
            return seen
        weaker.setdefault("max_process_bytes", _UNKNOWN_BELOW_FLOOR)
        if self._watch.processes or self._reaped_peak or any(process.had_children for process in aside):
            weaker["memory_peak_bytes"] = _UNSEEN_TREE
        return told

    def _reservations(self, total: Tally, waited: bool) -> dict[str, list[str]]:
        """Return which counters are worth less than usual, with kind and reason."""
        weaker: dict[str, list[str]] = {}
        if self._watch.processes:
            for field in _SWITCHES:
                weaker[field] = ["bound", "a survivor does not tell those of its children and threads that have ended"]
        if not total.io_complete:
            for field in _IO:
                weaker[field] = ["bound", "a process did not let its I/O be read at its end"]
        if not waited:
            for field in USAGE_FIELDS:
                weaker[field] = ["bound", "the script was not waited for: this is what it had used when last seen"]
        if self._watch.deaf:
            for field in USAGE_FIELDS:
                weaker[field] = ["bound", "a process ignores SIGCHLD: the kernel drops what its children use"]
        return weaker


def _backend() -> ModuleType:
    if tree.HAS_PROC:
        from runner.agent import proc

        return proc
    from runner.agent import portable

    return portable


def _shares() -> Shares:
    from runner.agent.pss import Shares

    return Shares()
