"""The queries about retention: ``runner retention add|apply|list|show|remove|presets|audit``."""

from __future__ import annotations

import os
from time import time_ns

from runner.cli import tables
from runner.cli.columns import wrap
from runner.cli.output import Screen, printable
from runner.cli.progress import Progress
from runner.cli.tables import write_json, write_rows
from runner.engine.history import HistoryManager
from runner.engine.history_options import days_before
from runner.engine.retention import Outcome, Retention
from runner.engine.retention_report import audit_dicts, outcome_dict, policy_dict, sentence
from runner.model.errors import UsageError
from runner.model.run import iso
from runner.model.units import format_bytes, format_count
from runner.policy.retention import PRESETS, Policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TextIO

    from runner.engine.history_options import CleanupOptions
    from runner.engine.query_options import QueryOptions
    from runner.engine.retention_options import (
        AddPolicyOptions,
        ApplyPolicyOptions,
        AuditOptions,
        DeletingOptions,
        ListPoliciesOptions,
        NamedPolicyOptions,
    )
    from runner.engine.run_options import RecordOptions

#: Columns of what is deleted, by the least width of the terminal.
_COLUMNS = (
    (70, ("runs", "from", "to", "samples", "output", "frees", "script")),
    (50, ("runs", "from", "frees", "script")),
    (0, ("runs", "frees", "script")),
)

_CSV = ("part", "before", "script", "runs", "first", "last", "samples", "outputs", "bytes")


def add_policy(
    options: AddPolicyOptions, deleting: DeletingOptions, record: RecordOptions, query: QueryOptions, out: TextIO
) -> int:
    """Keep a policy, or, with a dry run, only show what it would delete now."""
    policy = Policy(
        options.name, options.days, script=options.script, status=options.status, metrics=_metrics(options.metric),
        samples_days=options.samples_days, output_days=options.output_days, downsample=options.downsample,
        archive_path=os.path.abspath(deleting.archive_path) if deleting.archive_path else "",
        compliance=options.compliance,
    )  # fmt: skip
    with _open(record, create=not deleting.dry_run) as retention:
        if deleting.dry_run:
            retention.check(policy)
            return show_outcome(retention.preview(policy), True, retention.strangers(policy), query, out)
        changed = retention.add(policy)
    if query.format == "json":
        write_json(out, {"status": "ok", "changed": changed, "policy": policy_dict(policy)})
    elif query.format == "csv":
        write_rows(out, "csv", ("name", "changed"), [{"name": policy.name, "changed": changed}])
    elif not changed:
        out.write(f"policy {printable(policy.name)} is there already\n")
    else:
        _say(out, f"policy {policy.name} {_told(policy)}; nothing is deleted before it is applied")
    return 0


def apply_policy(
    options: ApplyPolicyOptions, deleting: DeletingOptions, record: RecordOptions, query: QueryOptions, out: TextIO
) -> int:
    """Delete what a policy no longer keeps, or, with a dry run, show what that would be."""
    with _open(record) as retention:
        policy = retention.find(options.name)
        outcome = carry_out(retention, policy, "apply", deleting)
        return show_outcome(outcome, deleting.dry_run, retention.strangers(policy), query, out)


def carry_out(retention: Retention, policy: Policy, what: str, deleting: DeletingOptions) -> Outcome:
    """Apply a policy, or, with a dry run, find out what that would delete."""
    if deleting.dry_run:
        return retention.preview(policy)
    screen = Screen()
    total = sum(tally.runs for _, tally in retention.preview(policy).parts) if screen.terminal else 0
    progress = Progress(screen, "runs done", total)
    try:
        return retention.apply(policy, what, deleting.archive_path, progress)
    except KeyboardInterrupt:
        progress.end()
        screen.write("interrupted; the same line goes on from there\n")
        raise
    finally:
        progress.end()


