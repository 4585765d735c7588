"""A script that the kernel kills for want of memory, in a control group of the test's own."""

from __future__ import annotations

import os
import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .conftest import Drive

if TYPE_CHECKING:
    from collections.abc import Iterator

_LIMIT = 80 << 20


@pytest.fixture
def small_group() -> Iterator[Path]:
    """A control group with little memory, of either version."""
    first = Path("/sys/fs/cgroup/memory")
    parent, limit, swap = (
        (first, "memory.limit_in_bytes", "memory.memsw.limit_in_bytes")
        if first.is_dir()
        else (Path("/sys/fs/cgroup"), "memory.max", "memory.swap.max")
    )
    group = parent / f"runner-test-{os.getpid()}"
    try:
        group.mkdir()
        (group / limit).write_text(str(_LIMIT))
    except OSError as error:
        if group.is_dir():
            group.rmdir()
        pytest.skip(f"no control group can be made here: {error}")
    if (group / swap).exists():
        (group / swap).write_text(str(_LIMIT) if first.is_dir() else "0")
    yield group
    for _ in range(100):
        try:
            group.rmdir()
            break
        except OSError:
            time.sleep(0.05)


def test_out_of_memory_is_told_from_a_kill(drive: Drive, small_group: Path) -> None:
    enter = f"echo $$ > {shlex.quote(str(small_group / 'cgroup.procs'))}; exec "
    greedy = drive.line(sys.executable, "-c", "held = [bytearray(1 << 20) for _ in range(500)]")
    assert drive.shell(enter + greedy).exit_code == -9
    ended = drive.told().ended
    assert (ended.reason, ended.exit_code, ended.signal) == ("oom-killed", 137, 9)
    drive.log.unlink()
    killed = drive.line(sys.executable, "-c", "import os; os.kill(os.getpid(), 9)")
    assert drive.shell(enter + killed).exit_code == -9
    assert drive.told().ended.reason == "signaled"
