from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from runner.channels.options import ChannelOptions
from runner.cli.features import known_keys
from runner.engine import config
from runner.engine.channels import make_channels, read_email
from runner.model.errors import ConfigError, UsageError
from runner.options import Unset

if TYPE_CHECKING:
    from pathlib import Path

    from runner.channels.base import Channel

FILE = """
notifications:
  slack:
    webhook_url: "https://hooks.slack.com/services/YOUR/WEBHOOK/URL"
    username: "Script Runner Bot"
    icon_emoji: ":robot_face:"
  email:
    smtp_server: "smtp.gmail.com"
    smtp_port: 587
    from: "alerts@company.com"
    to:
      - "team@company.com"
      - "ops@company.com"
    username: "alerts@company.com"
    password: "${EMAIL_PASSWORD}"
    use_tls: true
  ops:
    kind: webhook
    url: http://127.0.0.1/x
    headers: {Authorization: "${TOKEN}"}
"""


def channels_of(folder: Path, text: str = FILE, given: dict[str, list[str]] | None = None) -> dict[str, Channel]:
    path = folder / "runner.yaml"
    path.write_text(text)
    found = config.load(str(path), None, {}, known_keys)
    assert not found.warnings
    return make_channels(ChannelOptions.resolve(given or {}, {}, found.values), {})


def test_a_file_names_channels_of_every_kind(tmp_path: Path) -> None:
    made = channels_of(tmp_path)
    assert list(made) == ["console", "slack", "email", "ops"]
    assert [type(channel).__name__ for channel in made.values()] == ["Console", "Slack", "Email", "Webhook"]
    settings = made["email"].settings  # type: ignore[attr-defined]
    assert isinstance(settings["password"], Unset) and settings["smtp_port"] == 587


def test_flags_come_before_the_file(tmp_path: Path) -> None:
    (tmp_path / "mail.json").write_text(json.dumps({"smtp_server": "mail", "from": "a@b.c", "to": "d@e.f"}))
    given = {"slack_webhook": ["http://127.0.0.1/other"], "email_config": [str(tmp_path / "mail.json")]}
    made = channels_of(tmp_path, given=given)
    slack, mail = made["slack"].settings, made["email"].settings  # type: ignore[attr-defined]
    assert (slack["webhook_url"], slack["username"]) == ("http://127.0.0.1/other", "Script Runner Bot")
    assert mail == {"smtp_server": "mail", "from": "a@b.c", "to": "d@e.f"}


def test_a_file_of_mail_is_checked_whole(tmp_path: Path) -> None:
    path = tmp_path / "mail.yaml"
    path.write_text("smtp_server: x\nsmtp_prot: 25\nuse_tls: perhaps\nto: [a@b.c]\n")
    with pytest.raises(ConfigError) as refused:
        read_email(str(path), {})
    assert [line.partition("mail.yaml:")[2] for line in refused.value.problems] == [
        "1: email lacks 'from'",
        "2: unknown key 'email.smtp_prot', did you mean 'smtp_port'?",
        "3: email.use_tls: true or false is needed, not 'perhaps'",
    ]
    with pytest.raises(ConfigError, match="No such file"):
        read_email(str(tmp_path / "none.json"), {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("notifications: {slack: {}}", "1: notifications.slack lacks 'webhook_url'"),
        ("notifications: {slak: {url: x}}", "1: notifications.slak lacks 'kind', did you mean 'slack'?"),
        ("notifications: {ops: {url: x}}", "1: notifications.ops lacks 'kind'"),
        ("notifications: {ops: {kind: slak}}", "'slak' is not one of .*, did you mean 'slack'"),
        ("notifications: {email: {smtp_server: x, from: a@b.c, to: [d@e.f], colour: 1}}", "unknown key"),
        ("notifications: []", "a section is needed"),
    ],
)
def test_problems_are_told_with_their_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        channels_of(tmp_path, text)


def test_what_only_the_channel_knows_is_told_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"runner\.yaml:1: notifications\.ops: a channel of this kind has no 'to'"):
        channels_of(tmp_path, "notifications: {ops: {kind: webhook, url: 'http://127.0.0.1/', to: [a]}}")
    with pytest.raises(UsageError, match=r"runner\.yaml:1: notifications\.ops: url: an address that begins with"):
        channels_of(tmp_path, "notifications: {ops: {kind: webhook, url: 'nowhere'}}")
