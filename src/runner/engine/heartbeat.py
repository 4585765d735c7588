"""Pings a monitor that waits for jobs, as healthchecks.io's protocol has it: at the start, at success, at failure.

The pings are sent by a thread of the runner beside the script, and none of them may hold up or change the run: the
start is pinged while the script runs, and the end has five seconds in all, whatever the other side does.
"""

from __future__ import annotations

import os
import threading
from time import monotonic

from runner.agent.events import FAILED_TO_START, SKIPPED
from runner.model.errors import UsageError
from runner.model.metrics import CPU_TIME, EXECUTION_TIME, MEMORY_MAX
from runner.model.redact import redact_text
from runner.model.units import format_value
from runner.options import RUN, Options, opt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.model.run import Run

#: Seconds that the end of a run is held back for its ping, at most; and a ping at the start may take.
PATIENCE = 5.0
START_PATIENCE = 60.0
#: Redirects followed, and tries of one ping.
REDIRECTS = 3
TRIES = 2
#: Bytes of output in a ping; the protocol keeps the first 100,000 of a body.
_OUTPUT = 10_000

_SCHEMES = ("http://", "https://")


class HeartbeatOptions(Options):
    """Which monitor is told of the run."""

    heartbeat: str = opt(
        "Ping this address at start, success and failure, as healthchecks.io has it", default="", metavar="URL",
        env="RUNNER_HEARTBEAT", yaml="heartbeat.url", role=RUN,
    )  # fmt: skip


class Heartbeat:
    """The pings of one run.

    Args:
        url: Address of the check; ``/start`` and ``/fail`` are put behind its path.

    Raises:
        UsageError: It is no address that can be pinged.
    """

    def __init__(self, url: str) -> None:
        stem, question, query = url.strip().partition("?")
        if not stem.lower().startswith(_SCHEMES) or not stem.partition("://")[2].strip("/"):
            raise UsageError("--heartbeat needs an address that begins with https:// or http://")
        if any(char.isspace() or not char.isprintable() for char in url.strip()):
            raise UsageError("--heartbeat: an address has no blanks or control characters in it")
        self._stem = stem.rstrip("/")
        # One id for the pings of a run tells runs apart that overlap.
        self._query = (query + "&" if question and query else "") + "rid=" + _random_uuid()
        self._start: threading.Thread | None = None
        self._problem = ""

    def begin(self) -> None:
        """Ping the start; returns at once."""
        self._start = self._send("/start", b"", START_PATIENCE)

    def end(self, run: Run) -> list[str]:
        """Ping how a run ended; return a line of trouble, or none.

        Args:
            run: The finished run; one that was skipped is none, whose holder pings for itself.
        """
        if run.last.reason == SKIPPED:
            return []
        deadline = monotonic() + PATIENCE
        if self._start is not None:
            # A start that arrives behind the end would look like another run.
            self._start.join(PATIENCE / 2)
        self._problem = ""
        sender = self._send("" if run.last.success else "/fail", body(run), deadline - monotonic())
        sender.join(max(0.0, deadline - monotonic()))
        problem = f"no answer within {PATIENCE:g} s" if sender.is_alive() else self._problem
        return [f"the heartbeat was not delivered: {problem}"] if problem else []

    def _send(self, suffix: str, data: bytes, patience: float) -> threading.Thread:
        url = f"{self._stem}{suffix}?{self._query}"
        thread = threading.Thread(target=self._try, args=(url, data, patience), daemon=True, name="heartbeat")
        thread.start()
        return thread

    def _try(self, url: str, data: bytes, patience: float) -> None:
        try:
            self._problem = _post(url, data, patience)
        except Exception as error:  # in a thread of its own nobody else would hear of it
            self._problem = type(error).__name__


def body(run: Run) -> bytes:
    """Return what a ping says of a finished run: the verdict, figures, and the last lines of output."""
    last = run.last
    error = last.error_message or last.error_type or last.reason
    verdict = "succeeded" if last.success else f"failed: {error}"
    figures = [
        f"{label} {format_value(value, metric.unit)}"
        for label, metric in (("wall", EXECUTION_TIME), ("CPU", CPU_TIME), ("peak memory", MEMORY_MAX))
        if last.reason != FAILED_TO_START and (value := last.metrics.get(metric.name)) is not None
    ]
    lines = [f"{run.name} {verdict}", f"exit code {last.exit_code}, run {run.id}", ", ".join(figures)]
    for stream, tail in last.output.items():
        kept = (tail.head + tail.tail)[-_OUTPUT:]
        if kept:
            lines += ["", f"--- end of {stream} ---", kept.decode("utf-8", "replace")]
    return redact_text("\n".join(lines)).encode("utf-8", "replace")


def _random_uuid() -> str:
    # Of version 4; the module `uuid` would load far more than sixteen random bytes.
    digits = bytearray(os.urandom(16))
    digits[6] = digits[6] & 0x0F | 0x40
    digits[8] = digits[8] & 0x3F | 0x80
    text = digits.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def _post(url: str, data: bytes, patience: float) -> str:
    """Send one ping, and once more after a passing failure; return why it was not taken, "" if it was."""
    from urllib.error import HTTPError, URLError
    from urllib.request import HTTPRedirectHandler, Request, build_opener

    class Redirects(HTTPRedirectHandler):
        max_redirections = REDIRECTS

    from runner import __version__

    opener: Callable[..., object] = build_opener(Redirects()).open
    deadline = monotonic() + patience
    problem = ""
    for _ in range(TRIES):
        left = deadline - monotonic()
        if left <= 0:
            break
        request = Request(url, data or None, {"User-Agent": f"runner/{__version__}", "Content-Type": "text/plain"})
        try:
            with opener(request, timeout=left) as answer:  # type: ignore[attr-defined]
                answer.read(100)
            return ""
        except HTTPError as error:
            problem = f"HTTP {error.code}"
            error.close()
            if 400 <= error.code < 500 and error.code not in (408, 425, 429):
                return problem  # it would say the same again
        except (URLError, OSError, ValueError) as error:
            problem = _reason(error)
        except Exception as error:  # a broken answer
            problem = type(error).__name__
    return problem or "no answer"


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", None) or error
    return getattr(reason, "strerror", None) or (str(reason) if not isinstance(reason, TimeoutError) else "timed out")
