"""How much room texts take in a picture, as far as that can be known of a font that its reader chooses."""

from __future__ import annotations

from unicodedata import east_asian_width

#: Pixels of a character of labels, of the bold heads of panels, and of headlines.
LABEL, BOLD, HEADLINE = 6.7, 7.8, 10.0
#: Characters that are much wider than others.
_WIDE = frozenset("mwMW@%")


def text_width(text: str, character: float = LABEL) -> float:
    """Return about how many pixels a text takes."""
    return sum(character * _share(each) for each in text)


def _share(character: str) -> float:
    """Return how wide a character is against others."""
    if character.isascii():
        return 1.5 if character in _WIDE else 1.0
    return 1.8 if east_asian_width(character) in "WF" else 1.0


def cut(text: str, room: float, character: float = LABEL) -> str:
    """Return a text that takes about `room` pixels at most."""
    if text_width(text, character) <= room:
        return text
    taken = character
    for at, each in enumerate(text):
        taken += text_width(each, character)
        if taken > room:
            return text[:at].rstrip() + "…"
    return text
