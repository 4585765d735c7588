"""Fixtures of tests of alerts: a webhook, and a job that fails where it is told to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.alerts.hook import Hook, configure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests import support

SCRIPT = """
import sys
print("to stdout")
print("Traceback: token=abc123", file=sys.stderr)
sys.exit(int(sys.argv[1]))
"""


@pytest.fixture
def hook() -> Iterator[Hook]:
    opened = Hook()
    yield opened
    opened.close()


@pytest.fixture
def job(runner: support.Command, hook: Hook) -> str:
    configure(runner, hook)
    return runner.script(SCRIPT, "job.py")
