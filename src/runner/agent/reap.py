"""Finds children that have ended, without reaping them: what the kernel still tells of them must be read first."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Collection


def ended_child(known: Collection[int]) -> int:
    """Return the process id of a child that has ended and waits to be reaped, or 0.

    Args:
        known: Children known of, for systems that can't list them.
    """
    if hasattr(os, "waitid"):
        try:
            found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return 0
        return 0 if found is None else found.si_pid
    from runner.agent import tree

    own = os.getpid()
    for pid in tree.children(own) if tree.LISTS_CHILDREN else known:
        if tree.is_zombie(pid):
            return pid
    return 0


def reap(pid: int) -> tuple[int, os.struct_rusage] | None:  # type: ignore[name-defined]
    """Reap a child that has ended; return its wait status and what it used, None where somebody else did."""
    try:
        _, status, usage = os.wait4(pid, 0)
    except ChildProcessError:
        return None
    return status, usage
