"""When a limit counts as reached, and when it is looked at next."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from runner.agent import limits
from runner.agent.events import SAMPLE_FIELDS
from runner.agent.job import Job
from runner.agent.limits import Allowance, Limits, unseen
from runner.agent.priority import io_priority

MB = 1 << 20


class Tree:
    """What a sampler tells of a tree."""

    def __init__(self, memory: float | None = 0.0, cpu: float = 0.0) -> None:
        self.memory: float | None = memory
        self.peak = memory
        self.cpu = cpu

    def look(self, now: float) -> list[float | None]:
        values = dict.fromkeys(SAMPLE_FIELDS, None)
        return list({**values, "memory_bytes": self.memory, "memory_peak_bytes": self.peak}.values())

    def cpu_seconds(self) -> float:
        return self.cpu


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    now = SimpleNamespace(at=0.0)
    monkeypatch.setattr(limits, "monotonic", lambda: now.at)
    monkeypatch.setattr(limits, "thread_time", lambda: 0.0)
    return now


def job(**options: Any) -> Job:
    return Job(["x"], "x", {}, **options)


def limits_of(tree: Tree, carriers: list[Any] | None = None, files: list[Any] | None = None, **options: Any) -> Limits:
    return Limits(job(**options), 0.0, tree, carriers or [], files or [])  # type: ignore[arg-type]


def test_memory_above_the_limit_reaches_it_and_at_the_limit_does_not(clock: SimpleNamespace) -> None:
    tree = Tree(100 * MB)
    judge = limits_of(tree, max_memory=100 * MB)
    judge.look()
    assert judge.reached is None
    tree.memory = 100 * MB + 1
    judge.look()
    assert judge.reached == (limits.MEMORY, 100 * MB, 100 * MB + 1)


def test_memory_that_can_not_be_read_reaches_nothing(clock: SimpleNamespace) -> None:
    judge = limits_of(Tree(None), max_memory=1)
    judge.look()
    assert judge.reached is None


def test_the_first_limit_reached_stays_the_reason(clock: SimpleNamespace) -> None:
    tree = Tree(0.0, cpu=2.0)
    judge = limits_of(tree, max_memory=MB, max_cpu_time=1.0)
    judge.look()
    tree.memory = 5 * MB
    judge.look()
    assert judge.reached == (limits.CPU_TIME, 1.0, 2.0)


def test_a_look_comes_at_least_once_a_second(clock: SimpleNamespace) -> None:
    judge = limits_of(Tree(0.0), max_memory=1 << 50, max_cpu_time=1e9, idle_timeout=1e9)
    judge.look()
    assert judge.due == pytest.approx(1.0)


def test_a_look_comes_the_sooner_the_closer_memory_is_and_the_faster_it_grows(clock: SimpleNamespace) -> None:
    tree = Tree(0.0)
    judge = limits_of(tree, max_memory=2 << 30)
    far = judge.due
    tree.memory = 1.9 * (1 << 30)
    clock.at = 100.0
    judge.look()
    near = judge.due - clock.at
    assert near < far / 5
    tree.memory += 50 * MB
    clock.at += 0.01  # 5 GB a second
    judge.look()
    assert judge.due - clock.at == pytest.approx(limits._SHORTEST)


def test_a_costly_look_is_followed_by_a_long_pause(clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    spent = iter([0.0, 0.1])
    judge = limits_of(Tree(99.0), max_memory=100)
    monkeypatch.setattr(limits, "thread_time", lambda: next(spent))
    judge.look()
    assert judge.due == pytest.approx(0.1 * limits._SHARE)


def test_cpu_time_is_looked_at_when_all_cores_could_have_used_it_up(
    clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    tree = Tree(cpu=9.0)
    judge = limits_of(tree, max_cpu_time=10.0)
    judge.look()
    assert judge.due == pytest.approx(0.25)


def test_a_peak_seen_between_two_samples_is_told_with_the_next(clock: SimpleNamespace) -> None:
    tree = Tree(10 * MB)
    judge = limits_of(tree, max_memory=100 * MB)
    tree.peak = 90 * MB
    judge.look()
    tree.peak = 10 * MB
    values = tree.look(0.0)
    judge.tick(1.0, values)
    assert values[SAMPLE_FIELDS.index("memory_peak_bytes")] == 90 * MB
    again = tree.look(0.0)
    judge.tick(2.0, again)
    assert again[SAMPLE_FIELDS.index("memory_peak_bytes")] == 10 * MB


def test_memory_runs_away_if_it_goes_on_growing_after_its_limit(clock: SimpleNamespace) -> None:
    tree = Tree(1100 * MB)
    judge = limits_of(tree, max_memory=1000 * MB)
    judge.look()
    tree.memory = 1300 * MB
    judge.look()
    assert not judge.runs_away  # tidying up takes some memory too
    tree.memory = 1400 * MB
    judge.look()
    assert judge.runs_away


def carrier(**values: Any) -> Any:
    return SimpleNamespace(**{"carried": 0, "pending": b"", "allowance": None, **values})


def test_silence_reaches_the_idle_timeout(clock: SimpleNamespace) -> None:
    stream = carrier()
    judge = limits_of(Tree(), [stream], idle_timeout=5.0)
    for clock.at, stream.carried in ((2.0, 10), (6.9, 10)):
        judge.look()
    assert judge.reached is None
    clock.at = 7.1
    judge.look()
    assert judge.reached is not None and judge.reached[0] == limits.IDLE


def test_time_in_which_the_reader_takes_nothing_is_no_silence(clock: SimpleNamespace) -> None:
    stream = carrier(pending=b"x")
    judge = limits_of(Tree(), [stream], idle_timeout=5.0)
    for clock.at in (4.0, 8.0, 12.0):
        judge.look()
    assert judge.reached is None


def test_time_in_which_everything_was_stopped_is_no_silence(clock: SimpleNamespace) -> None:
    judge = limits_of(Tree(), [carrier()], idle_timeout=5.0)
    judge.look()
    clock.at = 100.0
    judge.wake()
    judge.look()
    assert judge.reached is None


def test_a_file_that_changes_in_place_is_no_silence(clock: SimpleNamespace) -> None:
    file = SimpleNamespace(written=lambda: 10, trace=lambda: (10, 10, clock.at))
    judge = limits_of(Tree(), files=[file], idle_timeout=5.0)
    for clock.at in (4.0, 8.0, 12.0):
        judge.look()
    assert judge.reached is None


def test_growth_of_a_file_reaches_the_limit_of_output(clock: SimpleNamespace) -> None:
    file = SimpleNamespace(written=lambda: 101)
    judge = limits_of(Tree(), files=[file], max_output=100)
    judge.look()
    assert judge.reached == (limits.OUTPUT, 100, 101)


def test_all_streams_share_one_allowance(clock: SimpleNamespace) -> None:
    one, other = carrier(), carrier()
    judge = limits_of(Tree(), [one, other], max_output=10)
    assert one.allowance.grant(b"123456") == b"123456"
    assert other.allowance.grant(b"1234") == b"1234"
    assert not judge.overflowed()
    assert other.allowance.grant("ä".encode()) == b""
    assert judge.overflowed()
    assert judge.reached == (limits.OUTPUT, 10, 10)


def test_an_allowance_is_used_up_to_the_last_byte() -> None:
    allowance = Allowance(4)
    assert allowance.grant(b"123") == b"123"
    assert allowance.grant("ä".encode()) == "ä".encode()[:1]
    assert allowance.granted == 4
    assert allowance.exceeded


@pytest.mark.parametrize(
    ("options", "streams", "problem"),
    [
        ({}, ("direct", "closed"), ""),
        ({"max_memory": 1}, ("direct", "direct"), ""),
        ({"max_output": 1}, ("pipe", "file"), ""),
        ({"max_output": 1}, ("closed", "closed"), ""),
        ({"idle_timeout": 1.0}, ("closed", "pty"), ""),
        ({"idle_timeout": 1.0}, ("pipe", "direct"), "stderr is a device"),
        ({"max_output": 1}, ("direct", "pipe"), "stdout is a device"),
        ({"idle_timeout": 1.0}, ("closed", "closed"), "no output to wait for"),
        ({"idle_timeout": 1.0, "direct": True}, ("direct", "direct"), "handed through"),
    ],
)
def test_output_that_can_not_be_seen_has_no_limit(
    options: dict[str, Any], streams: tuple[str, str], problem: str
) -> None:
    found = unseen(job(**options), dict(zip(("stdout", "stderr"), streams, strict=True)))
    assert problem in found
    assert bool(problem) == bool(found)


@pytest.mark.parametrize(
    ("text", "number"),
    [("idle", 3 << 13), ("best-effort", 2 << 13 | 4), ("Best-Effort:7", 2 << 13 | 7), ("realtime:0", 1 << 13)],
)
def test_a_class_of_disk_accesses_is_the_kernels_number(text: str, number: int) -> None:
    assert io_priority(text) == number


@pytest.mark.parametrize("text", ["", "idle:1", "idle:", "best-effort:8", "best-effort:-1", "realtime:", "none", "3"])
def test_what_is_no_class_of_disk_accesses_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not idle, best-effort or realtime"):
        io_priority(text)
