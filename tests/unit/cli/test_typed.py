"""What is wrong with a value is said of the option as it was typed."""

from __future__ import annotations

import pytest

from runner.cli.line import split
from runner.cli.settings import Settings
from runner.model.errors import UsageError


@pytest.mark.parametrize(
    ("words", "start"),
    [
        ("logs --head -1", "--head: "),
        ("logs --logs-head -1", "--logs-head: "),
        ("ps --watch=0", "--watch: "),
        ("history --status foo", "--status: "),
        ("--show-history --history-status foo", "--history-status: "),
        ("--history-status foo history", "--history-status: "),
        ("history --limit 0 --history-limit 0", "--history-limit: "),
        ("check a.py --max-age foo", "--max-age: "),
        ("gate --confidence 2", "--confidence: "),
        ("--timeout soon a.py", "--timeout: "),
        ("a.py --history-days x", "--history-days: "),
    ],
)
def test_a_value_that_does_not_fit_is_told_of_what_was_typed(words: str, start: str) -> None:
    line = split(words.split())
    with pytest.raises(UsageError) as refused:
        Settings(line, {})
    assert str(refused.value).startswith(start)


def test_what_was_not_typed_is_told_by_where_it_came_from() -> None:
    with pytest.raises(UsageError, match=r"^RUNNER_PROGRESS: "):
        Settings(split(["a.py"]), {"RUNNER_PROGRESS": "perhaps"})
