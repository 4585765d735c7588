"""Runs a script at two git revisions in turn and judges what changed between them."""

from __future__ import annotations

import os
from copy import copy

from runner.engine import circumstances, interpreter
from runner.engine.interleave import BASE, HEAD, Interleaved, Side
from runner.engine.interpreter import cache_directory
from runner.engine.location import absolute
from runner.engine.revisions import Checkouts, Repository, moved
from runner.engine.target import locate
from runner.model.errors import StartError, UsageError
from runner.model.metrics import find
from runner.model.units import parse_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runner.engine.limit_options import LimitOptions
    from runner.engine.revision_options import RevisionOptions
    from runner.engine.run_options import MonitorOptions, RecordOptions, RunOptions
    from runner.model.run import Run

#: Pairs of runs, and runs before that do not count, where nothing else was asked for.
PAIRS, WARMUP = 10, 1
#: What the record calls the runs of a gate, behind the name of the script: they are no runs of it like others.
SUFFIX = "@gate"
#: Bytes looked at of a file that makes packages known.
_LOOKED_AT = 1 << 16

WORKING_TREE = "working tree"


def least_effect(text: str) -> float:
    """Return the relative change that ``3%`` stands for.

    Raises:
        UsageError: It is none.
    """
    try:
        part = parse_value(text, "percent") / 100
    except ValueError as error:
        raise UsageError(f"--min-effect {text}: {error}") from None
    if not 0 <= part < 1:
        raise UsageError(f"--min-effect {text}: a change from 0 % to below 100 % is needed")
    return part


class _MissingError(StartError):
    """A side has no such script."""


class RevisionGate:
    """Two revisions of one script, each where it can be run, for as long as the ``with`` lasts.

    Args:
        words: What is run: a script and its arguments, or ``-m``, ``-c`` or ``--`` and what follows it on a line.
        options: Which revisions.
        run: How it is run.
        env: The environment of both sides.
        tell: Told what is being done, and with True what was done.

    Attributes:
        commits: The commit of each side by its name; that of the working tree is what it was checked out from.
        sides: Base and head; head alone where the script is new, which a notice says.
        notices: What may lead astray.

    Raises:
        UsageError: There is no such revision, or no repository.
    """

    def __init__(
        self,
        words: Sequence[str],
        options: RevisionOptions,
        run: RunOptions,
        env: dict[str, str],
        tell: Callable[[str, bool], None],
    ) -> None:
        if not words or words == ["--"]:
            raise UsageError("`runner gate --base REV` needs a script to run")
        for name in options.metric:
            find(name)
        self.notices: list[str] = []
        self._roots: dict[str, str] = {}
        self._target, self._args = _target(words)
        self._options = options
        self._run = run
        self._env = env
        self._tell = tell
        self._folder = absolute(run.cwd)
        self._stdin = absolute(options.input) if options.input else ""
        if self._stdin and not os.path.isfile(self._stdin):
            raise UsageError(f"--input {options.input}: no such file")
        self.repository = Repository(self._folder, env)
        self.commits = {BASE: self.repository.commit(options.base, "--base")}
        self.commits[HEAD] = self.repository.commit(options.head or "HEAD", "--head")
        self._checkouts = Checkouts(self.repository, os.path.join(cache_directory(env), "worktrees"), env)

    def __enter__(self) -> RevisionGate:
        """Check out, and find what is run on either side.

        Raises:
            StartError: A side can't be made, or head has no such script, or the base has none that git knows at head.
        """
        self._checkouts.__enter__()
        try:
            self.sides = self._make_sides()
        except BaseException:
            self._checkouts.__exit__()
            raise
        if len(self.sides) > 1:
            self._look_for_traps()
        return self

    def __exit__(self, *_: object) -> None:
        """Remove what was checked out."""
        self._tell("removing the worktrees", False)
        self._checkouts.__exit__()
        self._tell("", False)

    def interleaved(
        self, monitor: MonitorOptions, record: RecordOptions, limits: LimitOptions | None, tell: Callable[[str], None]
    ) -> Interleaved:
        """Return what runs both sides in turn.

        Args:
            monitor: How they are measured.
            record: Where they are remembered.
            limits: What a run may use.
            tell: Told how far it is.
        """
        return Interleaved(self.sides, monitor, record, limits, self._stdin, self._options.seed, tell)

    def _make_sides(self) -> tuple[Side, ...]:
        try:
            base = [self._side(BASE, self._options.base)]
            missing = None
        except _MissingError as error:
            base, missing = [], error
        head = self._side(HEAD, self._options.head)
        if missing is not None:
            if not self.repository.knows(head.target.file, self._roots[HEAD]):
                raise missing  # no base will ever have what git does not know
            name = head.target.script_path
            self.notices.append(f"{name} is new: {self._options.base} does not have it; nothing was compared")
        return (*base, head)

    def _side(self, name: str, revision: str) -> Side:
        tree, label = self.repository.tree, revision or WORKING_TREE
        options, env, target = copy(self._run), dict(self._env), self._target
        root = self._roots[name] = tree
        if revision:
            self._tell(f"checking out {revision}", False)
            root = self._roots[name] = self._checkouts.add(self.commits[name], name)
            if self._options.setup:
                self._set_up(root, env, label)
            self._look_for_submodules(name, root, label)
            _move_environment(env, tree, root)
        options.cwd = moved(self._folder, tree, root)
        if not os.path.isdir(options.cwd):
            raise _MissingError(f"there is no folder {os.path.relpath(options.cwd, root)} at {name} ({label})", 125)
        if target[0] == "script" and os.path.isabs(str(target[1])):
            target = ("script", moved(str(target[1]), tree, root))
        found = locate(target, self._args, options, env)
        found.prepare(env, self._tell)
        if found.problem is not None:
            word = _file_of(target)
            gone = word and not os.path.lexists(os.path.join(options.cwd, word))
            raise (_MissingError if gone else StartError)(f"{found.problem} at {name} ({label})", 125)
        # The same name for both sides, and for the worktrees of every gate.
        found.script_key = (moved(found.script_key, root, tree) if revision else found.script_key) + SUFFIX
        options.name = options.name or found.name + SUFFIX
        return Side(name, label, found, env, options)

    def _look_for_submodules(self, name: str, root: str, label: str) -> None:
        """Notice where a worktree lacks what other repositories hold."""
        for path in self.repository.submodules(self.commits[name]):
            folder = os.path.join(root, path)
            if not os.path.isdir(folder) or not os.listdir(folder):
                self.notices.append(
                    f"the submodules of {label} are not checked out; --setup 'git submodule update --init' does it"
                )
                return

    def _set_up(self, root: str, env: dict[str, str], label: str) -> None:
        """Have a shell prepare a worktree."""
        import subprocess

        command, env = self._options.setup, {**env, "PWD": root}
        self._tell(f"setting up {label}: {command}", False)
        done = subprocess.run(
            ["/bin/sh", "-c", command], cwd=root, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, encoding="utf-8", errors="replace",
        )  # fmt: skip
        if done.returncode:
            lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
            said = lines[-1] if lines else f"it ended with {done.returncode}"
            raise StartError(f"--setup failed at {label}: {said}", 125)

    def _look_for_traps(self) -> None:
        """Notice where one side would import code of the other."""
        tree, base = self.repository.tree, self.sides[0]
        python = base.target.python
        if python is None:
            return
        for folder in circumstances.package_folders(python, interpreter.version_of(python) or "", base.env):
            for name in _naming(folder, tree):
                self.notices.append(
                    f"{name} makes {python} import from {tree}, at {base.label} too: install into an environment of "
                    "each worktree by --setup, and run it by --python"
                )
                return


