"""Flags whose meaning is settled but which this version does not act on: refused before anything starts.

A flag here never reaches a script, so a line that uses it means the same in every version. The feature that builds one
takes its line out of here and declares it as an option.
"""

from __future__ import annotations

from runner.options import EITHER, NEUTRAL, PLAN, QUERY, RUN

#: Arity of a flag whose value, if any, is only ever given as ``--flag=VALUE``.
OPTIONAL = -1

#: (flag, how many values it takes, role)
RESERVED: tuple[tuple[str, int, str], ...] = (
    # continuous integration
    # trends and anomalies
    ("--analyze-trend", 0, QUERY),
    ("--trend-metric", 1, NEUTRAL),
    ("--trend-days", 1, NEUTRAL),
    ("--detect-regression", 0, EITHER),
    ("--regression-threshold", 1, NEUTRAL),
    ("--detect-anomalies", 0, EITHER),
    ("--anomaly-method", 1, NEUTRAL),
    # baselines
    ("--calculate-baseline", 0, QUERY),
    ("--baseline-metric", 1, NEUTRAL),
    ("--baseline-method", 1, NEUTRAL),
    ("--baseline-percentile", 1, NEUTRAL),
    ("--baseline-recent-days", 1, NEUTRAL),
    ("--baseline-comparison-days", 1, NEUTRAL),
    # retention
    # optimization and profiles
    ("--analyze-optimization", OPTIONAL, QUERY),
    ("--optimization-days", 1, NEUTRAL),
    ("--optimization-report", 0, NEUTRAL),
    ("--profile-cpu-memory", OPTIONAL, RUN),
    ("--profile-duration", 1, RUN),
    ("--profile-io", OPTIONAL, RUN),
    # correlations
    ("--analyze-correlations", 0, QUERY),
    ("--correlation-days", 1, NEUTRAL),
    ("--correlation-threshold", 1, NEUTRAL),
    ("--find-predictors", 1, QUERY),
    ("--detect-dependencies", 0, QUERY),
    ("--lag-window", 1, NEUTRAL),
    # benchmarks
    ("--create-benchmark", 1, EITHER),
    ("--benchmark-version", 1, NEUTRAL),
    ("--compare-benchmarks", 2, QUERY),
    ("--detect-regressions", 1, QUERY),
    ("--list-benchmarks", 1, QUERY),
    # what alerts have taught
    ("--auto-tune-thresholds", 1, QUERY),
    ("--threshold-method", 1, NEUTRAL),
    ("--analyze-alert-patterns", 1, QUERY),
    ("--alert-analysis-hours", 1, NEUTRAL),
    ("--suggest-alert-routing", 1, QUERY),
    # other systems
    ("--send-to-datadog", 1, EITHER),
    ("--send-to-prometheus", 1, EITHER),
    ("--send-to-newrelic", 1, EITHER),
    ("--datadog-api-key", 1, NEUTRAL),
    ("--prometheus-url", 1, NEUTRAL),
    ("--newrelic-api-key", 1, NEUTRAL),
    ("--newrelic-account-id", 1, NEUTRAL),
    ("--integration-status", 0, QUERY),
    # elsewhere
    ("--ssh-host", 1, RUN),
    ("--ssh-user", 1, RUN),
    ("--ssh-key", 1, RUN),
    ("--docker-image", 1, RUN),
    ("--docker-container", 1, RUN),
    ("--docker-env", 1, RUN),
    ("--k8s-namespace", 1, RUN),
    ("--k8s-job-name", 1, RUN),
    ("--k8s-image", 1, RUN),
    # schedules
    ("--add-scheduled-task", 1, PLAN),
    ("--schedule", 1, NEUTRAL),
    ("--cron", 1, NEUTRAL),
    ("--add-event-trigger", 1, PLAN),
    ("--event-task-id", 1, NEUTRAL),
    ("--list-scheduled-tasks", 0, QUERY),
    ("--trigger-event", 1, QUERY),
    # forecasts
    ("--forecast-metric", 1, QUERY),
    ("--forecast-days", 1, NEUTRAL),
    ("--forecast-method", 1, NEUTRAL),
    ("--predict-sla", 1, QUERY),
    ("--sla-threshold", 1, NEUTRAL),
    ("--estimate-capacity", 1, QUERY),
    ("--capacity-growth-rate", 1, NEUTRAL),
    ("--capacity-months", 1, NEUTRAL),
)
