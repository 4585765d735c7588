"""Baselines: what is kept, which series is chosen, what a run is held against, and files that make no sense."""

from __future__ import annotations

import json
import os
import random
from typing import TYPE_CHECKING, Any

import pytest

from runner.engine import baseline_changes
from runner.engine.baseline import KEPT, SERIES, START, Baseline, chance
from runner.engine.baseline_file import check_place
from runner.engine.baseline_key import Key, key_of
from runner.engine.judging import compare, differences, regressions
from runner.model.errors import UsageError
from runner.model.judgement import BETTER, SAME, UNSURE, WORSE
from runner.model.metrics import EXECUTION_TIME
from runner.policy.gates import parse_gate

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

WALL = "execution_time_seconds"
HOST = "Linux x86_64, 4 cores, 16 GB, Xeon"


def entry(value: float, **facts: object) -> dict[str, Any]:
    """Return a run as a baseline keeps it."""
    known = {"script": "a.py", "host_class": HOST, "arguments": "", "started": "2026-01-03T10:00:00+00:00"}
    return {**known, "figures": {WALL: value}, **facts}


def baseline_of(values: Iterable[float], key: Key | None = None, **facts: object) -> Baseline:
    """Return a baseline to which runs were added one by one."""
    baseline = Baseline("b.json")
    for value in values:
        each = entry(value, **facts)
        baseline.choose(key or Key(), each)
        baseline.add(each)
    baseline.choose(key or Key(), entry(0, **facts))
    return baseline


def builds(values: Iterable[float], gate: str = f"{WALL}:+10%") -> list[bool]:
    """Return which of the builds pass that are compared with a baseline and, where they pass, added to it."""
    judge, baseline, key, passed = parse_gate(gate), Baseline("b.json"), Key(), []
    for value in values:
        each = entry(value)
        baseline.choose(key, each)
        passed.append(judge.judge(each["figures"], {}, baseline).passed)
        if passed[-1]:
            baseline.add(each)
    return passed


def test_a_run_is_held_against_the_median_of_those_kept() -> None:
    found = baseline_of([9.0, 10.0, 11.0]).reference(WALL)
    assert found is not None
    value, lower, upper, count = found
    assert (value, count) == (10.0, 3)
    assert lower < 9.0
    assert upper > 11.0
    assert found.label == "median of 3 runs"
    assert baseline_of([9.0]).reference("cpu_max") is None


def test_only_the_last_runs_are_kept_and_the_first_ones_for_comparison() -> None:
    baseline = baseline_of([10.0] * START + [20.0] * 50)
    [series] = baseline.series
    assert (len(series.runs), len(series.start)) == (KEPT, START)
    assert [found.value for found in baseline.references(WALL)] == [20.0, 10.0]
    assert "2026-01-03" in baseline.references(WALL)[1].label


def test_a_beginning_that_was_fast_by_chance_is_no_level() -> None:
    source = random.Random(3)
    baseline = baseline_of([9.4, 9.3, 9.5, 9.2, 9.4] + [10 * source.lognormvariate(0, 0.06) for _ in range(20)])
    assert [found.label for found in baseline.references(WALL)] == ["median of 20 runs"]


def test_as_long_as_nothing_was_dropped_there_is_one_level() -> None:
    assert len(baseline_of([10.0] * START).references(WALL)) == 1


@pytest.mark.parametrize("step", [0.09, 0.05, 0.03, 0.01, 0.005])
def test_small_steps_are_seen_before_they_add_up_to_half(step: float) -> None:
    """Each build is slower by less than the gate allows, and is saved as the next one's baseline."""
    values = [10 * (1 + step) ** build for build in range(100)]
    first = builds(values).index(False)
    assert values[first] < 15.0
    if step < 0.02:
        assert values[first] < 11.6


def test_a_level_that_stays_is_no_alarm() -> None:
    source = random.Random(1)
    assert all(builds(10 * source.lognormvariate(0, 0.03) for _ in range(200)))


