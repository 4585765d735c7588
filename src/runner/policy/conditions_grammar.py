"""Finds what is out of place among the tokens of a condition, and what belongs together."""

from __future__ import annotations

from runner.policy.conditions_lexer import (
    CLOSE,
    COMMA,
    DEEPEST,
    NAME,
    NUMBER,
    OPEN,
    OPERATOR,
    UNITS,
    ConditionError,
    Token,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

#: ``_ast.PyCF_ONLY_AST``: parse, compile nothing.
_ONLY_PARSE = 0x400
#: What other languages call what is ``contains`` here.
_LIKE_CONTAINS = ("matches", "like", "ilike", "includes", "has", "startswith", "endswith")
#: What may stand before a "not".
_BEFORE_NOT = ("and", "or", "not")


def check_order(text: str, tokens: Sequence[Token]) -> None:
    """Refuse tokens that can't follow each other, and parentheses without counterpart.

    Raises:
        ConditionError: The first of them.
    """
    opened: list[Token] = []
    calls: list[bool] = []
    before: Token | None = None
    for token in tokens:
        if _ends_value(before):
            _after_value(text, token, before, opened, calls)
        else:
            _before_value(text, token, before, opened, calls)
        before = token
    if not _ends_value(before):
        raise ConditionError("something is missing at the end", text, len(text), len(text) + 1)
    if opened:
        raise ConditionError("this parenthesis is never closed", text, opened[-1].start, opened[-1].end)


def _ends_value(token: Token | None) -> bool:
    return token is not None and token.kind not in (OPERATOR, OPEN, COMMA)


def _before_value(text: str, token: Token, before: Token | None, opened: list[Token], calls: list[bool]) -> None:
    """Check a token where a value is to begin."""
    if token.kind == OPEN:
        _open(text, token, opened, calls, call=False)
    elif token.kind == CLOSE and opened and before is opened[-1] and calls[-1]:
        opened.pop()
        calls.pop()
    elif token.kind == OPERATOR and token.text == "not":
        if before is not None and before.kind == OPERATOR and before.text not in _BEFORE_NOT:
            raise ConditionError("'not' needs parentheses around it and what it belongs to", text, *_place(token))
    elif token.kind in (CLOSE, COMMA) or (token.kind == OPERATOR and token.text not in ("+", "-")):
        shown = text[token.start : token.end]
        raise ConditionError(f"a name or a value is missing before {shown!r}", text, *_place(token))


def _after_value(text: str, token: Token, before: Token | None, opened: list[Token], calls: list[bool]) -> None:
    """Check a token where a value has just ended."""
    if token.kind == OPEN and before is not None and before.kind == NAME:
        _open(text, token, opened, calls, call=True)
    elif token.kind == CLOSE:
        if not opened:
            raise ConditionError("this parenthesis was never opened", text, *_place(token))
        opened.pop()
        calls.pop()
    elif token.kind == COMMA:
        if not opened:
            advice = (
                "a number has a point, and none between thousands"
                if before is not None and before.kind == NUMBER
                else ("conditions are joined by 'and' and 'or'")
            )
            raise ConditionError(f"a comma stands only in parentheses; {advice}", text, *_place(token))
    elif token.kind != OPERATOR or token.text == "not":
        shown = text[token.start : token.end]
        advice = "such as >, ==, and"
        if token.kind == NAME and before is not None and before.kind == NUMBER:
            advice = f"unless it is to be a unit: {UNITS}"
        elif token.text.lower() in _LIKE_CONTAINS:
            advice = "such as contains, which looks for a text"
        raise ConditionError(f"an operator is missing before {shown!r}, {advice}", text, *_place(token))


def _open(text: str, token: Token, opened: list[Token], calls: list[bool], call: bool) -> None:
    if len(opened) >= DEEPEST:
        raise ConditionError(f"there are more than {DEEPEST} parentheses within each other", text, *_place(token))
    opened.append(token)
    calls.append(call)


def _place(token: Token) -> tuple[int, int]:
    return token.start, token.end


class Tree:
    """What belongs together, found by Python's own parser in a text that holds nothing but operators and placeholders.

    Every name, number and text is replaced by a placeholder ``_0``, ``_1`` ... before: whatever somebody writes, the
    parser never sees it, and nothing is compiled or executed.

    Args:
        text: The condition.
        tokens: Its tokens, in an order that `check_order` accepts.

    Raises:
        ConditionError: They make no expression.
    """

    def __init__(self, text: str, tokens: Sequence[Token]) -> None:
        self.text = text
        self.tokens = tokens
        self._places: list[int] = []
        parts = []
        at = 0
        for number, token in enumerate(tokens):
            part = token.text if token.kind in (OPERATOR, OPEN, CLOSE, COMMA) else f"_{number}"
            self._places.append(at)
            parts.append(part)
            at += len(part) + 1
        try:
            self.root: Any = compile(" ".join(parts), "condition", "eval", _ONLY_PARSE, dont_inherit=True).body
        except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
            at = max(0, (getattr(error, "offset", None) or 1) - 1)
            token = self._token_at(at)
            raise ConditionError("this can't be read from here on", text, token.start, len(text)) from None

    def _token_at(self, offset: int) -> Token:
        from bisect import bisect_right

        return self.tokens[max(0, bisect_right(self._places, offset) - 1)]

    def token(self, node: Any) -> Token:
        """Return the token that a placeholder stands for."""
        return self.tokens[int(node.id[1:])]

    def place(self, node: Any) -> tuple[int, int]:
        """Return where a part of the tree begins and ends in the condition."""
        return self._token_at(node.col_offset).start, self._token_at(node.end_col_offset - 1).end
