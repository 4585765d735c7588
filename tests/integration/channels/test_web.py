"""Posting to servers that answer late, strangely or not at all, to a proxy, and with secrets in places of all kinds."""

from __future__ import annotations

import base64
import json
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest

from runner.channels.base import Passing, Permanent
from runner.engine.channels import make_channel
from runner.engine.outbox import problem_of
from runner.options import Unset
from tests.integration.channels.made import notification

if TYPE_CHECKING:
    from pathlib import Path

    from tests import support
    from tests.integration.channels.wire import Wire

#: Answers of a code whose bodies go on: of a length, in chunks, to the end of the connection.
UNENDING = (
    b"HTTP/1.1 %s\r\nContent-Length: 1000\r\n\r\no",
    b"HTTP/1.1 %s\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    b"HTTP/1.1 %s\r\n\r\n",
)


def send(settings: dict[str, Any], seconds: float = 60, kind: str = "webhook") -> None:
    made = make_channel("x", {"kind": kind, **settings})
    made.send(notification(), time.monotonic() + seconds)


def why(settings: dict[str, Any], kind: type[Exception] = Permanent) -> str:
    """Return why a message was not taken, as it is kept."""
    with pytest.raises(kind) as refused:
        send(settings)
    return problem_of(refused.value)


def answer(code: str, body: str) -> bytes:
    data = body.encode()
    return f"HTTP/1.1 {code}\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data


@pytest.mark.parametrize("body", UNENDING)
@pytest.mark.parametrize("then", ["hang", "reset"])
def test_what_the_code_says_counts_whatever_becomes_of_the_body(wire: Wire, body: bytes, then: str) -> None:
    wire.answer, wire.then = body % b"200 OK", getattr(wire, then)
    began = time.monotonic()
    send({"url": wire.url})
    assert len(wire.requests) == 1 and time.monotonic() - began < 30
    if then == "reset":
        wire.answer = body % b"400 Bad Request"
        assert why({"url": wire.url}).startswith("127.0.0.1 answered 400")


def test_a_code_that_is_read_counts_without_the_headers(wire: Wire) -> None:
    wire.answer, wire.then = b"HTTP/1.1 200 OK\r\nContent-", wire.hang
    send({"url": wire.url}, seconds=1)
    assert len(wire.requests) == 1


def test_an_answer_without_a_code_does_not(wire: Wire) -> None:
    wire.answer = b""
    assert "127.0.0.1" in why({"url": wire.url}, Passing)


def test_what_the_other_side_says_is_told_in_one_line(wire: Wire) -> None:
    wire.answer = answer("400 Bad Request", "invalid_blocks\n")
    assert why({"url": wire.url}) == "127.0.0.1 answered 400: invalid_blocks"
    wire.answer = answer("503 Busy", '{"why":\n\t"too \x1b[31m busy"}')
    assert why({"url": wire.url}, Passing) == '127.0.0.1 answered 503: {"why": "too ?[31m busy"}'
    wire.answer = answer("400 Bad Request", "long " * 1000)
    assert len(why({"url": wire.url})) < 250
    for page in ("", "<!DOCTYPE html><html>..."):
        wire.answer = answer("404 Not Found", page)
        assert why({"url": wire.url}) == "127.0.0.1 answered 404"


def test_secrets_that_the_other_side_repeats_are_not_told(wire: Wire, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("Bearer tok-12345678")
    repeated = ["/T0/B0/very-secret-part", "very-secret-part", "tok-12345678", "aaaa-bbbb-cccc", "pw%3Aword", "pw:word",
                "R0UT1NGKEY", base64.b64encode(b"alice:pw:word").decode(), "token=abc123"]  # fmt: skip
    wire.answer = answer("400 Bad Request", "no: " + " | ".join(repeated))
    told = why({
        "url": wire.url.replace("//", "//alice:pw%3Aword@"), "secret": "aaaa-bbbb-cccc",
        "headers": {"X-Key": f"file:{tmp_path}/key"}, "template": {"a": ["R0UT1NGKEY"], "b": "{title}"},
    })  # fmt: skip
    assert told.startswith("127.0.0.1 answered 400: no: ***") and not [each for each in repeated if each in told]


@pytest.mark.parametrize("value", ["line1SECRET\nline2", "SECR\u00c9T"])
def test_a_header_that_can_not_be_sent_is_a_mistake_and_stays_hidden(wire: Wire, tmp_path: Path, value: str) -> None:
    (tmp_path / "key").write_text(value)
    told = why({"url": wire.url, "headers": {"X-Key": f"file:{tmp_path}/key"}})
    assert told == "notifications.x: X-Key: one line of ASCII is needed, for it is a header" and not wire.requests


def test_a_mistake_in_a_secret_is_kept_without_it(wire: Wire, runner: support.Command) -> None:
    (runner.cwd / "key").write_text("line1SECRET\nline2")
    alerts = [{"name": "broken", "condition": "failed"}]
    webhook = {"url": wire.url, "headers": {"X-Key": f"file:{runner.cwd}/key"}}
    (runner.cwd / "config.json").write_text(json.dumps({"alerts": alerts, "notifications": {"webhook": webhook}}))
    done = runner("--config", "config.json", "-c", "raise SystemExit(1)")
    assert "a message to webhook was refused and is kept: notifications.webhook: X-Key: one line of ASCII" in done.err
    stored = b"".join(path.read_bytes() for path in runner.cwd.glob("script_runner_history.db*"))
    assert b"X-Key" in stored and b"SECRET" not in stored and b"SECRET" not in done.stderr


def test_what_fails_unexpectedly_is_told_by_its_kind_alone() -> None:
    assert problem_of(ValueError("Invalid header value b'SECRET'")) == "it failed unexpectedly (ValueError)"


def test_an_address_may_name_user_and_password(wire: Wire) -> None:
    address = wire.url.replace("//", "//alice:p%C3%A4ss@")
    send({"url": address})
    expected = base64.b64encode("alice:p\u00e4ss".encode()).decode()
    assert f"Authorization: Basic {expected}\r\n" in wire.requests[0] and "alice:" not in wire.requests[0]
    send({"url": address, "headers": {"authorization": "Bearer x"}})
    assert "Basic" not in wire.requests[1]


def test_an_address_may_have_letters_of_any_language(wire: Wire) -> None:
    send({"url": f"http://127.0.0.1:{wire.port}/caf\u00e9/%C3%A9?q=\u00e9&r=a|b"})
    assert wire.requests[0].startswith("POST /caf%C3%A9/%C3%A9?q=%C3%A9&r=a%7Cb HTTP")


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ({"template": {"routing_key": Unset("NOSUCHKEY")}}, "template: routing_key: "),
        ({"template": {"all": [{"a": Unset("NOSUCHKEY")}]}}, "template: all: a: "),
        ({"template": Unset("NOSUCHKEY")}, "template: "),
        ({"headers": Unset("NOSUCHKEY")}, "headers: "),
        ({"allow_metadata": Unset("NOSUCHKEY")}, "allow_metadata: "),
        ({"kind": "slack", "webhook_url": "", "username": Unset("NOSUCHKEY")}, "username: "),
        ({"kind": "command", "command": ["true", Unset("NOSUCHKEY")]}, "command: "),
        ({"kind": "command", "command": Unset("NOSUCHKEY")}, "command: "),
        ({"kind": "command", "command": "true", "timeout": Unset("NOSUCHKEY")}, "timeout: "),
    ],
)
def test_a_variable_that_is_not_set_is_a_failure_wherever_it_is_named(
    wire: Wire, settings: dict[str, Any], place: str
) -> None:
    if "webhook_url" in settings:
        settings = {**settings, "webhook_url": wire.url}
    elif "kind" not in settings:
        settings = {**settings, "url": wire.url}
    assert why(settings) == f"notifications.x: {place}the environment variable NOSUCHKEY is not set"
    assert not wire.requests


