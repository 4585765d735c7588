"""``runner alerts explain``: how a condition would have judged the last runs of a script."""

from __future__ import annotations

from time import localtime, strftime

from runner.cli.columns import wrap
from runner.cli.output import Screen, printable
from runner.cli.remembered import nothing, take_in
from runner.cli.tables import fitting, terminal_width, write_json, write_rows
from runner.engine.explain import explain
from runner.engine.history import HistoryManager
from runner.model.errors import UsageError
from runner.model.run import iso
from runner.stores.base import SHORT_ID

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TextIO

    from runner.engine.explain import ExplainOptions, Explanation
    from runner.engine.query_options import QueryOptions
    from runner.engine.run_options import RecordOptions
    from runner.model.run import Run
    from runner.policy.conditions import Verdict

_COLUMNS = ("started", "fired", "status", "run", "values")
#: Of these, what a narrow terminal can do without, in that order.
_DISPENSABLE = ("run", "status")
_FIRED = {True: "yes", False: "-", None: "?"}
_YELLOW, _DIM = "\033[33m", "\033[2m"


def explain_condition(options: ExplainOptions, record: RecordOptions, query: QueryOptions, out: TextIO) -> int:
    """Show for each of the last runs of a script whether a condition would have fired, and by which values.

    Raises:
        UsageError: There is no condition, or it can't be used.
    """
    if not options.condition:
        raise UsageError("`runner alerts explain` needs a CONDITION, such as 'execution_time_seconds > 5m'")
    with HistoryManager(record.history_db) as history:
        take_in(history)
        found = explain(history, options.condition, options.script, options.runs)
        known = [] if found.judged else history.scripts()
    if query.format == "json":
        write_json(out, {**found.to_dict(), **({} if found.judged else {"scripts": known})})
    elif query.format == "csv":
        rows = [{"run_id": run.id, "timestamp": iso(run.started), "success": run.last.success, "fired": verdict.fired,
                 **{finding.text: finding.value for finding in verdict.findings}}
                for run, verdict in found.judged]  # fmt: skip
        write_rows(out, "csv", list(rows[0]) if rows else ["run_id", "timestamp", "success", "fired"], rows)
    elif not found.judged:
        whose = f" of {printable(options.script)}" if options.script else ""
        out.write("the condition is well formed\n" + nothing(f"run{whose}", known, history.db_path))
    else:
        _write(out, found)
    return 0


def _write(out: TextIO, found: Explanation) -> None:
    count = len(found.judged)
    runs = f"the last {count} runs" if count > 1 else "the only run"
    _say(out, f"would have fired in {found.fired or 'none'} of {runs} of {printable(found.script)}")
    out.write("\n")
    screen = Screen(out.fileno()) if out.isatty() else None
    rows = [_row(run, verdict) for run, verdict in found.judged]

    def paint(name: str, row: int, text: str) -> str:
        if screen is None:
            return text
        if found.judged[row][1].fired is not True:
            return screen.paint(text, _DIM) if name == "fired" else text
        return screen.paint(text, _YELLOW) if name == "fired" else text

    write_rows(out, "table", fitting(_COLUMNS, _DISPENSABLE, rows, out), rows, paint)
    if found.unknown:
        runs = f"{found.unknown} run{'s' * (found.unknown != 1)}"
        reasons = "; ".join(map(printable, found.reasons))
        out.write("\n")
        _say(out, f"? {runs} could not be judged, which fires nothing ({reasons})")


def _say(out: TextIO, text: str) -> None:
    width = terminal_width(out)
    out.writelines(f"{line}\n" for line in (wrap(text, width) if width else [text]))


def _row(run: Run, verdict: Verdict) -> dict[str, Any]:
    started = localtime(run.started // 1_000_000_000)
    return {
        "started": strftime("%m-%d %H:%M:%S" if started.tm_year == localtime().tm_year else "%Y-%m-%d %H:%M", started),
        "fired": _FIRED[verdict.fired],
        "status": "ok" if run.last.success else run.last.error_type or run.last.reason,
        "run": run.id[:SHORT_ID],
        "values": ", ".join(map(str, verdict.findings)),
    }
