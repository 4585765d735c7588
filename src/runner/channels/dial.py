"""Opens connections to the web, straight or through a proxy, and none to where machines keep their credentials."""

from __future__ import annotations

import socket
from http.client import HTTPConnection, HTTPSConnection
from ipaddress import ip_address, ip_network
from urllib.parse import quote, urlsplit

from runner.channels.base import Passing, Permanent, left

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any
    from urllib.parse import SplitResult

#: Where clouds tell machines their credentials: no message belongs there.
_METADATA = tuple(
    ip_network(each)
    for each in ("169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128", "100.100.100.200/32", "fd20:ce::254/128")
)
#: Seconds to look up a name that a proxy is going to look up: where there is a proxy, names may be known to it alone.
_LOOK_UP = 0.5
#: What has a meaning in an address already.
_KEPT = "%/:?#[]@!$&'()*+,;=~"


def dial(parts: SplitResult, deadline: float, allow_metadata: bool) -> tuple[HTTPConnection, str, dict[str, str]]:
    """Return a connection, which opens with the first request, what to ask for on it, and headers that it needs.

    Args:
        parts: The address.
        deadline: When to give up, by `time.monotonic`.
        allow_metadata: Whether addresses are allowed where machines keep their credentials.

    Raises:
        Passing: The address is not known now, or no time is left.
        Permanent: It is one of those that are not allowed, or the proxy's is none.
        OSError: It can't be reached.
    """
    secure = parts.scheme == "https"
    host, port = parts.hostname or "", parts.port or (443 if secure else 80)
    target = quote(parts.path or "/", _KEPT) + (f"?{quote(parts.query, _KEPT)}" if parts.query else "")
    kind = HTTPSConnection if secure else HTTPConnection
    proxy = _proxy(parts)
    if proxy is None:
        return _straight(kind(host, port, timeout=left(deadline)), deadline, allow_metadata), target, {}
    if not allow_metadata:
        _refuse(host, _known_here(host, port))
    connection = kind(proxy.hostname or "", proxy.port or 80, timeout=left(deadline))
    user = credentials(proxy)
    headers = {"Proxy-Authorization": user} if user else {}
    if secure:
        connection.set_tunnel(host, port, headers)
        return connection, target, {}
    return connection, f"http://{parts.netloc.rpartition('@')[2]}{target}", headers


def credentials(parts: SplitResult) -> str:
    """Return the header that says user and password of an address; "" where it names none."""
    if parts.username is None:
        return ""
    from base64 import b64encode
    from urllib.parse import unquote_to_bytes

    pair = unquote_to_bytes(parts.username) + b":" + unquote_to_bytes(parts.password or "")
    return "Basic " + b64encode(pair).decode("ascii")


def _straight(connection: HTTPConnection, deadline: float, allow_metadata: bool) -> HTTPConnection:
    host, port = connection.host, connection.port
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        raise Passing(f"{host} is not known to the network") from None
    addresses = [str(address[0]) for *_, address in found]
    if not allow_metadata:
        _refuse(host, addresses)

    def connect(_: object, timeout: object = None, source: object = None) -> socket.socket:
        # What was looked at is what is connected to: a name could lead elsewhere the next time.
        for others in range(len(addresses) - 1, -1, -1):
            try:
                made = socket.create_connection((addresses[-1 - others], port), left(deadline) / (others + 1))
                break
            except OSError:
                if not others:
                    raise
        made.settimeout(left(deadline))
        return made

    connection._create_connection = connect  # type: ignore[attr-defined]
    return connection


def _known_here(host: str, port: int) -> list[str]:
    """Return the addresses of a host as far as they can be told at once; a proxy may know more."""
    from threading import Thread

    found: list[Any] = []

    def look(flags: int = 0) -> None:
        try:
            found.extend(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags))
        except (socket.gaierror, UnicodeError):
            pass

    look(socket.AI_NUMERICHOST)
    if not found:
        thread = Thread(target=look, daemon=True)
        thread.start()
        thread.join(_LOOK_UP)
    return [str(address[0]) for *_, address in found]


def _refuse(host: str, addresses: Iterable[str]) -> None:
    for address in addresses:
        ip = ip_address(address.partition("%")[0])
        mapped = getattr(ip, "ipv4_mapped", None) or ip
        if any(mapped in network for network in _METADATA if network.version == mapped.version):
            raise Permanent(
                f"{host} leads to {mapped}, where machines keep their credentials; allow_metadata: true allows it"
            )


def _proxy(parts: SplitResult) -> SplitResult | None:
    from urllib.request import getproxies, proxy_bypass

    place = getproxies().get(parts.scheme)
    if not place or proxy_bypass(parts.hostname or ""):
        return None
    try:
        proxy = urlsplit(place if "://" in place else f"http://{place}")
        good = proxy.scheme in ("http", "https") and bool(proxy.hostname) and (proxy.port or 80) > 0
    except ValueError:
        good = False
    if not good:
        raise Permanent(f"the proxy that {parts.scheme}_proxy names has no address that begins with http://")
    return proxy