def test_a_jump_by_half_fails_after_few_runs_and_after_many() -> None:
    source = random.Random(2)
    for count in (1, 3, 10, 40):
        values = [10 * source.lognormvariate(0, 0.03) for _ in range(count)]
        assert builds([*values, 15.0])[-1] is False
        assert builds([*values, 10.3])[-1] is True


def test_the_fewer_runs_the_more_is_left_to_chance() -> None:
    reach = [chance([10.0] * count, EXECUTION_TIME)[1] for count in (1, 3, 10)]
    assert reach[0] == pytest.approx(12.2)
    assert reach == sorted(reach, reverse=True)
    low, high = chance([0.001] * 20, EXECUTION_TIME)
    assert (low, high) == (pytest.approx(-0.019), pytest.approx(0.021))  # a moment more or less is always chance


@pytest.mark.parametrize(("metric", "runs", "value", "verdict"), [
    ("page_faults_major", 1, 1, UNSURE), ("page_faults_major", 20, 10, UNSURE), ("page_faults_major", 20, 11, WORSE),
    ("block_io_read_bytes", 1, 4096, UNSURE), ("block_io_write_bytes", 20, 4096, UNSURE),
    ("block_io_read_bytes", 20, 2 << 20, WORSE),
    # Nothing is known of one or two runs; from the third on, what the script alone decides on is its doing.
    ("survivors", 1, 1, UNSURE), ("io_read_bytes", 2, 4096, UNSURE), ("survivors", 3, 1, WORSE),
    ("stderr_lines", 1, 1, WORSE), ("stdout_size_bytes", 1, 100, WORSE),
])  # fmt: skip
def test_a_baseline_of_zero_leaves_as_much_to_chance_as_any(metric: str, runs: int, value: int, verdict: str) -> None:
    baseline = baseline_of([0.0] * runs, figures={metric: 0})
    [change] = compare({metric: value}, baseline, [metric])
    assert change.verdict == verdict
    assert parse_gate(f"{metric}:+10%").judge({metric: value}, {}, baseline).passed == (verdict != WORSE)


def test_what_changed_is_told_with_the_interval_it_rests_on() -> None:
    baseline = baseline_of([10.0, 10.1, 9.9, 10.0] * 5)
    for value, verdict in ((10.1, SAME), (13.0, WORSE), (7.0, BETTER)):
        [change] = compare({WALL: value}, baseline, [WALL])
        assert (change.verdict, change.count) == (verdict, 20)
        assert change.lower is not None
        assert change.upper is not None
        assert change.lower <= (change.relative or 0) <= change.upper
        assert (change.lower > 0) == (verdict == WORSE)
        assert (change.upper < 0) == (verdict == BETTER)
    [change] = compare({WALL: 11.5}, baseline_of([10.0]), [WALL])
    assert change.verdict == UNSURE
    assert compare({}, baseline, [WALL]) == []


def test_which_way_is_worse_comes_from_the_gate_where_the_catalog_does_not_say() -> None:
    baseline = baseline_of([0.0] * 12, figures={"stdout_lines": 100})
    for text, verdict in (("stdout_lines:-10%", WORSE), ("stdout_lines:+10%", BETTER)):
        [change] = compare({"stdout_lines": 20}, baseline, ["stdout_lines"], [parse_gate(text)])
        assert change.verdict == verdict


def test_what_crept_is_worse_than_where_it_began_and_told_so() -> None:
    baseline = baseline_of([10.0] * START + [13.0] * 30)
    worse, crept = regressions({WALL: 13.0}, baseline, [WALL])
    assert worse == [WALL]
    assert "crept up to 13.0 s in small steps, from 10.0 s where the baseline began on 2026-01-03" in crept[0]
    assert regressions({WALL: 10.1}, baseline_of([10.0] * 12), [WALL]) == ([], [])
    worse, crept = regressions({WALL: 30.0}, baseline, [WALL])
    assert (worse, crept) == ([WALL], [])  # a jump is no creep


