"""Help is complete, fits its screen, and promises nothing that is not there."""

from __future__ import annotations

import re

import pytest

from runner.cli import help as texts
from runner.cli.commands import BY_NAME, COMMANDS
from runner.cli.line import split
from runner.cli.table import FLAGS


def test_the_first_help_fits_one_screen() -> None:
    lines = texts.short().splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80


def test_no_help_is_wider_than_a_terminal() -> None:
    for text in (texts.complete(), *map(texts.of_command, BY_NAME)):
        assert max(map(len, text.splitlines())) <= 80


def test_the_first_help_names_only_what_there_is() -> None:
    text = texts.short()
    for flag in re.findall(r"--[a-z-]+", text):
        assert flag in FLAGS or flag in ("--epochs", "--help", "--help-all"), flag
    listed = re.search(r"^Commands: (.*(?:\n {10}.*)*)$", text, re.MULTILINE)
    assert listed is not None
    assert re.split(r",\s+", listed[1]) == list(dict.fromkeys(command.name.split()[0] for command in COMMANDS))


def test_all_of_it_has_every_flag_that_is_built() -> None:
    text = texts.complete()
    for flag, (owner, *_, spec, _) in FLAGS.items():
        assert (re.search(rf"^  {flag}[\[ \n]", text, re.MULTILINE) is not None) == bool(owner), flag
        if owner:
            head = next(line for line in text.splitlines() if f"{line} ".startswith((f"  {flag} ", f"  {flag}[")))
            assert head.endswith(" *") == spec, head
    assert max(len(line) for line in text.splitlines()) <= 84


@pytest.mark.parametrize("name", BY_NAME)
def test_the_help_of_a_command_says_how_it_is_written(name: str) -> None:
    text = texts.of_command(name)
    assert text.startswith(f"usage: runner {name}")
    assert BY_NAME[name].summary in text


def test_the_help_of_a_command_has_defaults_variables_and_keys() -> None:
    text = texts.of_command("run")
    notes = r"default 0\.1; RUNNER_MONITOR_INTERVAL; file:\s+monitoring\.sampling_interval"
    assert re.search(rf"--monitor-interval SECONDS \*\n.*{notes}", text)
    history = texts.of_command("history")
    assert "--days, --history-days DAYS" in history
    assert "default 30" in history
    assert "--show-history." in history
    assert "  SCRIPT\n" in history


def test_where_help_goes(capsys: pytest.CaptureFixture[str]) -> None:
    assert texts.show(split(["--help"])) == 0
    assert capsys.readouterr() == (texts.short(), "")
    assert texts.show(split([])) == 2
    assert capsys.readouterr() == ("", texts.short())
    assert texts.show(split(["--version"])) == 0
    assert re.fullmatch(r"runner \d+\.\d+\.\d+\n", capsys.readouterr().out)
    assert texts.show(split(["db", "--help"])) == 0
    assert "db cleanup" in capsys.readouterr().out


@pytest.mark.parametrize("word", sorted({name.partition(" ")[0] for name in BY_NAME if " " in name}))
def test_names_and_what_they_are_stand_apart(word: str) -> None:
    family = [command for command in COMMANDS if command.name.startswith(f"{word} ")]
    text = texts.of_command(word)
    width = max(len(command.name) for command in family)
    for command in family:
        assert f"\n  {command.name:<{width}}  {command.summary.split()[0]} " in text
