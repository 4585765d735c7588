"""What the tests of streams share: an attempt driven in a process of its own, and what it told."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from runner.agent.events import Ended, Event, Output, Started, decode
from tests import support

if TYPE_CHECKING:
    from collections.abc import Callable

_DRIVE = str(Path(__file__).with_name("drive.py"))


class Told:
    """The events of one attempt."""

    def __init__(self, events: list[Event]) -> None:
        started, ended = events[0], events[-1]
        assert isinstance(started, Started)
        assert isinstance(ended, Ended)
        self.events = events
        self.started = started
        self.ended = ended

    def kept(self, stream: str = "stdout") -> bytes:
        """The output that was told, end to end; fails where something lies between."""
        data = b""
        for event in self.events:
            if isinstance(event, Output) and event.stream == stream:
                assert event.offset == len(data), "a gap in the output that was told"
                data += event.data
        return data


class Drive:
    """Attempts driven in processes of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "events.jsonl"
        self.env = support.clean_environment(folder)

    def argv(self, *command: str, python: str = sys.executable, **job: Any) -> list[str]:
        """The command line of an attempt; job fields as keywords."""
        return [python, _DRIVE, str(self.log), json.dumps(job), *command]

    def line(self, *command: str, **job: Any) -> str:
        """The same, for a shell."""
        return shlex.join(self.argv(*command, **job))

    def __call__(self, *command: str, python: str = sys.executable, **job: Any) -> support.Result:
        """Run an attempt with pipes at all ends."""
        done = subprocess.run(
            self.argv(*command, python=python, **job),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=self.env,
            cwd=self.folder,
            timeout=60,
        )
        return support.Result(done.returncode, done.stdout, done.stderr)

    def shell(self, line: str, timeout: float = 60) -> support.Result:
        """Run a line of a shell, with pipes at all ends."""
        done = subprocess.run(
            ["bash", "-c", line],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=self.env,
            cwd=self.folder,
            timeout=timeout,
        )
        return support.Result(done.returncode, done.stdout, done.stderr)

    def script(self, text: str, name: str = "script.py") -> str:
        """Write a script and return its path."""
        import textwrap

        path = self.folder / name
        path.write_text(textwrap.dedent(text))
        path.chmod(0o755)
        return str(path)

    def told(self, timeout: float = 20) -> Told:
        """The events of the attempt, once they are there."""
        return Told([decode(line) for line in self.lines(timeout)])

    def lines(self, timeout: float = 20) -> list[str]:
        deadline = time.monotonic() + timeout
        while True:
            lines = self.log.read_text().splitlines() if self.log.exists() else []
            if lines and '"event":"ended"' in lines[-1]:
                return lines
            assert time.monotonic() < deadline, "the attempt did not end"
            time.sleep(0.02)


@pytest.fixture
def drive(tmp_path: Path) -> Drive:
    folder = tmp_path / "drive"
    folder.mkdir()
    return Drive(folder)


@pytest.fixture
def tty(drive: Drive, terminal: Callable[..., support.Terminal]) -> Callable[..., support.Terminal]:
    """Return a function that opens a terminal with a shell that stands in the folder of `drive`."""

    def open_terminal(**options: Any) -> support.Terminal:
        new = terminal(**options)
        new.line(f"cd {shlex.quote(str(drive.folder))}; PS1='$ '; clear")
        return new

    return open_terminal


def open_to_all(folder: Path) -> None:
    """Let another user write into a folder of the test's."""
    folder.chmod(0o777)
    for parent in folder.parents:
        if parent.stat().st_uid == os.getuid() and not parent.stat().st_mode & 1:
            parent.chmod(parent.stat().st_mode | 0o11)


def children(pid: int, command: str) -> list[int]:
    """The children of a process whose command line begins so."""
    found = []
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        try:
            if Path(f"/proc/{child}/cmdline").read_text().startswith(command):
                found.append(int(child))
        except OSError:
            continue
    return found


def wait_for(condition: Callable[[], object], timeout: float = 20, what: str = "it") -> None:
    """Wait until something is the case."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come to be within {timeout} s"
        time.sleep(0.02)
