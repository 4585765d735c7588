"""The store that runs are kept in by default: one SQLite file, written by many runners at once."""

from __future__ import annotations

import os

from runner.agent.events import dumps
from runner.model.errors import StoreError, UsageError
from runner.model.metrics import BY_NAME
from runner.stores import rows
from runner.stores.base import FAILED, ID_DIGITS, NEWEST, OLDEST, PAGE, SUCCESS, RunFilter
from runner.stores.codec import decode_curve
from runner.stores.database import connect, explain, read_queries

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence
    from typing import Any

    from runner.model.curve import Curve
    from runner.model.metric import Value
    from runner.model.portable import Batch
    from runner.model.run import Run
    from runner.stores.aggregates import Point, Presence
    from runner.stores.alerts import AlertBook
    from runner.stores.base import Script
    from runner.stores.retention import Keeper
    from runner.stores.series import Series
else:
    try:
        import _sqlite3 as sqlite3
    except ImportError:
        import sqlite3

_COLUMNS = ", ".join(rows.METRIC_COLUMNS)
#: The largest number that SQLite knows.
_LARGEST = (1 << 63) - 1
_DAY = 86_400_000_000_000
_MARKS = ", ".join("?" * len(rows.METRIC_COLUMNS))


class SqliteStore:
    """Runs in a SQLite file. One instance serves one thread at a time.

    Args:
        path: The file.
        create: Whether it is created where there is none; without it, it is only read.

    Raises:
        StoreError: It can't be opened (see `database.connect`).
    """

    def __init__(self, path: str, create: bool = True) -> None:
        self.path = path
        self._connection = connect(path, create)
        self._queries = read_queries()

    def save(self, run: Run) -> bool:
        """Keep a finished run (see `Store.save`)."""
        return bool(self.add([run]))

    def add(self, runs: Sequence[Run]) -> list[str]:
        """Keep finished runs in one go (see `Store.add`)."""
        execute = self._connection.execute
        new = []
        try:
            # What takes time is done before anybody else has to wait.
            prepared = [rows.Prepared(run) for run in runs]
            execute("BEGIN IMMEDIATE")
            for each in prepared:
                if not execute(self._queries["has_run"], [each.number]).fetchone():
                    self._insert(each)
                    new.append(each.run.id)
            execute("COMMIT" if new else "ROLLBACK")
        except BaseException as error:
            raise self._undo(error) from None
        return new

    def _insert(self, each: rows.Prepared) -> None:
        execute, run = self._connection.execute, each.run
        keys = self._keys(each.facts)
        seq = execute(self._query("add_run"), [
            each.number, keys["script"], run.started, keys["host"], keys["environment"],
            keys["version"], keys["arguments"], keys["line"],
            None if run.load is None else round(run.load * 100), run.input_bytes,
            dumps(run.tags) if run.tags else None,
            dumps(run.extra) if run.extra else None,
            len(each.attempts), *each.attempts[-1],
        ]).lastrowid  # fmt: skip
        for columns in each.attempts[:-1]:
            execute(self._query("add_attempt"), [seq, *columns])
        for row in each.curves:
            execute(self._queries["add_curve"], [seq, *row])
        for row in each.outputs:
            execute(self._queries["add_output"], [seq, *row])
        # They may be there already: an alert fires before its run is stored.
        if run.alerts and not execute(self._queries["has_run_alerts"], [each.number]).fetchone():
            from runner.stores.run_alerts import alert_rows

            for row in alert_rows(run):
                execute(self._queries["add_run_alert"], row)

    def _keys(self, facts: dict[str, tuple[list[Any], list[Any]] | None]) -> dict[str, int | None]:
        """Return the keys of the rows that runs share, adding those that are new."""
        keys: dict[str, int | None] = {}
        for name, row in facts.items():
            if row is None:
                keys[name] = None
                continue
            key, more = row
            if name == "environment":
                key = [*key, keys["packages"], keys["variables"]]
            found = self._connection.execute(self._queries[f"find_{name}"], key).fetchone()
            if found:
                keys[name] = int(found[0])
            else:
                keys[name] = self._connection.execute(self._queries[f"add_{name}"], [*key, *more]).lastrowid
        return keys

    def _undo(self, error: BaseException) -> BaseException:
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            pass  # the first error is the one to tell
        if isinstance(error, sqlite3.Error):
            return explain(error, self.path)
        if isinstance(error, (TypeError, ValueError, OverflowError)):
            return StoreError(f"{self.path} can't hold the run: {error}")
        return error

    def _query(self, name: str, where: str = "") -> str:
        text = self._queries[name].replace("{metrics}", _COLUMNS).replace("{marks}", _MARKS)
        return text.replace("{where}", where or "1")

    def _ask(self, query: str, values: list[Any] | tuple[Any, ...] = ()) -> list[Any]:
        try:
            return self._connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise explain(error, self.path) from None

    def get(self, run_id: str) -> Run | None:
        """Return one run (see `Store.get`)."""
        if not run_id or len(run_id) > ID_DIGITS or not set(run_id.lower()) <= set("0123456789abcdef"):
            return None
        where, values = self._where(RunFilter(id=run_id))
        found = self._ask(self._query("list_runs", f"{where} LIMIT 2"), values)
        if len(found) > 1:
            raise UsageError(f"several runs begin with {run_id!r}; give more of its {ID_DIGITS} digits")
        return self._complete(found[0], output=True, samples=True) if found else None

    def runs(self, wanted: RunFilter, output: bool = False, samples: bool = False) -> list[Run]:
        """Return the runs meant (see `Store.runs`)."""
        where, values = self._ordered(wanted)
        found = self._ask(self._query("list_runs", where), values)
        return [self._complete(row, output, samples) for row in found]

    def figures(self, wanted: RunFilter, names: Sequence[str]) -> list[tuple[Value, ...]]:
        """Return some metrics of the runs meant (see `Store.figures`)."""
        columns = ", ".join(f"r.{BY_NAME[name].name}" for name in names)
        where, values = self._ordered(wanted)
        return self._ask(self._query("list_figures", where).replace("{columns}", columns), values)

    def _ordered(self, wanted: RunFilter) -> tuple[str, list[Any]]:
        where, values = self._where(wanted)
        direction = "ASC" if (wanted.order == OLDEST) != wanted.reverse else "DESC"
        by_metric = wanted.order not in (NEWEST, OLDEST)
        highest = f"r.{BY_NAME[wanted.order].name} {direction} NULLS LAST, " if by_metric else ""
        where += f" ORDER BY {highest}r.started {direction}, r.seq {direction}"
        if wanted.limit is not None:
            where += " LIMIT ?"
            values.append(min(wanted.limit, _LARGEST))
        return where, values

    def count(self, wanted: RunFilter) -> int:
        """Return how many runs are meant (see `Store.count`)."""
        if wanted.is_of_time_alone:
            return self._count_days(wanted.since or 0, _LARGEST if wanted.until is None else wanted.until)
        where, values = self._where(wanted)
        return int(self._ask(self._query("count_runs", where), values)[0][0])

    def _count_days(self, since: int, until: int) -> int:
        """Return how many runs started between two moments: of whole days that is known, only the rest is counted."""
        first, after = -(-since // _DAY), until // _DAY
        edges = [since, first * _DAY, after * _DAY, until] if first <= after else [since, until, 0, 0]
        return int(self._ask(self._queries["count_days"], [first, after, *edges])[0][0])

    def _where(self, wanted: RunFilter) -> tuple[str, list[Any]]:
        parts = ["1"]
        values: list[Any] = []
        keys: list[int] = []
        if wanted.script or wanted.name or wanted.key:
            known = self._scripts()
            meant = wanted.scripts(known.values())
            keys = [key for key, script in known.items() if script in meant]
            parts.append(f"r.script IN ({', '.join('?' * len(keys))})")
            values += keys
        if wanted.status in (SUCCESS, FAILED):
            parts.append(f"{'' if wanted.status == SUCCESS else 'NOT '}(r.reason = 'exited' AND r.exit_code = 0)")
        elif wanted.status:
            parts.append("r.reason = ?")
            values.append(wanted.status)
        if wanted.id:
            parts.append("r.id BETWEEN ? AND ?")
            values += [rows.number_of(wanted.id.ljust(ID_DIGITS, digit)) for digit in "0f"]
        if wanted.since is not None:
            parts.append("r.started >= ?")
            values.append(wanted.since)
        if wanted.until is not None:
            parts.append("r.started < ?")
            values.append(wanted.until)
        if wanted.host_class is not None:
            parts.append("r.host IN (SELECT id FROM hosts WHERE class = ?)")
            values.append(wanted.host_class)
        if wanted.host:
            parts.append("r.host IN (SELECT id FROM hosts WHERE facts ->> 'hostname' = ?)")
            values.append(wanted.host)
        if wanted.shape is not None:
            parts.append("ifnull((SELECT shape FROM arguments WHERE id = r.arguments), '') = ?")
            values.append(rows.bind(wanted.shape))
        for sign, bounds in ((">=", wanted.above), ("<=", wanted.below)):
            for name, bound in bounds.items():
                parts.append(f"r.{BY_NAME[name].name} {sign} ?")
                values.append(bound)
        for key, value in wanted.tags.items():
            # As JSON on both sides: what is not UTF-8 can't be bound as text.
            parts.append("EXISTS (SELECT 1 FROM json_each(r.tags) t JOIN json_each(?) w USING (key, value))")
            values.append(dumps({key: value}))
        if wanted.text:
            self._add_search()
            parts.append(self._query("mentions"))
            values += [rows.bind(wanted.text.casefold())] * 3
        if wanted.within is not None:
            parts.append(f"r.started >= ifnull(({self._query('nth_newest', parts[1] if keys else '')}), 0)")
            values += [_LARGEST if wanted.until is None else wanted.until, max(wanted.within, 1) - 1, *keys]
        return " AND ".join(parts), values

    def _add_search(self) -> None:
        from runner.stores.searching import HOLDS, holds

        self._connection.create_function(HOLDS, 4, lambda text, *kept: holds(rows.text(text), *kept))
        self._connection.create_function("folded", 1, lambda text: rows.bind((rows.text(text) or "").casefold()))

    def _complete(self, row: Any, output: bool, samples: bool) -> Run:
        run, seq = rows.read_run(row), row[0]
        if row[3] > 1:
            earlier = self._ask(self._query("list_attempts"), [seq])
            run.attempts[:0] = [rows.read_attempt(columns, run.started) for columns in earlier]
        by_number = {attempt.number: attempt for attempt in run.attempts}
        if output:
            rows.read_circumstances(run, self._ask(self._queries["get_circumstances"], [seq])[0])
            for number, stream, *kept in self._ask(self._queries["list_outputs"], [seq]):
                by_number[number].output[stream] = rows.read_tail(kept)
            self._add_alerts([run])
        if samples:
            for number, data in self._ask(self._queries["list_curves"], [seq]):
                by_number[number].curve = decode_curve(data)
        return run

    def scan(
        self, wanted: RunFilter, output: bool = False, samples: bool = False, size: int = PAGE
    ) -> Iterator[list[Run]]:
        """Yield the runs meant in pages, the oldest first (see `Store.scan`)."""
        for page in self._pages("list_runs", wanted, size):
            runs = [self._complete(row, output, samples) for row in page]
            if not output:
                self._add_alerts(runs)
            yield runs

    def _add_alerts(self, runs: Sequence[Run]) -> None:
        from runner.stores.run_alerts import read_alerts

        found = read_alerts(self._ask, self._queries["list_run_alerts"], [rows.number_of(run.id) for run in runs])
        for run in runs:
            run.alerts = found.get(rows.number_of(run.id), [])

    def scan_columns(self, wanted: RunFilter, size: int = PAGE) -> Iterator[Batch]:
        """Yield the runs meant as portable records (see `Store.scan_columns`)."""
        from runner.stores.scan import Columns

        columns = Columns(self._ask, self._query)
        for page in self._pages("scan_runs", wanted, size):
            yield columns.batch(page)

    def _pages(self, query: str, wanted: RunFilter, size: int) -> Iterator[list[Any]]:
        from runner.stores.scan import pages

        where, values = self._where(wanted)
        # Runs of several scripts are in order in the index of starts; by the other each page would be sorted.
        where = where.replace("r.script IN (?, ", "+r.script IN (?, ")
        text = self._queries[query].replace("{metrics}", _COLUMNS)
        return pages(self._ask, text, where, values, size)

    def known(self, ids: Sequence[str]) -> set[str]:
        """Return those of the ids that there are runs of (see `Store.known`)."""
        found = self._ask(self._queries["known_runs"], [dumps(list(map(rows.number_of, ids)))])
        return {f"{number:012x}" for (number,) in found}

    def errors(self, wanted: RunFilter, error_type: str) -> list[tuple[str | None, int, int, int]]:
        """Return how often runs ended with errors of a type (see `Store.errors`)."""
        where, values = self._where(wanted)
        found = self._ask(self._query("list_errors", where), [*values, rows.bind(error_type)])
        return [(rows.text(message), count, first, last) for message, count, first, last in found]

    def scripts(self) -> list[Script]:
        """Return key, path and name of every script (see `Store.scripts`)."""
        return list(self._scripts().values())

    def _scripts(self) -> dict[int, Script]:
        found = self._ask(self._queries["list_scripts"])
        return {number: (rows.text(key), rows.text(path), rows.text(name)) for number, key, path, name in found}

    def samples(self, run_id: str, attempt: int) -> Curve | None:
        """Return what was sampled in one attempt (see `Store.samples`)."""
        found = self._ask(self._queries["get_curve"], [rows.number_of(run_id), attempt])
        return decode_curve(found[0][0]) if found else None

    def series(self, metric: str, wanted: RunFilter) -> list[Point]:
        """Return the values of one metric (see `Store.series`)."""
        return self._series().points(metric, wanted)

    def aggregate(self, metric: str, wanted: RunFilter, functions: Sequence[str]) -> dict[str, Value]:
        """Compute aggregates of one metric (see `Store.aggregate`)."""
        return self._series().aggregate(metric, wanted, functions)

    def buckets(
        self, metric: str, wanted: RunFilter, functions: Sequence[str], edges: Sequence[int]
    ) -> list[dict[str, Value]]:
        """Compute aggregates of each bucket (see `Store.buckets`)."""
        return self._series().buckets(metric, wanted, functions, edges)

    def span(self, wanted: RunFilter) -> tuple[int, int] | None:
        """Return the first and the last start (see `Store.span`)."""
        return self._series().span(wanted)

    def presence(self, script: str = "") -> list[Presence]:
        """Return how many runs have each metric (see `Store.presence`)."""
        return self._series().presence_of(RunFilter(script)) if script else self._series().presence()

    def _series(self) -> Series:
        from runner.stores.series import Series

        return Series(self._ask, self._where)

    def stats(self) -> dict[str, Any]:
        """Return how much is kept (see `Store.stats`)."""
        runs, attempts, scripts, first, last = self._ask(self._queries["count_all"])[0]
        samples, output = self._ask(self._queries["weigh"])[0]
        size = 0
        for name in (self.path, self.path + "-wal"):
            if os.path.exists(name):
                size += os.path.getsize(name)
        return {
            "path": self.path,
            "bytes": size,
            "runs": runs,
            "attempts": int(attempts),
            "scripts": scripts,
            "first": first,
            "last": last,
            "samples_bytes": int(samples),
            "output_bytes": int(output),
        }

    def keeper(self) -> Keeper:
        """Return what deletes in steps, keeps policies and accounts for deletions (see `Store.keeper`)."""
        from runner.stores.retention import Keeper

        return Keeper(self)

    def alert_book(self) -> AlertBook:
        """Return what remembers alerts and keeps their messages (see `Store.alert_book`)."""
        from runner.stores.alerts import AlertBook

        return AlertBook(self)

    def cleanup(self, before: int) -> int:
        """Delete old runs and give their space back to the disk (see `Store.cleanup`)."""
        from runner.model.parts import RUNS
        from runner.stores.purge import Action, Purge

        keeper = self.keeper()
        purge = Purge(RUNS, RunFilter(until=before))
        with keeper.gentle():
            removed = keeper.delete(purge, Action("cleanup"), keeper.find(purge))[0].runs
            if removed:
                keeper.drop_unused()
                keeper.give_back()
        return removed

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
