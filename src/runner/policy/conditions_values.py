"""What the names, numbers, texts and calls in a condition stand for."""

from __future__ import annotations

from runner.model.words import did_you_mean
from runner.policy import conditions_terms as terms
from runner.policy.conditions_lexer import NUMBER as NUMBER_TOKEN
from runner.policy.conditions_lexer import PLAIN, TIME, ConditionError
from runner.policy.conditions_lexer import TEXT as TEXT_TOKEN
from runner.policy.conditions_names import (
    ALIASES,
    CHANGEABLE,
    FAILED,
    METRIC,
    NAMES,
    NUMBER,
    PERIOD,
    SUCCESS,
    TAGS,
    TEXT,
    TRUTH,
    UNITS,
    WORD,
    Fact,
    Function,
    tag,
)
from runner.policy.conditions_terms import Term

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from runner.policy.conditions_grammar import Tree
    from runner.policy.conditions_lexer import Token
    from runner.policy.conditions_names import Entry
    from runner.policy.conditions_terms import Evaluate

_KINDS: dict[str, tuple[type, ...]] = {NUMBER: (int, float), TEXT: (str,), TRUTH: (bool,)}
_TRUTHS = {"true": True, "false": False}


class Leaf:
    """A name or a call in a condition, whose value can be told.

    Attributes:
        text: As it stands in the condition.
        evaluate: Returns its value.
        unit: Of a number, as the metric catalog spells it.
        entry: What it stands for.
    """

    __slots__ = ("entry", "evaluate", "text", "unit")

    def __init__(self, text: str, evaluate: Evaluate, unit: str, entry: Entry) -> None:
        self.text = text
        self.evaluate = evaluate
        self.unit = unit
        self.entry = entry


class Values:
    """Makes terms of the values in a condition, and notes those that can be told.

    Args:
        tree: What belongs together.
        names: The names that it may use.

    Attributes:
        leaves: The names and calls in it, by their text, in the order in which they stand.
    """

    def __init__(self, tree: Tree, names: Mapping[str, Entry]) -> None:
        self.tree = tree
        self.names = names
        self.leaves: dict[str, Leaf] = {}

    def _error(self, problem: str, place: Any) -> ConditionError:
        start, end = (place.start, place.end) if hasattr(place, "start") else self.tree.place(place)
        return ConditionError(problem, self.tree.text, start, end)

    def _shown(self, term: Any) -> str:
        text = " ".join(self.tree.text[term.start : term.end].split())
        return repr(text if len(text) <= 40 else text[:37] + "...")

    def _value(self, node: Any) -> Term:
        token = self.tree.token(node)
        if token.kind == TEXT_TOKEN:
            return terms.constant(TEXT, token.value, token.start, token.end)
        if token.kind == NUMBER_TOKEN:
            assert isinstance(token.value, dict)
            dimension, value = next(iter(token.value.items()))
            term = terms.constant(NUMBER, value, token.start, token.end, dimension)
            term.also = token.value
            term.bare = list(token.value) == [PLAIN]
            return term
        if token.text.lower() in _TRUTHS:
            return terms.constant(TRUTH, _TRUTHS[token.text.lower()], token.start, token.end)
        return self._fact(token)

    def _fact(self, token: Token) -> Term:
        entry = self._entry(token)
        if isinstance(entry, Function):
            if entry.takes:
                raise self._error(f"{entry.name!r} is a function: write {entry.spelling}", token)
            return self._answer(entry, [], token.start, token.end)
        unit = entry.unit
        if entry.name == FAILED:
            evaluate = terms.truth(SUCCESS, wanted=False)
        else:
            evaluate = {NUMBER: terms.number, TEXT: terms.text, TRUTH: terms.truth}[entry.type](
                "reason" if entry.name == "status" else entry.name
            )
        self.leaves[token.text] = Leaf(token.text, evaluate, unit, entry)
        dimension, scale = UNITS[unit]
        return Term(entry.type, evaluate, token.start, token.end, dimension, scale, choices=entry.choices,
                    name=entry.name)  # fmt: skip

    def _entry(self, token: Token) -> Entry:
        name = token.text
        entry = self.names.get(name)
        if entry is not None:
            return entry
        if name.startswith(TAGS) and "." not in name[len(TAGS) :]:
            return tag(name[len(TAGS) :])
        if name in NAMES:
            raise self._error(f"{name!r} is not known while the script still runs", token)
        alias = ALIASES.get(name.lower())
        guess = f", did you mean {alias!r}?" if alias else did_you_mean(name.lower(), self.names)
        if "." in name:
            guess = "; only tags have a dot, such as tags.env"
        choices = sorted({choice for each in self.names.values() if isinstance(each, Fact) for choice in each.choices})
        if name.lower() in choices:
            guess = f": a text stands in quotes, such as {name.lower()!r}"
        raise self._error(f"unknown name {name!r}{guess or '; a text stands in quotes'}", token)

    def _call(self, node: Any) -> Term:
        start, end = self.tree.place(node)
        token = self.tree.token(node.func) if type(node.func).__name__ == "Name" else None
        if token is None or token.kind in (NUMBER_TOKEN, TEXT_TOKEN):
            raise self._error("only functions can be called", node)
        entry = self._entry(token)
        if not isinstance(entry, Function):
            raise self._error(f"{token.text!r} is no function", token)
        least = len(entry.takes) - (entry.takes[1:] == (PERIOD,))
        if not least <= len(node.args) <= len(entry.takes):
            raise self._error(f"{entry.name} is written {entry.spelling}", node)
        arguments = [self._argument(entry, takes, given) for takes, given in zip(entry.takes, node.args, strict=False)]
        return self._answer(entry, arguments, start, end)

    def _argument(self, entry: Function, takes: str, node: Any) -> Any:
        token = self.tree.token(node) if type(node).__name__ == "Name" else None
        if takes == METRIC and token is not None and token.kind not in (NUMBER_TOKEN, TEXT_TOKEN):
            named = self._entry(token)
            if isinstance(named, Fact) and named.metric:
                return named.name
        elif takes == PERIOD and token is not None and token.kind == NUMBER_TOKEN:
            assert isinstance(token.value, dict)
            seconds = token.value.get(TIME)
            if seconds:
                return seconds
            raise self._error("a period needs a unit, such as 12h or 30d", node)
        elif token is not None and takes not in (METRIC, PERIOD):
            if takes == WORD and token.text in CHANGEABLE:
                return token.text
            if takes == WORD:
                listed = ", ".join(CHANGEABLE)
                guess = did_you_mean(token.text, CHANGEABLE)
                raise self._error(f"{entry.name} knows {listed}{guess}", node)
            if token.kind == TEXT_TOKEN:
                return token.value
        needs = {METRIC: "the name of a metric", PERIOD: "a period, such as 30d"}.get(takes, "a text in quotes")
        raise self._error(f"{entry.name} needs {needs} here", node)

    def _answer(self, entry: Function, arguments: list[Any], start: int, end: int) -> Term:
        evaluate = terms.asked(entry.answer, arguments, entry.record, _KINDS[entry.type])
        metric = self.names[arguments[0]] if entry.like_metric else None
        unit = metric.unit if isinstance(metric, Fact) else ""
        text = " ".join(self.tree.text[start:end].split())
        self.leaves[text] = Leaf(text, evaluate, unit, entry)
        dimension, scale = UNITS[unit]
        return Term(entry.type, evaluate, start, end, dimension, scale)