def test_runs_of_the_same_class_of_host_are_compared_where_there_are_enough() -> None:
    baseline = baseline_of([])
    for number in range(12):
        other = number % 2
        baseline.choose(Key(), entry(0))
        baseline.add(entry(20.0 if other else 10.0, host_class="other" if other else HOST))
    baseline.choose(Key(), entry(0))
    found = baseline.reference(WALL)
    assert found is not None
    assert (found.value, found.count) == (10.0, 6)
    assert baseline.notices(entry(0)) == []
    baseline.choose(Key(), entry(0, host_class="third"))
    assert "class of host" in baseline.notices(entry(0, host_class="third"))[0]


CI = [
    ({}, "default", ["default"]),
    ({"GITHUB_REF_NAME": "main"}, "main", ["main", "default"]),
    ({"GITHUB_REF_NAME": "7/merge", "GITHUB_HEAD_REF": "fix", "GITHUB_BASE_REF": "main"}, "fix",
     ["main", "fix", "default"]),
    ({"GITHUB_REF_NAME": "main", "RUNNER_NAME": "box", "RUNNER_ENVIRONMENT": "self-hosted"}, "main@box",
     ["main@box", "main", "default"]),
    ({"GITHUB_REF_NAME": "main", "RUNNER_NAME": "GitHub Actions 7", "RUNNER_ENVIRONMENT": "github-hosted"}, "main",
     ["main", "default"]),
    ({"CI_COMMIT_REF_NAME": "main"}, "main", ["main", "default"]),
    ({"CI_COMMIT_REF_NAME": "fix", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "fix",
      "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"}, "fix", ["main", "fix", "default"]),
    ({"BRANCH_NAME": "PR-7", "CHANGE_BRANCH": "fix", "CHANGE_TARGET": "main"}, "fix", ["main", "fix", "default"]),
    # A fork's branch of the same name is not the branch that it is to be merged into.
    ({"GITHUB_REF_NAME": "5/merge", "GITHUB_HEAD_REF": "main", "GITHUB_BASE_REF": "main"}, "main (pull request)",
     ["main", "main (pull request)", "default"]),
    ({"BRANCH_NAME": "PR-5", "CHANGE_BRANCH": "main", "CHANGE_TARGET": "main", "NODE_NAME": "a", "JENKINS_URL": "u"},
     "main (pull request)@a", ["main@a", "main", "main (pull request)@a", "main (pull request)", "default"]),
    ({"TRAVIS_BRANCH": "main", "TRAVIS_PULL_REQUEST": "false", "TRAVIS_PULL_REQUEST_BRANCH": ""}, "main",
     ["main", "default"]),
    ({"TRAVIS_BRANCH": "main", "TRAVIS_PULL_REQUEST": "7", "TRAVIS_PULL_REQUEST_BRANCH": "fix"}, "fix",
     ["main", "fix", "default"]),
    ({"TRAVIS_BRANCH": "main", "TRAVIS_PULL_REQUEST": "7", "TRAVIS_PULL_REQUEST_BRANCH": "main"},
     "main (pull request)", ["main", "main (pull request)", "default"]),
    ({"CIRCLE_TAG": "v1.2"}, "v1.2", ["v1.2", "default"]),
    ({"BITBUCKET_TAG": "v1.2"}, "v1.2", ["v1.2", "default"]),
    ({"GIT_BRANCH": "origin/main", "NODE_NAME": "agent1", "JENKINS_URL": "http://ci"}, "main@agent1",
     ["main@agent1", "main", "default"]),
]  # fmt: skip


@pytest.mark.parametrize(("environ", "own", "wanted"), CI)
def test_branch_and_machine_come_from_the_variables_of_ci(environ: dict[str, str], own: str, wanted: list[str]) -> None:
    key = key_of(environ)
    assert (key.own, key.wanted()) == (own, wanted)


def test_a_named_key_is_the_only_one_that_counts() -> None:
    key = key_of({"GITHUB_REF_NAME": "main"}, "nightly")
    assert (key.own, key.wanted()) == ("nightly", ["nightly"])
    baseline = baseline_of([10.0], Key("main"))
    baseline.choose(key, entry(0))
    assert baseline.chosen is None
    assert baseline.references(WALL) == []
    assert "has no runs under nightly (it has main)" in baseline.notices(entry(0))[0]


