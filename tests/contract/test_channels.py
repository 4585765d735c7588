"""What every channel must do: one suite over all of them, with a server or program that notes what arrives."""

from __future__ import annotations

import io
import json
import socket
import sys
import threading
import time
from contextlib import redirect_stderr
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from aiosmtpd.controller import Controller

from runner.channels import CHANNELS
from runner.channels.base import Passing, Permanent, Undelivered
from runner.engine.channels import make_channel
from runner.model.errors import UsageError
from runner.options import Unset
from tests.integration.channels.made import bare, hostile, notification

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from runner.channels.base import Channel

#: Those that post to an address.
WEB = ("slack", "webhook", "discord", "teams")


class Web:
    """A server that notes what is posted and answers as it is told."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.answers: list[tuple[int, dict[str, str]]] = []
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                web.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                web.headers.append(dict(self.headers))
                code, headers = web.answers.pop(0) if web.answers else (200, {})
                self.send_response(code)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/T0/B0/very-secret-part"

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def web() -> Iterator[Web]:
    opened = Web()
    yield opened
    opened.close()


class Mail:
    """What takes mail; the message itself is what counts here."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:
        self.sent.append(envelope.content)
        return "250 taken"


@pytest.fixture
def mail() -> Iterator[tuple[Mail, int]]:
    """Return what a server of mail takes, and its port."""
    taken = Mail()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    controller = Controller(taken, hostname="127.0.0.1", port=port, server_hostname="mail")
    controller.start()
    yield taken, port
    controller.stop()


def settings_of(name: str, url: str, folder: Path) -> dict[str, Any]:
    program = "import sys, pathlib; pathlib.Path(sys.argv[1]).write_bytes(sys.stdin.buffer.read())"
    return {
        "console": {},
        "email": {"smtp_server": "localhost", "from": "a@example.com", "to": ["b@example.com"], "use_tls": False},
        "slack": {"webhook_url": url},
        "webhook": {"url": url},
        "discord": {"url": url},
        "teams": {"url": url},
        "command": {"command": [sys.executable, "-c", program, str(folder / "event.json")]},
        "apprise": {"url": f"json://{url.partition('://')[2]}"},
    }[name]


@pytest.fixture(params=list(CHANNELS))
def channel(
    request: pytest.FixtureRequest, web: Web, mail: tuple[Mail, int], tmp_path: Path
) -> tuple[Channel, Callable[[], bytes]]:
    """Return a channel of each kind, and what returns the bytes that reached the other side."""
    name = request.param
    if name == "apprise":
        pytest.importorskip("apprise")
    settings = settings_of(name, web.url, tmp_path)
    if name == "email":
        settings |= {"smtp_server": "127.0.0.1", "smtp_port": mail[1]}
    made = make_channel(name, settings)
    if name == "console":
        lines: list[str] = []
        made.write = lines.append  # type: ignore[attr-defined]
        return made, lambda: "\n".join(lines).encode()
    if name == "email":
        return made, lambda: mail[0].sent[-1]
    if name == "command":
        return made, (tmp_path / "event.json").read_bytes
    return made, lambda: web.bodies[-1]


def send(channel: Channel, message: Any = None, seconds: float = 20) -> None:
    channel.send(message or notification(), time.monotonic() + seconds)


# What Apprise imports is deprecated here and there.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_message_arrives(channel: tuple[Channel, Callable[[], bytes]]) -> None:
    made, arrived = channel
    send(made)
    data = arrived()
    assert b"exit code 1" in data and b"failed" in data


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_whatever_is_in_it(channel: tuple[Channel, Callable[[], bytes]]) -> None:
    made, arrived = channel
    send(made, hostile())
    data = arrived()
    assert data and b"\x1b" not in data
    send(made, bare())


@pytest.mark.parametrize("name", list(CHANNELS))
def test_settings_that_lack_something_are_refused(name: str, tmp_path: Path) -> None:
    for key in CHANNELS.load(name).SETTINGS.get("required", ()):
        settings = settings_of(name, "http://127.0.0.1:1/x", tmp_path)
        del settings[key]
        with pytest.raises(UsageError, match=f"lacks '{key}'"):
            make_channel(name, settings)
    with pytest.raises(UsageError, match="has no 'colour'"):
        make_channel(name, {**settings_of(name, "http://127.0.0.1:1/x", tmp_path), "colour": 1})


def test_no_time_is_a_passing_failure(channel: tuple[Channel, Callable[[], bytes]], request: Any) -> None:
    made, _ = channel
    if request.node.callspec.params["channel"] in ("console", "apprise"):
        return  # one needs no time, the other takes what it needs
    with pytest.raises(Passing):
        send(made, seconds=-1)


