"""Whatever is written as a condition, it is refused in words or evaluated: no crash, no name but the catalog's.

`RUNNER_FUZZ_SECONDS` says how long each test goes on, instead of once through its examples.
"""

from __future__ import annotations

import os
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.model.errors import UsageError
from runner.policy.conditions import compile_condition
from runner.policy.conditions_lexer import ConditionError
from runner.policy.conditions_names import DURING, NAMES, TAGS, Fact

if TYPE_CHECKING:
    from collections.abc import Callable

_SECONDS = float(os.environ.get("RUNNER_FUZZ_SECONDS", "0"))
_SETTINGS = settings(max_examples=400, deadline=None, database=None, suppress_health_check=list(HealthCheck))

BITS = st.sampled_from(
    [*NAMES, "tags.env", "and", "or", "not", "in", "contains", "(", ")", ",", "<", "<=", "==", "=", "!=", "+", "-", "*",
     "/", "!", "&&", "||", "90%", "2GB", "5m", "1h30m", "100MB/s", "30d", "0", "1e308", "1e400", ".5", "'a'", '"b"',
     "'failed'", "true", "false", "__class__", "__import__('os')", ".__class__", "lambda", "x:=1", "f''", "[", "]",
     "{", "}", "#", "%", "\\", "\x00", "\n", "\u0430", "\u0663", "\u2265", "\ud800", "if", "else", "await", "yield",
     "None", "...", "**", "//", ";", "@", "~", "0x1", "1_0", "1j", "packages", " "]
)  # fmt: skip
VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.lists(st.none()))


class Spy:
    """Facts and record in one that answer anything, and note which names were reached."""

    def __init__(self, values: list[Any]) -> None:
        self.values = values
        self.reached: set[str] = set()
        self._turn = 0

    def _next(self) -> Any:
        self._turn += 1
        return self.values[self._turn % len(self.values)]

    def get(self, name: str) -> Any:
        self.reached.add(name)
        return self._next()

    def __getattr__(self, method: str) -> Callable[..., Any]:
        if method not in ("baseline", "aggregate", "usual", "count", "failures_in_a_row", "recovered", "first_run",
                          "changed"):  # fmt: skip
            raise AttributeError(method)

        def answer(*arguments: Any) -> Any:
            self.reached.update(each for each in arguments if isinstance(each, str) and each in NAMES)
            found = self._next()
            wanted = {"usual": str, "recovered": bool, "first_run": bool, "changed": bool}.get(method, (int, float))
            return found if isinstance(found, wanted) else "unknown" if method == "usual" else None

        return answer


def check(text: str, values: list[Any]) -> None:
    try:
        condition = compile_condition(text)
    except UsageError as error:
        lines = str(error).split("\n")
        assert lines[0]
        if isinstance(error, ConditionError):
            assert len(lines) == 3 and lines[1].isprintable() and set(lines[2]) == {" ", "^"}
            assert 0 <= error.start < error.end <= len(text) + 1
        return
    spy = Spy(values)
    record: Any = spy
    assert condition.evaluate(spy, record) in (True, False)
    verdict = condition.judge(spy, record, full=True)
    assert verdict.fired in (True, False, None)
    assert all(str(finding) for finding in verdict.findings)
    assert {name for name in spy.reached if not name.startswith(TAGS)} <= NAMES.keys()
    assert {name for name in condition.names if not name.startswith(TAGS)} <= NAMES.keys()


def repeated(test: Callable[[], None]) -> None:
    end = time.monotonic() + _SECONDS
    test()
    while time.monotonic() < end:
        test()


@_SETTINGS
@given(st.lists(BITS, max_size=25), st.sampled_from(["", " "]), st.lists(VALUES, min_size=1, max_size=6))
def bits(parts: list[str], between: str, values: list[Any]) -> None:
    check(between.join(parts), values)


@_SETTINGS
@given(st.text(max_size=40), st.lists(VALUES, min_size=1, max_size=3))
def anything(text: str, values: list[Any]) -> None:
    check(text, values)


# Conditions that make sense, each with what it should be by a second, simple reckoning.

_NUMBERS = ("cpu_max", "num_threads", "exit_code")
_TRUTHS = ("success",)


def _number() -> st.SearchStrategy[tuple[str, Callable[[dict[str, Any]], Any]]]:
    names = st.sampled_from(_NUMBERS).map(lambda name: (name, lambda facts: facts[name]))
    literals = st.integers(0, 5).map(lambda value: (str(value), lambda facts: value))
    plain = st.sampled_from(["num_threads", "exit_code"]).map(lambda name: (name, lambda facts: facts[name]))
    operators: dict[str, Callable[[Any, Any], Any]] = {
        "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b,
        "/": lambda a, b: a / b if b else None,
    }  # fmt: skip

    def join(pair: Any) -> Any:
        (one, f), sign, (two, g) = pair

        def value(facts: dict[str, Any]) -> Any:
            a, b = f(facts), g(facts)
            return None if a is None or b is None else operators[sign](a, b)

        return f"({one} {sign} {two})", value

    base = st.one_of(plain, literals)
    return st.one_of(names, st.recursive(
        base, lambda inner: st.tuples(inner, st.sampled_from(list(operators)), inner).map(join), max_leaves=5
    ).filter(lambda pair: any(name in pair[0] for name in _NUMBERS)))  # fmt: skip


