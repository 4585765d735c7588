"""``runner sql``: questions in SQL on the record's documented views."""

from __future__ import annotations

from itertools import islice

from runner.cli.remembered import take_in
from runner.cli.tables import write_json, write_rows
from runner.engine.history import HistoryManager
from runner.engine.sql import SqlAnswer
from runner.model.errors import UsageError
from runner.model.units import format_count
from runner.stores.views import SAMPLES, VIEWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, TextIO

    from runner.engine.query_options import QueryOptions, SqlOptions
    from runner.engine.run_options import RecordOptions

#: Most rows of a table, whose columns are as wide as their widest cell.
_ROWS = 1000


def show_sql(options: SqlOptions, record: RecordOptions, query: QueryOptions, out: TextIO) -> int:
    """Answer a question in SQL, or show what can be asked."""
    if options.schema or not options.query:
        if options.schema and options.query:
            raise UsageError("--schema shows what there is to ask: leave out one of the query and --schema")
        _show_schema(query, out)
        return 0
    with HistoryManager(record.history_db) as history:
        take_in(history)
        with SqlAnswer(history, options.query, options.samples, options.timeout) as answer:
            rows = answer.rows if options.limit is None else islice(answer.rows, options.limit)
            if query.format == "json":
                _write_json(answer.columns, rows, out)
            elif query.format == "csv":
                _write_csv(answer.columns, rows, out)
            else:
                _write_table(answer.columns, rows, options.limit, out)
    return 0


def _write_json(columns: list[str], rows: Iterable[tuple[Any, ...]], out: TextIO) -> None:
    """Write rows as they come: there may be more than memory holds."""
    from json import dumps

    begun = False
    for row in rows:
        out.write(",\n    " if begun else _head("ok", columns) + "\n    ")
        begun = True
        out.write(dumps(dict(zip(columns, row, strict=True))))
    out.write("\n  ]\n}\n" if begun else _head("no_data", columns) + "]\n}\n")


def _head(status: str, columns: list[str]) -> str:
    from json import dumps

    return f'{{\n  "status": "{status}",\n  "columns": {dumps(columns)},\n  "rows": ['


def _write_csv(columns: list[str], rows: Iterable[tuple[Any, ...]], out: TextIO) -> None:
    import csv

    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)


def _write_table(columns: list[str], rows: Iterable[tuple[Any, ...]], limit: int | None, out: TextIO) -> None:
    most = _ROWS if limit is None else limit
    shown = list(islice(rows, most + 1))
    write_rows(out, "table", columns, [dict(zip(columns, map(_cell, row), strict=True)) for row in shown[:most]])
    if not shown:
        out.write("no rows\n")
    elif len(shown) > most:
        out.write(f"\nthe first {format_count(most)} rows; --limit N shows more, --format csv all of them\n")


def _cell(value: Any) -> Any:
    return f"{value:.10g}" if isinstance(value, float) else value


def _show_schema(query: QueryOptions, out: TextIO) -> None:
    rows = [
        {"view": view.name, "column": column.name, "type": column.type, "meaning": column.meaning.replace("`", "")}
        for view in (*VIEWS, SAMPLES)
        for column in view.columns
    ]
    if query.format == "json":
        write_json(out, {"status": "ok", "columns": rows})
    elif query.format == "csv":
        write_rows(out, "csv", ("view", "column", "type", "meaning"), rows)
    else:
        for view in (*VIEWS, SAMPLES):
            out.write(f"{view.name}: {view.meaning.replace('`', '')}\n")
            write_rows(out, "table", ("column", "type", "meaning"), [row for row in rows if row["view"] == view.name])
            out.write("\n")
        out.write("runner sql 'SELECT script, runs, failures FROM scripts ORDER BY failures DESC LIMIT 5'\n")
