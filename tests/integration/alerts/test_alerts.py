"""Alerts of real runs, told to a real server: whom, when, how often, and what the script notices of it (nothing)."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.alerts.hook import GUARD, alerts_of, configure, wait_for

if TYPE_CHECKING:
    from tests import support
    from tests.integration.alerts.hook import Hook

def test_a_failure_is_told_once_and_so_is_its_end(runner: support.Command, hook: Hook, job: str) -> None:
    runs = [runner(job, code) for code in (3, 3, 0, 0)]
    assert [done.exit_code for done in runs] == [3, 3, 0, 0]
    assert all(done.out == "to stdout\n" for done in runs)
    assert hook.titles == ["CRITICAL: job.py failed: broken", "Over: job.py: broken"]
    first, second = hook.taken
    assert first["event"] == "alert.fire" and first["exit_code"] == 3 and first["success"] is False
    assert first["output"] == ["Traceback: token=***"]
    assert second["event"] == "alert.recover" and second["alerts"][0]["more"] == 1
    assert "held in 2 runs" in second["alerts"][0]["text"]
    assert alerts_of(runner) == [("broken", "told"), ("broken", "throttled"), ("broken", "over")]
    assert "CRITICAL broken: failed" in runs[0].err and "not again for" in runs[1].err and "over broken" in runs[2].err
    assert "broken" not in runs[3].err


def test_alerts_of_one_run_are_one_message(runner: support.Command, hook: Hook, job: str) -> None:
    configure(
        runner, hook,
        {"name": "any", "condition": "exit_code > 0", "severity": "INFO"},
        {"name": "broken", "condition": "failed", "severity": "CRITICAL"},
        {"name": "quiet", "condition": "failed", "channels": ["console"]},
        {"name": "never", "condition": "cpu_max > 1000000"},
    )  # fmt: skip
    done = runner(job, 1)
    assert hook.titles == ["CRITICAL: job.py failed: broken, any"]
    assert [alert["rule"] for alert in hook.taken[0]["alerts"]] == ["broken", "any"]
    assert "quiet" in done.err and "never" not in done.err


def test_the_line_asks_for_alerts_too(runner: support.Command, hook: Hook, job: str) -> None:
    del runner.env["RUNNER_CONFIG"]
    (runner.cwd / "config.json").unlink()
    done = runner("--alert-config", "a:exit_code!=0", "--alert-config", "b:failed", "--slack-webhook", hook.url, job, 1)
    assert done.exit_code == 1 and len(hook.taken) == 1 and "blocks" in hook.came[0]
    assert "WARNING a: exit_code 1 (!=0) - last line: Traceback: token=*** · to slack" in done.err
    stored = b"".join(path.read_bytes() for path in runner.cwd.glob("script_runner_history.db*"))
    assert b"hushhush" not in stored and b"hushhush" not in done.stderr


def test_an_alert_waits_for_several_failures_in_a_row(runner: support.Command, hook: Hook, job: str) -> None:
    configure(runner, hook, {"name": "broken", "condition": "failed", "after": 2, "throttle_seconds": 0})
    for code in (1, 0, 1, 1):
        runner(job, code)
    assert alerts_of(runner) == [("broken", "waiting"), ("broken", "waiting"), ("broken", "told")]
    assert len(hook.taken) == 1


def test_several_at_once_tell_once(runner: support.Command, hook: Hook, job: str) -> None:
    running = [runner.start("--quiet", job, 1, stdout=-3, stderr=-3) for _ in range(8)]
    assert [each.wait(GUARD) for each in running] == [1] * 8
    outcomes = [outcome for _, outcome in alerts_of(runner)]
    assert sorted(outcomes) == ["throttled"] * 7 + ["told"] and len(hook.came) == 1


def test_acknowledged_and_muted_alerts_are_silent(runner: support.Command, hook: Hook, job: str) -> None:
    configure(runner, hook, {"name": "broken", "condition": "failed", "throttle_seconds": 0})
    assert runner("alerts", "ack", "broken").exit_code == 1
    runner(job, 1)
    assert runner("alerts", "ack", "brokn").exit_code == 1
    assert runner("alerts", "ack", "broken", job).exit_code == 0
    assert "acknowledged" in runner(job, 1).err
    runner(job, 0)
    assert runner("alerts", "mute", "broken", job, "--duration", "2h", "--note", "moving").exit_code == 0
    assert "muted" in runner(job, 1).err
    assert "muted: broken of" in runner("alerts", "list").out
    assert runner("alerts", "unmute", "broken").exit_code == 0
    runner(job, 1)
    assert [outcome for _, outcome in alerts_of(runner)] == ["told", "acknowledged", "over", "muted", "told"]
    assert [body["kind"] for body in hook.taken] == ["fire", "recover", "fire"]


def test_it_is_told_while_the_script_runs(runner: support.Command, hook: Hook) -> None:
    configure(
        runner, hook,
        {"name": "long", "condition": "execution_time_seconds > 0.5s", "when": "during", "throttle_seconds": 0},
        {"name": "both", "condition": "execution_time_seconds > 0.2s", "when": "both", "throttle_seconds": 0},
    )  # fmt: skip
    script = runner.script("""
        import os, time
        print("begun", flush=True)
        while not os.path.exists("go"): time.sleep(0.02)
        print("done")
        """)
    process = runner.start(script, stdout=-1, stderr=-1)
    wait_for(lambda: hook.taken)
    assert process.poll() is None
    (runner.cwd / "go").touch()
    out, _ = process.communicate(timeout=GUARD)
    assert process.returncode == 0 and out == b"begun\ndone\n"
    body = hook.taken[0]
    assert body["title"] == "WARNING: script.py is running: long, both" and body["ended"] is None
    assert body["output"] == ["begun"] and len(hook.taken) == 1
    assert alerts_of(runner) == [("long", "told"), ("both", "told")]
    # Also where nobody looked on while a script ran, its end tells that it did not hold.
    runner("--gate-runs", 2, "--add-gate", "cpu_max:100000", script)
    assert ("long", "over") in alerts_of(runner)


def test_what_a_run_is_too_short_to_be_seen_doing_is_not_over(runner: support.Command, hook: Hook) -> None:
    """The first look comes after a second; the kernel's own figures of a shorter run tell that it held all the same."""
    configure(
        runner, hook, {"name": "big", "condition": "memory_max_mb > 40MB", "when": "during", "throttle_seconds": 0},
    )  # fmt: skip
    script = runner.script("import sys, time; x = b'x' * (int(sys.argv[1]) << 20); time.sleep(float(sys.argv[2]))")
    runner(script, 60, 1.6)
    assert alerts_of(runner) == [("big", "told")]
    runner(script, 60, 0)
    assert alerts_of(runner) == [("big", "told")]
    runner(script, 1, 0)
    assert alerts_of(runner)[-1] == ("big", "over")


