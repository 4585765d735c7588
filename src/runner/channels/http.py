"""Posts to an address of the web, as carefully as a program should that takes its addresses from a file."""

from __future__ import annotations

from http.client import HTTPException, HTTPResponse
from time import monotonic
from urllib.parse import urljoin, urlsplit

from runner.channels.base import Passing, Permanent, left
from runner.channels.dial import credentials, dial
from runner.channels.said import said

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping, Sequence
    from urllib.parse import SplitResult

#: Redirects followed.
REDIRECTS = 3
#: Bytes read of an answer, and seconds at most: it is its code that counts, and that is known by then.
_ANSWER, _COURTESY = 4096, 0.5
#: Answers after which the same message may be taken later.
_PASSING = frozenset((408, 409, 423, 425, 429, 500, 502, 503, 504))


def post(
    url: str, data: bytes, headers: Mapping[str, str], deadline: float, allow_metadata: bool = False,
    secrets: Sequence[str] = (),
) -> None:  # fmt: skip
    """Post to an address, following a few redirects of the same host.

    Args:
        url: The address; user and password in it are sent as a header.
        data: The body.
        headers: Of the request.
        deadline: When to give up, by `time.monotonic`.
        allow_metadata: Whether link-local addresses, where clouds keep the credentials of machines, are allowed.
        secrets: What must not be told where the other side repeats it; what is behind the host in the address needs not
            be named.

    Raises:
        Passing: The other side is not there, slow, or has too much to do.
        Permanent: It will not take it.
    """
    parts = first = urlsplit(url)
    user = credentials(first)
    if user and "authorization" not in map(str.lower, headers):
        headers = {**headers, "Authorization": user}
    for _ in range(REDIRECTS + 1):
        code, answer, place, retry_after = _once(parts, data, headers, deadline, allow_metadata)
        if 200 <= code < 300:
            return
        if code not in (301, 302, 307, 308) or not place:
            break
        parts = _followed(parts, place)
    else:
        raise Permanent(f"{first.hostname} redirects again and again")
    hidden = (url, parts.geturl(), parts.path, parts.query, first.path, first.username, first.password, user, *secrets)
    reason = f"{parts.hostname} answered {code}"
    told = said(answer, filter(None, hidden))
    if told:
        reason += f": {told}"
    if code in _PASSING or code >= 500:
        raise Passing(reason, retry_after)
    raise Permanent(reason)


def _followed(parts: SplitResult, place: str) -> SplitResult:
    try:
        target = urlsplit(urljoin(parts.geturl(), place))
        good = target.scheme in ("http", "https") and target.hostname == parts.hostname and (target.port or 1) > 0
    except ValueError:
        good = False
    if not good:
        raise Permanent(f"{parts.hostname} redirects to another place")
    if parts.scheme == "https" and target.scheme != "https":
        raise Permanent(f"{parts.hostname} redirects to an address without encryption")
    return target


def _once(
    parts: SplitResult, data: bytes, headers: Mapping[str, str], deadline: float, allow_metadata: bool
) -> tuple[int, bytes, str, float | None]:
    """Post once; return the code, the beginning of the answer, where it leads to, and the seconds it asks to wait."""
    host = parts.hostname or ""
    try:
        connection, target, more = dial(parts, deadline, allow_metadata)
        try:
            connection.request("POST", target, data, {"User-Agent": "runner", **headers, **more})
            return _answer(connection.sock, deadline)
        finally:
            connection.close()
    except TimeoutError:
        raise Passing(f"{host} did not answer in time") from None
    except OSError as error:
        from ssl import SSLCertVerificationError

        if isinstance(error, SSLCertVerificationError):
            raise Permanent(f"the certificate of {host} is not trusted: {error.verify_message}") from None
        raise _unreached(host, error) from None
    except (HTTPException, UnicodeError) as error:
        raise Passing(f"{host} gave no answer that makes sense ({type(error).__name__})") from None


def _unreached(host: str, error: OSError) -> Exception:
    """Return why a host can't be reached; what a proxy has against it comes as text only."""
    words = str(error).partition("Tunnel connection failed: ")[2].split()
    if not words or not words[0].isdecimal():
        return Passing(f"{host} can't be reached: {error.strerror or type(error).__name__}")
    kind = Permanent if words[0] in ("401", "403", "407") else Passing
    return kind(f"{host} can't be reached: the proxy answered {words[0]}")


def _answer(sock: socket.socket, deadline: float) -> tuple[int, bytes, str, float | None]:
    """Read an answer: once its code is there it counts, whatever becomes of the rest."""
    sock.settimeout(left(deadline))
    with HTTPResponse(sock, method="POST") as response:
        try:
            response.begin()
        except (OSError, HTTPException):
            if not isinstance(response.status, int):
                raise
            return response.status, b"", "", None
        body = _beginning(response, sock, deadline)
        return response.status, body, response.getheader("Location") or "", _seconds(response)


def _beginning(response: HTTPResponse, sock: socket.socket, deadline: float) -> bytes:
    """Read the beginning of a body; a server that is still writing it may take a closed connection for a failure."""
    now = monotonic()
    until = now + min(_COURTESY, (deadline - now) / 2)
    answer = b""
    try:
        while len(answer) < _ANSWER and (seconds := until - monotonic()) > 0:
            sock.settimeout(seconds)
            part = response.read1(_ANSWER - len(answer))
            if not part:
                break
            answer += part
    except (OSError, HTTPException, ValueError):
        pass
    return answer


def _seconds(response: HTTPResponse) -> float | None:
    """Return the seconds that Retry-After asks for: a number, or a date."""
    text = response.getheader("Retry-After")
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
