"""Keeps the retention policies of a record: checked when they are added, and the same wherever they are applied."""

from __future__ import annotations

import os
import sys

from runner.engine import facts
from runner.engine.location import absolute
from runner.model.errors import UsageError
from runner.model.metrics import BY_NAME
from runner.model.metrics import find as find_metric
from runner.model.redact import redact_arguments
from runner.model.run import fits
from runner.model.words import did_you_mean
from runner.policy.retention import Policy
from runner.policy.retention_conflicts import contradiction, outdoes
from runner.stores import STORES
from runner.stores.base import RunFilter
from runner.stores.purge import Action

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Any, Self

    from runner.stores.base import Script, Store
    from runner.stores.retention import Keeper


class Policies:
    """The policies of one record. It serves one thread at a time.

    Args:
        store: The record; it must be one that can delete in steps.

    Every method may raise `StoreError`, and `UsageError` where a policy in the record can't be understood.
    """

    def __init__(self, store: Store) -> None:
        keeper = store.keeper()
        assert keeper is not None
        self._keeper: Keeper = keeper
        self._store = store

    @classmethod
    def open(cls, path: str, create: bool = False) -> Self:
        """Open the record at a path, for a ``with`` block; `create` it if need be."""
        return cls(STORES.load("sqlite")(path, create=create))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._store.close()

    def policies(self) -> dict[str, Policy]:
        """Return the policies by name, in the order in which they were added."""
        return {name: _understood(name, terms) for name, _, terms in self._keeper.policies()}

    def added(self) -> dict[str, int]:
        """Return when each policy was added, in nanoseconds since the epoch."""
        return {name: added for name, added, _ in self._keeper.policies()}

    def find(self, name: str) -> Policy:
        """Return the policy of that name, whatever its case.

        Raises:
            UsageError: There is none.
        """
        return _understood(*self._named(name))

    def _named(self, name: str) -> tuple[str, dict[str, Any]]:
        """Return the name of a policy as it is kept, and its terms."""
        found = {known: terms for known, _, terms in self._keeper.policies()}
        for known, terms in found.items():
            if known.lower() == name.lower():
                return known, terms
        listed = f"there are {', '.join(found)}" if found else "there are none yet"
        raise UsageError(f"there is no retention policy {name!r}{did_you_mean(name, found)}; {listed}")

    def check(self, policy: Policy) -> Policy:
        """Return a policy as it would be kept: what its script and its place for archives are seen from here is fixed.

        Raises:
            UsageError: It contradicts one that there is, and both are named; or it speaks of what there is not.
        """
        if not policy.name.strip() or not policy.name.isprintable() or len(policy.name) > 100:
            raise UsageError(f"{policy.name!r} is no name for a policy: it needs 1 to 100 printable characters")
        scope_of(policy)
        if policy.archive_path:
            from runner.engine.archive import check_place

            check_place(policy.archive_path)
        for name in policy.metrics:
            if name not in BY_NAME and all(name != each.name for each in self._store.presence()):
                find_metric(name)
        known = self._store.scripts()
        policy = Policy.from_terms(policy.name, {
            **policy.terms(), "script": identity(policy.script, known), "archive_path": _place(policy.archive_path),
        })  # fmt: skip
        self._check_against_others(policy, known)
        return policy

    def _check_against_others(self, policy: Policy, known: Sequence[Script]) -> None:
        others = self.policies()
        clash = contradiction(policy, others.values(), known)
        if clash:
            raise UsageError(f"policy {policy.name!r} was not added: {clash}")
        for name, before in others.items():
            if name.lower() == policy.name.lower() and before.floor and not outdoes(policy, before):
                raise UsageError(f"policy {name!r} {before.describe()} ({before.compliance}) and can't be replaced by "
                                 f"less; `runner retention remove {name}` removes it")  # fmt: skip

    def add(self, policy: Policy) -> bool:
        """Keep a policy (see `check`), in place of one of that name; return whether anything changed.

        Raises:
            UsageError: It contradicts one that there is, or speaks of what there is not.
        """
        policy = self.check(policy)
        before = {name.lower(): known for name, known in self.policies().items()}.get(policy.name.lower())
        if before is not None and (before.name, before.terms()) == (policy.name, policy.terms()):
            return False
        self._keeper.put_policy(policy.name, policy.terms(), Action("add", policy.name, actor()))
        return True

    def remove(self, name: str) -> dict[str, Any]:
        """Forget a policy, also one that can't be understood; return its name and terms. No run is touched.

        Raises:
            UsageError: There is none of that name.
        """
        known, terms = self._named(name)
        self._keeper.drop_policy(known, Action("remove", known, actor()))
        return {"name": known, **terms}

    def audit(self, limit: int) -> list[dict[str, Any]]:
        """Return the rows of the latest actions (see `Ledger.audit`)."""
        return self._keeper.audit(limit)

    def strangers(self, policy: Policy) -> list[str]:
        """Return the scripts that have runs, where a policy is for one that has none; otherwise nothing."""
        known = self._store.scripts()
        if scope_of(policy).scripts(known):
            return []
        return sorted({name or path for _, path, name in known})


def scope_of(policy: Policy, since: int | None = None, until: int | None = None) -> RunFilter:
    """Return which runs a policy is for, in whatever folder this is.

    Args:
        policy: The policy, as it is kept.
        since: Earliest start, in nanoseconds since the epoch.
        until: Start before this moment.

    Raises:
        UsageError: No run ends as it says.
    """
    return RunFilter(policy.script, policy.status, since, until, here=False)


def identity(word: str, known: Sequence[Script]) -> str:
    """Return a word for the script that a word means here, which means the same everywhere.

    Args:
        word: A script as people name it.
        known: The scripts that have runs.

    Returns:
        The absolute path of what is written as a path, of a file that there is here, or of one that has runs; the word
        itself where it is a name, or the end of a path of a script that has runs.
    """
    path = absolute(word)
    written = os.sep in word and not any(fits(word, script) for script in known)
    if word and (
        word.startswith(("/", "./", "../")) or written or os.path.isfile(path) or any(path == key for key, *_ in known)
    ):
        return path
    return word


def actor() -> dict[str, Any]:
    """Return who acts: user, host, process and line, secrets redacted."""
    line = redact_arguments(sys.orig_argv[1:] if hasattr(sys, "orig_argv") else sys.argv)
    return {"user": facts.user_name(), "host": os.uname().nodename, "pid": os.getpid(), "line": line}


def _understood(name: str, terms: dict[str, Any]) -> Policy:
    """Return the policy that the record has under a name.

    Raises:
        UsageError: It says what makes no sense, or what only another version knows; nothing is deleted until it is
            removed, since it may be a minimum.
    """
    try:
        policy = Policy.from_terms(name, terms)
        scope_of(policy)
    except (UsageError, TypeError, ValueError) as error:
        raise UsageError(f"retention policy {name!r} in the record can't be understood ({error}); "
                         f"`runner retention remove {name}` removes it") from None  # fmt: skip
    return policy


def _place(path: str) -> str:
    """Return a place for archives from the root on; a slash at its end still says that it is a folder."""
    if not path:
        return ""
    return os.path.join(absolute(path), "") if path.endswith(os.sep) else absolute(path)
