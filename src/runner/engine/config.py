"""Where the configuration file is; `runner.engine.config_file`, which reads it, is imported only if there is one."""

from __future__ import annotations

import os

from runner.options import Options, opt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from runner.options import Opt

    Known = Mapping[str, Callable[[], Opt]]  # key path -> what returns its declaration

#: What a configuration file is called where none is named.
NAMES = ("runner.yaml", "runner.yml", "runner.json")
#: What marks the root of a project.
MARKS = (".git", "pyproject.toml")


class ConfigOptions(Options):
    """Where settings are read from."""

    config: str = opt(
        "Read settings from this file instead of the one found; empty for none", default="", metavar="FILE",
        env="RUNNER_CONFIG", spec=True,
    )  # fmt: skip


class Config:
    """What a configuration file says.

    Attributes:
        path: The file, or "" where there is none.
        values: Key path ("monitoring.sampling_interval") -> (value, ``"file:line"``).
        warnings: Lines to tell the user.
    """

    __slots__ = ("path", "values", "warnings")

    def __init__(self, path: str = "") -> None:
        self.path = path
        self.values: dict[str, tuple[object, str]] = {}
        self.warnings: list[str] = []


def find(script: str | None, environ: Mapping[str, str]) -> str:
    """Return the path of the configuration file that applies where none is named, or "".

    The first found counts: beside the script, then at the root of the project that the script (or else the working
    directory) belongs to, then in the user's configuration directory.

    Args:
        script: Path of the script, or None; the search then begins in the working directory.
        environ: The environment.
    """
    try:
        start = os.path.dirname(os.path.abspath(script)) if script else os.getcwd()
    except FileNotFoundError:  # the working directory was removed
        from runner.engine.location import absolute

        start = os.path.dirname(absolute(script)) if script else absolute()
    home = environ.get("XDG_CONFIG_HOME") or os.path.join(environ.get("HOME") or os.path.expanduser("~"), ".config")
    for directory in (start, project_root(start), os.path.join(home, "runner")):
        for name in NAMES if directory else ():
            path = os.path.join(directory, name)
            if os.path.isfile(path):
                from runner.engine.location import planted

                if not planted(directory, path):
                    return path
    return ""


def project_root(start: str) -> str:
    """Return the nearest directory from `start` upward that holds a `MARKS`, or ""."""
    for directory in upward(start):
        for mark in MARKS:
            if os.path.exists(os.path.join(directory, mark)):
                return directory
    return ""


def upward(directory: str) -> Iterator[str]:
    """Yield a directory, the one it is in, and so on up to the root."""
    while True:
        yield directory
        above = os.path.dirname(directory)
        if above == directory:
            return
        directory = above


def load(named: str | None, script: str | None, environ: Mapping[str, str], known: Callable[[], Known]) -> Config:
    """Find, read and check the configuration file.

    Args:
        named: The file the user named, "" for none at all, None to search.
        script: Path of the script, or None.
        environ: The environment, also for ``${NAME}``.
        known: Returns the keys there are; called only if there is a file.

    Raises:
        ConfigError: The file can't be read, or something is wrong with it; all problems at once.
    """
    path = find(script, environ) if named is None else named
    if not path:
        return Config()
    from runner.engine.config_file import read

    return read(path, environ, known())
