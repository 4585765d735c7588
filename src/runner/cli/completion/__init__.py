"""What can be completed where in a line; one module for each shell writes it down, and at a TAB no Python starts."""

from __future__ import annotations

from runner.cli.commands import COMMANDS
from runner.cli.features import load
from runner.cli.subcommand import spellings
from runner.cli.table import COMMANDS as TABLE
from runner.cli.table import FLAGS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.cli.line import Flag
    from runner.options import Opt

_ALWAYS = {
    "--help": "Show help",
    "--help-all": "Show all help",
    "--version": "Show the version",
}


class Word:
    """One flag as a shell completes it.

    Attributes:
        flag: Its spelling.
        help: One line.
        takes: Whether a value follows.
        values: What the value may be: words, ``"file"``, ``"dir"``, or nothing for any text.
        label: What the value is called.
        repeat: Whether it may be given again.
    """

    __slots__ = ("flag", "help", "label", "repeat", "takes", "values")

    def __init__(self, flag: str, help: str, option: Opt | None = None) -> None:
        self.flag = flag
        self.help = help
        self.takes = option is not None and option.arity > 0
        self.repeat = option is not None and option.repeat
        self.values: tuple[str, ...] | str = ()
        self.label = ""
        if option is not None and self.takes:
            self.label = option.metavar or option.type.upper()
            self.values = option.choices or {"FILE": "file", "DIR": "dir", "PYTHON": "file"}.get(option.metavar, ())


def _words(flags: Mapping[str, Flag]) -> list[Word]:
    return [Word(flag, load(owner).declared[attr].help, load(owner).declared[attr])
            for flag, (owner, attr, *_) in flags.items() if owner]  # fmt: skip


def before_script() -> list[Word]:
    """Return the flags that may stand before a script."""
    taken = {flag: entry for flag, entry in FLAGS.items() if entry[0] not in ("config-file", "config-script", "shell")}
    return [*_words(taken), *(Word(flag, help) for flag, help in _ALWAYS.items())]


def after_script() -> list[Word]:
    """Return the flags that are the runner's after the script too."""
    return _words({flag: entry for flag, entry in FLAGS.items() if entry[4]})


def of_command(name: str) -> list[Word]:
    """Return the flags of a subcommand."""
    return [*_words(spellings(name)), Word("--help", _ALWAYS["--help"])]


def families() -> dict[str, list[str]]:
    """Return first word -> second words."""
    result: dict[str, list[str]] = {}
    for command in COMMANDS:
        first, _, second = command.name.partition(" ")
        result.setdefault(first, []).extend([second] if second else [])
    return result


def _positional(name: str) -> str | tuple[str, ...]:
    """Return what the free words of a subcommand are."""
    for owner, attr, _ in TABLE[name][1]:
        option = load(owner).declared[attr]
        if option.choices:
            return option.choices
        if option.metavar in ("FILE", "SCRIPT"):
            return "file"
    return tuple(families()) if name == "help" else ()


def contexts() -> dict[str, tuple[list[Word], str | tuple[str, ...]]]:
    """Return name of the place in a line -> (flags, what free words are)."""
    result: dict[str, tuple[list[Word], str | tuple[str, ...]]] = {
        "before": (before_script(), (*families(), "file")),
        "after": (after_script(), "file"),
        "run": (of_command("run"), "file"),
        "rest": ([], "file"),
    }
    for first, seconds in families().items():
        if seconds:
            result[first] = ([Word("--help", _ALWAYS["--help"])], tuple(seconds))
    for command in COMMANDS:
        if command.name != "run":
            result[command.name] = (of_command(command.name), _positional(command.name))
    return result


def summary(first: str) -> str:
    """Return what a first word stands for: a command's summary, or its second words."""
    own = next((command.summary for command in COMMANDS if command.name == first), "")
    return own or ", ".join(second for second in families()[first])
