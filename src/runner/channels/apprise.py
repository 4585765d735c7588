"""A hundred other services, by the addresses of Apprise (``tgram://``, ``pover://``, ``matrix://`` ...)."""

from __future__ import annotations

from runner.channels.base import Partly, Passing, Permanent, left, require, reveal
from runner.channels.text import plain
from runner.model.notification import CRITICAL, RECOVER, WARNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from runner.model.notification import Notification

#: Seconds before the deadline at which nothing is waited for any more: what came of the others can still be said.
_MARGIN = 0.2
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
        self.settings = settings
        urls = settings.get("url")
        self.urls = urls if isinstance(urls, list) else [urls]

    def send(self, notification: Notification, deadline: float) -> None:
        """Hand over a message (see `Channel.send`)."""
        try:
            import apprise  # type: ignore[import-not-found, unused-ignore]
        except ImportError:
            raise Permanent("apprise is not installed (pip install 'python-script-runner[notify]')") from None
        require(self.settings, self.name)
        services: dict[str, Any] = {}
        for url in self.urls:
            services[_mark(url)] = service = apprise.Apprise()
            if not service.add(reveal(url, f"{self.name}: url")):
                raise Permanent(f"{self.name}: Apprise knows no service of such an address")
        kind = "success" if notification.kind == RECOVER else _TYPES.get(notification.severity, "info")
        told = {"body": plain(notification), "title": notification.title, "notify_type": kind}
        wanting = {mark: service for mark, service in services.items() if mark not in notification.settled}
        taken = {**notification.settled, **dict.fromkeys(_taking(wanting, told, left(deadline - _MARGIN)), 1)}
        without = len(services.keys() - taken.keys())
        if without and not taken:
            raise Passing("the service did not take it" if len(services) == 1 else "none of the services took it")
        if without:
            raise Partly(f"{without} of {len(services)} services did not take it yet; the others have it", taken)


def _mark(url: object) -> str:
    """Return what an address is known by where it must not be told."""
    from hashlib import sha256

    return sha256(str(url).encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _taking(services: Mapping[str, Any], told: Mapping[str, Any], seconds: float) -> list[str]:
    """Hand a message to services, to all at once; return those that have taken it within so many seconds."""
    from threading import Thread
    from time import monotonic

    until = monotonic() + seconds
    taken: list[str] = []

    def tell(mark: str) -> None:
        try:
            if services[mark].notify(**told):
                taken.append(mark)
        except Exception:  # Apprise has a hundred services, each with troubles of its own
            pass

    threads = [Thread(target=tell, args=(mark,), daemon=True) for mark in services]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until - monotonic()))
    return list(taken)