@pytest.mark.parametrize("name", WEB)
@pytest.mark.parametrize(
    ("code", "kind"),
    [(500, Passing), (503, Passing), (429, Passing), (400, Permanent), (403, Permanent), (404, Permanent)],
)
def test_answers_are_told_apart(name: str, code: int, kind: type[Undelivered], web: Web, tmp_path: Path) -> None:
    made = make_channel(name, settings_of(name, web.url, tmp_path))
    web.answers = [(code, {"Retry-After": "7"})]
    with pytest.raises(kind) as refused:
        send(made)
    assert str(code) in str(refused.value)
    assert "very-secret" not in str(refused.value) and "very-secret" not in repr(refused.value)
    if isinstance(refused.value, Passing):
        assert refused.value.retry_after == 7


@pytest.mark.parametrize("name", WEB)
def test_what_is_sent_again_has_the_same_key(name: str, web: Web, tmp_path: Path) -> None:
    made = make_channel(name, settings_of(name, web.url, tmp_path))
    send(made)
    send(made)
    assert [headers["Idempotency-Key"] for headers in web.headers] == [notification().id] * 2


@pytest.mark.parametrize("name", WEB)
def test_a_variable_that_is_not_set_is_told_when_it_is_needed(name: str, web: Web, tmp_path: Path) -> None:
    settings = settings_of(name, web.url, tmp_path)
    settings = {key: Unset("HOOK") for key in settings}
    with pytest.raises(Permanent, match="the environment variable HOOK is not set"):
        send(make_channel(name, settings))


@pytest.mark.parametrize("name", WEB)
def test_a_secret_can_stand_in_a_file(name: str, web: Web, tmp_path: Path) -> None:
    (tmp_path / "hook").write_text(web.url + "\n")
    settings = dict.fromkeys(settings_of(name, web.url, tmp_path), f"file:{tmp_path}/hook")
    send(make_channel(name, settings))
    assert len(web.bodies) == 1
    with pytest.raises(Permanent, match="can't be read"):
        send(make_channel(name, dict.fromkeys(settings, f"file:{tmp_path}/none")))


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x/y", "hooks.slack.com/x", "http://a b/"])
def test_addresses_that_are_none_are_refused_without_repeating_them(url: str) -> None:
    if url.startswith("file:"):
        with pytest.raises(Undelivered):
            send(make_channel("webhook", {"url": url}))
        return
    with pytest.raises(UsageError) as refused:
        make_channel("webhook", {"url": url})
    assert url not in str(refused.value)


@pytest.mark.parametrize("place", ["169.254.169.254", "[::ffff:169.254.169.254]", "[fd00:ec2::254]"])
def test_addresses_of_credentials_are_refused_unless_allowed(place: str) -> None:
    with pytest.raises(Permanent, match="where machines keep their credentials"):
        send(make_channel("webhook", {"url": f"http://{place}/latest"}))


def test_redirects_stay_with_their_host(web: Web, tmp_path: Path) -> None:
    made = make_channel("webhook", {"url": web.url})
    web.answers = [(307, {"Location": "/elsewhere"})]
    send(made)
    assert len(web.bodies) == 2 and web.bodies[0] == web.bodies[1]
    web.answers = [(302, {"Location": "/again"})] * 9
    with pytest.raises(Permanent, match="redirects again and again"):
        send(made)
    for place in ("http://example.com/x", "file:///etc/passwd"):
        web.answers = [(302, {"Location": place})]
        with pytest.raises(Permanent, match="redirects to another place"):
            send(made)


def test_a_signature_proves_the_sender(web: Web) -> None:
    import hashlib
    import hmac

    send(make_channel("webhook", {"url": web.url, "secret": "s3cret", "headers": {"X-Team": "data"}}))
    moment, _, digest = web.headers[0]["X-Runner-Signature"].removeprefix("t=").partition(",v1=")
    expected = hmac.new(b"s3cret", moment.encode() + b"." + web.bodies[0], hashlib.sha256).hexdigest()
    assert digest == expected and abs(int(moment) - time.time()) < 100
    assert web.headers[0]["X-Team"] == "data"


def test_what_stands_for_a_place_of_a_template_is_no_template(web: Web) -> None:
    message = notification()
    message.title = "{command} {host}"
    send(make_channel("webhook", {"url": web.url, "template": {"text": "{title}, {severity}"}}), message)
    assert json.loads(web.bodies[0]) == {"text": "{command} {host}, CRITICAL"}


