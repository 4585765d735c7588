"""What looks like a secret is taken out; what merely resembles one stays."""

from __future__ import annotations

import subprocess
import sys

import pytest

from runner.model.redact import (
    is_secret_name,
    redact_arguments,
    redact_environment,
    redact_text,
    redact_value,
)
from tests.support import SRC


@pytest.mark.parametrize(
    "name",
    [
        "--password",
        "--db-password",
        "password",
        "DB_PASSWORD",
        "PGPASSWORD",
        "MYSQL_PWD",
        "--passwd",
        "--passphrase",
        "--token",
        "--auth-token",
        "GITHUB_TOKEN",
        "accessToken",
        "--api-key",
        "--apikey",
        "API_KEY",
        "apiKey",
        "X-Api-Key",
        "AWS_SECRET_ACCESS_KEY",
        "--secret",
        "CLIENT_SECRET",
        "clientSecret",
        "--private-key",
        "STRIPE_SECRET_KEY",
        "Authorization",
        "Proxy-Authorization",
        "Set-Cookie",
        "--credentials",
        "db.password",
        "SSHPASS",
        "GH_PAT",
        "django-secret-key",
    ],
)
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "--token-count",
        "--max-tokens",
        "--tokens",
        "--password-file",
        "--key",
        "--keys",
        "PWD",
        "OLDPWD",
        "--pass",
        "--bypass",
        "--compass",
        "--secret-name",
        "--tokenizer",
        "--token-url",
        "--ask-password",
        "--no-password",
        "--passes",
        "--monkey",
        "PATH",
        "--path",
        "--pat",
        "--author",
        "--keyboard",
        "primary_key",
        "--sort-key",
        "--key-file",
        "--private-key-file",
        "--cookie-jar",
        "--epochs",
        "",
        "--",
        "SSH_AUTH_SOCK",
        "XAUTHORITY",
        "--token-limit",
        "--password-prompt",
    ],
)
def test_names_that_only_resemble(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (["--password", "hunter2", "x"], ["--password", "***", "x"]),
        (["--password=hunter2"], ["--password=***"]),
        (["--token", "--verbose"], ["--token", "--verbose"]),
        (["--token", "-v", "x"], ["--token", "-v", "x"]),
        (["--token", "-dash"], ["--token", "***"]),
        (["--token"], ["--token"]),
        (["--token-count", "5"], ["--token-count", "5"]),
        (["--password-file", "/run/secrets/db"], ["--password-file", "/run/secrets/db"]),
        (["-e", "DB_PASSWORD=a b;c&d"], ["-e", "DB_PASSWORD=***"]),
        (["-H", "Authorization: Bearer abcdef123456"], ["-H", "Authorization: Bearer ***"]),
        (["-H", "X-Api-Key: abc"], ["-H", "X-Api-Key: ***"]),
        (["-u", "alice:hunter2"], ["-u", "alice:***"]),
        (["--user", "alice"], ["--user", "alice"]),
        (["-u", "1000:1000"], ["-u", "1000:1000"]),
        (["-u", "http://host:80/"], ["-u", "http://host:80/"]),
        (["https://bob:s3cret@example.com/x?y=1"], ["https://bob:***@example.com/x?y=1"]),
        (["--url=postgres://bob:s3cret@db/app"], ["--url=postgres://bob:***@db/app"]),
        (["https://example.com/?token=abc&page=2"], ["https://example.com/?token=***&page=2"]),
        (["https://hooks.slack.com/services/T000/B000/XXXX"], ["https://hooks.slack.com/services/***"]),
        (["https://discord.com/api/webhooks/12/abc"], ["https://discord.com/api/webhooks/***"]),
        (["--key", "AKIAIOSFODNN7EXAMPLE"], ["--key", "***"]),
        (["ghp_0123456789abcdefghijABCDEFGHIJ012345"], ["***"]),
        (["x=xoxb-123456789012-abcdefABCDEF"], ["x=***"]),
        (['{"password": "hunter2", "user": "bob"}'], ['{"password": "***", "user": "bob"}']),
        (["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-DEF_123"], ["***"]),
        (["-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----"], ["***"]),
        (["--set", "image.tag=1.2", "--set", "db.password=x"], ["--set", "image.tag=1.2", "--set", "db.password=***"]),
        (["sk-proj-abcdefghijklmnopqrstuvwx"], ["***"]),
        (["rk_test_0123456789abcdef"], ["***"]),
        (["--heartbeat", "http://10.0.0.1:8000/0f8b6c1e", "x"], ["--heartbeat", "http://10.0.0.1:8000/***", "x"]),
        (["--heartbeat=https://me:pw@a.example/x?k=1"], ["--heartbeat=https://a.example/***"]),
        (["--env", "RUNNER_HEARTBEAT=https://a.example/x"], ["--env", "RUNNER_HEARTBEAT=https://a.example/***"]),
        (["-e", "CHAT_WEBHOOK_URL=https://a.example/x"], ["-e", "CHAT_WEBHOOK_URL=https://a.example/***"]),
        (["--slack-webhook", "https://a.example/x"], ["--slack-webhook", "***"]),
        (["--heartbeat", "HTTPS://a.example/x"], ["--heartbeat", "***"]),
    ],
)
def test_arguments(given: list[str], kept: list[str]) -> None:
    assert redact_arguments(given) == kept
    assert redact_arguments(kept) == kept


