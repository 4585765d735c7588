"""Checks out revisions of a git repository beside its working tree, for as long as they are compared."""

from __future__ import annotations

import os
import subprocess

from runner.agent import pause
from runner.engine.location import absolute
from runner.model.errors import StartError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import TypeAlias

    Completed: TypeAlias = subprocess.CompletedProcess[str]

#: Variables that would point git at another repository than that of its directory; a git hook is called with them.
_ELSEWHERE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR")

#: Nothing of the repository's own runs, and no index is refreshed.
_QUIET = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "advice.detachedHead=false")

_LOCK = ".lock"


class Repository:
    """A git repository, asked about and never changed but for the worktrees that `Checkouts` makes.

    Args:
        folder: A folder in its working tree.
        environ: The environment.

    Attributes:
        tree: The root of the working tree.
        git_dir: Where it keeps what all its worktrees share.

    Raises:
        UsageError: There is no git, or no working tree.
    """

    def __init__(self, folder: str, environ: Mapping[str, str]) -> None:
        self._env = environ
        self.tree = folder
        done = self.git("rev-parse", "--show-toplevel", "--git-common-dir")
        lines = done.stdout.splitlines()
        if done.returncode or len(lines) < 2:
            raise UsageError(f"{folder} is in no git working tree: {_reason(done)}")
        self.tree, self.git_dir = lines[0], os.path.abspath(os.path.join(folder, lines[1]))

    def git(self, *words: str) -> Completed:
        """Call git in the working tree.

        Args:
            words: Command and arguments.

        Raises:
            UsageError: There is no git.
        """
        try:
            return _git(["-C", self.tree, *words], self._env)
        except FileNotFoundError:
            raise UsageError("git is not installed, or not on PATH: revisions can't be compared without it") from None
        except OSError as error:
            raise UsageError(f"git can't be started: {error.strerror}") from None

    def commit(self, revision: str, flag: str) -> str:
        """Return the commit that a revision names.

        Args:
            revision: Whatever git takes for one.
            flag: Where it was given, for the message.

        Raises:
            UsageError: There is no such commit here.
        """
        done = self.git("rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}")
        if done.returncode == 0:
            return done.stdout.strip()
        hint = ""
        remote = f"origin/{revision}"
        if self.git("rev-parse", "--verify", "--quiet", "--end-of-options", remote + "^{commit}").returncode == 0:
            hint = f"; did you mean {remote}?"
        elif self.git("rev-parse", "--is-shallow-repository").stdout.strip() == "true":
            how = f"it first (git fetch --depth=1 origin {revision})"
            if any(mark in revision for mark in "^~@:"):  # no server knows what is counted from another commit
                how = "more of it first (fetch-depth: 0 of actions/checkout, or git fetch --unshallow)"
            hint = f"; this clone is shallow: fetch {how}"
        raise UsageError(f"{flag} {revision}: no such revision in {self.tree}{hint}")

    def submodules(self, commit: str) -> list[str]:
        """Return where other repositories are mounted in a commit: a worktree has nothing but their empty folders.

        Args:
            commit: The commit.

        Returns:
            Paths relative to the root of the tree.
        """
        listed = self.git("ls-tree", "-r", "-z", "--full-tree", commit).stdout.split("\0")
        return [entry.partition("\t")[2] for entry in listed if entry.startswith("160000 ")]

    def knows(self, path: str, tree: str) -> bool:
        """Whether git keeps a file, or will with the next commit.

        Args:
            path: The file, "" for none.
            tree: The root of the working tree or worktree that it is in.
        """
        return bool(path) and self.git("-C", tree, "ls-files", "--error-unmatch", "--", path).returncode == 0


