"""How a condition would have judged the last runs of a script, had it been there already."""

from __future__ import annotations

from runner.engine.condition_facts import run_facts
from runner.engine.resolver import RecordResolver
from runner.model.run import iso
from runner.options import Options, opt
from runner.policy.conditions import compile_condition
from runner.policy.conditions_names import NAMES, with_metrics
from runner.stores.base import RunFilter, script_label

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runner.engine.history import HistoryManager
    from runner.model.run import Run
    from runner.policy.conditions import Condition, Verdict
    from runner.stores.aggregates import Presence

#: Runs that are looked at where no number is given.
RUNS = 30


class ExplainOptions(Options):
    """Which condition is explained, on which runs."""

    condition: str = opt("Condition to try, such as 'cpu_max > 80 and failed'", default="", metavar="CONDITION",
                         positional=True)  # fmt: skip
    script: str = opt("Script whose runs are judged: a path, a file name, or the name of its runs; the one that ran "
                      "last without it", default="", metavar="SCRIPT", positional=True)  # fmt: skip
    runs: int = opt("Runs to judge, the newest ones", default=RUNS, flag="--explain-runs", minimum=1, maximum=10_000,
                    metavar="N")  # fmt: skip


class Explanation:
    """How a condition would have judged past runs.

    Attributes:
        condition: The condition.
        script: What people call the script, "" where there are no runs.
        judged: The runs, the newest first, each with what the condition says of it.
    """

    def __init__(self, condition: Condition, script: str, judged: list[tuple[Run, Verdict]]) -> None:
        self.condition = condition
        self.script = script
        self.judged = judged

    @property
    def fired(self) -> int:
        """How many runs it would have fired for."""
        return sum(verdict.fired is True for _, verdict in self.judged)

    @property
    def unknown(self) -> int:
        """For how many runs it can't be said, which fires nothing."""
        return sum(verdict.fired is None for _, verdict in self.judged)

    @property
    def reasons(self) -> list[str]:
        """What kept it from being judged, each once."""
        unjudged = [verdict for _, verdict in self.judged if verdict.fired is None]
        return list(dict.fromkeys(f"{each.text}: {each.why}" for verdict in unjudged for each in verdict.unknown))

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "status": "ok" if self.judged else "no_data",
            "condition": self.condition.text,
            "script": self.script or None,
            "runs": len(self.judged),
            "fired": self.fired,
            "unknown": self.unknown,
            "judged": [
                {
                    "run_id": run.id,
                    "timestamp": iso(run.started),
                    "success": run.last.success,
                    "fired": verdict.fired,
                    "values": {finding.text: finding.value for finding in verdict.findings},
                }
                for run, verdict in self.judged
            ],
        }


def explain(history: HistoryManager, text: str, script: str = "", runs: int = RUNS) -> Explanation:
    """Judge past runs of a script by a condition, each as it was then: only runs before it count as earlier ones.

    Args:
        history: Where they are remembered.
        text: The condition. It may name metrics that the catalog does not have, if a run has them.
        script: As people name it; the script that ran last where empty.
        runs: How many, the newest ones.

    Raises:
        UsageError: The condition can't be used.
        StoreError: The record can't be read.
    """
    none: list[Presence] = []
    present = history.ask(lambda store: store.presence(), none)
    condition = compile_condition(text, with_metrics(NAMES, {each.name: "" for each in present}))
    wanted = RunFilter(script, limit=runs)
    if not script:
        last = history.runs(RunFilter(limit=1))
        if not last:
            return Explanation(condition, "", [])
        wanted.key, wanted.name = last[0].script_key, last[0].name
    found = history.runs(wanted, output=condition.needs_output)
    judged = []
    for run in found:
        facts = run_facts(run, condition.needs_output)
        judged.append((run, condition.judge(facts, RecordResolver.of_history(history, run), full=True)))
    return Explanation(condition, script_label(found[0]) if found else "", judged)
