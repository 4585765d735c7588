from __future__ import annotations

import pytest

from runner.agent.events import LOST, OOM_KILLED, SIGNALED, TIMEOUT
from runner.analysis import errors
from runner.analysis.errors import MEANINGS, classify


@pytest.mark.parametrize(
    ("error_type", "message", "kind"),
    [
        ("MemoryError", "", errors.MEMORY),
        ("numpy.core._exceptions._ArrayMemoryError", "Unable to allocate 8 GiB", errors.MEMORY),
        ("OSError", "[Errno 28] No space left on device", errors.DISK),
        ("sqlite3.OperationalError", "database or disk is full", errors.DISK),
        ("ConnectionRefusedError", "[Errno 111]", errors.NETWORK),
        ("requests.exceptions.ReadTimeout", "", errors.TIMEOUT),
        ("socket.gaierror", "[Errno -2] Name or service not known", errors.NETWORK),
        ("PermissionError", "[Errno 13]", errors.PERMISSION),
        ("ModuleNotFoundError", "No module named 'pandas'", errors.DEPENDENCY),
        ("KeyError", "'price'", errors.DATA),
        ("ValueError", "time data 'timeout' does not match", errors.DATA),
        ("TypeError", "cannot allocate memory", errors.MEMORY),
        ("IndentationError", "unexpected indent", errors.SYNTAX),
        ("FileNotFoundError", "No such file or directory: 'x'", errors.DATA),
        ("RuntimeError", "something else", errors.OTHER),
        ("exit:1", "exit code 1", errors.OTHER),
        (None, None, errors.OTHER),
    ],
)
def test_type_and_message_tell(error_type: str | None, message: str | None, kind: str) -> None:
    assert classify(error_type, message) == kind


@pytest.mark.parametrize(
    ("reason", "kind"),
    [(TIMEOUT, errors.TIMEOUT), (OOM_KILLED, errors.MEMORY), (SIGNALED, errors.KILLED), (LOST, errors.KILLED)],
)
def test_how_it_ended_tells_first(reason: str, kind: str) -> None:
    assert classify("ValueError", "x", reason) == kind


def test_the_last_telling_line_of_output_counts_where_nothing_else_does() -> None:
    lines = ["make: gcc: command not found", "curl: (6) Could not resolve host: example.com", "make: *** Error 1"]
    assert classify("exit:2", "exit code 2", output=lines) == errors.NETWORK
    assert classify("exit:2", "exit code 2", output=lines[:1]) == errors.DEPENDENCY
    assert classify("ValueError", "x", output=lines) == errors.DATA


def test_every_class_has_a_meaning() -> None:
    assert all(MEANINGS[kind] for kind in MEANINGS if kind != errors.OTHER)
