"""What the parts of a condition become: functions of the facts and the record; None stands for what is not known."""

from __future__ import annotations

import _operator as operator  # the module around it costs more than it adds

from runner.policy.conditions_lexer import PLAIN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeAlias

    from runner.policy.conditions_lexer import Dimension
    from runner.policy.conditions_names import Facts, Resolver

    #: Returns the value of a part; None where it is not known.
    Evaluate: TypeAlias = Callable[[Facts, Resolver | None], Any]

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "Lt": operator.lt, "LtE": operator.le, "Gt": operator.gt, "GtE": operator.ge, "Eq": operator.eq,
    "NotEq": operator.ne,
}  # fmt: skip
ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "Add": operator.add, "Sub": operator.sub, "Mult": operator.mul, "Div": operator.truediv,
}  # fmt: skip


#: The largest number there is.
_MOST = 1.7976931348623157e308


class Term:
    """A part of a condition with its type.

    Attributes:
        type: `NUMBER`, `TEXT` or `TRUTH` of `conditions_names`.
        evaluate: Returns its value.
        start: Where it begins in the text.
        end: Where it ends.
        dimension: Of a number: what it measures.
        scale: Of a number: how many seconds or bytes its unit is.
        constant: Whether its value is known beforehand.
        bare: Whether it is made of numbers without unit, which take that of what they are compared with.
        value: What it is, of a constant.
        also: What else a number with a unit may be, by dimension.
        choices: The only texts that it can be; none for any.
        name: Of a fact alone: its name.
    """

    __slots__ = ("also", "bare", "choices", "constant", "dimension", "end", "evaluate", "name", "scale", "start",
                 "type", "value")  # fmt: skip

    def __init__(
        self,
        type: str,
        evaluate: Evaluate,
        start: int,
        end: int,
        dimension: Dimension = PLAIN,
        scale: float = 1.0,
        bare: bool = False,
        also: dict[Dimension, float] | None = None,
        choices: tuple[str, ...] = (),
        name: str = "",
    ) -> None:
        self.type = type
        self.evaluate = evaluate
        self.start = start
        self.end = end
        self.dimension = dimension
        self.scale = scale
        self.constant = False
        self.bare = bare
        self.value: Any = None
        self.also = also or {}
        self.choices = choices
        self.name = name

    def scaled(self, scale: float) -> Term:
        """Return the same number in another unit of what it measures."""
        if scale == self.scale:
            return self
        factor, inner = self.scale / scale, self.evaluate
        if self.constant:
            result = constant(self.type, self.value * factor, self.start, self.end, self.dimension, scale)
        else:
            result = Term(self.type, arithmetic(operator.mul, inner, lambda facts, record: factor), self.start,
                          self.end, self.dimension, scale)  # fmt: skip
        result.bare = self.bare
        return result

    def as_dimension(self, dimension: Dimension) -> Term:
        """Return a number with a unit as what it may be besides, as 5m may be minutes or megabytes."""
        if dimension == self.dimension or dimension not in self.also:
            return self
        return constant(self.type, self.also[dimension], self.start, self.end, dimension)


def constant(type: str, value: Any, start: int, end: int, dimension: Dimension = PLAIN, scale: float = 1.0) -> Term:
    """Return the term of a value that is known beforehand."""
    term = Term(type, lambda facts, record: value, start, end, dimension, scale)
    term.constant = True
    term.value = value
    return term


def number(name: str) -> Evaluate:
    """Return what reads a number; what is none, or no finite one, is not known."""

    def evaluate(facts: Facts, record: Resolver | None) -> Any:
        value = facts.get(name)
        kind = value.__class__
        return value if (kind is float or kind is int) and -_MOST <= value <= _MOST else None

    return evaluate


def text(name: str) -> Evaluate:
    """Return what reads a text; one that a run does not have is empty."""

    def evaluate(facts: Facts, record: Resolver | None) -> Any:
        value = facts.get(name)
        return value if value.__class__ is str else ""

    return evaluate


def truth(name: str, wanted: bool = True) -> Evaluate:
    """Return what reads whether something is so, or is not."""

    def evaluate(facts: Facts, record: Resolver | None) -> Any:
        value = facts.get(name)
        return value is wanted if value.__class__ is bool else None

    return evaluate


def asked(answer: Callable[..., Any], arguments: Sequence[Any], needs_record: bool, kinds: Sequence[type]) -> Evaluate:
    """Return what calls a function; without a record, what that would say is not known.

    Args:
        answer: The function (`conditions_names.Function.answer`).
        arguments: What stands in its parentheses.
        needs_record: Whether it asks the record.
        kinds: Classes of what it may return; all else is not known, and no text.
    """
    nothing = "" if str in kinds else None

    def evaluate(facts: Facts, record: Resolver | None) -> Any:
        value = None if needs_record and record is None else answer(facts, record, *arguments)
        return value if value.__class__ in kinds and value == value else nothing

    return evaluate


def compared(test: Callable[[Any, Any], bool], left: Term, right: Term) -> Evaluate:
    """Return what compares two values."""
    one, other = left.evaluate, right.evaluate
    if right.constant:
        limit = right.value

        def with_constant(facts: Facts, record: Resolver | None) -> Any:
            value = one(facts, record)
            return None if value is None else test(value, limit)

        return with_constant

    def evaluate(facts: Facts, record: Resolver | None) -> Any:
        value = one(facts, record)
        if value is None:
            return None
        against = other(facts, record)
        return None if against is None else test(value, against)

    return evaluate


def holds(whole: Term, part: Term) -> Evaluate:
    """Return what looks for a text in another, whatever the case of either; an empty one is found nowhere."""

    def found(value: str, wanted: str) -> bool:
        return wanted != "" and wanted.casefold() in value.casefold()

    return compared(found, whole, part)


def arithmetic(operation: Callable[[Any, Any], Any], one: Evaluate, other: Evaluate) -> Evaluate:
    """Return what reckons; what can't be reckoned, such as a division by zero, is not known."""

    def evaluate(facts: Facts, record: Resolver | None) -> Any:
        left = one(facts, record)
        right = None if left is None else other(facts, record)
        if right is None:
            return None
        try:
            value = operation(left, right)
        except (ZeroDivisionError, OverflowError):
            return None
        return value if value == value else None

    return evaluate


def every(parts: Sequence[Evaluate]) -> Evaluate:
    """Return what holds where all parts do; false as soon as one is, unknown if none is and one is unknown.

    This is Kleene's logic, as SQL has it: what was not measured neither fires an alert nor hides one.
    """

    def evaluate(facts: Facts, record: Resolver | None) -> Any:
        result: bool | None = True
        for part in parts:
            value = part(facts, record)
            if value is False:
                return False
            if value is None:
                result = None
        return result

    return evaluate


def some(parts: Sequence[Evaluate]) -> Evaluate:
    """Return what holds where one part does; unknown if none does and one is unknown."""

    def evaluate(facts: Facts, record: Resolver | None) -> Any:
        result: bool | None = False
        for part in parts:
            value = part(facts, record)
            if value is True:
                return True
            if value is None:
                result = None
        return result

    return evaluate


def negated(part: Evaluate) -> Evaluate:
    """Return the opposite; that of what is not known is not known."""

    def evaluate(facts: Facts, record: Resolver | None) -> Any:
        value = part(facts, record)
        return None if value is None else not value

    return evaluate
