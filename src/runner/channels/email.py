"""Mail: text and a page, to several people at once, over a connection that is encrypted unless told otherwise."""

from __future__ import annotations

from runner.channels.base import Partly, Passing, Permanent, clip, given, require, reveal
from runner.channels.text import plain
from runner.model.errors import UsageError
from runner.options import Unset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from email.message import EmailMessage
    from typing import Any

    from runner.channels.smtp import Account
    from runner.model.notification import Notification

_SUBJECT = 200
#: Recipients that are told by name at most.
_NAMED = 5


class Email:
    """Sends mail by an SMTP server."""

    SETTINGS: Mapping[str, Any] = {
        "type": "object",
        "properties": {
            "smtp_server": {"type": "string"},
            "smtp_port": {"type": "integer"},
            "from": {"type": "string"},
            "to": {"type": ["array", "string"], "items": {"type": "string"}},
            "username": {"type": "string"},
            "password": {"type": "string", "writeOnly": True},
            "password_file": {"type": "string"},
            "use_tls": {"type": "boolean"},
            "ca_file": {"type": "string"},
        },
        "required": ["smtp_server", "from", "to"],
    }
    spawns = False

    def __init__(self, name: str, settings: Mapping[str, Any]) -> None:
        self.name = name
        self.settings = settings
        to = settings.get("to")
        self.to: list[Any] = [to] if isinstance(to, (str, Unset)) else list(to or ())
        self.port = int(given(settings, "smtp_port", 587))
        self.tls = bool(given(settings, "use_tls", True))
        if not self.to:
            raise UsageError(f"{name}: to names nobody")
        if not 0 < self.port < 65536:
            raise UsageError(f"{name}: smtp_port: {self.port} is no port")
        for address in (settings.get("from"), *self.to):
            if isinstance(address, str) and not _is_address(address):
                raise UsageError(f"{name}: {address!r} is no address of mail")

    def send(self, notification: Notification, deadline: float) -> None:
        """Send a message (see `Channel.send`)."""
        require(self.settings, self.name)
        from runner.channels.smtp import deliver

        wanting = [each for each in map(_bare, self.to) if each not in notification.settled]
        if wanting:
            account = self._account()
            mail = self.message(notification)
            answers = deliver(account, mail, _bare(self.settings["from"]), wanting, deadline)
            _judge(account.host, {**notification.settled, **answers})

    def _account(self) -> Account:
        from runner.channels.smtp import Account

        host = reveal(self.settings.get("smtp_server"), f"{self.name}: smtp_server")
        if not host.isprintable() or " " in host:
            raise Permanent(f"{self.name}: smtp_server: the name of a server is needed")
        file = given(self.settings, "password_file", "")
        password = f"file:{file}" if file else self.settings.get("password")
        return Account(
            host, self.port, self.tls, given(self.settings, "ca_file", ""),
            reveal(self.settings.get("username"), f"{self.name}: username"),
            reveal(password, f"{self.name}: password"),
        )  # fmt: skip

    def message(self, notification: Notification) -> EmailMessage:
        """Return the mail: headers, a text, and a page with a picture of the memory over time."""
        from email.message import EmailMessage
        from email.utils import format_datetime
        from time import time

        from runner.channels.mail_page import page, picture

        mail = EmailMessage()
        mail["Subject"] = clip(_one_line(notification.title), _SUBJECT)
        mail["From"] = self.settings["from"]
        mail["To"] = ", ".join(self.to)
        mail["Date"] = format_datetime(_now(time()))
        # A mail that is sent again, since nobody knows whether it arrived, is the same mail.
        mail["Message-ID"] = f"<{notification.id}@runner.invalid>"
        mail["X-Runner-Run"] = _one_line(notification.run_id)
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(plain(notification))
        drawn = picture(notification.curve)
        mail.add_alternative(page(notification, bool(drawn)), subtype="html")
        if drawn:
            html: Any = mail.get_body(("html",))
            html.add_related(drawn, "image", "png", cid="<curve>", filename="memory.png", disposition="inline")
        return mail


def _now(seconds: float) -> Any:
    from datetime import datetime

    return datetime.fromtimestamp(seconds).astimezone()


def _one_line(text: str) -> str:
    """Return a text that can't begin another header."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _is_address(text: str) -> bool:
    from email.utils import getaddresses

    found = getaddresses([text])
    if len(found) != 1:
        return False
    address = found[0][1]
    name, at, domain = address.rpartition("@")
    return bool(at and name and domain) and text.isprintable() and "," not in address


def _bare(address: str) -> str:
    """Return an address without the name that may stand before it."""
    from email.utils import parseaddr

    return parseaddr(address)[1]


def _judge(host: str, answers: Mapping[str, int]) -> None:
    """Raise what is to be said where not everybody has it.

    Args:
        host: The server.
        answers: Its last word on each recipient, of this try and of those before.

    Raises:
        Undelivered: Somebody has not got it.
    """
    never = {person: code for person, code in answers.items() if code >= 500}
    later = {person: code for person, code in answers.items() if not 200 <= code < 300 and person not in never}
    told = []
    if never:
        told.append(f"refused {_named(never)}")
    if later:
        told.append(f"has not taken it yet for {_named(later)}")
    if not told:
        return
    somebody = len(answers) > len(never) + len(later)
    reason = f"{host} {' and '.join(told)}{'; the others have it' if somebody else ''}"
    if later and (never or somebody):
        raise Partly(reason, {person: code for person, code in answers.items() if person not in later})
    if later:
        raise Passing(reason)
    if somebody:
        raise Partly(reason)
    raise Permanent(reason)


def _named(people: Mapping[str, int]) -> str:
    """Return who it is, each with the server's code."""
    told = [f"{person} ({code})" for person, code in people.items()]
    more = len(told) - _NAMED
    return ", ".join(told[:_NAMED]) + (f" and {more} more" if more > 0 else "")
