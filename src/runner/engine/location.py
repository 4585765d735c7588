"""Where the record is, and where its journals are."""

from __future__ import annotations

import os

from runner.engine.config import upward
from runner.stores.base import DEFAULT_NAME


def state_directory() -> str:
    """Return the folder for what the runner keeps for this user (``$XDG_STATE_HOME/runner``)."""
    home = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    return os.path.join(home, "runner")


def absolute(path: str = "") -> str:
    """Return a path from the root on; without an argument the working directory, by its last name if it was removed."""
    try:
        return os.path.abspath(path)
    except FileNotFoundError:
        pass
    try:
        folder = os.readlink("/proc/self/cwd").removesuffix(" (deleted)")
    except OSError:
        folder = os.environ.get("PWD", os.sep)
    return os.path.normpath(os.path.join(folder, path))


def locate(history_db: str, cwd: str) -> tuple[str, str | None]:
    """Return the path of the record, and a line to say if it is somewhere unexpected.

    Args:
        history_db: As it was asked for; empty for the nearest `DEFAULT_NAME` in `cwd` or a folder above it, else a new
            one in `cwd`, else, where that can't be written, one in the user's state directory.
        cwd: Folder from which to look.
    """
    if history_db:
        return absolute(os.path.expanduser(history_db)), None
    here = os.path.abspath(cwd)
    for folder in upward(here):
        candidate = os.path.join(folder, DEFAULT_NAME)
        if os.path.exists(candidate) and not planted(folder, candidate):
            return candidate, None
    if os.access(here, os.W_OK | os.X_OK):
        return os.path.join(here, DEFAULT_NAME), None
    path = os.path.join(state_directory(), DEFAULT_NAME)
    return path, f"{here} can't be written; the run is remembered in {path}"


def planted(folder: str, candidate: str) -> bool:
    """Whether anybody may have put the file there: in /tmp, a file of another user is not one to trust."""
    try:
        return bool(os.stat(folder).st_mode & 0o1002 == 0o1002) and os.stat(candidate).st_uid != os.geteuid()
    except OSError:
        return True


def journal_roots(path: str) -> tuple[str, str]:
    """Return the folder of journals beside the record, and the one used where that can't be written."""
    from zlib import crc32

    name = f"{os.path.basename(path)}-{crc32(os.fsencode(path)):08x}.runs"
    return path + ".runs", os.path.join(state_directory(), name)


def make_folder(path: str) -> None:
    """Create a folder for the user alone, if it can be; what is to be written there will say if it could not."""
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
    except OSError:
        pass
