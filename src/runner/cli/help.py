"""Writes help from the declarations: one screen for newcomers, everything on request, and each command's own."""

from __future__ import annotations

import sys
import textwrap

from runner import __version__
from runner.cli.commands import BY_NAME, COMMANDS
from runner.cli.features import load
from runner.cli.subcommand import spellings
from runner.cli.table import COMMANDS as TABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from runner.cli.commands import Command
    from runner.cli.line import Line
    from runner.options import Opt

SHORT = """\
Run a script exactly as it would run alone, and know exactly what it cost.

  runner train.py --epochs 100     run a script; its arguments stay its own
  runner -m package.module         run a module, as python -m does
  runner -- make -j4               run any other program
{history}
Often used, before the script:
  --timeout 5m          end the script and everything it started after 5 minutes
  --retry 3             when it fails, try again up to three times
  --json-output FILE    write every figure as JSON
  --env KEY=VALUE       set a variable for the script
  --python python3.12   choose the interpreter
  --quiet               show no summary
  --dry-run             say what would run, and run nothing

{commands}
Everything:  runner --help-all        One of them:  runner COMMAND --help
"""

_HISTORY = "  runner history train.py          what its earlier runs cost\n"

EXIT_CODES = (
    ("the script's", "its own exit code; if a signal ended it, the runner dies of the same signal"),
    ("2", "the command line or a configuration file makes no sense; nothing was started"),
    ("124", "a timeout or limit ended it"),
    ("125", "the runner itself could not run it"),
    ("126, 127", "it can't be executed, or is not there"),
)

_ALWAYS = """\
Always:
  --help, -h
      One screen of help
  --help-all
      All of it
  --version, -V
      The version

An option marked * is the runner's after the script too, all others only before
it. Precedence: command line, environment, configuration file, default.
"""

_WIDTH = 80
_INDENT = 6
#: Choices longer than this are listed in the text.
_LONG = 50


def show(line: Line) -> int:
    """Print the help or version a line asks for.

    Returns:
        The exit code: 2 for an empty line, whose help goes to standard error.
    """
    if line.kind == "nothing":
        sys.stderr.write(short())
        return 2
    if line.kind == "version":
        text = f"runner {__version__}\n"
    elif line.kind == "help-all":
        text = complete()
    else:
        text = of_command(line.command) if line.command else short()
    sys.stdout.write(text)
    return 0


def short() -> str:
    """Return the help that fits one screen."""
    names = ", ".join(dict.fromkeys(command.name.partition(" ")[0] for command in COMMANDS))
    listed = "\n          ".join(textwrap.wrap(names, _WIDTH - 10))
    return SHORT.format(history=_HISTORY if "history" in BY_NAME else "", commands=f"Commands: {listed}")


def complete() -> str:
    """Return all there is to say: every form of a line, every command, every option by feature."""
    parts = [
        "usage: runner [OPTIONS] SCRIPT [ARGS...]       * also among ARGS, until --",
        "       runner [OPTIONS] -m MODULE [ARGS...]    * likewise",
        "       runner [OPTIONS] -c CODE [ARGS...]      * likewise",
        "       runner [OPTIONS] -- PROGRAM [ARGS...]",
        "       runner run [OPTIONS] SCRIPT [ARGS...]   all ARGS are the script's, -- too",
        "       runner COMMAND [OPTIONS]",
        "",
        "Commands:",
    ]
    parts += _columns((command.name, command.summary) for command in COMMANDS)
    shown = set()
    for command in COMMANDS:
        for owner in command.takes:
            if owner not in shown:
                shown.add(owner)
                parts += _group(owner, None)
    parts += ["", _ALWAYS, "Exit codes:"]
    parts += _columns(EXIT_CODES)
    return "\n".join(parts) + "\n"


