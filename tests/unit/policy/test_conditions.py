"""What conditions mean: comparisons, units, texts, logic with what is not known, and the record that they ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from runner.model.errors import UsageError
from runner.policy.conditions import compile_condition
from runner.policy.conditions_names import DURING, NAMES, Function, with_metrics

if TYPE_CHECKING:
    from runner.policy.conditions_names import Resolver

FACTS: dict[str, Any] = {
    "cpu_max": 85.0,
    "cpu_min": None,
    "memory_max_mb": 3000.0,
    "execution_time_seconds": 400.0,
    "io_read_bytes": 80 << 30,
    "num_threads": 4,
    "success": False,
    "reason": "timeout",
    "exit_code": 124,
    "signal": 0,
    "error_type": None,
    "error_message": "No space left on Device",
    "stdout": "one\ntwo\n",
    "weekday": "sunday",
    "tags.env": "prod",
    "tags.x-y": "z",
}


class Record:
    """A record that answers, and notes what it is asked."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: list[tuple[Any, ...]] = []

    def _say(self, *question: Any) -> Any:
        self.asked.append(question)
        return self.answers.get(question[0])

    def baseline(self, metric: str) -> float | None:
        return self._say("baseline", metric)  # type: ignore[no-any-return]

    def aggregate(self, function: str, metric: str, seconds: float) -> float | None:
        return self._say(function, metric, seconds)  # type: ignore[no-any-return]

    def usual(self, metric: str) -> str:
        return self._say("usual", metric) or "unknown"

    def count(self, seconds: float, failed: bool) -> int | None:
        return self._say("failures" if failed else "runs", seconds)  # type: ignore[no-any-return]

    def failures_in_a_row(self) -> int | None:
        return self._say("failures_in_a_row")  # type: ignore[no-any-return]

    def recovered(self) -> bool | None:
        return self._say("recovered")  # type: ignore[no-any-return]

    def first_run(self) -> bool | None:
        return self._say("first_run")  # type: ignore[no-any-return]

    def changed(self, fact: str) -> bool | None:
        return self._say("changed", fact)  # type: ignore[no-any-return]


def fired(text: str, record: Resolver | None = None, **more: Any) -> bool | None:
    condition = compile_condition(text)
    facts = {**FACTS, **more}
    result = condition.judge(facts, record).fired
    assert condition.evaluate(facts, record) is (result is True)
    return result


@pytest.mark.parametrize(
    ("text", "result"),
    [
        # comparisons, however they are spelled
        ("cpu_max > 80", True), ("cpu_max>85", False), ("cpu_max >= 85", True), ("cpu_max < 85", False),
        ("cpu_max <= 85", True), ("cpu_max == 85", True), ("cpu_max = 85", True), ("cpu_max != 85", False),
        ("cpu_max <> 85", False), ("80 < cpu_max < 90", True), ("80 < cpu_max < 84", False), ("80 < cpu_max", True),
        ("  cpu_max\n >\t80 ", True), ("cpu_max > 8e1", True), ("cpu_max > .5", True), ("cpu_max > 80.", True),
        ("num_threads == 4.0", True), ("signal == 0", True), ("signal == 'SIGKILL'", False), ("'term' != signal", True),
        ("signal in ('kill', 'SIGTERM', 0)", True),
        # joined
        ("cpu_max > 80 and num_threads > 3", True), ("cpu_max > 90 AND num_threads > 3", False),
        ("cpu_max > 90 || num_threads > 3", True), ("cpu_max > 80 && num_threads > 4", False),
        ("not cpu_max > 90", True), ("!(cpu_max > 90)", True), ("not not failed", True),
        ("success or failed and cpu_max > 90", False), ("(success or failed) and cpu_max > 80", True),
        ("true", True), ("FALSE or true", True), ("false", False), ("failed == true", True),
        ("success != failed", True),
        # reckoned
        ("cpu_max + 5 == 90", True), ("cpu_max - 5 * 2 == 75", True), ("(cpu_max - 5) * 2 == 160", True),
        ("-cpu_max < -80", True), ("+cpu_max > 80", True), ("cpu_max / num_threads > 21", True),
        ("1 + 1 == 2", True), ("--5 == 5", True),
    ],
)  # fmt: skip
def test_logic_and_numbers(text: str, result: bool) -> None:
    assert fired(text) is result


