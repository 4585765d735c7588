from __future__ import annotations

import pytest

from runner.agent import pss
from runner.agent.pss import Shares
from tests.unit.agent.fakes import Process, World

MB = 1 << 20


@pytest.fixture
def world() -> World:
    return World()


def sharing(world: World, count: int, shared: int = 200 * MB, private: int = MB) -> dict[int, Process]:
    """Return a parent (10) and its children, all of which share one block of memory."""
    processes = {}
    for pid in range(10, 10 + count):
        world.add(pid, 1 if pid == 10 else 10)
        process = world.Process(pid, 1 if pid == 10 else 10)
        process.read()
        process.rss = shared + private
        processes[pid] = process
        tell(world, pid, count, shared, private)
    return processes


def tell(world: World, pid: int, count: int, shared: int = 200 * MB, private: int = MB) -> None:
    world.facts[pid].proportional = (private + shared // count, private, shared + private)


def test_readings_are_taken_as_they_are(world: World) -> None:
    processes = sharing(world, 3)
    estimates = Shares().estimate(processes, 0.0, 0.1, True)  # type: ignore[arg-type]
    assert sum(estimates.values()) == pytest.approx(203 * MB, rel=0.001)


def test_those_not_read_yet_are_known_by_their_relatives(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pss, "thread_time_ns", iter(range(0, 10**12, 15_000_000)).__next__)  # a reading takes 15 ms
    processes = sharing(world, 51)
    shares = Shares()
    estimates = shares.estimate(processes, 0.0, 0.1, True)  # type: ignore[arg-type]
    read = [process for process in processes.values() if process.shares is not None]
    assert 1 <= len(read) <= 3
    assert sum(estimates.values()) == pytest.approx(251 * MB, rel=0.02)


def test_reading_keeps_to_its_part_of_a_core(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pss, "thread_time_ns", iter(range(0, 10**12, 5_000_000)).__next__)
    processes = sharing(world, 51)
    shares = Shares()
    readings = 0
    for step in range(100):
        before = {process.shares_at for process in processes.values()}
        shares.estimate(processes, step / 10, 0.1, True)  # type: ignore[arg-type]
        readings += len({process.shares_at for process in processes.values()} - before)
    # 10 s: 3 % of a core is 0.3 s, which is 60 readings of 5 ms, and the first credit.
    assert 30 < readings <= 66


def test_more_to_share_with_means_less_for_each_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    processes = sharing(world, 10)
    shares = Shares()
    shares.estimate(processes, 0.0, 0.1, True)  # type: ignore[arg-type]
    monkeypatch.setattr(pss, "thread_time_ns", iter(range(0, 10**12, 10**9)).__next__)
    shares.estimate(processes, 0.1, 0.1, True)  # type: ignore[arg-type]
    more = sharing(world, 40)
    processes.update({pid: process for pid, process in more.items() if pid not in processes})
    estimates = shares.estimate(processes, 0.2, 0.1, True)  # type: ignore[arg-type]
    assert sum(estimates.values()) == pytest.approx(240 * MB, rel=0.03)


def test_an_idle_tree_is_not_read_again(world: World) -> None:
    processes = sharing(world, 3)
    shares = Shares()
    shares.estimate(processes, 0.0, 0.1, True)  # type: ignore[arg-type]
    shares.estimate(processes, 1.0, 1.0, False)  # type: ignore[arg-type]
    assert {process.shares_at for process in processes.values()} == {0.0}
    shares.estimate(processes, 2.0, 1.0, True)  # type: ignore[arg-type]
    assert {process.shares_at for process in processes.values()} == {2.0}


def test_what_may_not_be_read_counts_as_resident(world: World) -> None:
    processes = sharing(world, 1)
    world.facts[10].proportional = None
    estimates = Shares().estimate(processes, 0.0, 0.1, True)  # type: ignore[arg-type]
    assert estimates == {10: 201 * MB}
