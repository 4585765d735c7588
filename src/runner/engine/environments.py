"""Keeps an environment for each set of dependencies that scripts ask for: made once, found again by its metadata.

A folder below the user's cache holds them::

    envs/<key>/             a virtual environment, named by what was asked for and of which Python
    envs/<key>.lock         held by whoever fills it
    envs/index/<text key>   the environment that a text of metadata led to: a start that finds it reads no more

An environment is whole when what it was made for stands in it; it is made in its place, since commands in it name that
place. Where uv is installed, it resolves and installs, as ``uv run --script`` would; the script is started in the
environment directly, so that it is a child of the runner and uv is not measured with it.
"""

from __future__ import annotations

import os

from runner.agent.events import dumps
from runner.engine.facts import text_hash
from runner.engine.interpreter import cache_directory, identity, search_path, version_of
from runner.engine.pep723 import fits, parse
from runner.model.errors import StartError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from runner.engine.pep723 import Metadata

    #: Told what is being done ("" when it is done), and, with True, what is worth a line of its own.
    Tell = Callable[[str, bool], None]

#: Changes when environments are made in another way.
_VERSION = "1"
_FACTS = "runner-environment.json"
_GONE = ".gone-"


class Environment:
    """One environment.

    Attributes:
        root: Its folder.
        python: Its interpreter.
        make: Makes it, telling what is being done; raises `StartError` where packages can't be had. None where it is
            there already.
    """

    __slots__ = ("make", "python", "root")

    def __init__(self, root: str) -> None:
        self.root = root
        self.make: Callable[[Tell], None] | None = None
        self.python = os.path.join(root, "bin", "python")

    @property
    def usable(self) -> bool:
        """Whether it is whole, and its interpreter still there."""
        return os.access(self.python, os.X_OK) and os.path.exists(os.path.join(self.root, _FACTS))

    def activate(self, env: dict[str, str]) -> None:
        """Let a script find the environment's commands, as an activated environment has them."""
        env["VIRTUAL_ENV"] = self.root
        env["PATH"] = os.path.join(self.root, "bin") + os.pathsep + env.get("PATH", os.defpath)
        env.pop("PYTHONHOME", None)


