"""Suggestions for names that were mistyped."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``, did you mean 'x'?`` for the known word nearest to `word`, or an empty string."""
    from difflib import get_close_matches  # only ever needed for a message

    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f", did you mean {near[0]!r}?" if near else ""


def printable(text: str) -> str:
    """Return a text that can do nothing to a terminal."""
    return text if text.isprintable() else "".join(char if char.isprintable() else "?" for char in text)
