"""Decides why an attempt ended: its reason, its exit code, and who is to blame for a SIGKILL."""

from __future__ import annotations

import os

from runner.agent.events import CANCELLED, EXITED, LIMIT, OOM_KILLED, SIGNALED, TIMEOUT
from runner.agent.job import EXIT_TIMEOUT

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
    from typing import AbstractSet, Tuple

    from runner.agent.events import Ended
    from runner.agent.limits import Reached
    from runner.agent.requests import Cancel

    #: Reason, exit code as a shell shows it, signal, message.
    Verdict = Tuple[str, int, "int | None", "str | None"]
else:
    import _signal

_SIGINT = 2
_SIGKILL = 9
_SIGTERM = 15
#: Signals that end nobody who does not ask for it: a script that exits with 128+28 was not cancelled by a resize.
_HARMLESS = frozenset(
    int(getattr(_signal, name))
    for name in ("SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGWINCH")
    if hasattr(_signal, name)
)
_ROOT = "/sys/fs/cgroup"


def judge(status: int, came: AbstractSet[int], out_of_memory: bool, end: bytes) -> Verdict:
    """Say how a script ended that was not ended by the runner itself.

    Args:
        status: Its wait status.
        came: Signals that came to the runner from outside.
        out_of_memory: Whether the kernel has killed for want of memory where the script ran.
        end: The last bytes of its standard error.
    """
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number == _SIGKILL and out_of_memory:
            return OOM_KILLED, 128 + number, number, "killed by the kernel: out of memory"
        return CANCELLED if number in came else SIGNALED, 128 + number, number, None
    code = os.WEXITSTATUS(status)
    # Shells and many programs exit with 128+N after signal N; a Python before 3.8, and PyPy, with 1 after a Ctrl-C.
    interrupted = code == 1 and _SIGINT in came and end.rstrip().endswith(b"KeyboardInterrupt")
    cancelled = interrupted or (code - 128 in came and code - 128 not in _HARMLESS)
    return CANCELLED if cancelled else EXITED, code, None, None


def overrule(ended: Ended, timeout: float | None, limit: Reached | None, cancel: Cancel | None) -> None:
    """Let the reason for which the agent ended a script stand for how the script then ended.

    Args:
        ended: How it ended.
        timeout: The seconds that were over, None if they were not.
        limit: The limit that was reached, or None.
        cancel: Who asked for its end, or None.
    """
    if timeout is not None:
        ended.reason, ended.exit_code = TIMEOUT, EXIT_TIMEOUT
        ended.message = f"ran longer than the {timeout:g} s allowed"
    elif limit is not None:
        ended.reason, ended.exit_code, ended.message, ended.limit = LIMIT, EXIT_TIMEOUT, None, list(limit)
    elif cancel is not None:
        ended.reason, ended.message = CANCELLED, cancel.message
        ended.exit_code = ended.exit_code or 128 + _SIGTERM  # a script that tidied up and left has not succeeded


class OomCounter:
    """The kernel's count of processes it killed for want of memory, in the control group of a process.

    Args:
        pid: The process.
    """

    def __init__(self, pid: int) -> None:
        self._path = ""
        self._before = 0
        for path in _places(pid):
            count = _count(path)
            if count is not None:
                self._path, self._before = path, count
                return

    def rose(self) -> bool:
        """Whether the kernel has killed since."""
        now = _count(self._path) if self._path else None
        return now is not None and now > self._before


def _places(pid: int) -> list[str]:
    groups = {}
    try:
        with open(f"/proc/{pid}/cgroup", "rb", buffering=0) as file:
            for line in file.readall().decode("utf-8", "surrogateescape").splitlines():
                _, controllers, path = line.split(":", 2)
                groups[controllers] = path.rstrip("/")
    except (OSError, ValueError):
        pass
    places = []
    # In a container the path may be the host's, while what is mounted is the container's own group.
    for controllers, path in groups.items():
        if "memory" in controllers.split(","):
            places += [f"{_ROOT}/memory{path}/memory.oom_control", f"{_ROOT}/memory/memory.oom_control"]
    if "" in groups:
        places += [f"{_ROOT}{groups['']}/memory.events", f"{_ROOT}/memory.events"]
    return [*places, "/proc/vmstat"]


def _count(path: str) -> int | None:
    try:
        with open(path, "rb", buffering=0) as file:
            data = b"\n" + (file.readall() or b"")
    except OSError:
        return None
    at = data.find(b"\noom_kill ")
    return int(data[at + 10 :].split(None, 1)[0]) if at >= 0 else None
