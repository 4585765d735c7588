"""Logging in to a server of mail: letters of any language, and why it fails."""

from __future__ import annotations

import base64
import hmac
import time
from typing import TYPE_CHECKING, Any

import pytest
from aiosmtpd.smtp import AuthResult

from runner.channels.base import Passing, Permanent
from runner.engine.channels import make_channel
from runner.engine.outbox import problem_of
from tests.integration.channels.made import notification
from tests.integration.channels.mailbox import Box

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.channels.base import Channel

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS"),
]

PASSWORD = "p\u00e4ssw\u00f6rt"


class Challenging(Box):
    """Takes user and password by challenge only."""

    async def auth_CRAM__MD5(self, server: Any, arguments: list[str]) -> AuthResult:
        answer = await server.challenge_auth("<1@mail>")
        user, _, digest = answer.decode().partition(" ")
        expected = hmac.new(PASSWORD.encode(), b"<1@mail>", "md5").hexdigest()
        return AuthResult(success=(user, digest) == ("alice", expected), handled=False)


def send(channel: Channel) -> None:
    channel.send(notification(), time.monotonic() + 20)


@pytest.mark.parametrize("without", [(), ("PLAIN",), ("LOGIN",), ("PLAIN", "LOGIN")])
def test_a_password_has_letters_of_any_language(server: Callable[..., Any], without: tuple[str, ...]) -> None:
    how = "plain" if len(without) == 2 else "starttls"
    box, settings = server(how, password=PASSWORD, without=without, box=Challenging() if len(without) == 2 else None)
    send(make_channel("email", settings))
    assert len(box.mails) == 1
    with pytest.raises(Permanent) as refused:
        send(make_channel("email", {**settings, "password": "gr\u00fcn"}))
    assert problem_of(refused.value) == "localhost does not accept user and password"


def test_a_server_that_knows_nobody_is_not_taken_for_one_without_encryption(server: Callable[..., Any]) -> None:
    _, settings = server("plain", auth=False)
    with pytest.raises(Permanent) as refused:
        send(make_channel("email", settings))
    assert str(refused.value) == "localhost takes no user and password, or none without encryption (use_tls)"


def test_a_server_that_knows_only_other_ways_is_told(server: Callable[..., Any]) -> None:
    class Strange(Box):
        async def auth_XOAUTH2(self, server: object, arguments: object) -> AuthResult:
            return AuthResult(success=False)

    _, settings = server(without=("PLAIN", "LOGIN"), box=Strange())
    with pytest.raises(Permanent, match="localhost knows no way to log in but XOAUTH2"):
        send(make_channel("email", settings))


def test_who_can_not_be_let_in_now_may_be_later(server: Callable[..., Any]) -> None:
    _, settings = server(wrong="454 4.7.0 Temporary authentication failure")
    with pytest.raises(Passing, match=r"lets nobody log in for now \(454\)"):
        send(make_channel("email", {**settings, "password": "x"}))


@pytest.mark.parametrize(
    "change", [{"smtp_server": "mail\nhush"}, {"smtp_server": "x" * 70 + ".example.com"}, {"ca_file": "/none"}]
)
def test_a_mistake_in_the_settings_is_final(server: Callable[..., Any], change: dict[str, str]) -> None:
    _, settings = server()
    with pytest.raises(Permanent) as refused:
        send(make_channel("email", {**settings, **change}))
    assert "hush" not in str(refused.value)


def test_addresses_have_letters_of_any_language_where_the_server_knows_them(server: Callable[..., Any]) -> None:
    box, settings = server()
    send(make_channel("email", {**settings, "to": "j\u00f6rg@example.com"}))
    assert box.recipients == [["j\u00f6rg@example.com"]]
    box, settings = server(enable_SMTPUTF8=False)
    with pytest.raises(Permanent, match="localhost takes only addresses of ASCII"):
        send(make_channel("email", {**settings, "to": "j\u00f6rg@example.com"}))
    assert not box.mails


def test_the_password_is_not_said_where_a_challenge_does(server: Callable[..., Any]) -> None:
    said: list[str] = []

    class Listening(Challenging):
        async def auth_PLAIN(self, server: Any, arguments: list[str]) -> AuthResult:
            said.append(base64.b64decode(arguments[-1]).decode())
            return AuthResult(success=False, handled=False)

    box, settings = server("plain", password=PASSWORD, box=Listening())
    send(make_channel("email", settings))
    assert len(box.mails) == 1 and not said
