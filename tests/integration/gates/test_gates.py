"""Gates on real runs: exit codes, what is said where, and reports."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests import support

GATE_FAILED = 3


@pytest.fixture
def script(runner: support.Command) -> str:
    return runner.script("print('done')", "job.py")


@pytest.mark.parametrize(("gates", "code"), [
    (["execution_time_seconds:1h"], 0), (["execution_time_seconds:<1us", "cpu_max:1000000"], GATE_FAILED),
    (["stdout_lines:==1", "memory_max_mb:>=1MB", "survivors:0"], 0), (["stdout_lines:==2"], GATE_FAILED),
])  # fmt: skip
def test_a_gate_decides_on_the_exit_code(runner: support.Command, script: str, gates: list[str], code: int) -> None:
    if "1us" in gates[0]:
        gates[0] = "execution_time_seconds:0.000001"
    args = [word for gate in gates for word in ("--add-gate", gate)]
    for line in ([*args, script], [script, *args], ["run", *args, script]):
        done = runner(*line)
        assert (done.exit_code, done.out) == (code, "done\n"), done
        assert ("FAILED" in done.err) == (code != 0)


def test_the_failure_of_the_script_wins(runner: support.Command) -> None:
    runner.script("import sys; sys.exit(7)", "bad.py")
    done = runner("--add-gate", "stdout_lines:==2", "bad.py")
    assert done.exit_code == 7
    assert "FAILED  stdout_lines 0 (exactly 2)" in done.err
    done = runner("--add-gate", "stdout_lines:==2", "nowhere.py")
    assert done.exit_code == 127
    assert "was not measured: the script was not started" in done.err


def test_the_death_of_the_script_wins(runner: support.Command) -> None:
    runner.script("import os; os.kill(os.getpid(), 9)", "dies.py")
    assert runner("--add-gate", "stdout_lines:==2", "dies.py").exit_code == -9


def test_what_makes_no_sense_starts_nothing(runner: support.Command) -> None:
    runner.script("open('ran', 'w')", "job.py")
    for gate, told in (("cpu_mx:90", "did you mean 'cpu_max'?"), ("cpu_max", "METRIC:LIMIT"), ("cpu_max:nan", "finite"),
                       ("error_message:x", "no figure")):  # fmt: skip
        done = runner("--add-gate", gate, "job.py")
        assert done.exit_code == 2
        assert told in done.err
        assert len(done.err.splitlines()) == 1
    (runner.cwd / "c.yaml").write_text("performance_gates:\n  - metric_name: cpu_mx\n    max_value: 3\n")
    done = runner("--config", "c.yaml", "job.py")
    assert done.exit_code == 2
    assert "c.yaml:2" in done.err
    assert "did you mean 'cpu_max'?" in done.err
    assert not (runner.cwd / "ran").exists()


def test_config_check_knows_gates(runner: support.Command) -> None:
    (runner.cwd / "c.yaml").write_text(
        "performance_gates:\n  - metric_name: cpu_mx\n    max_value: 3\n  - metric_name: cpu_max\n"
        "  - metric_name: cpu_max\n    max_value: ${LIMIT}\n"
    )
    done = runner("config", "check", "c.yaml")
    assert (done.exit_code, done.out) == (2, "")
    assert len(done.err.splitlines()) == 2
    assert "c.yaml:2: gate on cpu_mx: unknown metric 'cpu_mx'" in done.err
    assert "c.yaml:4: gate on cpu_max: it needs a max_value" in done.err


def test_gates_of_the_file_hold_unless_the_line_has_one_on_the_metric(runner: support.Command, script: str) -> None:
    (runner.cwd / "runner.yaml").write_text(
        "performance_gates:\n  - metric_name: stdout_lines\n    min_value: 2\n    max_value: 5\n"
        "  - metric_name: execution_time_seconds\n    max_value: 1h\n"
    )
    done = runner(script)
    assert done.exit_code == GATE_FAILED
    assert "FAILED  stdout_lines 1 (at least 2)" in done.err
    assert "passed  stdout_lines 1 (at most 5)" in done.err
    done = runner("--add-gate", "stdout_lines:1", script)
    assert done.exit_code == 0
    assert "(at least 2)" not in done.err
    assert "(at most 1 h 00 min)" in done.err


def test_of_two_gates_in_one_direction_the_last_counts(runner: support.Command, script: str) -> None:
    done = runner("--add-gate", "stdout_lines:0", "--add-gate", "stdout_lines:1", script)
    assert done.exit_code == 0
    assert "gate stdout_lines:1 replaces stdout_lines:0" in done.err


def test_a_figure_that_was_not_measured_fails_its_gate(runner: support.Command, script: str) -> None:
    # What goes past the runner into a file is not counted by lines.
    done = runner("--direct", "--add-gate", "stdout_lines:10", script)
    assert done.exit_code == GATE_FAILED
    assert "FAILED  stdout_lines was not measured" in done.err


@pytest.mark.parametrize("how", [["--quiet"], ["--log-level", "WARNING"], ["--log-level", "ERROR"],
                                 ["--suppress-warnings", "--quiet"]])  # fmt: skip
def test_a_failed_gate_is_said_however_little_is(runner: support.Command, script: str, how: list[str]) -> None:
    done = runner(*how, "--add-gate", "stdout_lines:0", script)
    assert (done.exit_code, done.out) == (GATE_FAILED, "done\n")
    assert "runner: gate FAILED: stdout_lines 1 (at most 0)" in done.err
    done = runner(*how, "--add-gate", "stdout_lines:1", script)
    assert done.exit_code == 0
    assert "stdout_lines" not in done.err


def test_output_that_is_held_back_is_shown_where_a_gate_fails(runner: support.Command, script: str) -> None:
    done = runner("--only-on-failure", "--add-gate", "stdout_lines:0", script)
    assert (done.exit_code, done.out) == (GATE_FAILED, "done\n")
    done = runner("--only-on-failure", "--add-gate", "stdout_lines:1", script)
    assert (done.exit_code, done.out) == (0, "")


def test_reports_are_written_before_the_gate_fails_the_run(runner: support.Command, script: str) -> None:
    done = runner("--json-output", "r.json", "--add-gate", "stdout_lines:0", "--add-gate", "survivors:0", script)
    assert done.exit_code == GATE_FAILED
    judgement = json.loads((runner.cwd / "r.json").read_text())["judgement"]
    assert judgement["passed"] is False
    assert [gate["passed"] for gate in judgement["gates"]] == [False, True]
    assert judgement["gates"][0] == {
        "metric": "stdout_lines", "gate": "stdout_lines:0", "value": 1, "limit": 0.0, "passed": False,
        "text": "stdout_lines 1 (at most 0)", "note": "",
    }  # fmt: skip


def test_the_run_is_recorded_as_what_it_was(runner: support.Command, script: str) -> None:
    runner("--add-gate", "stdout_lines:0", script)
    [run] = json.loads(runner("history", "--format", "json").out)["runs"]
    assert run["success"] is True


def test_a_retried_run_is_judged_once_by_its_last_attempt(runner: support.Command) -> None:
    runner.script(
        """
        import os, sys
        print("a\\nb" if os.path.exists("seen") else "a")
        if not os.path.exists("seen"):
            open("seen", "w"); sys.exit(1)
        """,
        "flaky.py",
    )
    done = runner("--retry", "1", "--retry-delay", "0", "--add-gate", "stdout_lines:==2", "flaky.py")
    assert done.exit_code == 0, done
    assert done.err.count("stdout_lines") == 1


def test_a_relative_gate_goes_by_the_record_where_there_is_no_baseline(runner: support.Command, script: str) -> None:
    gate = ["--add-gate", "stdout_lines:+10%"]
    done = runner(*gate, script)
    assert done.exit_code == 0
    assert "0 comparable runs are remembered, 10 are needed" in done.err
    for _ in range(9):
        runner("--quiet", script)
    runner.script("for _ in range(5): print('done')", "job.py")
    done = runner(*gate, script)
    assert done.exit_code == GATE_FAILED
    assert "FAILED  stdout_lines 5 (at most 1.1, 10 % above 1, median of 10 remembered runs)" in done.err


def test_options_of_runs_have_no_place_beside_queries(runner: support.Command, script: str) -> None:
    for flag in ("--add-gate", "--save-baseline"):
        done = runner("--show-history", flag, "cpu_max:90")
        assert done.exit_code == 2
        assert flag in done.err


def test_the_verdicts_fit_a_narrow_terminal(terminal: Callable[..., support.Terminal], runner: support.Command) -> None:
    runner.script("print('done')", "job.py")
    screen = terminal(width=40)
    screen.line("clear; " + runner.line("--add-gate", "stdout_lines:0", "job.py") + "; echo code $?")
    text = screen.wait("code 3")
    assert "FAILED\n    stdout_lines 1 (at most 0)" in text
    assert "\033[31mFAILED" in screen.screen(escapes=True)
