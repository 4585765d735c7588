"""From what a line names to what is executed, so that the script finds the ``sys.argv`` it has alone."""

from __future__ import annotations

import os
import sys

from runner.engine.interpreter import choose, on_path
from runner.model.errors import StartError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from runner.engine.environments import Environment, Tell
    from runner.engine.run_options import RunOptions

#: Files that Python runs, whatever their mode and first line.
_PYTHON_FILES = (".py", ".pyw", ".pyc", ".pyz", ".zip")
#: What a script holds that says which packages it needs (PEP 723), and how many bytes of it are searched for that.
_METADATA, _SEARCHED = b"# /// script", 8 << 20


class Target:
    """What is executed.

    Attributes:
        kind: ``script``, ``module``, ``code``, ``command``, or ``program`` for a file executed by itself.
        argv: The command, ``argv[0]`` included.
        args: The script's arguments, which end it.
        executable: Path of the program to execute, as seen from the script's working directory.
        name: What people call it: the last part of `script_key`.
        script_path: The script as it was typed, that of an interpreter given as a command too; ``-m NAME``, ``-c`` or a
            command's name otherwise.
        script_key: What history groups by: the script's absolute path, or as above.
        file: Path of the script's file as seen from here, or "" where there is none.
        python: The interpreter, or None where none is needed.
        environment: What the script asked to run in; None where it asked for nothing.
        problem: Why it can't be run, or None.
    """

    __slots__ = (
        "args", "argv", "environment", "executable", "file", "kind", "name", "problem", "python", "script_key",
        "script_path",
    )  # fmt: skip

    def __init__(
        self,
        kind: str,
        argv: list[str],
        executable: str,
        script_path: str,
        script_key: str,
        file: str = "",
        python: str | None = None,
    ) -> None:
        self.kind = kind
        self.argv = argv
        self.args: list[str] = []
        self.executable = executable
        self.name = os.path.basename(script_key.rstrip(os.sep)) or script_key
        self.script_path = script_path
        self.script_key = script_key
        self.file = file
        self.python = python
        self.problem: StartError | None = None
        self.environment: Environment | None = None

    def prepare(self, env: dict[str, str], tell: Tell) -> None:
        """Make the environment that the script asks for, if need be, and let the script find its commands.

        Where it can't be made, that is why the script can't be run.

        Args:
            env: The script's environment variables, changed here.
            tell: Told what is being done.
        """
        environment = self.environment
        if environment is None:
            return
        try:
            if environment.make is not None:
                environment.make(tell)
            environment.activate(env)
        except StartError as error:
            self.problem = error


def locate(
    target: tuple[str, str | list[str]],
    args: Sequence[str],
    options: RunOptions,
    environ: Mapping[str, str],
    commands: Iterable[str] = (),
    program: str | None = None,
) -> Target:
    """Return what is executed, as `resolve` does, also where it can't be: the attempt belongs in the record as well.

    Raises:
        UsageError: The directory to run in can't be used, or what the script says of its dependencies makes no sense.
    """
    try:
        return resolve(target, args, options, environ, program, commands)
    except StartError as error:
        kind, what = target
        words = [*what] if isinstance(what, list) else [what, *args]
        path = kind in ("script", "command") and os.sep in words[0]
        from runner.engine.location import absolute

        key = absolute(os.path.join(options.cwd, words[0])) if path or kind == "script" else words[0]
        result = Target(kind, words, words[0], words[0], key)
        result.args = list(args)
        result.problem = error
        return result


def resolve(
    target: tuple[str, str | list[str]],
    args: Sequence[str],
    options: RunOptions,
    environ: Mapping[str, str],
    program: str | None = None,
    commands: Iterable[str] = (),
) -> Target:
    """Return what is executed for what a line names.

    Args:
        target: What `runner.cli.line.Line.target` holds.
        args: The script's arguments.
        options: `python` is the interpreter that was asked for; a relative path is looked for in `cwd`.
        environ: The script's environment.
        program: How the runner was called; ``sys.argv[0]`` where None.
        commands: Other words that may have been meant, for the hint about a missing script.

    Raises:
        StartError: 127, it is not there; 126, it is there and can't be run; 125, there is no Python that it runs on.
        UsageError: The directory to run in can't be used, or what the script says of its dependencies makes no sense.
    """
    if options.cwd:
        from runner.engine.environment import check_directory

        check_directory(options.cwd)
    kind, what = target
    words = list(args)
    if kind == "command":
        from runner.engine.interpreted import script_at

        argv = list(what)
        result = _command(argv, environ, options.cwd)
        at = script_at(argv, options.cwd)
        if at:  # the name of an interpreter says nothing of what it runs
            here = os.path.join(options.cwd, argv[at])
            result = Target("command", argv, result.executable, argv[at], os.path.abspath(here), here)
            words = argv[at + 1 :]
    else:
        word = str(what)
        caller = sys.argv[0] if program is None else program
        if kind != "script" or word == "-":
            result = _words(kind, word, words, choose(options.python, caller, environ))
        else:
            here = os.path.join(options.cwd, word)
            if not os.path.exists(here):
                raise StartError(_missing(word, here, environ, commands), 127)
            interpreter = choose(options.python, caller, environ) if _is_for_python(word, here) else None
            environment = None
            if interpreter and not options.python and not options.no_script_deps:
                environment = _own_environment(here, interpreter, environ)
            result = _file(word, here, words, environment.python if environment else interpreter)
            result.environment = environment
    result.args = words
    return result


