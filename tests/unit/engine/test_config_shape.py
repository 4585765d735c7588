from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from runner.engine import config, provenance
from runner.engine.config_schema import schema
from runner.model.errors import ConfigError
from runner.options import DEFAULT, Options, Section, Unset, opt

if TYPE_CHECKING:
    from pathlib import Path

RULE = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "limit": {"type": ["number", "string"]},
        "count": {"type": "integer"},
        "on": {"type": "boolean"},
        "level": {"type": "string", "enum": ["low", "high"]},
        "password": {"type": "string"},
        "to": {"type": ["array", "string"], "items": {"type": "string"}},
        "more": {"type": "object"},
    },
    "required": ["name"],
}


class RuleOptions(Options):
    """Rules, which only a file can hold."""

    rules: object = opt("The rules", default=(), yaml="rules", shape={"type": "array", "items": RULE})


def read(folder: Path, text: str, name: str = "runner.yaml", **environ: str) -> RuleOptions:
    path = folder / name
    path.write_text(text)
    found = config.load(str(path), None, environ, lambda: {"rules": lambda: RuleOptions.declared["rules"]})
    return RuleOptions.resolve({}, environ, found.values)


def test_values_get_the_types_of_their_shape(tmp_path: Path) -> None:
    options = read(tmp_path, """
rules:
  - name: 007
    limit: 2GB
    count: 3
    on: yes
    level: low
    to: [a, b]
    more: {x: 1, y: [2, z]}
  - {name: b, limit: 1.5, to: c}
""")  # fmt: skip
    first, second = options.rules  # type: ignore[misc]
    assert first == {
        "name": "007", "limit": "2GB", "count": 3, "on": True, "level": "low", "to": ["a", "b"],
        "more": {"x": "1", "y": ["2", "z"]},
    }  # fmt: skip
    assert second == {"name": "b", "limit": 1.5, "to": "c"}
    assert isinstance(first, Section) and first.where.endswith("runner.yaml:3")
    assert options.source("rules").startswith("file ")


def test_json_keeps_its_own_types(tmp_path: Path) -> None:
    rules = [{"name": "a", "limit": 5, "on": False, "more": {"x": 1}}]
    assert read(tmp_path, json.dumps({"rules": rules}), "runner.json").rules == rules


def test_variables_are_filled_in_and_unset_ones_stay_to_be_told(tmp_path: Path) -> None:
    [rule] = read(tmp_path, "rules: [{name: '${A}!', password: '${B}'}]", A="x").rules  # type: ignore[misc]
    assert rule["name"] == "x!"
    assert isinstance(rule["password"], Unset) and rule["password"].name == "B"


def test_every_problem_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        read(tmp_path, """
rules:
  - name: a
    limt: 5
  - count: many
    on: perhaps
    level: hgh
  - just a text
  - name: [x]
""")  # fmt: skip
    told = [line.partition("runner.yaml:")[2] for line in refused.value.problems]
    assert told == [
        "4: unknown key 'rules[0].limt', did you mean 'limit'?",
        "5: rules[1] lacks 'name'",
        "5: rules[1].count: a whole number is needed, not 'many'",
        "6: rules[1].on: true or false is needed, not 'perhaps'",
        "7: rules[1].level: 'hgh' is not one of low, high, did you mean 'high'?",
        "8: rules[2]: a section is needed, not 'just a text'",
        "9: rules[3].name: a text is needed",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rules: 5", "rules: a list is needed, not '5'"),
        ("rules:", "has no value"),
        ("rules: {a: 1}", "rules: a list is needed"),
    ],
)
def test_the_whole_has_a_shape_too(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read(tmp_path, text)


def test_it_has_no_flag_and_is_shown_without_its_secrets(tmp_path: Path) -> None:
    option = RuleOptions.declared["rules"]
    assert (option.flag, option.label) == ("", "rules")
    assert RuleOptions().rules == () and RuleOptions().source("rules") == DEFAULT
    assert RuleOptions.checked(rules=[{"name": "a"}]).rules == [{"name": "a"}]
    options = read(tmp_path, "rules: [{name: a, password: hunter2}, {name: '${C}'}]")
    [row] = provenance.rows([options])
    assert row["value"] == [{"name": "a", "password": "***"}, {"name": "${C}"}]


def test_editors_are_told_its_shape() -> None:
    told = schema({"rules": lambda: RuleOptions.declared["rules"]})["properties"]["rules"]
    assert told == {"description": "The rules", "type": "array", "items": RULE}
