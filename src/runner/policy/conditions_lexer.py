"""Splits the text of a condition into tokens with their places, and says where in it something is wrong."""

from __future__ import annotations

from runner.model.errors import UsageError
from runner.model.units import parse_bytes, parse_seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    #: Powers of time, size and percent in a unit: those of bytes per second are (-1, 1, 0).
    Dimension: TypeAlias = tuple[int, int, int]

#: Most characters of a condition, and most parentheses, operators and calls within each other.
LONGEST, DEEPEST = 1000, 50

PLAIN: Dimension = (0, 0, 0)
TIME: Dimension = (1, 0, 0)
SIZE: Dimension = (0, 1, 0)
PERCENT: Dimension = (0, 0, 1)
RATE: Dimension = (-1, 1, 0)

#: The units of numbers, in words.
UNITS = "ms, s, m, h, d and w, B, KB, MB, GB and TB, and %"

# Kinds of tokens.
NUMBER, TEXT, NAME, OPERATOR, OPEN, CLOSE, COMMA = "number", "text", "name", "operator", "(", ")", ","

#: Spellings of operators, the longest first, and what each is in Python; ``is`` stands for ``contains``.
_SYMBOLS = {
    "==": "==", "!=": "!=", "<>": "!=", "<=": "<=", ">=": ">=", "&&": "and", "||": "or", "<": "<", ">": ">",
    "=": "==", "!": "not", "+": "+", "-": "-", "*": "*", "/": "/",
}  # fmt: skip
_WORDS = {"and": "and", "or": "or", "not": "not", "in": "in", "contains": "is"}
_PUNCTUATION = {"(": OPEN, ")": CLOSE, ",": COMMA}

#: What a character is called that people write and that is none of ours.
_ADVICE = {
    "%": "a percentage is written with its number, such as 90%, and there is no modulo",
    "&": "'and' is written as 'and' or '&&'",
    "|": "'or' is written as 'or' or '||'",
    "~": "contains looks for a text in another",
    "#": "a condition has no comments",
    ".": "only tags have a dot, such as tags.env",
    "[": "a list is written in parentheses, such as exit_code in (1, 2)",
    "\u2265": "write >=", "\u2264": "write <=", "\u2260": "write !=", "\u2212": "write -", "\u2013": "write -",
    "\u00d7": "write *", "\u00f7": "write /", "\u201c": 'a text stands in straight quotes: "..."',
    "\u201d": 'a text stands in straight quotes: "..."', "\u2018": "a text stands in straight quotes: '...'",
    "\u2019": "a text stands in straight quotes: '...'",
}  # fmt: skip

#: Letters of other alphabets that look like Latin ones.
_LOOKALIKES = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u043c\u0442\u043d\u043a\u0432\u03bf\u03b1\u03c1"
    "\u03bd\u03c5\u03b9\u03ba\u03c4\u0131\u212f",
    "aeopcyxijsdmthkboapvuikti" + "e",
)


class ConditionError(UsageError):
    """A condition can't be used; the message shows it with the place marked.

    Attributes:
        problem: What is wrong, in one line.
        text: The condition.
        start: Where the place begins, in characters.
        end: Where it ends.
    """

    def __init__(self, problem: str, text: str, start: int, end: int) -> None:
        super().__init__(f"{problem}\n{mark(text, start, end)}")
        self.problem = problem
        self.text = text
        self.start = start
        self.end = end


class Token:
    """One word of a condition.

    Attributes:
        kind: `NUMBER`, `TEXT`, `NAME`, `OPERATOR`, `OPEN`, `CLOSE` or `COMMA`.
        text: As it was written; of an operator, what it is in Python.
        start: Where it begins.
        end: Where it ends.
        value: What a text says, or what a number is: by each dimension that it may have, the likeliest first; bytes
            and seconds are the units. A number without unit has none but `PLAIN`.
    """

    __slots__ = ("end", "kind", "start", "text", "value")

    def __init__(
        self, kind: str, text: str, start: int, end: int, value: str | dict[Dimension, float] | None = None
    ) -> None:
        self.kind = kind
        self.text = text
        self.start = start
        self.end = end
        self.value = value