@pytest.mark.parametrize(
    "arguments",
    [
        ["--epochs", "100", "train.py"],
        ["--sort-key", "name", "--key", "2"],
        ["user@example.com", "git@github.com:org/repo.git", "ssh://git@github.com/org/repo"],
        ["http://localhost:8080/path?page=2&sort=key"],
        ["--path", "a:b:c", "C:\\keys\\x"],
        ["task-list", "risk-free-assessment-of-the-whole", "ask-me-anything-about-the-weather"],
        ["--basic", "basic authentication", "the bearer instruments"],
        ["2026-01-31T12:00:00", "sha256:0123456789abcdef0123456789abcdef"],
        ["SELECT key, value FROM t WHERE token_count = 5"],
        ["--compass", "north", "--passes", "3", "--max-tokens=4096"],
        ["", " ", "-", "\udcff", "=", ":", "a=b=c"],
        ["--heartbeat", "30", "--heartbeat-interval=5", "HEARTBEAT_SECONDS=1", "--heartbeat", "", "--heartbeat"],
    ],
)
def test_what_is_no_secret_stays(arguments: list[str]) -> None:
    assert redact_arguments(arguments) == arguments


def test_environment_and_values() -> None:
    given = {
        "HOME": "/root",
        "PWD": "/x",
        "AWS_SECRET_ACCESS_KEY": "abc",
        "EMPTY_TOKEN": "",
        "URL": "redis://:pw@host/0",
    }
    assert redact_environment(given) == {
        "HOME": "/root",
        "PWD": "/x",
        "AWS_SECRET_ACCESS_KEY": "***",
        "EMPTY_TOKEN": "",
        "URL": "redis://:***@host/0",
    }
    assert [redact_value("tries", "3"), redact_value("password", "3")] == ["3", "***"]
    assert redact_value("RUNNER_HEARTBEAT", "http://a.example/x/y") == "http://a.example/***"
    assert redact_value("heartbeat", "30") == "30"


def test_messages() -> None:
    said = "OperationalError: could not connect to postgres://bob:s3cret@db:5432/app: password=hunter2 is wrong"
    assert (
        redact_text(said)
        == "OperationalError: could not connect to postgres://bob:***@db:5432/app: password=*** is wrong"
    )
    assert redact_text("KeyError: 'token'") == "KeyError: 'token'"
    assert redact_text("ValueError: password: None") == "ValueError: password: None"


def test_ordinary_arguments_do_not_load_regular_expressions() -> None:
    code = (
        "import sys; sys.modules.pop('re', None)\n"
        "from runner.model.redact import redact_arguments\n"
        "redact_arguments(['--epochs', '100', 'https://example.com/x', 'a=b'])\n"
        "redact_arguments(['-c', 'pass', '--path', 'x', '--sort-key', 'name'])\n"
        "sys.exit('re' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-S", "-c", code], env={"PYTHONPATH": str(SRC)}, timeout=60).returncode == 0


def test_many_arguments_are_quick() -> None:
    arguments = [f"--name-{number}=/srv/data/file-{number}.csv" for number in range(10_000)]
    assert redact_arguments(arguments) == arguments
    arguments[5000] = "--token=x"
    assert redact_arguments(arguments)[4999:5002] == [arguments[4999], "--token=***", arguments[5001]]


def test_a_secret_is_found_behind_another_name() -> None:
    assert redact_text("ValueError: token=hunter2 is wrong") == "ValueError: token=*** is wrong"
    assert redact_text("url=x?password=abc") == "url=x?password=***"