def test_runs_beside_one_another_do_not_end_what_they_do_not_know_of(runner: support.Command, hook: Hook) -> None:
    configure(runner, hook, {"name": "streak", "condition": "failures_in_a_row >= 2", "throttle_seconds": 0})
    script = runner.script("""
        import os, sys, time
        while not os.path.exists(sys.argv[1]): time.sleep(0.02)
        raise SystemExit(1)
        """)
    early = runner.start(script, "go", stdout=-1, stderr=-1)
    wait_for(lambda: '"run_id"' in runner("ps", "--format", "json").out)
    for _ in range(2):
        runner(script, script)
    (runner.cwd / "go").touch()
    early.communicate(timeout=GUARD)
    assert alerts_of(runner) == [("streak", "told")] and len(hook.taken) == 1


def test_a_text_is_looked_for_in_both_streams_where_they_are_one(runner: support.Command, hook: Hook) -> None:
    configure(runner, hook, {"name": "told", "condition": 'stderr contains "boom"', "throttle_seconds": 0})
    script = runner.script("import sys; print('boom', file=sys.stderr)")
    process = runner.start(script, stdout=-1, stderr=-2)
    process.communicate(timeout=GUARD)
    assert alerts_of(runner) == [("told", "told")]


def test_a_channel_that_there_is_not_is_refused_before_anything_starts(
    runner: support.Command, hook: Hook, job: str
) -> None:
    configure(runner, hook, {"name": "broken", "condition": "failed", "channels": ["webhok"]})
    done = runner(job, 1)
    assert done.exit_code == 2 and done.out == "" and "did you mean 'webhook'" in done.err


def test_a_channel_that_is_not_configured_is_one_warning(runner: support.Command, hook: Hook, job: str) -> None:
    configure(runner, hook, {"name": "broken", "condition": "failed", "channels": ["slack"]})
    done = runner(job, 1)
    assert done.exit_code == 1 and done.err.count("slack is not configured") == 1
    assert "WARNING broken: failed" in done.err and alerts_of(runner) == [("broken", "told")] and not hook.came


@pytest.mark.parametrize("options", [("--quiet",), ("--only-on-failure",), ("--log-level", "ERROR")])
def test_an_alert_is_shown_where_the_summary_is_not(
    runner: support.Command, job: str, options: tuple[str, ...]
) -> None:
    done = runner(*options, "--alert-config", "fine:success", job, 0)
    assert "alert: WARNING fine: success" in done.err.replace("  Alert    ", "alert: ") and "CPU" not in done.err


def test_what_can_not_be_started_and_what_is_skipped(runner: support.Command, hook: Hook, job: str) -> None:
    assert runner("missing.py").exit_code == 127
    assert hook.titles == ["CRITICAL: missing.py failed: broken"]
    holder = runner.start("--lock", "x", "-c", "import time; print(flush=True); time.sleep(60)", stdout=-1, stderr=-3)
    assert holder.stdout is not None and holder.stdout.readline()
    assert runner("--lock", "x", "--no-overlap", "skip", job, 1).exit_code == 0
    holder.terminate()
    holder.communicate(timeout=GUARD)
    assert len([title for title in hook.titles if "job.py" in title]) == 0


