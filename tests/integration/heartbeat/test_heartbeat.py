"""Pings to a real HTTP server, which answers as badly as servers do."""

from __future__ import annotations

import json
import os
import re
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

import runner as api
from runner.engine.heartbeat import Heartbeat
from runner.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests import support

UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


class Monitor:
    """A server that notes each ping as (path, run id, body) and behaves as it is told."""

    def __init__(self) -> None:
        self.pings: list[tuple[str, str, str]] = []
        self.answers: list[int] = []  # codes to answer with, then 200
        self.location = ""
        self.hang = threading.Event()
        self.hang.set()
        monitor = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                parts = urlsplit(self.path)
                size = int(self.headers.get("Content-Length") or 0)
                data = self.rfile.read(size).decode()
                monitor.pings.append((parts.path, parse_qs(parts.query).get("rid", [""])[0], data))
                monitor.hang.wait(30)
                self.send_response(monitor.answers.pop(0) if monitor.answers else 302 if monitor.location else 200)
                if monitor.location:
                    self.send_header("Location", monitor.location)
                self.end_headers()

            do_GET = do_POST

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/ping/secret-check"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    def paths(self) -> list[str]:
        return [path.removeprefix("/ping/secret-check") for path, _, _ in self.pings]

    def close(self) -> None:
        self.hang.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def monitor() -> Iterator[Monitor]:
    opened = Monitor()
    yield opened
    opened.close()


def test_start_and_success_are_pinged_with_one_id(runner: support.Command, monitor: Monitor) -> None:
    done = runner("--heartbeat", monitor.url, "-c", "print('hello'); print('token=abc123')")
    assert done.exit_code == 0 and done.out == "hello\ntoken=abc123\n" and "warning" not in done.err
    assert monitor.paths() == ["/start", ""]
    (_, first, begin), (_, second, end) = monitor.pings
    assert UUID4.fullmatch(first) and first == second
    assert begin == ""
    lines = end.splitlines()
    assert lines[0] == "-c succeeded" and lines[1].startswith("exit code 0, run ")
    assert re.fullmatch(r"wall .*, CPU .*, peak memory .*", lines[2])
    assert "hello" in lines and "token=***" in lines and "abc123" not in end


def test_failure_is_pinged_as_such_and_the_exit_code_stands(runner: support.Command, monitor: Monitor) -> None:
    done = runner("--heartbeat", monitor.url, "-c", "raise SystemExit(7)")
    assert done.exit_code == 7
    assert monitor.paths() == ["/start", "/fail"]
    assert monitor.pings[1][2].startswith("-c failed: exit code 7\nexit code 7, run ")


def test_a_run_with_retries_is_one(runner: support.Command, monitor: Monitor) -> None:
    script = runner.script("""
        import os, sys
        seen = os.path.exists("seen"); open("seen", "w")
        sys.exit(not seen)
        """)
    done = runner("--retry", 2, "--retry-delay", "0.01", "--heartbeat", monitor.url, script)
    assert done.exit_code == 0 and monitor.paths() == ["/start", ""]


def test_what_can_not_be_started_has_failed(runner: support.Command, monitor: Monitor) -> None:
    assert runner("--heartbeat", monitor.url, "missing.py").exit_code == 127
    assert monitor.paths()[-1] == "/fail"


def test_the_address_is_kept_nowhere_with_its_secret(runner: support.Command, monitor: Monitor) -> None:
    runner("--heartbeat", monitor.url, "--json-output", "run.json", "-c", "pass")
    runner("-c", "pass", env={"RUNNER_HEARTBEAT": monitor.url})
    assert len(monitor.pings) == 4
    assert "secret-check" not in (runner.cwd / "run.json").read_text()
    for file in runner.cwd.rglob("*.db*"):
        assert b"secret-check" not in file.read_bytes()
    history = json.loads(runner("history", "--format", "json").out)
    assert len(history["runs"]) == 2
    assert "secret-check" not in runner("--dry-run", "--heartbeat", monitor.url, "-c", "pass").out


@pytest.mark.parametrize("path", ["0f8b6c1e-1111-2222-3333-444455556666", "a/b?key=0f8b6c1e"])
def test_the_whole_path_is_the_secret_whatever_it_looks_like(
    runner: support.Command, monitor: Monitor, path: str
) -> None:
    origin = monitor.url.removesuffix("/ping/secret-check")
    url = f"{origin}/{path}"
    (runner.cwd / "own.yaml").write_text(f"heartbeat:\n  url: {url}\n")
    monitor.answers = [404] * 6
    told = [
        runner("--dry-run", "--heartbeat", url, "-c", "pass"),
        runner("--dry-run", "-c", "pass", env={"RUNNER_HEARTBEAT": url}),
        runner("--dry-run", "--config", "own.yaml", "-c", "pass"),
        runner("config", "show", "--config", "own.yaml"),
    ]
    assert [each.out.count(f" {origin}/***") for each in told] == [1] * 4
    told += [
        runner("--heartbeat", url, "-c", "pass"),
        runner(f"--heartbeat={url}", "-c", "pass"),
        runner("--env", f"RUNNER_HEARTBEAT={url}", "-c", "pass", env={"RUNNER_HEARTBEAT": url}),
        runner("show"), runner("show", "--format", "json", "-2"), runner("export", "--format", "json"),
    ]  # fmt: skip
    assert f"--heartbeat={origin}/***" in told[-2].out
    assert "not delivered: HTTP 404" in told[4].err
    assert not [each for each in told if "0f8b" in each.out + each.err]
    for file in runner.cwd.rglob("*.db*"):
        assert b"0f8b" not in file.read_bytes()


