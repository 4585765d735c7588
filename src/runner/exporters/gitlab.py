"""The metrics report for GitLab (``--gitlab-metrics-output``): figures as OpenMetrics text, for merge requests.

GitLab compares values as strings and shows each that differs, so they are rounded, and nothing is told that differs
from run to run by its nature.
"""

from __future__ import annotations

from runner.exporters.openmetrics import escaped, family, name_of
from runner.exporters.report import FileReport
from runner.model.metrics import METRICS
from runner.model.run import label_of
from runner.options import RUN, Options, opt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.model.judgement import Judgement
    from runner.model.run import Run

#: Digits that figures are told to.
_DIGITS = 2


class GitlabOptions(Options):
    """Where GitLab's metrics report goes."""

    gitlab_metrics_output: str = opt(
        "Write the figures as a metrics report for GitLab (OpenMetrics), rounded; - is standard output", default="",
        metavar="FILE", env="RUNNER_GITLAB_METRICS_OUTPUT", yaml="reports.gitlab_metrics", role=RUN,
    )  # fmt: skip


class GitlabMetricsReport(FileReport):
    """Writes GitLab's metrics report."""

    flag = "--gitlab-metrics-output"

    def render(self, run: Run, judgement: Judgement | None) -> bytes:
        """Return the report."""
        return gitlab_metrics(run, judgement).encode("utf-8")


def gitlab_metrics(run: Run, judgement: Judgement | None = None) -> str:
    """Return the rounded figures of a run, and which gates it passed, as OpenMetrics text."""
    script = f'script="{escaped(label_of(run.name, run.script_path))}"'
    families = [family("success", "", "Whether the run succeeded: 1 or 0.", [(script, int(run.last.success))])]
    for metric in METRICS:
        name, unit, factor = name_of(metric)
        value = run.last.metrics.get(metric.name)
        families.append(family(name, unit, metric.meaning.replace("100 is", f"{100 * factor:g} is"),
                               [(script, None if value is None else _rounded(value * factor))]))  # fmt: skip
    extra = [(f'{script},name="{escaped(name)}"', _rounded(value)) for name, value in run.extra.items()]
    families.append(family("extra", "", "Figures of other names that were saved with the run.", extra))
    gates = {gate.gate: int(gate.passed) for gate in ([] if judgement is None else judgement.gates)}
    told: list[tuple[str, float | None]] = [(f'{script},gate="{escaped(gate)}"', good) for gate, good in gates.items()]
    families.append(family("gate_passed", "", "Whether the run passed a gate: 1 or 0.", told))
    return "".join(families) + "# EOF\n"


def _rounded(value: float) -> float:
    rounded = float(f"{value:.{_DIGITS}g}")
    return int(rounded) if rounded.is_integer() else rounded
