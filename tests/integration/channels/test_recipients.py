"""Who of several recipients gets a mail, and who is asked again."""

from __future__ import annotations

import json
import sqlite3
import time
from typing import TYPE_CHECKING, Any

import pytest

from runner.channels.base import Partly, Passing, Permanent
from runner.engine.channels import make_channel
from tests.integration.channels.made import notification

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.channels.base import Channel
    from tests import support

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

GREY, NOBODY, FINE = "grey@example.com", "nobody@example.com", "ops@example.com"
LATER = "451 greylisted, come again"


def send(channel: Channel, settled: dict[str, int] | None = None) -> None:
    channel.send(notification(settled=settled), time.monotonic() + 20)


def test_who_is_put_off_is_asked_again_alone(server: Callable[..., Any]) -> None:
    box, settings = server()
    box.people[GREY] = [LATER, "250 OK"]
    channel = make_channel("email", {**settings, "to": [GREY, f"Ops <{FINE}>"]})
    with pytest.raises(Partly) as missed:
        send(channel)
    assert str(missed.value) == f"localhost has not taken it yet for {GREY} (451); the others have it"
    assert missed.value.settled == {FINE: 250}
    send(channel, missed.value.settled)
    assert box.recipients == [[FINE], [GREY]] and box.asked == [GREY, FINE, GREY]
    assert box.mails[0]["Message-ID"] == box.mails[1]["Message-ID"] and box.mails[1]["To"] == box.mails[0]["To"]
    send(channel, {FINE: 250, GREY: 250})
    assert len(box.mails) == 2


def test_who_is_refused_keeps_nobody_from_being_asked_again(server: Callable[..., Any]) -> None:
    box, settings = server()
    box.people[GREY] = [LATER]
    channel = make_channel("email", {**settings, "to": [GREY, NOBODY]})
    with pytest.raises(Partly) as missed:
        send(channel)
    assert str(missed.value) == f"localhost refused {NOBODY} (550) and has not taken it yet for {GREY} (451)"
    assert missed.value.settled == {NOBODY: 550}
    box.people[GREY] = ["250 OK"]
    with pytest.raises(Partly, match=r"refused nobody@example\.com \(550\); the others have it") as last:
        send(channel, missed.value.settled)
    assert last.value.settled is None and box.recipients == [[GREY]] and box.asked[2:] == [GREY]


def test_where_all_are_put_off_all_are_asked_again(server: Callable[..., Any]) -> None:
    box, settings = server()
    box.people = {GREY: [LATER], FINE: ["452 no room"]}
    channel = make_channel("email", {**settings, "to": [GREY, FINE]})
    with pytest.raises(Passing, match=r"has not taken it yet for grey@example\.com \(451\), ops@example\.com \(452\)$"):
        send(channel)
    box.people = {GREY: ["421 going down"]}
    with pytest.raises(Passing, match=r"went away for now \(421\)"):
        send(channel)
    box.people = {GREY: ["550 no"], FINE: ["553 no"]}
    with pytest.raises(Permanent, match=r"refused grey@example\.com \(550\), ops@example\.com \(553\)$"):
        send(channel)
    assert not box.mails


def test_the_outbox_knows_who_is_left(server: Callable[..., Any], runner: support.Command) -> None:
    box, settings = server()
    box.people[GREY] = [LATER]
    alerts = [{"name": "broken", "condition": "failed", "throttle_seconds": 0}]
    notifications = {"email": {**settings, "to": [GREY, NOBODY, FINE]}}
    (runner.cwd / "config.json").write_text(json.dumps({"alerts": alerts, "notifications": notifications}))
    job = runner.script("import sys; sys.exit(1)", "job.py")
    done = runner("--config", "config.json", job)
    assert "a message to email waits in the outbox: localhost refused nobody@example.com (550) and has not" in done.err
    assert "grey@example.com (451); the others have it" in done.err
    # Who is put off keeps others from nothing: neither what the next run has to tell them.
    runner("--config", "config.json", job)
    assert box.recipients == [[FINE], [FINE]] and box.asked.count(GREY) == 2
    box.people[GREY] = ["250 OK"]
    sent = runner("alerts", "outbox", "--send", "--config", "config.json")
    assert sent.out.startswith("2 sent, 0 left")
    assert box.recipients[2:] == [[GREY], [GREY]] and box.asked.count(NOBODY) == 2
    with sqlite3.connect(runner.cwd / "script_runner_history.db") as record:
        assert record.execute("SELECT DISTINCT state FROM outbox").fetchall() == [("sent",)]
    record.close()
