"""Reads all runs that are meant, page by page, so that a long look at the record holds nobody up."""

from __future__ import annotations

from itertools import compress

from runner.agent.events import EXITED, dumps
from runner.model import portable
from runner.model.portable_parts import alert_record, attempt_record
from runner.model.run import label_of
from runner.stores import rows
from runner.stores.codec import unpack
from runner.stores.run_alerts import read_alerts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from runner.model.portable import Batch

    Ask = Callable[[str, list[Any]], list[Any]]

#: Columns of ``scan_runs`` before those of an attempt.
_SEQ, _ID, _STARTED, _ATTEMPTS, _TAGS, _EXTRA, _SCRIPT, _HOST, _ENVIRONMENT, _HASH, _COMMIT, _DIRTY, _ARGS, _LINE, \
    _LOAD, _INPUT = range(16)  # fmt: skip
#: And those of an attempt, from where it begins.
_NUMBER, _DELAY, _OFFSET, _DURATION, _REASON, _EXIT_CODE, _SIGNAL, _ERROR_TYPE, _ERROR_MESSAGE, _MERGED, _KINDS = \
    range(16, 27)  # fmt: skip
_METRICS = 27


def pages(ask: Ask, query: str, where: str, values: Sequence[Any], size: int) -> Iterator[list[Any]]:
    """Yield the rows of a query, the oldest run first, in pages.

    Each page is a read of its own that goes on behind the last row of the one before: no read lasts long enough to keep
    the write-ahead log from being taken in. Runs stored after the first page was asked for are not among them; one that
    is deleted meanwhile may be missing.

    Args:
        ask: Runs a query.
        query: Its text with a place for conditions, ``{where}``; its first column is `seq`, its third `started`.
        where: Which runs.
        values: What is bound in `where`.
        size: Rows of a page.
    """
    last = ask("SELECT max(seq) FROM runs", [])[0][0]
    if last is None:
        return
    text = query.replace("{where}", f"{where} AND r.seq <= ? AND (r.started, r.seq) > (?, ?)"
                                    " ORDER BY r.started, r.seq LIMIT ?")  # fmt: skip
    started, seq = -1, -1
    while True:
        page = ask(text, [*values, last, started, seq, size])
        if page:
            yield page
        if len(page) < size:
            return
        seq, started = page[-1][0], page[-1][2]


