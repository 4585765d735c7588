"""Which Python runs a script, and of which version it is."""

from __future__ import annotations

import os
import sys

from runner.model.errors import StartError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ASK = "import sys; sys.stdout.write(sys.version.split()[0])"
_PATIENCE = 5.0


def choose(named: str, program: str, environ: Mapping[str, str]) -> str:
    """Return the interpreter that runs the script.

    The one that was named; else the one that runs the runner, where the user chose it (``python -m runner``, ``python
    runner.py``); else, since the installed command may live in an environment of its own, that of the active virtual
    environment; else the first on PATH outside the runner's environment.

    Args:
        named: What ``--python`` says: a path, a name on PATH, a virtual environment, or "".
        program: How the runner was called (``sys.argv[0]``).
        environ: The environment.

    Raises:
        StartError: The one that was named is not there, or can't be executed.
    """
    if named:
        return _named(named, environ)
    if program.endswith(".py") and sys.executable:
        return sys.executable
    active = environ.get("VIRTUAL_ENV")
    if active and _is_program(os.path.join(active, "bin", "python")):
        return os.path.join(active, "bin", "python")
    own = os.path.join(sys.prefix, "bin") if sys.prefix != sys.base_prefix else ""
    for folder in search_path(environ):
        if own and _same(folder, own):
            continue
        for name in ("python3", "python"):
            path = os.path.join(folder, name)
            if _is_program(path):
                return os.path.abspath(path)  # the script may run in another directory
    return sys.executable


def search_path(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the directories in which a command is looked for."""
    for folder in environ.get("PATH", os.defpath).split(os.pathsep):
        yield folder or "."


def on_path(name: str, environ: Mapping[str, str]) -> tuple[str, str]:
    """Return (the executable of that name on PATH or "", a file of that name that is not executable or "")."""
    other = ""
    for folder in search_path(environ):
        path = os.path.join(folder, name)
        if _is_program(path):
            return path, ""
        if not other and os.path.isfile(path):
            other = path
    return "", other


def _named(named: str, environ: Mapping[str, str]) -> str:
    if os.sep not in named:
        found, _ = on_path(named, environ)
        if found:
            return os.path.abspath(found)
    if os.path.isdir(named):
        inside = os.path.join(named, "bin", "python")
        if _is_program(inside):
            return os.path.abspath(inside)
        raise StartError(f"--python {named}: the directory has no bin/python", 127)
    if not os.path.exists(named):
        where = "" if os.sep in named else ", neither here nor on PATH"
        raise StartError(f"--python {named}: there is no such interpreter{where}", 127)
    if not _is_program(named):
        raise StartError(f"--python {named} is not executable", 126)
    return os.path.abspath(named)


def _is_program(path: str) -> bool:
    return os.access(path, os.X_OK) and os.path.isfile(path)


def _same(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


def known_version(path: str, environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the version of an interpreter where that can be told without running it, else None.

    Args:
        path: The interpreter.
        environ: The environment, for the place of the cache and pyenv's choice of version.
    """
    if path == sys.executable or os.path.realpath(path) == os.path.realpath(sys.executable):
        return sys.version.split(None, 1)[0]
    key = identity(path, environ)
    for line in _cached(_cache_file(environ)):
        seen, _, version = line.rpartition("\t")
        if seen == key:
            return version
    return None


def version_of(path: str, environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the version of an interpreter, asking it (some 20 ms) if nobody ever did; None if it does not say.

    It starts a child process and waits for it, so it must not run while another part of the runner waits for any child.

    Args:
        path: The interpreter.
        environ: The environment in which it is asked.
    """
    version = known_version(path, environ)
    if version is None:
        version = _ask(path, environ)
        if version:
            _remember(_cache_file(environ), identity(path, environ), version)
    return version


def _ask(path: str, environ: Mapping[str, str]) -> str | None:
    import subprocess

    try:
        answer = subprocess.run(
            [path, "-S", "-E", "-c", _ASK], env=dict(environ), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, timeout=_PATIENCE,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    text = answer.stdout.decode("ascii", "replace").strip()
    return text if answer.returncode == 0 and text[:1].isdigit() and len(text) < 40 else None


def identity(path: str, environ: Mapping[str, str]) -> str:
    """Return what changes when another interpreter may answer under that path."""
    real = os.path.realpath(path)
    try:
        status = os.stat(real)
    except OSError:
        return path
    parts = [real, str(status.st_size), str(status.st_mtime_ns)]
    if os.path.basename(os.path.dirname(real)) == "shims":  # pyenv: a script that chooses by directory
        parts.append(environ.get("PYENV_VERSION") or _pyenv_choice(real))
    return "\t".join(parts).replace("\n", " ")


def _pyenv_choice(shim: str) -> str:
    from runner.engine.location import absolute

    directory = absolute()
    candidates = []
    while True:
        candidates.append(os.path.join(directory, ".python-version"))
        above = os.path.dirname(directory)
        if above == directory:
            break
        directory = above
    candidates.append(os.path.join(os.path.dirname(os.path.dirname(shim)), "version"))
    for path in candidates:
        for line in _cached(path):
            if line:
                return line
    return "system"


def cache_directory(environ: Mapping[str, str]) -> str:
    """Return the folder for what can be made again (``$XDG_CACHE_HOME/runner``)."""
    base = environ.get("XDG_CACHE_HOME") or os.path.join(environ.get("HOME") or os.path.expanduser("~"), ".cache")
    return os.path.join(base, "runner")


def _cache_file(environ: Mapping[str, str]) -> str:
    return os.path.join(cache_directory(environ), "interpreters")


def _cached(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read().splitlines()
    except OSError:
        return []


def _remember(path: str, key: str, version: str) -> None:
    lines = [line for line in _cached(path) if line.partition("\t")[0] != key.partition("\t")[0]][-50:]
    if os.path.basename(os.path.dirname(key.partition("\t")[0])) == "shims":
        lines = _cached(path)[-50:]  # one shim stands for several interpreters
    lines.append(f"{key}\t{version}")
    own = f"{path}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(own, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write("\n".join(lines) + "\n")
        os.replace(own, path)
    except OSError:
        return  # without a cache it is asked again next time
