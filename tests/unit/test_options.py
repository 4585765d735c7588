"""How an option is declared, and how the sources of its value are joined."""

from __future__ import annotations

import subprocess
import sys

import pytest

from runner.model.errors import UsageError
from runner.options import DEFAULT, RUN, Options, Unset, opt
from tests import support


class Sample(Options):
    """Options of every type."""

    count: int = opt("A whole number", default=1, minimum=0, maximum=9, env="X_COUNT", yaml="x.count", role=RUN)
    ratio: float | None = opt("A number", yaml="x.ratio")
    wait: float = opt("A duration", default=1.0, unit="seconds")
    loud: bool = opt("A switch", default=False, env="X_LOUD", yaml="x.loud")
    level: str = opt("One of a few", default="INFO", choices=("DEBUG", "INFO"), flag="--log")
    names: tuple[str, ...] = opt("Several", default=(), yaml="x.names", env="X_NAMES")
    word: str = opt("A free word", default="", positional=True, metavar="WORD")


class More(Sample):
    """Options that add to others."""

    extra: str = opt("One more", default="e")


def test_declarations_know_their_flag_type_and_arity() -> None:
    declared = Sample.declared
    assert {attr: option.flag for attr, option in declared.items()} == {
        "count": "--count", "ratio": "--ratio", "wait": "--wait", "loud": "--loud", "level": "--log",
        "names": "--names", "word": "",
    }  # fmt: skip
    assert [declared[attr].arity for attr in ("count", "loud", "names")] == [1, 0, 1]
    assert [declared[attr].type for attr in ("count", "ratio", "loud", "names")] == ["int", "float", "bool", "str"]
    assert (declared["word"].label, declared["level"].label) == ("WORD", "--log")
    assert list(More.declared) == [*declared, "extra"]
    assert "extra" not in declared


def test_defaults() -> None:
    sample = Sample()
    assert (sample.count, sample.ratio, sample.loud, sample.level, sample.names) == (1, None, False, "INFO", ())
    assert sample.source("count") == DEFAULT


def test_an_unknown_type_is_a_mistake_of_the_programmer() -> None:
    with pytest.raises(TypeError, match="no conversion"):
        type("Bad", (Options,), {"__annotations__": {"x": "dict[str, int]"}, "x": opt("?")})


def test_values_of_a_program() -> None:
    assert Sample(count=3, names=("a",)).names == ("a",)
    with pytest.raises(TypeError, match="has no option 'cuont'"):
        Sample(cuont=3)
    checked = Sample.checked(count="7", wait="5m", level="debug", ratio=None, names=["a", "b"])
    assert (checked.count, checked.wait, checked.level, checked.ratio) == (7, 300.0, "DEBUG", None)
    assert checked.names == ("a", "b")
    with pytest.raises(UsageError, match="count: 10 is too large, at most 9 is allowed"):
        Sample.checked(count=10)


def test_line_over_environment_over_file_over_default() -> None:
    config = {"x.count": ("4", "f.yaml:2")}
    for given, environ, expected, source in (
        ({"count": ["2", "3"]}, {"X_COUNT": "5"}, 3, "command line --count"),
        ({}, {"X_COUNT": "5"}, 5, "environment X_COUNT"),
        ({}, {"X_COUNT": ""}, 4, "file f.yaml:2"),
    ):
        sample = Sample.resolve(given, environ, config)
        assert (sample.count, sample.source("count")) == (expected, source)
    assert Sample.resolve({}, {}, {}).source("count") == DEFAULT


def test_lists_gather_and_others_take_the_last() -> None:
    sample = Sample.resolve({"names": ["a", "b"], "loud": ["true", "false"]}, {}, {})
    assert (sample.names, sample.loud) == (("a", "b"), False)
    assert Sample.resolve({}, {"X_NAMES": "a"}, {}).names == ("a",)
    assert Sample.resolve({}, {}, {"x.names": (["a", "b"], "f:1")}).names == ("a", "b")
    assert Sample.resolve({}, {}, {"x.names": ("a", "f:1")}).names == ("a",)


@pytest.mark.parametrize(
    ("attr", "text", "value"),
    [("count", " 7 ", 7), ("count", "0", 0), ("ratio", "-1e3", -1000.0), ("wait", "1h30m", 5400.0),
     ("wait", "250ms", 0.25), ("loud", "YES", True), ("loud", "0", False), ("level", "dEbUg", "DEBUG"),
     ("word", "", "")],
)  # fmt: skip
def test_texts_that_fit(attr: str, text: str, value: object) -> None:
    assert Sample.declared[attr].convert(text, "here") == value


@pytest.mark.parametrize(
    ("attr", "value", "message"),
    [
        ("count", "1.0", "here: '1.0' is not a whole number"),
        ("count", "", "is not a whole number"),
        ("count", True, "True is not a whole number"),
        ("count", 1.5, "1.5 is not a whole number"),
        ("count", "-1", "here: -1 is too small, at least 0 is needed"),
        ("count", "1" * 5000, "is not a whole number"),
        ("ratio", "nan", "'nan' is not a finite number"),
        ("ratio", "inf", "'inf' is not a finite number"),
        ("ratio", [1], "[1] is not a number"),
        ("ratio", False, "False is not a number"),
        ("wait", "soon", "'soon' is not a duration"),
        ("wait", "1e400", "not a finite duration"),
        ("loud", "maybe", "'maybe' is neither true nor false"),
        ("level", "INF", "'INF' is not one of DEBUG, INFO, did you mean 'INFO'?"),
        ("word", None, "a text is needed, not None"),
        ("word", {"a": 1}, "a text is needed"),
        ("word", True, "a text is needed, not True"),
        ("word", Unset("HOME2"), "here: the environment variable HOME2 is not set"),
    ],
)
def test_values_that_do_not_fit(attr: str, value: object, message: str) -> None:
    with pytest.raises(UsageError) as refused:
        Sample.declared[attr].convert(value, "here")
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_message_names_the_source() -> None:
    for given, environ, config, start in (
        ({"count": ["x"]}, {}, {}, "--count: "),
        ({}, {"X_COUNT": "x"}, {}, "X_COUNT: "),
        ({}, {}, {"x.count": ("x", "f.yaml:3")}, "f.yaml:3: x.count: "),
    ):
        with pytest.raises(UsageError) as refused:
            Sample.resolve(given, environ, config)
        assert str(refused.value).startswith(start)
    with pytest.raises(UsageError, match=r"^-c: 'x' is not"):
        Sample.resolve({"count": ["x"]}, {}, {}, {"count": "-c"})


def test_declaring_imports_nothing_heavy() -> None:
    code = "import sys; before = set(sys.modules); import runner.options; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path.insert(0, {str(support.SRC)!r})\n{code}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert set(done.stdout.split()) <= {"__future__", "runner", "runner.model", "runner.model.errors", "runner.options"}
