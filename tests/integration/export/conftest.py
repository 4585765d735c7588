"""A record to export, the same for all tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner import HistoryManager
from tests.unit.stores.made import attempt_of, whole

if TYPE_CHECKING:
    from tests import support

#: A name that a shell, SQL, a spreadsheet and a terminal could each trip over.
STRANGE = "it's \"=1+1\"; DROP TABLE runs\n\x1b[31m é.py"


@pytest.fixture
def record(runner: support.Command) -> support.Command:
    """Return the command in a folder with a record of ten runs, the fourth of them failed, the fifth strange."""
    runs = [whole(number, tags={"n": str(number)}) for number in range(10)]
    runs[3].last.exit_code, runs[3].last.error_type = 1, "ValueError"
    runs[4].script_path = runs[4].script_key = STRANGE
    runs[5].extra = {"loss": 0.5}
    runs[6].attempts = [attempt_of(runs[6], 1), attempt_of(runs[6], 2)]
    with HistoryManager(runner.cwd / "script_runner_history.db") as history:
        history.add(runs)
    return runner
