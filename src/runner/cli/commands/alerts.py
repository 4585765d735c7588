"""``runner alerts``: what was told of runs, what holds now, and who wants to hear of it."""

from __future__ import annotations

from time import localtime, strftime

from runner.cli.columns import wrap
from runner.cli.output import RED, YELLOW, Screen, printable
from runner.cli.remembered import nothing, take_in
from runner.cli.tables import fitting, terminal_width, write_json, write_rows
from runner.engine.history import HistoryManager
from runner.model.alert_state import OVER, TOLD
from runner.model.errors import UsageError
from runner.model.notification import CRITICAL, WARNING
from runner.model.units import format_count
from runner.model.words import did_you_mean
from runner.stores.base import SHORT_ID

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TextIO

    from runner.engine.alert_query_options import AckOptions, ListOptions, MuteOptions, UnmuteOptions
    from runner.engine.query_options import QueryOptions
    from runner.engine.run_options import RecordOptions

_COLUMNS = ("time", "severity", "alert", "outcome", "script", "run", "found")
#: Of these, what a narrow terminal can do without, in that order.
_DISPENSABLE = ("run", "severity", "script", "outcome")
#: Columns that what was found is to have.
_FOUND = 32

def list_alerts(options: ListOptions, record: RecordOptions, query: QueryOptions, out: TextIO) -> int:
    """List what became of alerts, the newest first, what holds now, and what is muted."""
    with HistoryManager(record.history_db) as history:
        take_in(history)
        found = [] if options.holding else history.get_alerts(
            options.script, options.days, options.alert, options.outcome, options.limit
        )  # fmt: skip
        holding = history.get_holding_alerts(options.script, options.alert)
        muted = history.get_mutes()
        known = [] if found or holding else history.scripts()
    if query.format == "json":
        status = "ok" if found or holding else "no_data"
        write_json(out, {"status": status, "alerts": found, "holding": holding, "muted": muted})
    elif query.format == "csv":
        names = ("timestamp", "name", "severity", "outcome", "condition", "text", "run_id", "script_name", "during")
        write_rows(out, "csv", names, [{**each, "during": str(each["during"]).lower()} for each in found])
    else:
        _write_list(out, found)
        _write_state(out, holding, muted, bool(found))
        if not found and not holding:
            whose = f" of {printable(options.script)}" if options.script else ""
            when = "holds" if options.holding else f"fired in the last {options.days} days"
            out.write(f"no alert{whose} {when}\n" if known else nothing("alert", known, history.db_path))
    return 0


def _write_list(out: TextIO, found: list[dict[str, Any]]) -> None:
    if not found:
        return
    screen = Screen(out.fileno()) if out.isatty() else None
    rows = [
        {
            "time": clock(each["timestamp"]),
            "severity": each["severity"],
            "alert": each["name"],
            "outcome": _outcome(each),
            "script": each["script_name"],
            "run": each["run_id"][:SHORT_ID],
            "found": each["text"],
        }
        for each in found
    ]

    def paint(name: str, row: int, text: str) -> str:
        style = {CRITICAL: RED, WARNING: YELLOW}.get(found[row]["severity"], "")
        told = found[row]["outcome"] == TOLD
        return screen.paint(text, style) if screen is not None and name == "alert" and style and told else text

    write_rows(out, "table", fitting(_COLUMNS, _DISPENSABLE, rows, out, _FOUND), rows, paint)


def _outcome(each: Mapping[str, Any]) -> str:
    """Return what became of an alert, and of its messages."""
    if each["outcome"] not in (TOLD, OVER):
        return str(each["outcome"])
    parts: list[str] = []
    for state, verb in (("sent", "told to"), ("waiting", "waits for"), ("refused", "refused by")):
        names = [message["channel"] for message in each["messages"] if message["state"] == state]
        if names:
            parts.append(f"{verb} {', '.join(names)}")
    return ", ".join([*(["over"] if each["outcome"] == OVER else []), *parts]) or str(each["outcome"])


