"""What retention did, would do and has done, as plain data that ``json.dump`` takes."""

from __future__ import annotations

from runner.model.parts import COARSER, METRICS, OUTPUT, SAMPLES
from runner.model.run import iso

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from runner.engine.retention import Outcome
    from runner.policy.retention import Policy, Task
    from runner.stores.purge import Tally


def policy_dict(policy: Policy, added: int | None = None) -> dict[str, Any]:
    """Return a policy; `added` is when, in nanoseconds since the epoch."""
    result = {"name": policy.name, "days": policy.days, **policy.terms(), "keeps": policy.describe()}
    if added is not None:
        result["added"] = iso(added)
    return result


def outcome_dict(outcome: Outcome, dry_run: bool) -> dict[str, Any]:
    """Return what was deleted, or, with `dry_run`, would be."""
    return {
        "policy": outcome.policy.name or None,
        "dry_run": dry_run,
        "runs": outcome.runs(),
        "parts": [_part(task, tally) for task, tally in outcome.parts],
        "withheld": outcome.kept,
        "freed_bytes": outcome.freed,
        "estimated": dry_run,
        "archive": outcome.archive and outcome.archive.as_dict(),
    }


def _part(task: Task, tally: Tally) -> dict[str, Any]:
    result = {"part": task.part, "before": iso(task.before), **_amounts(tally)}
    if task.part == COARSER:
        result["bucket_seconds"] = task.seconds
    result["scripts"] = [{"script": script, **_amounts(each)} for script, each in sorted(tally.scripts.items())]
    return result


def _amounts(tally: Tally) -> dict[str, Any]:
    return {
        "runs": tally.runs,
        "first": None if tally.first is None else iso(tally.first),
        "last": None if tally.last is None else iso(tally.last),
        "samples": tally.samples,
        "outputs": tally.outputs,
        "bytes": tally.bytes,
    }


def sentence(task: Task, metrics: Iterable[str], runs: str, dry_run: bool) -> str:
    """Return in words what was deleted of some runs, or would be.

    Args:
        task: What was asked for.
        metrics: Figures that were deleted, where a task is about figures.
        runs: How many runs that concerns, such as "12 runs".
        dry_run: Whether nothing was deleted.
    """
    when = f"{runs} started before {iso(task.before)[:16].replace('T', ' ')}"
    if task.part == COARSER:
        return f"{'would fold' if dry_run else 'folded'} the samples of {when} into buckets of {_span(task.seconds)}"
    parts = {METRICS: f"{', '.join(metrics)} of ", SAMPLES: "the samples of ", OUTPUT: "the output of "}
    return f"{'would delete' if dry_run else 'deleted'} {parts.get(task.part, '')}{when}"


def _span(seconds: float) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds % length == 0:
            return f"{seconds // length:g} {unit}"
    return f"{seconds:g} s"


def audit_dicts(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the actions that rows of the audit tell of, the newest first."""
    actions: dict[str, dict[str, Any]] = {}
    for row in rows:
        action = actions.setdefault(row["action"], {
            "action": row["action"], "time": iso(row["at"]), "what": row["what"], "policy": row["policy"],
            "user": None, "host": None, "pid": None, "line": [], "runs": 0, "samples": 0, "outputs": 0, "bytes": 0,
            "freed_bytes": 0, "before": None, "first": None, "last": None, "scripts": {}, "parts": {}, "archive": None,
            "sha256": None, "complete": row["what"] in ("add", "remove"),
        })  # fmt: skip
        action.update(row["by"])
        for key in ("archive", "sha256"):
            action[key] = row[key] or action[key]
        if row["part"] == "space":
            action["freed_bytes"], action["complete"] = row["bytes"], bool(row["complete"])
        elif row["part"] not in ("archive", None):
            _add(action, row)
    for action in actions.values():
        for key in ("before", "first", "last"):
            action[key] = None if action[key] is None else iso(action[key])
    return list(actions.values())[::-1]


def _add(action: dict[str, Any], row: Mapping[str, Any]) -> None:
    for key in ("samples", "outputs", "bytes"):
        action[key] += row[key]
    part = row["part"]
    action["parts"][part] = action["parts"].get(part, 0) + row["runs"]
    if part == "runs":
        action["runs"] += row["runs"]
    for script, runs in row["scripts"].items():
        action["scripts"][script] = action["scripts"].get(script, 0) + runs
    for key, choose in (("before", max), ("first", min), ("last", max)):
        known = [moment for moment in (action[key], row[key]) if moment is not None]
        action[key] = choose(known) if known else None
