"""The generated table says what the declarations say, and every flag of the interface has a place in it."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from runner.cli.features import OWNERS, load
from runner.cli.table import COMMANDS, FLAGS
from tests import support

if TYPE_CHECKING:
    from types import ModuleType

# The flags whose meaning is settled for every version, with the number of values each takes.
SETTLED = """
timeout 1, log-level 1, suppress-warnings 0, config 1, monitor-interval 1, alert-config 1, slack-webhook 1,
email-config 1, add-gate 1, junit-output 1, tap-output 1, baseline 1, save-baseline 1, json-output 1, history-db 1,
disable-history 0, show-history 0, history-days 1, history-limit 1, db-stats 0, cleanup-old 1, retry 1,
retry-strategy 1, retry-delay 1, retry-max-delay 1, retry-multiplier 1, retry-max-time 1, retry-on-errors 1,
skip-on-errors 1, analyze-trend 0, trend-metric 1, trend-days 1, detect-regression 0, regression-threshold 1,
detect-anomalies 0, anomaly-method 1, calculate-baseline 0, baseline-metric 1, baseline-method 1,
baseline-percentile 1, baseline-recent-days 1, baseline-comparison-days 1, query-metric 1, query-script 1,
query-start 1, query-end 1, query-limit 1, aggregate 1, aggregations 0, bucket 1, metrics-list 0, export-format 1,
export-output 1, export-script 1, export-metric 1, export-start-date 1, export-end-date 1, add-retention-policy 1,
retention-days 1, archive-path 1, compliance-mode 1, apply-retention-policy 1, retention-dry-run 0,
list-retention-policies 0, analyze-optimization -1, optimization-days 1, optimization-report 0,
profile-cpu-memory -1, profile-duration 1, profile-io -1, analyze-correlations 0, correlation-days 1,
correlation-threshold 1, find-predictors 1, detect-dependencies 0, lag-window 1, create-benchmark 1,
benchmark-version 1, compare-benchmarks 2, detect-regressions 1, list-benchmarks 1, auto-tune-thresholds 1,
threshold-method 1, analyze-alert-patterns 1, alert-analysis-hours 1, suggest-alert-routing 1, send-to-datadog 1,
send-to-prometheus 1, send-to-newrelic 1, datadog-api-key 1, prometheus-url 1, newrelic-api-key 1,
newrelic-account-id 1, integration-status 0, ssh-host 1, ssh-user 1, ssh-key 1, docker-image 1, docker-container 1,
docker-env 1, k8s-namespace 1, k8s-job-name 1, k8s-image 1, add-scheduled-task 1, schedule 1, cron 1,
add-event-trigger 1, event-task-id 1, list-scheduled-tasks 0, trigger-event 1, forecast-metric 1, forecast-days 1,
forecast-method 1, predict-sla 1, sla-threshold 1, estimate-capacity 1, capacity-growth-rate 1, capacity-months 1
"""


def tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, support.ROOT / f"tools/{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["generate_table", "generate_schema"])
def test_generated_files_are_as_generated(name: str) -> None:
    module = tool(name)
    assert module.TARGET.read_text(encoding="utf-8") == module.render(), f"python tools/{name}.py writes it anew"


def test_every_settled_flag_keeps_its_arity_and_counts_after_the_script() -> None:
    settled = {f"--{flag}": int(arity) for flag, arity in (pair.split() for pair in SETTLED.split(","))}
    assert {flag: FLAGS[flag][2] for flag in settled if flag in FLAGS} == settled
    assert {flag for flag in settled if not FLAGS[flag][4]} == set()
    # Flags of our own would shadow what scripts call so.
    assert {flag for flag, entry in FLAGS.items() if entry[4]} == set(settled)


def test_owners_and_fields_exist() -> None:
    for owner, attr, *_ in FLAGS.values():
        assert not owner or attr in load(owner).declared
    for owners, positional, switch in COMMANDS.values():
        assert set(owners) <= set(OWNERS)
        assert {owner for owner, _, _ in positional} <= set(owners)
        assert not switch or FLAGS[switch][0] in owners


def test_splitting_imports_no_declarations() -> None:
    code = (
        "import sys; from runner.cli.line import split; split(['x.py', '--timeout', '5', 'a']);"
        "print(*sorted(name for name in sys.modules if name.startswith('runner')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={"PYTHONPATH": str(support.SRC)}, check=True
    )
    assert set(done.stdout.split()) <= {
        "runner", "runner.cli", "runner.cli.line", "runner.cli.table", "runner.model", "runner.model.errors",
        "runner.model.words", "runner.cli.complaints",
    }  # fmt: skip
