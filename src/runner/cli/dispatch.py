"""Answers a line that runs no script: help, a subcommand, or the queries it asks, in the order given."""

from __future__ import annotations

import os
from io import StringIO

from runner.cli.commands import BY_NAME, COMMANDS
from runner.cli.features import load
from runner.cli.output import Screen, warn
from runner.cli.settings import Settings
from runner.cli.tables import standard_output, write_json
from runner.engine.query_options import QueryOptions
from runner.engine.run_options import ShowOptions

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
    out = standard_output()
    if line.kind in ("help", "help-all", "version", "nothing"):
        from runner.cli.help import show

        return show(line)
    settings = Settings(line, os.environ)
    for warning in [*settings.config.warnings, *line.warnings]:
        warn(Screen(), warning, settings.get("show", ShowOptions))
    if line.kind == "command":
        return _call(BY_NAME[line.command], settings, out)
    asked = [next(command for command in COMMANDS if command.switch == flag) for flag in line.queries]
    if len(asked) > 1 and settings.get("query", QueryOptions).format == "json":
        return _as_one_object(asked, settings, out)
    code = 0
    for position, command in enumerate(asked):
        if position:
            out.write("\n")
        code = max(code, _call(command, settings, out))
    return code


def _as_one_object(asked: list[Command], settings: Settings, out: TextIO) -> int:
    from json import loads

    answers = {}
    code = 0
    for command in asked:
        buffer = StringIO()
        code = max(code, _call(command, settings, buffer))
        text = buffer.getvalue()
        # What shapes its own output, as an export does, says one line here.
        answers[command.switch.removeprefix("--")] = loads(text) if "query" in command.owners else text.strip()
    write_json(out, answers)
    return code


def _call(command: Command, settings: Settings, out: TextIO) -> int:
    module, _, name = command.place.partition(":")
    function = getattr(__import__(module, fromlist=[name]), name)
    return function(*(settings.get(owner, load(owner)) for owner in command.owners), out) or 0