def as_reported(run: Run) -> Run:
    """Return a run of a gate under the name of its script, as people know it."""
    result = copy(run)
    result.name, result.script_key = (text.removesuffix(SUFFIX) for text in (run.name, run.script_key))
    return result


def _file_of(target: tuple[str, str | list[str]]) -> str:
    """Return the file that is run as it was named, "" where it is none: a module, code, a command on PATH."""
    kind, what = target
    word = what[0] if isinstance(what, list) else what
    return word if word != "-" and (kind == "script" or (kind == "command" and os.sep in word)) else ""


def _target(words: Sequence[str]) -> tuple[tuple[str, str | list[str]], list[str]]:
    """Return what is run, as `runner.engine.target.locate` takes it, and its arguments."""
    if words[0] == "--":
        return ("command", list(words[1:])), list(words[2:])
    if words[0] in ("-m", "-c"):
        if len(words) < 2:
            raise UsageError(f"{words[0]} needs {'a module' if words[0] == '-m' else 'code'} after it")
        return ("module" if words[0] == "-m" else "code", words[1]), list(words[2:])
    return ("script", words[0]), list(words[1:])


def _move_environment(env: dict[str, str], tree: str, root: str) -> None:
    """Have the variables that name folders of code name those of a checkout.

    An environment of packages in the working tree, which git does not know, stays on PATH where it is.
    """
    for name in ("PYTHONPATH", "PATH"):
        parts = env.get(name, "").split(os.pathsep)
        for at, part in enumerate(parts):
            there = moved(part, tree, root) if os.path.isabs(part) else part
            if name == "PYTHONPATH" or os.path.isdir(there):
                parts[at] = there
        if name in env:
            env[name] = os.pathsep.join(parts)
    if env.get("PWD"):
        env["PWD"] = moved(env["PWD"], tree, root)


def _naming(folder: str, tree: str) -> list[str]:
    """Return the files in a folder of packages that make an interpreter import from a tree."""
    found = []
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return []
    for name in names:
        if name.endswith((".pth", ".egg-link")) or name.startswith("__editable__"):
            try:
                with open(os.path.join(folder, name), encoding="utf-8", errors="surrogateescape") as file:
                    text = file.read(_LOOKED_AT)
            except OSError:
                continue
            if tree + os.sep in text or any(line.strip() == tree for line in text.splitlines()):
                found.append(name)
    return found
