from __future__ import annotations

from typing import Any

import pytest

from runner.agent.watch import Watch
from tests.unit.agent.fakes import World

SECOND = 10**9
ROOT = 1


@pytest.fixture
def world() -> World:
    return World()


def watch_of(world: World, spare: set[int] | None = None, **options: Any) -> Watch:
    return Watch(ROOT, spare or set(), world, **options)  # type: ignore[arg-type]


def total(watch: Watch) -> int:
    alive = sum(process.cpu + process.waited for process in watch.processes.values())
    return alive + watch.ended.cpu + watch.lost.cpu


def test_finds_all_generations_in_one_round(world: World) -> None:
    for pid in (10, 11, 12):
        world.add(pid, pid - 1 if pid > 10 else ROOT)
    watch = watch_of(world)
    watch.update(0.0)
    assert list(watch.processes) == [10, 11, 12]


def test_spare_processes_and_what_is_below_them_stay_out(world: World) -> None:
    world.add(10, ROOT)
    world.add(20, ROOT)
    world.add(21, 20)
    spare = {20}
    watch = watch_of(world, spare)
    watch.update(0.0)
    assert list(watch.processes) == [10]
    world.add(30, ROOT)
    spare.add(30)
    watch.update(0.1)
    assert list(watch.processes) == [10]


def test_a_process_that_has_not_run_is_not_read_again(world: World) -> None:
    busy = world.add(10, ROOT, cpu=1)
    world.add(11, 10, cpu=1)
    watch = watch_of(world)
    watch.update(0.0)
    world.reads.clear()
    busy.cpu = 2
    watch.update(0.1)
    assert world.reads == [10]
    assert watch.changed
    world.reads.clear()
    watch.update(0.2)
    assert world.reads == []
    assert not watch.changed


def test_a_process_that_never_runs_is_read_now_and_then(world: World) -> None:
    world.add(10, ROOT)
    watch = watch_of(world)
    watch.update(0.0)
    world.reads.clear()
    watch.update(60.0)
    assert world.reads == [10]


def test_what_a_child_had_used_passes_to_its_parent_before_the_kernel_tells(world: World) -> None:
    world.add(10, ROOT, cpu=SECOND)
    world.add(11, 10, cpu=2 * SECOND, io=[1, 2, 3, 4])
    watch = watch_of(world)
    watch.update(0.0)
    del world.facts[11]
    watch.update(0.1)
    assert watch.processes[10].waited == 2 * SECOND
    assert watch.processes[10].io == [1, 2, 3, 4]
    assert total(watch) == 3 * SECOND


def test_what_the_kernel_tells_of_a_child_is_not_counted_twice(world: World) -> None:
    parent = world.add(10, ROOT, cpu=SECOND, waited=5 * SECOND)
    world.add(11, 10, cpu=2 * SECOND)
    watch = watch_of(world)
    watch.update(0.0)
    del world.facts[11]
    parent.cpu += 1
    parent.waited += 2 * SECOND + SECOND // 100
    watch.update(0.1)
    assert total(watch) == 8 * SECOND + SECOND // 100 + 1


def test_parent_and_child_that_end_together_leave_what_both_had_used(world: World) -> None:
    world.add(10, ROOT)
    world.add(11, 10, cpu=SECOND)
    world.add(12, 11, cpu=SECOND)
    watch = watch_of(world)
    watch.update(0.0)
    del world.facts[11], world.facts[12]
    watch.update(0.1)
    assert watch.processes[10].waited == 2 * SECOND


def test_children_of_a_process_that_ignores_their_end_are_lost_to_the_kernel_but_not_to_us(world: World) -> None:
    world.add(10, ROOT, ignores_children=True)
    world.add(11, 10, cpu=SECOND, io=[1, 2, 3, 4])
    watch = watch_of(world)
    watch.update(0.0)
    del world.facts[11]
    watch.update(0.1)
    assert watch.deaf
    assert watch.processes[10].waited == 0
    assert watch.lost.cpu == SECOND
    assert watch.lost.io == [1, 2, 3, 4]


def test_orphans_are_followed_and_their_end_is_the_roots_affair(world: World) -> None:
    world.add(10, ROOT)
    world.add(11, 10)
    orphan = world.add(12, 11, cpu=SECOND)
    watch = watch_of(world)
    watch.update(0.0)
    del world.facts[11]
    orphan.parent = ROOT
    watch.update(0.1)
    assert watch.processes[12].parent == ROOT
    watch.set_aside(12)
    assert 12 not in watch.processes
    watch.update(0.2)
    assert 12 not in watch.processes
    gone = watch.forget(12)
    assert gone is not None
    assert gone.cpu == SECOND
    assert watch.ended.cpu == 0