def test_a_deleted_run_takes_its_alerts_along(runner: support.Command, hook: Hook, job: str) -> None:
    runner(job, 1)
    with sqlite3.connect(runner.cwd / "script_runner_history.db") as record:
        record.execute("UPDATE runs SET started = 1")
    record.close()
    assert runner("db", "cleanup", "--older-than", 1).exit_code == 0
    assert alerts_of(runner) == []


def test_names_of_scripts_can_not_break_a_message(runner: support.Command, hook: Hook) -> None:
    configure(runner, hook)
    name = runner.script("raise SystemExit(1)", "a\nBcc: eve\x1b[31m.py")
    assert runner("run", name).exit_code == 1
    assert "\n" not in hook.titles[0] and "\x1b" not in hook.titles[0]
    assert "\x1b" not in runner("alerts", "list").out


def test_a_test_of_a_channel_says_whether_it_was_taken(runner: support.Command, hook: Hook) -> None:
    configure(runner, hook)
    assert runner("alerts", "test", "webhook").exit_code == 0 and hook.titles == ["Test of the channel webhook"]
    hook.code = 404
    done = runner("alerts", "test", "webhook")
    assert done.exit_code == 1 and "404" in done.out
    assert runner("alerts", "test", "slack").exit_code == 2
    assert runner("alerts", "test", "webhok").exit_code == 2
    assert not Path(runner.cwd / "script_runner_history.db").exists()


def test_a_run_that_was_lost_is_told_by_the_next_one(runner: support.Command, hook: Hook, job: str) -> None:
    script = runner.script("import os, time; print(os.getpid(), flush=True); time.sleep(60)", "long.py")
    process = runner.start(script, stdout=-1, stderr=-3)
    assert process.stdout is not None
    child = int(process.stdout.readline())
    process.kill()
    process.communicate(timeout=GUARD)
    os.kill(child, signal.SIGKILL)
    runner.script("print('well')", "long.py")
    done = [runner(script), runner(script)]
    assert "alert 'broken' fires for run" in done[0].err and "was lost" in done[0].err
    assert hook.titles == ["CRITICAL: long.py failed: broken", "Over: long.py: broken"]
    assert hook.taken[0]["reason"] == "lost" and "alert" not in done[1].err


def test_what_is_wrong_with_alerts_is_not_the_scripts_trouble(runner: support.Command, hook: Hook, job: str) -> None:
    runner(job, 0)
    with sqlite3.connect(runner.cwd / "script_runner_history.db") as record:
        record.execute("DROP TABLE alerts")
    record.close()
    done = runner(job, 3)
    assert done.exit_code == 3 and "✗ job.py failed" in done.err and "Traceback (most" not in done.err
    assert hook.titles == ["CRITICAL: job.py failed: broken"]


@pytest.mark.skipif(not os.path.exists("/proc/self/cmdline"), reason="needs /proc")
def test_a_webhook_on_the_line_is_taken_out_of_what_others_see(runner: support.Command, hook: Hook) -> None:
    script = runner.script("""
        import os, sys, time
        for _ in range(500):
            line = open(f"/proc/{os.getppid()}/cmdline", "rb").read()
            if b"hushhush" not in line and b"--slack-webhook" in line:
                sys.exit(1)
            time.sleep(0.02)
    """)
    assert hook.url.endswith("hushhush")
    assert runner("--alert-config", "a:failed", "--slack-webhook", hook.url, script).exit_code == 1
    assert len(hook.came) == 1


def test_whatever_a_script_is_called_the_message_is_unicode(runner: support.Command, hook: Hook) -> None:
    configure(runner, hook)
    runner(runner.script("raise SystemExit(1)", "e\udcff\nBcc: x.py"), "a\nb\udc80")
    [message] = hook.taken
    json.dumps(message, ensure_ascii=False).encode()
    assert message["script"] == "e? Bcc: x.py" and message["command"] == "e? Bcc: x.py a b?"


def test_what_is_wrong_with_an_alert_is_told_with_its_line(runner: support.Command) -> None:
    for alert, problem in (
        ("{name: a, condition: cpu_mx > 1}", "unknown name 'cpu_mx', did you mean 'cpu_max'?"),
        ("{name: a, condition: failed, channels: [slak]}", "there is no channel 'slak', did you mean 'slack'?"),
    ):
        (runner.cwd / "c.yaml").write_text(f"alerts:\n  - {alert}\n")
        done = runner("--config", "c.yaml", "-c", "print(1)")
        assert (done.exit_code, done.out) == (2, "") and f"error: c.yaml:2: alert 'a': {problem}" in done.err
    wrong = runner("--slack-webhook", "ftp://hushhush/x", "-c", "print(1)")
    assert wrong.exit_code == 2 and "slack: webhook_url: an address" in wrong.err and "hushhush" not in wrong.err
