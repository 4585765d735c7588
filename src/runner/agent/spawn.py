"""Start a process: `posix_spawn`, or fork and exec where an interpreter has no such thing."""

from __future__ import annotations

import errno
import os

from runner.agent.job import EXIT_NOT_EXECUTABLE, EXIT_NOT_FOUND, EXIT_RUNNER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Collection, Mapping, NoReturn

# What the C library says when it was this machine that had no room, and not the program that was no good.
_OURS = (errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE)
_COERCED = ("C.UTF-8", "C.utf8", "UTF-8")


class StartFailed(Exception):
    """The script could not be started.

    Attributes:
        code: 125 (the runner's own trouble), 126 (not executable) or 127 (not found).
        message: What is wrong, in one line.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message


def script_environment() -> dict[str, str]:
    """Return the environment this process was started with.

    In the C locale CPython adds ``LC_CTYPE`` to its own environment; the script must not inherit that.
    """
    env = dict(os.environ)
    if env.get("LC_CTYPE") in _COERCED:
        try:
            with open("/proc/self/environ", "rb", buffering=0) as file:
                given = file.readall()
        except OSError:
            return env
        if not given.startswith(b"LC_CTYPE=") and b"\0LC_CTYPE=" not in given:
            del env["LC_CTYPE"]
    return env


def spawn(
    executable: str,
    argv: list[str],
    env: Mapping[str, str],
    cwd: str | None,
    given: Mapping[int, int],
    mask: Collection[int],
    defaults: Collection[int],
    ignores: Collection[int] = (),
    prepare: Callable[[], None] | None = None,
) -> int:
    """Start a program and return its process id.

    Args:
        executable: Its path; a relative one is looked up in `cwd`.
        argv: Its arguments, the zeroth included.
        env: Its whole environment.
        cwd: Its working directory, or None for this process's own.
        given: Descriptors it gets at a certain number: number -> descriptor of this process, which is above 2.
        mask: Signals that are blocked in it.
        defaults: Signals whose default action it gets back.
        ignores: Signals it is to ignore although this process does not.
        prepare: Called in its process right before it is executed; a ValueError it raises becomes `StartFailed`.

    Raises:
        StartFailed: It could not be started; nothing runs.
    """
    back = -1
    if cwd is not None:
        # posix_spawn can't change directory, and this process has one thread: go there and come back.
        back = os.open(".", getattr(os, "O_PATH", os.O_RDONLY))
    try:
        if cwd is not None:
            try:
                os.chdir(cwd)
            except OSError as error:
                raise StartFailed(EXIT_RUNNER, f"cannot change to directory {cwd}: {error.strerror}") from None
        try:
            return _start(executable, argv, env, given, mask, defaults, ignores, prepare)
        except ValueError as error:  # a NUL in an argument
            raise StartFailed(EXIT_RUNNER, f"cannot execute {executable}: {error}") from None
        except OSError as error:
            if error.errno != errno.ENOEXEC or not _is_text(executable):
                _fail(executable, argv, error)
        # A script without a #! line is the shell's, as for every shell and for execvp.
        try:
            return _start("/bin/sh", ["/bin/sh", executable, *argv[1:]], env, given, mask, defaults, ignores, prepare)
        except OSError as error:
            _fail("/bin/sh", argv, error)
    finally:
        if back >= 0:
            os.fchdir(back)
            os.close(back)


def _start(
    executable: str,
    argv: list[str],
    env: Mapping[str, str],
    given: Mapping[int, int],
    mask: Collection[int],
    defaults: Collection[int],
    ignores: Collection[int],
    prepare: Callable[[], None] | None,
) -> int:
    if ignores or prepare is not None or not hasattr(os, "posix_spawn"):
        return _fork_and_exec(executable, argv, env, given, mask, defaults, ignores, prepare)
    actions = [(os.POSIX_SPAWN_DUP2, ours, theirs) for theirs, ours in given.items()]
    return os.posix_spawn(executable, argv, env, file_actions=actions, setsigmask=mask, setsigdef=defaults)


def _fork_and_exec(
    executable: str,
    argv: list[str],
    env: Mapping[str, str],
    given: Mapping[int, int],
    mask: Collection[int],
    defaults: Collection[int],
    ignores: Collection[int],
    prepare: Callable[[], None] | None,
) -> int:
    read_end, write_end = os.pipe()  # closed by a successful exec, told the error otherwise
    pid = os.fork()
    if pid == 0:
        try:
            import _signal

            for theirs, ours in given.items():
                os.dup2(ours, theirs)
            for number in defaults:
                _signal.signal(number, _signal.SIG_DFL)
            for number in ignores:
                _signal.signal(number, _signal.SIG_IGN)
            _signal.pthread_sigmask(_signal.SIG_SETMASK, mask)
            if prepare is not None:
                prepare()
            os.execve(executable, argv, env)
        except OSError as error:
            os.write(write_end, str(error.errno).encode("ascii"))
        except ValueError as error:  # a NUL in an argument, text that can't be encoded, or a priority that is refused
            os.write(write_end, ascii(str(error)).encode("ascii"))
        finally:
            os._exit(EXIT_NOT_FOUND)
    os.close(write_end)
    with open(read_end, "rb") as file:
        told = file.read()
    if told:
        os.waitpid(pid, 0)
        if not told.isdigit():
            raise ValueError(told.decode("ascii").strip("'\""))
        raise OSError(int(told), os.strerror(int(told)))
    return pid


def _fail(executable: str, argv: list[str], error: OSError) -> NoReturn:
    reason = error.strerror or str(error)
    code = EXIT_NOT_EXECUTABLE
    if error.errno == errno.ENOENT:
        code = EXIT_NOT_FOUND
        interpreter = _interpreter(executable)
        if interpreter:
            reason = f"its interpreter {interpreter} is not there"
    elif error.errno in _OURS:
        code = EXIT_RUNNER
    elif error.errno == errno.ENOEXEC:
        reason = "not a program this machine can execute"
    elif error.errno == errno.E2BIG:
        size = sum(len(argument) + 1 for argument in argv)
        reason = f"its arguments and environment are too long for this system ({size} bytes of arguments)"
    elif error.errno == errno.EACCES and os.path.isdir(executable):
        reason = "is a directory"
    raise StartFailed(code, f"cannot execute {executable}: {reason}") from None


def _interpreter(executable: str) -> str:
    """Return the interpreter that the first line of a script names, or "" where there is none."""
    line = _beginning(executable).split(b"\n", 1)[0]
    words = line[2:].split()
    return os.fsdecode(words[0]) if line.startswith(b"#!") and words else ""


def _is_text(executable: str) -> bool:
    line = _beginning(executable).split(b"\n", 1)[0]
    return b"\0" not in line


def _beginning(executable: str) -> bytes:
    try:
        with open(executable, "rb", buffering=0) as file:
            return file.read(256)
    except OSError:
        return b""
