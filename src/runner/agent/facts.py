"""What does not change while a script runs: the machine, this boot of it, and when a process was started."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def host_facts() -> dict[str, Any]:
    """Return ``hostname``, ``kernel``, ``platform``, ``machine``, ``cpu``, ``cores``, ``memory_bytes`` of this machine.

    `cores` are those that this process may use. What the system does not tell is None. The `platform` module is not
    used: it costs milliseconds, and starts a program for some of it.
    """
    name = os.uname()
    return {
        "hostname": name.nodename,
        "kernel": name.sysname + " " + name.release,
        "platform": sys.platform,
        "machine": name.machine,
        "cpu": _cpu_model(),
        "cores": cores(),
        "memory_bytes": _memory_bytes(),
    }


def cores() -> int:
    """Return the number of cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except (AttributeError, OSError):  # not on macOS
        return os.cpu_count() or 1


def _cpu_model() -> str | None:
    try:
        with open("/proc/cpuinfo", "rb", buffering=0) as file:
            start = file.read(1024).decode("utf-8", "replace")
    except OSError:
        return None
    for line in start.split("\n"):
        if line.startswith(("model name", "Model", "cpu model")):
            return line.partition(":")[2].strip() or None
    return None


def _memory_bytes() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return None


def boot_id() -> str:
    """Return the identity of this boot of the machine, or "" where the system has none."""
    try:
        with open("/proc/sys/kernel/random/boot_id", "rb", buffering=0) as file:
            return file.read(64).decode("ascii").strip()
    except OSError:
        return ""


def start_ticks(pid: int) -> int:
    """Return when a process was started, in clock ticks since boot; 0 where the system does not tell."""
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            data = file.read(4096)
    except OSError:
        return 0
    return int(data[data.rindex(b")") + 2 :].split(None, 20)[19])
