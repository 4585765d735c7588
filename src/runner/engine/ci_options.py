"""Options of continuous integration: gates that a run has to pass, and the baseline that it is compared with."""

from __future__ import annotations

from runner.model.metrics import EXECUTION_TIME
from runner.options import NEUTRAL, RUN, Options, opt

#: A limit in the file: a number in the metric's unit, or a text such as ``1GB`` or ``+10%``.
_LIMIT = {"type": ["number", "string"]}


class CiOptions(Options):
    """What a run has to pass, and what it is compared with."""

    add_gate: tuple[str, ...] = opt(
        "Fail (exit code 3) unless a figure keeps within: cpu_max:90, memory_max_mb:1GB, cpu_max:+10% (repeatable)",
        default=(), metavar="METRIC:LIMIT", role=RUN, spec=True,
    )  # fmt: skip
    performance_gates: object = opt(
        "Gates on figures of a run: metric_name with max_value, min_value or both", default=(),
        yaml="performance_gates", role=RUN,
        shape={
            "type": "array",
            "examples": [[{"metric_name": EXECUTION_TIME.name, "max_value": "3m"}]],
            "items": {
                "type": "object",
                "properties": {"metric_name": {"type": "string"}, "max_value": _LIMIT, "min_value": _LIMIT},
                "required": ["metric_name"],
            },
        },
    )  # fmt: skip
    baseline: str = opt(
        "Compare with a baseline: what --save-baseline or --json-output wrote, or an object of figures", default="",
        metavar="FILE", env="RUNNER_BASELINE", spec=True,
    )  # fmt: skip
    save_baseline: str = opt(
        "Add the run to this baseline if it succeeded and passed its gates; may be the same file", default="",
        metavar="FILE", env="RUNNER_SAVE_BASELINE", role=RUN, spec=True,
    )  # fmt: skip
    baseline_key: str = opt(
        "Which series of a baseline is meant, instead of branch and machine as CI names them", default="",
        metavar="NAME", env="RUNNER_BASELINE_KEY", role=NEUTRAL,
    )  # fmt: skip
    fail_on_regression: bool = opt(
        "Fail (exit code 3) if wall time, CPU time or peak memory got worse than the baseline by more than chance",
        default=False, env="RUNNER_FAIL_ON_REGRESSION", role=NEUTRAL,
    )  # fmt: skip
