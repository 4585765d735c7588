"""What is no condition is refused, in words that say what is wrong, with the place marked."""

from __future__ import annotations

import pytest

from runner.model.errors import UsageError
from runner.policy.conditions import compile_condition
from runner.policy.conditions_lexer import ConditionError, mark


def refused(text: str) -> str:
    with pytest.raises(UsageError) as caught:
        compile_condition(text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        # names
        ("cpu_mx > 80", "cpu_mx", "unknown name 'cpu_mx', did you mean 'cpu_max'?"),
        ("CPU_MAX > 80", "CPU_MAX", "did you mean 'cpu_max'?"),
        ("duration > 5m", "duration", "did you mean 'execution_time_seconds'?"),
        ("__class__ == 1", "__class__", "unknown name '__class__'"),
        ("cpu_max.__class__ == 1", "cpu_max.__class__", "only tags have a dot"),
        ("tags.a.b == ''", "tags.a.b", "only tags have a dot"),
        ("__import__('os')", "__import__", "unknown name"),
        ("open('x') == 1", "open", "unknown name"),
        ("cpu_m\u0430x > 80", "\u0430", "CYRILLIC SMALL LETTER A (U+0430)"),
        ("cpu_m\u0430x > 80", "\u0430", "with Latin letters it is 'cpu_max'"),
        ("\uff43pu_max > 80", "\uff43", "with Latin letters it is 'cpu_max'"),
        ("status == failed", "failed", "a text stands in quotes: 'failed'"),
        ("status == timeout", "timeout", "a text stands in quotes, such as 'timeout'"),
        ("status == 'fail'", "'fail'", "did you mean 'failed'?"),
        ("weekday == 'Sunday'", "'Sunday'", "did you mean 'sunday'?"),
        ("status == name", "name", "a text in quotes"),
        # types
        ("cpu_max", "cpu_max", "a number alone is neither true nor false"),
        ("'a'", "'a'", "a text alone is neither true nor false"),
        ("cpu_max and failed", "cpu_max", "a number alone"),
        ("not cpu_max", "cpu_max", "a number alone"),
        ("cpu_max > 'a'", "'a'", "these can't be compared"),
        ("failed > 3", "3", "these can't be compared"),
        ("failed > success", "success", "use == or !="),
        ("name < 'a'", "'a'", "use == or !="),
        ("name + 'a' == 'b'", "name", "+ needs numbers"),
        ("cpu_max * failed > 1", "failed", "* needs numbers"),
        ("-name == 'a'", "name", "a number is needed here"),
        ("cpu_max contains 'a'", "cpu_max", "'contains' looks for a text in a text"),
        ("3 in name", "3", "'in' looks for a text in a text"),
        ("exit_code in (1, 'a')", "'a'", "these can't be compared"),
        # units
        ("cpu_max > 5m", "5m", "a duration"),
        ("execution_time_seconds > 2GB", "2GB", "a size"),
        ("memory_max_mb + 10% > 3", "10%", "as in baseline(...) * 110%"),
        ("execution_time_seconds > memory_max_mb", "memory_max_mb", "don't go together"),
        ("io_read_bytes / execution_time_seconds > 3GB", "3GB", "don't go together"),
        ("exit_code > 5q", "q", "is no unit"),
        ("cpu_max > 1.2.3", "1.2.3", "is no number"),
        ("cpu_max > 1e400", "1e400", "too large"),
        ("memory_max_mb > 1e308GB", "1e308GB", "too large"),
        ("cpu_max > 1 / 0", "1 / 0", "can't be reckoned"),
        ("cpu_max > 1e308 * 10", "1e308 * 10", "can't be reckoned"),
        ("cpu_max > 0x10", "x10", "is no unit"),
        ("execution_time_seconds > 1_000", "1_000", "has no underscores"),
        # functions
        ("p95 > 3", "p95", "write p95(METRIC[, PERIOD])"),
        ("p95() > 3", "p95()", "p95 is written p95(METRIC[, PERIOD])"),
        ("p95(cpu_max, 30) > 3", "30", "a period needs a unit"),
        ("p95(cpu_max, 0d) > 3", "0d", "a period needs a unit"),
        ("p95(cpu_max, 2GB) > 3", "2GB", "a period needs a unit"),
        ("p95(cpu_max, 7d, 3) > 3", "p95(cpu_max, 7d, 3)", "is written"),
        ("p95(exit_code) > 3", "exit_code", "the name of a metric"),
        ("p95(cpu_max + 1) > 3", "cpu_max + 1", "the name of a metric"),
        ("p95(p95(cpu_max)) > 3", "p95(cpu_max)", "the name of a metric"),
        ("p95('cpu_max') > 3", "'cpu_max'", "the name of a metric"),
        ("p95(cpu_mx) > 3", "cpu_mx", "did you mean 'cpu_max'?"),
        ("changed(script)", "script", "did you mean 'script_hash'?"),
        ("changed('script_hash')", "'script_hash'", "changed knows script_hash"),
        ("tag(env) == ''", "env", "a text in quotes"),
        ("cpu_max(3) > 3", "cpu_max", "is no function"),
        ("(p95)(cpu_max) > 3", "(", "an operator is missing"),
        ("'a'('b')", "(", "an operator is missing"),
        # order
        ("cpu_max >", " ", "something is missing at the end"),
        ("> 3", ">", "a name or a value is missing before '>'"),
        ("cpu_max > > 3", ">", "a name or a value is missing"),
        ("cpu_max 80", "80", "an operator is missing before '80'"),
        ("cpu_max > 80 cpu_min > 1", "cpu_min", "an operator is missing before 'cpu_min'"),
        ("cpu_max > 80 x", "x", "an operator is missing before 'x', unless"),
        ("cpu_max > 3)", ")", "never opened"),
        ("cpu_max > 80,5", ",", "a number has a point"),
        ("execution_time_seconds > 5 minutes", "minutes", "unless it is to be a unit: ms, s, m"),
        ("error_message matches 'a'", "matches", "such as contains"),
        ("error_message ~ 'a'", "~", "contains looks for a text"),
        ("host == worker1", "worker1", "a text stands in quotes"),
        ("signal == 'SIGKIL'", "'SIGKIL'", "did you mean 'SIGKILL'?"),
        ("((cpu_max > 3)", "(", "never closed"),
        ("()", ")", "a name or a value is missing"),
        ("cpu_max, 3", ",", "a comma stands only in parentheses"),
        ("exit_code in (1,)", ")", "a name or a value is missing"),
        ("(1, 2)", "(1, 2)", "a list stands only behind in"),
        ("exit_code == (1, 2)", "(1, 2)", "a list stands only behind in"),
        ("exit_code in (1, 2) == 3", "(1, 2)", "a list ends a comparison"),
        ("cpu_max > not failed", "not", "'not' needs parentheses"),
        ("lambda: 3", ":", "has no meaning here"),
        ("(x := 3) > 1", ":", "has no meaning here"),
        ("a if b else c", "if", "an operator is missing"),
        ("f'{cpu_max}' == ''", "'{cpu_max}'", "an operator is missing"),
        ("import os", "os", "an operator is missing"),
        ("[1][0] > 3", "[", "a list is written in parentheses"),
        ("{1: 2}", "{", "has no meaning here"),
        ("cpu_max; failed", ";", "has no meaning here"),
        ("cpu_max ** 9 > 3", "*", "a name or a value is missing"),
        ("cpu_max // 9 > 3", "/", "a name or a value is missing"),
        ("cpu_max is 3", "is", "an operator is missing"),
        ("cpu_max % 3 > 1", "%", "there is no modulo"),
        ("cpu_max > 3 & failed", "&", "'and' is written"),
        ("cpu_max > 3 # comment", "#", "no comments"),
        ("cpu_max > 3 \x00", "\x00", "has no meaning here"),
        ("cpu_max > \u0663", "\u0663", "ARABIC-INDIC DIGIT THREE"),
        ("cpu_max \u2265 3", "\u2265", "write >="),
        ("name == \u201ca\u201d", "\u201c", "straight quotes"),
        ("name == 'a", "'a", "never closed"),
        ("cpu_max.5 > 3", "cpu_max.5", "only tags have a dot"),
    ],
)  # fmt: skip
def test_the_message_says_what_is_wrong_and_where(text: str, place: str, said: str) -> None:
    with pytest.raises(ConditionError) as caught:
        compile_condition(text)
    error = caught.value
    assert said in error.problem
    assert (text + " ")[error.start : error.end].startswith(place) or error.start == len(text)
    message, shown, carets = str(error).split("\n")
    assert message == error.problem
    assert set(carets) <= {" ", "^"} and "^" in carets
    assert shown.isprintable()


