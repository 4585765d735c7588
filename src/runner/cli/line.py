"""Splits a command line into what is the runner's and what is the script's, with the generated table alone.

Before the script every option is the runner's. After it only flags that the table marks are, until the first ``--``;
after ``runner run SCRIPT`` none is. Flags alone decide between a run and a query, never whether a file exists.
"""

from __future__ import annotations

from runner.cli.table import COMMANDS, FLAGS
from runner.model.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Target = tuple[str, str | list[str]]
    Flag = tuple[str, str, int, str, bool, bool]

_HELP = {"-h": "help", "--help": "help", "--help-all": "help-all", "--version": "version", "-V": "version"}


class Line:
    """A command line, split.

    Attributes:
        kind: ``run``, ``query``, ``command``, ``help``, ``help-all``, ``version``, or ``nothing`` for an empty line.
        command: Name of the subcommand (with ``help``: the one to be explained), or "".
        given: Owner -> field -> texts, in the order given.
        typed: Owner -> field -> the flag as it was typed last, of those that were given by one.
        queries: Flags that ask for a query, in the order given.
        target: ``("script", path)``, ``("module", name)``, ``("code", text)``, ``("command", argv)`` or None.
        args: The script's arguments.
        warnings: Lines to tell the user before the script starts.
        words: The whole line.
    """

    __slots__ = ("args", "command", "given", "kind", "queries", "target", "typed", "warnings", "words")

    def __init__(self) -> None:
        self.kind = "run"
        self.command = ""
        self.given: dict[str, dict[str, list[str]]] = {}
        self.typed: dict[str, dict[str, str]] = {}
        self.queries: list[str] = []
        self.target: Target | None = None
        self.args: list[str] = []
        self.warnings: list[str] = []
        self.words: Sequence[str] = ()

    def give(self, owner: str, attr: str, texts: Sequence[str], flag: str = "") -> None:
        """Add what the line says about one option, by which flag or by its place."""
        self.given.setdefault(owner, {}).setdefault(attr, []).extend(texts)
        if flag:
            self.typed.setdefault(owner, {})[attr] = flag


def split(argv: list[str], program: str = "", flags: Mapping[str, Flag] = FLAGS) -> Line:
    """Split a command line.

    Args:
        argv: The words after the program's name.
        program: The program's path (``sys.argv[0]``): given as the script, it is no script.
        flags: The flags there are.

    Raises:
        UsageError: The line makes no sense; the message is one line.
    """
    return _Splitter(argv, program, flags).split()


