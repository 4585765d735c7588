"""``runner alerts explain`` as a person uses it: on real runs, in each format, piped and in terminals."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests import support

SCRIPT = """
import sys
memory = bytearray(int(sys.argv[1]) << 20)
if len(memory) > 100 << 20:
    raise MemoryError("no space \\x1b[31mleft")
"""


@pytest.fixture
def history(runner: support.Command) -> support.Command:
    script = runner.script(SCRIPT, "job.py")
    for size in (1, 1, 60, 120):
        runner("--quiet", script, size)
    return runner


def test_it_says_which_runs_it_would_have_fired_for(history: support.Command) -> None:
    done = history("alerts", "explain", "memory_max_mb > 50MB and not failed", "job.py")
    assert (done.exit_code, done.err) == (0, "")
    head, _, names, *rows = done.out.splitlines()
    assert head == "would have fired in 1 of the last 4 runs of job.py"
    assert names.split() == ["STARTED", "FIRED", "STATUS", "RUN", "VALUES"]
    assert [row.split()[2] for row in rows] == ["-", "yes", "-", "-"], "the newest first"
    assert "MemoryError" in rows[0] and "memory_max_mb" in rows[0] and "failed yes" in rows[0]


def test_the_script_that_ran_last_is_meant_where_none_is_named(history: support.Command) -> None:
    history("--quiet", history.script("", "other.py"))
    assert "would not have fired in the only run of other.py" in history("alerts", "explain", "failed").out
    assert "the last 2 runs of job.py" in history("alerts", "explain", "failed", "job.py", "--runs", "2").out


def test_what_could_not_be_judged_is_said(history: support.Command) -> None:
    done = history("alerts", "explain", "p95(memory_max_mb, 7d) > 1", "job.py")
    assert "would have fired in none of the last 4 runs" in done.out
    assert done.out.splitlines()[-1] == (
        "? 4 runs could not be judged, which fires nothing (p95(memory_max_mb, 7d): too few comparable earlier runs)"
    )


def test_for_programs(history: support.Command) -> None:
    question = ("alerts", "explain", "error_message contains 'NO SPACE'", "job.py", "--format")
    answer = json.loads(history(*question, "json").out)
    assert (answer["status"], answer["script"], answer["runs"], answer["fired"], answer["unknown"]) == (
        "ok", "job.py", 4, 1, 0
    )  # fmt: skip
    assert [each["fired"] for each in answer["judged"]] == [True, False, False, False]
    assert "no space" in answer["judged"][0]["values"]["error_message"]
    table = history(*question, "csv").out.splitlines()
    assert table[0] == "run_id,timestamp,success,fired,outcome,error_message" and len(table) == 5


CONFIG = """
alerts:
  - name: big
    condition: memory_max_mb > 50MB
    throttle_seconds: 1h
  - name: broken
    condition: failed
    after: 2
