"""Every query has two spellings, the flat flags and the subcommand, and both ask for the same."""

from __future__ import annotations

import pytest

from runner.cli.commands import COMMANDS
from runner.cli.features import load
from runner.cli.line import split
from runner.cli.subcommand import spellings
from runner.cli.table import FLAGS

SAMPLES = {"int": "7", "float": "1.5", "str": "text", "bool": "true"}

QUERIES = [command for command in COMMANDS if command.switch]


def sample(owner: str, attr: str) -> str:
    option = load(owner).declared[attr]
    if option.choices:
        return option.choices[-1]
    return "k=v" if option.metavar == "KEY=VALUE" else SAMPLES[option.type]


def words(flag: str) -> list[str]:
    owner, attr, arity, *_ = FLAGS[flag]
    return [flag] if arity < 1 else [flag, sample(owner, attr)]


def options(given: dict[str, dict[str, list[str]]], owners: tuple[str, ...]) -> list[dict[str, object]]:
    resolved = [load(owner).resolve(given.get(owner, {}), {}, {}) for owner in owners]
    return [{attr: getattr(each, attr) for attr in each.declared} for each in resolved]


@pytest.mark.parametrize("command", QUERIES, ids=lambda command: command.name)
def test_both_spellings_give_equal_options(command: object) -> None:
    name, switch, owners = command.name, command.switch, command.owners  # type: ignore[attr-defined]
    flat, brief = words(switch), name.split()
    if FLAGS[switch][2] > 0:
        brief = [*brief, "--" + FLAGS[switch][1].replace("_", "-"), words(switch)[1]]
    spelt = spellings(name)
    for flag in spelt:
        if FLAGS.get(flag, ("",))[0] in owners and flag != switch:
            short = "--" + FLAGS[flag][1].replace("_", "-")
            flat += words(flag)
            brief += [short if short in spelt else flag, *words(flag)[1:]]
    one, other = split([*flat, *_positional(name)]), split([*brief, *_positional(name)])
    assert one.queries == other.queries == [switch]
    assert options(one.given, owners) == options(other.given, owners)
    assert len(one.given[owners[0]]) > 0


def _positional(name: str) -> list[str]:
    declared = load(_first(name)).declared.values()  # one that has a flag too is given by that
    return ["gone.py"] if any(option.positional and not option.flag for option in declared) else []


def _first(name: str) -> str:
    return next(command.owners[0] for command in COMMANDS if command.name == name)


def test_before_the_script_and_after_run_an_option_means_the_same() -> None:
    flags = [flag for flag, entry in FLAGS.items() if entry[0] in ("run", "monitor", "show", "record", "retry", "json")]
    before = [word for flag in flags for word in words(flag)]
    assert split([*before, "x.py"]).given == split(["run", *before, "x.py"]).given
    after = [word for flag in flags if FLAGS[flag][4] for word in words(flag)]
    assert split([*after, "x.py"]).given == split(["x.py", *after]).given