def _write_state(out: TextIO, holding: list[dict[str, Any]], muted: list[dict[str, Any]], below: bool) -> None:
    lines = []
    for each in holding:
        runs = f"{format_count(each['runs'])} run{'s' * (each['runs'] != 1)}"
        known = f", acknowledged by {each['acknowledged_by']}" if each["acknowledged"] else ""
        untold = f", {format_count(each['untold'])} not told" if each["untold"] else ""
        since = f"since {clock(each['since'])}" if each["since"] else ""
        lines.append(
            f"holds: {each['severity']} {each['name']} of {each['script_name']} {since}, in {runs}{untold}{known}"
        )
    for each in muted:
        what = (each["name"] or "all alerts") + (f" of {each['script_name']}" if each["script_name"] else "")
        until = f"until {clock(each['until'])}" if each["until"] else "until it is unmuted"
        note = f": {each['note']}" if each["note"] else ""
        lines.append(f"muted: {what} {until}, by {each['by']}{note}")
    if lines:
        width = terminal_width(out)
        shown = [part for line in map(printable, lines) for part in (wrap(line, width) if width > 1 else [line])]
        out.write(("\n" if below else "") + "".join(f"{line}\n" for line in shown))


def acknowledge(options: AckOptions, record: RecordOptions, query: QueryOptions, out: TextIO) -> int:
    """Acknowledge an alert that holds: nobody is told of it before it is over and fires anew.

    Raises:
        UsageError: No alert is named.
    """
    if not options.alert:
        raise UsageError("`runner alerts ack` needs an ALERT; `runner alerts list --holding` shows those that hold")
    with HistoryManager(record.history_db) as history:
        take_in(history)
        holding = history.get_holding_alerts()
        done = history.acknowledge_alert(options.alert, options.script) if holding else []
    if query.format == "json":
        write_json(out, {"status": "ok" if done else "no_data", "acknowledged": done})
    elif query.format == "csv":
        write_rows(out, "csv", ("name", "script_name", "acknowledged", "acknowledged_by"), done)
    elif done:
        lines = [f"acknowledged: {each['name']} of {each['script_name']}, until it is over" for each in done]
        out.writelines(f"{printable(line)}\n" for line in lines)
    else:
        names = sorted({each["name"] for each in holding})
        listed = f"; what holds: {', '.join(names)}" if names else "; nothing does"
        out.write(printable(f"no such alert holds{did_you_mean(options.alert, names)}{listed}") + "\n")
    return 0 if done else 1


def mute(options: MuteOptions, record: RecordOptions, query: QueryOptions, out: TextIO) -> int:
    """Mute alerts for a time: they are noted, and nobody is told."""
    with HistoryManager(record.history_db) as history:
        history.mute_alerts(options.alert, options.script, options.duration or None, options.note)
        muted = history.get_mutes()
    _write_mutes(out, query, muted)
    return 0


def unmute(options: UnmuteOptions, record: RecordOptions, query: QueryOptions, out: TextIO) -> int:
    """End what was muted."""
    with HistoryManager(record.history_db) as history:
        ended = history.unmute_alerts(options.alert, options.script)
        muted = history.get_mutes()
    if query.format == "table":
        what = "mute" if len(ended) == 1 else "mutes"
        out.write(f"{len(ended)} {what} ended\n" if ended else "nothing of that kind was muted\n")
    _write_mutes(out, query, muted)
    return 0


def _write_mutes(out: TextIO, query: QueryOptions, muted: list[dict[str, Any]]) -> None:
    if query.format == "json":
        write_json(out, {"status": "ok", "muted": muted})
    elif query.format == "csv":
        write_rows(out, "csv", ("name", "script_name", "since", "until", "by", "note"), muted)
    else:
        _write_state(out, [], muted, below=False)


def clock(moment: str) -> str:
    """Return a moment of ISO 8601 in local time as tables have it: of today its time alone."""
    today = strftime("%Y-%m-%d", localtime())
    if moment[:10] == today:
        return moment[11:19]
    return f"{moment[5:10]} {moment[11:16]}" if moment[:4] == today[:4] else f"{moment[:10]} {moment[11:16]}"
