"""What is usual of a figure, the place of one run in it, and what may explain that the run is not like the others."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

# What a figure of a run is, compared with those of earlier runs.
USUAL = "usual"
HIGHER = "higher"  # far above what was seen before, by an amount that matters
LOWER = "lower"  # likewise below
UNKNOWN = "unknown"  # it or too few others were measured


class Usual:
    """What is usual of one figure.

    Attributes:
        low: Where the lowest 5 % of the runs end; NaN without runs, like the next two.
        median: The middle.
        high: Where the highest 5 % begin.
        count: Runs it rests on.
        enough: Whether these are enough to say so.
        floor: Below this, a figure stands out.
        ceiling: Above this, a figure stands out.
    """

    __slots__ = ("ceiling", "count", "enough", "floor", "high", "low", "median")

    def __init__(
        self, low: float, median: float, high: float, count: int, enough: bool, floor: float, ceiling: float
    ) -> None:
        self.low = low
        self.median = median
        self.high = high
        self.count = count
        self.enough = enough
        self.floor = floor
        self.ceiling = ceiling


class Place:
    """The place of one run's figure among those of earlier runs.

    Attributes:
        value: The figure, None where it was not measured.
        usual: What is usual.
        below: Earlier runs with less.
        equal: Earlier runs with the same.
        verdict: `USUAL`, `HIGHER`, `LOWER` or `UNKNOWN`.
    """

    __slots__ = ("below", "equal", "usual", "value", "verdict")

    def __init__(self, value: float | None, usual: Usual, below: int, equal: int, verdict: str) -> None:
        self.value = value
        self.usual = usual
        self.below = below
        self.equal = equal
        self.verdict = verdict

    @property
    def above(self) -> int:
        """How many earlier runs have more."""
        return self.usual.count - self.below - self.equal

    @property
    def stands_out(self) -> bool:
        """Whether the figure is unlike those of earlier runs."""
        return self.verdict in (HIGHER, LOWER)

    def to_dict(self) -> dict[str, Any]:
        """Return it as reports have it; ``percentile`` counts half of the equal ones (mid-rank)."""
        usual = self.usual
        known = usual.count > 0
        return {
            "value": self.value,
            "low": usual.low if known else None,
            "median": usual.median if known else None,
            "high": usual.high if known else None,
            "count": usual.count,
            "percentile": 100 * (self.below + self.equal / 2) / usual.count
            if known and self.value is not None
            else None,
            "verdict": self.verdict,
        }


class Cause:
    """A fact in which a run differs from earlier ones.

    Attributes:
        kind: Which fact: ``script``, ``packages``, ``load`` ...
        text: In words.
        likely: Whether it explains what stands out, by its size and direction; otherwise it merely differs.
        before: What it was, as text, or None.
        now: What it is.
    """

    __slots__ = ("before", "kind", "likely", "now", "text")

    def __init__(
        self, kind: str, text: str, likely: bool = False, before: str | None = None, now: str | None = None
    ) -> None:
        self.kind = kind
        self.text = text
        self.likely = likely
        self.before = before
        self.now = now

    def to_dict(self) -> dict[str, Any]:
        """Return it as reports have it."""
        return {name: getattr(self, name) for name in ("kind", "text", "likely", "before", "now")}


class Comparison:
    """How a run compares with earlier ones like it.

    Attributes:
        places: By metric.
        left_out: Runs of the script that it was not compared with, by reason: ``failed``, ``arguments``, ``host``.
        causes: What differs, the likeliest first.
    """

    __slots__ = ("causes", "left_out", "places")

    def __init__(self, places: dict[str, Place], left_out: dict[str, int], causes: Sequence[Cause] = ()) -> None:
        self.places = places
        self.left_out = left_out
        self.causes = list(causes)

    @property
    def count(self) -> int:
        """How many runs it rests on."""
        return max((place.usual.count for place in self.places.values()), default=0)

    @property
    def enough(self) -> bool:
        """Whether these are enough to say what is usual."""
        return any(place.usual.enough for place in self.places.values())

    @property
    def standing_out(self) -> dict[str, Place]:
        """The figures that are unlike those of earlier runs."""
        return {name: place for name, place in self.places.items() if place.stands_out}

    def to_dict(self) -> dict[str, Any]:
        """Return it as reports have it."""
        return {
            "runs": self.count,
            "enough": self.enough,
            "left_out": self.left_out,
            "metrics": {name: place.to_dict() for name, place in self.places.items()},
            "causes": [cause.to_dict() for cause in self.causes],
        }
