"""Reads the database of the earlier program of this name: tables ``executions``, ``metrics`` and ``alerts``."""

from __future__ import annotations

import os
import re
import shlex
from contextlib import closing
from itertools import groupby
from operator import itemgetter

from runner.agent.events import TIMEOUT
from runner.importers.base import DATABASE, BadFileError
from runner.importers.made import is_exit_code, run_from, run_id
from runner.model import metrics as m
from runner.model.metric import is_figure
from runner.model.portable_parts import instant

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from typing import Any

    from runner.importers.base import Source
    from runner.model.run import Run

#: Read beside the executions, in their order: the earlier program has no index over them.
_METRICS = """SELECT execution_id, metric_name, metric_value FROM metrics WHERE typeof(execution_id) = 'integer'
ORDER BY execution_id, id"""
_NONE = (None, iter(()))
#: A moment as SQLite's CURRENT_TIMESTAMP writes it.
_STAMPED = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
#: Its columns that are metrics here.
_FIGURES = (m.EXECUTION_TIME.name, m.STDOUT_LINES.name, m.STDERR_LINES.name)


class EarlierProgramReader:
    """Reads each execution as a run of one attempt. Its times have no zone, and are taken as local."""

    def matches(self, source: Source) -> bool:
        """Whether the file is a database with these tables."""
        if not source.head.startswith(DATABASE):
            return False
        try:
            with closing(_connect(source.path)) as connection:
                found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        except Exception as error:
            raise BadFileError(f"{source.name} can't be read: {error}") from None
        return {"executions", "metrics"} <= {name for (name,) in found}

    def read(self, source: Source) -> Iterator[Run]:
        """Yield the runs (see `Reader.read`)."""
        import sqlite3

        row = 0
        try:
            with closing(_connect(source.path)) as connection:
                connection.row_factory = sqlite3.Row
                alerts = _alerts(connection)
                figures = groupby(connection.execute(_METRICS), key=itemgetter(0))
                owner, group = next(figures, _NONE)
                [total] = connection.execute("SELECT count(*) FROM executions").fetchone()
                for number, execution in enumerate(connection.execute("SELECT * FROM executions ORDER BY id"), 1):
                    source.tell(number / max(total, number))
                    row = _number(execution["id"], "id")
                    while owner is not None and owner < row:  # of an execution that was deleted
                        owner, group = next(figures, _NONE)
                    found = {name: value for _, name, value in group} if owner == row else {}
                    yield _run(dict(execution), found, alerts.get(row, 0))
        except (sqlite3.Error, ValueError, IndexError) as error:
            where = f"{source.name}, execution {row}" if row else source.name
            raise BadFileError(f"{where}: {str(error).partition(chr(10))[0]}") from None


def _connect(path: str) -> sqlite3.Connection:
    """Open a database to read it alone, even where the side files that a reader needs can't be written."""
    import sqlite3

    quoted = os.path.abspath(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    alone = "" if os.access(os.path.dirname(os.path.abspath(path)), os.W_OK) else "&immutable=1"
    return sqlite3.connect(f"file:{quoted}?mode=ro{alone}", uri=True)


def _alerts(connection: sqlite3.Connection) -> dict[int, int]:
    """Return how many alerts each execution has raised, where the database has any."""
    has = connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'alerts'").fetchone()
    if not has:
        return {}
    return dict(map(tuple, connection.execute("SELECT execution_id, count(*) FROM alerts GROUP BY execution_id")))


def _run(execution: dict[str, Any], figures: dict[Any, Any], alerts: int) -> Run:
    values = {_text(name, "metric_name"): value for name, value in figures.items() if value is not None}
    values |= {name: execution[name] for name in _FIGURES if execution.get(name) is not None}
    for name, value in list(values.items()):
        if not isinstance(value, (int, float)):
            raise ValueError(f"{name} can't be {value!r:.40}")
        if not is_figure(value):  # infinite
            del values[name]
    if alerts:
        values["alerts"] = alerts
    started = _start(execution)
    script = _text(execution.get("script_path"), "script_path")
    args = _text(execution.get("script_args") or "", "script_args")
    id = run_id("executions", execution["id"], execution.get("start_time"), script, execution.get("script_args"))
    code = execution.get("exit_code")
    if code is None and execution.get("success") is not None:
        code = int(not execution["success"])
    if code is not None and not is_exit_code(code):
        raise ValueError(f"exit_code can't be {code!r:.40}")
    run = run_from(id, script, _words(args), started, values.get(m.EXECUTION_TIME.name), code, values)
    last = run.last
    if execution.get("end_time"):
        last.ended = max(started, _moment(execution["end_time"], "end_time"))
    if execution.get("timed_out"):
        after = execution.get("timeout_seconds")
        last.reason = last.error_type = TIMEOUT
        last.error_message = "timed out" if after is None else f"timed out after {after} s"
    version, platform = execution.get("python_version"), execution.get("platform")
    run.python_version = None if version is None else _text(version, "python_version")
    run.host = {"platform": _text(platform, "platform")} if platform else {}
    run.tags = {"source": "executions"}
    number = execution.get("attempt_number")
    if number is not None:
        last.number = min(max(1, _number(number, "attempt_number")), 1 << 31)
    return run


def _start(execution: dict[str, Any]) -> int:
    """Return when an execution began; where that was not noted, when SQLite itself wrote the row (in UTC)."""
    start, written = execution.get("start_time"), execution.get("created_at")
    if start is not None or written is None:
        return _moment(start, "start_time")
    return _moment(f"{written}Z" if _STAMPED.fullmatch(str(written)) else written, "created_at")


def _moment(value: Any, name: str) -> int:
    try:
        found = instant(_text(value, name))
    except (ValueError, OverflowError):
        found = -1
    if not 0 <= found < 1 << 63:
        raise ValueError(f"{name} is missing" if value is None else f"{name} is no time: {value!r:.40}")
    return found


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{name} is missing" if value is None else f"{name} can't be {value!r:.40}")
    return value


def _number(value: Any, name: str) -> int:
    if not isinstance(value, int):
        raise ValueError(f"{name} is missing" if value is None else f"{name} can't be {value!r:.40}")
    return value


def _words(text: str) -> list[str]:
    """Return the arguments in a text: a list in JSON, or words as a shell has them."""
    if text.startswith("["):
        from json import loads

        try:
            found = loads(text)
        except ValueError:
            found = None
        if isinstance(found, list):
            return list(map(str, found))
    try:
        return shlex.split(text)
    except ValueError:  # an open quote
        return text.split()
