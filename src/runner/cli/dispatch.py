"""Answers a line that runs no script: help, a subcommand, or the queries it asks, in the order given."""

from __future__ import annotations

import os
import sys
from io import StringIO

from runner.cli import help as help_texts
from runner.cli.commands import BY_NAME, COMMANDS
from runner.cli.features import load
from runner.cli.output import Screen, warn
from runner.cli.settings import Settings
from runner.engine.query_options import QueryOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from runner.cli.commands import Command
    from runner.cli.line import Line


def answer(line: Line) -> int:
    """Answer a line on standard output.

    Returns:
        The exit code.

    Raises:
        RunnerError: It can't be answered.
    """
    if line.kind in ("help", "help-all", "version", "nothing"):
        return help_texts.show(line)
    settings = Settings(line, os.environ)
    screen = Screen()
    for warning in [*settings.config.warnings, *line.warnings]:
        warn(screen, warning)
    if line.kind == "command":
        return _call(BY_NAME[line.command], settings, sys.stdout)
    asked = [next(command for command in COMMANDS if command.switch == flag) for flag in line.queries]
    if len(asked) > 1 and settings.get("query", QueryOptions).format == "json":
        return _as_one_object(asked, settings)
    code = 0
    for position, command in enumerate(asked):
        if position:
            sys.stdout.write("\n")
        code = max(code, _call(command, settings, sys.stdout))
    return code


def _as_one_object(asked: list[Command], settings: Settings) -> int:
    from json import dumps, loads

    answers = {}
    code = 0
    for command in asked:
        buffer = StringIO()
        code = max(code, _call(command, settings, buffer))
        answers[command.switch.removeprefix("--")] = loads(buffer.getvalue())
    sys.stdout.write(dumps(answers, indent=2) + "\n")
    return code


def _call(command: Command, settings: Settings, out: TextIO) -> int:
    module, _, name = command.place.partition(":")
    function = getattr(__import__(module, fromlist=[name]), name)
    return function(*(settings.get(owner, load(owner)) for owner in command.owners), out) or 0
