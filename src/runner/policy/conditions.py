"""Conditions of alerts: a small language over the metric catalog, facts of a run, and the record."""

from __future__ import annotations

from runner.model.units import format_value
from runner.policy.conditions_grammar import Tree, check_order
from runner.policy.conditions_lexer import lex
from runner.policy.conditions_names import NAMES, Fact, Function
from runner.policy.conditions_types import Builder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from runner.policy.conditions_names import Entry, Facts, Resolver
    from runner.policy.conditions_terms import Evaluate
    from runner.policy.conditions_values import Leaf

#: Why a metric or a fact of a run is not known.
NOT_MEASURED = "not measured"
#: Characters of a text that are told.
_TOLD = 60


class Finding:
    """What a name or a function in a condition was.

    Attributes:
        text: As it stands in the condition.
        value: What it was, None where that is not known.
        shown: The same for people, with its unit.
        why: Why it is not known, "" where it is.
    """

    __slots__ = ("shown", "text", "value", "why")

    def __init__(self, text: str, value: Any, shown: str, why: str = "") -> None:
        self.text = text
        self.value = value
        self.shown = shown
        self.why = why

    def __str__(self) -> str:
        return f"{self.text} {self.shown}"


class Verdict:
    """What a condition says of a run.

    Attributes:
        fired: Whether it holds; None where that can't be said, which fires nothing.
        findings: What each name and function in it was, in the order in which they stand; none where it does not hold,
            unless they were asked for.
    """

    __slots__ = ("findings", "fired")

    def __init__(self, fired: bool | None, findings: list[Finding]) -> None:
        self.fired = fired
        self.findings = findings

    @property
    def unknown(self) -> list[Finding]:
        """What was not known of the run."""
        return [each for each in self.findings if each.value is None]


class Condition:
    """A condition that has been checked and can be evaluated.

    Attributes:
        text: As it was written.
        names: The names in it.
        needs_record: Whether it asks the record.
        needs_output: Whether it looks at the output of the script.
    """

    __slots__ = ("_evaluate", "_leaves", "names", "needs_output", "needs_record", "text")

    def __init__(self, text: str, evaluate: Evaluate, leaves: list[Leaf]) -> None:
        self.text = text
        self._evaluate = evaluate
        self._leaves = leaves
        self.names = frozenset(leaf.entry.name for leaf in leaves)
        self.needs_record = any(isinstance(leaf.entry, Function) and leaf.entry.record for leaf in leaves)
        self.needs_output = not self.names.isdisjoint(("stdout", "stderr"))

    def evaluate(self, facts: Facts, resolver: Resolver | None = None) -> bool:
        """Return whether the condition holds; one that can't be told, for something was not measured, does not.

        The record is asked only as far as the outcome depends on it.

        Args:
            facts: What is known of the run.
            resolver: Answers from the record; without it, nothing is known of earlier runs.

        Raises:
            StoreError: The record can't be read.
        """
        return self._evaluate(facts, resolver) is True

    def judge(self, facts: Facts, resolver: Resolver | None = None, full: bool = False) -> Verdict:
        """Return whether the condition holds, and the values in it.

        Args:
            facts: What is known of the run.
            resolver: Answers from the record.
            full: Whether values are wanted of a condition that does not hold too, which asks the record for all.

        Raises:
            StoreError: The record can't be read.
        """
        fired = self._evaluate(facts, resolver)
        if fired is False and not full:
            return Verdict(False, [])
        findings = []
        for leaf in self._leaves:
            value = leaf.evaluate(facts, resolver)
            why = _why(leaf.entry) if value is None else ""
            findings.append(Finding(leaf.text, value, _shown(leaf, value), why))
        return Verdict(fired, findings)


def compile_condition(text: str, names: Mapping[str, Entry] = NAMES) -> Condition:
    """Check a condition and make it ready to be evaluated, many times and fast.

    Args:
        text: The condition, such as ``cpu_max > 80 and status == "failed"``.
        names: The names it may use: `NAMES`, or `DURING` for one that is judged while the script runs.

    Raises:
        UsageError: It is empty or too long, names something unknown, or compares what can't be compared; the message
            shows the place (`ConditionError`).
    """
    tokens = lex(text)
    check_order(text, tokens)
    builder = Builder(Tree(text, tokens), names)
    evaluate = builder.build().evaluate
    return Condition(text, evaluate, list(builder.leaves.values()))


def _why(entry: Entry) -> str:
    if isinstance(entry, Fact):
        return NOT_MEASURED
    return "too few comparable earlier runs" if entry.compares else "not known"


def _shown(leaf: Leaf, value: Any) -> str:
    if value is None:
        return NOT_MEASURED if isinstance(leaf.entry, Fact) else "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        text = value if value.isprintable() else "".join(char if char.isprintable() else " " for char in value)
        return repr(text if len(text) <= _TOLD else f"{text[: _TOLD - 3]}...")
    return format_value(value, leaf.unit) if leaf.unit else f"{value:g}"
