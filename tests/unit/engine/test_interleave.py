"""Judging pairs of runs: what is compared, what fails, and what can't be told."""

from __future__ import annotations

import random

import pytest

from runner.engine.interleave import judge_alone, judge_pairs
from runner.model.judgement import SAME, WORSE, Judgement
from runner.model.metric import CEILING, EXACT
from runner.model.run import Attempt, Run
from runner.policy.gates import parse_gate

WALL, CPU, MEMORY = "execution_time_seconds", "cpu_time_seconds", "memory_max_mb"


def runs(values: list[float], kind: str = EXACT, **more: float | None) -> list[Run]:
    result = []
    for number, value in enumerate(values):
        run = Run(str(number), "x.py", number)
        attempt = Attempt(1, number)
        attempt.metrics = {WALL: value, CPU: value, MEMORY: 10.0, **more}
        attempt.kinds = dict.fromkeys(attempt.metrics, EXACT) | {MEMORY: kind}
        run.attempts = [attempt]
        result.append(run)
    return result


def pairs(change: float, count: int = 10, noise: float = 0.02) -> tuple[list[Run], list[Run]]:
    chance = random.Random(1)
    base = [chance.lognormvariate(0, 0.3) for _ in range(count)]
    return runs(base), runs([value * (1 + change) * chance.lognormvariate(0, noise) for value in base])


def verdicts(judgement: Judgement) -> dict[str, str]:
    return {change.metric: change.verdict for change in judgement.changes}


def test_what_got_worse_fails_and_is_named() -> None:
    judgement = judge_pairs(*pairs(0.5))
    assert not judgement.passed
    assert judgement.regressed == [WALL, CPU]
    assert verdicts(judgement) == {WALL: WORSE, CPU: WORSE, MEMORY: SAME}
    [wall] = [change for change in judgement.changes if change.metric == WALL]
    assert (wall.count, wall.lower is not None and wall.lower > 0.4) == (10, True)


def test_the_same_passes() -> None:
    assert judge_pairs(*pairs(0.0)).passed


@pytest.mark.parametrize(("least", "passed"), [(0.03, False), (0.3, True)])
def test_a_change_has_to_matter(least: float, passed: bool) -> None:
    assert judge_pairs(*pairs(0.1, noise=0.005), least=least).passed == passed


def test_few_pairs_do_not_fail_and_say_so() -> None:
    judgement = judge_pairs(*pairs(1.0, count=3))
    assert judgement.passed
    assert judgement.notices[0].startswith("3 pairs are too few")
    assert judge_pairs(*pairs(1.0, count=1)).notices[0].startswith("1 pair is too few")


def test_a_figure_of_which_only_a_limit_is_known_is_not_compared() -> None:
    base, head = runs([1.0] * 8), runs([1.0] * 8, CEILING)
    for run in head:
        run.last.metrics[MEMORY] = 30.0
    judgement = judge_pairs(base, head)
    assert judgement.passed
    assert MEMORY not in verdicts(judgement)
    assert "8 of 16 runs only a limit" in judgement.notices[0]
    assert not judge_pairs(base, head, [parse_gate(f"{MEMORY}:+10%")]).passed, "a gate that can't be judged has passed"


def test_a_figure_that_a_run_lacks_is_not_compared() -> None:
    judgement = judge_pairs(runs([1.0] * 8, num_fds=4), runs([1.0] * 8, num_fds=None), metrics=["num_fds"])
    assert judgement.changes == []
    assert "not measured" in judgement.notices[0]


@pytest.mark.parametrize(
    ("gate", "passed"),
    [(f"{WALL}:+20%", False), (f"{WALL}:+90%", True), (f"{WALL}:+20%&>60s", True), (f"{WALL}:-20%", True)],
)
def test_a_relative_gate_says_what_change_of_its_metric_is_allowed(gate: str, passed: bool) -> None:
    judgement = judge_pairs(*pairs(0.5), gates=[parse_gate(gate)], metrics=[MEMORY])
    assert [result.passed for result in judgement.gates] == [passed]
    assert judgement.passed == passed, "what a gate allows must not fail as a regression"


def test_a_gate_downward_fails_where_a_figure_falls() -> None:
    assert not judge_pairs(*pairs(-0.5), gates=[parse_gate(f"{WALL}:-20%")], metrics=[MEMORY]).passed


@pytest.mark.parametrize("change", [0.5, -0.5])
def test_two_relative_gates_on_one_metric_both_count(change: float) -> None:
    for texts in ((f"{WALL}:+20%", f"{WALL}:-20%"), (f"{WALL}:-20%", f"{WALL}:+20%")):
        judgement = judge_pairs(*pairs(change), gates=[parse_gate(text) for text in texts], metrics=[MEMORY])
        failed = [result.gate for result in judgement.gates if not result.passed]
        assert failed == [f"{WALL}:{'+' if change > 0 else '-'}20%"]


def test_what_a_gate_allows_is_worse_all_the_same() -> None:
    judgement = judge_pairs(*pairs(0.5), gates=[parse_gate(f"{WALL}:+90%")], metrics=[MEMORY])
    assert judgement.passed
    assert verdicts(judgement)[WALL] == WORSE


def test_other_gates_hold_for_the_median_of_head() -> None:
    base, head = runs([1.0] * 8), runs([1.0] * 5 + [9.0] * 3)
    assert judge_pairs(base, head, [parse_gate(f"{WALL}:<=1")], [MEMORY]).passed
    assert not judge_pairs(base, head, [parse_gate(f"{WALL}:<1")], [MEMORY]).passed


def test_the_same_input_gives_the_same_judgement() -> None:
    base, head = pairs(0.1)
    assert judge_pairs(base, head).to_dict() == judge_pairs(base, head).to_dict()


def test_without_a_base_limits_hold_and_nothing_is_compared() -> None:
    gates = [parse_gate(text) for text in (f"{WALL}:<=1", f"{WALL}:+10%", f"{MEMORY}:5")]
    judgement = judge_alone(runs([1.0] * 5 + [9.0] * 3), gates)
    assert [result.passed for result in judgement.gates] == [True, True, False]
    assert judgement.gates[1].skipped
    assert judgement.changes == []
