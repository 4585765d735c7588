"""Repeating a script before it is judged: which runs count, the run that speaks for them, judging twice."""

from __future__ import annotations

import pytest

from runner.engine.confirm import confirmed, is_timing, median_run, repeat, worth_confirming
from runner.model.judgement import GateResult, Judgement
from runner.model.metric import BOUND, EXACT
from runner.model.run import Attempt, Run

WALL, MEMORY, FAULTS = "execution_time_seconds", "memory_max_mb", "page_faults_minor"
THREADS, CPU = "num_threads", "cpu_time_seconds"


class Ran:
    """What is known of a run."""

    def __init__(self, number: int, success: bool) -> None:
        self.number = number
        self.success = success


def numbers(runs: int, warmup: int, failing: int = -1) -> tuple[list[int], list[int]]:
    """Return the numbers of all runs made, and of those that are returned; the run at place `failing` fails."""
    made: list[int] = []

    def once(number: int) -> Ran:
        made.append(number)
        return Ran(number, len(made) - 1 != failing)

    return [ran.number for ran in repeat(once, runs, warmup)], made


def test_warm_ups_are_run_and_do_not_count() -> None:
    assert numbers(3, 2) == ([1, 2, 3], [0, 0, 1, 2, 3])


@pytest.mark.parametrize(("failing", "counted", "made"), [(0, [0], [0]), (2, [1, 2], [0, 1, 2])])
def test_a_run_that_fails_is_the_last_one(failing: int, counted: list[int], made: list[int]) -> None:
    assert numbers(3, 1, failing) == (counted, made)


def run(id: str, started: int, kind: str = EXACT, **metrics: float | None) -> Run:
    result = Run(id, "x.py", started)
    attempt = Attempt(1, started)
    attempt.metrics = dict(metrics)
    attempt.kinds = dict.fromkeys(metrics, kind)
    result.attempts = [attempt]
    return result


def test_the_median_run_has_the_median_of_each_figure() -> None:
    runs = [
        run("a", 1, **{WALL: 3.0, MEMORY: 10.0, FAULTS: 7, THREADS: 3}),
        run("b", 2, **{WALL: 1.0, MEMORY: 30.0, FAULTS: 9, THREADS: 3}),
        run("c", 3, **{WALL: 2.0, MEMORY: 20.0, FAULTS: 9, THREADS: 4}),
        run("d", 4, **{WALL: 9.0, MEMORY: 40.0, FAULTS: 10, THREADS: 4}),
    ]
    middle = median_run(runs)
    assert middle.id == "c"
    assert middle.last.metrics == {WALL: 2.5, MEMORY: 25.0, FAULTS: 9, THREADS: 3.5}
    assert isinstance(middle.last.metrics[FAULTS], int)
    assert middle.tags == {"gate_run": "median of 4"}
    assert runs[2].tags == {}
    assert middle.started == 1, "the others would be taken for earlier runs"
    assert runs[2].last.metrics[WALL] == 2.0, "the run itself has changed"


def test_what_half_of_the_runs_lack_is_not_measured() -> None:
    runs = [run("a", 1, **{WALL: 1.0, MEMORY: 5.0}), run("b", 2, **{WALL: 1.0, MEMORY: None}),
            run("c", 3, **{WALL: 1.0, MEMORY: None})]  # fmt: skip
    assert median_run(runs).last.metrics[MEMORY] is None
    assert median_run(runs[:2]).last.metrics[MEMORY] == 5.0


def test_a_median_is_known_as_well_as_the_least_of_them() -> None:
    runs = [run("a", 1, **{WALL: 1.0}), run("b", 2, BOUND, **{WALL: 2.0})]
    assert median_run(runs).last.kinds[WALL] == BOUND


def gate(metric: str, passed: bool, value: float | None = 1.0) -> GateResult:
    return GateResult(metric, f"{metric}:1", value, 1.0, passed, f"{metric} {value}")


@pytest.mark.parametrize(
    ("judgement", "expected"),
    [
        (Judgement([gate(WALL, True)]), False),
        (Judgement([gate(WALL, False)]), True),
        (Judgement([gate(WALL, False), gate(MEMORY, False)]), False),
        (Judgement([gate(WALL, False, None)]), False),
        (Judgement(regressed=[WALL]), True),
        (Judgement([gate(WALL, True)], regressed=[MEMORY]), False),
    ],
)
def test_only_timings_are_worth_another_run(judgement: Judgement, expected: bool) -> None:
    assert worth_confirming(judgement) == expected


def test_times_and_shares_of_them_are_timings() -> None:
    assert is_timing(WALL)
    assert is_timing("cpu_max")
    assert not is_timing(MEMORY)
    assert not is_timing("no_such_metric")


@pytest.mark.parametrize(
    ("first", "second", "passed"),
    [(False, False, False), (False, True, True), (True, False, True), (True, True, True)],
)
def test_only_what_fails_twice_fails(first: bool, second: bool, passed: bool) -> None:
    both = confirmed(Judgement([gate(WALL, first)]), Judgement([gate(WALL, second)]))
    assert both.passed == passed
    assert ("one of two runs" in both.gates[0].text) == (first != second)
    assert ("confirmed" in both.gates[0].text) == (not first and not second)


def test_the_figure_that_is_told_is_that_of_the_second_run() -> None:
    for first, second in ((False, True), (True, False)):
        both = confirmed(Judgement([gate(WALL, first, 3.0)]), Judgement([gate(WALL, second, 2.0)]))
        assert both.gates[0].value == 2.0
        assert both.gates[0].text == f"{WALL} 2.0; failed in one of two runs, the first: {WALL} 3.0"


@pytest.mark.parametrize("metric", [MEMORY, THREADS, FAULTS])
def test_what_chance_does_not_move_is_what_the_second_run_showed(metric: str) -> None:
    first = Judgement([gate(WALL, False), gate(metric, True)])
    both = confirmed(first, Judgement([gate(WALL, True), gate(metric, False, 9.0)]))
    assert not both.passed
    assert (both.gates[1].value, both.gates[1].text) == (9.0, f"{metric} 9.0")
    assert not confirmed(Judgement(regressed=[WALL]), Judgement(regressed=[metric])).passed


def test_a_timing_that_was_not_measured_gets_no_second_chance() -> None:
    assert not confirmed(Judgement([gate(WALL, True)]), Judgement([gate(WALL, False, None)])).passed


def test_timings_that_fail_in_a_run_each_pass() -> None:
    both = confirmed(Judgement([gate(WALL, False), gate(CPU, True)]), Judgement([gate(WALL, True), gate(CPU, False)]))
    assert both.passed
    assert ["one of two runs" in result.text for result in both.gates] == [True, True]


def test_a_regression_has_to_be_seen_twice() -> None:
    assert confirmed(Judgement(regressed=[WALL]), Judgement()).passed
    again = confirmed(Judgement(regressed=[WALL, "cpu_max"]), Judgement(regressed=[WALL]))
    assert again.regressed == [WALL]
