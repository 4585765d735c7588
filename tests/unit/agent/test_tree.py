from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from runner.agent import portable, tree

SCRIPT = "sleep 60 & sh -c 'sleep 60 & wait' & wait"


def wait_for(count: int, pid: int) -> None:
    deadline = time.monotonic() + 30
    while len(tree.descendants(pid)) != count and time.monotonic() < deadline:
        time.sleep(0.005)


@pytest.mark.parametrize("lists_children", [True, False])
def test_descendants(lists_children: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    shell = subprocess.Popen(["sh", "-c", SCRIPT])
    wait_for(3, shell.pid)
    if lists_children and not tree.LISTS_CHILDREN:
        pytest.skip("this kernel lists no children")
    monkeypatch.setattr(tree, "LISTS_CHILDREN", lists_children)
    found = tree.descendants(shell.pid)
    try:
        assert len(found) == 3
        inner = [pid for pid in found if tree.scan().get(pid)]
        assert len(inner) == 1
        assert found.index(inner[0]) < len(found) - 1, "parents come before their children"
        assert len(tree.descendants(shell.pid, {inner[0]})) == 1
        assert set(found) < set(tree.descendants(os.getpid()))
    finally:
        for pid in (*found, shell.pid):
            os.kill(pid, 9)
        shell.wait()


def test_a_long_list_of_children_is_read_whole() -> None:
    code = "import os,time\nfor _ in range(500):\n    if os.fork() == 0: time.sleep(60); os._exit(0)\ntime.sleep(60)"
    parent = subprocess.Popen([sys.executable, "-c", code])
    wait_for(500, parent.pid)
    found = tree.descendants(parent.pid)
    try:
        assert len(found) == 500
    finally:
        for pid in (parent.pid, *found):
            os.kill(pid, 9)
        parent.wait()


@pytest.mark.parametrize("is_zombie", [tree.is_zombie, portable.is_zombie])
def test_is_zombie(is_zombie: object) -> None:
    assert callable(is_zombie)
    pid = os.posix_spawn("/bin/true", ["true"], {})
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert is_zombie(pid)
    os.waitpid(pid, 0)
    assert is_zombie(pid), "gone counts as ended"
    assert not is_zombie(os.getpid())


def test_both_scans_find_the_same_children() -> None:
    child = subprocess.Popen(["sleep", "60"])
    try:
        for scan in (tree.scan, portable.scan):
            assert child.pid in scan()[os.getpid()]
    finally:
        child.kill()
        child.wait()
