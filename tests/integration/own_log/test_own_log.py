"""The runner's own log, through the command and the API."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import runner as api

if TYPE_CHECKING:
    import pytest

    from tests import support


def events(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_json_takes_the_place_of_what_is_said(runner: support.Command) -> None:
    done = runner("--log-format", "json", "-c", "print('x')")
    assert (done.exit_code, done.out) == (0, "x\n")
    first, last = events(done.err)
    assert (first["event"], last["event"]) == ("run.start", "run.end")
    assert first["run_id"] == last["run_id"] and last["success"] is True
    assert last["memory_max_mb"]


def test_attempts_warnings_and_failures_are_events(runner: support.Command) -> None:
    script = runner.script("raise SystemExit(4)")
    done = runner("--log-format", "json", "--retry", 1, "--retry-delay", "0.01", "--history-db", "/none/x.db", script)
    found = events(done.err)
    assert [event["event"] for event in found] == [
        "run.start", "attempt.end", "attempt.start", "attempt.end", "run.end", "warning",
    ]  # fmt: skip
    assert found[-2]["level"] == "ERROR" and found[-2]["attempts"] == 2
    assert "can't be" in str(found[-1]["text"])
    quiet = runner("--log-format", "json", "--log-level", "ERROR", "--disable-history", script)
    assert [event["event"] for event in events(quiet.err)] == ["run.end"]
    missing = runner("--log-format", "json", "missing.py")
    assert missing.exit_code == 127 and events(missing.err)[-1]["reason"] == "failed-to-start"


def test_a_file_gets_the_same_beside_the_summary(runner: support.Command) -> None:
    done = runner("--log-file", "run.log", "-c", "pass")
    assert "succeeded in" in done.err
    lines = (runner.cwd / "run.log").read_text().splitlines()
    assert [line.split()[1:3] for line in lines] == [["INFO", "run.start"], ["INFO", "run.end"]]
    runner("--quiet", "--log-file", "run.log", "--log-max-size", "1KB", "--log-keep", 3, "-c", "pass")
    runner("--quiet", "--log-file", "run.log", "--log-max-size", "1KB", "--log-keep", 3, "-c", "pass")
    assert (runner.cwd / "run.log.1").exists()


def test_who_looks_for_a_mistake_is_told_below_the_summary(runner: support.Command) -> None:
    script = runner.script("raise SystemExit(3)")
    alerts = ("--alert-config", "many:attempts > 9", "--alert-config", "bad:failed")
    done = runner("--log-level", "DEBUG", *alerts, "--slack-webhook", "http://127.0.0.1:9/T/SECRET", script)
    said = [line for line in done.err.splitlines() if line.startswith("runner: debug: ")]
    assert done.err.index("failed after") < done.err.index(said[0])
    assert any("process.start attempt=1 pid=" in line and "script.py" in line for line in said)
    assert any("option option=--alert-config" in line and '"command line --alert-config"' in line for line in said)
    assert any("alert.judged alert=many held=false" in line and "9" in line for line in said)
    assert any("alert.judged alert=bad held=true" in line for line in said)
    assert any("message channel=slack messages=1 problem=" in line and "refused" in line for line in said)
    assert "SECRET" not in done.err
    assert "debug" not in runner("--log-level", "DEBUG", "--quiet", script).err
    assert "debug" not in runner("--log-level", "INFO", script).err


def test_quiet_keeps_events_to_the_file(runner: support.Command) -> None:
    done = runner("--quiet", "--log-format", "json", "--log-file", "run.log", "-c", "pass")
    assert done.err == ""
    assert [event["event"] for event in events((runner.cwd / "run.log").read_text())] == ["run.start", "run.end"]
    assert events(runner("--quiet", "--log-format", "json", "-c", "pass").err)


def test_a_file_that_can_not_be_written_changes_nothing(runner: support.Command) -> None:
    done = runner("--log-file", "/none/run.log", "-c", "print(1)")
    assert (done.exit_code, done.out) == (0, "1\n")
    assert done.err.count("warning: the log /none/run.log can't be written: No such file or directory") == 1


def test_the_configuration_file_says_so_too(runner: support.Command) -> None:
    (runner.cwd / "runner.yaml").write_text("logging:\n  format: json\n  file: events.log\n")
    done = runner("-c", "pass")
    assert len(events(done.err)) == 2
    assert (runner.cwd / "events.log").read_text() == done.err


def test_programs_hear_of_it(runner: support.Command, caplog: pytest.LogCaptureFixture) -> None:
    script = runner.cwd / runner.script("raise ValueError('x')")
    with caplog.at_level(logging.DEBUG, logger="runner"):
        api.ScriptRunner(script).run_script()
    told = [record.runner["event"] for record in caplog.records]  # type: ignore[attr-defined]
    assert told == ["run.start", "process.start", "run.end"]


def test_alerts_are_events_too_and_nothing_else_is_said(runner: support.Command) -> None:
    script = runner.script("raise SystemExit(3)")
    alerts = ("--alert-config", "broken:failed", "--alert-config", "never:success")
    for way in ((), ("--quiet",)):
        found = events(runner("--log-format", "json", *way, *alerts, script).err)
        assert [event["event"] for event in found] == ["run.start", "run.end", "alert"]
    assert (found[-1]["alert"], found[-1]["outcome"], found[-1]["level"]) == ("broken", "throttled", "INFO")
    held = runner("--log-format", "json", "--only-on-failure", "--alert-config", "well:success", "-c", "pass")
    last = events(held.err)[-1]
    assert (last["alert"], last["outcome"], last["level"]) == ("well", "told", "WARNING")
    assert last["run_id"] == events(held.err)[0]["run_id"]


def test_programs_hear_of_alerts(runner: support.Command, caplog: pytest.LogCaptureFixture) -> None:
    job = api.ScriptRunner(runner.cwd / runner.script("pass"))
    job.alert_manager.add_alert("well", "success", severity="CRITICAL")
    with caplog.at_level(logging.DEBUG, logger="runner"):
        job.run_script()
    assert [(record.runner["event"], record.levelname) for record in caplog.records][3:] == [("alert", "ERROR")]  # type: ignore[attr-defined]
