"""What a figure of a run is held against: a level, and how far from it a single run may be by chance."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Protocol

    class References(Protocol):
        """Where levels come from: a baseline, or the record."""

        def references(self, metric: str) -> Sequence[Reference]:
            """Return what a metric is held against; nothing where it can't be compared."""


class Reference:
    """A level of one figure, in the unit of its metric.

    Attributes:
        value: The level.
        lower: A run below this is below it by more than chance.
        upper: A run above this is above it by more than chance.
        count: Runs that it rests on.
        label: What it is, for people: ``median of 20 runs``.
    """

    __slots__ = ("count", "label", "lower", "upper", "value")

    def __init__(self, value: float, lower: float, upper: float, count: int, label: str) -> None:
        self.value = value
        self.lower = lower
        self.upper = upper
        self.count = count
        self.label = label

    def __iter__(self) -> Iterator[float]:
        """Iterate over level, lower and upper bound, and count."""
        return iter((self.value, self.lower, self.upper, self.count))
