from __future__ import annotations

from typing import Any

import pytest

from runner.analysis.causes import Question, causes, differing
from runner.analysis.usual import place
from runner.model import metrics as m
from runner.model.run import Attempt, Run
from runner.model.usual import Cause

CALM = {m.EXECUTION_TIME.name: 10.0, m.CPU_TIME.name: 8.0, m.MEMORY_MAX.name: 100.0, m.BLOCK_IO_READ.name: 1 << 20,
        m.PAGE_FAULTS_MAJOR.name: 0, m.INVOLUNTARY_CONTEXT_SWITCHES.name: 40, m.STDOUT_SIZE.name: 100}  # fmt: skip


def a_run(number: int, figures: dict[str, float] | None = None, **facts: Any) -> Run:
    run = Run(f"{number:012x}", "job.py", number)
    run.args = ["--in", "data.csv"]
    run.host = {"cores": 4, "hostname": "worker-1"}
    run.script_hash, run.git_commit, run.python_version, run.packages_hash = "a" * 64, "b" * 40, "3.11.2", "c" * 16
    run.packages, run.variables = {"pandas": "2.1.4", "six": "1.16"}, {"LANG": "C"}
    run.load, run.input_bytes, run.user, run.cwd = 0.5, 2 << 20, "alice", "/srv"
    for name, value in facts.items():
        setattr(run, name, value)
    attempt = Attempt(1, number)
    attempt.reason, attempt.exit_code = "exited", 0
    attempt.metrics = {**CALM, **(figures or {})}
    run.attempts = [attempt]
    return run


def ask(run: Run, earlier: list[Run] | None = None) -> list[Cause]:
    earlier = [a_run(number) for number in range(20, 0, -1)] if earlier is None else earlier
    by_id = {each.id: each for each in earlier}
    places = {
        metric.name: place(
            run.last.metrics.get(metric.name), [each.last.metrics[metric.name] for each in earlier], metric.unit
        )
        for metric in (m.EXECUTION_TIME, m.CPU_TIME, m.MEMORY_MAX)
    }
    return causes(Question(run, earlier, by_id.get, places))


def likely(run: Run, earlier: list[Run] | None = None) -> list[str]:
    return [cause.kind for cause in ask(run, earlier) if cause.likely]


SLOW = {m.EXECUTION_TIME.name: 20.0, m.CPU_TIME.name: 18.0}
WAITED = {m.EXECUTION_TIME.name: 20.0}


def test_a_run_like_the_others_has_no_cause() -> None:
    assert ask(a_run(99)) == []


@pytest.mark.parametrize(
    ("facts", "kind", "text"),
    [
        ({"script_hash": "d" * 64}, "script", "the script changed"),
        ({"git_commit": "e" * 40}, "commit", "commit bbbbbbbb -> eeeeeeee"),
        ({"git_dirty": True}, "uncommitted", "there are changes that are not committed"),
        ({"python_version": "3.12.1"}, "python", "Python 3.11.2 -> 3.12.1"),
        ({"packages_hash": "f" * 16, "packages": {"pandas": "2.2.0", "numpy": "2.0"}}, "packages",
         "other packages: + numpy 2.0, pandas 2.1.4 -> 2.2.0, - six 1.16"),
        ({"variables": {"LANG": "C", "OMP_NUM_THREADS": "1"}}, "variables", "other variables: + OMP_NUM_THREADS 1"),
        ({"args": ["--in", "big.csv"]}, "arguments", "other arguments: data.csv -> big.csv"),
        ({"input_bytes": 1 << 30}, "input", "its input has 1 GB, usually 2 MB"),
        ({"load": 7.9}, "load", "the host was busy: load 7.9 on 4 cores, usually 0.5"),
    ],
)  # fmt: skip
def test_a_fact_that_differs_is_told(facts: dict[str, Any], kind: str, text: str) -> None:
    [cause] = ask(a_run(99, SLOW, **facts))
    assert (cause.kind, cause.text, cause.likely) == (kind, text, True)


