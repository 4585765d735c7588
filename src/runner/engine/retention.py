"""Keeps retention policies and applies them: what they no longer keep is archived, deleted, and accounted for."""

from __future__ import annotations

import os
import sys
from time import monotonic, time_ns

from runner.engine import facts
from runner.model.errors import RunnerError, StoreError, StoreLockedError, UsageError
from runner.model.metrics import BY_NAME
from runner.model.metrics import find as find_metric
from runner.model.redact import redact_arguments
from runner.model.words import did_you_mean
from runner.policy.retention import Policy, contradiction, forbidding
from runner.stores import STORES
from runner.stores.base import RunFilter
from runner.stores.purge import HOLD, RUNS, Action, Purge, Tally

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType
    from typing import Any, Self

    from runner.exporters.records import Written
    from runner.policy.retention import Task
    from runner.stores.base import Store
    from runner.stores.purge import Pair, Position
    from runner.stores.retention import Keeper

#: Runs that an automatic cleanup archives at most.
_ARCHIVED_AT_ONCE = 500
#: An automatic cleanup that left nothing to do is due again after this part of the period: late by a hundredth.
_DUE = 100

_DAY = 86_400_000_000_000


class Outcome:
    """What was deleted, or would be.

    Attributes:
        policy: Whose terms were applied.
        parts: What was deleted of which part of the runs.
        archive: Where it is now, None if nowhere.
        freed: Bytes by which the database shrank; with a preview an estimate.
        kept: Name of each policy that withheld some runs, and how many.
        complete: Whether nothing is left to do.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.parts: list[tuple[Task, Tally]] = []
        self.archive: Written | None = None
        self.freed = 0
        self.kept: dict[str, int] = {}
        self.complete = True

    def runs(self) -> int:
        """How many runs were deleted whole."""
        return sum(tally.runs for task, tally in self.parts if task.part == RUNS)


class Retention:
    """The retention of one record. It serves one thread at a time.

    Args:
        store: The record; it must be one that can delete in steps.

    Every method may raise `StoreError`.
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
        return {name: Policy.from_terms(name, terms) for name, _, terms, _ in self._keeper.policies()}

    def added(self) -> dict[str, int]:
        """Return when each policy was added, in nanoseconds since the epoch."""
        return {name: added for name, added, _, _ in self._keeper.policies()}

    def find(self, name: str) -> Policy:
        """Return the policy of that name, whatever its case.

        Raises:
            UsageError: There is none.
        """
        policies = self.policies()
        for known, policy in policies.items():
            if known.lower() == name.lower():
                return policy
        listed = f"there are {', '.join(policies)}" if policies else "there are none yet"
        raise UsageError(f"there is no retention policy {name!r}{did_you_mean(name, policies)}; {listed}")

    def check(self, policy: Policy) -> None:
        """Refuse a policy that can't be kept.

        Raises:
            UsageError: It contradicts one that there is, and both are named; or it speaks of what there is not.
        """
        if not policy.name.strip() or not policy.name.isprintable() or len(policy.name) > 100:
            raise UsageError(f"{policy.name!r} is no name for a policy: it needs 1 to 100 printable characters")
        others = self.policies()
        if policy.archive_path:
            from runner.engine.archive import check_place

            check_place(policy.archive_path)
        for name in policy.metrics:
            if name not in BY_NAME and all(name != each.name for each in self._store.presence()):
                find_metric(name)
        clash = contradiction(policy, others.values())
        if clash:
            raise UsageError(f"policy {policy.name!r} was not added: {clash}")
        for known, before in others.items():
            if known.lower() != policy.name.lower() or not before.floor:
                continue
            if not (policy.floor and policy.covers(before) and policy.shortest >= before.shortest):
                raise UsageError(f"policy {known!r} {before.describe()} ({before.compliance}) and can't be replaced by "
                                 f"less; `runner retention remove {known}` removes it")  # fmt: skip

    def add(self, policy: Policy) -> bool:
        """Keep a policy, in place of one of that name; return whether anything changed.

        Raises:
            UsageError: It contradicts one that there is.
        """
        self.check(policy)
        before = {name.lower(): known for name, known in self.policies().items()}.get(policy.name.lower())
        if before is not None and (before.name, before.terms()) == (policy.name, policy.terms()):
            return False
        self._keeper.put_policy(policy.name, policy.terms(), Action("add", policy.name, actor()))
        return True

    def remove(self, name: str) -> Policy:
        """Forget a policy and return it; no run is touched.

        Raises:
            UsageError: There is none of that name.
        """
        policy = self.find(name)
        self._keeper.drop_policy(policy.name, Action("remove", policy.name, actor()))
        return policy

    def audit(self, limit: int) -> list[dict[str, Any]]:
        """Return the rows of the latest actions (see `Ledger.audit`)."""
        return self._keeper.audit(limit)

    def strangers(self, policy: Policy) -> list[str]:
        """Return the scripts that have runs, where a policy is for one that has none; otherwise nothing."""
        known = self._store.scripts()
        if not policy.script or RunFilter(policy.script).scripts(known):
            return []
        return sorted({name or path for _, path, name in known})

    def preview(self, policy: Policy) -> Outcome:
        """Return what applying a policy would delete, and an estimate of the space that frees.

        Raises:
            UsageError: A minimum forbids it.
        """
        outcome = Outcome(policy)
        each = self._keeper.bytes_a_run()
        for task, purge in self._purges(policy, outcome):
            tally = self._keeper.weigh(purge)
            if task.part == RUNS:
                for part in (tally, *tally.scripts.values()):
                    part.bytes += int(part.runs * each)
            outcome.parts.append((task, tally))
            outcome.freed += tally.bytes
        return outcome

    def apply(
        self, policy: Policy, what: str = "apply", archive_path: str = "",
        told: Callable[[int, str], None] | None = None,
    ) -> Outcome:  # fmt: skip
        """Delete what a policy no longer keeps.

        Args:
            policy: The policy; it need not be one that is kept.
            what: What the audit calls it.
            archive_path: Where to archive to first; the policy's own place where empty.
            told: Called now and then with how many runs were done, and what was done with them.

        Raises:
            UsageError: A minimum forbids it, or it can't be archived there.
            ArchiveError: It could not be archived; nothing was deleted.
        """
        outcome = Outcome(policy)
        action = Action(what, policy.name or None, actor())
        purges = self._purges(policy, outcome)
        place = archive_path or policy.archive_path
        found = None
        if place:
            found = [[pair for pairs, _ in self._keeper.find(purge) for pair in pairs] for _, purge in purges]
            found = self._archive(place, found, outcome, action, told)
        with self._keeper.gentle():
            for number, (task, purge) in enumerate(purges):
                pages = self._keeper.find(purge) if found is None else iter([(found[number], (0, 0))])
                so_far = sum(tally.runs for _, tally in outcome.parts)
                tell = None if told is None else lambda tally, done=so_far: told(done + tally.runs, "runs done")
                outcome.parts.append((task, self._keeper.delete(purge, action, pages, told=tell)[0]))
            # Somebody who was interrupted may have left something too.
            if any(tally for _, tally in outcome.parts) or self._keeper.has_free_pages():
                self._keeper.drop_unused()
                outcome.freed = self._keeper.give_back()
                self._keeper.account_alone(action, "space", outcome.freed, complete=True)
        if policy.name:
            self._keeper.put_progress(policy.name, {})
        return outcome

    def _archive(
        self, place: str, found: list[list[Pair]], outcome: Outcome, action: Action,
        told: Callable[[int, str], None] | None = None, deadline: float | None = None,
    ) -> list[list[Pair]]:  # fmt: skip
        """Archive the runs that something is deleted of; return of them those that are in the archive."""
        from runner.engine.archive import archive, check_place

        check_place(place)
        doomed = list({pair[1]: pair for pairs in found for pair in pairs}.values())
        if not doomed:
            return found
        passed: list[str] = []
        tell = None if told is None else lambda count: told(count, "runs archived")
        name = outcome.policy.name or action.what
        outcome.archive = archive(place, name, _until(self._keeper.read(doomed), deadline, passed), tell)
        action.archive, action.sha256 = outcome.archive.path, outcome.archive.sha256
        self._keeper.account_alone(action, "archive", outcome.archive.size, runs=outcome.archive.runs)
        archived = {int(run, 16) for run in passed}  # exactly these may go now
        return [[pair for pair in pairs if pair[1] in archived] for pairs in found]

    def _purges(self, policy: Policy, outcome: Outcome, now: int | None = None) -> list[tuple[Task, Purge]]:
        """Return what a policy asks to be deleted, without what other policies keep; these are noted in the outcome."""
        others = [other for other in self.policies().values() if other.name.lower() != policy.name.lower()]
        now = time_ns() if now is None else now
        forbids = forbidding(policy, others)
        if forbids is not None:
            raise UsageError(f"nothing was deleted: policy {forbids.name!r} ({forbids.compliance}) keeps at least "
                             f"{forbids.days:g} days, and this would delete after {policy.shortest:g}")  # fmt: skip
        floors = [other for other in others if other.floor and other.meets(policy) and other.days is not None]
        kept = [RunFilter(other.script, other.status, since=now - int(min((other.days or 0) * _DAY, now)))
                for other in floors]  # fmt: skip
        result = []
        for task in policy.tasks(now):
            wanted = RunFilter(policy.script, policy.status, task.since, task.before)
            purge = Purge(task.part, wanted, kept, policy.metrics, task.seconds)
            result.append((task, purge))
            for other, count in zip(floors, self._keeper.count_kept(purge), strict=True):
                if count:
                    outcome.kept[other.name] = max(count, outcome.kept.get(other.name, 0))
        return result

    def tidy(self, policy: Policy, deadline: float) -> Outcome | None:
        """Apply a policy automatically: until a moment (`time.monotonic`), and only if it is due.

        Returns:
            What was done, None if it was not due.

        Raises:
            UsageError: A minimum forbids it.
        """
        last = self._keeper.last_action("auto", policy.name or None)
        now = time_ns()
        # A clock that was set back may have put the last time into the future.
        if last and last[1] and 0 <= now - last[0] < policy.shortest * _DAY / _DUE:
            return None
        outcome = Outcome(policy)
        action = Action("auto", policy.name or None, actor())
        progress = next((p for name, _, _, p in self._keeper.policies() if name == policy.name), {})
        before = dict(progress)
        for task, purge in self._purges(policy, outcome, now):
            if monotonic() > deadline:
                outcome.complete = False
                break
            key = f"{task.part} {task.seconds:g}"
            pages = self._keeper.find(purge, progress.get(key))
            if policy.archive_path:
                pairs = _first(pages, deadline)
                half = monotonic() + max(0.0, deadline - monotonic()) / 4  # to read it back takes as long
                [archived] = self._archive(policy.archive_path, [pairs], outcome, action, deadline=half)
                outcome.complete &= len(archived) == len(pairs) < _ARCHIVED_AT_ONCE
                pages = iter([(archived, (-1, -1))])
            tally, position = self._keeper.delete(purge, action, pages, deadline)
            outcome.parts.append((task, tally))
            progress.pop(key, None)
            if position is not None:
                outcome.complete = False
                progress[key] = position
        deleted = any(tally for _, tally in outcome.parts)
        if deleted and outcome.complete:
            self._keeper.drop_unused(deadline)  # in a large record there may never be time for it
        if deleted or self._keeper.has_free_pages():
            outcome.freed = self._keeper.give_back(deadline)
            outcome.complete &= not self._keeper.has_free_pages()
            self._keeper.account_alone(action, "space", outcome.freed, outcome.complete)
        if policy.name and progress != before:
            self._keeper.put_progress(policy.name, progress)
        return outcome


