"""Mail: text and a page, to several people at once, over a connection that is encrypted unless told otherwise."""

from __future__ import annotations

from runner.channels.base import Partly, Passing, Permanent, clip, left, reveal
from runner.channels.text import plain
from runner.model.errors import UsageError
from runner.options import Unset

TYPE_CHECKING = False
if TYPE_CHECKING:
    import smtplib
    from collections.abc import Mapping
    from email.message import EmailMessage
    from typing import Any

    from runner.model.notification import Notification

#: Port on which encryption begins with the connection.
SMTPS = 465
_SUBJECT = 200


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
        self.to = [to] if isinstance(to, (str, Unset)) else list(to or ())
        self.port = int(settings.get("smtp_port") or 587)
        self.tls = settings.get("use_tls", True)
        if not self.to:
            raise UsageError(f"{name}: to names nobody")
        if not 0 < self.port < 65536:
            raise UsageError(f"{name}: smtp_port: {self.port} is no port")
        for address in (settings.get("from"), *self.to):
            if isinstance(address, str) and not _is_address(address):
                raise UsageError(f"{name}: {address!r} is no address of mail")

    def send(self, notification: Notification, deadline: float) -> None:
        """Send a message (see `Channel.send`)."""
        import smtplib
        from ssl import SSLCertVerificationError

        message = self.message(notification)
        host = reveal(self.settings.get("smtp_server"), f"{self.name}: smtp_server")
        try:
            with self._connect(host, deadline) as server:
                self._log_in(server, host)
                if server.sock is not None:
                    server.sock.settimeout(left(deadline))
                refused = server.send_message(message)
                try:
                    server.quit()
                except (smtplib.SMTPException, OSError):
                    pass  # it has taken the message, whatever it says now
            if refused:
                raise Partly(f"{host} knows nobody called {', '.join(refused)}; the others have it")
        except smtplib.SMTPAuthenticationError:
            raise Permanent(f"{host} does not accept user and password") from None
        except smtplib.SMTPRecipientsRefused as error:
            _refuse(host, max(code for code, _ in error.recipients.values()), "knows none of the recipients")
        except smtplib.SMTPResponseException as error:
            _refuse(host, error.smtp_code, "refused the message")
        except smtplib.SMTPNotSupportedError:
            raise Permanent(f"{host} offers no encryption; use_tls: false sends without") from None
        except smtplib.SMTPException as error:
            raise Passing(f"{host} broke off ({type(error).__name__})") from None
        except SSLCertVerificationError as error:
            raise Permanent(f"the certificate of {host} is not trusted: {error.verify_message}") from None
        except TimeoutError:
            raise Passing(f"{host} did not answer in time") from None
        except OSError as error:
            raise Passing(f"{host} can't be reached: {error.strerror or type(error).__name__}") from None

    def _connect(self, host: str, deadline: float) -> smtplib.SMTP:
        import smtplib
        from ssl import create_default_context

        if not self.tls and self.port != SMTPS:
            return smtplib.SMTP(host, self.port, timeout=left(deadline))
        authority = self.settings.get("ca_file")
        try:
            context = create_default_context(cafile=authority if isinstance(authority, str) else None)
        except OSError:
            raise Permanent(f"{self.name}: ca_file: {authority} can't be read") from None
        if self.port == SMTPS:
            return smtplib.SMTP_SSL(host, self.port, timeout=left(deadline), context=context)
        server = smtplib.SMTP(host, self.port, timeout=left(deadline))
        try:
            server.starttls(context=context)
        except BaseException:
            server.close()
            raise
        return server

    def _log_in(self, server: smtplib.SMTP, host: str) -> None:
        user = reveal(self.settings.get("username"), f"{self.name}: username")
        if not user:
            return
        file = self.settings.get("password_file")
        password = f"file:{file}" if isinstance(file, str) else self.settings.get("password")
        server.login(user, reveal(password, f"{self.name}: password"))

    def message(self, notification: Notification) -> EmailMessage:
        """Return the mail: headers, a text, and a page with a picture of the memory over time."""
        from email.message import EmailMessage
        from email.utils import format_datetime
        from time import time

        from runner.channels.mail_page import page, picture

        mail = EmailMessage()
        mail["Subject"] = clip(_one_line(notification.title), _SUBJECT)
        mail["From"] = reveal(self.settings.get("from"), f"{self.name}: from")
        mail["To"] = ", ".join(reveal(address, f"{self.name}: to") for address in self.to)
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


def _refuse(host: str, code: int, what: str) -> None:
    if code < 500:  # below zero where the answer was none of mail's
        raise Passing(f"{host} {what} for now ({code})") from None
    raise Permanent(f"{host} {what} ({code})") from None