def test_another_host_of_the_class_merely_differs() -> None:
    [cause] = ask(a_run(99, SLOW, host={"cores": 4, "hostname": "worker-2"}))
    assert (cause.kind, cause.likely, cause.before, cause.now) == ("host", False, "worker-1", "worker-2")


@pytest.mark.parametrize(
    ("figures", "kinds"),
    [
        (WAITED, ["waiting"]),
        ({**WAITED, m.BLOCK_IO_READ.name: 1 << 30}, ["disk", "waiting"]),
        ({**WAITED, m.PAGE_FAULTS_MAJOR.name: 50_000}, ["faults", "waiting"]),
        ({**WAITED, m.INVOLUNTARY_CONTEXT_SWITCHES.name: 9_000}, ["contention", "waiting"]),
        ({**SLOW, m.BLOCK_IO_READ.name: 1 << 30}, []),  # it computed: what it read explains nothing
        ({**SLOW, m.STDOUT_SIZE.name: 1 << 30}, ["output"]),
    ],
)
def test_figures_explain_figures(figures: dict[str, float], kinds: list[str]) -> None:
    assert likely(a_run(99, figures)) == kinds


def test_the_direction_has_to_fit() -> None:
    assert likely(a_run(99, SLOW, input_bytes=10)) == []
    fast = {m.EXECUTION_TIME.name: 1.0, m.CPU_TIME.name: 0.5}
    assert likely(a_run(99, fast, input_bytes=10)) == ["input"]
    assert likely(a_run(99, fast, load=9.0)) == []


def test_what_differs_in_every_run_explains_nothing() -> None:
    earlier = [
        a_run(number, git_commit=f"{number:040x}", args=["--in", f"{number}.csv"]) for number in range(20, 0, -1)
    ]
    assert ask(a_run(99, SLOW, git_commit="9" * 40, args=["--in", "99.csv"]), earlier) == []


def test_a_change_some_runs_ago_counts_if_these_stand_out_alike() -> None:
    changed: dict[str, Any] = {"script_hash": "d" * 64}
    slow_since = [a_run(number, SLOW, **changed) for number in (22, 21)] + [
        a_run(number) for number in range(20, 0, -1)
    ]
    [cause] = ask(a_run(99, SLOW, **changed), slow_since)
    assert cause.text == "the script changed (as in 2 of the last 22 runs)"
    quick_since = [a_run(number, **changed) for number in (22, 21)] + [a_run(number) for number in range(20, 0, -1)]
    assert ask(a_run(99, SLOW, **changed), quick_since) == []


def test_a_change_is_told_against_the_newest_run_that_differs() -> None:
    new: dict[str, Any] = {"packages_hash": "f" * 16, "packages": {"pandas": "2.2.0", "six": "1.16"}}
    earlier = [a_run(21, SLOW, **new)] + [a_run(number) for number in range(20, 0, -1)]
    [cause] = ask(a_run(99, SLOW, **new), earlier)
    assert cause.text == "other packages (as in 1 of the last 21 runs): pandas 2.1.4 -> 2.2.0"


def test_long_lists_are_cut() -> None:
    many = {f"p{number}": "1" for number in range(10)}
    [cause] = ask(a_run(99, SLOW, packages_hash="f" * 16, packages={**many, "pandas": "2.1.4", "six": "1.16"}))
    assert cause.text == "other packages: + p0 1, + p1 1, + p2 1 and 7 more"


def test_what_older_runs_did_not_record_is_no_cause() -> None:
    old = [
        a_run(number, input_bytes=None, load=None, packages_hash=None, packages={}, variables={"LANG": "C"})
        for number in range(20, 0, -1)
    ]
    assert ask(a_run(99, SLOW, load=9.0, input_bytes=1 << 30), old) == []


def test_mappings_are_told_apart() -> None:
    assert differing({"a": "1", "b": "1"}, {"b": "2", "c": "1"}) == ["- a 1", "b 1 -> 2", "+ c 1"]
