"""Gates: how they are written, and what they say of figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.model.errors import UsageError
from runner.model.metric import BOUND, CEILING, EXACT
from runner.model.reference import Reference
from runner.policy.gates import bounds, in_force, parse_gate

if TYPE_CHECKING:
    from collections.abc import Sequence

WALL, CPU, MEMORY, LINES = "execution_time_seconds", "cpu_max", "memory_max_mb", "stdout_lines"


class Known:
    """A baseline with the same references for every metric."""

    def __init__(self, *references: Reference) -> None:
        self.found = references

    def references(self, metric: str) -> Sequence[Reference]:
        return self.found


RECENT = Reference(10.0, 9.2, 10.8, 20, "median of 20 runs")


@pytest.mark.parametrize(("text", "operator", "bound"), [
    ("cpu_max:90", "<=", 90.0), ("cpu_max:<=90", "<=", 90.0), ("cpu_max<=90%", "<=", 90.0),
    (" cpu_max : 90 ", "<=", 90),
    ("cpu_max:>=10", ">=", 10.0), ("cpu_max:<90", "<", 90.0), ("cpu_max:> 10", ">", 10.0), ("num_threads:==3", "==", 3),
    ("memory_max_mb:1GB", "<=", 1024.0), ("execution_time_seconds:3m", "<=", 180.0), ("io_read_bytes:2KB", "<=", 2048),
    ("execution_time_seconds:+10%", "+", 0.1), ("stdout_lines:-25%", "-", 0.25), ("cpu_max:+0%", "+", 0.0),
    ("cpu_max:+250%", "+", 2.5),
])  # fmt: skip
def test_what_a_text_means(text: str, operator: str, bound: float) -> None:
    gate = parse_gate(text)
    assert (gate.operator, gate.bound, gate.least) == (operator, pytest.approx(bound), 0.0)
    assert gate.text == text.strip()
    assert gate.relative == (operator in "+-")


def test_a_smallest_change_may_stand_beside_a_relative_one() -> None:
    gate = parse_gate("execution_time_seconds:+10%&>0.5s")
    assert (gate.operator, gate.bound, gate.least) == ("+", 0.1, 0.5)
    assert parse_gate("memory_max_mb:+5% & > 1GB").least == 1024


@pytest.mark.parametrize(("text", "told"), [
    ("cpu_mx:90", "did you mean 'cpu_max'?"), ("cpu_max", "METRIC:LIMIT is needed"), ("cpu_max:", "METRIC:LIMIT"),
    ("", "METRIC:LIMIT"), (":90", "METRIC:LIMIT"), ("cpu_max:nan", "finite"), ("cpu_max:inf", "finite"),
    ("cpu_max:much", "not a number"), ("cpu_max:=90", "=="), ("cpu_max:1GB", "not a number"),
    ("execution_time_seconds:1GB", "not a duration"), ("cpu_max:+10", "in percent"), ("cpu_max:-5", "in percent"),
    ("cpu_max:+%", "not a number"), ("cpu_max:+-3%", "no change"), ("cpu_max:-120%", "no change"),
    ("cpu_max:+10%&0.5", "smallest change"), ("cpu_max:+10%&>-1", "negative"), ("cpu_max:+nan%", "finite"),
    ("cpu_max:++10%", "no change"), ("cpu_max:<=+10%", "takes no operator"), ("cpu_max:> +10%", "takes no operator"),
    ("cpu_max:>=-10%", "takes no operator, as in -10%"), ("cpu_max:<-10", "takes no operator, as in -10%"),
    ("CPU_MAX:90", "did you mean 'cpu_max'?"),
    ("error_message:x", "no figure"), ("success:1", "no figure"), ("exit_code:==0", "no figure"),
])  # fmt: skip
def test_what_makes_no_sense_is_refused_in_one_line(text: str, told: str) -> None:
    with pytest.raises(UsageError, match=r"^--add-gate ") as refused:
        parse_gate(text, "--add-gate")
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


def test_bounds_make_a_gate_each() -> None:
    assert [gate.text for gate in bounds(CPU, 90, 10)] == ["cpu_max:<=90", "cpu_max:>=10"]
    assert [gate.bound for gate in bounds(MEMORY, "1GB", None)] == [1024.0]
    assert [(gate.operator, gate.least) for gate in bounds(WALL, "+10%&>0.5s", "-50%")] == [("+", 0.5), ("-", 0.0)]
    with pytest.raises(UsageError, match="max_value, a min_value or both"):
        bounds(CPU)
    with pytest.raises(UsageError, match=r"^c\.yaml:3: gate on cpu_mx: unknown metric"):
        bounds("cpu_mx", 1, None, "c.yaml:3: gate")
    with pytest.raises(UsageError, match="not a finite number"):
        bounds(CPU, float("nan"))
    for limit, told in ((True, "not a bool"), ([1], "not a list"), (10**400, "not a fin"), (10**5000, "not a fin")):
        with pytest.raises(UsageError, match=told):
            bounds(CPU, limit)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="is a text"):
        bounds(7, 1)  # type: ignore[arg-type]
    for limits in (("-10%", None), (None, "+10%")):  # taken as limits, they would never fail, or always
        with pytest.raises(UsageError, match="allowed in this direction"):
            bounds(CPU, *limits)


@pytest.mark.parametrize(("text", "value", "passed"), [
    ("cpu_max:90", 90.0, True), ("cpu_max:90", 90.000001, False), ("cpu_max:<90", 90.0, False),
    ("cpu_max:>=10", 10, True), ("cpu_max:>=10", 9.99, False), ("cpu_max:>10", 10, False),
    ("num_threads:==3", 3, True), ("num_threads:==3", 4, False),
    ("survivors:0", 0, True), ("survivors:0", 1, False),
])  # fmt: skip
def test_a_figure_passes_or_fails_a_limit(text: str, value: float, passed: bool) -> None:
    gate = parse_gate(text)
    result = gate.judge({gate.metric.name: value})
    assert (result.passed, result.value, result.limit, result.gate) == (passed, value, gate.bound, text)


def test_what_was_found_and_what_is_allowed_is_said_in_units() -> None:
    assert parse_gate("memory_max_mb:1GB").judge({MEMORY: 2048.0}).text == "memory_max_mb 2 GB (at most 1 GB)"
    assert parse_gate("execution_time_seconds:>=3m").judge({WALL: 5}).text == (
        "execution_time_seconds 5.00 s (at least 3 min 00 s)"
    )
    # What would look the same gets digits enough to see the difference.
    assert parse_gate("cpu_max:90").judge({CPU: 90.004}).text == "cpu_max 90.004 % (at most 90 %)"
    assert parse_gate("stdout_lines:>=5.5").judge({LINES: 6}).text == "stdout_lines 6 (at least 5.5)"
    assert parse_gate("cpu_max:90").judge({CPU: 90}).text == "cpu_max 90 % (at most 90 %)"


@pytest.mark.parametrize(("text", "value", "told"), [
    ("cpu_max:0.001", 99, "cpu_max 99 % (at most 0.001 %)"), ("cpu_max:0.5", 99, "cpu_max 99 % (at most 0.5 %)"),
    ("cpu_max:0", 0.04, "cpu_max 0.04 % (at most 0.0 %)"), ("num_threads:3", 3.5, "num_threads 3.5 (at most 3)"),
    ("stdout_lines:>=5.5", 3, "stdout_lines 3 (at least 5.5)"),
    ("execution_time_seconds:0.0000001", 1, "execution_time_seconds 1.00 s (at most 1e-07 s)"),
    ("memory_max_mb:0.0000001", 1, "memory_max_mb 1 MB (at most 1e-07 MB)"),
    ("page_faults_minor:1200.5", 90_000, "page_faults_minor 90,000 (at most 1,200)"),
])  # fmt: skip
def test_small_figures_have_digits_enough(text: str, value: float, told: str) -> None:
    gate = parse_gate(text)
    assert gate.judge({gate.metric.name: value}).text == told


def test_what_is_printed_of_a_result_says_whether_it_passed() -> None:
    gate = parse_gate("memory_max_mb:1GB")
    assert str(gate.judge({MEMORY: 31.25})) == "memory_max_mb 31.2 MB (at most 1 GB): passed"
    assert str(gate.judge({MEMORY: 2048.0})) == "memory_max_mb 2 GB (at most 1 GB): failed"


def test_of_several_gates_in_one_direction_the_last_counts() -> None:
    gates, told = in_force([parse_gate(text) for text in ("cpu_max:80", "cpu_max:>=10", "cpu_max:<90", "cpu_max:<90")])
    assert [gate.text for gate in gates] == ["cpu_max:>=10", "cpu_max:<90"]
    assert told == ["gate cpu_max:<90 replaces cpu_max:80"]


@pytest.mark.parametrize(("value", "told"), [
    (None, "was not measured"), (float("nan"), "not a finite number"), (float("inf"), "not a finite number"),
    (10**400, "not a finite number"), ("fast", "not a number"), (True, "not a number"),
])  # fmt: skip
@pytest.mark.parametrize("text", ["cpu_max:90", "cpu_max:>=0", "cpu_max:+10%"])
def test_what_is_no_figure_fails_and_says_why(text: str, value: object, told: str) -> None:
    result = parse_gate(text).judge({CPU: value}, {}, Known(RECENT))
    assert not result.passed
    assert result.value is None
    assert told in result.note
    assert told in result.text
    assert not parse_gate(text).judge({}, {}, Known(RECENT)).passed


def test_a_figure_that_is_only_a_bound_says_so() -> None:
    result = parse_gate("cpu_max:90").judge({CPU: 50.0}, {CPU: BOUND})
    assert result.passed
    assert result.text == "cpu_max at least 50 % (at most 90 %)"
    assert "at least" in result.note
    assert parse_gate("cpu_max:90").judge({CPU: 50.0}, {CPU: EXACT}).note == ""


@pytest.mark.parametrize(("value", "passed", "unsure"), [
    (10.4, True, False),  # less than allowed
    (11.0, True, False),
    (11.01, False, False),  # more than allowed, and more than chance
    (5.0, True, False),
])  # fmt: skip
def test_a_rise_beyond_what_is_allowed_and_beyond_chance_fails(value: float, passed: bool, unsure: bool) -> None:
    result = parse_gate("execution_time_seconds:+10%").judge({WALL: value}, {}, Known(RECENT))
    assert (result.passed, result.note.startswith("unsure")) == (passed, unsure)
    assert result.limit == pytest.approx(11.0)
    assert "10 % above 10.0 s, median of 20 runs" in result.text


def test_more_than_allowed_but_within_chance_is_unsure_and_passes() -> None:
    noisy = Known(Reference(10.0, 7.5, 12.5, 3, "median of 3 runs"))
    result = parse_gate("execution_time_seconds:+10%").judge({WALL: 12.0}, {}, noisy)
    assert result.passed
    assert result.note == "unsure: by chance alone a run may reach 12.5 s"
    assert result.note in result.text
    assert not parse_gate("execution_time_seconds:+10%").judge({WALL: 12.6}, {}, noisy).passed


@pytest.mark.parametrize(("gate", "value", "kind", "passed"), [
    ("+10%", 20.0, CEILING, True), ("+10%", 20.0, BOUND, False),
    ("-10%", 5.0, BOUND, True), ("-10%", 5.0, CEILING, False),
])  # fmt: skip
def test_a_limit_is_no_change_for_sure(gate: str, value: float, kind: str, passed: bool) -> None:
    result = parse_gate(f"{WALL}:{gate}").judge({WALL: value}, {WALL: kind}, Known(RECENT))
    assert result.passed == passed
    assert ("unsure: known only as at " in result.note) == passed


def test_the_smallest_change_has_to_be_exceeded_too() -> None:
    gate = parse_gate("execution_time_seconds:+10%&>2s")
    assert gate.judge({WALL: 11.9}, {}, Known(RECENT)).passed
    assert not gate.judge({WALL: 12.1}, {}, Known(RECENT)).passed
    # ... and so has the percentage where that is more.
    assert parse_gate("execution_time_seconds:+50%&>2s").judge({WALL: 14.0}, {}, Known(RECENT)).passed


def test_a_fall_is_a_gate_of_its_own() -> None:
    gate = parse_gate("stdout_lines:-10%")
    known = Known(Reference(100.0, 98.0, 102.0, 20, "median of 20 runs"))
    assert gate.judge({LINES: 500}, {}, known).passed
    assert gate.judge({LINES: 90}, {}, known).passed
    result = gate.judge({LINES: 89}, {}, known)
    assert not result.passed
    assert "at least 90, 10 % below 100" in result.text
    assert gate.side != parse_gate("stdout_lines:+10%").side
    assert gate.bounds_below


def test_the_worst_of_several_references_counts() -> None:
    start = Reference(5.0, 4.5, 5.5, 5, "where the baseline began on 2026-01-03")
    result = parse_gate("execution_time_seconds:+10%").judge({WALL: 10.1}, {}, Known(RECENT, start))
    assert not result.passed
    assert "where the baseline began on 2026-01-03" in result.text
    unsure = Reference(9.0, 5.0, 20.0, 2, "where it began")
    result = parse_gate("execution_time_seconds:+10%").judge({WALL: 10.1}, {}, Known(RECENT, unsure))
    assert result.passed
    assert result.note.startswith("unsure")


def test_a_baseline_of_zero_allows_nothing_but_chance() -> None:
    zero = Known(Reference(0.0, 0.0, 0.0, 20, "median of 20 runs"))
    gate = parse_gate("survivors:+10%")
    assert gate.judge({"survivors": 0}, {}, zero).passed
    assert not gate.judge({"survivors": 1}, {}, zero).passed


@pytest.mark.parametrize("baseline", [None, Known()])
def test_without_anything_to_compare_with_a_relative_gate_passes_and_says_so(baseline: Known | None) -> None:
    result = parse_gate("execution_time_seconds:+10%").judge({WALL: 3.0}, {}, baseline)
    assert result.passed
    assert result.limit is None
    assert "nothing to compare with yet" in result.note
    assert "nothing to compare with yet" in result.text


def test_the_same_direction_of_one_metric_is_the_same_side() -> None:
    texts = ("cpu_max:90", "cpu_max:<80", "cpu_max:>=1", "cpu_max:==5", "cpu_max:+1%")
    sides = [parse_gate(text).side for text in texts]
    assert sides[0] == sides[1]
    assert len(set(sides)) == 4
