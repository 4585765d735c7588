"""The queries about retention: ``runner retention add|apply|list|show|remove|presets|audit``."""

from __future__ import annotations

import os
from time import time_ns

from runner.cli.output import Screen, printable
from runner.cli.progress import Progress
from runner.cli.retention_shown import deed, minute, say, show_cleanup, show_outcome, tell_others, told
from runner.cli.tables import write_json, write_rows
from runner.engine.history import HistoryManager
from runner.engine.retention import Outcome, Retention
from runner.engine.retention_report import audit_dicts, policy_dict
from runner.model.errors import UsageError
from runner.model.run import iso
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

def add_policy(
    options: AddPolicyOptions, deleting: DeletingOptions, record: RecordOptions, query: QueryOptions, out: TextIO
) -> int:
    """Keep a policy, or, with a dry run, only show what it would delete now."""
    policy = Policy(
        options.name, options.days, script=options.script, status=options.status, metrics=_metrics(options.metric),
        samples_days=options.samples_days, output_days=options.output_days, downsample=options.downsample,
        archive_path=deleting.archive_path, compliance=options.compliance,
    )  # fmt: skip
    with _open(record, create=not deleting.dry_run) as retention:
        if deleting.dry_run:
            policy = retention.check(policy)
            return show_outcome(retention.preview(policy), True, retention.strangers(policy), query, out)
        changed = retention.add(policy)
        policy = retention.find(policy.name)
        others = retention.strangers(policy)
    if query.format == "json":
        write_json(out, {"status": "ok", "changed": changed, "policy": policy_dict(policy)})
    elif query.format == "csv":
        write_rows(out, "csv", ("name", "changed"), [{"name": policy.name, "changed": changed}])
    elif not changed:
        out.write(f"policy {printable(policy.name)} is there already\n")
    else:
        say(out, f"policy {policy.name} {told(policy)}; nothing is deleted before it is applied")
        tell_others(policy, others, out)
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
        return show_cleanup(Outcome(policy), deleting, query, out)
    with _open(record) as retention:
        return show_cleanup(carry_out(retention, policy, "cleanup", deleting), deleting, query, out)


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
        {**each, "keeps": told(Policy.from_terms(each["name"], _terms(each))).removeprefix("keeps ")}
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
    lines = {"policy": policy.name, "keeps": told(policy).removeprefix("keeps ")}
    if policy.compliance:
        preset = PRESETS[policy.compliance]
        lines["preset"] = f"{preset.name}, {preset.bound}: {preset.why}"
    lines["added"] = minute(answer["added"])
    for task in answer["deletes"]:
        what = {"coarser": "samples folded"}.get(task["part"], task["part"])
        lines[f"{what} before"] = minute(task["before"])
    lines["last deleted"] = minute(applied) if applied else "nothing yet"
    if query.format == "csv":
        write_rows(out, "csv", list(lines), [lines])
    else:
        width = max(map(len, lines))
        out.writelines(f"{name:<{width}}  {printable(value)}\n" for name, value in lines.items())
    return 0


def remove_policy(options: NamedPolicyOptions, record: RecordOptions, query: QueryOptions, out: TextIO) -> int:
    """Forget a policy; no run is touched."""
    with _open(record) as retention:
        removed = retention.remove(_needed(options.name, "remove"))
    if query.format == "json":
        write_json(out, {"status": "ok", "removed": removed})
    elif query.format == "csv":
        write_rows(out, "csv", ("removed",), [{"removed": removed["name"]}])
    else:
        out.write(f"policy {printable(removed['name'])} is forgotten; no run was touched\n")
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
        rows = [{"when": minute(each["time"]), "what": each["what"], "who": f"{each['user']}@{each['host']}",
                 "did": deed(each)} for each in actions]  # fmt: skip
        write_rows(out, "table", ("when", "who", "did"), rows)
    return 0


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