class _Splitter:
    def __init__(self, argv: list[str], program: str, flags: Mapping[str, Flag]) -> None:
        self.argv = argv
        self.program = program
        self.flags = flags
        self.line = Line()
        self.seen: list[tuple[str, str]] = []  # (flag, role)
        self.after: list[str] = []  # flags taken after the script

    def split(self) -> Line:
        line = self.line
        line.words = self.argv
        if not self.argv:
            line.kind = "nothing"
            return line
        self._before(0, explicit=False)
        if line.kind == "run":
            self._decide()
        return line

    def _before(self, at: int, explicit: bool) -> None:
        """Take words until the script; `explicit` after the word ``run``."""
        argv, line = self.argv, self.line
        while at < len(argv):
            word = argv[at]
            if word[:1] != "-" or word == "-":
                if not explicit and word in _FIRST_WORDS:
                    self._command(at)
                    return
                if self._is_shim(word):
                    at += 1
                    continue
                line.target = ("script", word)
            elif word == "--":
                if not argv[at + 1 :]:
                    raise UsageError("-- needs a command after it")
                line.target = ("command", argv[at + 1 :])
                line.args = argv[at + 2 :]
                return
            elif word in ("-m", "-c"):
                if at + 1 == len(argv):
                    raise UsageError(f"{word} needs {'a module' if word == '-m' else 'code'} after it")
                at += 1
                line.target = ("module" if word == "-m" else "code", argv[at])
            elif word in _HELP:
                line.kind = _HELP[word]
                line.command = "run" if explicit and line.kind == "help" else ""
                return
            else:
                at = self._take(at)
                continue
            if explicit:
                line.args = argv[at + 1 :]
            else:
                self._after(at + 1)
            return

    def _after(self, at: int) -> None:
        """Share out the words after the script."""
        argv, args = self.argv, self.line.args
        while at < len(argv):
            word = argv[at]
            if word[:2] == "--":
                if word == "--":
                    args.extend(argv[at + 1 :])
                    return
                flag = word.partition("=")[0]
                entry = self.flags.get(flag)
                if entry is not None and entry[4]:
                    self.after.append(flag)
                    at = self._take(at)
                    continue
            args.append(word)
            at += 1

    def _take(self, at: int) -> int:
        """Take the flag at one position with its values; return the position behind them."""
        flag, equals, value = self.argv[at].partition("=")
        entry = self.flags.get(flag)
        if entry is None:
            from runner.cli.complaints import unknown_flag

            raise unknown_flag(flag, self.flags)
        owner, attr, arity, role, _, literal_bool = entry
        if not owner:
            from runner.cli.complaints import not_available

            raise not_available(flag, after_script=bool(self.after))
        at += 1
        if equals:
            values = [value]
        elif arity < 1:
            values = ["true"]
            if literal_bool and at < len(self.argv) and self.argv[at].lower() in ("true", "false"):
                values = [self.argv[at]]
                at += 1
        else:
            values = self.argv[at : at + arity]
            at += arity
            self._check_values(flag, arity, values)
        self.line.give(owner, attr, values, flag)
        self.seen.append((flag, role))
        return at

    def _check_values(self, flag: str, arity: int, values: list[str]) -> None:
        for value in values:
            if value == "--" or value.partition("=")[0] in self.flags:
                raise UsageError(f"{flag} needs a value, but {value} follows ({flag}={value} if that is the value)")
        if len(values) < arity:
            raise UsageError(f"{flag} needs {'a value' if arity == 1 else f'{arity} values'}")

    def _decide(self) -> None:
        """Tell a run from a query, and refuse what is both or neither."""
        line = self.line
        for flag, role in self.seen:
            asks = role in ("query", "plan") or (role == "either" and line.target is None)
            if asks and flag not in line.queries:
                line.queries.append(flag)
        if not line.queries:
            if line.target is None:
                if self.seen:
                    self._refuse_idle()
                    raise UsageError("no script to run; `runner --help` shows how a line is written")
                line.kind = "nothing"
            elif self.after:
                from runner.cli.complaints import taken_from_script

                folder = line.given.get("run", {}).get("cwd", [""])[-1]
                line.warnings = taken_from_script(self.after, line.target, folder)
            self._warn_of_idle(("run",))
            return
        line.kind = "query"
        planned = any(role == "plan" for _, role in self.seen)
        for flag, role in self.seen:
            if role == "run" and not planned:
                raise UsageError(f"{flag} only makes sense for a run, but {line.queries[0]} runs nothing")
        if line.target is not None and line.target[0] == "script":
            self._narrow(str(line.target[1]))
        if not planned:
            self._refuse_lost()
            self._warn_of_idle([name for name, entry in COMMANDS.items() if entry[2] in line.queries])

    def _idle(self, commands: Iterable[str]) -> list[str]:
        """Return the flags that shape or scope, but nothing that the line asks for."""
        # How answers are written goes with whatever is asked.
        used = {"query", ""}.union(*(COMMANDS[name][0] for name in commands))
        return [flag for flag, role in self.seen if role == "neutral" and self.flags[flag][0] not in used]

    def _warn_of_idle(self, commands: Iterable[str]) -> None:
        idle = self._idle(commands)
        if idle:
            from runner.cli.complaints import without_effect

            self.line.warnings += without_effect(idle)

    def _refuse_idle(self) -> None:
        """Refuse a line that says how an answer is to be, but not what is asked."""
        idle = self._idle(("run",))
        if idle:
            from runner.cli.complaints import goes_with

            raise UsageError(f"{idle[0]} needs {goes_with(idle[0])}")

    def _refuse_lost(self) -> None:
        """Refuse an option that would shape the answer, but stands where it belongs to a script that is not run."""
        for word in self.line.args:
            flag = word.partition("=")[0]
            entry = self.flags.get(flag)
            if entry is not None and entry[3] == "neutral":
                raise UsageError(f"{flag} after the script would be the script's; put it before the script")

    def _narrow(self, script: str) -> None:
        """Hand the script beside a query to those queries that take one."""
        for _, positional, switch in COMMANDS.values():
            for owner, attr, _ in positional:
                if attr == "script" and switch in self.line.queries:
                    self.line.given.setdefault(owner, {}).setdefault(attr, [script])

    def _command(self, at: int) -> None:
        """Take the words of a subcommand, which begins at one position."""
        if self.argv[at] == "run":
            self._before(at + 1, explicit=True)
            if self.line.kind == "run" and any(role in ("query", "plan") for _, role in self.seen):
                flag = next(flag for flag, role in self.seen if role in ("query", "plan"))
                raise UsageError(f"{flag} runs nothing and has no place in `runner run`")
            return
        from runner.cli.subcommand import split_command

        split_command(self.line, self.argv, at, self.flags)

    def _is_shim(self, word: str) -> bool:
        """Whether the script is the runner's own door."""
        if not word.endswith("runner.py"):
            return False
        import os

        try:
            path = os.path.abspath(word)
        except FileNotFoundError:  # the working directory was removed, and so is what was in it
            return False
        checkout = os.path.abspath(os.path.join(__file__, "..", "..", "..", "..", "runner.py"))
        return path in (checkout, os.path.abspath(self.program)) and os.path.basename(path) == "runner.py"


#: First words of all subcommands.
_FIRST_WORDS = frozenset(name.partition(" ")[0] for name in COMMANDS)
