"""Hands a mail to a server, and says of each recipient what the server answered."""

from __future__ import annotations

import hmac
import smtplib
from base64 import b64decode, b64encode
from email.generator import BytesGenerator
from email.policy import SMTPUTF8
from io import BytesIO
from ssl import SSLCertVerificationError, create_default_context
from time import monotonic

from runner.channels.base import Passing, Permanent, left

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from email.message import EmailMessage
    from ssl import SSLContext

#: Port on which encryption begins with the connection.
SMTPS = 465
#: Seconds that a server is given for its farewell: what became of the mail is known by then.
_COURTESY = 0.5
#: Answers: the server goes away; it waits for more; somebody is logged in already.
_GOING, _GO_ON, _LOGGED_IN = 421, 334, 503


class Account:
    """How a server is reached, and as whom.

    Attributes:
        host: Its name.
        port: Its port.
        tls: Whether nothing is sent without encryption.
        ca_file: File of authorities that are trusted; "" for those that the system trusts.
        user: Who logs in; "" for nobody.
        password: With what.
    """

    __slots__ = ("ca_file", "host", "password", "port", "tls", "user")

    def __init__(self, host: str, port: int, tls: bool, ca_file: str, user: str, password: str) -> None:
        self.host = host
        self.port = port
        self.tls = tls
        self.ca_file = ca_file
        self.user = user
        self.password = password


def deliver(
    account: Account, mail: EmailMessage, sender: str, people: Sequence[str], deadline: float
) -> dict[str, int]:
    """Hand a mail to a server.

    Args:
        account: The server.
        mail: The mail.
        sender: Whom it is from, the bare address.
        people: Whom it is for, likewise.
        deadline: When to give up, by `time.monotonic`.

    Returns:
        For each of `people` the server's last word: 2xx where it has the mail for him, 4xx where it may take it later,
        5xx where it never will.

    Raises:
        Passing: It takes nothing now.
        Permanent: It takes nothing as things are.
    """
    host = account.host
    try:
        server = _connect(account, deadline)
        try:
            _log_in(server, account, deadline)
            return _hand_over(server, host, mail, sender, people, deadline)
        finally:
            _leave(server, deadline)
    except smtplib.SMTPResponseException as error:
        raise _refusal(host, error.smtp_code, "refused the message") from None
    except smtplib.SMTPException as error:
        raise Passing(f"{host} broke off ({type(error).__name__})") from None
    except SSLCertVerificationError as error:
        raise Permanent(f"the certificate of {host} is not trusted: {error.verify_message}") from None
    except TimeoutError:
        raise Passing(f"{host} did not answer in time") from None
    except UnicodeError:
        raise Permanent(f"{host} is no name of a server") from None
    except OSError as error:
        raise Passing(f"{host} can't be reached: {error.strerror or type(error).__name__}") from None


def _refusal(host: str, code: int, what: str) -> Exception:
    if code < 500:  # below zero where the answer was none of mail's
        return Passing(f"{host} {what} for now ({code})")
    return Permanent(f"{host} {what} ({code})")


def _connect(account: Account, deadline: float) -> smtplib.SMTP:
    host, port = account.host, account.port
    if not account.tls and port != SMTPS:
        return smtplib.SMTP(host, port, timeout=left(deadline))
    context = _context(account.ca_file)
    if port == SMTPS:
        return smtplib.SMTP_SSL(host, port, timeout=left(deadline), context=context)
    server = smtplib.SMTP(host, port, timeout=left(deadline))
    try:
        _greet(server, deadline)
        if not server.has_extn("starttls"):
            raise Permanent(f"{host} offers no encryption; use_tls: false sends without")
        _hurry(server, deadline)
        server.starttls(context=context)
    except BaseException:
        server.close()
        raise
    return server


def _context(ca_file: str) -> SSLContext:
    try:
        return create_default_context(cafile=ca_file or None)
    except OSError:
        raise Permanent(f"ca_file: {ca_file} can't be read") from None


def _hurry(server: smtplib.SMTP, deadline: float) -> None:
    """Give the next word of a server no more time than is left."""
    if server.sock is None:
        raise smtplib.SMTPServerDisconnected
    server.sock.settimeout(left(deadline))


def _greet(server: smtplib.SMTP, deadline: float) -> None:
    _hurry(server, deadline)
    server.ehlo_or_helo_if_needed()


