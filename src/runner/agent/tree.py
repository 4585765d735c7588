"""Find the processes below a process: from the kernel's lists of children, or by reading every process there is."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import AbstractSet

#: Whether this system has a /proc of Linux's kind.
HAS_PROC = os.path.exists("/proc/self/stat")
#: Whether the kernel lists the children of a process; it can be built without.
LISTS_CHILDREN = os.path.exists(f"/proc/self/task/{os.getpid()}/children")


def slurp(path: str) -> bytes:
    """Return the whole content of a file of /proc, which is handed out by the page.

    Raises:
        OSError: It does not exist, or not any more, or may not be read.
    """
    fd = os.open(path, os.O_RDONLY)
    try:
        data = os.read(fd, 1 << 16)
        if len(data) < 2048:  # the kernel stops short of a page only at the end
            return data
        pieces = []
        while data:
            pieces.append(data)
            data = os.read(fd, 1 << 16)
        return b"".join(pieces)
    finally:
        os.close(fd)


def children(pid: int) -> list[int]:
    """Return the ids of a process's children, zombies included; an empty list once it is gone.

    Needs `LISTS_CHILDREN`. Each thread has children of its own, those that it forked.
    """
    task = f"/proc/{pid}/task"
    try:
        # The number of links of the directory is two more than the number of threads.
        threads = [str(pid)] if os.stat(task).st_nlink == 3 else os.listdir(task)
    except OSError:
        return []
    found: list[int] = []
    for thread in threads:
        found.extend(map(int, _or_empty(task + "/" + thread + "/children").split()))
    return found


def _or_empty(path: str) -> bytes:
    try:
        return slurp(path)
    except OSError:  # the thread has ended meanwhile
        return b""


def scan() -> dict[int, list[int]]:
    """Return the children of every process on the machine, by reading all of them (slow)."""
    if not HAS_PROC:
        from runner.agent import portable

        return portable.scan()
    found: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            data = _or_empty("/proc/" + name + "/stat")
            if data:
                found.setdefault(int(_fields(data)[1]), []).append(int(name))
    return found


def descendants(root: int, spare: AbstractSet[int] = frozenset()) -> list[int]:
    """Return the ids of all processes below a process, parents before their children, zombies included.

    Args:
        root: The process whose descendants are asked for; it is not among them.
        spare: Processes to leave out, with all that is below them.
    """
    below = {} if LISTS_CHILDREN else scan()
    found: list[int] = []
    seen = {root, *spare}
    queue = [root]
    for pid in queue:  # grows while it is walked
        for child in children(pid) if LISTS_CHILDREN else below.get(pid, ()):
            if child not in seen:
                seen.add(child)
                found.append(child)
                queue.append(child)
    return found


def is_zombie(pid: int) -> bool:
    """Whether a process has ended and only waits to be waited for; True also for one that is gone."""
    if not HAS_PROC:
        from runner.agent import portable

        return portable.is_zombie(pid)
    try:
        return _fields(slurp(f"/proc/{pid}/stat"))[0] in b"ZX"
    except OSError:
        return True


def _fields(stat: bytes) -> list[bytes]:
    """Return the first fields of a process's stat that follow its name: state, parent, group."""
    return stat[stat.rindex(b")") + 2 :].split(None, 3)
