"""Configuration files with the real command: what they change, and what is said about them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support import Command, Result


def rows(result: Result) -> dict[str, dict[str, object]]:
    assert result.exit_code == 0, result
    return {row["option"]: row for row in json.loads(result.out)}


def test_the_stronger_source_wins_and_is_named(runner: Command) -> None:
    (runner.cwd / "runner.yaml").write_text("monitoring:\n  sampling_interval: 0.3\n  log_level: WARNING\n")
    environ = {"RUNNER_LOG_LEVEL": "error"}
    shown = rows(runner("config", "show", "--format", "json", env=environ))
    assert (shown["--monitor-interval"]["value"], shown["--log-level"]["value"]) == (0.3, "ERROR")
    assert str(shown["--monitor-interval"]["source"]).endswith("runner.yaml:2")
    assert shown["--log-level"]["source"] == "environment RUNNER_LOG_LEVEL"
    assert shown["--timeout"] == {
        "option": "--timeout", "value": None, "source": "default", "key": None, "variable": "RUNNER_TIMEOUT"
    }  # fmt: skip
    stronger = rows(runner("config", "show", "--log-level", "debug", "--format", "json", env=environ))
    assert stronger["--log-level"]["value"] == "DEBUG"
    assert stronger["--log-level"]["source"] == "command line --log-level"
    none = rows(runner("config", "show", "--config", "", "--format", "json"))
    assert none["--monitor-interval"]["source"] == "default"


def test_secrets_are_not_shown(runner: Command) -> None:
    for format in ("table", "json", "csv"):
        result = runner("config", "show", "--env", "API_TOKEN=topsecret", "--tag", "team=x", "--format", format)
        assert "topsecret" not in result.out
        assert "team=x" in result.out


def test_a_file_beside_the_script_is_found_from_anywhere(runner: Command) -> None:
    runner.script("raise SystemExit(3)", "jobs/job.py")
    (runner.cwd / "jobs/runner.json").write_text('{"retry": {"max_attempts": 2, "initial_delay": 0}}')
    result = runner("--disable-history", "--json-output", "r.json", "jobs/job.py")
    assert result.exit_code == 3
    assert json.loads((runner.cwd / "r.json").read_text())["attempts"] == 2
    assert "runner.json" in runner("config", "show", "jobs/job.py").out
    assert "file: none" in runner("config", "show").out


def test_what_has_no_effect_yet_is_one_warning(runner: Command) -> None:
    runner.script("print(1)", "job.py")
    (runner.cwd / "c.yaml").write_text("monitoring:\n  enable_profiling: true\n")
    result = runner("--disable-history", "--quiet", "--config", "c.yaml", "job.py")
    assert (result.exit_code, result.out) == (0, "1\n")
    assert len(result.err.splitlines()) == 1
    assert "does not act on monitoring.enable_profiling" in result.err
    silent = runner("--disable-history", "--quiet", "--suppress-warnings", "--config", "c.yaml", "job.py")
    assert silent.err == ""


def test_a_wrong_file_starts_nothing_and_everything_is_told(runner: Command) -> None:
    runner.script("open('ran', 'w')", "job.py")
    (runner.cwd / "runner.yaml").write_text("retyr: {}\nretry:\n  max_attempts: x\n  strategy: square\n")
    for args in (["job.py"], ["config", "check"], ["config", "check", "runner.yaml"], ["--show-history"]):
        result = runner(*args)
        assert (result.exit_code, result.out) == (2, ""), args
        lines = result.err.strip().splitlines()
        assert len(lines) == 3, args
        assert "runner.yaml:1: unknown key 'retyr', did you mean 'retry'?" in lines[0]
        assert "runner.yaml:3: " in lines[1]
        assert "runner.yaml:4: " in lines[2]
    assert not (runner.cwd / "ran").exists()
    # What no setting touches works all the same.
    for args in (["config", "schema"], ["completion", "bash"], ["--help"], ["--version"]):
        assert runner(*args).exit_code == 0, args


def test_check_says_what_it_found(runner: Command) -> None:
    text = "database:\n  path: ${NOWHERE}/x.db\nalerts: []\nmonitoring:\n  enable_profiling: true\n"
    (runner.cwd / "c.yaml").write_text(text)
    result = runner("config", "check", "c.yaml")
    assert result.exit_code == 0
    assert "c.yaml: nothing wrong, 2 values with effect" in result.out
    assert "NOWHERE" in result.out
    assert "monitoring.enable_profiling" in result.out
    assert runner("config", "check").exit_code == 2


def test_init_never_overwrites(runner: Command) -> None:
    first = runner("config", "init")
    assert first.exit_code == 0
    text = (runner.cwd / "runner.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=")
    assert runner("config", "check").exit_code == 0
    again = runner("config", "init")
    assert again.exit_code == 2
    assert "stays as it is" in again.err
    assert (runner.cwd / "runner.yaml").read_text() == text
    assert runner("config", "init", "other.yml").exit_code == 0
    assert runner("config", "init", "other.json").exit_code == 2
    assert runner("config", "init", "no/such/folder.yaml").exit_code == 2


def test_addresses_that_are_secrets_are_not_shown(runner: Command) -> None:
    (runner.cwd / "c.yaml").write_text("""
notifications:
  slack: {webhook_url: "https://chat.example/hooks/HUSH"}
  email: {smtp_server: a, from: a@b.c, to: d@e.f, password: HUSH}
  webhook: {url: "https://me:HUSH@in.example/HUSH?k=HUSH", headers: {X-Auth: HUSH, X-Env: "${NOWHERE}"}, secret: HUSH}
  other: {kind: webhook, url: "file:~/hook", headers: {X-Auth: HUSH}}
  apprise: {url: ["tgram://HUSH/x"]}
  command: {command: [notify, --token, HUSH]}
""")
    told = runner("config", "show", "--config", "c.yaml", env={"RUNNER_SLACK_WEBHOOK": "https://chat.example/hooks/HUSH"})
    assert told.exit_code == 0 and "HUSH" not in told.out
    assert told.out.count("https://chat.example/***") == 2 and "https://in.example/***" in told.out
    assert "file:~/hook" in told.out and "${NOWHERE}" in told.out
    dry = runner("--dry-run", "--config", "c.yaml", "--slack-webhook", "https://chat.example/hooks/HUSH", "-c", "pass")
    assert "HUSH" not in dry.out + dry.err and "https://chat.example/***" in dry.out