_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b, "!=": lambda a, b: a != b,
}  # fmt: skip


def _chain(parts: Any) -> Any:
    first, rest = parts

    def value(facts: dict[str, Any]) -> Any:
        values = [first[1](facts), *(each[1](facts) for _, each in rest)]
        found = [None if None in pair else _TESTS[sign](*pair)
                 for (sign, _), pair in zip(rest, pairwise(values), strict=True)]  # fmt: skip
        return False if False in found else None if None in found else True

    return " ".join([first[0], *(f"{sign} {each[0]}" for sign, each in rest)]), value


def _joined(parts: Any) -> Any:
    word, inner = parts
    texts, values = [each[0] for each in inner], [each[1] for each in inner]

    def value(facts: dict[str, Any]) -> Any:
        found = [each(facts) for each in values]
        decisive = word == "or"
        return decisive if decisive in found else None if None in found else not decisive

    return f"({f' {word} '.join(texts)})", value


def _not(inner: Any) -> Any:
    text, f = inner
    return f"not ({text})", lambda facts: None if f(facts) is None else not f(facts)


# What has percent as its unit is compared with plain numbers alone.
_PLAIN = _number().filter(lambda pair: "cpu_max" not in pair[0])
_LITERAL = st.integers(0, 5).map(lambda value: (str(value), lambda facts: value))
_COMPARED = st.one_of(
    st.tuples(_PLAIN, st.lists(st.tuples(st.sampled_from(list(_TESTS)), _PLAIN), min_size=1, max_size=2)),
    st.tuples(st.just(("cpu_max", lambda facts: facts["cpu_max"])),
              st.lists(st.tuples(st.sampled_from(list(_TESTS)), _LITERAL), min_size=1, max_size=1)),
).map(_chain)  # fmt: skip
_TRUTH = st.sampled_from(["success", "failed"]).map(
    lambda name: (name, lambda facts: facts["success"] is (name == "success"))
)
CONDITIONS = st.recursive(
    st.one_of(_COMPARED, _TRUTH),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=3)).map(_joined), inner.map(_not)
    ),
    max_leaves=6,
)
FACTS = st.fixed_dictionaries(
    {"cpu_max": st.one_of(st.none(), st.floats(0, 5)), "num_threads": st.integers(0, 5),
     "exit_code": st.one_of(st.none(), st.integers(0, 5)), "success": st.booleans()}
)  # fmt: skip


@_SETTINGS
@given(CONDITIONS, FACTS)
def sense(condition: tuple[str, Callable[[dict[str, Any]], Any]], facts: dict[str, Any]) -> None:
    text, expected = condition
    if len(text) > 1000:
        return
    try:
        compiled = compile_condition(text)
    except ConditionError as error:
        assert error.problem == "this can't be reckoned"  # a division of constants by zero
        return
    assert compiled.judge(facts).fired is expected(facts), text


CORPUS = (
    "cpu_max > 80", "memory_max_mb > 2GB and not failed",
    "execution_time_seconds > p95(execution_time_seconds, 30d) * 150%",
    'status == "timeout" or error_message contains "no space"', "failures(7d) / runs(7d) > 20%", "10 < cpu_avg <= 90%",
    "exit_code not in (0, 1, -2)", 'tags.env == "prod" && slower_than_usual', "changed(packages) || first_run()",
    "(baseline(cpu_max) + 10%) * 2 < cpu_max - 1", 'tag("a-b") != "" and weekday in ("sunday")',
    "io_read_bytes / execution_time_seconds >= 100MB/s", "!(measured(num_fds) = true) or -load + 3 <> hour",
)  # fmt: skip


@_SETTINGS
@given(
    st.sampled_from(CORPUS),
    st.lists(st.tuples(st.integers(0, 99), st.integers(0, 8), BITS), max_size=3),
    st.lists(VALUES, min_size=1, max_size=6),
)
def changed(text: str, changes: list[tuple[int, int, str]], values: list[Any]) -> None:
    for place, length, new in changes:
        at = place * len(text) // 100
        text = text[:at] + new + text[at + length :]
    check(text, values)


def test_almost_conditions() -> None:
    repeated(bits)


def test_conditions_with_mistakes() -> None:
    for text in CORPUS:
        compile_condition(text)
    repeated(changed)


def test_any_text() -> None:
    repeated(anything)


def test_a_second_reckoning_comes_to_the_same() -> None:
    repeated(sense)


def test_what_a_condition_may_name_while_a_script_runs_is_a_part_of_what_it_may_name_after() -> None:
    assert DURING.items() < NAMES.items()
    assert {name for name, entry in DURING.items() if isinstance(entry, Fact) and entry.metric}
