"""How the script stands back where others want processor and disk too: its niceness, and the class of its I/O."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from runner.agent.job import Job

#: Classes of disk accesses (ioprio_set(2)), and whether priorities are told apart in each.
_CLASSES = {"realtime": (1, True), "best-effort": (2, True), "idle": (3, False)}
_CLASS_SHIFT = 13
_USUAL_LEVEL = 4
#: Number of the system call, for which the C library has no function, by machine.
_IOPRIO_SET = {
    "x86_64": 251, "aarch64": 30, "riscv64": 30, "loongarch64": 30, "i386": 289, "i686": 289, "armv7l": 314,
    "armv6l": 314, "ppc64": 273, "ppc64le": 273, "s390x": 282,
}  # fmt: skip
_WHO_PROCESS = 1


def io_priority(text: str) -> int:
    """Return the number by which the kernel knows ``idle``, ``best-effort:7`` or ``realtime:0``.

    Raises:
        ValueError: There is no such class, or no such priority in it.
    """
    name, colon, level = text.strip().lower().partition(":")
    number, has_levels = _CLASSES.get(name, (0, False))
    if not number or (colon and not (has_levels and level in tuple("01234567"))):
        raise ValueError(f"{text!r} is not idle, best-effort or realtime (with :0 to :7, the highest first)")
    return number << _CLASS_SHIFT | (int(level) if colon else _USUAL_LEVEL if has_levels else 0)


def _ioprio_set() -> Callable[[int], int] | None:
    """Return what sets the priority of this process's disk accesses, None where the system has no such thing."""
    number = _IOPRIO_SET.get(os.uname().machine) if sys.platform == "linux" else None
    # A 32-bit interpreter on a 64-bit kernel makes other calls.
    if number is None or (sys.maxsize < 1 << 32) != (number in (289, 314)):
        return None
    from runner.agent.libc import function

    call = function("syscall")
    return None if call is None else lambda priority: call(number, _WHO_PROCESS, 0, priority)


def has_io_priority() -> bool:
    """Whether this system has priorities of disk accesses."""
    return _ioprio_set() is not None


def prepare(job: Job) -> Callable[[], None]:
    """Return what is to be called in the script's process before the script is executed there.

    What needs to be loaded is loaded now: the process will be a copy of this one, and should do little.

    Args:
        job: What is asked for.

    Returns:
        The function. It raises ValueError where this user may not have such a priority.
    """
    set_io = _ioprio_set() if job.ionice is not None else None
    wanted_io = 0 if job.ionice is None else io_priority(job.ionice)

    def apply() -> None:
        if job.nice is not None:
            try:
                os.setpriority(os.PRIO_PROCESS, 0, job.nice)
            except OSError as error:
                raise ValueError(f"a niceness of {job.nice} is refused: {error.strerror}") from None
        if job.ionice is not None and (set_io is None or set_io(wanted_io)):
            raise ValueError(f"disk accesses of class {job.ionice} are refused to this user")

    return apply