def test_a_proposed_change_is_compared_with_the_branch_it_wants_into() -> None:
    baseline = baseline_of([10.0] * 3, Key("main"))
    change = Key("fix", target="main")
    for _ in range(2):
        baseline.choose(change, entry(0))
        assert baseline.chosen is not None
        assert baseline.chosen.key == "main"
        baseline.add(entry(10.5))
    assert [(series.key, len(series.runs)) for series in baseline.series] == [("main", 3), ("fix", 5)]


def test_a_new_branch_begins_with_what_it_was_compared_with() -> None:
    baseline = baseline_of([10.0] * 8, Key("main"))
    baseline.choose(Key("fix"), entry(0))
    assert "compared with those under main" in baseline.notices(entry(0))[0]
    baseline.add(entry(10.5))
    assert [(series.key, len(series.runs)) for series in baseline.series] == [("main", 8), ("fix", 9)]


def test_scripts_are_kept_apart() -> None:
    baseline = baseline_of([10.0] * 3)
    baseline.choose(Key(), entry(0, script="b.py"))
    assert baseline.reference(WALL) is None, "another script is no baseline"
    [told] = baseline.notices(entry(0, script="b.py"))
    assert told == "b.json has no runs of b.py yet (it has a.py); nothing was compared"
    for _ in range(2):
        baseline.choose(Key(), entry(0, script="b.py"))
        baseline.add(entry(3.0, script="b.py"))
    assert [(series.script, len(series.runs)) for series in baseline.series] == [("a.py", 3), ("b.py", 2)]
    baseline.choose(Key(), entry(0))
    assert baseline.reference(WALL).value == 10.0  # type: ignore[union-attr]


def test_a_file_keeps_the_branches_last_added_to() -> None:
    baseline = Baseline("b.json")
    for number in range(SERIES + 10):
        baseline.choose(Key(f"branch{number}"), entry(0))
        baseline.add(entry(1.0))
    assert len(baseline.series) == SERIES
    assert baseline.series[-1].key == f"branch{SERIES + 9}"


def test_it_is_written_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    baseline = baseline_of([10.0, 11.0], Key("main"), git_commit="abc")
    baseline.save(str(path))
    again = Baseline.load(str(path))
    assert again.to_dict() == baseline.to_dict()
    assert json.loads(path.read_text())["version"] == 1
    assert not again.missing
    assert Baseline.load(str(tmp_path / "none.json")).missing


