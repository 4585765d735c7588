"""Count the CPU time of a tree steadily, though the kernel tells that of ended children in ticks only."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterable, Mapping

    from runner.agent.proc import Process

#: Nanoseconds by which user and system time of waited-for children are rounded down, a tick each.
_ROUNDING = 20_000_000
#: Nanoseconds over which the rate of a tree is remembered, and what is late by less than `_ROUNDING` is spread.
_MEMORY = 200_000_000
_TRIFLE = 100_000


class CpuCounter:
    """A counter that never falls, and never rises faster than the cores can work.

    What the living use is known to the nanosecond, what children had used that were waited for only in ticks, rounded
    down. While a process collects children, its tree is therefore taken to go on as it did, as far as the ticks
    permit: told as they come, they would make a curve of spikes.

    Args:
        cores: Number of cores of the machine.

    Attributes:
        total: Nanoseconds so far.
    """

    def __init__(self, cores: int) -> None:
        self.total = 0
        self._cores = cores
        self._rate = 0.0  # cores at work of late

    def advance(self, elapsed: int, known: int, trees: Iterable[Mapping[int, Process]]) -> int:
        """Bring the counter up to date.

        Args:
            elapsed: Nanoseconds since the last call.
            known: Nanoseconds used by processes that are in no tree any more.
            trees: Processes by id, just read; what of their time has been counted is noted in them.

        Returns:
            Nanoseconds by which the counter has risen.
        """
        least = known
        ran = parents = 0
        for processes in trees:
            for process in processes.values():
                least += process.cpu + process.waited
                ran += process.cpu - process.told
                process.told = process.cpu
                if process.waited and process.stirred:
                    parents += 1
        share = min(elapsed / _MEMORY, 1.0)
        rounding = max(parents, 1) * _ROUNDING
        total = self.total + ran
        if parents:
            total = min(max(total, self.total + round(self._rate * elapsed)), least + rounding)
        late = least - total
        if late > 0:
            total += late if late < _TRIFLE else max(round(late * share), late - 2 * rounding)
        gain = max(min(total - self.total, elapsed * self._cores), 0)
        if elapsed > 0:
            self._rate += (gain / elapsed - self._rate) * share
        self.total += gain
        return gain
