"""What is judged of a run: gates of the line and the file, runs that failed, and what is saved."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from runner.agent.events import EXITED, FAILED_TO_START, SKIPPED
from runner.engine.baseline import Baseline
from runner.engine.baseline_key import Key
from runner.engine.ci import CiOptions, Judge, gates_of
from runner.engine.config_shape import Shaper
from runner.engine.config_tree import parse_yaml
from runner.engine.confirm import confirmed
from runner.engine.gate_files import gate_files
from runner.engine.history import HistoryManager
from runner.model.errors import UsageError
from runner.model.metric import CEILING
from runner.model.run import Attempt, Run
from runner.options import Section, Unset

if TYPE_CHECKING:
    from pathlib import Path

WALL, CPU, MEMORY = "execution_time_seconds", "cpu_time_seconds", "memory_max_mb"


def run_of(wall: float | None, number: int = 0, exit_code: int = 0, reason: str = EXITED, **figures: float) -> Run:
    """Return a run that took so long."""
    started = 1_770_000_000_000_000_000 + number * 60_000_000_000
    run = Run(f"{number:012x}", "a.py", started)
    run.script_key, run.host = "/srv/a.py", {"hostname": "h", "cores": 4, "memory_bytes": 16 << 30}
    attempt = Attempt(1, started)
    attempt.reason, attempt.exit_code = reason, exit_code
    attempt.ended = started + int((wall or 0) * 1e9)
    attempt.metrics = {} if wall is None else {WALL: wall, CPU: wall, MEMORY: 100.0, **figures}
    run.attempts = [attempt]
    return run


def judge_of(path: Path | None = None, **options: object) -> Judge:
    return Judge(CiOptions(**options), str(path or "/nonexistent/none.db"), {})


def gates_in(*entries: dict[str, object], **options: Any) -> tuple[list[str], list[str]]:
    sections = [Section(entry, f"c.yaml:{line}") for line, entry in enumerate(entries, 2)]
    gates, notices = gates_of(CiOptions(performance_gates=sections, **options))
    return [gate.text for gate in gates], notices


def test_gates_of_line_and_file_hold_together() -> None:
    filed = {"metric_name": "cpu_max", "max_value": 90, "min_value": 1}, {"metric_name": MEMORY, "max_value": "1GB"}
    assert gates_in(*filed) == (["cpu_max:<=90", "cpu_max:>=1", "memory_max_mb:<=1GB"], [])
    # A gate of the line replaces all of the file on its metric; the others stay.
    assert gates_in(*filed, add_gate=("cpu_max:80",)) == (["memory_max_mb:<=1GB", "cpu_max:80"], [])


def test_of_two_gates_in_one_direction_the_last_counts_and_that_is_said() -> None:
    assert gates_in(add_gate=("cpu_max:80", "cpu_max:>=10", "cpu_max:<90")) == (
        ["cpu_max:>=10", "cpu_max:<90"], ["gate cpu_max:<90 replaces cpu_max:80"],
    )  # fmt: skip
    assert gates_in(add_gate=("cpu_max:80", "cpu_max:80")) == (["cpu_max:80"], [])
    assert gates_in(add_gate=("cpu_max:80", "cpu_max:+10%", "cpu_max:-10%"))[0] == [
        "cpu_max:80", "cpu_max:+10%", "cpu_max:-10%",
    ]  # fmt: skip


def test_gates_that_make_no_sense_are_refused_where_they_stand() -> None:
    with pytest.raises(UsageError, match=r"^--add-gate cpu_mx:90: unknown metric 'cpu_mx', did you mean 'cpu_max'"):
        gates_in(add_gate=("cpu_mx:90",))
    with pytest.raises(UsageError, match=r"^c\.yaml:2: gate on cpu_mx: unknown metric"):
        gates_in({"metric_name": "cpu_mx", "max_value": 1})
    with pytest.raises(UsageError, match=r"^c\.yaml:2: gate on cpu_max: it needs"):
        gates_in({"metric_name": "cpu_max"})
    with pytest.raises(UsageError, match=r"^c\.yaml:2: the environment variable LIMIT is not set"):
        gates_in({"metric_name": "cpu_max", "max_value": Unset("LIMIT")})


def test_the_file_may_say_limits_as_numbers_or_with_units() -> None:
    shape = CiOptions.declared["performance_gates"].shape
    assert shape is not None
    problems: list[tuple[int, str]] = []
    text = "- metric_name: cpu_max\n  max_value: 90\n- metric_name: execution_time_seconds\n  max_value: +10%&>0.5s\n"
    entries = Shaper("c.yaml", {}, lambda line, what: problems.append((line, what))).shape(
        parse_yaml(text)[0], shape, "performance_gates"
    )
    assert problems == []
    gates, _ = gates_of(CiOptions(performance_gates=entries))
    assert [(gate.operator, gate.bound, gate.least) for gate in gates] == [("<=", 90, 0.0), ("+", 0.1, 0.5)]


def test_figures_of_a_run_are_judged() -> None:
    judge = judge_of(add_gate=(f"{WALL}:5s", f"{MEMORY}:50MB", "cpu_max:90"))
    judgement = judge(run_of(3.0))
    assert [gate.passed for gate in judgement.gates] == [True, False, False]
    assert not judgement.passed
    assert judgement.gates[2].note == "was not measured"
    assert judgement.changes == []
    assert judge_of(add_gate=(f"{WALL}:5s",))(run_of(3.0)).passed


def test_a_run_that_failed_is_compared_with_nothing(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    path.write_text(json.dumps({WALL: 10.0}))
    judge = judge_of(add_gate=(f"{WALL}:+10%", f"{WALL}:60"), baseline=str(path), fail_on_regression=True)
    judgement = judge(run_of(1.0, exit_code=2))
    assert [(gate.passed, gate.note) for gate in judgement.gates] == [
        (False, "not compared: the script failed"), (True, ""),
    ]  # fmt: skip
    assert (judgement.changes, judgement.regressed) == ([], [])
    judgement = judge(run_of(None, exit_code=127, reason=FAILED_TO_START))
    assert {gate.note for gate in judgement.gates} == {"was not measured: the script was not started"}


def test_a_run_that_was_skipped_is_not_judged(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    judgement = judge_of(add_gate=(f"{WALL}:1",), save_baseline=str(path))(run_of(None, reason=SKIPPED))
    assert judgement.passed
    assert judgement.gates == []
    assert not path.exists()


def test_only_what_passed_is_saved(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    judge = judge_of(add_gate=(f"{WALL}:5s",), save_baseline=str(path))
    judge(run_of(9.0, 1))
    judge(run_of(3.0, 2, exit_code=1))
    assert not path.exists()
    judge(run_of(3.0, 3))
    judge(run_of(3.1, 4))
    [series] = Baseline.load(str(path)).series
    assert [run["run_id"] for run in series.runs] == ["000000000003", "000000000004"]
    assert series.runs[0]["host_class"] == "4 cores, 16 GB"
    assert judge.warnings == []


def test_a_run_that_failed_by_itself_is_not_saved_though_another_one_helped_it(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    judge = judge_of(add_gate=(f"{WALL}:5s", f"{CPU}:2s"), save_baseline=str(path))
    slow, fast = run_of(9.0, 1, **{CPU: 1.0}), run_of(3.0, 2, **{CPU: 1.0})
    judge.save(fast, confirmed(judge.judge(slow), judge.judge(fast)), judge.judge(fast))
    assert len(Baseline.load(str(path)).series[0].runs) == 1
    # Each timing fails in another of the two runs: that passes, and neither run is a level for later ones.
    busy = run_of(3.0, 3, **{CPU: 2.5})
    own = judge.judge(busy)
    both = confirmed(judge.judge(slow), own)
    assert both.passed
    judge.save(busy, both, own)
    assert len(Baseline.load(str(path)).series[0].runs) == 1
    assert both.notices[-1] == (
        f"the run is not saved in the baseline: {CPU} failed in it, though not in the run before"
    )


def test_another_file_is_saved_with_what_was_compared_and_the_run(tmp_path: Path) -> None:
    before, after = tmp_path / "before.json", tmp_path / "after.json"
    judge_of(save_baseline=str(before))(run_of(3.0, 1))
    for number in (2, 3):
        judge_of(baseline=str(before), save_baseline=str(after))(run_of(3.0, number))
    assert len(Baseline.load(str(before)).series[0].runs) == 1
    assert len(Baseline.load(str(after)).series[0].runs) == 2


def test_what_another_runner_saved_meanwhile_stays(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    judges = [judge_of(baseline=str(path), save_baseline=str(path)) for _ in range(2)]
    for number, judge in enumerate(judges):
        judge(run_of(3.0, number))
    assert len(Baseline.load(str(path)).series[0].runs) == 2


def test_a_file_that_can_not_be_written_later_is_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "b.json"
    path.parent.mkdir()
    judge = judge_of(save_baseline=str(path))
    path.parent.rmdir()
    assert judge(run_of(3.0)).passed
    assert "the baseline was not saved" in judge.warnings[0]


def test_a_missing_baseline_passes_and_says_so(tmp_path: Path) -> None:
    judgement = judge_of(add_gate=(f"{WALL}:+10%",), baseline=str(tmp_path / "b.json"), fail_on_regression=True)(
        run_of(3.0)
    )
    assert judgement.passed
    assert "no baseline yet" in judgement.notices[0]


def test_a_regression_fails_only_where_that_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    for number in range(12):
        judge_of(save_baseline=str(path))(run_of(3.0, number))
    slow = run_of(4.0, 20)
    judgement = judge_of(baseline=str(path))(slow)
    assert judgement.passed
    assert [change.verdict for change in judgement.changes] == ["worse", "worse", "same"]
    judgement = judge_of(baseline=str(path), fail_on_regression=True)(slow)
    assert not judgement.passed
    assert judgement.regressed == [WALL, CPU]
    assert judge_of(baseline=str(path), fail_on_regression=True)(run_of(3.02, 21)).passed


def test_a_peak_that_is_only_a_limit_is_no_regression(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    for number in range(12):
        judge_of(save_baseline=str(path))(run_of(3.0, number))
    judge = judge_of(baseline=str(path), fail_on_regression=True, add_gate=(f"{MEMORY}:+10%",))
    larger = run_of(3.0, 20, **{MEMORY: 140.0})
    assert not judge(larger).passed
    larger.last.kinds = {MEMORY: CEILING}  # what it was started from needed as much
    judgement = judge(larger)
    assert judgement.passed
    assert [change.verdict for change in judgement.changes if change.metric == MEMORY] == ["unsure"]


def test_a_wall_time_on_an_overloaded_host_is_not_held_against_a_run(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    for number in range(12):
        judge_of(save_baseline=str(path))(run_of(3.0, number))
    options: dict[str, Any] = {"baseline": str(path), "save_baseline": str(path), "fail_on_regression": True,
                               "add_gate": (f"{WALL}:+10%",)}  # fmt: skip
    run = run_of(6.0, 20)
    run.last.metrics[CPU] = 3.0
    run.load = 3.9  # of 4 cores
    assert judge_of(**options)(run).regressed == [WALL]
    run.load = 14.9
    judgement = judge_of(**options)(run)
    assert judgement.passed
    assert judgement.gates[0].note.startswith("unsure: the host was overloaded (load 14.9 on 4 cores)")
    assert judgement.changes[0].verdict == "unsure"
    assert "not held against the run" in judgement.notices[-2]
    assert "not saved" in judgement.notices[-1]
    assert len(Baseline.load(str(path)).series[0].runs) == 12
    # More CPU time is the script's own doing, on whatever host.
    run.last.metrics[CPU] = 6.0
    assert judge_of(**options)(run).regressed == [WALL, CPU]
    # A limit is a limit; and where nothing stands out there is nothing to say.
    run.last.metrics[CPU] = 3.0
    assert not judge_of(baseline=str(path), add_gate=(f"{WALL}:5s",))(run).passed
    quiet = run_of(3.0, 21)
    quiet.load = 14.9
    assert judge_of(**options)(quiet).notices == []
    assert len(Baseline.load(str(path)).series[0].runs) == 13


def test_without_a_baseline_the_record_is_what_is_normal(tmp_path: Path) -> None:
    path = tmp_path / "h.db"
    gate = judge_of(path, add_gate=(f"{WALL}:+10%",))
    with HistoryManager(str(path)) as history:
        for number in range(9):
            _save(history, run_of(3.0, number))
        judgement = gate(run_of(9.0, 50))
        assert judgement.passed
        assert "9 comparable runs are remembered, 10 are needed" in judgement.notices[0]
        _save(history, run_of(3.0, 10))
    judgement = gate(run_of(9.0, 50))
    assert not judgement.passed
    assert "median of 10 remembered runs" in judgement.gates[0].text
    assert gate(run_of(3.1, 50)).passed
    assert judgement.changes[0].count == 10


def _save(history: HistoryManager, run: Run) -> None:
    from runner.stores import STORES

    store = STORES.load("sqlite")(history.db_path)
    try:
        store.save(run)
    finally:
        store.close()


def test_a_record_that_can_not_be_read_fails_nothing(tmp_path: Path) -> None:
    path = tmp_path / "h.db"
    path.write_bytes(b"no database at all, but long enough to be taken for one" * 100)
    judgement = judge_of(path, add_gate=(f"{WALL}:+10%",))(run_of(3.0))
    assert judgement.passed
    assert "nothing was compared" in judgement.notices[0]


def test_two_files_are_compared(tmp_path: Path) -> None:
    base, head = tmp_path / "base.json", tmp_path / "head.json"
    base.write_text(json.dumps({WALL: 10.0, CPU: 5.0, "num_threads": 4, "num_fds": 100}))
    head.write_text(json.dumps({WALL: 20.0, CPU: 5.0, "num_threads": 5, "num_fds": 900}))
    judgement, others = gate_files(str(base), str(head), CiOptions(add_gate=(f"{WALL}:+10%",)), Key())
    assert not judgement.passed
    assert {change.metric: change.verdict for change in judgement.changes} == {
        WALL: "worse", CPU: "same", "num_fds": "worse",
    }  # fmt: skip
    assert others == 1
    judgement, _ = gate_files(str(head), str(base), CiOptions(fail_on_regression=True), Key())
    assert judgement.passed
    head.write_text(json.dumps({WALL: 20.0, "kinds": {WALL: CEILING}}))
    judgement, _ = gate_files(str(base), str(head), CiOptions(add_gate=(f"{WALL}:+10%",)), Key())
    assert judgement.passed and "known only as at most this" in judgement.gates[0].note
    for pair in ((base, tmp_path / "none.json"), (tmp_path / "none.json", head)):
        with pytest.raises(UsageError, match="does not exist"):
            gate_files(str(pair[0]), str(pair[1]), CiOptions(), Key())
