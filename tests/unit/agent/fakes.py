"""A backend whose processes do what a test says."""

from __future__ import annotations

from typing import Any

from runner.agent import process


class Fact:
    """What is true of a process."""

    def __init__(self, parent: int, **facts: Any) -> None:
        self.parent = parent
        self.cpu = 0
        self.waited = 0
        self.io: list[int] | None = [0, 0, 0, 0]
        self.rss = 1000
        self.peak = 1000
        self.size = 0
        self.state = "S"
        self.ignores_children = False
        self.had_children = False
        self.proportional: tuple[int, int, int] | None = None
        self.readable = True
        self.__dict__.update(facts)


class World:
    """A machine of made-up processes, which is also a backend: it has what `proc` has."""

    LISTS_CHILDREN = True

    def __init__(self) -> None:
        self.facts: dict[int, Fact] = {}
        self.reads: list[int] = []

    def add(self, pid: int, parent: int, **facts: Any) -> Fact:
        facts.setdefault("size", pid << 20)
        self.facts[pid] = Fact(parent, **facts)
        return self.facts[pid]

    def Process(self, pid: int, parent: int) -> Process:
        return Process(self, pid, parent)

    def scan(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for pid, fact in self.facts.items():
            found.setdefault(fact.parent, []).append(pid)
        return found


class Process(process.Process):
    """A process as a backend reads it."""

    def __init__(self, world: World, pid: int, parent: int) -> None:
        super().__init__(pid, parent)
        self.world = world
        self.closed = False

    @property
    def fact(self) -> Fact:
        if self.pid not in self.world.facts:
            raise ProcessLookupError(self.pid)
        return self.world.facts[self.pid]

    def moved(self) -> bool:
        if self.fact.cpu < self.cpu:
            raise ProcessLookupError(self.pid)
        moved = self.fact.cpu != self.cpu
        self.cpu = self.fact.cpu
        return moved

    def read(self, last: bool = False) -> None:
        fact = self.fact
        if not fact.readable:
            raise PermissionError(self.pid)
        self.world.reads.append(self.pid)
        self.sightings += 1
        self.parent = fact.parent
        self.waited_before, self.waited = self.waited, max(self.waited, fact.waited)
        self.io_before, self.io = self.io, fact.io
        self.rose = fact.peak != self.peak
        self.rss, self.peak, self.size, self.state = fact.rss, fact.peak, fact.size, fact.state
        self.ignores_children = fact.ignores_children
        self.threads, self.fds = 1, 3

    def times(self) -> tuple[float, float]:
        return (self.cpu + self.waited) / 1e9, 0.0

    def faults(self) -> tuple[int, int]:
        return 5, 1

    @property
    def had_children(self) -> bool:
        return self.world.facts[self.pid].had_children

    def switches(self) -> tuple[int, int]:
        return 2, 3

    def proportional(self) -> tuple[int, int, int] | None:
        return self.fact.proportional

    def children(self) -> list[int]:
        return [pid for pid, fact in self.world.facts.items() if fact.parent == self.pid]

    def close(self) -> None:
        self.closed = True
