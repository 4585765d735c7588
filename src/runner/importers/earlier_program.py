"""Reads the database of the earlier program of this name: tables ``executions``, ``metrics`` and ``alerts``."""

from __future__ import annotations

import os
import shlex
from contextlib import closing
from itertools import groupby
from operator import itemgetter

from runner.importers.base import DATABASE, BadFileError
from runner.importers.made import run_from, run_id
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
_METRICS = """SELECT execution_id, metric_name, metric_value FROM metrics WHERE execution_id IS NOT NULL
ORDER BY execution_id, id"""
_NONE = (None, iter(()))
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
                    row = execution["id"]
                    while owner is not None and owner < row:  # of an execution that was deleted
                        owner, group = next(figures, _NONE)
                    found = {name: value for _, name, value in group} if owner == row else {}
                    yield _run(dict(execution), found, alerts.get(row, 0))
        except (sqlite3.Error, ValueError, TypeError, KeyError, IndexError) as error:
            where = f"{source.name}, execution {row}" if row else source.name
            raise BadFileError(f"{where}: {error}") from None


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


def _run(execution: dict[str, Any], figures: dict[str, float], alerts: int) -> Run:
    known = {name: execution[name] for name in _FIGURES if execution.get(name) is not None}
    values = {**{name: float(value) for name, value in figures.items() if value is not None}, **known}
    for name in [name for name, value in values.items() if not is_figure(value)]:
        del values[name]
    if alerts:
        values["alerts"] = alerts
    started = instant(execution["start_time"])
    script = str(execution["script_path"])
    args = _words(execution.get("script_args") or "")
    id = run_id("executions", execution["id"], execution["start_time"], script, execution.get("script_args"))
    code = execution.get("exit_code")
    if code is None and execution.get("success") is not None:
        code = int(not execution["success"])
    run = run_from(id, script, args, started, values.get(m.EXECUTION_TIME.name), code, values)
    last = run.last
    if execution.get("end_time"):
        last.ended = max(started, instant(execution["end_time"]))
    if execution.get("timed_out"):
        last.reason = last.error_type = "timeout"
        last.error_message = f"timed out after {execution.get('timeout_seconds')} s"
    run.python_version = execution.get("python_version")
    run.host = {"platform": execution["platform"]} if execution.get("platform") else {}
    run.tags = {"source": "executions"}
    number = execution.get("attempt_number")
    if number and number > 1:
        last.number = int(number)
    return run


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