def _log_in(server: smtplib.SMTP, account: Account, deadline: float) -> None:
    """Say who sends, in each way that both sides know until one is accepted.

    User and password are sent in UTF-8, which is what RFC 4616 says; the standard library knows ASCII only.
    """
    if not account.user:
        return
    host = account.host
    _greet(server, deadline)
    if not server.has_extn("auth"):
        hint = "" if account.tls or account.port == SMTPS else ", or none without encryption (use_tls)"
        raise Permanent(f"{host} takes no user and password{hint}")
    offered = server.esmtp_features["auth"].upper().split()
    ways = [each for each in ("PLAIN", "LOGIN", "CRAM-MD5") if each in offered]
    if not (account.tls or account.port == SMTPS):
        ways.reverse()  # the one that does not say the password comes first
    if not ways:
        raise Permanent(f"{host} knows no way to log in but {', '.join(offered)}")
    codes = []
    for way in ways:
        codes.append(_try_to_log_in(server, way, account, deadline))
        if _taken(codes[-1]) or codes[-1] == _LOGGED_IN:
            return
    if min(codes) < 500:
        raise Passing(f"{host} lets nobody log in for now ({min(codes)})")
    raise Permanent(f"{host} does not accept user and password")


def _try_to_log_in(server: smtplib.SMTP, way: str, account: Account, deadline: float) -> int:
    """Return what the server says to user and password."""
    user, password = (each.encode("utf-8", "surrogateescape") for each in (account.user, account.password))

    def ask(word: str, more: str = "") -> tuple[int, bytes]:
        _hurry(server, deadline)
        return server.docmd(word, more)

    if way == "PLAIN":
        return ask("AUTH", "PLAIN " + _base64(b"\0".join((b"", user, password))))[0]
    if way == "LOGIN":
        code, _ = ask("AUTH", "LOGIN " + _base64(user))
        return ask(_base64(password))[0] if code == _GO_ON else code
    code, challenge = ask("AUTH", "CRAM-MD5")
    if code != _GO_ON:
        return code
    try:
        digest = hmac.new(password, b64decode(challenge), "md5").hexdigest()
    except ValueError:  # a challenge that is none, or a system without MD5
        return ask("*")[0]
    return ask(_base64(user + b" " + digest.encode("ascii")))[0]


def _base64(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def _taken(code: int) -> bool:
    return 200 <= code < 300


def _hand_over(
    server: smtplib.SMTP, host: str, mail: EmailMessage, sender: str, people: Sequence[str], deadline: float
) -> dict[str, int]:
    _greet(server, deadline)
    data, options = _written(server, host, mail, (sender, *people))
    _hurry(server, deadline)
    code = server.mail(sender, options)[0]
    if not _taken(code):
        raise _refusal(host, code, "refused the sender")
    answers = {}
    for person in people:
        _hurry(server, deadline)
        answers[person] = code = server.rcpt(person)[0]
        if code == _GOING:  # and nobody has it yet
            raise _refusal(host, code, "went away")
    known = [person for person, code in answers.items() if _taken(code)]
    if known:
        _hurry(server, deadline)
        try:
            code = server.data(data)[0]
        except smtplib.SMTPDataError as error:
            code = error.smtp_code
        if not _taken(code) and (code < 500 or len(known) == len(people)):
            raise _refusal(host, code, "refused the message")
        answers.update(dict.fromkeys(known, code))
    return answers


def _written(
    server: smtplib.SMTP, host: str, mail: EmailMessage, addresses: Sequence[str]
) -> tuple[bytes, list[str]]:
    """Return a mail as it is sent, and what the server is told of it before."""
    policy, options = mail.policy, list[str]()
    if not all(address.isascii() for address in addresses):
        if not server.has_extn("smtputf8"):
            raise Permanent(f"{host} takes only addresses of ASCII")
        policy, options = SMTPUTF8, ["SMTPUTF8", "BODY=8BITMIME"]
    buffer = BytesIO()
    BytesGenerator(buffer, policy=policy).flatten(mail, linesep="\r\n")
    data = buffer.getvalue()
    if server.does_esmtp and server.has_extn("size"):
        options.append(f"size={len(data)}")
    return data, options


def _leave(server: smtplib.SMTP, deadline: float) -> None:
    """Say farewell, and wait but a moment for an answer: what was said before it counts."""
    now = monotonic()
    if server.sock is not None and now < deadline:
        try:
            server.sock.settimeout(min(_COURTESY, (deadline - now) / 2))
            server.quit()
        except (smtplib.SMTPException, OSError):
            pass
    server.close()
