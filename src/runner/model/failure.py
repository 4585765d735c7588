"""What is said of a failed run in one line: what kind of error it was, where it came from, whether it came before."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Failure:
    """What an error is, beyond its message.

    Attributes:
        kind: Class of the error (`analysis.errors`).
        meaning: What an error of that class usually means, "" where nothing can be said.
        place: Where in the code it came from, as ``file:line, in function``; "" where that is not known.
        count: How many earlier runs of the script ended with the same error.
        last: Start of the last of them, in nanoseconds since the epoch; None where there is none.
        runs: Earlier runs that were looked at.
    """

    __slots__ = ("count", "kind", "last", "meaning", "place", "runs")

    def __init__(self, kind: str, meaning: str, place: str, count: int, last: int | None, runs: int) -> None:
        self.kind = kind
        self.meaning = meaning
        self.place = place
        self.count = count
        self.last = last
        self.runs = runs

    def to_dict(self) -> dict[str, Any]:
        """Return it as reports have it."""
        from runner.model.run import iso

        return {
            "class": self.kind,
            "meaning": self.meaning or None,
            "place": self.place or None,
            "count": self.count,
            "last": None if self.last is None else iso(self.last),
            "runs": self.runs,
        }
