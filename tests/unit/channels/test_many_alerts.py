"""Messages with more alerts than a service takes: cut between alerts, and how many more there are is said."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runner.channels.said import said
from runner.channels.text import fitting
from runner.engine.channels import make_channel
from runner.model.notification import CRITICAL, FIRE
from tests.integration.channels.made import notification

URL = "http://127.0.0.1/x"


def alerts(count: int, text: str) -> list[dict[str, Any]]:
    return [
        {"rule": f"rule-{number}", "severity": CRITICAL, "kind": FIRE, "condition": "", "text": text, "more": 0}
        for number in range(count)
    ]


def told_by(kind: str, count: int, text: str) -> str:
    key = "webhook_url" if kind == "slack" else "url"
    made: Any = make_channel(kind, {key: URL})
    data = json.loads(made.body(notification(alerts=alerts(count, text))))
    if kind == "slack":
        return str(data["blocks"][1]["text"]["text"])
    if kind == "discord":
        return str(data["embeds"][0]["description"])
    return "\n".join(part.get("text", "") for part in data["attachments"][0]["content"]["body"]).replace("\\", "")


@pytest.mark.parametrize("kind", ["slack", "discord", "teams"])
@pytest.mark.parametrize("text", ["cpu_max 99 % (> 80 %), " * 2 + "end", "a < b & c > d " * 5 + "end"])
def test_a_list_of_alerts_ends_between_two_of_them(kind: str, text: str) -> None:
    told = told_by(kind, 120, text)
    lines = [line for line in told.split("\n") if "rule-" in line]
    assert 0 < len(lines) < 120 and all(line.endswith("end") for line in lines)
    assert f"\n… and {120 - len(lines)} more" in told
    assert "… and" not in told_by(kind, 5, text)


@pytest.mark.parametrize("kind", ["slack", "discord", "teams"])
def test_what_is_known_of_the_run_stands_behind_a_long_list(kind: str) -> None:
    key = "webhook_url" if kind == "slack" else "url"
    made: Any = make_channel(kind, {key: URL})
    data = made.body(notification(alerts=alerts(500, "x" * 60))).decode()
    assert "usually 2 min" in data and "No space left on device" in data


def test_slack_is_sent_no_half_of_an_escaped_character() -> None:
    told = told_by("slack", 1, "<&>" * 5000)
    assert len(told) <= 3000 and told.replace("&lt;", "").replace("&gt;", "").replace("&amp;", "").count("&") == 0


def test_a_list_that_fits_is_whole() -> None:
    assert fitting(["a", "b", "c"], 5) == "a\nb\nc"
    assert fitting([], 5) == ""
    assert fitting(["a" * 30, "b" * 30, "c" * 30], 50) == "a" * 30 + "\n… and 2 more"
    assert fitting(["a" * 99], 40) == "a" * 26 + "…"
    assert all(len(fitting(["entry"] * 40, most)) <= most for most in range(30, 300))


def test_an_answer_keeps_what_is_no_secret() -> None:
    assert said(b"bad \xff request", ["bad"]) == "bad \ufffd request"
    assert said(b"key abcd is unknown", ["abcd", "", "x"]) == "key *** is unknown"
    assert said(b"no /hooks/T0/B0/XXXXXXXXXX", ["http://h/hooks/T0/B0/XXXXXXXXXX"]) == "no /hooks/T0/B0/***"
