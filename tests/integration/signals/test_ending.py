"""A tree is ended whole, however its processes try to get away, and asked politely first."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests import support
from tests.integration.signals.conftest import HANG, HERE, is_alive, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.integration.signals.conftest import Running

    End = Callable[..., dict[str, Any]]

OLDEST = support.AGENT_INTERPRETERS.get("3.8", sys.executable)
PYPY = support.AGENT_INTERPRETERS.get("pypy3", sys.executable)


def with_mark(mark: str) -> list[int]:
    """Return the living processes that carry a mark, zombies not counted."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark.encode() in path.read_bytes().split(b"\0") and is_alive(int(path.parent.name)):
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


@pytest.fixture
def mark() -> Iterator[str]:
    """Return what the processes of one test carry; none of them outlives the test."""
    mark = uuid.uuid4().hex
    yield mark
    while left := with_mark(mark):
        for pid in left:
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def end(mark: str) -> Callable[..., dict[str, Any]]:
    """Return a function that starts a tree of a kind, ends it, checks that nothing is left, and says what was done."""

    def run(kind: str, kill_after: float, *args: str, python: str = sys.executable) -> dict[str, Any]:
        tree = [sys.executable, str(HERE / "trees.py"), kind, mark, *args]
        command = [python, str(HERE / "end.py"), str(kill_after), *tree]
        done = subprocess.run(command, stdout=subprocess.PIPE, timeout=HANG)
        result: dict[str, Any] = json.loads(done.stdout)
        assert with_mark(mark) == []
        assert result["left"] == []
        assert result["spared"]
        return result

    return run



@pytest.mark.parametrize("python", [sys.executable, OLDEST, PYPY], ids=["this", "oldest", "pypy"])
def test_scattered_processes_that_ignore_term_are_killed(end: End, python: str) -> None:
    result = end("scattered", 0.2, python=python)
    assert result["asked"] >= 2 * 40
    assert result["took"] >= 0.2
    first_kill = result["sent"].index("KILL")
    assert "STOP" in result["sent"][:first_kill]
    assert not {"STOP", "KILL"} & set(result["sent"][: result["asked"]])


@pytest.mark.parametrize("attempt", range(3))
def test_processes_that_replace_themselves_are_caught(end: End, attempt: int) -> None:
    end("fleeing", 0)


def test_stopped_processes_can_end_on_their_own(end: End) -> None:
    assert set(end("stopped", HANG)["sent"]) == {"TERM", "CONT"}


def test_a_tree_without_its_root_is_ended(end: End) -> None:
    assert "KILL" in end("headless", 0.1)["sent"]


def test_a_tree_may_tidy_up_within_its_grace(end: End, tmp_path: Path) -> None:
    result = end("polite", HANG, str(tmp_path / "tidied"))
    assert (tmp_path / "tidied").exists()
    assert set(result["sent"]) == {"TERM", "CONT"}
    assert 0.2 <= result["took"] < HANG


def test_no_grace_kills_at_once(end: End, tmp_path: Path) -> None:
    assert "KILL" in end("polite", 0, str(tmp_path / "tidied"))["sent"]
    assert not (tmp_path / "tidied").exists()


@pytest.mark.parametrize("python", [sys.executable, OLDEST, PYPY], ids=["this", "oldest", "pypy"])
def test_a_timeout_ends_the_whole_tree(start: Callable[..., Running], mark: str, python: str) -> None:
    command = ["/bin/sh", "-c", 'exec 9>/dev/null; exec "$@"', "sh"]
    command += [sys.executable, str(HERE / "trees.py"), "scattered", mark]
    running = start(command, python=python, options={"timeout": 1.0, "kill_after": 0.2})
    report = running.finish()
    assert (report["reason"], report["exit_code"], running.process.returncode) == ("timeout", 124, 124)
    assert with_mark(mark) == []
    sent = [number for number, _, action in report["signals"] if action == "sent"]
    assert sent[:2] == [signal.SIGTERM, signal.SIGCONT]
    assert sent[-1] == signal.SIGKILL


def test_a_stopped_script_is_ended_by_its_timeout(start: Callable[..., Running]) -> None:
    running = start(["/bin/sh", "-c", "echo ready $$; kill -STOP $$"], options={"timeout": 0.5})
    script = running.ready()
    report = running.finish()
    assert (report["reason"], report["signal"]) == ("timeout", signal.SIGTERM)
    wait_for(lambda: not is_alive(script))
