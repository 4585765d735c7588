"""Programs as channels: what becomes of those that take too long, and of what they start."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from runner.channels.base import Passing, Permanent
from runner.engine.channels import make_channel
from runner.engine.outbox import PATIENCE
from runner.model.errors import UsageError
from tests.integration.channels.made import notification

if TYPE_CHECKING:
    from pathlib import Path

    from tests import support

#: Starts a process of its own, says which, and waits for it.
STARTS_ANOTHER = 'sleep 300 & echo $! >> "$0"; wait'


def ended(process: int) -> bool:
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def wait_for_the_end_of(processes: list[int]) -> None:
    deadline = time.monotonic() + 60
    while not all(map(ended, processes)):
        assert time.monotonic() < deadline, "it lives on"
        time.sleep(0.02)


def test_a_program_that_takes_too_long_is_ended_with_what_it_started(tmp_path: Path) -> None:
    place = tmp_path / "started"
    made = make_channel("command", {"command": ["sh", "-c", STARTS_ANOTHER, str(place)], "timeout": 1})
    with pytest.raises(Passing, match="sh did not end in time"):
        made.send(notification(), time.monotonic() + 60)
    wait_for_the_end_of([int(place.read_text())])


def test_what_a_program_leaves_to_another_goes_on(tmp_path: Path) -> None:
    place = tmp_path / "done"
    words = ["sh", "-c", '(sleep 0.5; echo done > "$0") &', str(place)]
    make_channel("command", {"command": words, "timeout": 30}).send(notification(), time.monotonic() + 60)
    deadline = time.monotonic() + 60
    while not place.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_program_that_no_system_can_start_is_a_mistake() -> None:
    with pytest.raises(Permanent, match="true can't be started: its words are none"):
        make_channel("command", {"command": ["true", "a\0b"]}).send(notification(), time.monotonic() + 60)


@pytest.mark.parametrize("timeout", [-3, 0, float("nan")])
def test_a_program_needs_some_time(timeout: float) -> None:
    with pytest.raises(UsageError, match=r"notifications\.command: timeout: a program needs more than"):
        make_channel("command", {"command": "true", "timeout": timeout})


def test_the_time_of_a_program_is_checked_before_the_script_starts(runner: support.Command) -> None:
    settings = {"notifications": {"command": {"command": "true", "timeout": -3}}}
    (runner.cwd / "config.json").write_text(json.dumps(settings))
    done = runner("--config", "config.json", "-c", "print(1)")
    assert (done.exit_code, done.out) == (2, "") and "timeout: a program needs more than -3 seconds" in done.err


def test_at_the_end_of_a_run_a_program_has_what_the_run_may_wait(runner: support.Command) -> None:
    place = runner.cwd / "started"
    settings = {
        "alerts": [{"name": "broken", "condition": "failed"}],
        "notifications": {"command": {"command": ["sh", "-c", STARTS_ANOTHER, str(place)], "timeout": 300}},
    }
    (runner.cwd / "config.json").write_text(json.dumps(settings))
    begin = time.monotonic()
    done = runner("--config", "config.json", "-c", "raise SystemExit(1)")
    assert done.exit_code == 1 and "waits in the outbox: sh did not end in time" in done.err
    assert time.monotonic() - begin < 6 * PATIENCE  # the bound is the benchmark's; a test only tells a hang
    started = [int(line) for line in place.read_text().split()]
    assert len(started) == 1
    wait_for_the_end_of(started)
