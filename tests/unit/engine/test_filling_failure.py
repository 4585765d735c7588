"""What uv and pip wrote when they failed, in their own words, and the line that is made of it."""

from __future__ import annotations

import pytest

from runner.engine.filling_failure import reason_of

NOTHING = b"""Looking in indexes: http://127.0.0.1:9/simple
ERROR: Could not find a version that satisfies the requirement tomli_w (from versions: none)
ERROR: No matching distribution found for tomli_w
"""
#: What pip's log says of a page: of versions 23.2, 24.2 and 26.3.
PIP = [
    (
        "http://127.0.0.1:9/simple/tomli-w/: connection error: HTTPConnectionPool(host='127.0.0.1', port=9): Max"
        " retries exceeded with url: /simple/tomli-w/ (Caused by NewConnectionError('<pip._vendor.urllib3.connection"
        ".HTTPConnection object at 0x7f62fb88f0e0>: Failed to establish a new connection: [Errno 111] Connection"
        " refused'))",
        "the package index http://127.0.0.1:9/simple can't be reached (Connection refused)",
    ),
    (
        "http://127.0.0.1:9/simple/tomli-w/: connection error: [Errno 111] Connection refused",
        "the package index http://127.0.0.1:9/simple can't be reached (Connection refused)",
    ),
    (
        "https://u:****@nowhere.invalid/simple/tomli-w/: connection error: HTTPSConnectionPool(host="
        "'nowhere.invalid', port=443): Max retries exceeded with url: /simple/tomli-w/ (Caused by NewConnectionError("
        "'<pip._vendor.urllib3.connection.HTTPSConnection object at 0x7f1d11326550>: Failed to establish a new"
        " connection: [Errno -2] Name or service not known'))",
        "the package index https://u:***@nowhere.invalid/simple can't be reached (Name or service not known)",
    ),
    (
        "https://nowhere.invalid/simple/tomli-w/: connection error: Failed to resolve IP address for 'nowhere.invalid'"
        " ([Errno -2] Name or service not known)",
        "the package index https://nowhere.invalid/simple can't be reached (Name or service not known)",
    ),
    (
        "https://pypi.org/simple/tomli-w/: connection error: HTTPSConnectionPool(host='pypi.org', port=443): Max"
        " retries exceeded with url: /simple/tomli-w/ (Caused by ProxyError('Cannot connect to proxy.', "
        "NewConnectionError('<pip._vendor.urllib3.connection.HTTPSConnection object at 0x7fa93578b230>: Failed to"
        " establish a new connection: [Errno 111] Connection refused')))",
        "the package index https://pypi.org/simple can't be reached through the proxy (Connection refused)",
    ),
    (
        "https://pypi.org/simple/tomli-w/: connection error: HTTPSConnectionPool(host='pypi.org', port=443): Max"
        " retries exceeded with url: /simple/tomli-w/ (Caused by ProxyError('Cannot connect to proxy.', OSError('Tunnel"
        " connection failed: 407 Proxy Authentication Required')))",
        "the package index https://pypi.org/simple can't be reached through the proxy"
        " (Tunnel connection failed: 407 Proxy Authentication Required)",
    ),
    (
        "http://127.0.0.1:8977/simple/tomli-w/: connection error: HTTPConnectionPool(host='127.0.0.1', port=8977): Max"
        " retries exceeded with url: /simple/tomli-w/ (Caused by ReadTimeoutError(\"HTTPConnectionPool(host="
        "'127.0.0.1', port=8977): Read timed out. (read timeout=1.0)\"))",
        "the package index http://127.0.0.1:8977/simple can't be reached (timed out)",
    ),
    (
        "https://pypi.org/simple/tomli-w/: There was a problem confirming the ssl certificate: HTTPSConnectionPool("
        "host='pypi.org', port=443): Max retries exceeded with url: /simple/tomli-w/ (Caused by SSLError("
        "SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local"
        " issuer certificate (_ssl.c:1000)')))",
        "the package index https://pypi.org/simple can't be reached"
        " (certificate verify failed: unable to get local issuer certificate)",
    ),
    (
        "http://127.0.0.1/simple/tomli-w/: HTTPConnectionPool(host='127.0.0.1', port=80): Max retries exceeded with"
        " url: /simple/tomli-w/ (Caused by ResponseError('too many 503 error responses'))",
        "the package index http://127.0.0.1/simple answers 503",
    ),
    (
        "http://127.0.0.1/simple/tomli-w/: 403 Client Error: Forbidden for url: http://127.0.0.1/simple/tomli-w/",
        "the package index http://127.0.0.1/simple answers 403 Forbidden",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("page", "told"), PIP)
def test_pip_keeps_the_cause_in_its_log(page: str, told: str) -> None:
    missing = "Could not fetch URL file:///opt/simple/tomli-w/: 404 Client Error: File not found for url: x - skipping"
    log = f"2026-11-24T15:39:58,223 {missing}\n2026-11-24T15:39:58,225 Could not fetch URL {page} - skipping\n"
    assert reason_of(NOTHING, log) == told


def test_what_is_not_there_is_no_trouble_of_the_network() -> None:
    log = "Could not fetch URL http://x/simple/a/: 404 Client Error: Not Found for url: http://x/simple/a/ - skipping"
    told = "Could not find a version that satisfies the requirement tomli_w (from versions: none)"
    assert reason_of(NOTHING, log).startswith(told)
    failed = b"ERROR: Failed building wheel for x\n"
    assert reason_of(failed, f"Could not fetch URL {PIP[0][0]} - skipping") == "Failed building wheel for x"


UV = [
    (
        """error: Request failed after 3 retries in 9.0s
  cause: Failed to fetch: http://127.0.0.1:9/simple/tomli-w/
  cause: error sending request for url (http://127.0.0.1:9/simple/tomli-w/)
  cause: client error (Connect)
  cause: tcp connect error
  cause: Connection refused (os error 111)""",
        "the package index http://127.0.0.1:9/simple can't be reached (Connection refused)",
    ),
    (
        """\x1b[1m\x1b[31merror\x1b[39m\x1b[0m: Failed to fetch: `http://127.0.0.1:9/simple/tomli-w/`
  Caused by: Request failed after 3 retries
  Caused by: error sending request for url (http://127.0.0.1:9/simple/tomli-w/)
  Caused by: client error (Connect)
  Caused by: tcp connect error: Connection refused (os error 111)
  Caused by: Connection refused (os error 111)""",
        "the package index http://127.0.0.1:9/simple can't be reached (Connection refused)",
    ),
    (
        """error: Failed to fetch: https://nowhere.invalid/simple/tomli-w/
  cause: error sending request for url (https://nowhere.invalid/simple/tomli-w/)
  cause: client error (Connect)
  cause: dns error
  cause: failed to lookup address information: Name or service not known""",
        "the package index https://nowhere.invalid/simple can't be reached (Name or service not known)",
    ),
    (
        """error: Failed to fetch: https://pypi.org/simple/tomli-w/
  cause: error sending request for url (https://pypi.org/simple/tomli-w/)
  cause: client error (Connect)
  cause: tunnel error: failed to create underlying connection
  cause: tcp connect error
  cause: Connection refused (os error 111)""",
        "the package index https://pypi.org/simple can't be reached through the proxy (Connection refused)",
    ),
    (
        """error: Failed to fetch: http://127.0.0.1:8977/simple/tomli-w/
  cause: error sending request for url (http://127.0.0.1:8977/simple/tomli-w/)
  cause: operation timed out""",
        "the package index http://127.0.0.1:8977/simple can't be reached (timed out)",
    ),
    (
        """error: Failed to fetch: https://pypi.org/simple/tomli-w/
  cause: error sending request for url (https://pypi.org/simple/tomli-w/)
  cause: client error (Connect)
  cause: invalid peer certificate: UnknownIssuer

hint: Consider enabling use of system TLS certificates""",
        "the package index https://pypi.org/simple can't be reached (invalid peer certificate: UnknownIssuer)",
    ),
    (
        """error: Failed to fetch: http://127.0.0.1/simple/tomli-w/
  cause: HTTP status server error (503 Service Unavailable) for url (http://127.0.0.1/simple/tomli-w/)""",
        "the package index http://127.0.0.1/simple answers 503 Service Unavailable",
    ),
    (
        """  \u00d7 Failed to download `x==1`
  \u251c\u2500\u25b6 Failed to fetch:
  \u2502   `https://files.example.org/x.whl`""",
        "Failed to download `x==1` Failed to fetch: \u2502   `https://files.example.org/x.whl`",
    ),
    (
        """  \u251c\u2500\u25b6 Failed to fetch: `https://files.example.org/a/x-1-py3-none-any.whl`
  \u2570\u2500\u25b6 Connection reset by peer (os error 104)""",
        "https://files.example.org can't be reached (Connection reset by peer)",
    ),
    (
        """Using Python 3.11.7 environment at: ve
error: No solution found when resolving dependencies
  cause: Because tomli-w was not found in the package registry, your requirements are unsatisfiable.""",
        "No solution found when resolving dependencies: Because tomli-w was not found in the package registry, your"
        " requirements are unsatisfiable.",
    ),
]


@pytest.mark.parametrize(("said", "told"), UV)
def test_uv_tells_it_in_many_lines(said: str, told: str) -> None:
    assert reason_of(said.encode()) == told


@pytest.mark.parametrize("said", [b"", b"\n \n", b"\xff\xfe", b"error: Failed to fetch: `x`"])
def test_whatever_is_said_is_one_line(said: bytes) -> None:
    assert "\n" not in reason_of(said)
    assert len(reason_of(said + b"ERROR: " + b"x" * 5000)) <= 400
