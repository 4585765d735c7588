"""Baselines through the command: saved, compared, accepted, reset, and files that are broken."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests import support

GATE_FAILED = 3
LINES = "stdout_lines:+10%"
SAME = ["--baseline", "b.json", "--save-baseline", "b.json", "--quiet"]


def job(runner: support.Command, lines: int = 1) -> str:
    return runner.script(f"for _ in range({lines}): print('x')", "job.py")


def series(runner: support.Command, name: str = "b.json") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((runner.cwd / name).read_text())["series"]
    return found


def test_one_file_is_compared_with_and_saved_build_after_build(runner: support.Command) -> None:
    script = job(runner, 100)
    first = runner(*SAME[:4], "--add-gate", LINES, script)
    assert first.exit_code == 0
    assert "no baseline yet: b.json does not exist" in first.err
    second = runner(*SAME[:4], "--add-gate", LINES, script)
    assert second.exit_code == 0
    assert "at most 110, 10 % above 100, the only run of the baseline" in second.err
    assert "wall time" in second.err
    job(runner, 200)
    third = runner(*SAME[:4], "--add-gate", LINES, script)
    assert third.exit_code == GATE_FAILED
    assert "the script has changed since" in third.err
    [kept] = series(runner)
    assert (kept["script"], kept["key"], len(kept["runs"])) == ("job.py", "default", 2)  # what failed is not kept
    assert [entry["figures"]["stdout_lines"] for entry in kept["runs"]] == [100, 100]


def test_what_failed_is_never_saved(runner: support.Command) -> None:
    runner.script("import sys; sys.exit(1)", "bad.py")
    assert runner(*SAME, "bad.py").exit_code == 1
    assert not (runner.cwd / "b.json").exists()
    assert [name for name in os.listdir(runner.cwd) if "tmp" in name] == []


def test_small_steps_do_not_pass_for_ever(runner: support.Command) -> None:
    """Each build prints 9 % more than the one before, which a gate against the build before would let pass."""
    lines, codes = 100.0, []
    for _ in range(6):
        job(runner, round(lines))
        codes.append(runner(*SAME, "--add-gate", LINES, "job.py").exit_code)
        lines *= 1.09
    assert codes[:3] == [0, 0, 0]
    assert GATE_FAILED in codes


def test_branches_are_kept_apart(runner: support.Command) -> None:
    script = job(runner, 10)
    runner(*SAME, script, env={"GITHUB_REF_NAME": "main"})
    change = {"GITHUB_REF_NAME": "3/merge", "GITHUB_HEAD_REF": "fix", "GITHUB_BASE_REF": "main"}
    runner(*SAME, script, env=change)
    assert [(each["key"], len(each["runs"])) for each in series(runner)] == [("main", 1), ("fix", 2)]
    runner(*SAME, "--baseline-key", "nightly", script, env=change)
    assert [each["key"] for each in series(runner)] == ["main", "fix", "nightly"]
    told = runner("baseline", "show", "b.json")
    assert [line.split()[:2] for line in told.out.splitlines()] == [
        ["KEY", "RUNS"], ["main", "1"], ["fix", "2"], ["nightly", "1"],
    ]  # fmt: skip


def test_a_regression_fails_where_that_was_asked_for(runner: support.Command) -> None:
    figures(runner.cwd / "b.json", execution_time_seconds=1e-6)
    script = runner.script("import time; time.sleep(0.1)")
    assert runner("--baseline", "b.json", script, "--quiet").exit_code == 0
    done = runner("--baseline", "b.json", "--fail-on-regression", "--quiet", script)
    assert done.exit_code == GATE_FAILED
    assert "regression FAILED: execution_time_seconds got worse" in done.err


def test_a_report_serves_as_baseline_and_is_gone_on_from(runner: support.Command) -> None:
    script = job(runner, 10)
    runner("--json-output", "b.json", "--quiet", script)
    assert runner(*SAME, "--add-gate", LINES, script).exit_code == 0
    assert len(series(runner)[-1]["runs"]) == 2


BROKEN = {
    "empty.json": b"", "half.json": b'{"format": "runner-baseline", "ver', "text.json": b"hello",
    "other.json": b'{"name": "package"}', "newer.json": b'{"format": "runner-baseline", "version": 99}',
}  # fmt: skip


def test_a_broken_baseline_starts_nothing(runner: support.Command) -> None:
    runner.script("open('ran', 'w')", "job.py")
    (runner.cwd / "folder.json").mkdir()
    with open(runner.cwd / "huge.json", "wb") as file:
        file.truncate(100 << 20)
    for name, content in BROKEN.items():
        (runner.cwd / name).write_bytes(content)
    for name in [*BROKEN, "folder.json", "huge.json"]:
        for flag in ("--baseline", "--save-baseline"):
            done = runner(flag, name, "job.py")
            assert (done.exit_code, done.out) == (2, ""), done
            assert len(done.err.splitlines()) == 1
            assert flag in done.err
            assert name in done.err
    assert not (runner.cwd / "ran").exists()
    assert (runner.cwd / "other.json").read_bytes() == BROKEN["other.json"]


def test_a_pipe_as_a_baseline_is_not_waited_for(runner: support.Command) -> None:
    os.mkfifo(runner.cwd / "pipe")
    for flag in ("--baseline", "--save-baseline"):
        done = runner(flag, "pipe", job(runner))
        assert (done.exit_code, done.out) == (2, ""), done
        assert f"{flag}: pipe is no regular file" in done.err


@pytest.mark.parametrize("asks", [("--baseline", "f.json"), ("--config", "f.json")])
def test_no_report_is_written_over_what_the_run_goes_by(runner: support.Command, asks: tuple[str, str]) -> None:
    (runner.cwd / "f.json").write_text("{}" if asks[0] == "--config" else '{"cpu_max": 1}')
    before = (runner.cwd / "f.json").read_bytes()
    done = runner(*asks, "--html-output", "f.json", job(runner))
    assert (done.exit_code, done.out) == (2, ""), done
    assert "--html-output both name f.json; give each a file of its own" in done.err
    assert (runner.cwd / "f.json").read_bytes() == before


def test_a_baseline_that_can_not_be_written_at_the_end_is_a_warning(runner: support.Command) -> None:
    (runner.cwd / "folder").mkdir()
    runner.script("import os; os.rmdir('folder')", "job.py")
    done = runner("--save-baseline", "folder/b.json", "job.py")
    assert done.exit_code == 0
    assert "the baseline was not saved" in done.err


def test_runners_that_end_at_once_lose_none_of_their_runs(runner: support.Command) -> None:
    script = job(runner)
    started = [runner.start(*SAME, script, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for _ in range(4)]
    for each in started:
        _, err = each.communicate(timeout=60)
        assert (each.returncode, err) == (0, b"")
    assert len(series(runner)[0]["runs"]) == 4


def test_a_level_is_accepted_and_reset(runner: support.Command) -> None:
    script = job(runner, 10)
    for _ in range(3):
        runner(*SAME, script)
    job(runner, 50)
    assert runner(*SAME, "--add-gate", LINES, script).exit_code == GATE_FAILED
    told = runner("baseline", "accept", "b.json", "last")
    assert told.exit_code == 0
    assert "job.py under default: 1 run kept; what they cost is normal from now on" in told.out
    assert runner(*SAME, "--add-gate", LINES, script).exit_code == 0
    assert "forgotten" in runner("baseline", "reset", "b.json").out
    assert runner("baseline", "show", "b.json").out == "b.json holds no runs\n"
    answer = json.loads(runner("baseline", "show", "b.json", "--format", "json").out)
    assert (answer["status"], answer["series"]) == ("no_data", [])
    assert runner(*SAME, "--add-gate", LINES, script).exit_code == 0


@pytest.mark.parametrize("args", [
    ["show"], ["show", "none.json"], ["show", "folder"], ["accept"], ["accept", "b.json", "nonesuch"],
    ["reset", "none.json"],
])  # fmt: skip
def test_what_can_not_be_shown_or_changed_is_said(runner: support.Command, args: list[str]) -> None:
    (runner.cwd / "folder").mkdir()
    done = runner("baseline", *args)
    assert (done.exit_code, done.out) == (2, "")
    assert len(done.err.splitlines()) == 1


def test_a_run_that_failed_is_no_level(runner: support.Command) -> None:
    runner.script("import sys; sys.exit(1)", "bad.py")
    runner("--quiet", "bad.py")
    done = runner("baseline", "accept", "b.json", "last")
    assert done.exit_code == 2
    assert "failed" in done.err


def figures(path: Path, **values: float) -> None:
    path.write_text(json.dumps(values))


def test_scripts_that_share_a_file_are_not_held_against_each_other(runner: support.Command) -> None:
    assert runner(*SAME, job(runner, 1)).exit_code == 0
    (runner.cwd / "other.py").write_text("print('line\\n' * 50)\n")
    done = runner(*SAME[:-1], "--add-gate", LINES, "other.py")
    assert done.exit_code == 0, done
    assert "b.json has no runs of other.py yet (it has job.py); nothing was compared" in done.err
    assert runner("gate", "b.json", "b.json", "--format", "json").exit_code == 0


def test_two_files_of_different_scripts_are_compared_and_that_is_said(runner: support.Command) -> None:
    runner("--save-baseline", "a.json", job(runner, 1))
    (runner.cwd / "other.py").write_text("print('line\\n' * 50)\n")
    runner("--save-baseline", "c.json", "other.py")
    done = runner("gate", "a.json", "c.json", "--add-gate", LINES)
    assert done.exit_code == 1, done
    assert "script job.py (here other.py)" in done.out


def test_two_files_are_judged_without_a_run(runner: support.Command) -> None:
    figures(runner.cwd / "base.json", execution_time_seconds=10.0, cpu_max=50.0, stdout_lines=5)
    figures(runner.cwd / "head.json", execution_time_seconds=20.0, cpu_max=51.0, stdout_lines=5)
    done = runner("gate", "base.json", "head.json")
    assert (done.exit_code, done.err) == (0, "")
    assert [line.split()[-1] for line in done.out.splitlines() if "wall time" in line] == ["worse"]
    done = runner("gate", "base.json", "head.json", "--add-gate", "execution_time_seconds:+10%")
    assert done.exit_code == 1
    assert "FAILED" in done.out
    assert runner("gate", "base.json", "head.json", "--fail-on-regression").exit_code == 1
    assert runner("gate", "head.json", "base.json", "--fail-on-regression").exit_code == 0
    answer = json.loads(runner("gate", "base.json", "head.json", "--format", "json").out)
    assert (answer["status"], answer["passed"]) == ("ok", True)
    assert answer["baseline"][0]["verdict"] == "worse"
    assert runner("gate", "base.json", "head.json", "--format", "csv").out.splitlines()[0].startswith("metric,value")


@pytest.mark.parametrize("args", [["gate"], ["gate", "one.json"], ["gate", "base.json", "none.json"],
                                  ["gate", "base.json", "base.json", "--add-gate", "cpu_mx:1"],
                                  ["gate", "base.json", "base.json", "--head", "HEAD"],
                                  ["gate", "base.json", "base.json", "--min-effect", "5%"],
                                  ["gate", "base.json", "base.json", "--save-baseline", "base.json"]])  # fmt: skip
def test_a_comparison_that_makes_no_sense_is_refused(runner: support.Command, args: list[str]) -> None:
    figures(runner.cwd / "base.json", execution_time_seconds=10.0)
    done = runner(*args)
    assert (done.exit_code, done.out) == (2, "")
    assert len(done.err.splitlines()) == 1


def test_files_without_a_common_figure_say_so(runner: support.Command) -> None:
    figures(runner.cwd / "base.json", execution_time_seconds=10.0)
    figures(runner.cwd / "head.json", stdout_lines=1)
    assert "no figure in common" in runner("gate", "base.json", "head.json").out
    assert json.loads(runner("gate", "base.json", "head.json", "--format", "json").out)["status"] == "no_data"
