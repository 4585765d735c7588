"""How conditions, and alerts with them, would have judged the last runs of a script, had they been there already."""

from __future__ import annotations

from runner.engine.condition_facts import run_facts
from runner.engine.resolver import RecordResolver
from runner.model.alert_state import TOLD, AlertState, Moment
from runner.model.run import iso
from runner.options import Options, opt
from runner.policy.alerts import AlertRule, decide
from runner.policy.conditions import compile_condition
from runner.policy.conditions_names import NAMES, with_metrics
from runner.stores.base import RunFilter, script_label

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from runner.engine.history import HistoryManager
    from runner.model.run import Run
    from runner.policy.conditions import Verdict
    from runner.stores.aggregates import Presence

#: Runs that are looked at where no number is given.
RUNS = 30


class ExplainOptions(Options):
    """Which condition is explained, on which runs."""

    condition: str = opt("Condition to try, such as 'cpu_max > 80 and failed', or the name of an alert in the "
                         "configuration file; all of those without it", default="", metavar="CONDITION",
                         positional=True)  # fmt: skip
    script: str = opt("Script whose runs are judged: a path, a file name, or the name of its runs; the one that ran "
                      "last without it", default="", metavar="SCRIPT", positional=True)  # fmt: skip
    runs: int = opt("Runs to judge, the newest ones", default=RUNS, flag="--explain-runs", minimum=1, maximum=10_000,
                    metavar="N")  # fmt: skip


class Judged:
    """What an alert would have made of one run.

    Attributes:
        run: The run.
        verdict: What its condition says.
        outcome: One of `alert_state.OUTCOMES`, "" for nothing to note.
    """

    __slots__ = ("outcome", "run", "verdict")

    def __init__(self, run: Run, verdict: Verdict, outcome: str) -> None:
        self.run = run
        self.verdict = verdict
        self.outcome = outcome

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "run_id": self.run.id,
            "timestamp": iso(self.run.started),
            "success": self.run.last.success,
            "fired": self.verdict.fired,
            "outcome": self.outcome or None,
            "values": {finding.text: finding.value for finding in self.verdict.findings},
        }


class Explanation:
    """How an alert would have judged past runs.

    Attributes:
        rule: The alert.
        script: What people call the script, "" where there are no runs.
        judged: The runs, the newest first.
    """

    def __init__(self, rule: AlertRule, script: str, judged: Sequence[Judged]) -> None:
        self.rule = rule
        self.script = script
        self.judged = judged

    @property
    def fired(self) -> int:
        """For how many runs its condition holds."""
        return sum(each.verdict.fired is True for each in self.judged)

    @property
    def told(self) -> int:
        """For how many of them a message would have been made: not for one within its throttle, say."""
        return sum(each.outcome == TOLD for each in self.judged)

    @property
    def unknown(self) -> int:
        """For how many runs it can't be said, which fires nothing."""
        return sum(each.verdict.fired is None for each in self.judged)

    @property
    def reasons(self) -> list[str]:
        """What kept it from being judged, each once."""
        unjudged = [each.verdict for each in self.judged if each.verdict.fired is None]
        return list(dict.fromkeys(f"{each.text}: {each.why}" for verdict in unjudged for each in verdict.unknown))

    def summary(self) -> dict[str, Any]:
        """Return it as plain data, without the runs."""
        return {
            "alert": self.rule.name or None,
            "condition": self.rule.condition,
            "script": self.script or None,
            "runs": len(self.judged),
            "fired": self.fired,
            "told": self.told,
            "unknown": self.unknown,
        }

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        status = "ok" if self.judged else "no_data"
        return {"status": status, **self.summary(), "judged": [each.to_dict() for each in self.judged]}


def explain(
    history: HistoryManager, rules: Sequence[AlertRule], script: str = "", runs: int = RUNS
) -> list[Explanation]:
    """Judge past runs of a script by alerts, each as it was then: only runs before it count as earlier ones.

    Args:
        history: Where they are remembered.
        rules: The alerts. A condition may name metrics that the catalog does not have, if a run has them.
        script: As people name it; the script that ran last where empty.
        runs: How many, the newest ones.

    Raises:
        UsageError: A condition can't be used.
        StoreError: The record can't be read.
    """
    none: list[Presence] = []
    present = history.ask(lambda store: store.presence(), none)
    names = with_metrics(NAMES, {each.name: "" for each in present})
    conditions = [compile_condition(rule.condition, names) for rule in rules]
    wanted = RunFilter(script, limit=runs)
    if not script:
        last = history.runs(RunFilter(limit=1))
        if not last:
            return [Explanation(rule, "", []) for rule in rules]
        wanted.key, wanted.name = last[0].script_key, last[0].name
    output = any(condition.needs_output for condition in conditions)
    found = history.runs(wanted, output=output)
    known = [(run, run_facts(run, output), RecordResolver.of_history(history, run)) for run in found]
    result = []
    for rule, condition in zip(rules, conditions, strict=True):
        verdicts = [(run, condition.judge(facts, resolver, full=True)) for run, facts, resolver in known]
        result.append(Explanation(rule, script_label(found[0]) if found else "", _live(rule, verdicts)))
    return result


def adhoc(condition: str) -> AlertRule:
    """Return an alert without a name that has a condition, and all else as an alert has it that says nothing."""
    rule = AlertRule("condition", condition)
    rule.name = ""
    return rule


def _live(rule: AlertRule, verdicts: Sequence[tuple[Run, Verdict]]) -> list[Judged]:
    """Let an alert live through runs (the newest first) as it would have: its throttle, its runs in a row, its end."""
    states: dict[tuple[str, str], AlertState] = {}
    judged = []
    for run, verdict in reversed(verdicts):
        outcome = ""
        if verdict.fired is not None:
            state = states.setdefault((run.script_key, run.name), AlertState())
            now = Moment(run.last.ended if run.last.ended is not None else run.started)
            outcome = decide(rule, state, verdict.fired, now, False, run.started)
        judged.append(Judged(run, verdict, outcome))
    return judged[::-1]