"""


def test_configured_alerts(history: support.Command) -> None:
    (history.cwd / "alerts.yaml").write_text(CONFIG)
    asked = ("alerts", "explain", "--config", "alerts.yaml")
    head, _, names, *rows = history(*asked).out.splitlines()
    assert head == "judged on the last 4 runs of job.py"
    assert names.split() == ["ALERT", "FIRED", "TOLD", "UNKNOWN", "CONDITION"]
    assert [row.split(maxsplit=4) for row in rows] == [
        ["big", "2", "1", "-", "memory_max_mb > 50MB"], ["broken", "1", "0", "-", "failed"]
    ]  # fmt: skip
    answer = json.loads(history(*asked, "--format", "json").out)
    assert [(each["alert"], each["fired"], each["told"]) for each in answer["alerts"]] == [
        ("big", 2, 1),
        ("broken", 1, 0),
    ]
    table = history(*asked, "--format", "csv").out.splitlines()
    assert table[0] == "alert,condition,script,runs,fired,told,unknown" and len(table) == 3
    one = history(*asked, "big", "job.py").out.splitlines()
    assert one[:2] == ["would have fired in 2 of the last 4 runs of job.py", "and been told 1 time: once in 1 h 00 min"]
    assert [line.split()[3] for line in one[4:6]] == ["throttled", "told"], "the newest first"
    later = history(*asked, "broken").out.splitlines()
    assert later[1] == "and been told no times: once in 5 min 00 s, after 2 runs in a row"


def test_a_configured_alert_that_makes_no_sense(history: support.Command) -> None:
    (history.cwd / "alerts.yaml").write_text(CONFIG.replace("condition: failed", "condition: faild"))
    done = history("alerts", "explain", "--config", "alerts.yaml")
    assert done.exit_code == 2 and "did you mean 'failed'?" in done.err
    for asked in (("config", "check", "alerts.yaml"), ("--config", "alerts.yaml", history.script("print('ran')"))):
        done = history(*asked)
        assert (done.exit_code, done.out) == (2, "")
        assert "did you mean 'failed'?" in done.err and "^^^^^" in done.err


def test_checking_a_file_finds_every_alert_that_makes_no_sense(runner: support.Command) -> None:
    text = (
        CONFIG.replace("failed", "exit_code > 5q").replace("50MB", "${LIMIT}")
        + "  - {name: early, condition: failed, when: during}\n  - {name: fine, condition: recovered}\n"
    )
    (runner.cwd / "alerts.yaml").write_text(text)
    done = runner("config", "check", "alerts.yaml")
    assert done.exit_code == 2
    problems = [line for line in done.err.splitlines() if "alerts.yaml:" in line]
    assert len(problems) == 2
    assert "alert 'broken': 'q' is no unit" in problems[0] and "alerts.yaml:6" in problems[0]
    assert "alert 'early': 'failed' is not known while the script still runs" in problems[1]


def test_nothing_of_a_script_reaches_the_terminal(history: support.Command) -> None:
    done = history("alerts", "explain", "error_message contains 'space'", "job.py")
    assert "\x1b" not in done.out and "no space" in done.out


def test_output_is_looked_at_only_where_it_is_asked_for(history: support.Command) -> None:
    done = history("alerts", "explain", "stderr contains 'Traceback'", "job.py")
    assert "would have fired in 1 of the last 4 runs" in done.out


def test_mistakes(history: support.Command) -> None:
    done = history("alerts", "explain", "failed and cpu_mx > 80")
    assert (done.exit_code, done.out) == (2, "")
    assert done.err.splitlines() == [
        "runner: error: unknown name 'cpu_mx', did you mean 'cpu_max'?",
        "runner: error:   failed and cpu_mx > 80",
        "runner: error:              ^^^^^^",
    ]
    assert "needs a CONDITION" in history("alerts", "explain").err
    assert history("alerts", "explain", "failed", "--runs", "0").exit_code == 2


def test_without_runs(runner: support.Command) -> None:
    done = runner("alerts", "explain", "failed")
    assert done.exit_code == 0
    assert done.out.splitlines()[0] == "the condition is well formed"
    assert json.loads(runner("alerts", "explain", "failed", "--format", "json").out)["status"] == "no_data"
    runner("--quiet", runner.script(""))
    assert "there are runs of: script.py" in runner("alerts", "explain", "failed", "nobody.py").out


@pytest.mark.parametrize("width", [40, 80])
def test_in_a_terminal(history: support.Command, width: int, terminal: Callable[..., support.Terminal]) -> None:
    window = terminal(width=width, height=40)
    window.line(history.line("alerts", "explain", "memory_max_mb > 50MB and higher_than_usual(cpu_max)", "job.py"))
    screen = window.wait("runs)")  # the end of what could not be judged
    lines = screen[screen.index("would have") :].splitlines()
    assert any(line.startswith("STARTED") and "FIRED" in line and "VALUES" in line for line in lines)
    assert all(len(line) <= width for line in lines)


def test_an_alert_on_what_was_not_measured_says_so(runner: support.Command) -> None:
    # Handed through, output is not counted.
    script = runner.script("print('well')")
    done = runner("--direct", "--alert-config", "much:stdout_lines > 5", script)
    assert done.exit_code == 0
    assert "runner: warning: alert 'much' was not judged: stdout_lines not measured" in done.err.splitlines()
    early = runner("--alert-config", "slow:execution_time_seconds > p95(execution_time_seconds)", script)
    assert "not judged" not in early.err, "for want of earlier runs nothing is wrong"
    assert "not judged" not in runner("--alert-config", "much:stdout_lines > 5", "missing.py").err
