"""What is to be deleted from a store, why, how much it was, and how much fits into a step."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from runner.stores.base import RunFilter

    #: Where a search came to: start and key of a run.
    Position = tuple[int, int]
    #: Key and id of a run.
    Pair = tuple[int, int]

#: Seconds for which the file may be locked at a time, and for which it is left to others then. SQLite looks again for a
#: lock after at most 25 ms during the first 100: a gap of that length lets in everybody who waits.
HOLD, GAP = 0.025, 0.025

#: Runs that go into a step at most.
LARGEST_STEP = 5000


class Purge:
    """What is to be deleted.

    Attributes:
        part: One of `model.parts`.
        wanted: Which runs; `until` is always there.
        kept: Runs that must stay as they are all the same, by the name of what keeps them.
        metrics: With `METRICS`, the names of the figures.
        seconds: With `COARSER`, the span of a bucket.
    """

    __slots__ = ("kept", "metrics", "part", "seconds", "wanted")

    def __init__(
        self, part: str, wanted: RunFilter, kept: Mapping[str, RunFilter] | None = None, metrics: Sequence[str] = (),
        seconds: float = 0.0,
    ) -> None:  # fmt: skip
        self.part = part
        self.wanted = wanted
        self.kept = dict(kept or {})
        self.metrics = tuple(metrics)
        self.seconds = seconds

    @property
    def before(self) -> int:
        """Runs started before this moment are meant."""
        assert self.wanted.until is not None
        return self.wanted.until


class Action:
    """Why something is deleted, and by whom: what its rows in the audit have in common.

    Args:
        what: ``apply``, ``cleanup``, ``auto``, ``add`` or ``remove``.
        policy: The policy's name.
        by: User, host, process and line.
    """

    def __init__(self, what: str, policy: str | None = None, by: dict[str, Any] | None = None) -> None:
        self.id = os.urandom(4).hex()
        self.what = what
        self.policy = policy
        self.by: dict[str, Any] | None = by if by is not None else {"pid": os.getpid()}
        self.archive: str | None = None
        self.sha256: str | None = None


class Tally:
    """How much was deleted, or would be: in all, and of each script."""

    FIELDS = ("runs", "samples", "outputs", "bytes")

    def __init__(self) -> None:
        self.runs = self.samples = self.outputs = self.bytes = 0
        self.first: int | None = None
        self.last: int | None = None
        self.scripts: dict[str, Tally] = {}

    def add(self, script: str, first: int | None = None, last: int | None = None, **more: int) -> None:
        """Add what was deleted of one script."""
        for tally in (self, self.scripts.setdefault(script, Tally())):
            for field, amount in more.items():
                setattr(tally, field, getattr(tally, field) + amount)
            if first is not None and last is not None:
                tally.first = first if tally.first is None else min(tally.first, first)
                tally.last = last if tally.last is None else max(tally.last, last)

    def add_run(self, script: str, started: int) -> None:
        """Add one run of a script."""
        part = self.scripts.get(script)
        if part is None:
            part = self.scripts[script] = Tally()
        for tally in (self, part):
            tally.runs += 1
            if tally.first is None or tally.last is None:
                tally.first = tally.last = started
            elif started < tally.first:
                tally.first = started
            elif started > tally.last:
                tally.last = started

    def merge(self, other: Tally) -> None:
        """Add all that another one counted."""
        for script, part in other.scripts.items():
            self.add(script, part.first, part.last, **{field: getattr(part, field) for field in self.FIELDS})

    def __bool__(self) -> bool:
        return any(getattr(self, field) for field in self.FIELDS)


class Pace:
    """How much goes into one step, so that it takes about `HOLD` seconds."""

    def __init__(self, size: int) -> None:
        self.size = size

    def took(self, seconds: float) -> None:
        """Learn how long a step of this size took."""
        fitting = int(self.size * HOLD / max(seconds, 1e-6))
        self.size = max(1, min(fitting, 2 * self.size, LARGEST_STEP))
