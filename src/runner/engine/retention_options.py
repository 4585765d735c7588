"""Options of the queries about retention policies."""

from __future__ import annotations

from runner.options import QUERY, Options, opt
from runner.policy.retention import PRESETS
from runner.stores.base import STATUSES


class AddPolicyOptions(Options):
    """What a retention policy says."""

    name: str = opt(
        "Keep runs by a policy of this name: nothing is deleted before it is applied",
        flag="--add-retention-policy", metavar="NAME", role=QUERY, spec=True, positional=True,
    )  # fmt: skip
    script: str = opt("Only runs of this script", default="", metavar="SCRIPT", positional=True)
    days: int | None = opt(
        "Days that runs are kept (90 where nothing else is said)", flag="--retention-days", minimum=0, metavar="DAYS",
        spec=True,
    )  # fmt: skip
    compliance: str = opt(
        "Take the period of a preset: SOC2 and HIPAA are minimums that block shorter cleanup, GDPR is a maximum",
        default="", flag="--compliance-mode", choices=tuple(PRESETS), spec=True,
    )  # fmt: skip
    status: str = opt(
        "Only runs that ended so", default="", flag="--retention-status", choices=STATUSES, metavar="STATUS"
    )
    metric: tuple[str, ...] = opt(
        "Only this figure of the runs, which stay themselves (repeatable)", default=(), flag="--retention-metric",
        metavar="METRIC",
    )  # fmt: skip
    samples_days: int | None = opt(
        "Days that samples are kept", flag="--retention-samples-days", minimum=0, metavar="DAYS"
    )
    output_days: int | None = opt(
        "Days that output is kept", flag="--retention-output-days", minimum=0, metavar="DAYS"
    )
    downsample: str = opt(
        "How long samples are kept in which detail: raw:30d,5min:1y", default="", flag="--retention-downsample",
        metavar="STEPS",
    )  # fmt: skip


class ApplyPolicyOptions(Options):
    """Which retention policy is applied."""

    name: str = opt(
        "Delete what this policy no longer keeps", flag="--apply-retention-policy", metavar="NAME",
        role=QUERY, spec=True, positional=True,
    )  # fmt: skip


class DeletingOptions(Options):
    """How runs are deleted."""

    dry_run: bool = opt(
        "Show what would be deleted and how much space that frees, and delete nothing", default=False,
        flag="--retention-dry-run", spec=True,
    )  # fmt: skip
    archive_path: str = opt(
        "File (.jsonl.gz, .parquet) or folder that runs are archived to, and read back from, before they are deleted",
        default="", flag="--archive-path", metavar="PATH", spec=True,
    )  # fmt: skip


class ListPoliciesOptions(Options):
    """Whether retention policies are listed."""

    policies: bool = opt(
        "List the retention policies", default=False, flag="--list-retention-policies", role=QUERY, spec=True
    )


class NamedPolicyOptions(Options):
    """Which retention policy is meant."""

    name: str = opt("Name of the policy", default="", metavar="NAME", positional=True)


class AuditOptions(Options):
    """How much of the account of deletions is shown."""

    limit: int = opt("Most deletions to show", default=20, flag="--retention-audit-limit", minimum=1, metavar="N")
