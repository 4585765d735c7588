"""Keeps the retention policies of a SQLite store, and the account of everything that was deleted from it."""

from __future__ import annotations

from json import loads
from time import time_ns

from runner.agent.events import dumps
from runner.stores.purge import Tally
from runner.stores.steps import Steps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runner.stores.purge import Action, Position


_LOOKED = "looked"


class Ledger(Steps):
    """Policies and the audit of one SQLite store.

    A row without a name is no policy: it keeps the progress of the automatic cleanup that has none.
    """

    def policies(self) -> list[tuple[str, int, dict[str, Any]]]:
        """Return of each policy its name, when it was added, and its terms."""
        return [(name, added, loads(terms)) for name, added, terms in self._ask("list_policies")]

    def put_policy(self, name: str, terms: dict[str, Any], action: Action) -> None:
        """Keep a policy, in place of one of that name."""

        def work() -> None:
            self._execute("put_policy", [name, time_ns(), dumps(terms)])
            self.account(action)

        self._transact(work)

    def drop_policy(self, name: str, action: Action) -> None:
        """Forget a policy."""

        def work() -> None:
            self._execute("drop_policy", [name])
            self.account(action)

        self._transact(work)

    def progress(self, name: str) -> tuple[dict[str, Position], int]:
        """Return how far an automatic application of a policy came, and when one last left nothing to do.

        Args:
            name: The policy; "" for the cleanup without one.

        Returns:
            Where to go on, by part, and nanoseconds since the epoch, 0 for never.
        """
        found = self._ask("get_progress", [name])
        positions = loads(found[0][0] or "{}") if found else {}
        looked = positions.pop(_LOOKED, 0)
        return positions, looked

    def put_progress(self, name: str, positions: dict[str, Position], looked: int = 0) -> None:
        """Remember what `progress` returns."""
        progress = {**positions, **({_LOOKED: looked} if looked else {})}

        def work() -> None:
            if not name:
                self._execute("put_nameless", [time_ns()])
            self._execute("put_progress", [dumps(progress) if progress else None, name])

        self._transact(work)

    def account(self, action: Action, part: str = "", before: int | None = None, tally: Tally | None = None,
                bytes: int = 0, complete: bool = False) -> None:  # fmt: skip
        """Write one row of the audit, in the transaction that is open."""
        tally = tally or Tally()
        scripts = {script: each.runs for script, each in tally.scripts.items()}
        by, action.by = action.by, None
        self._execute("add_audit", [
            action.id, time_ns(), action.what, action.policy, dumps(by) if by else None, part or None, before,
            tally.runs, tally.first, tally.last, tally.samples, tally.outputs, bytes or tally.bytes,
            dumps(scripts) if scripts else None, action.archive, action.sha256, complete,
        ])  # fmt: skip

    def account_alone(
        self, action: Action, part: str = "", bytes: int = 0, complete: bool = False, runs: int = 0
    ) -> None:
        """Write one row of the audit in a transaction of its own: the end of an action, or its archive."""
        tally = Tally()
        tally.runs = runs
        self._transact(lambda: self.account(action, part, None, tally, bytes, complete))

    def audit(self, limit: int) -> list[dict[str, Any]]:
        """Return the rows of the latest actions, in order, as dicts by column."""
        names = ("action", "at", "what", "policy", "by", "part", "before", "runs", "first", "last", "samples",
                 "outputs", "bytes", "scripts", "archive", "sha256", "complete")  # fmt: skip
        rows = [dict(zip(names, row, strict=True)) for row in self._ask("list_audit", [limit])]
        for row in rows:
            row["by"], row["scripts"] = loads(row["by"] or "{}"), loads(row["scripts"] or "{}")
        return rows