class Checkouts:
    """Worktrees in a folder of this user's, which go when they are no longer needed.

    A lock is held beside them: whoever finds it free knows that its owner was killed, and removes what it left.

    Args:
        repository: Whose revisions are checked out.
        root: Folder for worktrees, also those of others.
        environ: The environment.
    """

    def __init__(self, repository: Repository, root: str, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._repository = repository
        self._root = root
        self._lock = -1
        self._folder = ""

    def __enter__(self) -> Checkouts:
        """Remove what was left, and take a folder.

        Raises:
            StartError: It can't be written.
        """
        try:
            os.makedirs(self._root, mode=0o700, exist_ok=True)
            self._prune()
            self._folder = os.path.join(self._root, os.urandom(6).hex())
            self._lock = _make_lock(self._folder + _LOCK, self._repository.git_dir)
            os.mkdir(self._folder, 0o700)
        except OSError as error:
            self._leave()
            raise StartError(f"no worktree can be made in {self._root}: {error.strerror}", 125) from None
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the worktrees."""
        self._leave()

    def add(self, commit: str, name: str) -> str:
        """Check out a commit and return where.

        Args:
            commit: The commit.
            name: Folder for it; those of two sides should be of one length, since it is part of every path in them.

        Raises:
            StartError: It can't be checked out.
        """
        path = os.path.join(self._folder, name)
        done = self._repository.git("worktree", "add", "--detach", "--force", path, commit)
        if done.returncode:
            raise StartError(f"{commit[:12]} can't be checked out: {_reason(done)}", 125)
        return path

    def _leave(self) -> None:
        if self._lock < 0:
            return
        mask = pause.hold()  # asked to end once more, it still leaves nothing behind
        try:
            _remove(self._repository.git_dir, self._folder, self._environ)
            _unlock(self._folder + _LOCK, self._lock)
            self._lock = -1
        finally:
            pause.release(mask)

    def _prune(self) -> None:
        """Remove what killed processes left."""
        for name in _locks(self._root):
            path = os.path.join(self._root, name)
            lock = _take(path)
            if lock < 0:
                continue
            _remove(os.fsdecode(os.read(lock, 4096)), path.removesuffix(_LOCK), self._environ)
            _unlock(path, lock)


def _locks(root: str) -> Iterator[str]:
    for name in sorted(os.listdir(root)):
        if name.endswith(_LOCK):
            yield name


def _make_lock(path: str, text: str) -> int:
    """Return a descriptor that holds a new lock; its file has its name once it is held."""
    import fcntl

    lock = os.open(path + ".new", os.O_RDWR | os.O_CLOEXEC | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        os.write(lock, os.fsencode(text))
        os.rename(path + ".new", path)
    except OSError:
        _unlock(path + ".new", lock)
        raise
    return lock


def _take(path: str) -> int:
    """Return a descriptor that holds a lock, -1 where another process holds it."""
    import fcntl

    try:
        lock = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return -1
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return -1
    return lock


def _unlock(path: str, lock: int) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass
    os.close(lock)


def _remove(git_dir: str, folder: str, environ: Mapping[str, str]) -> None:
    """Remove a folder of worktrees, and what their repository knows of them; a Ctrl-C does not stop it halfway."""
    from shutil import rmtree

    for name in os.listdir(folder) if os.path.isdir(folder) else ():
        words = ["worktree", "remove", "--force", "--force", os.path.join(folder, name)]
        try:
            _git([f"--git-dir={git_dir}", *words], environ, apart=True)
        except OSError:
            pass  # git forgets by itself what is gone
    rmtree(folder, ignore_errors=True)


def _git(words: Sequence[str], environ: Mapping[str, str], apart: bool = False) -> Completed:
    # Apart, it does not get the terminal's Ctrl-C.
    env = {name: value for name, value in environ.items() if name not in _ELSEWHERE}
    return subprocess.run(
        ["git", *_QUIET, *words], env={**env, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}, stdin=subprocess.DEVNULL,
        capture_output=True, encoding="utf-8", errors="surrogateescape", start_new_session=apart,
    )  # fmt: skip


def _reason(done: Completed) -> str:
    """Return the first error that git told of: what follows it follows from it."""
    lines = [line for line in (done.stderr or "").splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("fatal: ", "error: "))]
    told = errors[:1] or lines[-1:] or [f"git ended with {done.returncode}"]
    return told[0].removeprefix("fatal: ").removeprefix("error: ")


def moved(path: str, tree: str, checkout: str) -> str:
    """Return the path in a checkout of what a path in the working tree names; any other path as it is.

    Args:
        path: A path, relative to the working directory or absolute.
        tree: The root of the working tree, links resolved.
        checkout: The root of the checkout.
    """
    full = absolute(path)
    for root in (tree, os.path.realpath(tree)):
        for candidate in (full, os.path.realpath(full)):
            if candidate == root or candidate.startswith(root + os.sep):
                return os.path.normpath(os.path.join(checkout, os.path.relpath(candidate, root)))
    return path
