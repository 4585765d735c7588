"""The steps of an ending, with processes and a clock that are made up."""

from __future__ import annotations

import os
import signal

import pytest

from runner.agent import ending
from runner.agent.ending import Ending

TERM, CONT, STOP, KILL = signal.SIGTERM, signal.SIGCONT, signal.SIGSTOP, signal.SIGKILL


class World:
    """Processes that die of SIGKILL, and of SIGTERM unless they are deaf."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *pids: int) -> None:
        self.now = 0.0
        self.alive = list(pids)
        self.deaf: set[int] = set()
        self.stuck: set[int] = set()
        self.foreign: set[int] = set()
        self.zombies: set[int] = set()
        monkeypatch.setattr(ending, "monotonic", lambda: self.now)
        monkeypatch.setattr(ending, "descendants", lambda root, spare: [p for p in self.alive if p not in spare])
        monkeypatch.setattr(ending, "is_zombie", lambda pid: pid in self.zombies)
        monkeypatch.setattr(os, "kill", self.kill)

    def kill(self, pid: int, number: int) -> None:
        if pid not in self.alive:
            raise ProcessLookupError
        if pid in self.foreign:
            raise PermissionError
        if (number == KILL and pid not in self.stuck) or (number == TERM and pid not in self.deaf):
            self.alive.remove(pid)

    def step(self, ending: Ending, limit: int = 10_000) -> None:
        """Take every step when it is due, until the ending is finished."""
        while not ending.finished and limit:
            self.now = max(self.now, ending.due)
            ending.step()
            limit -= 1
        assert limit


def test_what_heeds_term_is_never_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, 11, 12)
    ending = Ending(1, 10.0)
    assert ending.due == float("inf")
    ending.begin()
    world.step(ending)
    assert ending.sent == [(TERM, 11), (TERM, 12)]
    assert (ending.finished, ending.left, ending.due) == (True, set(), float("inf"))
    assert world.now < 1


def test_the_rest_is_stopped_then_killed_when_its_grace_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, 11, 12, 13)
    world.deaf = {12, 13}
    ending = Ending(1, 10.0)
    ending.begin()
    del ending.sent[:]
    world.step(ending)
    assert ending.sent == [(STOP, 12), (STOP, 13), (KILL, 12), (KILL, 13)]
    assert 10.0 <= world.now < 10.5


def test_spare_processes_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, 11, 12)
    spare = set[int]()
    ending = Ending(1, 0.0, spare)
    spare.add(12)
    ending.begin()
    world.step(ending)
    assert world.alive == [12]
    assert ending.left == set()


def test_zombies_are_as_good_as_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, 11)
    world.zombies = {11}
    ending = Ending(1, 10.0)
    ending.begin()
    world.step(ending)
    assert ending.sent == []


def test_processes_of_another_user_do_not_hold_it_up(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, 11, 12)
    world.foreign = {12}
    ending = Ending(1, 10.0)
    ending.begin()
    world.step(ending)
    assert (ending.left, world.alive) == ({12}, [12])
    assert world.now < 1


def test_a_process_stuck_in_the_kernel_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, 11)
    world.deaf = world.stuck = {11}
    ending = Ending(1, 2.0)
    ending.begin()
    world.step(ending)
    assert ending.left == {11}
    assert 11.9 <= world.now < 13.0


def test_as_long_as_new_ones_appear_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, 11)
    world.deaf = set(range(10**6))

    def kill(pid: int, number: int) -> None:
        World.kill(world, pid, number)
        if number == KILL and world.now < 60:
            world.alive.append(pid + 1)

    monkeypatch.setattr(os, "kill", kill)
    ending = Ending(1, 0.0)
    ending.begin()
    world.step(ending, limit=10**6)
    assert (ending.left, world.alive) == (set(), [])
    assert world.now >= 60


def test_processes_that_appear_during_the_sweep_are_stopped_too(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, 11)
    world.deaf = {11, 12}
    ending = Ending(1, 0.0)
    ending.begin()
    ending.step()
    world.alive.append(12)
    world.step(ending)
    numbers = [number for number, _ in ending.sent]
    assert numbers == [TERM, CONT, STOP, STOP, KILL, KILL]
