"""Delivery of alerts: one message a window whoever fires it, and nothing lost or doubled by a dead endpoint."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import TYPE_CHECKING

if __package__ in (None, ""):
    sys.path.insert(0, __file__.rsplit("/", 2)[0])

from benchmarks import common

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.common import Row

RUNS, RUNNERS = 1000, 20
#: Seconds of the window of the throttled alert.
WINDOW = 5.0
EVENTS = 10_000
#: Of these, as many are made by runs of the command; the others by the same code in one process.
BY_COMMAND = 40
#: Seconds that the end of a run may be held back, and what a busy machine may add to that.
BOUND, NOISE = 5.0, 0.5

RECORD = "record.db"

#: Fires an alert as often as it is told, each time with a message of its own.
MANY = """
import sys
from runner import AlertManager, HistoryManager
manager = AlertManager(HistoryManager(sys.argv[3]))
manager.configure_webhook(sys.argv[2])
manager.add_alert("broken", "exit_code != 0", "webhook", throttle_seconds=0)
for number in range(int(sys.argv[1])):
    manager.check_alerts({"exit_code": 1}, "fails.py")
"""


class Endpoint:
    """A webhook that notes the messages it takes, or is dead: refuses them, or never answers."""

    def __init__(self) -> None:
        self.came: list[str] = []
        self.answering = threading.Event()
        self.answering.set()
        self.code = 200
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if not endpoint.answering.is_set():
                    endpoint.answering.wait(60)
                    return
                if endpoint.code == 200:
                    endpoint.came.append(body["id"])
                self.send_response(endpoint.code)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 128
            daemon_threads = True

            def handle_error(self, request: object, address: object) -> None:
                pass  # who hung up does not wait for an answer

        self.server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server.server_port}/hook"

    def close(self) -> None:
        """End it."""
        self.answering.set()
        self.server.shutdown()
        self.server.server_close()


def configure(folder: Path, url: str, throttle: float) -> None:
    """Write script and configuration into an empty folder."""
    (folder / "fails.py").write_text("raise SystemExit(1)\n")
    settings = {
        "alerts": [{"name": "broken", "condition": "failed", "channels": ["webhook"], "throttle_seconds": throttle}],
        "notifications": {"webhook": {"url": url}},
    }
    (folder / "config.json").write_text(json.dumps(settings))


def command(folder: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    """Call the command in a folder, with the configuration there."""
    argv = [sys.executable, str(common.ROOT / "runner.py"), *words]
    env = {**common.environment(), "RUNNER_CONFIG": "config.json", "RUNNER_HISTORY_DB": RECORD}
    return subprocess.run(argv, cwd=folder, env=env, capture_output=True, timeout=1800)


def run_once(folder: Path) -> float:
    """Run the failing script; return the seconds that it took."""
    begin = time.monotonic()
    done = command(folder, "--quiet", "fails.py")
    if done.returncode != 1 or b"error" in done.stderr or b"Traceback" in done.stderr:
        raise RuntimeError(done.stderr.decode())
    return time.monotonic() - begin


def one_message_a_window() -> list[Row]:
    """Return what came of one throttled alert in runs that fail, many at a time."""
    folder, endpoint = common.scratch("alerts-throttled"), Endpoint()
    configure(folder, endpoint.url, WINDOW)
    begin = time.monotonic()
    with ThreadPoolExecutor(RUNNERS) as pool:
        list(pool.map(lambda _: run_once(folder), range(RUNS)))
    seconds = time.monotonic() - begin
    endpoint.close()
    with sqlite3.connect(folder / RECORD) as record:
        found = record.execute("SELECT at, outcome FROM alerts ORDER BY at").fetchall()
    told = [at for at, outcome in found if outcome == "told"]
    gaps = [(after - before) / 1e9 for before, after in pairwise(told)]
    exact = (
        len(found) == RUNS
        and sorted(set(endpoint.came)) == sorted(endpoint.came)
        and len(endpoint.came) == len(told)
        and all(gap >= WINDOW for gap in gaps)
        and (found[-1][0] - told[-1]) / 1e9 <= WINDOW  # the first firing behind a window opens the next
    )
    said = f"{len(endpoint.came)} in {seconds:.0f} s, at least {min(gaps, default=0):.2f} s apart"
    return [(f"messages of {RUNS:,} failing runs, {RUNNERS} at a time, throttled to {WINDOW:g} s", said,
             "one a window", exact)]  # fmt: skip


def nothing_lost() -> list[Row]:
    """Return what becomes of messages to an endpoint that is dead for a while."""
    found: list[Row] = []
    folder, endpoint = common.scratch("alerts-dead"), Endpoint()
    configure(folder, endpoint.url, 0)
    undisturbed = min(run_once(folder) for _ in range(3))
    before = len(endpoint.came)
    endpoint.answering.clear()
    longest = max(run_once(folder) for _ in range(3)) - undisturbed
    found.append(("the end of a run held back where the endpoint never answers", f"{longest:.2f} s", f"{BOUND:g} s",
                  longest <= BOUND + NOISE))  # fmt: skip
    endpoint.code = 503
    endpoint.answering.set()
    with ThreadPoolExecutor(4) as pool:
        longest = max(pool.map(lambda _: run_once(folder), range(BY_COMMAND))) - undisturbed
    found.append(("the same where it answers 503", f"{longest:.2f} s", f"{BOUND:g} s", longest <= BOUND + NOISE))
    argv = [sys.executable, "-c", MANY, str(EVENTS - BY_COMMAND - 3), endpoint.url, RECORD]
    env = {**common.environment(), "PYTHONPATH": str(common.ROOT / "src")}
    subprocess.run(argv, cwd=folder, env=env, check=True, timeout=1800)
    with sqlite3.connect(folder / RECORD) as record:
        waiting = record.execute("SELECT count(*) FROM outbox WHERE state = 'waiting'").fetchone()[0]
        # What was under way when its runner ended is that one's for a minute.
        record.execute("UPDATE outbox SET leased_until = 0 WHERE state = 'waiting'")
    found.append((f"of {EVENTS:,} messages to it, kept in the outbox", f"{waiting:,}", f"{EVENTS:,}",
                  waiting == EVENTS))  # fmt: skip
    endpoint.code = 200
    begin = time.monotonic()
    with ThreadPoolExecutor(2) as pool:  # two share the work
        list(pool.map(lambda _: command(folder, "alerts", "outbox", "--send"), range(2)))
    seconds = time.monotonic() - begin
    endpoint.close()
    came = Counter(endpoint.came[before:])
    twice = sum(count > 1 for count in came.values())
    found.append(("delivered when it is back, by two senders", f"{len(came):,} in {seconds:.0f} s", f"{EVENTS:,}",
                  len(came) == EVENTS))  # fmt: skip
    found.append(("delivered twice", str(twice), "0", not twice))
    return found


def rows(rounds: int) -> list[Row]:
    """Return the rows of the table."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    common.checkout_runner()
    return [*one_message_a_window(), *nothing_lost()]


if __name__ == "__main__":
    common.print_table("delivery", rows(1))
