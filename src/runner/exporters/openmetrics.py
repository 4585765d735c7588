"""The newest figures of each script as OpenMetrics text, for Prometheus and whatever else reads it.

Names and units follow the specification (https://prometheus.io/docs/specs/om/open_metrics_spec/): base units, which a
name ends with. So memory is in bytes, and what is a percentage elsewhere is a ratio here.
"""

from __future__ import annotations

from runner.model.metric import MB
from runner.model.metrics import METRICS
from runner.model.run import label_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from runner.model.metric import Metric
    from runner.model.run import Run

PREFIX = "runner_"

#: Unit of the catalog -> base unit, what its values are multiplied by, and the ending of names that stands for it.
_UNITS = {
    "seconds": ("seconds", 1.0, "_seconds"),
    "percent": ("ratio", 0.01, ""),
    "MB": ("bytes", float(MB), "_mb"),
    "bytes": ("bytes", 1.0, "_bytes"),
}


def render(runs: Iterable[Run], metrics: Sequence[Metric] = METRICS, extra: Sequence[str] | None = None) -> str:
    """Return the figures of runs, each the newest of its script.

    Args:
        runs: One for each script.
        metrics: Which figures of the catalog.
        extra: Which figures of other names; None for all.
    """
    newest: dict[str, Run] = {}
    for run in sorted(runs, key=lambda run: run.started):
        newest[_labels(run)] = run
    families = [
        family("last_run_timestamp_seconds", "seconds", "Start of the newest run.",
                [(labels, run.started / 1e9) for labels, run in newest.items()]),
        family("last_run_success", "", "Whether the newest run succeeded: 1 or 0.",
                [(labels, int(run.last.success)) for labels, run in newest.items()]),
        family("last_run_exit_code", "", "Exit code of the newest run.",
                [(labels, run.last.exit_code) for labels, run in newest.items()]),
        family("last_run_attempts", "", "Attempts that the newest run took.",
                [(labels, len(run.attempts)) for labels, run in newest.items()]),
    ]  # fmt: skip
    for metric in metrics:
        name, unit, factor = name_of(metric)
        values = [(labels, run.last.metrics.get(metric.name)) for labels, run in newest.items()]
        families.append(family(name, unit, metric.meaning.replace("100 is", f"{100 * factor:g} is"),
                                [(labels, _scaled(value, factor)) for labels, value in values]))  # fmt: skip
    others = [
        (f'{labels},name="{escaped(name)}"', value)
        for labels, run in newest.items()
        for name, value in run.extra.items()
        if extra is None or name in extra
    ]
    families.append(family("extra", "", "Figures of other names that were saved with the newest run.", others))
    return "".join(families) + "# EOF\n"


def name_of(metric: Metric) -> tuple[str, str, float]:
    """Return what a metric is called here, without the prefix; its unit; and what its value is multiplied by."""
    if metric.unit not in _UNITS:
        return metric.name, "", 1.0
    unit, factor, ending = _UNITS[metric.unit]
    return f"{metric.name.removesuffix(ending)}_{unit}", unit, factor


def _scaled(value: float | None, factor: float) -> float | None:
    return value if value is None or factor == 1.0 else round(value * factor, 9)


def _labels(run: Run) -> str:
    return f'script="{escaped(label_of(run.name, run.script_path))}",path="{escaped(run.script_key)}"'


def family(name: str, unit: str, meaning: str, values: Sequence[tuple[str, float | None]]) -> str:
    """Return a gauge with its values, each with its labels as text; "" where none is known."""
    name = PREFIX + name
    lines = [f"{name}{{{labels}}} {value!r}" for labels, value in values if value is not None]
    if not lines:
        return ""
    head = [f"# TYPE {name} gauge", *([f"# UNIT {name} {unit}"] if unit else []), f"# HELP {name} {escaped(meaning)}"]
    return "\n".join([*head, *lines]) + "\n"


def escaped(text: str) -> str:
    """Return a text as it stands in the value of a label, or in help."""
    clean = text.encode("utf-8", "replace").decode("utf-8")
    return clean.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
