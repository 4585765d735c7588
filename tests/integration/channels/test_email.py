"""Mail through a real SMTP server, with certificates of an authority made here."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from runner.channels.base import Partly, Passing, Permanent
from runner.engine.channels import make_channel
from tests.integration.channels.made import hostile, notification
from tests.integration.channels.mailbox import Box

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from runner.channels.base import Channel

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def send(channel: Channel, message: Any = None, seconds: float = 20) -> None:
    channel.send(message or notification(), time.monotonic() + seconds)


def test_mail_arrives_with_text_page_and_picture(server: Callable[..., Any]) -> None:
    box, settings = server()
    send(make_channel("email", settings))
    [mail] = box.mails
    assert mail["Subject"] == "backup.py failed: disk full"
    assert mail["To"] == "team@example.com, Ops <ops@example.com>"
    assert mail["Message-ID"] == "<0123456789abcdef0123456789abcdef@runner.invalid>"
    assert box.recipients == [["team@example.com", "ops@example.com"]]
    text = mail.get_body(("plain",)).get_content()
    assert "CRITICAL failed: exit code 1 (and 3 more since the last message)" in text
    assert "OSError: [Errno 28] No space left on device" in text and "run 0123456789ab on alice@worker-7" in text
    html = mail.get_body(("html",)).get_content()
    assert 'src="cid:curve"' in html and "peak memory" in html
    [picture] = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert picture["Content-ID"] == "<curve>" and picture.get_content().startswith(b"\x89PNG")


def test_encryption_can_begin_with_the_connection(server: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    box, settings = server("smtps", auth=False)
    monkeypatch.setattr("runner.channels.smtp.SMTPS", settings["smtp_port"])
    send(make_channel("email", {**settings, "username": ""}))
    assert len(box.mails) == 1


def test_without_encryption_only_if_asked_for(server: Callable[..., Any]) -> None:
    box, settings = server("plain", auth=False)
    settings["username"] = ""
    with pytest.raises(Permanent, match="offers no encryption; use_tls: false sends without"):
        send(make_channel("email", {**settings, "use_tls": True}))
    send(make_channel("email", settings))
    assert len(box.mails) == 1


def test_a_wrong_password_is_permanent_and_not_repeated(server: Callable[..., Any], tmp_path: Path) -> None:
    box, settings = server()
    with pytest.raises(Permanent) as refused:
        send(make_channel("email", {**settings, "password": "hunter2"}))
    assert str(refused.value) == "localhost does not accept user and password"
    (tmp_path / "password").write_text("right\n")
    send(make_channel("email", {**settings, "password": "hunter2", "password_file": str(tmp_path / "password")}))
    assert len(box.mails) == 1


def test_a_certificate_of_nobody_is_not_trusted(server: Callable[..., Any]) -> None:
    _, settings = server()
    del settings["ca_file"]
    with pytest.raises(Permanent, match="the certificate of localhost is not trusted"):
        send(make_channel("email", settings))
    _, settings = server(host="elsewhere.example.com")
    with pytest.raises(Permanent, match="the certificate of localhost is not trusted"):
        send(make_channel("email", settings))


def test_a_passing_refusal_is_told_from_a_lasting_one(server: Callable[..., Any]) -> None:
    box, settings = server()
    channel = make_channel("email", settings)
    box.answers = ["451 try again later"]
    with pytest.raises(Passing, match=r"refused the message for now \(451\)"):
        send(channel)
    box.answers = ["554 no"]
    with pytest.raises(Permanent, match=r"refused the message \(554\)"):
        send(channel)
    send(channel)
    assert len(box.mails) == 1


def test_recipients_that_there_are_get_it(server: Callable[..., Any]) -> None:
    box, settings = server()
    with pytest.raises(Partly, match=r"refused nobody@example\.com \(550\); the others have it") as missed:
        send(make_channel("email", {**settings, "to": ["nobody@example.com", "ops@example.com"]}))
    assert box.recipients == [["ops@example.com"]] and missed.value.settled is None
    with pytest.raises(Permanent, match=r"refused nobody@example\.com \(550\)$"):
        send(make_channel("email", {**settings, "to": "nobody@example.com"}))


def test_headers_hold_one_line_whatever_is_in_the_message(server: Callable[..., Any]) -> None:
    box, settings = server()
    send(make_channel("email", settings), hostile())
    [mail] = box.mails
    assert "Bcc" not in mail and mail["Subject"].startswith("<b>")
    html = mail.get_body(("html",)).get_content()
    assert "<b>" not in html.replace("<body", "") and "&lt;b&gt;" in html


def test_a_server_that_takes_a_mail_and_then_goes_down_has_taken_it(
    server: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    box, settings = server()

    async def going(self: object, server: object, session: object, envelope: object) -> str:
        return "421 going down"

    monkeypatch.setattr(Box, "handle_QUIT", going, raising=False)
    send(make_channel("email", settings))
    assert len(box.mails) == 1


def test_a_server_that_takes_a_mail_and_then_says_nothing_has_taken_it(
    server: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    box, settings = server()
    over = threading.Event()

    async def hang(self: object, server: object, session: object, envelope: object) -> str:
        while not over.is_set():
            await asyncio.sleep(0.02)
        return "221 at last"

    monkeypatch.setattr(Box, "handle_QUIT", hang, raising=False)
    began = time.monotonic()
    send(make_channel("email", settings), seconds=60)
    assert len(box.mails) == 1 and time.monotonic() - began < 30
    with pytest.raises(Permanent, match="does not accept user and password"):
        send(make_channel("email", {**settings, "password": "wrong"}), seconds=60)
    assert time.monotonic() - began < 30
    over.set()


@pytest.mark.parametrize("how", ["hangs", "hangs up", "breaks off", "is no mail server"])
def test_a_server_that_fails_is_tried_again(how: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stop = threading.Event()

        def serve() -> None:
            while True:
                try:
                    connection = listener.accept()[0]
                except OSError:
                    return
                with connection:
                    if how == "hangs":
                        stop.wait(20)
                    elif how == "breaks off":
                        connection.sendall(b"220 mail\r\n")
                        connection.recv(100)
                        connection.sendall(b"250-mail\r\n250 SIZE\r\n")
                        connection.recv(100)
                    elif how == "is no mail server":
                        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        settings = {"smtp_server": "127.0.0.1", "smtp_port": listener.getsockname()[1], "from": "a@example.com",
                    "to": "b@example.com", "use_tls": False}  # fmt: skip
        began = time.monotonic()
        with pytest.raises(Passing):
            send(make_channel("email", settings), seconds=1)
        assert time.monotonic() - began < 15
        stop.set()
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)


@pytest.mark.parametrize(
    "change",
    [{"to": []}, {"to": ["no address"]}, {"from": "x\r\ny@example.com"}, {"smtp_port": 70000}, {"to": "a@b.c, d@e.f"}],
)
def test_settings_that_can_not_work_are_refused(change: dict[str, Any]) -> None:
    from runner.model.errors import UsageError

    settings = {"smtp_server": "localhost", "from": "a@example.com", "to": ["b@example.com"]}
    with pytest.raises(UsageError, match=r"notifications\.email: "):
        make_channel("email", {**settings, **change})
