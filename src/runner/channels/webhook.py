"""Any address that takes JSON: signed, with headers and a form of your own."""

from __future__ import annotations

import json

from runner.channels.address import check
from runner.channels.base import Permanent, given, require, reveal
from runner.model.errors import UsageError
from runner.options import Unset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from runner.model.notification import Notification

#: Version of what is sent without a template.
VERSION = 1


class Webhook:
    """Posts a message as JSON.

    Without a template it is an object with ``version``, ``event`` (``alert.fire``, ``alert.recover``) and all that a
    `Notification` holds. With one, each text in it has ``{title}`` and the like replaced; ``{alerts}`` and other lists
    that are all of a text become JSON.
    """

    SETTINGS: Mapping[str, Any] = {
        "type": "object",
        "properties": {
            "url": {"type": "string", "writeOnly": True},
            "headers": {"type": "object", "writeOnly": True},
            "secret": {"type": "string", "writeOnly": True},
            "template": {"type": ["object", "string"]},
            "allow_metadata": {"type": "boolean"},
        },
        "required": ["url"],
    }
    spawns = False
    #: Key of its section that holds the address.
    KEY = "url"

    def __init__(self, name: str, settings: Mapping[str, Any]) -> None:
        self.name = name
        self.settings = settings
        url = settings.get(self.KEY)
        if isinstance(url, str) and not _points_elsewhere(url):
            check(url, f"{name}: {self.KEY}")
        self.headers: Mapping[str, Any] = given(settings, "headers", {})
        for key, value in self.headers.items():
            # What is in a file or a keyring is looked at when it is needed.
            fits = isinstance(value, Unset) or _points_elsewhere(value) or _fits_a_header(value)
            if not key.isascii() or not key.replace("-", "a").isalnum() or not fits:
                raise UsageError(f"{name}: {key!r} is no header that can be sent")

    def send(self, notification: Notification, deadline: float) -> None:
        """Post a message (see `Channel.send`)."""
        require(self.settings, self.name)
        self.post(self.body(notification), notification.id, deadline)

    def post(self, body: bytes, key: str, deadline: float) -> None:
        """Post a body.

        Args:
            body: The body.
            key: The message's, by which the other side knows it again.
            deadline: When to give up, by `time.monotonic`.

        Raises:
            Undelivered: It was not taken.
        """
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        secrets = [*_words(self.settings.get("template"))]
        for name, value in self.headers.items():
            headers[name] = reveal(value, f"{self.name}: {name}")
            secrets.append(headers[name])
            if not _fits_a_header(headers[name]):
                raise Permanent(f"{self.name}: {name}: one line of ASCII is needed, for it is a header")
        secret = reveal(self.settings.get("secret"), f"{self.name}: secret")
        if secret:
            headers["X-Runner-Signature"] = signature(secret, body)
            secrets.append(secret)
        url = reveal(self.settings.get(self.KEY), f"{self.name}: {self.KEY}")
        try:
            check(url, f"{self.name}: {self.KEY}")
        except UsageError as error:
            raise Permanent(str(error)) from None
        from runner.channels import http

        http.post(url, body, headers, deadline, bool(self.settings.get("allow_metadata")), secrets)

    def body(self, notification: Notification) -> bytes:
        """Return what is posted."""
        data: Any = {"version": VERSION, "event": f"alert.{notification.kind}", **notification.to_dict()}
        template = self.settings.get("template")
        return json.dumps(data if template is None else fill(template, data), ensure_ascii=True).encode("ascii")


def signature(secret: str, body: bytes, now: float | None = None) -> str:
    """Return the header that proves who sent a body: ``t=SECONDS,v1=HEX``.

    The digest is HMAC-SHA256, keyed with the secret, of the seconds since the epoch, a full stop and the body: to a
    receiver that refuses old seconds, nobody who saw a message can send it again.
    """
    import hmac
    from time import time

    moment = int(time() if now is None else now)
    digest = hmac.new(secret.encode("utf-8", "surrogateescape"), f"{moment}.".encode() + body, "sha256").hexdigest()
    return f"t={moment},v1={digest}"


def fill(template: Any, data: Mapping[str, Any]) -> Any:
    """Return a template with ``{name}`` replaced in all its texts; a name that there is not stays as it is."""
    if isinstance(template, dict):
        return {key: fill(value, data) for key, value in template.items()}
    if isinstance(template, list):
        return [fill(value, data) for value in template]
    if not isinstance(template, str):
        return template
    if template[:1] == "{" and template[-1:] == "}" and template[1:-1] in data:
        return data[template[1:-1]]
    import re

    def value_of(found: re.Match[str]) -> str:
        value = data.get(found[1], found[0])
        return value if isinstance(value, str) else json.dumps(value)

    return re.sub(r"\{(\w+)\}", value_of, template)  # once: what a script wrote is no template


def _words(template: Any) -> Iterator[str]:
    """Return what a template says by itself: a key of the other side's may be among it."""
    if isinstance(template, dict):
        template = list(template.values())
    if isinstance(template, list):
        for inner in template:
            yield from _words(inner)
    elif isinstance(template, str):
        import re

        yield from re.split(r"\{\w+\}", template)


def _points_elsewhere(value: object) -> bool:
    return isinstance(value, str) and value.startswith(("file:", "keyring:"))


def _fits_a_header(value: object) -> bool:
    return isinstance(value, str) and value.isprintable() and value.isascii()