class Environments:
    """The environments of a user.

    Args:
        environ: The environment variables.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.folder = os.path.join(cache_directory(environ), "envs")

    def known(self, script: str, block: str, python: str) -> Environment | None:
        """Return the environment that a text of metadata led to before, None if it has to be looked for.

        Args:
            script: Path of the script.
            block: The metadata, as it is written.
            python: Interpreter that would run the script otherwise.
        """
        try:
            with open(self._entry(script, block, python), encoding="utf-8", errors="surrogateescape") as file:
                environment = Environment(file.read().strip())
        except OSError:
            return None
        if not environment.usable:
            return None
        try:
            os.utime(os.path.join(environment.root, _FACTS))
        except OSError:
            pass  # when it was used last is worth no error
        return environment

    def _entry(self, script: str, block: str, python: str) -> str:
        key = text_hash("\0".join((_VERSION, block, _lock_of(script), identity(python, self.environ))))[:24]
        return os.path.join(self.folder, "index", key)

    def wanted(self, script: str, block: str, python: str) -> Environment:
        """Return the environment for a script, which may have to be made yet.

        Args:
            script: Path of the script.
            block: Its metadata, as it is written.
            python: Interpreter that would run the script otherwise; preferred if it fits.

        Raises:
            UsageError: The metadata makes no sense.
            StartError: There is no Python that fits.
        """
        found = self.known(script, block, python)
        if found is not None:
            return found
        metadata = parse(script, block)
        base = self._base(metadata, python)
        wanted = [_VERSION, *sorted(set(metadata.dependencies)), metadata.for_uv, _lock_of(script)]
        key = text_hash("\0".join((*wanted, identity(base, self.environ))))[:24]
        environment = Environment(os.path.join(self.folder, key))
        if environment.usable:
            self._remember(script, block, python, environment)
        else:
            environment.make = lambda tell: self._make(environment, script, block, python, metadata, base, tell)
        return environment

    def _make(
        self, environment: Environment, script: str, block: str, python: str, metadata: Metadata, base: str, tell: Tell
    ) -> None:
        from runner.engine import filling

        with filling.locked(environment.root + ".lock", script, tell):
            if not environment.usable:  # another runner may have made it meanwhile
                by = filling.fill(environment.root, script, metadata, base, self.environ, tell)
                _note(environment.root, script, metadata, by)
        self._remember(script, block, python, environment)

    def _base(self, metadata: Metadata, python: str) -> str:
        """Return an interpreter that the script can run on: the preferred one, or the newest that there is."""
        wanted = metadata.requires_python
        found: dict[str, str] = {}
        for path in (python, *_interpreters(self.environ)):
            version = version_of(path, self.environ)
            if version is None:
                continue
            if fits(version, wanted):
                return path
            found.setdefault(version, path)
        there = ", ".join(sorted(found, key=_order)) or "none"
        raise StartError(f"the script needs Python {wanted}, and there is no such one here (there is: {there})", 125)

    def _remember(self, script: str, block: str, python: str, environment: Environment) -> None:
        entry = self._entry(script, block, python)
        own = f"{entry}.{os.getpid()}"
        try:
            os.makedirs(os.path.dirname(entry), mode=0o700, exist_ok=True)
            with open(own, "w", encoding="utf-8", errors="surrogateescape") as file:
                file.write(environment.root + "\n")
            os.replace(own, entry)
        except OSError:
            pass  # it is looked for again next time

    def listing(self) -> list[dict[str, Any]]:
        """Return what is kept, the last used first.

        Returns:
            For each ``path``, ``dependencies``, ``script``, ``made`` and ``used`` (seconds since the epoch), ``by``
            (``venv`` or ``uv``), ``packages`` and ``bytes``.
        """
        rows = [row for root in self._roots() if (row := _describe(root)) is not None]
        return sorted(rows, key=lambda row: -float(row["used"]))

    def _roots(self) -> list[str]:
        return [os.path.join(self.folder, name) for name in _names(self.folder) if len(name) == 24]

    def clean(self, before: float | None = None) -> tuple[int, int]:
        """Remove environments, and what was left of some that were never whole.

        One that a script runs in is not spared: what is open stays open, what is not yet imported will be missing.

        Args:
            before: Only those last used before this time (seconds since the epoch); None for all.

        Returns:
            How many environments were removed, and the bytes they took.

        Raises:
            StartError: They can't be removed.
        """
        from shutil import rmtree

        count = freed = 0
        for row in self.listing():
            if before is not None and row["used"] >= before:
                continue
            gone = os.path.join(self.folder, f"{_GONE}{os.getpid()}-{os.path.basename(row['path'])}")
            try:
                os.rename(row["path"], gone)  # at once, for whoever looks for it
            except OSError as error:
                raise StartError(f"{row['path']} can't be removed: {error.strerror}", 1) from None
            rmtree(gone, ignore_errors=True)
            count += 1
            freed += row["bytes"]
        self._sweep()
        return count, freed

    def _sweep(self) -> None:
        """Remove what belongs to no environment any more."""
        from shutil import rmtree

        from runner.engine import filling

        for name in _names(self.folder):
            path = os.path.join(self.folder, name)
            if name.startswith(_GONE):
                rmtree(path, ignore_errors=True)
            elif name.endswith(".lock"):
                filling.remove_unused(path)
        index = os.path.join(self.folder, "index")
        for name in _names(index):
            path = os.path.join(index, name)
            try:
                with open(path, encoding="utf-8", errors="surrogateescape") as file:
                    stale = not Environment(file.read().strip()).usable
                if stale:
                    os.unlink(path)
            except OSError:
                continue


def _note(root: str, script: str, metadata: Metadata, by: str) -> None:
    """Write down in an environment what it was made for: now it is whole."""
    from time import time

    wanted = metadata.dependencies
    facts = {"v": 1, "dependencies": wanted, "script": os.path.abspath(script), "made": int(time()), "by": by}
    path = os.path.join(root, _FACTS)
    try:
        with open(path + ".new", "w", encoding="ascii") as file:
            file.write(dumps(facts) + "\n")
        os.rename(path + ".new", path)
    except OSError as error:
        raise StartError(f"{root} can't be written: {error.strerror}", 125) from None


def _lock_of(script: str) -> str:
    """Return what changes when the lock file that uv keeps beside a script does."""
    try:
        status = os.stat(script + ".lock")
    except OSError:
        return ""
    return f"{status.st_size} {status.st_mtime_ns}"


def _describe(root: str) -> dict[str, Any] | None:
    from json import loads

    path = os.path.join(root, _FACTS)
    try:
        with open(path, encoding="ascii") as file:
            facts = loads(file.read())
        used = os.stat(path).st_mtime
    except (OSError, ValueError):
        return None
    size = packages = 0
    for folder, _, names in os.walk(root):
        packages += folder.endswith(".dist-info")
        for name in names:
            try:
                size += os.lstat(os.path.join(folder, name)).st_blocks * 512
            except OSError:
                continue
    return {
        "path": root, "dependencies": facts.get("dependencies", []), "script": facts.get("script", ""),
        "made": facts.get("made", 0), "used": used, "by": facts.get("by", ""), "packages": packages, "bytes": size,
    }  # fmt: skip


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _interpreters(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield interpreters that may be of other versions, the newest first: those on PATH, then pyenv's."""
    minors = range(20, 5, -1)
    folders = list(search_path(environ))
    root = environ.get("PYENV_ROOT") or os.path.join(environ.get("HOME") or os.path.expanduser("~"), ".pyenv")
    versions = os.path.join(root, "versions")
    known = sorted(_names(versions), key=_order, reverse=True)
    for minor in minors:
        for folder in folders:
            if os.path.basename(folder) == "shims":
                continue  # each answers for a version that may not be the active one
            path = os.path.join(folder, f"python3.{minor}")
            if os.access(path, os.X_OK):
                yield os.path.abspath(path)
    for name in known:
        path = os.path.join(versions, name, "bin", "python")
        if os.access(path, os.X_OK):
            yield path


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in version.split("."))