@pytest.mark.skipif(not os.path.exists("/proc/self/cmdline"), reason="needs /proc")
@pytest.mark.parametrize("options", [(), ("--lock", "n")])
def test_other_users_see_no_address_while_the_script_runs(
    runner: support.Command, monitor: Monitor, options: tuple[str, ...]
) -> None:
    script = runner.script("""
        import os, time
        until = time.monotonic() + 20
        line = b"secret"
        while b"secret" in line and time.monotonic() < until:
            with open(f"/proc/{os.getppid()}/cmdline", "rb") as file:
                line = file.read()
        print(line.split(b"\\0")[-3].decode())
    """)
    done = runner("--heartbeat", monitor.url, *options, script)
    assert done.out == ("n" if options else "*" * len(monitor.url)) + "\n"
    assert monitor.paths() == ["/start", ""]


def test_a_passing_failure_is_tried_again_and_a_lasting_one_is_told(runner: support.Command, monitor: Monitor) -> None:
    monitor.answers = [503, 200, 429, 200]
    done = runner("--heartbeat", monitor.url, "-c", "pass")
    assert "warning" not in done.err and monitor.paths() == ["/start", "/start", "", ""]
    monitor.pings.clear()
    monitor.answers = [404, 404]
    done = runner("--heartbeat", monitor.url, "-c", "print(1)")
    assert (done.exit_code, done.out) == (0, "1\n")
    assert done.err.count("warning: the heartbeat was not delivered: HTTP 404") == 1
    assert monitor.paths() == ["/start", ""]


def test_a_monitor_that_hangs_holds_nothing_back_for_long(runner: support.Command, monitor: Monitor) -> None:
    monitor.hang.clear()
    began = time.monotonic()
    done = runner("--heartbeat", monitor.url, "-c", "raise SystemExit(3)")
    took = time.monotonic() - began
    assert done.exit_code == 3
    assert "the heartbeat was not delivered" in done.err
    assert took < 20  # five seconds, on a machine that may be busy


@pytest.mark.parametrize("how", ["refused", "reset", "garbage"])
def test_a_monitor_that_is_down_changes_nothing(runner: support.Command, how: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/x"

        def serve() -> None:
            while True:
                try:
                    connection = server.accept()[0]
                except OSError:
                    return
                with connection:
                    if how == "garbage":
                        connection.recv(100)
                        connection.sendall(b"\0\1 not HTTP\n\n")

        thread = threading.Thread(target=serve, daemon=True)
        if how == "refused":
            server.close()
        else:
            thread.start()
        done = runner("--heartbeat", url, "-c", "print('x')")
        if how != "refused":
            server.shutdown(socket.SHUT_RDWR)
            thread.join(10)
    assert (done.exit_code, done.out) == (0, "x\n")
    assert done.err.count("warning: the heartbeat was not delivered") == 1
    quiet = runner("--suppress-warnings", "--quiet", "--heartbeat", url, "-c", "print('x')")
    assert quiet.err == ""


def test_redirects_are_followed_a_few_times_and_never_to_files(runner: support.Command, monitor: Monitor) -> None:
    target = Monitor()
    try:
        monitor.location = target.url
        assert "warning" not in runner("--heartbeat", monitor.url, "-c", "pass").err
        assert len(target.pings) == 2
    finally:
        target.close()
    monitor.pings.clear()
    monitor.location = monitor.url
    done = runner("--heartbeat", monitor.url, "-c", "pass")
    assert "the heartbeat was not delivered" in done.err and len(monitor.pings) <= 20
    monitor.location = "file:///etc/passwd"
    done = runner("--heartbeat", monitor.url, "-c", "pass")
    assert "the heartbeat was not delivered: HTTP 302" in done.err


@pytest.mark.parametrize("url", ["hc-ping.com/x", "file:///etc/passwd", "https://", "http://a b/c", "ftp://x/y"])
def test_what_is_no_address_starts_nothing(runner: support.Command, url: str) -> None:
    done = runner("--heartbeat", url, "-c", "print(1)")
    assert (done.exit_code, done.out) == (2, "")
    assert done.err.startswith("runner: error: --heartbeat")
    with pytest.raises(UsageError):
        Heartbeat(url)


def test_a_query_of_the_address_stays(runner: support.Command, monitor: Monitor) -> None:
    runner("--heartbeat", monitor.url + "/?create=1", "-c", "pass")
    assert monitor.paths() == ["/start", ""]
    assert all(UUID4.fullmatch(rid) for _, rid, _ in monitor.pings)


def test_the_script_sees_nothing_of_it(runner: support.Command, monitor: Monitor) -> None:
    probe = "import os; print(len(os.listdir('/proc/self/task')), sorted(os.listdir('/proc/self/fd')))"
    alone = runner("-c", probe).out
    assert runner("--heartbeat", monitor.url, "-c", probe).out == alone
    report = runner.cwd / "run.json"
    runner("--heartbeat", monitor.url, "--json-output", report, "-c", "import time; time.sleep(.3)")
    assert json.loads(report.read_text())["num_processes"] == 1


def test_the_api_pings_too(runner: support.Command, monitor: Monitor) -> None:
    script = runner.cwd / runner.script("raise SystemExit(1)")
    job = api.ScriptRunner(script, heartbeat=monitor.url)
    assert job.run_script()["exit_code"] == 1
    job.run_script()
    assert monitor.paths() == ["/start", "/fail"] * 2
    assert len({rid for _, rid, _ in monitor.pings}) == 2
    with pytest.raises(UsageError):
        api.ScriptRunner(script, heartbeat="nowhere")
