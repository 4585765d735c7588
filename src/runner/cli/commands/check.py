"""``runner check``: one line and one exit code for monitors that ask, as the Monitoring Plugins guidelines say."""

from __future__ import annotations

from time import time_ns

from runner.cli.output import printable
from runner.cli.remembered import take_in
from runner.cli.tables import write_json, write_rows
from runner.engine.check import UNKNOWN, Verdict, check
from runner.engine.history import HistoryManager
from runner.model.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from runner.engine.check import CheckOptions
    from runner.engine.query_options import QueryOptions
    from runner.engine.run_options import RecordOptions


def check_script(options: CheckOptions, record: RecordOptions, query: QueryOptions, out: TextIO) -> int:
    """Say whether a script ran, succeeded and kept within bounds.

    Raises:
        UsageError: No script is named.
    """
    if not options.script:
        raise UsageError("`runner check` needs a SCRIPT")
    with HistoryManager(record.history_db) as history:
        take_in(history)
        verdict = check(history, options, time_ns())
    if query.format == "json":
        write_json(out, verdict.to_dict())
    elif query.format == "csv":
        row = verdict.to_dict()
        figures = row.pop("figures")
        write_rows(out, "csv", [*row, *figures], [{**row, **figures}])
    else:
        out.write(line(verdict))
    return verdict.exit_code


def line(verdict: Verdict) -> str:
    """Return the line that a monitor reads, with its performance data."""
    text = printable(" ".join(verdict.text.split())).replace("|", "/")
    figures = " ".join(
        f"{name}={_number(value)}{unit};{_number(warning)};{_number(critical)};0"
        for name, value, unit, warning, critical in verdict.figures
    )
    return f"RUNNER {verdict.state} - {text}{' | ' + figures if figures else ''}\n"


def unknown(message: str) -> str:
    """Return the line for a question that could not be answered."""
    return line(Verdict(UNKNOWN, message))


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
