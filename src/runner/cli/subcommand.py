"""Splits the words of a subcommand: ``runner history train.py --days 7``."""

from __future__ import annotations

from runner.cli.complaints import not_available
from runner.cli.table import COMMANDS, FLAGS
from runner.model.errors import UsageError
from runner.model.words import did_you_mean
from runner.options import NEUTRAL, RUN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.cli.line import Flag, Line


#: Commands that run a script where an option of theirs is given: all words from the script on are then its own.
_RUNS = {"gate": ("gate-revisions", "base")}
#: Features whose options of a run say what a question is about too: which channel is tried, which alert explained.
_ASKED_ABOUT = ("alerts", "channels")


def split_command(line: Line, argv: list[str], at: int, flags: Mapping[str, Flag] = FLAGS) -> None:
    """Take the words of a subcommand into `line`.

    Args:
        line: The line so far; what came before the subcommand is in it.
        argv: All words.
        at: Position of the subcommand's name.
        flags: The flags there are.

    Raises:
        UsageError: A word makes no sense there.
    """
    name, at = _name(line, argv, at)
    if line.kind == "help":
        return
    line.kind, line.command = "command", name
    _, positional, switch = COMMANDS[name]
    spelt = spellings(name, flags)
    _refuse_strangers(line, name, [*spelt.values(), *([flags[switch]] if switch else [])], flags)
    free = list(positional)
    words_only = False
    runs = _RUNS.get(name, ("", ""))
    while at < len(argv):
        word = argv[at]
        at += 1
        if runs[1] in line.given.get(runs[0], {}) and (word[:1] != "-" or word in ("-", "--", "-m", "-c")):
            line.give(*free[0][:2], argv[at - 1 :])
            return
        if words_only or word[:1] != "-" or word == "-" or (free and word[1:].isdigit()):  # -2 counts runs back
            while free and not free[0][2] and free[0][1] in line.given.get(free[0][0], {}):
                free.pop(0)  # given by its flag
            if not free:
                raise UsageError(f"`runner {name}` has no use for {word!r}{_hint(argv[at - 2], word, spelt)}")
            owner, attr, many = free[0]
            line.give(owner, attr, [word])
            if attr == "script":
                line.target = ("script", word)
            if not many:
                free.pop(0)
        elif word == "--":
            words_only = True
        elif word in ("-h", "--help"):
            line.kind = "help"
            return
        else:
            at = _take(line, argv, at, name, spelt)
    if switch:
        owner, attr, arity = flags[switch][:3]
        if arity < 1:
            line.give(owner, attr, ["true"])
        elif attr not in line.given.get(owner, {}) and _must_be_given(owner, attr):
            raise UsageError(f"`runner {name}` needs {_what(owner, attr)}")
        line.queries = [switch]


def spellings(name: str, flags: Mapping[str, Flag] = FLAGS) -> dict[str, Flag]:
    """Return the flags that a subcommand takes: the flat ones, and short ones named after the fields of its own.

    A script that stands without a flag can be given by ``--script`` too.
    """
    owners, positional, switch = COMMANDS[name]
    result = {}
    for flag, entry in flags.items():
        asks = flag == switch and entry[2] < 1  # the command's own name says it
        if entry[0] in owners and not asks and (entry[3] != RUN or "run" in owners or entry[0] in _ASKED_ABOUT):
            result[flag] = entry
    for entry in list(result.values()):
        if entry[0] not in COMMANDS["run"][0]:
            result.setdefault("--" + entry[1].replace("_", "-"), entry)
    for owner, attr, _ in positional:
        if attr == "script":
            result.setdefault("--script", (owner, attr, 1, NEUTRAL, False, False))
    return result


def _name(line: Line, argv: list[str], at: int) -> tuple[str, int]:
    """Return the subcommand's full name and the position behind it; with ``help`` the line is complete then."""
    first = argv[at]
    rest = argv[at + 1 :]
    if first == "help":
        line.kind = "help"
        line.command = " ".join(rest)
        families = {known.partition(" ")[0] for known in COMMANDS}
        if line.command and line.command not in COMMANDS and line.command not in families:
            raise UsageError(f"there is no command {line.command!r}{did_you_mean(line.command, COMMANDS)}")
        return first, len(argv)
    if first in COMMANDS:
        return first, at + 1
    actions = [known.partition(" ")[2] for known in COMMANDS if known.partition(" ")[0] == first]
    if rest and rest[0] in actions:
        return f"{first} {rest[0]}", at + 2
    if rest and rest[0] in ("-h", "--help"):
        line.kind, line.command = "help", first
        return first, len(argv)
    listed = ", ".join(actions)
    if not rest:
        raise UsageError(f"`runner {first}` needs one of: {listed}")
    raise UsageError(f"`runner {first}` has no {rest[0]!r}{did_you_mean(rest[0], actions)} (it has: {listed})")


def _take(line: Line, argv: list[str], at: int, name: str, spelt: Mapping[str, Flag]) -> int:
    flag, equals, value = argv[at - 1].partition("=")
    entry = spelt.get(flag)
    if entry is None:
        if flag in FLAGS and not FLAGS[flag][0]:
            raise not_available(flag, after_script=False)
        raise UsageError(f"`runner {name}` has no option {flag}{did_you_mean(flag, spelt)}")
    owner, attr, arity, _, _, literal_bool = entry
    if equals:
        values = [value]
    elif arity < 1:
        values = ["true"]
        if literal_bool and at < len(argv) and argv[at].lower() in ("true", "false"):
            values = [argv[at]]
            at += 1
    else:
        values = argv[at : at + arity]
        at += arity
        if len(values) < arity or values[0] in spelt or values[0] == "--":
            raise UsageError(f"{flag} needs a value")
    line.give(owner, attr, values, flag)
    return at


def _refuse_strangers(line: Line, name: str, taken: list[Flag], flags: Mapping[str, Flag]) -> None:
    """Refuse options before the subcommand that it has no use for."""
    usable = {entry[:2] for entry in taken}
    for flag, entry in flags.items():
        if entry[1] in line.given.get(entry[0], {}) and entry[:2] not in usable:
            raise UsageError(f"`runner {name}` has no use for {flag}")


def _hint(before: str, word: str, spelt: Mapping[str, Flag]) -> str:
    """Say how a word is handed to the flag before it, where that takes a value only behind an equals sign."""
    from runner.cli.features import load

    entry = spelt.get(before)
    if entry is None or entry[2] > 0 or not load(entry[0]).declared[entry[1]].bare:
        return ""
    return f"; a value of {before} is given as {before}={word}"


def _must_be_given(owner: str, attr: str) -> bool:
    from runner.cli.features import load

    return load(owner).declared[attr].default is None


def _what(owner: str, attr: str) -> str:
    from runner.cli.features import load

    option = load(owner).declared[attr]
    return option.metavar if option.positional else f"--{attr.replace('_', '-')} {option.metavar}"