def _own_environment(here: str, python: str, environ: Mapping[str, str]) -> Environment | None:
    """Return the environment that a script asks for (PEP 723), None for one that asks for nothing."""
    data = _start_of(here) if os.path.isfile(here) and here.lower().endswith((".py", ".pyw")) else b""
    if _METADATA not in data:
        return None
    from runner.engine.pep723 import find_block

    block = find_block(data, here)
    if block is None:
        return None
    from runner.engine.environments import Environments

    return Environments(environ).wanted(here, block, python)


def _start_of(path: str) -> bytes:
    """Return what a file begins with; nothing of one that can't be read, since whoever starts it will say so."""
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read(_SEARCHED)
    except OSError:
        return b""


def _words(kind: str, word: str, args: list[str], python: str) -> Target:
    """Return the target of a script that is no file: a module, code, or a program from standard input."""
    if kind == "script":
        return Target(kind, [python, "-", *args], python, "-", "-", python=python)
    flag = "-m" if kind == "module" else "-c"
    shown = f"-m {word}" if kind == "module" else "-c"
    return Target(kind, [python, flag, word, *args], python, shown, shown, python=python)


def _file(path: str, here: str, args: list[str], python: str | None) -> Target:
    key = os.path.abspath(here)
    if python is not None:
        if not os.access(here, os.R_OK):
            raise StartError(f"{path} can't be read: permission denied", 126)
        known = here if os.path.isfile(here) or os.path.isdir(here) else ""  # a pipe can be read only once
        return Target("script", [python, path, *args], python, path, key, known, python)
    if not os.access(here, os.X_OK):
        hint = f"to name a program for it: runner run -- PROGRAM {path}"
        raise StartError(f"{path} is neither a Python file nor executable; {hint}", 126)
    # Alone it would be called by a path too: a bare name is only ever looked for on PATH.
    direct = path if os.sep in path else os.path.join(".", path)
    return Target("program", [direct, *args], direct, path, key, here)


def _is_for_python(path: str, here: str) -> bool:
    if os.path.isdir(here):
        if any(os.path.isfile(os.path.join(here, "__main__" + end)) for end in (".py", ".pyc")):
            return True
        raise StartError(f"{path} is a directory without __main__.py", 126)
    if path.lower().endswith(_PYTHON_FILES):
        return True
    if not os.path.isfile(here):
        return True  # a pipe, such as bash makes of <(...)
    if os.access(here, os.X_OK):
        return False
    try:
        with open(here, "rb") as file:
            start = file.read(200)
    except OSError:
        return False
    return start[:4] == b"PK\x03\x04" or (start[:2] == b"#!" and b"python" in start.partition(b"\n")[0])


def _command(argv: list[str], environ: Mapping[str, str], cwd: str) -> Target:
    name = argv[0]
    if os.sep in name:
        here = os.path.join(cwd, name)
        if not os.path.exists(here):
            raise StartError(f"{name}: no such file", 127)
        if os.path.isdir(here):
            raise StartError(f"{name} is a directory", 126)
        if not os.access(here, os.X_OK):
            raise StartError(f"{name} is not executable", 126)
        return Target("command", argv, name, name, os.path.abspath(here), here)
    found, other = on_path(name, environ)
    if found:
        # A relative entry of PATH means this directory, not the script's.
        return Target("command", argv, os.path.abspath(found) if cwd else found, name, name, found)
    if other:
        raise StartError(f"{other} is not executable", 126)
    hint = f"; there is a file of that name here: ./{name}" if name and os.path.exists(name) else ""
    raise StartError(f"{name or repr(name)}: command not found on PATH{hint}", 127)


def _missing(path: str, here: str, environ: Mapping[str, str], commands: Iterable[str]) -> str:
    if not path:
        return "no such script: its name is empty"
    if os.path.islink(here):
        return f"no such script: {path} is a link to {os.readlink(here)}, which does not exist"
    from runner.model.words import did_you_mean

    folder, name = os.path.split(here)
    try:
        near = os.listdir(folder or ".")
    except FileNotFoundError:
        return f"no such script: {path} (there is no directory {folder})"
    except OSError as error:
        return f"no such script: {path} ({folder}: {error.strerror})"
    guess = did_you_mean(name, near)
    if not guess and os.sep not in path:
        guess = did_you_mean(name, commands).replace("mean", "mean the command")
        if not guess and on_path(path, environ)[0]:
            guess = f"; to run the command of that name: runner run -- {path}"
    return f"no such script: {path}{guess}"
