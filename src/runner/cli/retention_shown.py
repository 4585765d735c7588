"""Shows what retention did, would do and has done: in sentences and tables, or as data."""

from __future__ import annotations

from time import time_ns

from runner.cli import tables
from runner.cli.columns import wrap
from runner.cli.output import printable
from runner.cli.tables import write_json, write_rows
from runner.engine.retention_report import outcome_dict, sentence
from runner.model.days import days_before
from runner.model.run import iso
from runner.model.units import format_bytes, format_count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TextIO

    from runner.engine.query_options import QueryOptions
    from runner.engine.retention import Outcome
    from runner.engine.retention_options import DeletingOptions
    from runner.policy.retention import Policy

#: Columns of what is deleted, by the least width of the terminal.
_COLUMNS = (
    (70, ("runs", "from", "to", "samples", "output", "frees", "script")),
    (50, ("runs", "from", "frees", "script")),
    (0, ("runs", "frees", "script")),
)

_CSV = ("part", "before", "script", "runs", "first", "last", "samples", "outputs", "bytes")


def show_outcome(outcome: Outcome, dry_run: bool, others: list[str], query: QueryOptions, out: TextIO) -> int:
    """Show what was deleted, or would be; `others` are the scripts that have runs, where the policy's has none."""
    answer = outcome_dict(outcome, dry_run)
    nothing = not any(tally for _, tally in outcome.parts)
    if query.format == "json":
        more = {"scripts": others} if others else {}
        write_json(out, {"status": "no_data" if nothing else "ok", **answer, **more})
        return 0
    if query.format == "csv":
        rows = [{"part": part["part"], "before": part["before"], **script}
                for part in answer["parts"] for script in part["scripts"]]  # fmt: skip
        write_rows(out, "csv", _CSV, rows)
        return 0
    policy = outcome.policy
    if policy.name:
        say(out, f"policy {policy.name} {told(policy)}")
    tell_others(policy, others, out)
    _tell_archive(outcome, out)
    width = tables.terminal_width(out)
    for task, tally in outcome.parts:
        say(out, sentence(task, policy.metrics, _runs(tally.runs), dry_run))
        if tally:
            most = sorted(tally.scripts.items(), key=lambda item: -item[1].runs)
            rows = [_row(script, each) for script, each in most]
            columns = next(names for least, names in _COLUMNS if not 0 < width < least)
            # After the fact only the space of all together is known.
            known = [name for name in columns if name != "frees" or dry_run]
            shown = [name for name in known if name in ("runs", "script") or any(row[name] != "-" for row in rows)]
            write_rows(out, "table", shown, rows)
            out.write("\n")
    _tell_kept(outcome, out)
    if dry_run:
        say(out, f"this would free about {format_bytes(outcome.freed)} (an estimate); nothing was deleted")
    else:
        out.write(f"freed {format_bytes(outcome.freed)}\n")
    return 0


def show_cleanup(outcome: Outcome, deleting: DeletingOptions, query: QueryOptions, out: TextIO) -> int:
    """Show what a cleanup without a policy deleted, or would."""
    removed, freed = outcome.runs(), outcome.freed
    assert outcome.policy.days is not None
    before = iso(days_before(outcome.policy.days, time_ns()))
    if deleting.dry_run and query.format != "json":
        return show_outcome(outcome, True, [], query, out)
    if query.format == "json":
        rest = outcome_dict(outcome, deleting.dry_run)
        write_json(out, {"status": "ok", "removed": 0 if deleting.dry_run else removed, "before": before, **rest})
    elif query.format == "csv":
        write_rows(out, "csv", ("removed", "freed_bytes"), [{"removed": removed, "freed_bytes": freed}])
    else:
        _tell_archive(outcome, out)
        say(out, f"deleted {_runs(removed)} started before {minute(before)}, freed {format_bytes(freed)}")
        _tell_kept(outcome, out)
    return 0


def deed(action: dict[str, Any]) -> str:
    """Return one action in words."""
    name = action["policy"]
    if action["what"] in ("add", "remove"):
        return f"{'added' if action['what'] == 'add' else 'removed'} policy {name}"
    why = {"apply": f"policy {name}", "cleanup": "cleanup"}.get(action["what"], f"automatic, policy {name}"
                                                                if name else "automatic cleanup")  # fmt: skip
    scripts = sorted(action["scripts"], key=action["scripts"].get, reverse=True)
    of = ", ".join(scripts[:3]) + (f" and {len(scripts) - 3} more" if len(scripts) > 3 else "")
    words = {"runs": "", "metrics": "figures of ", "coarser": "detail in the samples of "}
    parts = [f"{words.get(part, f'{part} of ')}{_runs(runs)}" for part, runs in action["parts"].items()]
    kept = f"; archived to {action['archive']}" if action["archive"] else ""
    cut = "" if action["complete"] else "; more was left"
    return f"{why}: deleted {', '.join(parts) or 'nothing'}{f' ({of})' if of else ''}{kept}{cut}"


def say(out: TextIO, text: str) -> None:
    """Write a sentence, on a terminal in lines that fit."""
    width = tables.terminal_width(out)
    lines = wrap(printable(text), width) if width else [printable(text)]
    out.writelines(f"{line}\n" for line in lines)


def tell_others(policy: Policy, others: list[str], out: TextIO) -> None:
    """Say that a policy is for a script without runs; `others` are those that have some, nothing where it has."""
    if others:
        listed = ", ".join(others[:10]) + (", ..." if len(others) > 10 else "")
        say(out, f"there are no runs of {policy.script}; there are runs of: {listed}")


def _tell_archive(outcome: Outcome, out: TextIO) -> None:
    if outcome.archive is not None:
        runs, path, size = outcome.archive.runs, outcome.archive.path, outcome.archive.size
        say(out, f"archived {_runs(runs)} to {path} ({format_bytes(size)}), read back and compared")


def _tell_kept(outcome: Outcome, out: TextIO) -> None:
    for name, count in outcome.kept.items():
        say(out, f"kept because of policy {name}: {'runs' if count is None else _runs(count)}")


def _row(script: str, tally: Any) -> dict[str, Any]:
    return {
        "runs": format_count(tally.runs),
        "from": "-" if tally.first is None else iso(tally.first)[:10],
        "to": "-" if tally.last is None else iso(tally.last)[:10],
        "samples": format_count(tally.samples) if tally.samples else "-",
        "output": format_count(tally.outputs) if tally.outputs else "-",
        "frees": format_bytes(tally.bytes) if tally.bytes else "-",
        "script": script,
    }


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{format_count(count)} runs"


def minute(moment: str) -> str:
    """Return a moment in ISO 8601 as a table has it."""
    return moment[:16].replace("T", " ")


def told(policy: Policy) -> str:
    """Return what a policy keeps, with its place for archives."""
    return policy.describe() + (f"; archives to {policy.archive_path}" if policy.archive_path else "")