def clean_up(
    options: CleanupOptions, deleting: DeletingOptions, record: RecordOptions, query: QueryOptions, out: TextIO
) -> int:
    """Delete the runs older than some days, and give their space back to the disk."""
    assert options.older_than is not None
    policy = Policy("", options.older_than)
    with HistoryManager(record.history_db) as history:
        exists = os.path.exists(history.db_path)
    if not exists:
        return _show_cleanup(Outcome(policy), deleting, query, out)
    with _open(record) as retention:
        return _show_cleanup(carry_out(retention, policy, "cleanup", deleting), deleting, query, out)


def _show_cleanup(outcome: Outcome, deleting: DeletingOptions, query: QueryOptions, out: TextIO) -> int:
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
        _say(out, f"deleted {_runs(removed)} started before {_minute(before)}, freed {format_bytes(freed)}")
        _tell_kept(outcome, out)
    return 0


def list_policies(options: ListPoliciesOptions, record: RecordOptions, query: QueryOptions, out: TextIO) -> int:
    """List the policies."""
    with HistoryManager(record.history_db) as history:
        policies = history.list_retention_policies()
        path = history.db_path
    if query.format == "json":
        write_json(out, {"status": "ok" if policies else "no_data", "database": path, "policies": policies})
        return 0
    columns = ("name", "compliance", "added", "keeps")
    rows: list[dict[str, Any]] = [
        {**each, "keeps": _told(Policy.from_terms(each["name"], _terms(each))).removeprefix("keeps ")}
        for each in policies
    ]
    if query.format == "csv":
        write_rows(out, "csv", columns, rows)
    elif not rows:
        out.write(f"there are no retention policies in {printable(path)}\n")
    else:
        shown = [name for name in columns if name != "compliance" or any(row.get(name) for row in rows)]
        write_rows(out, "table", shown, [{**row, "added": row["added"][:10]} for row in rows])
    return 0


def show_policy(options: NamedPolicyOptions, record: RecordOptions, query: QueryOptions, out: TextIO) -> int:
    """Show one policy, and from which moment on it keeps what."""
    with _open(record) as retention:
        policy = retention.find(_needed(options.name, "show"))
        answer = policy_dict(policy, retention.added()[policy.name])
        answer["deletes"] = [{"part": task.part, "before": iso(task.before)} for task in policy.tasks(time_ns())]
        done = [each for each in audit_dicts(retention.audit(1000)) if each["policy"] == policy.name]
        applied = next((each["time"] for each in done if each["what"] in ("apply", "auto")), None)
    if query.format == "json":
        write_json(out, {"status": "ok", **answer, "last_deleted": applied})
        return 0
    lines = {"policy": policy.name, "keeps": _told(policy).removeprefix("keeps ")}
    if policy.compliance:
        preset = PRESETS[policy.compliance]
        lines["preset"] = f"{preset.name}, {preset.bound}: {preset.why}"
    lines["added"] = _minute(answer["added"])
    for task in answer["deletes"]:
        what = {"coarser": "samples folded"}.get(task["part"], task["part"])
        lines[f"{what} before"] = _minute(task["before"])
    lines["last deleted"] = _minute(applied) if applied else "nothing yet"
    if query.format == "csv":
        write_rows(out, "csv", list(lines), [lines])
    else:
        width = max(map(len, lines))
        out.writelines(f"{name:<{width}}  {printable(value)}\n" for name, value in lines.items())
    return 0


def remove_policy(options: NamedPolicyOptions, record: RecordOptions, query: QueryOptions, out: TextIO) -> int:
    """Forget a policy; no run is touched."""
    with _open(record) as retention:
        policy = retention.remove(_needed(options.name, "remove"))
    if query.format == "json":
        write_json(out, {"status": "ok", "removed": policy_dict(policy)})
    elif query.format == "csv":
        write_rows(out, "csv", ("removed",), [{"removed": policy.name}])
    else:
        out.write(f"policy {printable(policy.name)} is forgotten; no run was touched\n")
    return 0


