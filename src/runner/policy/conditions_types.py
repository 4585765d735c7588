"""Gives each part of a condition its type and unit, refuses what does not fit, and builds what evaluates it."""

from __future__ import annotations

from runner.model.words import did_you_mean
from runner.policy import conditions_terms as terms
from runner.policy.conditions_lexer import DEEPEST, PERCENT, PLAIN, RATE, SIZE, TIME
from runner.policy.conditions_names import FAILED, NUMBER, SUCCESS, TEXT, TRUTH
from runner.policy.conditions_terms import Term
from runner.policy.conditions_values import Values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from runner.policy.conditions_grammar import Tree
    from runner.policy.conditions_names import Entry
    from runner.policy.conditions_terms import Evaluate

_MEASURES = {PLAIN: "a plain number", TIME: "a duration", SIZE: "a size", PERCENT: "a percentage",
             RATE: "a size per second"}  # fmt: skip
_SIGNS = {"Add": "+", "Sub": "-", "Mult": "*", "Div": "/"}


class Builder(Values):
    """Builds the terms of a condition.

    Args:
        tree: What belongs together.
        names: The names that it may use.
    """

    def __init__(self, tree: Tree, names: Mapping[str, Entry]) -> None:
        super().__init__(tree, names)
        self._depth = 0
        # All that there may be in a tree; whatever else Python's grammar has is refused.
        self._makers: dict[str, Callable[[Any], Term]] = {
            "Name": self._value, "Call": self._call, "BoolOp": self._joined, "UnaryOp": self._unary,
            "BinOp": self._arithmetic, "Compare": self._comparison,
        }  # fmt: skip

    def build(self) -> Term:
        """Return the term of the whole condition.

        Raises:
            ConditionError: Something in it does not fit.
        """
        return self._truth(self._make(self.tree.root))

    def _make(self, node: Any) -> Term:
        maker = self._makers.get(type(node).__name__)
        if maker is None:
            what = "a list stands only behind in" if type(node).__name__ == "Tuple" else "this has no meaning here"
            raise self._error(what, node)
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._error(f"there are more than {DEEPEST} operations within each other", node)
        term = maker(node)
        self._depth -= 1
        return term

    def _truth(self, term: Term) -> Term:
        if term.type == TRUTH:
            return term
        example = "> 80" if term.type == NUMBER else '== "..."'
        raise self._error(f"{term.type} alone is neither true nor false: compare it, such as {example}", term)

    def _joined(self, node: Any) -> Term:
        join = terms.every if type(node.op).__name__ == "And" else terms.some
        parts = [self._truth(self._make(each)).evaluate for each in node.values]
        return Term(TRUTH, join(parts), *self.tree.place(node))

    def _unary(self, node: Any) -> Term:
        operator = type(node.op).__name__
        inner = self._make(node.operand)
        place = self.tree.place(node)
        if operator == "Not":
            return Term(TRUTH, terms.negated(self._truth(inner).evaluate), *place)
        if inner.type != NUMBER:
            raise self._error(f"a number is needed here, {self._shown(inner)} is {inner.type}", inner)
        if operator == "UAdd":
            return inner
        if inner.constant:
            result = terms.constant(NUMBER, -inner.value, *place, inner.dimension, inner.scale)
            result.also = {dimension: -value for dimension, value in inner.also.items()}
            result.bare = inner.bare
            return result
        zero = terms.constant(NUMBER, 0, *place)
        return Term(NUMBER, terms.arithmetic(terms.ARITHMETIC["Sub"], zero.evaluate, inner.evaluate), *place,
                    inner.dimension, inner.scale)  # fmt: skip

    def _arithmetic(self, node: Any) -> Term:
        operator = type(node.op).__name__
        operation = terms.ARITHMETIC.get(operator)
        if operation is None:
            raise self._error("this operation does not exist", node)
        left, right = self._make(node.left), self._make(node.right)
        for term in (left, right):
            if term.type != NUMBER:
                raise self._error(f"{_SIGNS[operator]} needs numbers, {self._shown(term)} is {term.type}", term)
        if operator in ("Add", "Sub"):
            left, right = self._aligned(left, right)
            dimension, scale = (right if left.bare else left).dimension, (right if left.bare else left).scale
        else:
            # As a factor, 120% is 1.2.
            left, right = (self._factor(term) for term in (left, right))
            sign = 1 if operator == "Mult" else -1
            a, b = left.dimension, right.dimension
            dimension = (a[0] + sign * b[0], a[1] + sign * b[1], a[2] + sign * b[2])
            scale = left.scale * right.scale**sign
        start, end = self.tree.place(node)
        result = Term(NUMBER, terms.arithmetic(operation, left.evaluate, right.evaluate), start, end, dimension,
                      scale, bare=left.bare and right.bare)  # fmt: skip
        if left.constant and right.constant:
            value = result.evaluate({}, None)
            if value is None or value in (float("inf"), float("-inf")):
                raise self._error("this can't be reckoned", node)
            folded = terms.constant(NUMBER, value, start, end, dimension, scale)
            folded.bare = result.bare
            result = folded
        return result.scaled(1.0) if dimension == PLAIN else result

    def _factor(self, term: Term) -> Term:
        return term.as_dimension(PLAIN) if term.constant and term.dimension == PERCENT else term

    def _aligned(self, left: Term, right: Term) -> tuple[Term, Term]:
        """Return two numbers in one unit; a number without unit is taken in that of the other."""
        left, right = left.as_dimension(right.dimension), right.as_dimension(left.dimension)
        if left.bare or right.bare:
            return left, right
        if left.dimension != right.dimension:
            one, other = (f"{self._shown(term)} is {_MEASURES.get(term.dimension, 'in another unit')}"
                          for term in (left, right))  # fmt: skip
            advice = ""
            if right.dimension == PERCENT:
                advice = "; a part of something is a product, as in baseline(...) * 110%"
            raise self._error(f"{one}, {other}: these don't go together{advice}", right)
        return left, right.scaled(left.scale)

    def _comparison(self, node: Any) -> Term:
        parts = []
        left_node = node.left
        left = self._make(left_node)
        for operator, right_node in zip(node.ops, node.comparators, strict=True):
            kind = type(operator).__name__
            if type(right_node).__name__ == "Tuple":
                if kind not in ("In", "NotIn"):
                    raise self._error("a list stands only behind in", right_node)
                parts.append(self._among(left, right_node.elts, kind))
                if operator is not node.ops[-1]:
                    raise self._error("a list ends a comparison", right_node)
                continue
            right = self._make(right_node)
            parts.append(self._pair(kind, left, right, right_node))
            left = right
        return Term(TRUTH, parts[0] if len(parts) == 1 else terms.every(parts), *self.tree.place(node))

    def _among(self, left: Term, nodes: list[Any], kind: str) -> Evaluate:
        equal = terms.some([self._pair("Eq", left, self._make(each), each) for each in nodes])
        return terms.negated(equal) if kind == "NotIn" else equal

    def _pair(self, kind: str, left: Term, right: Term, node: Any) -> Evaluate:
        if kind in ("In", "NotIn") and right.constant and right.type == TEXT:
            kind = "Eq" if kind == "In" else "NotEq"  # a list of one
        if kind in ("In", "NotIn", "Is", "IsNot"):
            for term in (left, right):
                if term.type != TEXT:
                    word = "in" if "In" in kind else "contains"
                    raise self._error(f"{word!r} looks for a text in a text, {self._shown(term)} is {term.type}", term)
            found = terms.holds(right, left) if "In" in kind else terms.holds(left, right)
            return terms.negated(found) if kind in ("NotIn", "IsNot") else found
        left, right = self._signal(left, right), self._signal(right, left)
        if left.type != right.type:
            advice = f"; a text stands in quotes: {right.name!r}" if right.name in left.choices else ""
            raise self._error(f"{self._shown(left)} is {left.type}, {self._shown(right)} is {right.type}: "
                              f"these can't be compared{advice}", right)  # fmt: skip
        if left.type != NUMBER and kind not in ("Eq", "NotEq"):
            raise self._error(f"{left.type} can only be equal or not: use == or !=", right)
        if left.type == NUMBER:
            left, right = self._aligned(left, right)
        elif left.choices or right.choices:
            return self._chosen(kind, left, right)
        return terms.compared(terms.COMPARISONS[kind], left, right)

    def _signal(self, given: Term, fact: Term) -> Term:
        """Return the number of a signal that is compared by its name, such as SIGKILL; all else as it is."""
        if fact.name != "signal" or not given.constant or given.type != TEXT:
            return given
        from signal import Signals

        names = Signals.__members__
        name = given.value.upper()
        name = name if name in names else f"SIG{name}"
        if name not in names:
            raise self._error(f"there is no signal {given.value!r}{did_you_mean(name, names)}", given)
        return terms.constant(NUMBER, int(names[name]), given.start, given.end)

    def _chosen(self, kind: str, left: Term, right: Term) -> Evaluate:
        """Compare a fact that has few values with one of them."""
        fact, given = (left, right) if left.choices else (right, left)
        if not given.constant:
            raise self._error(f"{self._shown(fact)} is compared with a text in quotes", given)
        if given.value not in fact.choices:
            guess = did_you_mean(given.value, fact.choices)
            raise self._error(f"{given.value!r} is not one of {', '.join(fact.choices)}{guess}", given)
        if fact.name == "status" and given.value in (SUCCESS, FAILED):
            same = terms.truth(SUCCESS, given.value == SUCCESS)
        else:
            same = terms.compared(terms.COMPARISONS["Eq"], fact, given)
        return terms.negated(same) if kind == "NotEq" else same
