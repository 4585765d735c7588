"""The newest figures as OpenMetrics, read by the parser of the reference implementation."""

from __future__ import annotations

from prometheus_client.openmetrics.parser import text_string_to_metric_families

from runner.exporters.openmetrics import name_of, render
from runner.model.metrics import CPU_MAX, EXECUTION_TIME, MEMORY_MAX, METRICS
from tests.unit.stores.made import whole


def test_it_is_valid_and_names_carry_their_units() -> None:
    runs = [whole(number, script=name, extra={"loss": 0.5, 'a"\n': 1.0})
            for number, name in enumerate(["a.py", 'b "quoted"\n\\.py', "\udcff.py"])]  # fmt: skip
    families = {family.name: family for family in text_string_to_metric_families(render(runs))}
    for family in families.values():
        assert family.type == "gauge"
        assert family.documentation
        assert len(family.samples) in (3, 6), family
        assert family.name.endswith("_" + family.unit if family.unit else "")
        assert family.name.startswith("runner_")
    for metric in METRICS:
        if any(run.last.metrics[metric.name] is not None for run in runs):
            assert families["runner_" + name_of(metric)[0]].unit == name_of(metric)[1]
    labels = [sample.labels["script"] for sample in families["runner_last_run_success"].samples]
    assert labels == ["a.py", 'b "quoted"\n\\.py', "?.py"]
    value = families["runner_memory_max_bytes"].samples[0].value
    assert value == runs[0].last.metrics[MEMORY_MAX.name] * (1 << 20)  # type: ignore[operator]
    assert "1 is one core" in families["runner_cpu_max_ratio"].documentation


def test_units_are_base_units() -> None:
    assert name_of(MEMORY_MAX)[:2] == ("memory_max_bytes", "bytes")
    assert name_of(CPU_MAX) == ("cpu_max_ratio", "ratio", 0.01)
    assert name_of(EXECUTION_TIME)[:2] == ("execution_time_seconds", "seconds")


def test_of_two_runs_of_one_script_the_newer_counts() -> None:
    older, newer = whole(1), whole(2)
    newer.last.exit_code = 3
    text = render([newer, older])
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert [sample.value for sample in families["runner_last_run_exit_code"].samples] == [3]


def test_nothing_is_valid_too() -> None:
    assert render([]) == "# EOF\n"
