from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from runner.agent.events import SAMPLE_FIELDS, USAGE_FIELDS
from runner.agent.sampler import Sampler
from runner.agent.usage import MAXRSS_UNIT
from tests.unit.agent.fakes import World

MS = 1_000_000
MB = 1 << 20
ROOT = 1


@pytest.fixture
def world() -> World:
    return World()


def sampler_of(world: World, floor: int = 10 * MB, **options: Any) -> Sampler:
    return Sampler(ROOT, "rss", set(), floor=floor, backend=world, **options)  # type: ignore[arg-type]


def rusage(**values: float) -> Any:
    fields = dict.fromkeys(("ru_utime", "ru_stime"), 0.0)
    fields.update(dict.fromkeys(("ru_minflt", "ru_majflt", "ru_nvcsw", "ru_nivcsw", "ru_maxrss"), 0))
    return SimpleNamespace(**{**fields, **values})


def take(sampler: Sampler, now: float) -> dict[str, float | None]:
    _, values = sampler.take(now)
    return dict(zip(SAMPLE_FIELDS, values, strict=True))


def test_a_sample_sums_up_the_tree(world: World) -> None:
    world.add(10, ROOT, cpu=30 * MS, rss=5 * MB, peak=5 * MB, io=[1, 2, 3, 4])
    world.add(11, 10, cpu=20 * MS, rss=7 * MB, peak=7 * MB, io=[10, 20, 30, 40])
    values = take(sampler_of(world), 0.1)
    assert values["memory_bytes"] == values["memory_peak_bytes"] == 12 * MB
    assert values["cpu_seconds"] == pytest.approx(0.05)
    assert values["cpu_percent"] == pytest.approx(50)
    assert (values["processes"], values["threads"], values["fds"]) == (2, 2, 6)
    assert [values[name] for name in SAMPLE_FIELDS[-4:]] == [11, 22, 33, 44]


def test_spans_are_counted_from_the_start(world: World) -> None:
    sampler = sampler_of(world, started=5.0)
    assert sampler.take(5.25)[0] == 0.25
    assert sampler.take(5.5)[0] == 0.25


def test_nothing_to_read_is_none_and_not_zero(world: World) -> None:
    assert set(take(sampler_of(world), 0.1).values()) == {None}


def test_a_peak_between_two_samples_is_in_the_second(world: World) -> None:
    script = world.add(10, ROOT, cpu=1, rss=5 * MB, peak=5 * MB)
    sampler = sampler_of(world)
    take(sampler, 0.1)
    script.cpu, script.peak = 2, 300 * MB
    values = take(sampler, 0.2)
    assert (values["memory_bytes"], values["memory_peak_bytes"]) == (5 * MB, 300 * MB)
    script.cpu = 3
    assert take(sampler, 0.3)["memory_peak_bytes"] == 5 * MB
    assert take(sampler, 0.4)["memory_peak_bytes"] == 5 * MB


def test_zombies_hold_nothing(world: World) -> None:
    world.add(10, ROOT, rss=5 * MB)
    world.add(11, 10, state="Z", rss=0, cpu=MS)
    values = take(sampler_of(world), 0.1)
    assert (values["processes"], values["memory_bytes"]) == (1, 5 * MB)
    assert values["cpu_seconds"] == pytest.approx(0.001)


def test_counters_never_fall(world: World) -> None:
    world.add(10, ROOT, io=[0, 0, 0, 0])
    world.add(11, 10, cpu=MS, io=[9, 9, 9, 9])
    sampler = sampler_of(world)
    before = take(sampler, 0.1)
    world.facts[10].ignores_children = True
    del world.facts[11]
    after = take(sampler, 0.2)
    for name in ("cpu_seconds", *SAMPLE_FIELDS[-4:]):
        assert after[name] >= before[name]  # type: ignore[operator]


