"""Tells whether a text is an address that can be posted to; what posts is imported when something is sent."""

from __future__ import annotations

from runner.model.errors import UsageError


def check(url: str, what: str) -> None:
    """Refuse what is no address to post to; the message does not repeat it, since it may be a secret.

    Raises:
        UsageError: It is none.
    """
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        good = False
    if not good or any(char.isspace() or not char.isprintable() for char in url):
        raise UsageError(f"{what}: an address that begins with https:// or http:// is needed")