@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
def test_an_empty_condition(text: str) -> None:
    assert "this one is empty" in refused(text)


@pytest.mark.parametrize(
    "text",
    ["(" * 10_000, "(" * 10_000 + "1" + ")" * 10_000, "cpu_max > 1 and " * 100 + "failed", "x" * 10**6],
)
def test_a_long_condition(text: str) -> None:
    assert "at most 1,000 characters" in refused(text)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 400 + "failed" + ")" * 400,
        "(" * 1000,
        ")" * 1000,
        "-" * 900 + "1 > 0",
        "not " * 240 + "failed",
        "1+" * 490 + "1 > 0",
        "1*" * 490 + "1 > 0",
        "p95(" * 200,
        "((cpu_max" * 100,
    ],
)
def test_what_is_nested_too_deeply(text: str) -> None:
    assert len(text) <= 1000
    refused(text)


def test_what_is_long_but_flat_is_no_trouble() -> None:
    assert compile_condition(" or ".join(["cpu_max > 99"] * 60)).evaluate({"cpu_max": 100.0})
    assert compile_condition("exit_code in (" + ", ".join(map(str, range(200))) + ")").evaluate({"exit_code": 199})
    assert compile_condition("1" * 300 + " > cpu_max").evaluate({"cpu_max": 1.0})


def test_a_long_condition_is_shown_around_the_place() -> None:
    text = "cpu_max > 1 and " * 30 + "cpu_mx > 2 and " + "cpu_max > 3 and " * 20 + "failed"
    _, shown, carets = refused(text).split("\n")
    assert shown.startswith("  ...") and shown.endswith("...") and len(shown) < 80
    assert shown[carets.index("^") : carets.rindex("^") + 1] == "cpu_mx"


def test_the_mark_is_below_its_place_where_characters_are_wide() -> None:
    assert mark("name == '\u6f22\u5b57' x", 13, 14).split("\n")[1] == " " * 17 + "^"
