"""``runner sql``: questions in SQL on the record's documented views."""

from __future__ import annotations

import os
from itertools import islice

from runner.cli.columns import columns, pad, wrap
from runner.cli.output import Screen, fail, printable
from runner.cli.remembered import nothing, take_in
from runner.cli.tables import terminal_width, write_json, write_rows
from runner.engine.history import HistoryManager
from runner.engine.sql import SqlAnswer
from runner.model.errors import RunnerError, UsageError
from runner.model.units import format_count
from runner.stores.views import SAMPLES, VIEWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, NoReturn, TextIO

    from runner.engine.query_options import QueryOptions, SqlOptions
    from runner.engine.run_options import RecordOptions

#: Most rows of a table, whose columns are as wide as their widest cell.
_ROWS = 1000
#: Bytes of memory that a question may take.
_MEMORY = 2 << 30
#: Least columns for a value.
_NARROWEST = 20
_INFINITE = (float("inf"), float("-inf"))


def show_sql(options: SqlOptions, record: RecordOptions, query: QueryOptions, out: TextIO) -> int:
    """Answer a question in SQL, or show what can be asked."""
    if options.schema or not options.query:
        if options.schema and options.query:
            raise UsageError("--schema shows what there is to ask: leave out one of the query and --schema")
        _show_schema(query, out)
        return 0
    with HistoryManager(record.history_db) as history:
        take_in(history)
        if not os.path.exists(history.db_path):
            _say_nothing(history.db_path, query, out)
            return 0
        try:
            _limit_memory()
            _answer(options, history, query, out)
        except MemoryError:
            raise RunnerError(f"the query takes more than {_MEMORY >> 30} GB of memory and was stopped") from None
    return 0


def _answer(options: SqlOptions, history: HistoryManager, query: QueryOptions, out: TextIO) -> None:
    with SqlAnswer(history, options.query, options.samples, options.timeout, _give_up) as answer:
        rows = answer.rows if options.limit is None else islice(answer.rows, options.limit)
        if query.format == "json":
            _write_json(answer.columns, rows, out)
        elif query.format == "csv":
            _write_csv(answer.columns, rows, out)
        else:
            _write_table(answer.columns, answer.rows, options.limit, out)


def _limit_memory() -> None:
    """Let the rest of this process, which answers and ends, have no more memory than a question may take."""
    import resource

    most, hard = resource.getrlimit(resource.RLIMIT_AS)
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            now = int(file.read().split()[0]) * resource.getpagesize()
        if most == resource.RLIM_INFINITY or most > now + _MEMORY:
            resource.setrlimit(resource.RLIMIT_AS, (now + _MEMORY, hard))
    except (OSError, ValueError):
        pass  # a system that knows no such limit


def _give_up(why: str) -> NoReturn:
    """End the process in the middle of a question that nothing else ends."""
    fail(Screen(), why)
    os._exit(RunnerError.exit_code)


def _say_nothing(path: str, query: QueryOptions, out: TextIO) -> None:
    if query.format == "json":
        _write_json([], [], out)
    elif query.format == "table":
        out.write(nothing("", (), path))


def _write_json(names: list[str], rows: Iterable[tuple[Any, ...]], out: TextIO) -> None:
    """Write rows as they come: there may be more than memory holds."""
    from json import dumps

    begun = False
    for row in rows:
        out.write(",\n    " if begun else _head("ok", names) + "\n    ")
        begun = True
        out.write(dumps(dict(zip(names, map(_in_json, row), strict=True))))
    out.write("\n  ]\n}\n" if begun else _head("no_data", names) + "]\n}\n")


def _head(status: str, names: list[str]) -> str:
    from json import dumps

    return f'{{\n  "status": "{status}",\n  "columns": {dumps(names)},\n  "rows": ['


def _write_csv(names: list[str], rows: Iterable[tuple[Any, ...]], out: TextIO) -> None:
    import csv

    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_told(value) for value in row] for row in rows)


def _write_table(names: list[str], rows: Iterable[tuple[Any, ...]], limit: int | None, out: TextIO) -> None:
    most = _ROWS if limit is None else limit
    shown = list(islice(rows, most + 1))
    cells = [[_cell(value) for value in row] for row in shown[:most]]
    room = terminal_width(out)
    widths = [max(map(columns, column)) + 2 for column in zip(names, *cells, strict=True)]
    if cells and 0 < room < sum(widths) - 2:
        _write_records(names, cells, room, out)
    else:
        write_rows(out, "table", names, [dict(zip(names, row, strict=True)) for row in cells])
    if not shown:
        out.write("no rows\n")
    elif len(shown) > most:
        out.write(f"\nthe first {format_count(most)} rows; --limit N shows more, --format csv all of them\n")


def _write_records(names: list[str], rows: list[list[str]], room: int, out: TextIO) -> None:
    """Write each row as a block, a line a column: the table would be wider than the terminal."""
    indent = max(map(columns, names)) + 4
    beside = room - indent >= _NARROWEST
    if not beside:  # a value stands below its name
        indent = 4
    for number, row in enumerate(rows, 1):
        out.write(f"{'' if number == 1 else chr(10)}row {number}\n")
        for name, value in zip(names, row, strict=True):
            head = "  " + printable(name)
            parts = wrap(value, max(_NARROWEST, room - indent))
            first = pad(head, indent) + parts.pop(0) if beside else head
            out.write(first.rstrip() + "\n")
            out.writelines(f"{' ' * indent}{part}\n" for part in parts if part)


def _cell(value: Any) -> str:
    return "" if value is None else f"{value:.10g}" if isinstance(value, float) else printable(str(_told(value)))


def _told(value: Any) -> Any:
    """Return a value as text can have it: bytes as SQL writes them."""
    return f"x'{value.hex()}'" if isinstance(value, bytes) else value


def _in_json(value: Any) -> Any:
    """Return a value as JSON can have it, which knows no infinity."""
    return None if value in _INFINITE else _told(value)


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