def test_reports_and_objects_of_figures_serve_as_baselines(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    report = {"script_path": "jobs/a.py", "name": "", "host": {"cores": 4}, "script_args": ["-x"]}
    figures = {"start_time": "2026-01-01T00:00:00+00:00", "success": True, "cpu_max": None, WALL: 10.0}
    for content in (figures, {"metrics": figures}, {**report, **figures}):
        path.write_text(json.dumps(content))
        baseline = Baseline.load(str(path))
        baseline.choose(Key("main"), entry(0))
        found = baseline.reference(WALL)
        assert found is not None
        assert (found.value, found.count, found.label) == (10.0, 1, "the only run of the baseline")
        baseline.add(entry(10.2))
        assert len(baseline.series[-1].runs) == 2  # it goes on from there


NEWER = '{"format": "runner-baseline", "version": 2, "series": []}'


@pytest.mark.parametrize(("content", "told"), [
    (b"", "is empty"), (b" \n", "is empty"), (b'{"format": "runner-b', "no JSON, or only a part"),
    (b"\xff\xfe", "no JSON"), (b"[" * 100_000, "no JSON"),
    (b"[]", "no figures"), (b"3", "no figures"), (b"{}", "no figures"), (b"null", "no figures"),
    (b'{"name": "package", "version": "1.0"}', "no figures"), (b'{"execution_time_seconds": "10"}', "no figures"),
    (b'{"execution_time_seconds": NaN}', "no figures"), (b'{"execution_time_seconds": 1e999}', "no figures"),
    (b'{"execution_time_seconds": 1' + b"0" * 400 + b"}", "no figures"),
    (NEWER.encode(), "newer version"), (b'{"format": "runner-baseline", "version": 1}', "damaged"),
    (b'{"format": "runner-baseline", "version": 1, "series": [{"script": "a"}]}', "damaged"),
    (b'{"format": "runner-baseline", "version": 1, "series": [{"script": "a", "key": "b", "start": [], "runs": [7]}]}',
     "series 1 is not as the runner writes it"),
    (b'{"format": "runner-baseline", "version": 1, "series": [{"script": "a", "key": "b", "start": [], "runs": '
     b'[{"figures": [1]}]}]}', "series 1 is not as the runner writes it"),
    (b'{"format": "runner-baseline", "version": 1, "series": {}}', "it has no list of series"),
    (b'{"format": "runner-baseline", "version": "2", "series": []}', "its version is not 1"),
    (b'{"format": "runner-baseline", "version": 2.0, "series": []}', "its version is not 1"),
    (b'{"format": "runner-baseline", "version": true, "series": []}', "its version is not 1"),
    (b'{"format": "runner-baseline", "series": []}', "its version is not 1"),
    (b'{"execution_time_seconds": 1' + b"0" * 5000 + b"}", "no figures"),
    (b" " * (17 << 20), "larger than 16 MB"),
])  # fmt: skip
def test_what_is_no_baseline_is_refused_in_one_line(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "b.json"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"^--baseline: ") as refused:
        Baseline.load(str(path))
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "Error(" not in str(refused.value) and "sys." not in str(refused.value)
    with pytest.raises(UsageError, match=r"^--save-baseline: "):
        check_place(str(path), "--save-baseline")
    assert path.read_bytes() == content  # and never written over


def test_paths_that_can_not_work_are_refused(tmp_path: Path) -> None:
    for path in (str(tmp_path), "", "-", "/dev/zero"):
        with pytest.raises(UsageError, match=r"^--baseline: "):
            Baseline.load(path)
    for path in (str(tmp_path), "", "-", "/dev/null", str(tmp_path / "none" / "b.json")):
        with pytest.raises(UsageError, match=r"^--save-baseline: "):
            check_place(path, "--save-baseline")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    path = str(tmp_path / "pipe")
    os.mkfifo(path)
    with pytest.raises(UsageError, match="is no regular file"):
        Baseline.load(path)
    with pytest.raises(UsageError, match="is no regular file"):
        check_place(path, "--save-baseline")


@pytest.mark.parametrize(("runs", "told"), [([], "has no runs"), ([{"figures": {}}], "has no figures in its runs")])
def test_a_series_with_nothing_in_it_says_so(tmp_path: Path, runs: list[object], told: str) -> None:
    path = tmp_path / "b.json"
    series = {"script": "a.py", "key": "default", "start": runs, "runs": runs}
    path.write_text(json.dumps({"format": "runner-baseline", "version": 1, "series": [series]}))
    baseline = Baseline.load(str(path))
    baseline.choose(Key(), entry(0))
    assert baseline.references(WALL) == []
    assert baseline.notices(entry(0)) == [f"{path} {told} under default; nothing was compared"]


def test_what_a_file_says_of_a_run_is_text_or_nothing(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    baseline_of([10.0], host_class=["odd"], started=7, script_hash=None).save(str(path))
    [run] = Baseline.load(str(path)).series[0].runs
    assert run == {"script": "a.py", "arguments": "", "figures": {WALL: 10.0}}


def test_what_differs_is_named() -> None:
    before = entry(1, python_version="3.11.2", script_hash="a")
    assert differences(before, before) == []
    told = differences(before, entry(1, python_version="3.12.1", script_hash="b", host_class="Mac", arguments="--fast"))
    assert told == [f"class of host {HOST} (here Mac)", "Python 3.11.2 (here 3.12.1)", "arguments none (here --fast)",
                    "the script has changed since"]  # fmt: skip
    assert differences({}, before) == []  # what is not known differs in nothing


def test_a_run_is_accepted_as_the_new_level(tmp_path: Path) -> None:
    path = str(tmp_path / "b.json")
    baseline_of([10.0] * 30, Key("main")).save(path)
    slower = Baseline.load(path)
    slower.choose(Key("main"), entry(0))
    assert not parse_gate(f"{WALL}:+10%").judge({WALL: 14.0}, {}, slower).passed
    [series] = baseline_changes.accept(path, Key("main"), entry(14.0))
    assert len(series.runs) == 1
    accepted = Baseline.load(path)
    accepted.choose(Key("main"), entry(0))
    assert parse_gate(f"{WALL}:+10%").judge({WALL: 14.0}, {}, accepted).passed


@pytest.mark.parametrize("key", [Key(), Key("main"), Key("topic", target="main"), Key("main", testbed="big")])
@pytest.mark.parametrize("script", ["a.py", ""])
def test_what_is_accepted_counts_for_runs_made_in_the_same_place(tmp_path: Path, key: Key, script: str) -> None:
    path = str(tmp_path / "b.json")
    baseline_of([10.0] * 30, Key("main")).save(path)
    [series] = baseline_changes.accept(path, key, entry(14.0, script=script))
    assert (series.script, series.key) == ("a.py", "main")
    accepted = Baseline.load(path)
    accepted.choose(key, entry(0))
    assert [found.value for found in accepted.references(WALL)] == [14.0]


def test_which_of_several_branches_is_accepted_is_asked(tmp_path: Path) -> None:
    path = str(tmp_path / "b.json")
    baseline = baseline_of([10.0] * 3, Key("main"))
    baseline.series += baseline_of([10.0] * 3, Key("topic")).series
    baseline.save(path)
    with pytest.raises(UsageError, match="it has main, topic; --baseline-key names one"):
        baseline_changes.accept(path, Key(), entry(14.0))
    [series] = baseline_changes.accept(path, Key("topic", explicit=True), entry(14.0))
    assert series.key == "topic"
    [series] = baseline_changes.accept(path, Key("new", explicit=True), entry(14.0))
    assert series.key == "new"


def test_the_newest_runs_are_accepted_without_naming_one(tmp_path: Path) -> None:
    path = str(tmp_path / "b.json")
    baseline_of([10.0] * START + [13.0] * 30, Key("main")).save(path)
    baseline_changes.accept(path, Key("main"), None)
    baseline = Baseline.load(path)
    baseline.choose(Key("main"), entry(0))
    assert {found.value for found in baseline.references(WALL)} == {13.0}


def test_a_branch_is_forgotten_and_the_others_stay(tmp_path: Path) -> None:
    path = str(tmp_path / "b.json")
    baseline = baseline_of([10.0], Key("main"))
    baseline.choose(Key("fix"), entry(0))
    baseline.add(entry(9.0))
    baseline.save(path)
    with pytest.raises(UsageError, match=r"no runs under fxi, did you mean 'fix'\? \(it has fix, main"):
        baseline_changes.forget(path, Key("fxi"), everything=False)
    assert [series.key for series in baseline_changes.forget(path, Key("fix"), everything=False)] == ["fix"]
    assert [series.key for series in Baseline.load(path).series] == ["main"]
    baseline_changes.forget(path, Key("any"), everything=True)
    assert Baseline.load(path).series == []


def test_a_fork_s_branch_of_the_same_name_is_kept_apart() -> None:
    baseline = baseline_of([10.0] * 3, Key("main"))
    key = key_of({"GITHUB_REF_NAME": "5/merge", "GITHUB_HEAD_REF": "main", "GITHUB_BASE_REF": "main"})
    baseline.choose(key, entry(0))
    assert baseline.chosen is not None
    assert baseline.chosen.key == "main"
    baseline.add(entry(10.5))
    assert [(series.key, len(series.runs)) for series in baseline.series] == [("main", 3), ("main (pull request)", 4)]