def mark(text: str, start: int, end: int, room: int = 56) -> str:
    """Return two lines: the part of a text around a place, and carets below the place."""
    from unicodedata import east_asian_width

    left = max(0, min(start - room // 2, len(text) - room))
    right = min(len(text), left + room)
    shown = "".join(char if char.isprintable() else " " for char in text[left:right])
    before, after = "..." * (left > 0), "..." * (right < len(text))

    def width(part: str) -> int:
        return sum(2 if east_asian_width(char) in "WF" else 1 for char in part)

    place = max(start, left) - left
    carets = "^" * max(1, width(shown[place : min(end, right) - left]))
    return f"  {before}{shown}{after}\n  {' ' * (len(before) + width(shown[:place]))}{carets}"


def lex(text: str) -> list[Token]:
    """Return the tokens of a condition.

    Raises:
        UsageError: It is too long or empty.
        ConditionError: A place of it is no token.
    """
    if len(text) > LONGEST:
        raise UsageError(f"a condition has at most {LONGEST:,} characters, this one has {len(text):,}")
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        char = text[at]
        if char in " \t\r\n":
            at += 1
            continue
        token = _token(text, at, char)
        at = token.end
        last = tokens[-1] if tokens else None
        if last is not None and last.text == "not" and token.text in ("in", "is") and token.kind == OPERATOR:
            # Python's words for it: "not in", and "is not" for what does not contain.
            tokens[-1] = Token(OPERATOR, "not in" if token.text == "in" else "is not", last.start, token.end)
        else:
            tokens.append(token)
    if not tokens:
        raise UsageError("a condition is needed, such as cpu_max > 80 (this one is empty)")
    return tokens


def _token(text: str, at: int, char: str) -> Token:
    if char in _PUNCTUATION:
        return Token(_PUNCTUATION[char], char, at, at + 1)
    if _is_digit(char) or (char == "." and _is_digit(text[at + 1 : at + 2])):
        return _number(text, at)
    if char in "\"'":
        return _text(text, at, char)
    if char.isalpha() or char == "_":
        return _name(text, at)
    for symbol, operator in _SYMBOLS.items():
        if text.startswith(symbol, at):
            return Token(OPERATOR, operator, at, at + len(symbol))
    raise _stranger(text, at, char)


def _is_digit(char: str) -> bool:
    return char != "" and char in "0123456789"  # str.isdigit has digits of all scripts


def _stranger(text: str, at: int, char: str) -> ConditionError:
    advice = _ADVICE.get(char, "")
    shown = repr(char) if char.isprintable() and char.isascii() else ascii(char)
    if not char.isascii():
        from unicodedata import name

        shown = f"{char!r} ({name(char, 'no character')}, U+{ord(char):04X})"
    return ConditionError(f"{shown} has no meaning here{': ' + advice if advice else ''}", text, at, at + 1)


def _name(text: str, start: int) -> Token:
    end = start
    while end < len(text) and (text[end].isalnum() or text[end] == "_" or _joins(text, end)):
        end += 1
    word = text[start:end]
    for place, char in enumerate(word, start):
        if not char.isascii():
            raise _lookalike(text, word, char, start, place)
    operator = _WORDS.get(word.lower())
    return Token(OPERATOR, operator, start, end) if operator else Token(NAME, word, start, end)


def _joins(text: str, at: int) -> bool:
    """Whether a dot is part of a name."""
    return text[at] == "." and (text[at + 1 : at + 2].isalnum() or text[at + 1 : at + 2] == "_")


def _lookalike(text: str, word: str, char: str, start: int, place: int) -> ConditionError:
    from unicodedata import name, normalize

    latin = normalize("NFKC", word).translate(_LOOKALIKES)
    told = f"{char!r} in {word!r} is {name(char, 'no letter')} (U+{ord(char):04X}), not a letter of a name"
    if latin.isascii():
        told += f"; with Latin letters it is {latin!r}"
    return ConditionError(told, text, place, place + 1)


def _text(text: str, start: int, quote: str) -> Token:
    parts: list[str] = []
    at = start + 1
    while at < len(text):
        char = text[at]
        if char == quote:
            return Token(TEXT, text[start : at + 1], start, at + 1, "".join(parts))
        if char == "\\" and text[at + 1 : at + 2] in ("\\", "'", '"'):
            at += 1
            char = text[at]
        parts.append(char)
        at += 1
    raise ConditionError(f"the text that begins here is never closed: {quote} is missing", text, start, len(text))


def _number(text: str, start: int) -> Token:
    end = start
    while end < len(text) and (_is_digit(text[end]) or text[end] == "."):
        end += 1
    sign = 1 if text[end + 1 : end + 2] in ("+", "-") else 0
    if text[end : end + 1] in ("e", "E") and _is_digit(text[end + 1 + sign : end + 2 + sign]):
        end += 1 + sign
        while end < len(text) and _is_digit(text[end]):
            end += 1
    try:
        value = float(text[start:end])
    except ValueError:
        raise ConditionError(f"{text[start:end]!r} is no number", text, start, end) from None
    if value == float("inf"):
        raise ConditionError("the number is too large", text, start, end)
    unit = end
    while text[unit : unit + 1] in (" ", "\t"):
        unit += 1
    if text[unit : unit + 1] == "%":
        return Token(NUMBER, text[start : unit + 1], start, unit + 1, {PERCENT: value, PLAIN: value / 100})
    apart = unit > end
    last = unit
    while last < len(text) and (text[last].isalpha() or (not apart and (text[last].isalnum() or text[last] in "._"))):
        last += 1
    word = text[unit:last]
    # Behind a blank only a unit belongs to the number: not the name or the word of what follows.
    if not word or (
        apart and (word.lower() in _WORDS or text[last : last + 1] == "_" or _is_digit(text[last : last + 1]))
    ):
        return Token(NUMBER, text[start:end], start, end, {PLAIN: value})
    return _quantity(text, start, end, unit, last, value)


def _quantity(text: str, start: int, end: int, unit: int, last: int, value: float) -> Token:
    """Return the token of a number with a unit; what stands at the number and is none is an error."""
    word = text[unit:last]
    found: dict[Dimension, float] = {}
    if word[0] == "_":  # float() takes 1_000
        raise ConditionError(f"a number has no underscores: {text[start:last]!r}", text, start, last)
    try:
        # 1h30m is one duration.
        compound = any(map(_is_digit, word))
        found[TIME] = parse_seconds(text[start:last]) if compound else value * parse_seconds("1" + word)
    except ValueError:
        pass
    try:
        found[SIZE] = value * parse_bytes("1" + word)
    except ValueError:
        pass
    if not found and unit > end:
        return Token(NUMBER, text[start:end], start, end, {PLAIN: value})
    if not found:
        raise ConditionError(f"{word!r} is no unit: there are {UNITS}", text, unit, last)
    if float("inf") in found.values():
        raise ConditionError("the number is too large", text, start, last)
    if SIZE in found and text[last : last + 2] == "/s" and not text[last + 2 : last + 3].isalnum():
        return Token(NUMBER, text[start : last + 2], start, last + 2, {RATE: found[SIZE]})
    if SIZE in found and word[0].isupper():  # 5M is rather a size, 5m a duration
        found = {SIZE: found[SIZE], **found}
    return Token(NUMBER, text[start:last], start, last, found)
