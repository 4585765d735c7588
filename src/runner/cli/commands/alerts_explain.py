"""``runner alerts explain``: how a condition, or each configured alert, would have judged the last runs of a script."""

from __future__ import annotations

from time import localtime, strftime

from runner.cli.columns import wrap
from runner.cli.output import DIM, YELLOW, Screen, printable
from runner.cli.remembered import nothing, take_in
from runner.cli.tables import fitting, terminal_width, write_json, write_rows
from runner.engine.alert_options import make_rules
from runner.engine.explain import adhoc, explain
from runner.engine.history import HistoryManager
from runner.model.errors import UsageError
from runner.model.units import format_seconds
from runner.model.verdict import status_word
from runner.stores.base import SHORT_ID

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TextIO

    from runner.engine.alert_options import AlertOptions
    from runner.engine.explain import ExplainOptions, Explanation, Judged
    from runner.engine.query_options import QueryOptions
    from runner.engine.run_options import RecordOptions

_COLUMNS = ("started", "fired", "outcome", "status", "run", "values")
#: Of these, what a narrow terminal can do without, in that order.
_DISPENSABLE = ("run", "status")
_SUMMARY = ("alert", "fired", "told", "unknown", "condition")
_FIRED = {True: "yes", False: "-", None: "?"}

def explain_condition(
    options: ExplainOptions, alerts: AlertOptions, record: RecordOptions, query: QueryOptions, out: TextIO
) -> int:
    """Show for each of the last runs of a script whether a condition would have fired, and by which values.

    Raises:
        UsageError: There is no condition, or it can't be used.
    """
    configured = make_rules(alerts)
    chosen = [rule for rule in configured if rule.name == options.condition]
    if options.condition:
        rules = chosen or [adhoc(options.condition)]
    elif configured:
        rules = configured
    else:
        raise UsageError("`runner alerts explain` needs a CONDITION, such as 'execution_time_seconds > 5m', "
                         "or alerts in the configuration file")  # fmt: skip
    with HistoryManager(record.history_db) as history:
        take_in(history)
        found = explain(history, rules, options.script, options.runs)
        known = [] if found[0].judged else history.scripts()
    several = not options.condition
    if query.format != "table":
        _write_for_programs(out, query.format, found, several, known)
    elif not found[0].judged:
        whose = f" of {printable(options.script)}" if options.script else ""
        well = "the conditions are" if len(found) > 1 else "the condition is"
        out.write(f"{well} well formed\n" + nothing(f"run{whose}", known, history.db_path))
    elif several:
        _write_all(out, found)
    else:
        _write(out, found[0])
    return 0


def _write_for_programs(out: TextIO, format: str, found: list[Explanation], several: bool, known: list[str]) -> None:
    judged = bool(found[0].judged)
    if format == "json":
        answer = found[0].to_dict()
        if several:
            answer = {"status": answer["status"], "alerts": [each.to_dict() for each in found]}
        write_json(out, answer if judged else {**answer, "scripts": known})
    elif several:
        rows = [each.summary() for each in found]
        write_rows(out, "csv", list(rows[0]), rows)
    else:
        flat = []
        for each in found[0].judged:
            row = each.to_dict()
            values = row.pop("values")
            flat.append({**row, **values})
        columns = ("run_id", "timestamp", "success", "fired", "outcome")
        write_rows(out, "csv", [*flat[0]] if flat else columns, flat)


def _write_all(out: TextIO, found: list[Explanation]) -> None:
    count = len(found[0].judged)
    runs = f"the last {count} runs" if count > 1 else "the only run"
    _say(out, f"judged on {runs} of {printable(found[0].script)}")
    out.write("\n")
    rows = [{**each.summary(), "unknown": each.unknown or "-"} for each in found]
    write_rows(out, "table", fitting(_SUMMARY, ("unknown",), rows, out), rows)


def _write(out: TextIO, found: Explanation) -> None:
    count = len(found.judged)
    often = f"in {found.fired or 'none'} of the last {count} runs" if count > 1 else "in the only run"
    would = "would" if found.fired or count > 1 else "would not"
    _say(out, f"{would} have fired {often} of {printable(found.script)}")
    if found.told != found.fired:
        _say(out, f"and been told {found.told or 'no'} time{'s' * (found.told != 1)}: {_told(found)}")
    out.write("\n")
    screen = Screen(out.fileno()) if out.isatty() else None
    rows = [_row(each) for each in found.judged]
    # What became of a firing is of interest only where not each was told.
    names = [name for name in _COLUMNS if name != "outcome" or found.told != found.fired]

    def paint(name: str, row: int, text: str) -> str:
        if screen is None or name != "fired":
            return text
        return screen.paint(text, YELLOW if found.judged[row].verdict.fired else DIM)

    write_rows(out, "table", fitting(names, _DISPENSABLE, rows, out), rows, paint)
    if found.unknown:
        runs = f"{found.unknown} run{'s' * (found.unknown != 1)}"
        reasons = "; ".join(map(printable, found.reasons))
        out.write("\n")
        _say(out, f"? {runs} could not be judged, which fires nothing ({reasons})")


def _told(found: Explanation) -> str:
    """Say by which rules an alert is not told of each run."""
    rule = found.rule
    rules = [f"once in {format_seconds(rule.throttle_seconds)}"] if rule.throttle_seconds else []
    rules += [f"after {rule.after} runs in a row"] if rule.after > 1 else []
    return ", ".join(rules)


def _say(out: TextIO, text: str) -> None:
    width = terminal_width(out)
    out.writelines(f"{line}\n" for line in (wrap(text, width) if width else [text]))


def _row(each: Judged) -> dict[str, Any]:
    run = each.run
    started = localtime(run.started // 1_000_000_000)
    return {
        "started": strftime("%m-%d %H:%M:%S" if started.tm_year == localtime().tm_year else "%Y-%m-%d %H:%M", started),
        "fired": _FIRED[each.verdict.fired],
        "outcome": each.outcome,
        "status": status_word(run.last),
        "run": run.id[:SHORT_ID],
        "values": ", ".join(map(str, each.verdict.findings)),
    }
