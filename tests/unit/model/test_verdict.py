"""How an attempt ended, in words."""

from __future__ import annotations

import pytest

from runner.model.run import Attempt
from runner.model.verdict import status_word


@pytest.mark.parametrize(
    ("reason", "code", "error", "word"),
    [
        ("exited", 0, None, "ok"),
        ("exited", 1, "ValueError", "ValueError"),
        ("exited", 3, "exit:3", "exit:3"),
        ("signaled", None, "signal:9", "signal:9"),
        ("limit", None, "limit:memory", "limit:memory"),
        ("cancelled", None, "signal:2", "cancelled"),
        ("cancelled", 143, "cancelled", "cancelled"),
        ("lost", None, None, "lost"),
    ],
)
def test_one_word_says_how_an_attempt_ended(reason: str, code: int | None, error: str | None, word: str) -> None:
    attempt = Attempt(1, 0)
    attempt.reason, attempt.exit_code, attempt.error_type = reason, code, error
    assert status_word(attempt) == word
