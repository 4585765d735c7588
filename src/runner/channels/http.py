"""Posts to an address of the web, as carefully as a program should that takes its addresses from a file."""

from __future__ import annotations

import socket
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import ip_address, ip_network
from urllib.parse import urljoin, urlsplit

from runner.channels.base import Passing, Permanent, left

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from urllib.parse import SplitResult

#: Redirects followed.
REDIRECTS = 3
#: Bytes read of an answer.
_ANSWER = 4096
#: Where clouds tell machines their credentials: no message belongs there.
_METADATA = tuple(
    ip_network(each)
    for each in ("169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128", "100.100.100.200/32", "fd20:ce::254/128")
)
#: Answers after which the same message may be taken later.
_PASSING = frozenset((408, 409, 423, 425, 429, 500, 502, 503, 504))


def post(
    url: str, data: bytes, headers: Mapping[str, str], deadline: float, allow_metadata: bool = False
) -> tuple[int, bytes]:
    """Post to an address, following a few redirects of the same host.

    Args:
        url: The address.
        data: The body.
        headers: Of the request.
        deadline: When to give up, by `time.monotonic`.
        allow_metadata: Whether link-local addresses, where clouds keep the credentials of machines, are allowed.

    Returns:
        Code and beginning of an answer that took it (2xx).

    Raises:
        Passing: The other side is not there, slow, or has too much to do.
        Permanent: It will not take it.
    """
    first = urlsplit(url)
    parts = first
    for _ in range(REDIRECTS + 1):
        code, answer, place, retry_after = _once(parts, data, headers, deadline, allow_metadata)
        if 200 <= code < 300:
            return code, answer
        if code not in (301, 302, 307, 308) or not place:
            break
        parts = _followed(parts, place)
    else:
        raise Permanent(f"{first.hostname} redirects again and again")
    if code in _PASSING or code >= 500:
        raise Passing(f"{parts.hostname} answered {code}", retry_after)
    raise Permanent(f"{parts.hostname} answered {code}")


def _followed(parts: SplitResult, place: str) -> SplitResult:
    target = urlsplit(urljoin(parts.geturl(), place))
    if target.scheme not in ("http", "https") or target.hostname != parts.hostname:
        raise Permanent(f"{parts.hostname} redirects to another place")
    if parts.scheme == "https" and target.scheme != "https":
        raise Permanent(f"{parts.hostname} redirects to an address without encryption")
    return target


def _once(
    parts: SplitResult, data: bytes, headers: Mapping[str, str], deadline: float, allow_metadata: bool
) -> tuple[int, bytes, str, float | None]:
    host = parts.hostname or ""
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection, target = _connect(parts, target, deadline, allow_metadata)
        try:
            connection.request("POST", target, data, {"User-Agent": "runner", **headers})
            if connection.sock is not None:
                connection.sock.settimeout(left(deadline))
            response = connection.getresponse()
            answer = response.read(_ANSWER)
            return response.status, answer, response.getheader("Location") or "", _seconds(response)
        finally:
            connection.close()
    except TimeoutError:
        raise Passing(f"{host} did not answer in time") from None
    except OSError as error:
        from ssl import SSLCertVerificationError

        if isinstance(error, SSLCertVerificationError):
            raise Permanent(f"the certificate of {host} is not trusted: {error.verify_message}") from None
        raise Passing(f"{host} can't be reached: {error.strerror or type(error).__name__}") from None
    except (HTTPException, UnicodeError) as error:
        raise Passing(f"{host} gave no answer that makes sense ({type(error).__name__})") from None


def _seconds(response: object) -> float | None:
    """Return the seconds that Retry-After asks for: a number, or a date."""
    text = response.getheader("Retry-After")  # type: ignore[attr-defined]
    if not text:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    from email.utils import parsedate_to_datetime
    from time import time

    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time())
    except (ValueError, TypeError):
        return None


def _connect(
    parts: SplitResult, target: str, deadline: float, allow_metadata: bool
) -> tuple[HTTPConnection, str]:
    """Return an open connection, and what to ask for on it."""
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    proxy = _proxy(parts)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    if proxy is not None:
        # The name is the proxy's to look up, and its rules say what may be reached.
        connection = kind(proxy.hostname or "", proxy.port or 80, timeout=left(deadline))
        if parts.scheme == "https":
            connection.set_tunnel(host, port)
            return connection, target
        return connection, parts.geturl()
    connection = kind(host, port, timeout=left(deadline))
    addresses = _resolve(host, port, allow_metadata)

    def dial(_: object, timeout: object = None, source: object = None) -> socket.socket:
        # What was looked at is what is connected to: a name could lead elsewhere the next time.
        for others in range(len(addresses) - 1, -1, -1):
            try:
                made = socket.create_connection(addresses[-1 - others], left(deadline) / (others + 1))
                break
            except OSError:
                if not others:
                    raise
        made.settimeout(left(deadline))
        return made

    connection._create_connection = dial  # type: ignore[attr-defined]
    return connection, target


def _resolve(host: str, port: int, allow_metadata: bool) -> list[tuple[str, int]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        raise Passing(f"{host} is not known to the network") from None
    for *_, address in found:
        ip = ip_address(str(address[0]).partition("%")[0])
        mapped = getattr(ip, "ipv4_mapped", None) or ip
        if not allow_metadata and any(mapped in network for network in _METADATA if network.version == mapped.version):
            raise Permanent(
                f"{host} leads to {mapped}, where machines keep their credentials; allow_metadata: true allows it"
            )
    return [(str(address[0]), port) for *_, address in found]


def _proxy(parts: SplitResult) -> SplitResult | None:
    from urllib.request import getproxies, proxy_bypass

    place = getproxies().get(parts.scheme)
    if not place or proxy_bypass(parts.hostname or ""):
        return None
    return urlsplit(place if "://" in place else f"http://{place}")
