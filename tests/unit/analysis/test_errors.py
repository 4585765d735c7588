from __future__ import annotations

import signal as signals

import pytest

from runner.agent.events import CANCELLED, LOST, OOM_KILLED, SIGNALED, TIMEOUT
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
        ("sqlite3.OperationalError", "no such table: t", errors.DATA),
        ("sqlite3.OperationalError", "no such column: c", errors.DATA),
        ("sqlite3.OperationalError", "database is locked", errors.TIMEOUT),
        ("sqlite3.OperationalError", "attempt to write a readonly database", errors.PERMISSION),
        ("sqlite3.OperationalError", "disk I/O error", errors.DISK),
        ("sqlite3.OperationalError", "too many SQL variables", errors.OTHER),
        ("psycopg2.OperationalError", "could not connect to server: Connection refused", errors.NETWORK),
        (
            "psycopg2.OperationalError",
            'could not translate host name "db" to address: Name or service not known',
            errors.NETWORK,
        ),
        (
            "psycopg2.OperationalError",
            'connection to server at "db" (10.0.0.1), port 5432 failed: FATAL:  password'
            ' authentication failed for user "x"',
            errors.PERMISSION,
        ),
        ("psycopg2.OperationalError", 'FATAL:  database "x" does not exist', errors.DATA),
        (
            "pymysql.err.OperationalError",
            "(2003, \"Can't connect to MySQL server on 'db' ([Errno 111] Connection refused)\")",
            errors.NETWORK,
        ),
        ("pymysql.err.OperationalError", "(2013, 'Lost connection to MySQL server during query')", errors.NETWORK),
        ("pymysql.err.OperationalError", "(1045, \"Access denied for user 'x'@'db'\")", errors.PERMISSION),
        ("SyntaxError", "Unexpected token < in JSON at position 0", errors.DATA),
        ("SyntaxError", "Unexpected token ';'", errors.SYNTAX),
        ("Net::ReadTimeout", "", errors.TIMEOUT),
        ("std::bad_alloc", "", errors.MEMORY),
        ("LoadError", "cannot load such file -- nope", errors.DEPENDENCY),
        (None, "x.sh: line 1: 13495 Killed    ./worker", errors.KILLED),
        (None, "a skilled worker", errors.OTHER),
        (None, "Segmentation fault (core dumped)", errors.CRASH),
        ("signal:11", "killed by SIGSEGV", errors.CRASH),
        ("signal:9", "killed by SIGKILL", errors.KILLED),
        ("exit:127", "exit code 127", errors.DEPENDENCY),
        ("exit:126", "exit code 126", errors.PERMISSION),
        ("exit:137", "exit code 137", errors.KILLED),
        ("exit:139", "connection refused", errors.CRASH),
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


@pytest.mark.parametrize(
    ("signal", "kind"),
    [("SIGSEGV", errors.CRASH), ("SIGBUS", errors.CRASH), ("SIGILL", errors.CRASH), ("SIGFPE", errors.CRASH),
     ("SIGABRT", errors.CRASH), ("SIGKILL", errors.KILLED), ("SIGTERM", errors.KILLED), ("SIGXCPU", errors.LIMIT)],
)  # fmt: skip
def test_a_signal_that_a_program_brings_upon_itself_is_a_crash(signal: str, kind: str) -> None:
    number = int(getattr(signals, signal))
    assert classify(f"signal:{number}", f"killed by {signal}", SIGNALED) == kind


def test_a_signal_that_was_asked_for_is_none() -> None:
    assert classify("signal:6", "cancelled by SIGABRT", CANCELLED) == errors.KILLED
    assert classify("signal:None", None, SIGNALED) == errors.KILLED


def test_the_last_telling_line_of_output_counts_where_nothing_else_does() -> None:
    lines = ["make: gcc: command not found", "curl: (6) Could not resolve host: example.com", "make: *** Error 1"]
    assert classify("exit:127", "exit code 127", output=["boom"]) == errors.DEPENDENCY
    assert classify("exit:2", "exit code 2", output=lines) == errors.NETWORK
    assert classify("exit:2", "exit code 2", output=lines[:1]) == errors.DEPENDENCY
    assert classify("ValueError", "x", output=lines) == errors.DATA


def test_every_class_has_a_meaning() -> None:
    assert all(MEANINGS[kind] for kind in MEANINGS if kind != errors.OTHER)
