"""The Python API of gates: which baseline a run is compared with, which gates count, and values that make no sense."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from runner import CicdIntegration, ScriptRunner
from runner.agent.facts import host_facts
from runner.model.errors import UsageError
from runner.model.likeness import host_class

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WALL = "execution_time_seconds"


@pytest.fixture(autouse=True)
def ci_of(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return what sets the variables of a CI system, with none of them set."""
    environ: dict[str, str] = {}
    monkeypatch.setattr("os.environ", environ)
    return environ.update


def baseline(path: Path, *series: tuple[str, str, float], host: str = "") -> Path:
    """Write a baseline: a script, a key and a wall time for each series."""
    made = []
    for script, key, wall in series:
        runs = [{"script": script, "host_class": host, "figures": {WALL: wall}}] * 12
        made.append({"script": script, "key": key, "start": runs[:5], "runs": runs})
    path.write_text(json.dumps({"format": "runner-baseline", "version": 1, "series": made}))
    return path


def compared(ci: CicdIntegration, metrics: dict[str, Any]) -> list[float]:
    return [change.baseline for change in ci.judge(metrics).changes]


def test_the_series_of_script_and_branch_is_chosen(tmp_path: Path, ci_of: Callable[..., None]) -> None:
    path = baseline(tmp_path / "b.json", ("a.py", "main", 1.0), ("a.py", "fix", 2.0), ("b.py", "main", 3.0))
    ci_of(GITHUB_REF_NAME="fix")
    ci = CicdIntegration("a.py")
    ci.load_baseline(path)
    assert compared(ci, {WALL: 1.0}) == [2.0]
    # A whole result says itself which script it is of.
    assert compared(ci, {"metrics": {WALL: 1.0}, "script_path": "jobs/a.py", "name": ""}) == [2.0]
    assert compared(ci, {"metrics": {WALL: 1.0}, "script_path": "b.py", "name": ""}) == [3.0]
    assert "compared with those under main" in ci.judge({"metrics": {WALL: 1.0}, "script_path": "b.py"}).notices[0]
    ci_of(GITHUB_HEAD_REF="fix", GITHUB_BASE_REF="main")
    ci.load_baseline(path)
    assert compared(ci, {WALL: 1.0}) == [1.0]
    ci.load_baseline(path, key="fix")
    assert compared(ci, {WALL: 1.0}) == [2.0]


def test_another_script_is_no_baseline_and_that_is_said(tmp_path: Path) -> None:
    path = baseline(tmp_path / "b.json", ("a.py", "default", 1.0), ("b.py", "default", 3.0))
    ci = CicdIntegration("c.py")
    ci.load_baseline(path)
    judgement = ci.judge({WALL: 1.0})
    assert judgement.changes == []
    assert judgement.notices == [f"{path} has no runs of c.py yet (it has a.py, b.py); nothing was compared"]
    nameless = CicdIntegration()
    nameless.load_baseline(path)
    judgement = nameless.judge({WALL: 1.0})
    assert judgement.changes == []
    assert "has several scripts, and this run names none" in judgement.notices[0]


def test_a_missing_baseline_is_said(tmp_path: Path) -> None:
    ci = CicdIntegration("a.py")
    ci.add_performance_gate(f"{WALL}:+10%")
    ci.load_baseline(tmp_path / "none.json")
    judgement = ci.judge({WALL: 1.0})
    assert judgement.passed
    assert judgement.notices == [f"no baseline yet: {tmp_path}/none.json does not exist; nothing was compared"]


def test_another_class_of_host_is_said(tmp_path: Path) -> None:
    ci = CicdIntegration("a.py")
    ci.load_baseline(baseline(tmp_path / "b.json", ("a.py", "default", 1.0), host="Mac"))
    assert "class of host Mac" in ci.judge({WALL: 1.0}).notices[0]
    ci.load_baseline(baseline(tmp_path / "b.json", ("a.py", "default", 1.0), host=host_class(host_facts())))
    assert ci.judge({WALL: 1.0}).notices == []


def test_figures_that_were_dumped_are_a_baseline_for_any_script(tmp_path: Path) -> None:
    (tmp_path / "base.json").write_text(json.dumps({WALL: 1.0}))
    ci = CicdIntegration("a.py")
    ci.load_baseline(tmp_path / "base.json")
    judgement = ci.judge({WALL: 1.0})
    assert ([change.baseline for change in judgement.changes], judgement.notices) == ([1.0], [])


def test_of_two_gates_in_one_direction_the_last_counts_as_on_the_line() -> None:
    ci = CicdIntegration("a.py")
    ci.add_performance_gate("stdout_lines", max_value=0)
    ci.add_performance_gate("stdout_lines", max_value=5, min_value=1)
    passed, results = ci.check_gates({"stdout_lines": 3})
    assert passed
    assert [str(result) for result in results] == [
        "stdout_lines 3 (at most 5): passed", "stdout_lines 3 (at least 1): passed",
    ]  # fmt: skip
    assert ci.judge({"stdout_lines": 3}).notices == ["gate stdout_lines:<=5 replaces stdout_lines:<=0"]


@pytest.mark.parametrize(("call", "told"), [
    (lambda ci, path: ci.add_performance_gate("cpu_max", max_value=True), "a number or a text"),
    (lambda ci, path: ci.add_performance_gate("cpu_max", max_value=[1]), "a number or a text"),
    (lambda ci, path: ci.add_performance_gate("cpu_max", max_value=10**400), "not a finite number"),
    (lambda ci, path: ci.add_performance_gate(7, max_value=1), "is a text"),
    (lambda ci, path: ci.generate_junit_xml({}, [], path, dialect="foo"), "dialect: 'foo' is not one of strict"),
    (lambda ci, path: ci.generate_tap_output({}, [], path, version="12"), "version: '12' is not one of 13, 14"),
])  # fmt: skip
def test_values_that_make_no_sense_are_refused(
    tmp_path: Path, call: Callable[[CicdIntegration, Path], None], told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        call(CicdIntegration("a.py"), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_runs_that_have_a_name_are_looked_for_by_it() -> None:
    assert ScriptRunner("jobs/a.py").cicd_integration.name == "a.py"
    assert ScriptRunner("jobs/a.py", name="nightly").cicd_integration.name == "nightly"