@pytest.mark.parametrize(
    ("text", "result"),
    [
        # the unit of what it is compared with
        ("memory_max_mb > 2048", True), ("memory_max_mb > 2999 MB", True), ("memory_max_mb > 2GB", True),
        ("memory_max_mb > 2 GB and failed", True),
        ("memory_max_mb > 3GB", False), ("memory_max_mb > 3 000", None), ("memory_max_mb == 3072000KB", True),
        ("2GB < memory_max_mb", True), ("memory_max_mb > 2999m", True), ("memory_max_mb > 2999M", True),
        ("memory_max_mb >= 3001m", False), ("io_read_bytes == 80GB", True), ("io_read_bytes > memory_max_mb", True),
        ("memory_max_mb > io_read_bytes", False), ("memory_max_mb + 1GB > 4000", True),
        ("memory_max_mb + io_read_bytes > 82GB", True), ("execution_time_seconds > 6m", True),
        ("execution_time_seconds > 7m", False), ("execution_time_seconds > 5M", True),
        ("execution_time_seconds < 1h30m", True), ("execution_time_seconds == 400s", True),
        ("execution_time_seconds == 400000ms", True), ("execution_time_seconds - 100 > 4m", True),
        # percent
        ("cpu_max > 84%", True), ("cpu_max > 90 %", False), ("cpu_max + 10% == 95", True),
        ("cpu_max * 110% > 93", True), ("cpu_max * 110% > 94", False), ("memory_max_mb * 50% == 1500", True),
        ("memory_max_mb / 6000MB == 50%", True), ("memory_max_mb / 1GB > 2.9", True),
        # rates
        ("io_read_bytes / execution_time_seconds > 200MB/s", True),
        ("io_read_bytes / execution_time_seconds > 1GB/s", False),
        ("1GB/s * execution_time_seconds > io_read_bytes", True),
    ],
)  # fmt: skip
def test_units(text: str, result: bool | None) -> None:
    if result is None:
        with pytest.raises(UsageError):
            compile_condition(text)
    else:
        assert fired(text) is result


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ('status == "failed"', True), ('status == "timeout"', True), ('status != "failed"', False),
        ('status == "exited"', False), ('status in ("success", "limit")', False),
        ('status in ("limit", "failed")', True),
        ('status not in ("success")', True), ("reason == 'timeout'", True), ('"timeout" == reason', True),
        ('error_message == "No space left on Device"', True), ('error_message == "no space left on device"', False),
        ('error_message contains "SPACE LEFT"', True), ('error_message not contains "space"', False),
        ('"device" in error_message', True), ('"disk" not in error_message', True), ('error_type == ""', True),
        ('error_type != "MemoryError"', True), ('tags.env == "prod"', True), ('tags.none == ""', True),
        ('tag("x-y") == "z"', True), ('tag("nothing") == ""', True), ("exit_code in (1, 124)", True),
        ("exit_code not in (1, 2)", True), ("weekday in ('saturday', 'sunday')", True), ('stdout contains "two"', True),
        (r"'\"' in stdout", False), (r'error_message contains "\\"', False), ("error_message != tags.env", True),
        ('stdout contains ""', False), ("stdout contains tags.none", False), ('stdout not contains ""', True),
    ],
)  # fmt: skip
def test_texts(text: str, result: bool) -> None:
    assert fired(text) is result


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("cpu_min > 1", None), ("not cpu_min > 1", None), ("cpu_min > 1 or failed", True),
        ("cpu_min > 1 or success", None), ("cpu_min > 1 and success", False), ("cpu_min > 1 and failed", None),
        ("success and cpu_min > 1", False), ("cpu_avg > 1", None), ("cpu_min + 1 > 0", None), ("1 < cpu_min < 3", None),
        ("cpu_max / (num_threads - 4) > 1", None), ("measured(cpu_min)", False), ("measured(cpu_max)", True),
        ("cpu_min in (1, 2)", None), ("cpu_min not in (1, 2)", None), ("cpu_max > cpu_min", None),
    ],
)  # fmt: skip
def test_what_is_not_known_neither_fires_nor_hides(text: str, result: bool | None) -> None:
    assert fired(text) is result


@pytest.mark.parametrize("value", ["90", float("nan"), float("inf"), 10**400, True, [90], None])
def test_a_value_that_is_no_number_is_not_known(value: object) -> None:
    assert fired("cpu_max > 80", cpu_max=value) is None
    assert fired("not cpu_max > 80", cpu_max=value) is None


def test_a_value_that_is_no_text_or_truth() -> None:
    assert fired("error_message == ''", error_message=3) is True
    assert fired("failed", success="no") is None
    assert fired("num_threads * 1e300 * 1e300 > 1") is True
    assert fired("num_threads * 1e300 * 1e300 - num_threads * 1e300 * 1e300 > 1") is None


