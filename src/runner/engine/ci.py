"""Judges a finished run: its gates, and its figures against a baseline or the record."""

from __future__ import annotations

from os.path import realpath

from runner.agent.events import FAILED_TO_START, SKIPPED
from runner.engine.baseline import Baseline, entry_of
from runner.engine.baseline_key import key_of
from runner.engine.ci_options import CiOptions
from runner.engine.usual import COMPARED
from runner.model.errors import RunnerError, UsageError
from runner.model.judgement import GateResult, Judgement
from runner.options import Unset
from runner.policy.gates import Gate, bounds, in_force, parse_gate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.model.metric import Value
    from runner.model.reference import References
    from runner.model.run import Run

__all__ = ["CiOptions", "Judge", "gates_of", "judge_figures"]


def gates_of(options: CiOptions) -> tuple[list[Gate], list[str]]:
    """Return the gates that options ask for, and lines about those that another replaces.

    A gate of the command line replaces all of the file on the same metric. Otherwise every gate holds, except that of
    several in the same direction the last one counts.

    Raises:
        UsageError: One makes no sense.
    """
    given = [parse_gate(text, "--add-gate") for text in options.add_gate]
    named = {gate.metric.name for gate in given}
    filed = [gate for gate in _gates_of_file(options.performance_gates) if gate.metric.name not in named]
    return in_force([*filed, *given])


def _gates_of_file(entries: object) -> list[Gate]:
    gates: list[Gate] = []
    assert isinstance(entries, (list, tuple))
    for entry in entries:
        for value in entry.values():
            if isinstance(value, Unset):
                raise UsageError(f"{entry.where}: the environment variable {value.name} is not set")
        gates += bounds(entry["metric_name"], entry.get("max_value"), entry.get("min_value"), f"{entry.where}: gate")
    return gates


def problems_of_file(entries: object) -> list[str]:
    """Return what is wrong with the gates of a configuration file, a line each, but for what a variable leaves open."""
    assert isinstance(entries, (list, tuple))
    problems = []
    for entry in entries:
        if any(isinstance(value, Unset) for value in entry.values()):
            continue
        try:
            _gates_of_file([entry])
        except UsageError as error:
            problems.append(str(error))
    return problems


