"""What a policy asks for, and which policies contradict each other."""

from __future__ import annotations

from typing import Any

import pytest

from runner.model.errors import UsageError
from runner.model.parts import COARSER, METRICS, OUTPUT, RUNS, SAMPLES
from runner.policy.retention import DEFAULT_DAYS, PRESETS, Policy, parse_steps
from runner.policy.retention_conflicts import contradiction, forbidding, outdoes

DAY = 86_400_000_000_000
NOW = 20_000 * DAY


def tasks(**terms: Any) -> list[tuple[str, float, float | None, float]]:
    """Return part, age in days, age of what is gone already, and span of each task."""
    found = Policy("p", **terms).tasks(NOW)
    return [(task.part, (NOW - task.before) / DAY, None if task.since is None else (NOW - task.since) / DAY,
             task.seconds) for task in found]  # fmt: skip


def test_a_policy_that_says_nothing_keeps_runs_90_days() -> None:
    assert tasks() == [(RUNS, DEFAULT_DAYS, None, 0)]
    assert tasks(samples_days=7) == [(SAMPLES, 7, None, 0)]  # and no run is deleted
    assert tasks(metrics=["cpu_max"]) == [(METRICS, DEFAULT_DAYS, None, 0)]


def test_parts_go_once() -> None:
    """What is told of a part leaves out the runs that go whole, and what is folded is not what goes."""
    assert tasks(days=365, output_days=14, downsample="raw:30d,5min:90d,1hour:180d") == [
        (RUNS, 365, None, 0), (OUTPUT, 14, 365, 0), (SAMPLES, 180, 365, 0), (COARSER, 90, 180, 3600.0),
        (COARSER, 30, 90, 300.0),
    ]  # fmt: skip
    assert tasks(days=30, samples_days=30) == [(RUNS, 30, None, 0)]


def test_periods_longer_than_time_itself_delete_nothing() -> None:
    assert Policy("p", 10**9).tasks(NOW)[0].before == 0


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_gives_the_period(name: str) -> None:
    policy = Policy("p", compliance=name)
    assert policy.days == PRESETS[name].days
    assert (policy.floor, policy.ceiling) == (name != "GDPR", name == "GDPR")


def test_terms_come_back() -> None:
    policy = Policy("p", 0, script="a.py", status="failed", metrics=("cpu_max",), archive_path="/x", compliance="")
    assert Policy.from_terms("p", policy.terms()).terms() == policy.terms() == {
        "days": 0, "script": "a.py", "status": "failed", "metrics": ["cpu_max"], "archive_path": "/x",
    }  # fmt: skip
    assert policy.describe() == "keeps cpu_max 0 days of a.py that ended failed"


