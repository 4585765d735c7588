"""A webhook that notes what it is sent, and behaves as badly as it is told."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests import support

#: Seconds after which a hang is taken for granted.
GUARD = 60.0


class Hook:
    """The server.

    Attributes:
        came: Bodies of the requests, whatever was answered; `taken` are those that were answered with 200.
        answers: Codes to answer with, then `code`.
        retry_after: What the header of that name says with any other answer than 200.
        answering: Cleared, requests are noted and never answered.
    """

    def __init__(self) -> None:
        self.came: list[dict[str, Any]] = []
        self.taken: list[dict[str, Any]] = []
        self.answers: list[int] = []
        self.code = 200
        self.retry_after = ""
        self.answering = threading.Event()
        self.answering.set()
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                hook.came.append(body)
                if not hook.answering.is_set():
                    hook.answering.wait(GUARD)
                    return
                code = hook.answers.pop(0) if hook.answers else hook.code
                if code == 200:
                    hook.taken.append(body)
                self.send_response(code)
                if code != 200 and hook.retry_after:
                    self.send_header("Retry-After", hook.retry_after)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 64
            daemon_threads = True

            def handle_error(self, request: object, address: object) -> None:
                pass  # who hung up does not wait for an answer

        self.server = Server(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/services/T0/B0/hushhush"

    @property
    def titles(self) -> list[str]:
        return [body["title"] for body in self.taken]

    def close(self) -> None:
        self.answering.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def wait_for(what: Callable[[], object]) -> None:
    """Wait until something holds; fail after a time in which it must have."""
    deadline = time.monotonic() + GUARD
    while not what():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def configure(runner: support.Command, hook: Hook, *alerts: dict[str, Any]) -> None:
    """Write the configuration: one alert on failure unless others are given, and the webhook."""
    wanted = list(alerts) or [{"name": "broken", "condition": "failed", "severity": "CRITICAL"}]
    settings = {"alerts": wanted, "notifications": {"webhook": {"url": hook.url}}}
    (runner.cwd / "config.json").write_text(json.dumps(settings))
    runner.env["RUNNER_CONFIG"] = "config.json"


def alerts_of(runner: support.Command) -> list[tuple[str, str]]:
    """Return name and outcome of what became of alerts, the oldest first."""
    answer = json.loads(runner("alerts", "list", "--format", "json").out)
    return [(each["name"], each["outcome"]) for each in reversed(answer["alerts"])]


def outbox_of(runner: support.Command) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(runner("alerts", "outbox", "--format", "json").out)["messages"]
    return found


def age(runner: support.Command, column: str, table: str) -> None:
    """Let a time pass that is noted in the record."""
    with sqlite3.connect(runner.cwd / "script_runner_history.db") as record:
        record.execute(f"UPDATE {table} SET {column} = 0")
    record.close()