def test_children_that_a_zombie_had_waited_for_are_in_its_sums_and_nowhere_else(world: World) -> None:
    world.add(10, ROOT)
    world.add(11, 10, cpu=SECOND)
    watch = watch_of(world)
    watch.update(0.0)
    del world.facts[11]
    world.facts[10].state = "Z"
    watch.set_aside(10)
    watch.update(0.1)
    assert watch.aside[10].waited == SECOND
    assert total(watch) == 0
    assert watch.ended.cpu == 0


def test_a_zombies_family_that_has_ended_before_it_passes_up_generation_by_generation(world: World) -> None:
    for pid in range(10, 15):
        world.add(pid, pid - 1 if pid > 10 else ROOT, cpu=SECOND)
    world.add(20, 11, cpu=SECOND)
    watch = watch_of(world)
    watch.update(0.0)
    for pid in (11, 12, 13, 20):
        del world.facts[pid]
    world.facts[14].parent = ROOT
    watch.set_aside(10)
    assert watch.aside[10].waited == 4 * SECOND
    assert watch.processes[14].parent == ROOT, "an orphan, not waited for by anybody yet"
    assert list(watch.processes) == [14]


def test_orphans_taken_in_by_a_process_of_the_tree_pass_to_that(world: World) -> None:
    world.add(10, ROOT)
    world.add(11, 10)
    orphan = world.add(12, 11, cpu=SECOND)
    watch = watch_of(world)
    watch.update(0.0)
    del world.facts[11]
    orphan.parent = 10
    orphan.cpu += 1
    watch.update(0.1)
    watch.update(0.2)
    del world.facts[12]
    watch.set_aside(10)
    assert watch.aside[10].waited == SECOND + 1


def test_a_process_id_used_again_is_another_process(world: World) -> None:
    world.add(10, ROOT)
    world.add(11, 10, cpu=3 * SECOND)
    watch = watch_of(world)
    watch.update(0.0)
    first = watch.processes[11]
    world.facts[10].cpu += 1
    world.add(11, 10, cpu=SECOND)
    watch.update(0.1)
    world.facts[10].cpu += 1
    watch.update(0.2)
    assert watch.processes[11] is not first
    assert first.closed  # type: ignore[attr-defined]
    assert total(watch) == 4 * SECOND + 2


def test_a_copy_that_has_done_nothing_yet_is_its_parents_memory(world: World) -> None:
    world.add(10, ROOT, size=500, rss=400)
    watch = watch_of(world)
    watch.update(0.0)
    world.facts[10].cpu += 1
    world.add(11, 10, size=500, rss=400)
    watch.update(0.1)
    assert watch.processes[11].copy
    watch.update(0.2)
    assert not watch.processes[11].copy, "one that stays as it is counts from the second look on"


def test_a_copy_that_its_parent_waits_for_to_become_another_program_is_never_counted(world: World) -> None:
    world.add(10, ROOT, size=500)
    watch = watch_of(world)
    watch.update(0.0)
    world.facts[10].cpu += 1
    world.facts[10].state = "D"
    child = world.add(11, 10, size=500)
    for step in range(1, 5):
        watch.update(step / 10)
        assert watch.processes[11].copy
    world.facts[10].state = "S"
    world.facts[10].cpu += 1
    child.size = 20
    watch.update(0.5)
    assert not watch.processes[11].copy


def test_a_process_that_may_not_be_read_still_counts_with_its_cpu_time(world: World) -> None:
    world.add(10, ROOT, cpu=SECOND, readable=False)
    watch = watch_of(world)
    watch.update(0.0)
    assert total(watch) == SECOND
    assert watch.processes[10].io is None


def test_a_tree_too_large_is_read_in_turns(world: World) -> None:
    for pid in range(10, 20):
        world.add(pid, ROOT, cpu=1)
    watch = watch_of(world)
    watch.update(0.0)
    watch.stride = 4
    world.reads.clear()
    for step in range(1, 5):
        for fact in world.facts.values():
            fact.cpu += 1
        watch.update(step / 10)
    assert sorted(world.reads) == list(range(10, 20))
    assert total(watch) == 50, "the CPU clocks are read all the same"


def test_the_root_can_be_part_of_the_tree(world: World) -> None:
    world.add(ROOT, 0, cpu=SECOND)
    world.add(10, ROOT)
    watch = watch_of(world, whole=True)
    watch.update(0.0)
    assert list(watch.processes) == [ROOT, 10]
    del world.facts[ROOT]
    watch.update(0.1)
    assert list(watch.processes) == [10]
    assert watch.ended.cpu == SECOND


def test_a_kernel_that_lists_no_children_is_asked_for_all_processes(world: World) -> None:
    world.LISTS_CHILDREN = False
    world.add(10, ROOT)
    world.add(11, 10)
    world.add(50, 49)
    watch = watch_of(world)
    watch.update(0.0)
    assert list(watch.processes) == [10, 11]
