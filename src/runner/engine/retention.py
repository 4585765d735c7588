"""Applies retention policies: what they no longer keep is archived, deleted, and accounted for."""

from __future__ import annotations

from time import monotonic, time_ns

from runner.engine.retention_policies import Policies, actor, scope_of
from runner.model.days import DAY, days_before
from runner.model.errors import RunnerError, StoreError, StoreLockedError, UsageError
from runner.model.parts import RUNS
from runner.model.units import format_count
from runner.policy.retention import Policy
from runner.policy.retention_conflicts import forbidding
from runner.stores.purge import HOLD, Action, Purge, Tally

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from runner.exporters.records import Written
    from runner.policy.retention import Task
    from runner.stores.base import Store
    from runner.stores.purge import Pair, Position

#: Runs that an automatic cleanup archives at most.
_ARCHIVED_AT_ONCE = 500
#: An automatic cleanup that left nothing to do is due again after this part of the period: late by a hundredth.
_DUE = 100


class Outcome:
    """What was deleted, or would be.

    Attributes:
        policy: Whose terms were applied.
        parts: What was deleted of which part of the runs.
        archive: Where it is now, None if nowhere.
        freed: Bytes by which the database shrank; with a preview an estimate.
        kept: Name of each policy that withheld some runs, and how many; None where they could not be counted in time.
        complete: Whether nothing is left to do.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.parts: list[tuple[Task, Tally]] = []
        self.archive: Written | None = None
        self.freed = 0
        self.kept: dict[str, int | None] = {}
        self.complete = True

    def runs(self) -> int:
        """How many runs were deleted whole."""
        return sum(tally.runs for task, tally in self.parts if task.part == RUNS)


class Retention(Policies):
    """The retention of one record: its policies, and what is done by them."""

    def preview(self, policy: Policy) -> Outcome:
        """Return what applying a policy would delete, and an estimate of the space that frees.

        Raises:
            UsageError: A minimum forbids it.
        """
        outcome = Outcome(policy)
        each = self._keeper.bytes_a_run()
        purges = self._purges(policy, time_ns())
        self._note_kept(purges, outcome)
        for task, purge in purges:
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
        purges = self._purges(policy, time_ns())
        self._note_kept(purges, outcome)
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

    def _purges(self, policy: Policy, now: int) -> list[tuple[Task, Purge]]:
        """Return what a policy asks to be deleted, from which the runs are withheld that the minimums of others cover.

        Raises:
            UsageError: One plainly covers them all.
        """
        others = [other for other in self.policies().values() if other.name.lower() != policy.name.lower()]
        forbids = forbidding(policy, others)
        if forbids is not None:
            bound = f"policy {forbids.name!r} ({forbids.compliance}) keeps at least {forbids.days:g} days"
            raise UsageError(f"nothing was deleted: {bound}, and this would delete after {policy.soonest(forbids):g}")
        result = []
        for task in policy.tasks(now):
            # Whatever the scripts are called: only the runs themselves tell whether a minimum covers them.
            kept = {other.name: scope_of(other, since=days_before(other.days, now)) for other in others
                    if other.days is not None and other.protects(task.part, policy.metrics)}  # fmt: skip
            wanted = scope_of(policy, task.since, task.before)
            result.append((task, Purge(task.part, wanted, kept, policy.metrics, task.seconds)))
        return result

    def _note_kept(
        self, purges: list[tuple[Task, Purge]], outcome: Outcome, deadline: float | None = None
    ) -> None:
        """Note in the outcome which policies withhold how many runs."""
        for _, purge in purges:
            for name, count in self._keeper.count_kept(purge, deadline).items():
                if count is None:
                    outcome.kept.setdefault(name)
                elif count:
                    outcome.kept[name] = max(count, outcome.kept.get(name) or 0)

    def tidy(self, policy: Policy, deadline: float) -> Outcome | None:
        """Apply a policy automatically: until a moment (`time.monotonic`), and only if it is due.

        Returns:
            What was done, None if it was not due.

        Raises:
            UsageError: A minimum forbids it.
        """
        progress, looked = self._keeper.progress(policy.name)
        now = time_ns()
        ago = now - looked  # below zero where the clock was set back since
        if 0 <= ago < policy.shortest * DAY / _DUE:
            return None
        outcome = Outcome(policy)
        action = Action("auto", policy.name or None, actor())
        before = dict(progress)
        try:
            purges = self._purges(policy, now)
        except UsageError:
            self._keeper.put_progress(policy.name, {}, now)  # so that not every run says it
            raise
        for task, purge in purges:
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
        if outcome.complete:
            if not 0 <= ago < DAY / _DUE:  # what is kept no days at all is due after each run
                self._note_kept(purges, outcome, deadline)
            self._keeper.put_progress(policy.name, {}, now)
        elif progress != before:
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
            who = f"automatic cleanup{f' by policy {name!r}' if name else ''}"
            try:
                outcome = retention.tidy(retention.find(name) if name else Policy("", days), deadline)
            except StoreLockedError:
                break  # others are at it
            except RunnerError as error:
                if isinstance(error, StoreError):
                    raise
                said.append(f"{who}: {error}")
                continue
            if outcome is None:
                continue
            if outcome.archive is not None:
                said.append(f"archived {outcome.archive.runs} old runs to {outcome.archive.path}")
            said += [f"{who}: {_runs(count)} because of policy {kept!r}" for kept, count in outcome.kept.items()]
    return said


def _runs(count: int | None) -> str:
    if count is None:
        return "runs stay"
    return "1 run stays" if count == 1 else f"{format_count(count)} runs stay"


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
