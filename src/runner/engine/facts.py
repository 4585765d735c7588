"""Facts of a script that identify what was run: hash, commit, user."""

from __future__ import annotations

import os
import sys

from runner.engine.config import upward

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def file_hash(path: str) -> str | None:
    """Return the SHA-256 of a file in hexadecimal, None if it can't be read."""
    digest = _sha256()
    try:
        with open(path, "rb", buffering=0) as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError:
        return None
    text: str = digest.hexdigest()
    return text


def text_hash(text: str) -> str:
    """Return the SHA-256 of a text in hexadecimal."""
    digest = _sha256()
    digest.update(text.encode("utf-8", "surrogateescape"))
    result: str = digest.hexdigest()
    return result


def _sha256() -> Any:
    # hashlib would load OpenSSL, which costs more than hashing; CPython has the function built in as well.
    try:
        if sys.version_info >= (3, 12):
            from _sha2 import sha256
        else:
            from _sha256 import sha256
    except ImportError:
        from hashlib import sha256
    return sha256()


def user_name() -> str:
    """Return the name of the user the runner acts as, its number where it has no name."""
    try:
        from pwd import getpwuid

        return getpwuid(os.geteuid()).pw_name
    except (ImportError, KeyError):
        return str(os.geteuid()) if hasattr(os, "geteuid") else ""


def find_repository(path: str) -> str | None:
    """Return the git working tree that holds a file, None if there is none."""
    for folder in upward(os.path.dirname(os.path.abspath(path))):
        if os.path.lexists(os.path.join(folder, ".git")):
            return folder
    return None


def read_commit(tree: str) -> str | None:
    """Return the commit checked out in a working tree, read from git's own files, None before the first one."""
    try:
        git_dir = _git_dir(tree)
        head = _read(os.path.join(git_dir, "HEAD"))
        if not head.startswith("ref: "):
            return head
        ref = head[5:]
        common = git_dir
        if os.path.exists(os.path.join(git_dir, "commondir")):
            common = os.path.join(git_dir, _read(os.path.join(git_dir, "commondir")))
        for place in (git_dir, common):
            if os.path.exists(os.path.join(place, ref)):
                return _read(os.path.join(place, ref))
        for line in _read(os.path.join(common, "packed-refs")).split("\n"):
            if line.endswith(" " + ref):
                return line.partition(" ")[0]
    except (OSError, UnicodeDecodeError):
        pass
    return None


def _git_dir(tree: str) -> str:
    path = os.path.join(tree, ".git")
    if os.path.isdir(path):
        return path
    return os.path.join(tree, _read(path).removeprefix("gitdir: "))  # a worktree or a submodule


def _read(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read().strip()


class DirtyCheck:
    """Asks git whether tracked files of a working tree were changed, while the script runs.

    Attributes:
        pid: Process id of git, 0 where it could not be started; it is no part of the script's tree.
    """

    def __init__(self, tree: str) -> None:
        self.pid = 0
        read_end, write_end = os.pipe()
        self._answer = read_end
        # With --branch a success always prints a line, so that the answer needs no exit status.
        command = ["git", "-C", tree, "status", "--porcelain", "--branch", "--untracked-files=no"]
        env = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}  # never touch the repository's index
        try:
            self.pid = os.posix_spawnp(
                "git", command, env,
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_DUP2, write_end, 1),
                    (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
                ],
                setsigmask=(),
            )  # fmt: skip
        except OSError:
            pass
        finally:
            os.close(write_end)

    def answer(self, patience: float = 0.25) -> bool | None:
        """Return whether it is dirty, None if git could not tell within `patience` seconds."""
        from select import select
        from time import monotonic

        deadline = monotonic() + patience
        lines = b""
        try:
            # Two lines say it all: the branch, and one changed file.
            while lines.count(b"\n") < 2 and select([self._answer], [], [], max(0.0, deadline - monotonic()))[0]:
                block = os.read(self._answer, 4096)
                if not block:
                    return lines.count(b"\n") > 1 if lines.startswith(b"## ") else None
                lines += block
            return True if lines.count(b"\n") > 1 else None
        finally:
            self._close()

    def _close(self) -> None:
        os.close(self._answer)
        if not self.pid:
            return
        try:
            if os.waitpid(self.pid, os.WNOHANG)[0] == 0:
                os.kill(self.pid, 15)
                os.waitpid(self.pid, 0)
        except (ChildProcessError, ProcessLookupError):
            pass  # whoever collects orphans was first
