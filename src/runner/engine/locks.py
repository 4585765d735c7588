"""Keeps runs that exclude each other from running at one time: a lock on a file that the runner holds while it lives.

The kernel gives a lock up with the process that holds it, however that ends; a file that is left behind locks nothing.
"""

from __future__ import annotations

import errno
import os
from time import monotonic, time_ns

from runner.agent.job import EXIT_RUNNER
from runner.agent.spawn import StartFailed
from runner.engine.limit_options import SKIP
from runner.engine.location import absolute, make_folder, state_directory
from runner.model.errors import UsageError
from runner.stores.files import high, take, write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from runner.engine.limit_options import LockOptions
    from runner.engine.target import Target

#: With what the contents of a lock file begin: nothing else is ever written over.
_MARK = b'{"runner-lock":1,'
_READ = os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0) | os.O_NONBLOCK | os.O_NOCTTY
#: Seconds between two tries to get a lock, at first and at most.
_FIRST, _LONGEST = 0.01, 0.1
#: Seconds of waiting in silence.
_SILENCE = 1.0
_SIGTERM = 15


class Lock:
    """The lock of one run.

    Args:
        options: Which lock, and what becomes of the run if another one has it.
        target: What runs.
        cwd: Directory it runs in.

    Attributes:
        path: The file that is locked.
        silence: Seconds to wait before it is said for whom.
        skipped: Whether the run was skipped.
        cancelled: Whether somebody asked for its end while it waited.

    Raises:
        UsageError: Nothing says which lock is meant.
    """

    def __init__(self, options: LockOptions, target: Target, cwd: str) -> None:
        self._options = options
        self._label = target.name
        self._descriptor = -1
        self._since = 0
        self._held = False
        self.silence = _SILENCE
        self.skipped = self.cancelled = False
        folder = os.path.join(state_directory(), "locks", os.uname().nodename)
        name = options.lock
        if name is None:
            self._folder = os.path.join(folder, "scripts")
            self.path = os.path.join(self._folder, _key(target, cwd))
        elif os.sep in name:
            self.path, self._folder = absolute(os.path.expanduser(name)), ""
        else:
            self.path, self._folder = os.path.join(folder, _file_name(name)), folder
        self._what = f"the lock of {target.name}" if name is None else f"the lock {os.path.basename(name) or name}"

    def acquire(
        self,
        pause: Callable[[float, int], int],
        say: Callable[[str], None] | None = None,
        show: Callable[[str], int] | None = None,
    ) -> int:
        """Get the lock.

        Args:
            pause: Waits for some seconds, or until something is to be read on a descriptor (-1: none), and returns the
                signal that is to end the run, or 0.
            say: Told, once, for whom the run waits.
            show: Told, once and as soon as it has to wait, for which lock; returns the descriptor on which its end may
                be asked for, or -1.

        Returns:
            The signal that ended the wait, 0 when the lock is held.

        Raises:
            StartFailed: It can't be had; `skipped` and `cancelled` tell whether that is no failure.
        """
        if self._folder:
            make_folder(self._folder)
        begun = monotonic()
        patience = self._options.patience()
        delay, requests = _FIRST, -1
        while not self._try():
            waited = monotonic() - begun
            holder = self._holder()
            if patience is not None and waited >= patience:
                self._give_up(holder)
            if patience is None and holder and holder["pid"] in _ancestors():
                raise StartFailed(EXIT_RUNNER, f"{self._held_by(holder)}, which started this run")
            if show is not None:
                requests, show = show(self._what.removeprefix("the ")), None
            if say is not None and waited >= self.silence:
                say(f"waiting, since {self._held_by(holder)}")
                say = None
            came = pause(delay if patience is None else min(delay, patience - waited), requests)
            if came:
                return came
            if requests >= 0:
                self._heed(requests)
            delay = min(delay * 1.5, _LONGEST)
        self._held = True
        self.sign()
        return 0

    def _try(self) -> bool:
        """Try once; return whether it is held."""
        if self._descriptor < 0:
            self._descriptor = self._open()
        try:
            take(self._descriptor)
        except BlockingIOError:
            return False
        except OSError as error:
            raise StartFailed(EXIT_RUNNER, f"{self.path} can't be locked: {error.strerror}") from None
        try:
            if os.path.samestat(os.fstat(self._descriptor), os.stat(self.path, follow_symlinks=False)):
                return True
        except OSError:
            pass
        os.close(self._descriptor)  # somebody removed the file: who comes next would lock another
        self._descriptor = -1
        return self._try()

    def _open(self) -> int:
        from stat import S_ISREG

        try:
            try:
                descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | _READ, 0o600 if self._folder else 0o666)
            except OSError as error:
                if error.errno not in (errno.EACCES, errno.EROFS):
                    raise
                descriptor = os.open(self.path, os.O_RDONLY | _READ)  # another user's: to lock it, reading is enough
        except OSError as error:
            reason = "a symbolic link is not followed" if error.errno == errno.ELOOP else error.strerror
            raise StartFailed(EXIT_RUNNER, f"{self._what} can't be taken: {self.path}: {reason}") from None
        if not S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise StartFailed(EXIT_RUNNER, f"{self._what} can't be taken: {self.path}: not a regular file")
        return high(descriptor)

    def _give_up(self, holder: dict[str, Any] | None) -> None:
        from runner.model.units import format_seconds

        self.skipped = self._options.no_overlap == SKIP
        patience = self._options.patience()
        after = f", still after waiting {format_seconds(patience)}" if patience else ""
        raise StartFailed(0 if self.skipped else EXIT_RUNNER, self._held_by(holder) + after)

    def _heed(self, requests: int) -> None:
        """End the wait if somebody has asked for it."""
        from runner.agent.requests import read

        cancel = read(requests)
        if cancel is not None:
            self.cancelled = True
            raise StartFailed(128 + _SIGTERM, f"{cancel.message} while it waited for {self._what}")

    def sign(self, run_id: str = "") -> None:
        """Write into the file who holds the lock, for those who have to wait; a file with other contents is left alone.

        Args:
            run_id: The run, as soon as it has one.
        """
        if not self._held:
            return
        from runner.agent.events import dumps
        from runner.agent.facts import start_ticks

        self._since = self._since or time_ns()
        own = os.getpid()
        holder = {
            "pid": own, "ticks": start_ticks(own), "since": self._since, "run": run_id, "script": self._label,
        }  # fmt: skip
        self._write(_MARK + dumps(holder).encode("ascii")[1:] + b"\n")

    def _write(self, data: bytes) -> None:
        try:
            begin = os.pread(self._descriptor, len(_MARK), 0)
            if begin in (b"", _MARK):
                os.ftruncate(self._descriptor, 0)
                os.lseek(self._descriptor, 0, os.SEEK_SET)
                write_all(self._descriptor, data)
        except OSError:
            pass  # it is held all the same

    def _holder(self) -> dict[str, Any] | None:
        """Return who holds the lock, None where that can't be told."""
        from json import loads

        from runner.agent.facts import start_ticks

        try:
            found = loads(os.pread(self._descriptor, 4096, 0))
            holder = {name: kind(found[name]) for name, kind in _FACTS.items()}
            is_plausible = holder["pid"] > 0 and 0 <= holder["since"] < 1 << 63
            return holder if is_plausible and start_ticks(holder["pid"]) == holder["ticks"] else None
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return None  # anybody may have written there

    def _held_by(self, holder: dict[str, Any] | None) -> str:
        if holder is None:
            return f"{self._what} is held by another process ({self.path})"
        from time import localtime, strftime

        since = localtime(holder["since"] // 1_000_000_000)
        told = strftime("%H:%M:%S" if since[:3] == localtime()[:3] else "%Y-%m-%d %H:%M:%S", since)
        run = f"run {holder['run']} of {holder['script']}" if holder["run"] else holder["script"]
        return f"{self._what} is held by {run} (pid {holder['pid']}, since {told})"

    def release(self) -> None:
        """Let the lock go, also where another process has a copy of the descriptor."""
        if self._descriptor < 0:
            return
        if self._held:
            import fcntl

            self._write(b"")
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        os.close(self._descriptor)
        self._descriptor, self._held = -1, False


_FACTS: dict[str, type] = {"pid": int, "ticks": int, "since": int, "run": str, "script": str}


def make_lock(options: LockOptions, target: Target, cwd: str) -> Lock | None:
    """Return the lock that the options ask for, None for none.

    Args:
        options: What is asked for.
        target: What runs.
        cwd: Directory it runs in.

    Raises:
        UsageError: Nothing says which lock is meant, or not as it should.
    """
    options.check()
    return None if options.lock is None and options.no_overlap is None else Lock(options, target, cwd)


def _file_name(name: str) -> str:
    """Return the name of the file for a lock's name.

    Raises:
        UsageError: No file can be called so.
    """
    result = f"{name}.lock"
    if "\0" in name or len(os.fsencode(result)) > 255:
        raise UsageError(f"--lock: {name[:40]!r} can't be the name of a file")
    return result


def _key(target: Target, cwd: str) -> str:
    """Return the name of the file for what runs: a script or module whatever its arguments, any other whole line.

    Raises:
        UsageError: Nothing tells one such run from another.
    """
    from runner.engine.facts import text_hash

    if target.script_key == "-":
        raise UsageError("--no-overlap: a script from standard input has no name of its own; name a lock with --lock")
    name = target.name
    if target.file and target.kind in ("script", "program"):
        parts = [os.path.realpath(target.file)]
        name = os.path.basename(parts[0])
    elif target.script_key.startswith("-m "):
        parts = [target.script_key]
    else:
        parts = [absolute(cwd), *target.argv]  # the name of a shell or of `make` says nothing
    readable = "".join(char if char.isascii() and (char.isalnum() or char in "._-") else "_" for char in name)[:100]
    return f"{readable}-{text_hash(chr(0).join(parts))[:16]}.lock"


def _ancestors() -> list[int]:
    """Return the processes that this one descends from."""
    from runner.agent.witness import parent_of

    line = [os.getppid()]
    while line[-1] > 1:
        line.append(parent_of(line[-1]))
    return line