class Judge:
    """Judges runs of one line.

    Args:
        options: What they have to pass, and what they are compared with.
        history_db: Database of runs that relative gates go by without a baseline, "" for the one that applies here.
        environ: The environment: it names branch and machine.

    Attributes:
        gates: The gates.
        baseline: What is compared with, None without ``--baseline``.
        warnings: What went wrong with saving.

    Raises:
        UsageError: A gate makes no sense, or a file can't work.
    """

    def __init__(self, options: CiOptions, history_db: str, environ: Mapping[str, str]) -> None:
        self.options = options
        self.history_db = history_db
        self.gates, self.notices = gates_of(options)
        self.key = key_of(environ, options.baseline_key)
        self.baseline = Baseline.load(options.baseline) if options.baseline else None
        self.warnings: list[str] = []
        if options.save_baseline:
            from runner.engine.baseline_file import check_place

            check_place(options.save_baseline, "--save-baseline")

    def __call__(self, run: Run) -> Judgement:
        """Judge a finished run, and add it to the baseline to be saved if it passed."""
        judgement = self.judge(run)
        self.save(run, judgement)
        return judgement

    def judge(self, run: Run) -> Judgement:
        """Judge a finished run."""
        last = run.last
        if last.reason == SKIPPED:
            return Judgement(notices=["no gate was judged: the run was skipped"])
        notices = list(self.notices)
        source = self._source(run, notices) if last.success else None
        judgement = judge_figures(self.gates, last.metrics, last.kinds, source, self.options.fail_on_regression)
        judgement.notices[:0] = notices
        if source is not None:
            self._excuse(judgement, run, source)
        if not last.success:
            how = "was not started" if last.reason == FAILED_TO_START else "failed"
            judgement.gates = [_not_compared(result, gate, how) for result, gate in
                               zip(judgement.gates, self.gates, strict=True)]  # fmt: skip
        return judgement

    def _source(self, run: Run, notices: list[str]) -> References | None:
        """Return what the run is compared with, and say what is to be said of it."""
        baseline = self.baseline
        if baseline is not None:
            entry = entry_of(run, self.key)
            baseline.choose(self.key, entry)
            notices += baseline.notices(entry)
            return baseline
        if not self.options.fail_on_regression and not any(gate.relative for gate in self.gates):
            return None
        from runner.engine.judging import Remembered

        remembered = Remembered(self.history_db, run, watched(self.gates))
        if remembered.notice:
            notices.append(remembered.notice)
        return remembered

    def _excuse(self, judgement: Judgement, run: Run, source: References) -> None:
        from runner.engine.judging import busy_host, excuse

        reason = busy_host(run, source)
        if reason:
            excuse(judgement, self.gates, reason)

    def save(self, run: Run, judgement: Judgement, own: Judgement | None = None) -> None:
        """Add a run that succeeded and passed to the baseline to be saved; trouble goes to `warnings`.

        Args:
            run: The run.
            judgement: What is told of it; where it passes and is not saved all the same, that is told too.
            own: What was judged of this run by itself, where another one helped it to pass.
        """
        path = self.options.save_baseline
        if not path or not run.last.success or not judgement.passed:
            return
        reason = _unfit(own or judgement)
        if reason:
            judgement.notices.append(f"the run is not saved in the baseline: {reason}")
            return
        from runner.engine.baseline_file import locked

        try:
            with locked(path):
                self._basis(path, run).save(path)
        except RunnerError as error:
            self.warnings.append(f"the baseline was not saved: {error}")

    def _basis(self, path: str, run: Run) -> Baseline:
        """Return the baseline to be saved: that of ``--baseline``, or what is in the file now, with the run."""
        other = self.baseline is not None and realpath(self.options.baseline) != realpath(path)
        basis = Baseline.load(self.options.baseline if other else path)
        entry = entry_of(run, self.key)
        basis.choose(self.key, entry)
        basis.add(entry)
        return basis


def _unfit(judgement: Judgement) -> str:
    """Return why later runs are not to be held against a run, "" where they may be."""
    from runner.engine.judging import EXCUSED

    if judgement.failed:
        return f"{', '.join(judgement.failed)} failed in it, though not in the run before"
    if any(notice.startswith(EXCUSED) for notice in judgement.notices):
        return "its wall time would mislead later runs"
    return ""


def watched(gates: Sequence[Gate]) -> list[str]:
    """Return the metrics that are compared: those of every run, then those that gates are on."""
    return list(dict.fromkeys([*(metric.name for metric in COMPARED), *(gate.metric.name for gate in gates)]))


def judge_figures(
    gates: Sequence[Gate],
    figures: Mapping[str, Value],
    kinds: Mapping[str, str],
    source: References | None,
    fail_on_regression: bool = False,
) -> Judgement:
    """Judge figures by gates and against a baseline.

    Args:
        gates: What they have to pass.
        figures: The figures.
        kinds: How each is known.
        source: What they are compared with, None for nothing.
        fail_on_regression: Whether a figure of `COMPARED` that got worse fails them too.
    """
    judgement = Judgement([gate.judge(figures, kinds, source) for gate in gates])
    if source is not None:
        from runner.engine.judging import compare, regressions

        names = watched(gates)
        judgement.changes = compare(figures, source, names, gates, kinds)
        worse, crept = regressions(figures, source, [metric.name for metric in COMPARED], kinds)
        judgement.notices += crept
        if fail_on_regression:
            judgement.regressed = worse
    return judgement


def _not_compared(result: GateResult, gate: Gate, how: str) -> GateResult:
    """Return what a gate says of a run that failed: it may have had no time to use as much as others."""
    if result.value is None or not gate.relative:
        if result.value is None:
            result.note = f"was not measured: the script {how}"
            result.text = f"{result.metric} {result.note}"
        return result
    result.passed, result.note = False, f"not compared: the script {how}"
    result.text = f"{result.metric} {result.note}"
    return result
