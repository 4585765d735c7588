"""Fills an environment with the packages a script asks for, by uv or by pip, and says what it is doing."""

from __future__ import annotations

import fcntl
import os
import subprocess
from contextlib import contextmanager, suppress
from select import select
from shutil import rmtree
from time import monotonic, sleep

from runner.engine.filling_failure import lines_of, reason_of
from runner.engine.interpreter import on_path
from runner.model.errors import StartError
from runner.model.units import format_seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from runner.engine.environments import Tell
    from runner.engine.pep723 import Metadata

#: Seconds between two looks at a lock, and between two changes of the line that says what is being done.
_PAUSE = 0.1
_REDRAW = 0.25
#: Seconds after which a runner says that it waits for another.
_PATIENCE = 1.0
#: Bytes kept of what an installer says.
_KEPT = 64 << 10


@contextmanager
def locked(path: str, script: str, tell: Tell) -> Iterator[None]:
    """Hold the lock of an environment, waiting for another runner that fills it.

    Raises:
        StartError: The cache can't be written.
    """
    while True:
        try:
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise StartError(
                f"no environment can be made for {script}: {path}: {error.strerror}; set XDG_CACHE_HOME, or use"
                " --no-script-deps", 125,
            ) from None  # fmt: skip
        try:
            _wait(lock, script, tell)
            # It may have been removed by `runner cache clean` while we waited.
            if _is_same(lock, path):
                yield
                return
        finally:
            os.close(lock)


def _wait(lock: int, script: str, tell: Tell) -> None:
    began = monotonic()
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except OSError:
            pass
        waited = monotonic() - began
        if waited > _PATIENCE:
            tell(f"another runner is making the environment of {script}: waiting, {waited:.0f} s", False)
        sleep(_PAUSE)


def _is_same(lock: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(lock), os.stat(path))
    except OSError:
        return False


def remove_unused(path: str) -> None:
    """Remove a lock that nobody holds, and what its holder left unfinished."""
    try:
        lock = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        root = path.removesuffix(".lock")
        from runner.engine.environments import Environment

        if not Environment(root).usable:
            rmtree(root, ignore_errors=True)
            os.unlink(path)
    except OSError:
        pass  # it is being filled
    finally:
        os.close(lock)


def fill(root: str, script: str, metadata: Metadata, base: str, environ: Mapping[str, str], tell: Tell) -> str:
    """Make a virtual environment and install what a script asks for; what was there is removed first.

    Args:
        root: Its folder.
        script: Path of the script.
        metadata: What the script asks for.
        base: Interpreter it is made of.
        environ: The environment variables.
        tell: Told what is being done.

    Returns:
        ``uv`` or ``venv``: what made it.

    Raises:
        StartError: It can't be made; nothing is left of it.
    """
    began = monotonic()
    rmtree(root, ignore_errors=True)
    name = os.path.basename(script)
    uv, _ = on_path("uv", environ)
    installer = _Installer(script, environ, tell)
    try:
        if uv:
            installer.call([uv, "venv", "--no-project", "--python", base, root])
            requirements = installer.requirements(uv, root, metadata)
            if requirements:
                installer.call([uv, "pip", "install", "--python", os.path.join(root, "bin", "python"), *requirements])
        else:
            installer.call([base, "-m", "venv", root])
            if metadata.dependencies:
                pip = [os.path.join(root, "bin", "python"), "-m", "pip", "install", "--disable-pip-version-check"]
                log = os.path.join(root, "pip.log")
                installer.call([*pip, "--no-input", "--log", log, "--", *metadata.dependencies], log)
                with suppress(OSError):
                    os.unlink(log)
    except BaseException:
        rmtree(root, ignore_errors=True)
        tell("", False)
        raise
    tell("", False)
    count = sum(entry.endswith(".dist-info") for _, folders, _ in os.walk(root) for entry in folders)
    packages = f"{count} package{'s' * (count != 1)}"
    tell(f"made an environment for {name} in {format_seconds(monotonic() - began)}: {packages}, {root}", True)
    return "uv" if uv else "venv"


class _Installer:
    """Runs programs that make an environment, and says how far they are."""

    def __init__(self, script: str, environ: Mapping[str, str], tell: Tell) -> None:
        self.script = script
        self.tell = tell
        self.env = {key: value for key, value in environ.items() if key not in ("VIRTUAL_ENV", "PYTHONHOME")}
        self.env.pop("PYTHONPATH", None)  # what is found there would be taken for installed
        self.env["PYTHONUNBUFFERED"] = "1"
        self.began = monotonic()

    def requirements(self, uv: str, root: str, metadata: Metadata) -> list[str]:
        """Return the arguments that name what is to be installed: what uv has locked or resolves, or the plain list."""
        if not metadata.for_uv and not os.path.exists(self.script + ".lock"):
            return ["--", *metadata.dependencies] if metadata.dependencies else []
        path = os.path.join(root, "requirements.txt")
        self.call([uv, "export", "--script", self.script, "--no-header", "--no-hashes", "--output-file", path])
        return ["--requirements", path]

    def call(self, command: Sequence[str], log: str = "") -> None:
        """Run a program to its end.

        Args:
            command: The program and its arguments.
            log: File into which it writes what it does not say, or "".

        Raises:
            StartError: It failed.
        """
        try:
            process = subprocess.Popen(
                command, env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
        except OSError as error:
            raise StartError(f"{command[0]} can't be started: {error.strerror}", 125) from None
        said = b""
        try:
            assert process.stdout is not None
            descriptor = process.stdout.fileno()
            while True:
                if select([descriptor], [], [], _REDRAW)[0]:
                    block = os.read(descriptor, 1 << 16)
                    if not block:
                        break
                    said = (said + block)[-_KEPT:]
                self._progress(said)
            code = process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            raise
        finally:
            if process.stdout is not None:
                process.stdout.close()
        if code:
            reason = reason_of(said, _read(log)) or f"{command[0]} failed ({code})"
            raise StartError(f"no environment could be made for {self.script}: {reason}", 125)

    def _progress(self, said: bytes) -> None:
        now = lines_of(said)[-1:] or [""]
        elapsed = monotonic() - self.began
        self.tell(f"making an environment for {os.path.basename(self.script)}, {elapsed:.0f} s: {now[0]}", False)


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""  # none is written, or not that far
