"""A hundred other services, by the addresses of Apprise (``tgram://``, ``pover://``, ``matrix://`` ...)."""

from __future__ import annotations

from runner.channels.base import Passing, Permanent, reveal
from runner.channels.text import plain
from runner.model.notification import CRITICAL, RECOVER, WARNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from runner.model.notification import Notification

_TYPES = {CRITICAL: "failure", WARNING: "warning"}


class Apprise:
    """Hands a message to Apprise, which knows the service; it does not say whether a failure will pass."""

    SETTINGS: Mapping[str, Any] = {
        "type": "object",
        "properties": {"url": {"type": ["array", "string"], "items": {"type": "string"}, "writeOnly": True}},
        "required": ["url"],
    }
    spawns = False

    def __init__(self, name: str, settings: Mapping[str, Any]) -> None:
        self.name = name
        urls = settings.get("url")
        self.urls = urls if isinstance(urls, list) else [urls]

    def send(self, notification: Notification, deadline: float) -> None:
        """Hand over a message (see `Channel.send`)."""
        try:
            import apprise  # type: ignore[import-not-found, unused-ignore]
        except ImportError:
            raise Permanent("apprise is not installed (pip install 'python-script-runner[notify]')") from None
        service = apprise.Apprise()
        for url in self.urls:
            if not service.add(reveal(url, f"{self.name}: url")):
                raise Permanent(f"{self.name}: Apprise knows no service of such an address")
        kind = "success" if notification.kind == RECOVER else _TYPES.get(notification.severity, "info")
        if not service.notify(body=plain(notification), title=notification.title, notify_type=kind):
            raise Passing("the service did not take it")
