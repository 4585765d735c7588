"""What a history says about retention: the part of `HistoryManager` that keeps policies and deletes."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


class RetentionMethods:
    """Retention of the record at `db_path`. Each call opens it anew: deleting takes long, and others need not wait."""

    db_path: str

    def add_retention_policy(
        self,
        name: str,
        days: float | None = None,
        *,
        script: str = "",
        status: str = "",
        metrics: Iterable[str] = (),
        samples_days: float | None = None,
        output_days: float | None = None,
        downsample: str = "",
        archive_path: str = "",
        compliance_mode: str = "",
    ) -> dict[str, Any]:
        """Keep a policy; nothing is deleted before it is applied.

        Args:
            name: What it is called; one of that name is replaced.
            days: Days that runs are kept, or, with `metrics`, that these figures are; 90 where nothing else is said.
            script: Only runs of this script: a path, or the name of runs. A path is fixed as it is seen from here.
            status: Only runs that ended so.
            metrics: Only these figures of the runs, which stay themselves.
            samples_days: Days that samples are kept.
            output_days: Days that output is kept.
            downsample: How long samples are kept in which detail: ``raw:30d,5min:1y``.
            archive_path: File or folder to archive to before anything is deleted.
            compliance_mode: ``SOC2``, ``HIPAA`` or ``GDPR``.

        Returns:
            The policy.

        Raises:
            UsageError: It contradicts itself or another policy, or speaks of what there is not.
            StoreError: The database can't be written.
        """
        from runner.engine.retention import Retention
        from runner.engine.retention_report import policy_dict
        from runner.policy.retention import Policy

        policy = Policy(
            name, days, script=script, status=status, metrics=metrics, samples_days=samples_days,
            output_days=output_days, downsample=downsample, archive_path=archive_path,
            compliance=compliance_mode.upper(),
        )  # fmt: skip
        with Retention.open(self.db_path, create=True) as retention:
            retention.add(policy)
            return policy_dict(retention.find(name), retention.added()[name])

    def list_retention_policies(self) -> list[dict[str, Any]]:
        """Return the policies, in the order in which they were added; none where there is no database yet."""
        from runner.engine.retention import Retention
        from runner.engine.retention_report import policy_dict

        if not os.path.exists(self.db_path):
            return []
        with Retention.open(self.db_path) as retention:
            added = retention.added()
            return [policy_dict(policy, added[name]) for name, policy in retention.policies().items()]

    def apply_retention_policy(self, name: str, dry_run: bool = False, archive_path: str = "") -> dict[str, Any]:
        """Delete what a policy no longer keeps.

        Args:
            name: The policy.
            dry_run: Only say what would be deleted.
            archive_path: File or folder to archive to first; the policy's own where empty.

        Returns:
            ``runs`` deleted whole, ``parts`` with all that was deleted, of which scripts, ``freed_bytes`` (an estimate
            with `dry_run`), and ``archive``.

        Raises:
            UsageError: There is no such policy, or another one's minimum forbids it.
            RunnerError: It could not be archived; nothing was deleted.
            StoreError: The database can't be written.
        """
        from runner.engine.retention import Retention
        from runner.engine.retention_report import outcome_dict

        with Retention.open(self.db_path, create=True) as retention:
            policy = retention.find(name)
            outcome = retention.preview(policy) if dry_run else retention.apply(policy, archive_path=archive_path)
            return outcome_dict(outcome, dry_run)

    def remove_retention_policy(self, name: str) -> None:
        """Forget a policy; no run is touched.

        Raises:
            UsageError: There is none of that name.
        """
        from runner.engine.retention import Retention

        with Retention.open(self.db_path, create=True) as retention:
            retention.remove(name)

    def retention_audit(self, limit: int = 20) -> list[dict[str, Any]]:
        """Return who deleted what, when and by which policy, the latest first; none where there is no database yet."""
        from runner.engine.retention import Retention
        from runner.engine.retention_report import audit_dicts

        if not os.path.exists(self.db_path):
            return []
        with Retention.open(self.db_path) as retention:
            return audit_dicts(retention.audit(limit))

    def cleanup(self, days: float) -> int:
        """Delete the runs started more than `days` ago and free their space; return how many.

        Raises:
            UsageError: The minimum of a retention policy forbids it.
        """
        from runner.engine.retention import Retention
        from runner.policy.retention import Policy

        if not os.path.exists(self.db_path):
            return 0
        with Retention.open(self.db_path) as retention:
            return retention.apply(Policy("", days), "cleanup").runs()
