"""Any address that takes JSON: signed, with headers and a form of your own."""

from __future__ import annotations

import json

from runner.channels.address import check
from runner.channels.base import reveal
from runner.model.errors import UsageError
from runner.options import Unset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
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
        if isinstance(url, str) and not url.startswith(("file:", "keyring:")):
            check(url, f"{name}: {self.KEY}")
        for key, value in (settings.get("headers") or {}).items():
            if not key.isascii() or not key.replace("-", "a").isalnum() or not _fits_a_header(value):
                raise UsageError(f"{name}: {key!r} is no header that can be sent")

    def send(self, notification: Notification, deadline: float) -> None:
        """Post a message (see `Channel.send`)."""
        self.post(self.body(notification), notification.id, deadline)

    def post(self, body: bytes, key: str, deadline: float) -> bytes:
        """Post a body; return the beginning of the answer.

        Raises:
            Undelivered: It was not taken.
        """
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        for name, value in (self.settings.get("headers") or {}).items():
            headers[name] = reveal(value, f"{self.name}: {name}")
        secret = self.settings.get("secret")
        if secret:
            headers["X-Runner-Signature"] = signature(reveal(secret, f"{self.name}: secret"), body)
        url = reveal(self.settings.get(self.KEY), f"{self.name}: {self.KEY}")
        try:
            check(url, f"{self.name}: {self.KEY}")
        except UsageError as error:
            from runner.channels.base import Permanent

            raise Permanent(str(error)) from None
        from runner.channels import http

        return http.post(url, body, headers, deadline, bool(self.settings.get("allow_metadata")))[1]

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
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, "sha256").hexdigest()
    return f"t={moment},v1={digest}"


def fill(template: Any, data: Mapping[str, Any]) -> Any:
    """Return a template with ``{name}`` replaced in all its texts; a name that there is not stays as it is."""
    if isinstance(template, dict):
        return {key: fill(value, data) for key, value in template.items()}
    if isinstance(template, list):
        return [fill(value, data) for value in template]
    if isinstance(template, Unset) or not isinstance(template, str):
        return None if isinstance(template, Unset) else template
    if template[:1] == "{" and template[-1:] == "}" and template[1:-1] in data:
        return data[template[1:-1]]
    import re

    def value_of(found: re.Match[str]) -> str:
        value = data.get(found[1], found[0])
        return value if isinstance(value, str) else json.dumps(value)

    return re.sub(r"\{(\w+)\}", value_of, template)  # once: what a script wrote is no template


def _fits_a_header(value: object) -> bool:
    return isinstance(value, Unset) or (isinstance(value, str) and value.isprintable() and value.isascii())
