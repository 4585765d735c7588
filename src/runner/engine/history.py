"""The record as programs use it: save what was measured elsewhere, and read what is remembered."""

from __future__ import annotations

import os
from _thread import allocate_lock  # `import threading` costs 3 ms
from time import time_ns

from runner.engine.history_alerts import AlertMethods
from runner.engine.history_dicts import as_dict, new_run
from runner.engine.history_options import days_before
from runner.engine.history_retention import RetentionMethods
from runner.engine.location import absolute, journal_roots, locate
from runner.model.redact import redact_arguments, redact_value
from runner.model.run import Run
from runner.stores import STORES
from runner.stores.base import PAGE, RunFilter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date
    from types import TracebackType
    from typing import Any, Self, TypeVar

    from runner.engine.queries import TimeSeries
    from runner.model.metric import Value
    from runner.model.portable import Batch
    from runner.stores.base import Store

    T = TypeVar("T")


class HistoryManager(RetentionMethods, AlertMethods):
    """Remembers runs in a database, and finds them again. Threads may share one.

    Nothing is opened before it is used; reading creates no file.

    Args:
        db_path: The database; the default is the one that the command line would use here.
    """

    def __init__(self, db_path: str | os.PathLike[str] = "") -> None:
        self._open: list[Store] = []  # one at most
        self._inherited: list[Store] = []
        self._pid = os.getpid()
        self._lock = allocate_lock()
        self.db_path = locate(os.fspath(db_path), absolute())[0]

    def save_execution(
        self,
        script_name: str,
        metrics: Mapping[str, Any],
        *,
        args: Sequence[str] = (),
        tags: Mapping[str, str] | None = None,
        timestamp: date | str | None = None,
    ) -> str:
        """Remember one execution that was measured elsewhere.

        Args:
            script_name: What history groups it by.
            metrics: Figures by name; names that the catalog does not have are kept too. ``exit_code``, ``success``,
                ``error_message``, ``start_time`` and ``end_time`` are taken as facts of the run, as a run's own
                metrics have them.
            args: Arguments of the script; those that look like secrets are not kept.
            tags: Tags to find it by.
            timestamp: When it started (ISO 8601, datetime or date); ``start_time`` in `metrics`, or now, without it.

        Returns:
            The id of the run.

        Raises:
            ValueError: A metric is no finite number.
            UsageError: A time can't be read.
            StoreError: The database can't be written.
        """
        run = new_run(script_name, metrics, timestamp)
        run.args = redact_arguments(args)
        run.tags = {str(key): redact_value(str(key), str(value)) for key, value in (tags or {}).items()}
        self.save(run)
        return run.id

    def save(self, run: Run) -> bool:
        """Remember a run; return whether it was new.

        Raises:
            StoreError: The database can't be written.
        """
        with self._lock:
            return self._writable().save(run)

    def add(self, runs: Sequence[Run]) -> list[str]:
        """Remember several runs in one go, all of them or none; return the ids of those that are new.

        Raises:
            StoreError: The database can't be written.
        """
        with self._lock:
            return self._writable().add(runs)

    def get_execution_history(
        self,
        script_name: str | None = None,
        days: float | None = 30,
        limit: int | None = None,
        status: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> list[dict[str, Any]]:
        """Return what is remembered, the newest first, as plain dicts that ``json.dump`` takes.

        Args:
            script_name: Path, file name or name of a script; None for all.
            days: How far to look back; None for all.
            limit: How many at most; None for all.
            status: ``success``, ``failed``, or how the run ended (``exited``, ``timeout``, ``lost`` ...).
            tags: Tags that a run must have.

        Returns:
            For each run ``run_id``, ``timestamp`` (its start), ``script_name``, ``metrics`` (all figures that are
            known) and the facts of the run.

        Raises:
            UsageError: There is no such status, or the limit is negative.
            StoreError: The database can't be read.
        """
        since = None if days is None else days_before(days, time_ns())
        wanted = RunFilter(script_name or "", status or "", since, tags=tags, limit=limit)
        return [as_dict(run) for run in self.runs(wanted)]

    def runs(self, wanted: RunFilter, output: bool = False, samples: bool = False) -> list[Run]:
        """Return the runs meant (see `Store.runs`), none where there is no database yet."""
        with self._lock:
            store = self._readable()
            return store.runs(wanted, output, samples) if store else []

    def figures(self, wanted: RunFilter, names: Sequence[str]) -> list[tuple[Value, ...]]:
        """Return some metrics of the runs meant (see `Store.figures`), none where there is no database yet."""
        with self._lock:
            store = self._readable()
            return store.figures(wanted, names) if store else []

    def count(self, wanted: RunFilter) -> int:
        """Return how many runs are meant; the filter's limit does not count."""
        with self._lock:
            store = self._readable()
            return store.count(wanted) if store else 0

    def get(self, run_id: str) -> Run | None:
        """Return one run with output and samples, by its id or a unique beginning of it."""
        with self._lock:
            store = self._readable()
            return store.get(run_id) if store else None

    def query_metric(
        self,
        metric: str,
        script_name: str | None = None,
        start: date | str | None = None,
        end: date | str | None = None,
        limit: int | None = 1000,
    ) -> list[dict[str, Any]]:
        """Return the values of one metric, the oldest first.

        Args:
            metric: Its name; `metrics` lists them.
            script_name: Path, file name or name of a script; None for all.
            start: Earliest start of a run: a datetime or date, ``2026-01-31``, ISO 8601, ``7d``, ``yesterday``.
            end: Latest, likewise; a day counts whole.
            limit: How many at most, the newest ones; None for all.

        Returns:
            For each run ``timestamp``, ``value``, ``run_id`` and ``script_name``.

        Raises:
            UsageError: No run has such a metric, or the time ends before it begins.
            StoreError: The database can't be read.
        """
        question = self._series(metric, script_name, start, end)
        return (question if limit is None else question.limit(limit)).points()

    def aggregate(
        self,
        metric: str,
        *functions: str,
        script_name: str | None = None,
        start: date | str | None = None,
        end: date | str | None = None,
        bucket: str | None = None,
    ) -> Any:
        """Aggregate one metric over runs; see `query_metric` for the runs, `TimeSeries.aggregate` for the rest.

        Args:
            metric: Its name.
            functions: ``count``, ``min``, ``max``, ``avg``, ``sum``, ``median``, ``p50``, ``p90``, ``p95``, ``p99``,
                ``stddev``; all where none is named.
            script_name: Path, file name or name of a script; None for all.
            start: Earliest start of a run.
            end: Latest.
            bucket: ``5min``, ``15min``, ``1hour`` or ``1day``; None for one result over all.

        Returns:
            A dict by function, or a list of them with ``start`` and ``end`` of each bucket.
        """
        question = self._series(metric, script_name, start, end)
        return (question.bucket(bucket) if bucket else question).aggregate(*functions)

    def _series(
        self, metric: str, script: str | None, start: date | str | None, end: date | str | None
    ) -> TimeSeries:
        from runner.engine.queries import TimeSeries

        question = TimeSeries(self).metric(metric).script(script or "")
        question = question if start is None else question.since(start)
        return question if end is None else question.until(end)

    def sql(self, query: str, samples: str = "", timeout: float = 30.0) -> list[dict[str, Any]]:
        """Answer a SELECT on the views ``runs``, ``scripts``, ``daily`` and ``alerts`` (see ``runner sql --schema``).

        Args:
            query: The question; it can only read.
            samples: A run whose samples are the view ``samples``: its id or the beginning of it, or ``last``.
            timeout: Seconds that it may take.

        Returns:
            The rows, as dicts by column; bytes that are no UTF-8 stay bytes.

        Raises:
            UsageError: It is no SQL, or does what it may not.
            RunnerError: It took too long.
            StoreError: The database can't be read, or there is none.
        """
        from runner.engine.sql import SqlAnswer

        with SqlAnswer(self, query, samples, timeout) as answer:
            return [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]

    def metrics(self, script_name: str | None = None) -> list[dict[str, Any]]:
        """Return every metric with its unit, its meaning, and how many runs have it (see `queries.list_metrics`).

        Args:
            script_name: Path, file name or name of a script, to count its runs alone; None for all.
        """
        from runner.engine.queries import list_metrics

        return list_metrics(self, script_name or "")

    def ask(self, question: Callable[[Store], T], nothing: T) -> T:
        """Return what the store answers, or `nothing` where there is no database yet."""
        with self._lock:
            store = self._readable()
            return question(store) if store else nothing

    def scan(
        self, wanted: RunFilter, output: bool = False, samples: bool = False, size: int = PAGE
    ) -> Iterator[list[Run]]:
        """Yield the runs meant in pages, the oldest first (see `Store.scan`); others may use the record meanwhile."""
        return self._stepped(lambda store: store.scan(wanted, output, samples, size))

    def scan_columns(self, wanted: RunFilter, size: int = PAGE) -> Iterator[Batch]:
        """Yield the same as batches of portable records (see `Store.scan_columns`)."""
        return self._stepped(lambda store: store.scan_columns(wanted, size))

    def _stepped(self, begin: Callable[[Store], Iterator[T]]) -> Iterator[T]:
        with self._lock:
            store = self._readable()
            steps = begin(store) if store else iter(())
        while True:
            with self._lock:
                found = next(steps, None)
            if found is None:
                return
            yield found

    def export(
        self,
        path: str | os.PathLike[str],
        format: str = "",
        *,
        script_name: str | None = None,
        metrics: Sequence[str] = (),
        start: date | str | None = None,
        end: date | str | None = None,
        status: str = "",
        tags: Mapping[str, str] | None = None,
        samples: bool = False,
        full: bool = False,
    ) -> dict[str, Any]:
        """Export runs to a file, which is there whole or not at all.

        Args:
            path: The file; a name that ends with ``.gz`` is compressed.
            format: ``csv``, ``json``, ``jsonl``, ``parquet`` or ``openmetrics``; what the name says where empty.
            script_name: Path, file name or name of a script; None for all.
            metrics: The only metrics to export, of the runs that have one of them; none for all.
            start: Earliest start of a run: a datetime or date, ``2026-01-31``, ISO 8601, ``7d``, ``yesterday``.
            end: Latest, likewise; a day counts whole.
            status: ``success``, ``failed``, or how the run ended.
            tags: Tags that a run must have.
            samples: Whether what was sampled goes with it: inside JSON, beside CSV and Parquet.
            full: Whether everything does, so that `import_file` restores it exactly.

        Returns:
            ``path``, ``runs``, ``bytes`` and ``sha256`` of what was written.

        Raises:
            UsageError: That can't be, or a library is missing.
            ReportError: It could not be written.
            StoreError: The database can't be read.
        """
        from runner.engine.export import Export, wanted_of

        wanted = wanted_of(script_name or "", start, end, status, tags)
        return Export(os.fspath(path), format, wanted, metrics, samples, full).write(self).as_dict()

    def import_file(self, path: str | os.PathLike[str], dry_run: bool = False) -> dict[str, Any]:
        """Take the runs of a file into the record: all of them or none, and each once however often it is imported.

        Args:
            path: An export, a JSON report, another database, or what ``hyperfine --export-json`` wrote.
            dry_run: Whether nothing is stored.

        Returns:
            ``path``, ``runs``, ``new`` and ``known``: how many there are, and how many of them were new or known.

        Raises:
            UsageError: There is no such file.
            BadFileError: It can't be imported; nothing was stored.
            StoreError: The database can't be used.
        """
        from runner.engine.imports import import_file

        return import_file(self, os.fspath(path), dry_run).as_dict()

    def scripts(self) -> list[str]:
        """Return what the scripts that have runs are called."""
        with self._lock:
            store = self._readable()
            return sorted({name or path for _, path, name in store.scripts()}) if store else []

    def stats(self) -> dict[str, Any] | None:
        """Return how much is remembered (see `Store.stats`), None where there is no database yet."""
        with self._lock:
            store = self._readable()
            return store.stats() if store else None

    def fold(self) -> list[str]:
        """Take in the runs that earlier runners could not store; return a line for each."""
        roots = journal_roots(self.db_path)
        if not any(os.path.isdir(root) for root in roots):
            return []
        from runner.engine.record import fold_abandoned

        with self._lock:
            return fold_abandoned(self._writable(), roots)

    def close(self) -> None:
        """Close the database; it is opened anew if it is used again."""
        with self._lock:
            self._close_all()

    def __del__(self) -> None:
        self._close_all()

    def _close_all(self) -> None:
        if self._pid == os.getpid():
            while self._open:
                self._open.pop().close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _readable(self) -> Store | None:
        self._notice_fork()
        if not self._open:
            if not os.path.exists(self.db_path):
                return None
            self._open.append(STORES.load("sqlite")(self.db_path, create=False))
        return self._open[0]

    def _writable(self) -> Store:
        self._notice_fork()
        if not self._open:
            self._open.append(STORES.load("sqlite")(self.db_path))
        return self._open[0]

    def _notice_fork(self) -> None:
        # A connection must not be used, nor closed, on the other side of a fork.
        if self._pid != os.getpid():
            self._inherited += self._open
            self._open = []
            self._pid = os.getpid()
