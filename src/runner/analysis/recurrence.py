"""How often the same error came before: two messages are the same if they differ in numbers and addresses alone."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


class Recurrence:
    """How often an error came before.

    Attributes:
        count: In how many earlier runs.
        first: Start of the first of them, in nanoseconds since the epoch, UTC; None where there is none.
        last: Start of the last of them, likewise.
        runs: Earlier runs of the script that were looked at, whatever became of them.
    """

    __slots__ = ("count", "first", "last", "runs")

    def __init__(self, count: int, first: int | None, last: int | None, runs: int) -> None:
        self.count = count
        self.first = first
        self.last = last
        self.runs = runs

    def to_dict(self) -> dict[str, Any]:
        """Return it as reports have it."""
        from runner.model.run import iso

        moments = {name: getattr(self, name) for name in ("first", "last")}
        return {"count": self.count, "runs": self.runs,
                **{name: None if at is None else iso(at) for name, at in moments.items()}}  # fmt: skip


def fingerprint(message: str) -> str:
    """Return what a message has in common with others of its kind: every number, also a hexadecimal one, is ``0``.

    ``no such file: /data/2026-01-31.csv`` and the same of the next day have one fingerprint; other words have others.
    """
    result: list[str] = []
    word = ""
    for character in message + " ":
        if character.isalnum() or character == "_":
            word += character
            continue
        result += [_general(word), character]
        word = ""
    return "".join(result).rstrip()


def _general(word: str) -> str:
    if word[:2].lower() == "0x" or (len(word) >= 6 and _is_hexadecimal(word)):
        return "0"
    general = ""
    for character in word:
        if not character.isdigit():
            general += character
        elif not general.endswith("0"):
            general += "0"
    return general


def _is_hexadecimal(word: str) -> bool:
    return any(character.isdigit() for character in word) and set(word.lower()) <= set("0123456789abcdef")


def recurrence(message: str, found: Iterable[tuple[str | None, int, int, int]], runs: int) -> Recurrence:
    """Return how often an error came before.

    Args:
        message: Its message.
        found: Messages of errors of its type in earlier runs, each with how often it came, and the starts of the first
            and the last run it ended (ns since the epoch, UTC).
        runs: Earlier runs of the script that were looked at.
    """
    mine = fingerprint(message)
    same = [row for row in found if fingerprint(row[0] or "") == mine]
    if not same:
        return Recurrence(0, None, None, runs)
    return Recurrence(sum(row[1] for row in same), min(row[2] for row in same), max(row[3] for row in same), runs)
