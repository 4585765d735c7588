"""``runner errors``: what ended runs, grouped, and ``runner errors --patterns``: what their output has in common."""

from __future__ import annotations

from runner.cli.remembered import nothing, take_in
from runner.cli.tables import fitting, write_json, write_rows
from runner.engine.history import HistoryManager
from runner.engine.log_analyzer import LogAnalyzer
from runner.model.errors import UsageError
from runner.model.units import format_count
from runner.options import Options, opt
from runner.stores.base import SHORT_ID

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TextIO

    from runner.engine.query_options import QueryOptions
    from runner.engine.run_options import RecordOptions

_ERRORS = ("last", "count", "first", "class", "run", "script", "error")
_LESS = ("first", "class", "run", "count", "last")
#: Columns that an error is to have.
_LEAST = 24
_PATTERNS = ("first", "runs", "lines", "template")


class ErrorsOptions(Options):
    """Whose errors are shown."""

    script: str = opt("Only this script: a path, a file name, or the name of its runs", default="", metavar="SCRIPT",
                      positional=True)  # fmt: skip
    days: int = opt("Days to look back", default=30, flag="--errors-days", minimum=1, metavar="DAYS")
    patterns: bool = opt("Show what lines of a script's output have in common instead, the newest kinds first",
                         default=False, flag="--errors-patterns")  # fmt: skip


def show_errors(options: ErrorsOptions, record: RecordOptions, query: QueryOptions, out: TextIO) -> int:
    """Show what ended runs, the error that came last first.

    Raises:
        UsageError: Patterns are asked for without a script.
    """
    if options.patterns and not options.script:
        raise UsageError("--patterns needs a SCRIPT: the output of one has little in common with that of another")
    with HistoryManager(record.history_db) as history:
        take_in(history)
        analyzer = LogAnalyzer(history)
        if options.patterns:
            rows = analyzer.patterns(options.script, options.days)
        else:
            rows = analyzer.errors(options.script, options.days)
        known = history.scripts()
    what = "patterns" if options.patterns else "errors"
    if query.format == "json":
        write_json(out, {"status": "ok" if rows else "no_data", what: rows})
    elif query.format == "csv":
        flat = [{**row, "runs": " ".join(row["runs"])} if isinstance(row["runs"], list) else row for row in rows]
        write_rows(out, "csv", list(rows[0]) if rows else [], flat)
    elif not rows:
        whose = f" of {options.script}" if options.script else ""
        kind = "output was kept" if options.patterns else "run failed"
        out.write(nothing(f"{kind}{whose} in the last {options.days} days", known, history.db_path))
    elif options.patterns:
        write_rows(out, "table", _PATTERNS, [_pattern(row) for row in rows])
    else:
        lines = [_error(row) for row in rows]
        write_rows(out, "table", fitting(_ERRORS, _LESS, lines, out, _LEAST), lines)
    return 0


def _error(row: dict[str, Any]) -> dict[str, str]:
    place = f" ({row['place']})" if row["place"] else ""
    return {
        "last": _moment(row["last"]),
        "count": format_count(row["count"]),
        "first": _moment(row["first"]),
        "class": row["class"],
        "run": row["runs"][0][:SHORT_ID],
        "script": row["script"],
        "error": (row["message"] or row["error_type"])[:200] + place,
    }


def _pattern(row: dict[str, Any]) -> dict[str, str]:
    return {
        "first": f"{_moment(row['first'])}, run {row['first_number']} of {row['of']}",
        "runs": format_count(row["runs"]),
        "lines": format_count(row["count"]),
        "template": row["template"][:200],
    }


def _moment(text: str) -> str:
    return text[5:16].replace("T", " ")
