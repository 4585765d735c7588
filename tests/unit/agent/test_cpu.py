from __future__ import annotations

from types import SimpleNamespace

from runner.agent.cpu import CpuCounter

MS = 1_000_000


def process(cpu: int = 0, waited: int = 0) -> SimpleNamespace:
    return SimpleNamespace(cpu=cpu, waited=waited, told=0, stirred=True)


def advance(counter: CpuCounter, elapsed: int, *processes: SimpleNamespace, known: int = 0) -> int:
    return counter.advance(elapsed, known, [dict(enumerate(processes))])  # type: ignore[arg-type]


def test_what_the_living_use_is_counted_to_the_nanosecond() -> None:
    counter = CpuCounter(2)
    one, other = process(), process()
    for step in range(1, 4):
        one.cpu, other.cpu = step * 7 * MS + 1, step * 2 * MS
        assert advance(counter, 10 * MS, one, other) in (9 * MS, 9 * MS + 1)
    assert counter.total == 27 * MS + 1


def test_never_faster_than_the_cores_and_nothing_is_dropped_for_it() -> None:
    counter = CpuCounter(2)
    one = process(cpu=500 * MS)
    assert advance(counter, 100 * MS, one) == 200 * MS
    for _ in range(30):
        advance(counter, 100 * MS, one)
    assert counter.total == 500 * MS


def test_never_falls() -> None:
    counter = CpuCounter(2)
    advance(counter, 100 * MS, process(cpu=90 * MS))
    assert advance(counter, 100 * MS) == 0
    assert counter.total == 90 * MS


def test_a_script_that_waits_for_short_children_has_a_steady_rate() -> None:
    """Children use a whole core in turns of 10.3 ms; the kernel tells their sum in ticks of 10 ms, rounded down."""
    counter = CpuCounter(2)
    parent = process()
    rates = []
    for step in range(1, 400):
        now = step * 10 * MS
        done = now // 10_300_000 * 10_300_000
        user, system = int(done * 0.45), int(done * 0.55)
        parent.waited = user // (10 * MS) * 10 * MS + system // (10 * MS) * 10 * MS
        parent.cpu += 1000
        child = process(cpu=now - done)
        rates.append(advance(counter, 10 * MS, parent, child) / (10 * MS))
    steady = sorted(rates[50:])
    assert steady[0] > 0.6
    assert steady[-1] < 1.6
    assert abs(sum(steady) / len(steady) - 1.0) < 0.02
    assert abs(counter.total - 399 * 10 * MS) <= 40 * MS


def test_nothing_is_made_up_once_nobody_collects_children() -> None:
    counter = CpuCounter(2)
    parent = process()
    for step in range(1, 50):
        parent.waited = step * 10 * MS
        parent.cpu += 1000
        advance(counter, 10 * MS, parent)
    parent.stirred = False
    for _ in range(200):
        advance(counter, 10 * MS, parent)
    settled = counter.total
    assert advance(counter, 10 * MS, parent) == 0
    assert 0 <= settled - (parent.waited + parent.cpu) <= 20 * MS