def tidy_up(store: Store, days: float | None, names: Iterable[str], deadline: float) -> list[str]:
    """Delete automatically what is no longer kept, until a moment; what is left is done another time.

    Args:
        store: The record.
        days: Days that runs are kept, None for ever.
        names: Policies that are applied.
        deadline: As `time.monotonic` has it.

    Returns:
        A line for each thing worth saying.

    Raises:
        StoreError: The record can't be written.
    """
    said = []
    deadline -= 3 * HOLD  # a step of deleting, of giving back space, and of accounting for it may end late
    retention = Retention(store)
    with retention._keeper.impatient(), retention._keeper.gentle():
        for name in ([""] if days is not None else []) + list(names):
            try:
                outcome = retention.tidy(retention.find(name) if name else Policy("", days), deadline)
            except StoreLockedError:
                break  # others are at it
            except RunnerError as error:
                if isinstance(error, StoreError):
                    raise
                said.append(f"automatic cleanup{f' by policy {name!r}' if name else ''}: {error}")
                continue
            if outcome is not None and outcome.archive is not None:
                said.append(f"archived {outcome.archive.runs} old runs to {outcome.archive.path}")
    return said


def _first(pages: Iterator[tuple[list[Pair], Position]], deadline: float) -> list[Pair]:
    """Return as many pairs as are archived at once, or can be found until a moment."""
    found: list[Pair] = []
    for pairs, _ in pages:
        found += pairs
        if len(found) >= _ARCHIVED_AT_ONCE or monotonic() > deadline:
            break
    return found[:_ARCHIVED_AT_ONCE]


def _until(runs: Iterator[Any], deadline: float | None, passed: list[str]) -> Iterator[Any]:
    """Let runs pass until a moment, at least one, and note their ids."""
    for run in runs:
        passed.append(run.id)
        yield run
        if deadline is not None and monotonic() > deadline:
            return


def actor() -> dict[str, Any]:
    """Return who acts: user, host, process and line, secrets redacted."""
    line = redact_arguments(sys.orig_argv[1:] if hasattr(sys, "orig_argv") else sys.argv)
    return {"user": facts.user_name(), "host": os.uname().nodename, "pid": os.getpid(), "line": line}