def test_the_record_is_asked_with_metric_and_period() -> None:
    record = Record(baseline=60.0, p95=300.0, avg=10.0)
    assert fired("cpu_max > baseline(cpu_max) * 140%", record) is True
    assert fired("execution_time_seconds > p95(execution_time_seconds, 7d) * 120%", record) is True
    assert fired("avg(memory_max_mb) > 9MB", record) is True
    assert set(record.asked) == {
        ("baseline", "cpu_max"), ("p95", "execution_time_seconds", 7 * 86400.0), ("avg", "memory_max_mb", 30 * 86400.0)
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "answers", "result"),
    [
        ("failures_in_a_row >= 3", {"failures_in_a_row": 3}, True),
        ("failures_in_a_row() >= 3", {"failures_in_a_row": 2}, False),
        ("slower_than_usual", {"usual": "higher"}, True), ("slower_than_usual", {"usual": "lower"}, False),
        ("slower_than_usual", {"usual": "unknown"}, None), ("faster_than_usual", {"usual": "lower"}, True),
        ("higher_than_usual(memory_max_mb)", {"usual": "higher"}, True),
        ("lower_than_usual(cpu_max)", {"usual": "usual"}, False), ("recovered", {"recovered": True}, True),
        ("first_run", {"first_run": False}, False), ("changed(packages)", {"changed": True}, True),
        ("changed(git_commit)", {}, None), ("failures(7d) / runs(7d) > 20%", {"failures": 1, "runs": 4}, True),
        ("failures(7d) / runs(7d) > 20%", {"failures": 0, "runs": 0}, None),
        ("p95(cpu_max) > 1", {"p95": float("nan")}, None),
    ],
)  # fmt: skip
def test_functions(text: str, answers: dict[str, Any], result: bool | None) -> None:
    assert fired(text, Record(**answers)) is result
    if result is not None:
        assert fired(text) is None, "without a record nothing is known of earlier runs"


def test_the_record_is_asked_only_where_the_outcome_depends_on_it() -> None:
    record = Record(p95=1.0)
    condition = compile_condition("success and cpu_max > p95(cpu_max)")
    assert condition.needs_record
    assert not condition.evaluate(FACTS, record)
    assert not condition.judge(FACTS, record).findings
    assert record.asked == []
    assert condition.evaluate({**FACTS, "success": True}, record)
    assert condition.judge(FACTS, record, full=True).findings[-1].value == 1.0


def test_a_verdict_tells_the_values() -> None:
    text = 'memory_max_mb > 2GB and p95( memory_max_mb , 7d ) > 1 and error_message contains "space" and failed'
    verdict = compile_condition(text).judge(FACTS, Record(p95=512.0))
    assert [str(each) for each in verdict.findings] == [
        "memory_max_mb 2.93 GB", "p95( memory_max_mb , 7d ) 512 MB", "error_message 'No space left on Device'",
        "failed yes",
    ]  # fmt: skip
    assert verdict.unknown == []
    verdict = compile_condition("cpu_min > 1 or p95(cpu_min) > 1").judge(FACTS)
    assert [(each.shown, each.why) for each in verdict.unknown] == [
        ("not measured", "not measured"), ("not known", "too few comparable earlier runs")
    ]  # fmt: skip


def test_a_text_that_is_told_is_short_and_harmless() -> None:
    [told] = compile_condition('stderr contains "x"').judge({"stderr": "x\x1b[2J\n" * 100}).findings
    assert told.shown.isprintable() and len(told.shown) <= 70


def test_what_a_condition_needs_is_known_beforehand() -> None:
    assert compile_condition("stdout contains 'a'").needs_output
    assert not compile_condition("cpu_max > 1").needs_output
    assert not compile_condition("cpu_max > 1 and measured(cpu_max) and tag('a') == ''").needs_record
    assert compile_condition("cpu_max > 1 and p95(num_fds) > 2").names == {"cpu_max", "p95"}


def test_while_a_script_runs_only_what_is_known_then_may_be_named() -> None:
    condition = compile_condition("memory_max_mb > 1GB and execution_time_seconds > 5m and slower_than_usual", DURING)
    assert condition.evaluate(FACTS, Record(usual="higher"))
    for name in ("failed", "exit_code", "page_faults_major", "recovered", "changed(script_hash)", "survivors"):
        with pytest.raises(UsageError, match="not known while the script still runs"):
            compile_condition(f"{name} == {name}" if "(" not in name else name, DURING)


def test_metrics_that_a_program_saved() -> None:
    with pytest.raises(UsageError):
        compile_condition("loss > 0.3")
    names = with_metrics(NAMES, {"loss": "", "cpu_max": "", "failed": ""})
    assert compile_condition("loss > 0.3 and cpu_max > 80% and failed", names).evaluate({**FACTS, "loss": 0.5})
    assert compile_condition("p95(loss) < 1", names).evaluate({}, Record(p95=0.5))


def test_every_name_of_the_catalog_can_be_used() -> None:
    samples = {"a number": "{} > 1", "a text": "{} == ''", "true or false": "{}"}
    arguments = {"METRIC": "cpu_max", "PERIOD": "7d", "FACT": "packages", "TEXT": "'a'"}
    for name, entry in NAMES.items():
        spelled = name
        if isinstance(entry, Function) and entry.takes:
            spelled = f"{name}({', '.join(arguments[each] for each in entry.takes)})"
        elif not isinstance(entry, Function) and entry.choices:
            compile_condition(f"{name} == '{entry.choices[0]}'").judge(FACTS)
            continue
        compile_condition(samples[entry.type].format(spelled)).judge(FACTS, Record())