def test_the_end_is_the_scripts_and_the_orphans_and_the_survivors(world: World) -> None:
    world.add(10, ROOT, cpu=1, io=[1, 1, 1, 1])
    world.add(20, ROOT, cpu=1, io=[2, 2, 2, 2])
    world.add(30, ROOT, cpu=500 * MS, io=[4, 4, 4, 4])
    sampler = sampler_of(world)
    take(sampler, 0.1)
    sampler.last_look(20)
    sampler.reaped(rusage(ru_utime=1.0, ru_minflt=7, ru_nvcsw=1, ru_maxrss=20 * MB // MAXRSS_UNIT), 20)
    del world.facts[20]
    sampler.last_look(10)
    usage, weaker = sampler.finish(rusage(ru_utime=2.0, ru_stime=1.0, ru_minflt=11, ru_maxrss=30 * MB // MAXRSS_UNIT))
    assert usage["user_seconds"] == pytest.approx(3.5)
    assert usage["system_seconds"] == pytest.approx(1.0)
    assert usage["faults_minor"] == 11 + 7 + 5
    assert usage["switches_voluntary"] == 1 + 2
    assert usage["read_bytes"] == 7
    assert usage["max_process_bytes"] == 30 * MB
    assert set(usage) == set(USAGE_FIELDS)
    assert set(weaker) == {"switches_voluntary", "switches_involuntary"}
    assert sampler.survivors() == [30]


def test_an_orphan_can_have_the_highest_peak(world: World) -> None:
    world.add(10, ROOT)
    sampler = sampler_of(world)
    sampler.reaped(rusage(ru_maxrss=90 * MB // MAXRSS_UNIT), 20)
    sampler.last_look(10)
    usage, weaker = sampler.finish(rusage(ru_maxrss=30 * MB // MAXRSS_UNIT))
    assert usage["max_process_bytes"] == 90 * MB
    assert "max_process_bytes" not in weaker


def test_a_peak_no_higher_than_the_runners_own_proves_nothing(world: World) -> None:
    script = world.add(10, ROOT, cpu=1, peak=2 * MB)
    sampler = sampler_of(world, floor=10 * MB)
    for step in range(1, 8):
        script.cpu += 1
        take(sampler, step / 10)
    sampler.last_look(10)
    usage, weaker = sampler.finish(rusage(ru_maxrss=10 * MB // MAXRSS_UNIT))
    assert usage["max_process_bytes"] == 2 * MB
    assert weaker["max_process_bytes"][0] == "sampled"


def test_a_script_too_short_to_be_read_has_an_upper_bound_and_says_so(world: World) -> None:
    world.add(10, ROOT, cpu=1, peak=1 * MB)
    sampler = sampler_of(world, floor=10 * MB)
    sampler.last_look(10)
    usage, weaker = sampler.finish(rusage(ru_maxrss=10 * MB // MAXRSS_UNIT))
    assert usage["max_process_bytes"] == 10 * MB
    assert weaker["max_process_bytes"][0] == "ceiling"
    assert "memory_peak_bytes" not in weaker


@pytest.mark.parametrize("waited", [True, False])
def test_an_upper_bound_of_the_largest_process_is_none_of_a_tree(world: World, waited: bool) -> None:
    world.add(10, ROOT, cpu=1, peak=1 * MB, had_children=waited)
    sampler = sampler_of(world, floor=10 * MB)
    sampler.last_look(10)
    if not waited:
        world.add(11, ROOT, cpu=1, peak=1 * MB)
    _, weaker = sampler.finish(rusage(ru_maxrss=10 * MB // MAXRSS_UNIT))
    assert weaker["max_process_bytes"][0] == "ceiling"
    assert weaker["memory_peak_bytes"][0] == "sampled"


def test_a_script_whose_memory_was_never_seen_did_not_use_none(world: World) -> None:
    """Whoever reads it first when it is ending finds its memory gone."""
    script = world.add(10, ROOT, cpu=1, rss=0, peak=0)
    sampler = sampler_of(world, floor=10 * MB)
    for step in range(1, 8):
        script.cpu += 1
        take(sampler, step / 10)
    sampler.last_look(10)
    usage, weaker = sampler.finish(rusage(ru_maxrss=10 * MB // MAXRSS_UNIT))
    assert usage["max_process_bytes"] == 10 * MB
    assert weaker["max_process_bytes"][0] == "ceiling"


def test_children_the_kernel_dropped_are_added_as_far_as_seen_and_all_is_a_bound(world: World) -> None:
    world.add(10, ROOT, ignores_children=True)
    world.add(11, 10, cpu=700 * MS, io=[1, 1, 1, 1])
    sampler = sampler_of(world)
    take(sampler, 1.0)
    del world.facts[11]
    world.facts[10].cpu = 1
    take(sampler, 1.1)
    sampler.last_look(10)
    usage, weaker = sampler.finish(rusage(ru_utime=0.5, ru_maxrss=50 * MB // MAXRSS_UNIT))
    assert usage["user_seconds"] == pytest.approx(1.2)
    assert usage["read_bytes"] == 1
    assert {weaker[field][0] for field in USAGE_FIELDS} == {"bound"}
    assert "SIGCHLD" in weaker["user_seconds"][1]


def test_io_that_was_not_read_at_the_end_is_a_bound(world: World) -> None:
    world.add(10, ROOT, io=[3, 3, 3, 3])
    sampler = sampler_of(world)
    take(sampler, 0.1)
    sampler.reaped(rusage(), 10)
    _, weaker = sampler.finish(rusage(ru_maxrss=50 * MB // MAXRSS_UNIT))
    assert weaker["read_bytes"][0] == "bound"


def test_a_script_nobody_could_wait_for_is_known_as_far_as_seen(world: World) -> None:
    world.add(10, ROOT, cpu=500 * MS, peak=20 * MB)
    sampler = sampler_of(world)
    take(sampler, 1.0)
    usage, weaker = sampler.finish(None)
    assert usage["user_seconds"] == pytest.approx(0.5)
    assert usage["max_process_bytes"] == 20 * MB
    assert weaker["user_seconds"][0] == "bound"


def test_attaching_counts_no_rate_of_before(world: World) -> None:
    world.add(ROOT, 0, cpu=5000 * MS, rss=MB, peak=100 * MB)
    sampler = sampler_of(world, whole=True)
    sampler.attach(0.0)
    world.facts[ROOT].cpu += 50 * MS
    values = take(sampler, 0.1)
    assert values["cpu_seconds"] == pytest.approx(5.0, abs=0.06)
    assert values["memory_peak_bytes"] == MB
    usage, _ = sampler.finish(None)
    assert usage["max_process_bytes"] == MB


def test_an_early_look_tells_what_is_held_and_leaves_the_first_rate_whole(world: World) -> None:
    sampler = sampler_of(world)
    assert sampler.look(0.01) is None
    script = world.add(10, ROOT, cpu=10 * MS, rss=5 * MB, peak=5 * MB)
    early = sampler.look(0.015)
    assert early is not None
    assert early[:2] == [None, None]
    assert early[SAMPLE_FIELDS.index("memory_bytes")] == 5 * MB
    script.cpu = 50 * MS
    values = take(sampler, 0.1)
    assert values["cpu_seconds"] == pytest.approx(0.05)
    assert values["cpu_percent"] == pytest.approx(50)