@pytest.fixture
def proxy(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> Wire:
    for name in ("no_proxy", "NO_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "REQUEST_METHOD"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, f"http://bob:s%3Acret@127.0.0.1:{wire.port}")
    return wire


def test_a_proxy_is_told_who_asks(proxy: Wire) -> None:
    who = "Proxy-Authorization: Basic " + base64.b64encode(b"bob:s:cret").decode()
    send({"url": "http://alice:pw@hooks.invalid/x?y=1"})
    [request] = proxy.requests
    assert request.startswith("POST http://hooks.invalid/x?y=1 HTTP/1.1\r\nHost: hooks.invalid\r\n") and who in request
    proxy.answer = b"HTTP/1.1 407 No\r\n\r\n"
    assert why({"url": "https://hooks.invalid/x"}) == "hooks.invalid can't be reached: the proxy answered 407"
    assert proxy.requests[1].startswith("CONNECT hooks.invalid:443 ") and who in proxy.requests[1]
    proxy.answer = b"HTTP/1.1 503 Busy\r\n\r\n"
    assert "the proxy answered 503" in why({"url": "https://hooks.invalid/x"}, Passing)


@pytest.mark.parametrize("place", ["169.254.169.254", "2852039166", "[::ffff:169.254.169.254]", "metadata.test"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_proxy_leads_to_addresses_of_credentials(
    proxy: Wire, place: str, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = socket.getaddrinfo

    def told(host: str, *arguments: Any, **more: Any) -> Any:
        name = host == "metadata.test" and not more.get("flags")
        return ask("169.254.169.254" if name else host, *arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", told)
    settings = {"url": f"{scheme}://{place}/latest"}
    assert "where machines keep their credentials" in why(settings) and not proxy.requests
    if scheme == "http":
        send({**settings, "allow_metadata": True})
        assert len(proxy.requests) == 1


@pytest.mark.parametrize("place", ["http://:80", "http://x:port", "socks5://127.0.0.1"])
def test_a_proxy_without_an_address_is_a_mistake(wire: Wire, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", place)
    monkeypatch.delenv("no_proxy", raising=False)
    assert "the proxy that http_proxy names has no address" in why({"url": "http://hooks.invalid/"})


@pytest.mark.parametrize("place", ["http://[/", "http://127.0.0.1:99999/"])
def test_a_redirect_to_no_address_is_final(wire: Wire, place: str) -> None:
    wire.answer = f"HTTP/1.1 307 There\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n".encode()
    assert "redirects to another place" in why({"url": wire.url})


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_services_of_apprise_that_have_it_are_not_told_again(wire: Wire) -> None:
    pytest.importorskip("apprise")
    from runner.channels.base import Partly

    with socket.create_server(("127.0.0.1", 0)) as probe:
        dead = probe.getsockname()[1]
    made = make_channel("apprise", {"url": [f"json://127.0.0.1:{port}/x" for port in (wire.port, dead)]})
    with pytest.raises(Partly, match="1 of 2 services did not take it yet") as missed:
        made.send(notification(), time.monotonic() + 30)
    assert missed.value.settled and "127.0.0.1" not in json.dumps(missed.value.settled)
    with pytest.raises(Partly):
        made.send(notification(settled=missed.value.settled), time.monotonic() + 30)
    assert len(wire.requests) == 1
