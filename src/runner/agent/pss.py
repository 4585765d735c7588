"""Know the proportional memory of a tree without reading all of it each time, which would cost more than the script."""

from __future__ import annotations

from time import thread_time_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.agent.proc import Process

#: Reading takes at most this part of a core,
_SHARE = 0.03
#: and this many seconds at a stretch.
_STRETCH = 0.02


class _Family:
    """What the newest reading within a family, a process and its children, says about its other members."""

    __slots__ = ("at", "factor", "members", "shared")

    def __init__(self, at: float, shared: int, factor: float, members: int) -> None:
        self.at = at
        self.shared = shared  #: resident memory that the process shares with others
        self.factor = factor  #: part of it that is the process's own
        self.members = members


class Shares:
    """Estimates the proportional memory of each process.

    A reading takes milliseconds for each hundred megabytes, so the processes take turns, those not yet read first.
    What has been shared out since the last reading is computed from the newest reading of a relative: the members of a
    family share the same pages among the same number of processes.
    """

    def __init__(self) -> None:
        self._credit = _STRETCH
        self._families: dict[int, _Family] = {}
        self._pids: frozenset[int] = frozenset()
        self._changed_at = 0.0

    def estimate(self, processes: dict[int, Process], now: float, span: float, changed: bool) -> dict[int, int]:
        """Return the proportional memory of each process in bytes.

        Args:
            processes: The processes, just read.
            now: Seconds by a clock that only rises.
            span: Seconds since the call before.
            changed: Whether any process has run or ended since.
        """
        alive = [process for process in processes.values() if process.state not in "ZX" and not process.copy]
        pids = frozenset(process.pid for process in alive)
        if pids != self._pids:
            self._pids = pids
            self._changed_at = now
        sizes: dict[int, int] = {}
        for process in alive:
            key = self._family_of(process)
            sizes[key] = sizes.get(key, 0) + 1
        self._credit = min(self._credit + span * _SHARE, _STRETCH)
        # What shares its memory with a copy not counted yet would seem to have lost it.
        sharing = {process.parent for process in processes.values() if process.copy}
        for process in sorted(alive, key=_turn):
            if self._credit <= 0 or not (changed or process.shares_at < self._changed_at):
                break
            if process.pid not in sharing:
                self._read(process, now, sizes)
        self._families = {key: family for key, family in self._families.items() if key in sizes}
        return {process.pid: self._estimate_one(process, sizes) for process in alive}

    def _family_of(self, process: Process) -> int:
        return process.parent if process.parent in self._pids else process.pid

    def _read(self, process: Process, now: float, sizes: dict[int, int]) -> None:
        begun = thread_time_ns()
        shares = process.proportional()
        self._credit -= (thread_time_ns() - begun) / 1e9
        process.shares_at = now
        if shares is None:
            return
        process.shares = shares
        pss, private, rss = shares
        if rss > private:
            key = self._family_of(process)
            self._families[key] = _Family(now, rss - private, (pss - private) / (rss - private), sizes[key])

    def _estimate_one(self, process: Process, sizes: dict[int, int]) -> int:
        shares = process.shares
        if shares is not None and process.shares_at >= self._changed_at:
            pss, _, rss = shares
            return max(pss + process.rss - rss, 0)
        key = self._family_of(process)
        family = self._families.get(key)
        if family is None:
            return process.rss if shares is None else max(shares[0] + process.rss - shares[2], 0)
        factor = family.factor
        if family.at < self._changed_at:
            factor *= family.members / sizes[key]
        if sizes[key] > 1:  # while many end, those left seem to have more to themselves than they will be found to have
            factor = min(factor, 1 / sizes[key])
        shared = family.shared if shares is None else max(shares[2] - shares[1], family.shared)
        shared = min(shared, process.rss)
        return round(process.rss - shared + shared * min(factor, 1.0))


def _turn(process: Process) -> float:
    return process.shares_at