class Columns:
    """Turns rows of ``scan_runs`` into batches of portable records, column by column: no run is built.

    Args:
        ask: Runs a query.
        queries: ``scan_scripts``, ``scan_hosts`` and ``scan_environments``: the rows that runs share;
            ``list_attempts``, and ``list_run_alerts``.
    """

    def __init__(self, ask: Ask, queries: Callable[[str], str]) -> None:
        self._ask = ask
        self._queries = queries
        self._shared: dict[str, dict[int, tuple[Any, ...]]] = {"scripts": {}, "hosts": {}, "environments": {}}

    def batch(self, page: list[Any]) -> Batch:
        """Return a page as a batch."""
        read = list(zip(*page, strict=True))
        started = read[_STARTED]
        scripts = self._look_up("scripts", read[_SCRIPT])
        hosts = self._look_up("hosts", read[_HOST])
        environments = self._look_up("environments", read[_ENVIRONMENT])
        begun = list(map(sum, zip(started, read[_OFFSET], strict=True)))
        found: dict[str, Sequence[Any]] = {
            "run_id": [f"{number:012x}" for number in read[_ID]],
            "timestamp": started,
            "script_args": _json_texts(read[_ARGS]),
            "reason": read[_REASON],
            "success": [reason == EXITED and code == 0
                        for reason, code in zip(read[_REASON], read[_EXIT_CODE], strict=True)],
            "exit_code": read[_EXIT_CODE],
            "signal": read[_SIGNAL],
            "error_type": _texts(read[_ERROR_TYPE]),
            "error_message": _texts(read[_ERROR_MESSAGE]),
            "attempts": read[_ATTEMPTS],
            "start_time": begun,
            "end_time": [None if took is None else start + took
                         for start, took in zip(begun, read[_DURATION], strict=True)],
            **dict(zip(rows.METRIC_COLUMNS, read[_METRICS:], strict=True)),
            "extra": read[_EXTRA],
            "tags": read[_TAGS],
            **dict(zip(("script_key", "script_path", "name", "script_name"), zip(*scripts, strict=True), strict=True)),
            **dict(zip(("host", "hostname"), zip(*hosts, strict=True), strict=True)),
            **dict(zip(("cwd", "python", "python_version", "runner_version", "user", "packages_hash"),
                       zip(*environments, strict=True), strict=True)),
            "script_hash": read[_HASH],
            "git_commit": read[_COMMIT],
            "git_dirty": _booleans(read[_DIRTY]),
            "load": [None if load is None else load / 100 for load in read[_LOAD]],
            "input_bytes": read[_INPUT],
            "attempt": read[_NUMBER],
            "delay_seconds": read[_DELAY],
            "merged": _booleans(read[_MERGED]),
            "kinds": read[_KINDS],
            "earlier_attempts": self._earlier(read),
            "line": _json_texts(read[_LINE]),
            "alerts": self._alerts(read[_ID]),
        }  # fmt: skip
        nothing = [None] * len(page)
        found[portable.VERSION_COLUMN] = [portable.VERSION] * len(page)
        return [found.get(column.name, nothing) for column in portable.COLUMNS]

    def _look_up(self, table: str, keys: Sequence[int]) -> list[tuple[Any, ...]]:
        """Return the rows that runs share; those not seen yet are read."""
        known = self._shared[table]
        if not known.keys() >= set(keys):
            read = {"scripts": _script, "hosts": _host, "environments": _environment}[table]
            for key, *values in self._ask(self._queries(f"scan_{table}"), []):
                known[key] = read(values)
        return [known[key] for key in keys]

    def _alerts(self, numbers: Sequence[int]) -> list[str | None]:
        """Return what became of the alerts of runs as JSON, None for a run without any."""
        found = read_alerts(self._ask, self._queries("list_run_alerts"), numbers)
        texts = {number: dumps([*map(alert_record, alerts)]) for number, alerts in found.items()}
        return [texts.get(number) for number in numbers]

    def _earlier(self, read: list[Any]) -> list[str | None]:
        """Return the attempts before the last as JSON, None for a run that needed one only."""
        retried = [count > 1 for count in read[_ATTEMPTS]]
        if not any(retried):
            return [None] * len(retried)
        query = self._queries("list_attempts")
        found = {}
        for seq, started in compress(zip(read[_SEQ], read[_STARTED], strict=True), retried):
            attempts = [rows.read_attempt(row, started) for row in self._ask(query, [seq])]
            found[seq] = dumps([attempt_record(attempt) for attempt in attempts])
        return [found.get(seq) for seq in read[_SEQ]]


def _script(values: list[Any]) -> tuple[Any, ...]:
    key, path, name = map(rows.text, values)
    return key, path, name, label_of(name, path)


def _host(values: list[Any]) -> tuple[Any, ...]:
    from json import loads

    facts: dict[str, Any] = loads(values[0])
    return values[0] if facts else None, facts.get("hostname")


def _environment(values: list[Any]) -> tuple[Any, ...]:
    return tuple(map(rows.text, values))


def _texts(values: Sequence[Any]) -> Sequence[Any]:
    return [rows.text(value) for value in values] if bytes in set(map(type, values)) else values


def _json_texts(values: Sequence[Any]) -> Sequence[Any]:
    """Return JSON as text; what is long is kept compressed."""
    if bytes not in set(map(type, values)):
        return values
    return [unpack(value).decode("ascii") if isinstance(value, bytes) else value for value in values]


def _booleans(values: Sequence[Any]) -> list[bool | None]:
    return [None if value is None else bool(value) for value in values]
