"""Fixtures of tests of channels: servers of mail and of the web."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from tests.integration.channels.mailbox import Box
from tests.integration.channels.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server(authority: trustme.CA, tmp_path: Path) -> Iterator[Callable[..., tuple[Box, dict[str, Any]]]]:
    """Return a function that starts a server of mail and returns its box and the settings that reach it."""
    started: list[Controller] = []
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))

    def start(
        how: str = "starttls", host: str = "localhost", auth: bool = True, password: str = "right",
        wrong: str = "", without: tuple[str, ...] = (), box: Box | None = None, **options: Any,
    ) -> tuple[Box, dict[str, Any]]:  # fmt: skip
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(host).configure_cert(context)
        box = box or Box()

        def check(server: object, session: object, envelope: object, mechanism: str, data: Any) -> AuthResult:
            good = (data.login, data.password) == (b"alice", password.encode())
            return AuthResult(success=good, handled=False, message=None if good or not wrong else wrong)

        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        if how == "starttls":
            options |= {"tls_context": context, "require_starttls": True}
        elif how == "smtps":
            options |= {"ssl_context": context}
        if auth:
            options |= {"auth_required": True, "authenticator": check, "auth_require_tls": how == "starttls"}
            options["auth_exclude_mechanism"] = without
        controller = Controller(box, hostname="127.0.0.1", port=port, server_hostname="mail", **options)
        controller.start()
        started.append(controller)
        settings = {
            "smtp_server": "localhost", "smtp_port": port, "from": "Runner <runner@example.com>",
            "to": ["team@example.com", "Ops <ops@example.com>"], "username": "alice", "password": password,
            "use_tls": how != "plain", "ca_file": str(tmp_path / "ca.pem"),
        }  # fmt: skip
        return box, settings

    yield start
    for controller in started:
        controller.stop()


@pytest.fixture
def wire() -> Iterator[Wire]:
    opened = Wire()
    yield opened
    opened.close()