def test_each_address_of_a_name_is_tried(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    port = web.server.server_port
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in ("127.0.0.2", "127.0.0.1")]
    ask = socket.getaddrinfo

    def told(host: str, *args: Any, **more: Any) -> Any:
        return found if host == "two.test" else ask(host, *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", told)
    send(make_channel("webhook", {"url": f"http://two.test:{port}/x"}))
    assert len(web.bodies) == 1


def test_a_template_gives_the_form(web: Web) -> None:
    template = {"text": "{title} ({severity})", "all": "{alerts}", "nested": [{"host": "{host}"}], "n": 1}
    template["x"] = "{nothing}"
    send(make_channel("webhook", {"url": web.url, "template": template}))
    data = json.loads(web.bodies[0])
    assert data == {
        "text": "backup.py failed: disk full (CRITICAL)",
        "all": notification().alerts,
        "nested": [{"host": "worker-7"}],
        "n": 1,
        "x": "{nothing}",
    }


def test_without_a_template_all_is_there(web: Web) -> None:
    send(make_channel("webhook", {"url": web.url}))
    data = json.loads(web.bodies[0])
    assert (data["version"], data["event"], data["run_id"]) == (1, "alert.fire", "0123456789ab")


@pytest.mark.parametrize("header", [{"a b": "x"}, {"X": "a\r\nb"}, {"X": "\u00e9"}])
def test_headers_that_could_become_others_are_refused(header: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="is no header that can be sent"):
        make_channel("webhook", {"url": "http://127.0.0.1/", "headers": header})


def test_several_of_a_kind_have_names() -> None:
    made = make_channel("ops", {"kind": "webhook", "url": "http://127.0.0.1/"})
    assert type(made) is CHANNELS.load("webhook")
    with pytest.raises(UsageError, match=r"unknown channel 'slak', did you mean 'slack'\?"):
        make_channel("slak", {"webhook_url": "http://127.0.0.1/"})


@pytest.mark.parametrize(("code", "kind"), [(75, Passing), (1, Permanent)])
def test_a_command_says_whether_it_will_pass(code: int, kind: type[Undelivered]) -> None:
    with pytest.raises(kind):
        send(make_channel("command", {"command": [sys.executable, "-c", f"raise SystemExit({code})"]}))
    with pytest.raises(Permanent, match="can't be started"):
        send(make_channel("command", {"command": "/no/such/program x"}))
    with pytest.raises(Passing, match="did not end in time"):
        send(make_channel("command", {"command": ["sleep", "30"], "timeout": 0.2}))


def test_the_console_writes_to_standard_error() -> None:
    with redirect_stderr(io.StringIO()) as text:
        send(make_channel("console", {}))
    assert text.getvalue() == "runner: alert: CRITICAL failed: exit code 1 (and 3 more since the last message)\n"


def test_slack_takes_the_blocks(web: Web) -> None:
    models = pytest.importorskip("slack_sdk.models.blocks")
    for message in (notification(), hostile(), bare()):
        send(make_channel("slack", {"webhook_url": web.url, "username": "Bot", "icon_emoji": ":robot_face:"}), message)
        data = json.loads(web.bodies[-1])
        assert (data["username"], data["icon_emoji"]) == ("Bot", ":robot_face:")
        assert len(data["blocks"]) <= 50
        for block in data["blocks"]:
            models.Block.parse(block).validate_json()
        assert sum(len(json.dumps(block)) for block in data["blocks"]) < 60_000
    marked = [block for block in json.loads(web.bodies[1])["blocks"] if block["type"] != "header"]
    assert "<!channel>" not in json.dumps(marked)


def test_discord_mentions_nobody_and_keeps_its_limits(web: Web) -> None:
    send(make_channel("discord", {"url": web.url}), hostile())
    data = json.loads(web.bodies[0])
    embed = data["embeds"][0]
    assert data["allowed_mentions"] == {"parse": []}
    texts = [embed["title"], embed["description"], embed["footer"]["text"]]
    texts += [part for field in embed["fields"] for part in (field["name"], field["value"])]
    assert len(embed["title"]) <= 256 and len(embed["description"]) <= 4096 and sum(map(len, texts)) <= 6000


def test_a_card_of_teams_is_small_enough(web: Web) -> None:
    send(make_channel("teams", {"url": web.url}), hostile())
    assert len(web.bodies[0]) <= 28 * 1024
    card = json.loads(web.bodies[0])["attachments"][0]["content"]
    assert card["type"] == "AdaptiveCard" and card["body"][0]["type"] == "TextBlock"