def of_command(name: str) -> str:
    """Return the help of one command, or of all commands that begin with the word."""
    command = BY_NAME.get(name)
    if command is None:
        family = [command for command in COMMANDS if command.name.partition(" ")[0] == name]
        lines = [f"usage: runner {name} ACTION", ""]
        lines += _columns((one.name, one.summary) for one in family)
        return "\n".join([*lines, "", f"Each has its own help: runner {family[0].name} --help"]) + "\n"
    parts = [f"usage: runner {usage(command)}", "", f"{command.summary}."]
    if command.switch:
        parts.append(f"The same as {command.switch}.")
    for owner in command.takes:
        parts += _group(owner, command)
    return "\n".join(parts) + "\n"


def usage(command: Command) -> str:
    """Return how the line of a command is written."""
    if command.name == "run":
        return "run [OPTIONS] SCRIPT|-m MODULE|-c CODE|-- PROGRAM [ARGS...]"
    if command.name == "help":
        return "help [COMMAND]"
    flags = any(option.flag for owner in command.takes for option in _options(owner, command))
    words = [command.name]
    words += [
        f"{_brief(option)}{_value(option)}"
        for owner in command.owners
        for option in _options(owner, command)
        if option.flag and option.flag == command.switch and not option.positional and option.default is None
    ]
    words += ["[OPTIONS]"] if flags else []
    for owner, attr, many in TABLE[command.name][1]:
        option = load(owner).declared[attr]
        word = "|".join(option.choices) or option.metavar or option.label
        words.append((word if _required(option, command) else f"[{word}]") + ("..." if many else ""))
    return " ".join(words)


def _required(option: Opt, command: Command) -> bool:
    """Whether a command can't do without a positional option: it is what is asked for, or its default is no choice."""
    return option.flag == command.switch != "" or bool(option.choices and option.default not in option.choices)


def _columns(rows: Iterable[tuple[str, str]]) -> list[str]:
    """Return lines of names and what each is, beside the longest of them."""
    table = list(rows)
    width = max(len(name) for name, _ in table) + 4
    return [line for name, text in table
            for line in textwrap.wrap(text, _WIDTH, initial_indent=f"  {name:<{width - 2}}",
                                      subsequent_indent=" " * width)]  # fmt: skip


def _group(owner: str, command: Command | None) -> list[str]:
    options = _options(owner, command)
    if not options:
        return []
    title = (load(owner).__doc__ or "").strip().partition("\n")[0].rstrip(".")
    lines = ["", f"{title}:"]
    for option in options:
        lines += _entry(option, command)
    return lines


def _options(owner: str, command: Command | None) -> list[Opt]:
    """Return the options of a feature that are given by a flag."""
    options = load(owner).declared.values()
    if command is None:
        return [option for option in options if option.flag]
    spelt = spellings(command.name)
    return [option for option in options if option.positional or option.flag in spelt]


def _entry(option: Opt, command: Command | None) -> list[str]:
    flag = option.flag or option.label
    star = " *" if option.spec and (command is None or command.name == "run") else ""
    if command is not None and command.name != "run" and option.flag:
        brief = _brief(option)
        if brief != flag and spellings(command.name).get(brief, ("", ""))[1] == option.attr:
            flag = f"{brief}, {flag}"
    head = f"  {flag}{_value(option)}{star}"
    default, key = _default(option), option.yaml
    notes = (f"default {default}" if default else "", option.env, f"file: {key}" if key else "")
    noted = "; ".join(note for note in notes if note)
    listed = ": " + ", ".join(option.choices) if len("|".join(option.choices)) > _LONG else ""
    text = option.help + listed + (f"  [{noted}]" if noted else "")
    return [head, *textwrap.wrap(text, _WIDTH, initial_indent=" " * _INDENT, subsequent_indent=" " * _INDENT)]


def _brief(option: Opt) -> str:
    """Return the flag as the option's own command spells it."""
    return "--" + option.attr.replace("_", "-")


def _value(option: Opt) -> str:
    if option.literal_bool:
        return " [true|false]"
    if option.arity == 0 or not option.flag:
        return ""
    if option.bare:
        return f"[={option.metavar or option.type.upper()}]"
    choices = "|".join(option.choices)
    if 0 < len(choices) <= _LONG:
        return f" {choices}"
    return f" {option.metavar or option.type.upper()}"


def _default(option: Opt) -> str:
    value = option.default
    if value is None or value is False or value in ("", ()):
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)
