"""What may explain that a run was not like the others: load of the host, size of its input, packages, variables."""

from __future__ import annotations

import os
import stat

from runner.model.redact import redact_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

#: Arguments looked at for names of files.
_MOST_ARGUMENTS = 1000

#: Variables that change what a script does or how fast.
_NAMES = frozenset((
    "PATH", "LANG", "LANGUAGE", "TZ", "VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "LD_LIBRARY_PATH",
    "LD_PRELOAD", "MALLOC_ARENA_MAX", "CUDA_VISIBLE_DEVICES", "TMPDIR", "SHELL", "CI", "DJANGO_SETTINGS_MODULE",
    "NODE_ENV", "PYENV_VERSION", "GOMAXPROCS", "JAVA_HOME", "JAVA_OPTS",
))  # fmt: skip
_BEGINNINGS = ("PYTHON", "LC_", "OMP_", "MKL_", "OPENBLAS_", "NUMBA_", "NUMEXPR_", "JAX_", "TF_", "TORCH_", "UV_")
_ENDINGS = ("_NUM_THREADS", "_WORKERS", "_ENV", "_ENVIRONMENT")


def load_average() -> float | None:
    """Return how many processes wanted to run in the last minute, None where the system does not tell."""
    try:
        return os.getloadavg()[0]
    except OSError:
        return None


def input_size(args: Sequence[str], cwd: str | None) -> int | None:
    """Return the bytes of the regular files that arguments and standard input name, None where none does.

    Args:
        args: Arguments of the script; ``--in=FILE`` counts as well as ``FILE``.
        cwd: Directory that relative names start from; None for this process's.
    """
    sizes = []
    for word in args[:_MOST_ARGUMENTS]:
        name = word.partition("=")[2] if word.startswith("-") else word
        if name:
            sizes += _size(os.path.join(cwd, name) if cwd else name)
    sizes += _size(0)
    return sum(sizes) if sizes else None


def _size(file: str | int) -> list[int]:
    try:
        status = os.stat(file)
    except (OSError, ValueError):
        return []
    return [status.st_size] if stat.S_ISREG(status.st_mode) else []


def telling(env: Mapping[str, str], named: Iterable[str] = ()) -> dict[str, str]:
    """Return those variables that may change what a script does, without secrets.

    Args:
        env: The script's environment.
        named: Variables that count in any case: those the runner was told to set.
    """
    named = set(named)
    chosen = {name: value for name, value in env.items() if name in named or _tells(name)}
    return {name: redact_value(name, chosen[name])[:1000] for name in sorted(chosen)}


def _tells(name: str) -> bool:
    return name in _NAMES or name.startswith(_BEGINNINGS) or name.endswith(_ENDINGS)


def packages(python: str | None, version: str | None, env: Mapping[str, str]) -> dict[str, str] | None:
    """Return the distributions that an interpreter finds, each with its version, without starting it.

    What ``pip freeze`` would list is read from the names in its folders of packages, in a fraction of a millisecond.

    Args:
        python: The interpreter, None where the script needs none.
        version: Its version.
        env: The script's environment.

    Returns:
        None where no such folder is found.
    """
    if not python or not version:
        return None
    found: dict[str, str] = {}
    seen = False
    for folder in package_folders(python, version, env):
        try:
            entries = os.listdir(folder)
        except OSError:
            continue
        seen = True
        for entry in entries:
            stem, dot, kind = entry.rpartition(".")
            if dot and kind in ("dist-info", "egg-info"):
                name, _, number = stem.partition("-")
                found.setdefault(name.lower().replace("_", "-"), number.partition("-py")[0])
    return found if seen else None


def package_folders(python: str, version: str, env: Mapping[str, str]) -> list[str]:
    """Return the folders in which an interpreter of some version may find packages, the first ones first."""
    prefix = os.path.dirname(os.path.dirname(python))
    library = f"python{'.'.join(version.split('.')[:2])}"
    if os.path.exists(os.path.join(prefix, "pyvenv.cfg")):
        own = [os.path.join(prefix, "lib", library, "site-packages")]
        return own + (_folders_of_base(prefix, library) if _sees_base(prefix) else [])
    prefix = os.path.dirname(os.path.dirname(os.path.realpath(python)))
    home = env.get("HOME")
    user = [os.path.join(home, ".local", "lib", library, "site-packages")] if home else []
    return user + _system_folders(prefix, library)


def _system_folders(prefix: str, library: str) -> list[str]:
    folders = [os.path.join(prefix, "lib", library, "site-packages")]
    if prefix == "/usr":  # Debian's places
        folders += [f"/usr/local/lib/{library}/dist-packages", "/usr/lib/python3/dist-packages"]
    return folders


def _configuration(prefix: str) -> dict[str, str]:
    try:
        with open(os.path.join(prefix, "pyvenv.cfg"), encoding="utf-8", errors="replace") as file:
            lines = [line.partition("=") for line in file]
    except OSError:
        return {}
    return {name.strip().lower(): value.strip() for name, _, value in lines}


def _sees_base(prefix: str) -> bool:
    return _configuration(prefix).get("include-system-site-packages", "").lower() == "true"


def _folders_of_base(prefix: str, library: str) -> list[str]:
    home = _configuration(prefix).get("home", "")
    return _system_folders(os.path.dirname(os.path.realpath(home)), library) if home else []


def digest(found: Mapping[str, str]) -> str:
    """Return 16 hexadecimal digits that stand for a list of packages."""
    from runner.engine.facts import text_hash

    return text_hash("\n".join(f"{name}=={found[name]}" for name in sorted(found)))[:16]