@pytest.mark.parametrize(("terms", "said"), [
    ({"days": -1}, "can't be kept -1 days"),
    ({"days": float("inf")}, "can't be kept inf days"),
    ({"samples_days": float("nan")}, "can't be kept nan days"),
    ({"days": 10, "samples_days": 30}, "samples can't outlive its run (30 days, the run is kept 10)"),
    ({"days": 10, "output_days": 30}, "output can't outlive its run"),
    ({"days": 10, "downsample": "raw:5d,5min:1y"}, "samples can't outlive its run (365 days"),
    ({"samples_days": 3, "downsample": "raw:5d,5min:1y"}, "ends the samples"),
    ({"metrics": ["cpu_max"], "output_days": 3}, "need a policy each"),
    ({"days": 30, "compliance": "SOC2"}, "SOC2 keeps at least 365 days; 30 is shorter"),
    ({"samples_days": 30, "compliance": "HIPAA"}, "HIPAA keeps at least 2192 days; 30 is shorter"),
    ({"days": 366, "compliance": "GDPR"}, "GDPR keeps at most 365 days; 366 is longer"),
    ({"compliance": "PCI"}, "no preset 'PCI'"),
])  # fmt: skip
def test_a_policy_that_contradicts_itself_is_refused(terms: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as error:
        Policy("p", **terms)
    assert said in str(error.value)


@pytest.mark.parametrize(("one", "other", "clash"), [
    ({"days": 30}, {"compliance": "HIPAA"}, True),
    ({"days": 3000}, {"compliance": "HIPAA"}, False),
    ({"samples_days": 30}, {"compliance": "SOC2"}, True),
    ({"downsample": "raw:30d,5min:2y"}, {"compliance": "SOC2"}, True),
    ({"metrics": ["cpu_max"], "days": 30}, {"compliance": "SOC2"}, True),
    ({"days": 30, "script": "a.py"}, {"compliance": "SOC2", "script": "b.py"}, False),
    ({"days": 30, "script": "a.py"}, {"compliance": "SOC2", "script": "a.py"}, True),
    ({"days": 30}, {"compliance": "SOC2", "script": "a.py"}, False),  # the others may go; these are withheld
    ({"days": 30, "status": "failed"}, {"compliance": "SOC2", "status": "success"}, False),
    ({"days": 400}, {"compliance": "GDPR"}, True),
    ({"days": 300}, {"compliance": "GDPR"}, False),
    ({"days": 100}, {"compliance": "GDPR", "days": 90}, True),
    ({"days": 400, "metrics": ["cpu_max"]}, {"compliance": "GDPR"}, False),
    ({"compliance": "HIPAA"}, {"compliance": "GDPR"}, True),
    ({"compliance": "HIPAA", "script": "a.py"}, {"compliance": "GDPR"}, True),  # a run that must and must not stay
    ({"compliance": "HIPAA", "script": "a.py"}, {"compliance": "GDPR", "script": "b.py"}, False),
    ({"compliance": "HIPAA", "status": "failed"}, {"compliance": "GDPR", "status": "timeout"}, True),
    ({"compliance": "HIPAA", "status": "lost"}, {"compliance": "GDPR", "status": "timeout"}, False),
    ({"compliance": "HIPAA", "status": "exited"}, {"compliance": "GDPR", "status": "success"}, True),
    ({"compliance": "SOC2"}, {"compliance": "HIPAA"}, False),
    ({"days": 30}, {"days": 90}, False),
    ({"days": 30, "script": "/srv/jobs/a.py"}, {"compliance": "SOC2", "script": "a.py"}, True),
    ({"days": 30, "script": "/srv/jobs/a.py"}, {"compliance": "SOC2", "script": "jobs/a.py"}, True),
    ({"days": 30, "script": "a.py"}, {"compliance": "SOC2", "script": "/srv/jobs/a.py"}, False),  # and its namesakes
    ({"days": 30, "script": "/srv/jobs/ba.py"}, {"compliance": "SOC2", "script": "a.py"}, False),
    ({"compliance": "HIPAA", "script": "/srv/a.py"}, {"compliance": "GDPR", "script": "a.py"}, True),
    ({"compliance": "HIPAA", "script": "a.py"}, {"compliance": "GDPR", "script": "/srv/a.py"}, True),
    ({"compliance": "HIPAA", "metrics": ["cpu_max"]}, {"metrics": ["cpu_min"], "days": 100}, False),
    ({"compliance": "HIPAA", "metrics": ["cpu_max"]}, {"metrics": ["cpu_min", "cpu_max"], "days": 100}, True),
    ({"compliance": "HIPAA", "metrics": ["cpu_max"]}, {"output_days": 100}, False),
    ({"compliance": "HIPAA", "metrics": ["cpu_max"]}, {"downsample": "raw:1d,1min:9d"}, False),
    ({"compliance": "HIPAA", "metrics": ["cpu_max"]}, {"days": 3000, "output_days": 100}, False),
    ({"compliance": "HIPAA", "metrics": ["cpu_max"]}, {"days": 100}, True),
    ({"compliance": "HIPAA", "metrics": ["cpu_max"]}, {"compliance": "GDPR", "metrics": ["cpu_min"]}, False),
])  # fmt: skip
def test_contradictions(one: dict[str, Any], other: dict[str, Any], clash: bool) -> None:
    """They are found whichever comes first, and both are named."""
    for first, second in ((one, other), (other, one)):
        said = contradiction(Policy("new", **second), [Policy("old", **first)])
        assert bool(said) is clash, said
        assert not said or ("'new'" in said and "'old'" in said)


KNOWN = [("/srv/k.py", "k.py", "payroll"), ("/srv/jobs/k.py", "jobs/k.py", "k.py"), ("/srv/b.py", "b.py", "b.py")]


@pytest.mark.parametrize(("one", "other", "clash"), [
    ({"days": 30, "script": "payroll"}, {"compliance": "SOC2", "script": "/srv/k.py"}, True),
    ({"days": 30, "script": "k.py"}, {"compliance": "SOC2", "script": "payroll"}, False),  # others go
    ({"days": 30, "script": "b.py"}, {"compliance": "SOC2", "script": "payroll"}, False),
    ({"days": 30, "script": "none.py"}, {"compliance": "SOC2", "script": "payroll"}, False),
    ({"compliance": "HIPAA", "script": "k.py"}, {"compliance": "GDPR", "script": "payroll"}, True),
    ({"compliance": "HIPAA", "script": "b.py"}, {"compliance": "GDPR", "script": "payroll"}, False),
    ({"days": 500, "script": "payroll"}, {"compliance": "GDPR", "script": "/srv/k.py"}, True),
])  # fmt: skip
def test_scripts_that_there_are_tell_what_names_do_not(one: dict[str, Any], other: dict[str, Any], clash: bool) -> None:
    for first, second in ((one, other), (other, one)):
        assert bool(contradiction(Policy("new", **second), [Policy("old", **first)], KNOWN)) is clash


def test_a_policy_does_not_contradict_the_one_that_it_replaces() -> None:
    assert not contradiction(Policy("P", 30), [Policy("p", compliance="HIPAA")])


def test_a_minimum_forbids_what_it_covers() -> None:
    floor = Policy("law", compliance="SOC2")
    assert forbidding(Policy("", 30), [Policy("x", 3), floor]) is floor
    assert forbidding(Policy("", 366), [floor]) is None
    assert forbidding(Policy("", 30), [Policy("law", compliance="SOC2", script="a.py")]) is None
    assert forbidding(Policy("", 30), [Policy("gone", compliance="GDPR")]) is None


@pytest.mark.parametrize(("terms", "part", "metrics", "protected"), [
    ({"compliance": "SOC2"}, OUTPUT, [], True),
    ({"compliance": "SOC2", "metrics": ["cpu_max"]}, RUNS, [], True),
    ({"compliance": "SOC2", "metrics": ["cpu_max"]}, METRICS, ["cpu_max", "loss"], True),
    ({"compliance": "SOC2", "metrics": ["cpu_max"]}, METRICS, ["loss"], False),
    ({"compliance": "SOC2", "metrics": ["cpu_max"]}, SAMPLES, [], False),
    ({"compliance": "GDPR"}, RUNS, [], False),
    ({"days": 10}, RUNS, [], False),
])  # fmt: skip
def test_what_a_minimum_is_for(terms: dict[str, Any], part: str, metrics: list[str], protected: bool) -> None:
    assert Policy("p", **terms).protects(part, metrics) is protected


@pytest.mark.parametrize(("before", "new", "more"), [
    ({}, {"days": 400}, True),
    ({"days": 3000, "samples_days": 400}, {"days": 500}, False),
    ({}, {"script": "a.py"}, False),
    ({"script": "/srv/a.py"}, {"script": "a.py"}, True),
    ({}, {"metrics": ["cpu_max"]}, False),
    ({"metrics": ["cpu_max"]}, {}, True),
    ({"metrics": ["cpu_max"]}, {"metrics": ["cpu_max", "cpu_min"]}, True),
    ({"metrics": ["cpu_max", "cpu_min"]}, {"metrics": ["cpu_max"]}, False),
])  # fmt: skip
def test_what_keeps_as_much_as_a_minimum(before: dict[str, Any], new: dict[str, Any], more: bool) -> None:
    assert outdoes(Policy("p", compliance="SOC2", **new), Policy("p", compliance="SOC2", **before)) is more


def test_steps_of_detail() -> None:
    assert parse_steps("raw:30d,5min:1y") == [(0.0, 30.0), (300.0, 365.0)]
    assert parse_steps("raw:12h, 30s:2w, 1hour:90days") == [(0.0, 0.5), (30.0, 14.0), (3600.0, 90.0)]
    assert parse_steps("") == []


@pytest.mark.parametrize("text", [
    "raw", "5min:30d", "raw:30d,5min:20d", "raw:30d,5min", "raw:x", "raw:0d", ",", "raw:-3d", "raw:1e999d",
    "raw:30d,5min:60d,1min:90d", "raw:5 parsecs", "raw:30", "raw:30d,300:1y",
])  # fmt: skip
def test_steps_that_make_no_sense(text: str) -> None:
    with pytest.raises(UsageError, match=r"raw:30d,5min:1y|coarser and longer"):
        parse_steps(text)
