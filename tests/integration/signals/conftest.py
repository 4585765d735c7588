"""Running one attempt as a program of its own, and telling what its script got."""

from __future__ import annotations

import collections
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

HERE = Path(__file__).parent
TELL = [sys.executable, str(HERE / "tell.py")]
#: Seconds after which a hang is taken for granted.
HANG = 30.0
#: Seconds in which a signal that is delivered twice comes a second time: several times the grace of the runner.
SURPLUS = 0.3


class Running:
    """An attempt that runs in a session of its own, so that signals to its group reach nobody else."""

    def __init__(
        self,
        report: Path,
        command: Sequence[str],
        python: str = sys.executable,
        wrap: Sequence[str] = (),
        options: dict[str, Any] | None = None,
        **popen: Any,
    ) -> None:
        popen.setdefault("stdin", subprocess.PIPE)
        popen.setdefault("start_new_session", True)
        env = {**os.environ, "DRIVE_OPTIONS": json.dumps(options or {})}
        self._report = report
        self._text = b""
        self.process = subprocess.Popen(
            [*wrap, python, "-W", "error", str(HERE / "drive.py"), str(report), *command],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, **popen,
        )  # fmt: skip

    def ready(self) -> int:
        """Wait until the script says so; return its process id."""
        self._read_until(lambda text: b"ready" in text and text.endswith(b"\n"))
        line, _, self._text = self._text.partition(b"\n")
        return int(line.split()[1])

    def _read_until(self, enough: Callable[[bytes], bool], timeout: float = HANG) -> None:
        assert self.process.stdout
        deadline = time.monotonic() + timeout
        while not enough(self._text):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                return
            data = os.read(self.process.stdout.fileno(), 4096)
            if not data:
                return
            self._text += data

    def delivered(self, wanted: int) -> dict[int, int]:
        """Return how often the script got each signal: waits for as many as are wanted, and for one too many."""
        self._read_until(lambda text: text.count(b"\n") >= wanted)
        self._read_until(lambda text: text.count(b"\n") > wanted, SURPLUS)
        return dict(collections.Counter(map(int, self._text.split())))

    def finish(self) -> dict[str, Any]:
        """Let the script end; return what the attempt reported, and check that nothing was said on stderr."""
        _, errors = self.process.communicate(timeout=HANG)
        assert errors == b""
        report: dict[str, Any] = json.loads(self._report.read_text())
        return report


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Return a function that starts an attempt: ``start(command, python=..., wrap=[...], options={...})``."""
    started: list[Running] = []

    def start_one(command: Sequence[str] = TELL, **how: Any) -> Running:
        started.append(Running(tmp_path / f"report{len(started)}", command, **how))
        return started[-1]

    yield start_one
    for each in started:
        if each.process.poll() is None:
            os.killpg(each.process.pid, signal.SIGKILL)
        each.process.communicate()


def stat_of(pid: int) -> list[str]:
    """Return the fields of a process's stat that follow its name: state, parent, group; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def is_alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    fields = stat_of(pid)
    return bool(fields) and fields[0] not in "ZX"


def wait_for(what: Callable[[], object], timeout: float = HANG) -> None:
    """Wait until something is so; fail after a hang."""
    deadline = time.monotonic() + timeout
    while not what():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def witness_of(running: Running) -> int:
    """Return the process that stands in the script's place, once it does."""
    own = running.process.pid
    found: list[int] = []

    def look() -> bool:
        children = Path(f"/proc/{own}/task/{own}/children").read_text().split()
        found[:] = [int(pid) for pid in children if Path(f"/proc/{pid}/comm").read_text() == "witness\n"]
        return bool(found)

    wait_for(look)
    return found[0]