def show_presets(query: QueryOptions, out: TextIO) -> int:
    """Show the periods that `--compliance-mode` stands for, and where they come from."""
    rows = [{"name": each.name, "days": each.days, "kind": "minimum" if each.least else "maximum", "why": each.why}
            for each in PRESETS.values()]  # fmt: skip
    if query.format == "json":
        write_json(out, {"status": "ok", "presets": rows})
    else:
        write_rows(out, query.format, ("name", "days", "kind", "why"), rows)
    return 0


def show_audit(options: AuditOptions, record: RecordOptions, query: QueryOptions, out: TextIO) -> int:
    """Show who deleted what, when, and by which policy, the latest first."""
    with HistoryManager(record.history_db) as history:
        actions = history.retention_audit(options.limit)
        path = history.db_path
    if query.format == "json":
        write_json(out, {"status": "ok" if actions else "no_data", "database": path, "actions": actions})
    elif query.format == "csv":
        columns = ("time", "what", "policy", "before", "runs", "samples", "outputs", "bytes", "freed_bytes", "user",
                   "host", "pid", "archive", "sha256")  # fmt: skip
        write_rows(out, "csv", columns, actions)
    elif not actions:
        out.write(f"nothing was ever deleted from {printable(path)}\n")
    else:
        rows = [{"when": _minute(each["time"]), "what": each["what"], "who": f"{each['user']}@{each['host']}",
                 "did": _deed(each)} for each in actions]  # fmt: skip
        write_rows(out, "table", ("when", "who", "did"), rows)
    return 0


def _deed(action: dict[str, Any]) -> str:
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
        _say(out, f"policy {policy.name} {_told(policy)}")
    if others:
        listed = ", ".join(others[:10]) + (", ..." if len(others) > 10 else "")
        _say(out, f"there are no runs of {policy.script}; there are runs of: {listed}")
    _tell_archive(outcome, out)
    width = tables.terminal_width(out)
    for task, tally in outcome.parts:
        _say(out, sentence(task, policy.metrics, _runs(tally.runs), dry_run))
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
        _say(out, f"this would free about {format_bytes(outcome.freed)} (an estimate); nothing was deleted")
    else:
        out.write(f"freed {format_bytes(outcome.freed)}\n")
    return 0


def _say(out: TextIO, text: str) -> None:
    """Write a sentence, on a terminal in lines that fit."""
    width = tables.terminal_width(out)
    lines = wrap(printable(text), width) if width else [printable(text)]
    out.writelines(f"{line}\n" for line in lines)


def _tell_archive(outcome: Outcome, out: TextIO) -> None:
    if outcome.archive is not None:
        runs, path, size = outcome.archive.runs, outcome.archive.path, outcome.archive.size
        _say(out, f"archived {_runs(runs)} to {path} ({format_bytes(size)}), read back and compared")


def _tell_kept(outcome: Outcome, out: TextIO) -> None:
    for name, count in outcome.kept.items():
        _say(out, f"kept because of policy {name}: {_runs(count)}")


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


def _minute(moment: str) -> str:
    return moment[:16].replace("T", " ")


def _told(policy: Policy) -> str:
    """Return what a policy keeps, with its place for archives."""
    return policy.describe() + (f"; archives to {policy.archive_path}" if policy.archive_path else "")


def _terms(policy: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in policy.items() if key in Policy.__slots__ and key != "name"}


def _needed(name: str, command: str) -> str:
    if not name:
        raise UsageError(f"`runner retention {command}` needs the name of a policy; `runner retention list` lists them")
    return name


def _metrics(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for name in names for part in name.split(",") if part.strip()))


def _open(record: RecordOptions, create: bool = False) -> Retention:
    """Open the record, with all that earlier runners had to leave in it."""
    with HistoryManager(record.history_db) as history:
        path = history.db_path
        if not create and not os.path.exists(path):
            raise UsageError(f"no runs are remembered: {path} does not exist")
        history.fold()
    return Retention.open(path, create)
