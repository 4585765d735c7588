"""``runner gate --base REV SCRIPT``: shows whether a script got worse since another revision."""

from __future__ import annotations

import os
import sys
from copy import copy

from runner.agent.spawn import script_environment
from runner.cli.gates_shown import judgement_lines
from runner.cli.output import Screen, printable, warn
from runner.cli.tables import write_json, write_rows
from runner.cli.telling import Telling
from runner.engine.ci import gates_of
from runner.engine.confirm import confirmed, median_run, worth_confirming
from runner.engine.interleave import BASE, HEAD, RunFailedError, judge_alone, judge_pairs
from runner.engine.reports import make_reports
from runner.engine.revision_gate import PAIRS, WARMUP, WORKING_TREE, RevisionGate, as_reported, least_effect
from runner.model.errors import RunnerError, StartError, UsageError
from runner.options import COMMAND_LINE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, TextIO

    from runner.engine.interleave import Interleaved
    from runner.engine.run_options import RunOptions
    from runner.model.judgement import Judgement
    from runner.policy.gates import Gate

#: What a run has and a gate of two revisions has no use for.
_NOT_HERE = {
    "ci": ("baseline", "save_baseline", "fail_on_regression"),
    "record": ("auto_cleanup", "auto_retention"),
    "run": ("dry_run", "name"),
}
_CSV = ("metric", "baseline", "value", "relative", "lower", "upper", "verdict", "count")
#: Lines of output of a run that failed.
_LINES = 10


def gate_revisions(words: Sequence[str], given: Mapping[str, Any], out: TextIO) -> int:
    """Run a script at two revisions, and show whether it got worse.

    Args:
        words: What is run.
        given: Options by owner.
        out: For the answer.

    Returns:
        The exit code: 3 where it got worse or a gate fails.

    Raises:
        UsageError: Something on the line makes no sense; nothing has been run.
        StartError: A side can't be run.
    """
    options, show = given["gate-revisions"], given["show"]
    _refuse_strangers(given)
    least = least_effect(options.min_effect)
    gates, notices = gates_of(given["ci"])
    reports = make_reports(lambda owner: given[owner] if given[owner].sources else None, os.environ)
    if any(report.to_stdout for report in reports):
        if given["query"].format != "table":
            raise UsageError("--format: a report goes to standard output already; give one of them a file")
        out = sys.stderr
    env = _environment(given["run"])
    if given["limits"].sources:
        given["limits"].check(given["run"].direct)
    with Telling(show) as telling:
        gate = RevisionGate(words, options, given["run"], env, telling.tell)
        work, judgement = _judged(gate, given, gates, least, telling)
    judgement.notices[:0] = [*notices, *gate.notices]
    told = copy(judgement)
    told.notices = [_title(gate, work), *judgement.notices]
    for report in reports:
        try:
            report.write(as_reported(median_run(work.sides[-1].runs)), told)
        except RunnerError as error:
            work.warnings.append(str(error))
    for line in work.warnings:
        warn(Screen(), line, show)
    _answer(given, gate, work, judgement, out)
    return 0 if judgement.passed else 3


def _judged(
    gate: RevisionGate, given: Mapping[str, Any], gates: Sequence[Gate], least: float, telling: Telling
) -> tuple[Interleaved, Judgement]:
    """Run both sides and judge them; where that can't be done, say first what may be the reason.

    Raises:
        StartError: A side can't be run, or fails.
    """
    options, confirm = given["gate-revisions"], given["confirm"]
    limits = given["limits"] if given["limits"].sources else None
    count = confirm.gate_runs or PAIRS
    try:
        with gate:
            work = gate.interleaved(given["monitor"], given["record"], limits, lambda text: telling.tell(text, False))

            def judge() -> Judgement:
                *base, head = (side.runs for side in work.sides)
                if not base:
                    return judge_alone(head, gates)
                return judge_pairs(base[0], head, gates, options.metric, least, options.confidence, options.seed)

            work.run(count, WARMUP if confirm.warmup is None else confirm.warmup)
            judgement = judge()
            if confirm.confirm and worth_confirming(judgement):
                telling.tell("a timing got worse: running once more to confirm", True)
                work.run(count, 0)
                judgement = confirmed(judgement, judge())
            return work, judgement
    except StartError as error:
        telling.tell("", False)
        if isinstance(error, RunFailedError):
            _show_output(error)
        for notice in gate.notices:
            warn(Screen(), notice, given["show"])
        raise


def _refuse_strangers(given: Mapping[str, Any]) -> None:
    for owner, names in _NOT_HERE.items():
        for name in names:
            if given[owner].source(name).startswith(COMMAND_LINE):
                raise UsageError(f"{given[owner].declared[name].label} has no place beside --base")


def _environment(run: RunOptions) -> dict[str, str]:
    """Return the environment of both sides."""
    env = script_environment()
    if run.env or run.env_file or run.tag:
        from runner.engine.environment import extend, pairs

        env = extend(env, run)
        pairs(run.tag, "--tag")  # whatever can be refused is refused now
    return env


def _answer(given: Mapping[str, Any], gate: RevisionGate, work: Interleaved, judgement: Judgement, out: TextIO) -> None:
    if given["query"].format == "json":
        write_json(out, _as_data(given, gate, work, judgement))
    elif given["query"].format == "csv":
        write_rows(out, "csv", _CSV, [change.to_dict() for change in judgement.changes])
    else:
        screen = Screen(out.fileno() if out.isatty() else -1)
        out.write(screen.fit(f"{work.sides[-1].target.name}: {_title(gate, work)}") + "\n")
        out.writelines(line + "\n" for line in judgement_lines(screen, judgement))


def _title(gate: RevisionGate, work: Interleaved) -> str:
    """Return what was compared with what."""
    *base, head = work.sides
    count = len(head.runs)
    if not base:
        return f"{head.label} alone, {count} run{'s' * (count != 1)}"
    commit = gate.commits[BASE][:12]
    return f"{head.label} against {base[0].label} ({commit}), {count} pair{'s' * (count != 1)} of runs"


def _as_data(
    given: Mapping[str, Any], gate: RevisionGate, work: Interleaved, judgement: Judgement
) -> dict[str, object]:
    options = given["gate-revisions"]
    names = [change.metric for change in judgement.changes]
    runs = {side.name: side.runs for side in work.sides}
    sides = {
        name: {
            "revision": revision,
            "commit": gate.commits[name],
            "runs": [run.id for run in runs.get(name, ())],
            "figures": {metric: [run.last.metrics.get(metric) for run in runs.get(name, ())] for metric in names},
        }
        for name, revision in ((BASE, options.base), (HEAD, options.head or WORKING_TREE))
    }
    return {
        "status": "ok" if judgement.changes else "no_data",
        "pairs": len(runs.get(BASE, ())),
        "confidence": options.confidence,
        "min_effect": least_effect(options.min_effect),
        "seed": options.seed,
        **sides,
        **judgement.to_dict(),
    }


def _show_output(error: RunFailedError) -> None:
    """Show the end of what the run that failed wrote."""
    screen = Screen()
    for stream, kept in error.run.last.output.items():
        lines = kept.text().splitlines()[-_LINES:]
        if lines:
            screen.write(f"runner: the end of its {stream}:\n" + "".join(f"  {printable(line)}\n" for line in lines))
