"""A run: what was asked for, where it happened, and the attempts it took."""

from __future__ import annotations

from runner.agent.events import EXITED
from runner.model.moments import Moments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runner.model.curve import Curve
    from runner.model.failure import Failure
    from runner.model.metric import Value
    from runner.model.usual import Comparison

#: Tag of one run of several that were made to be judged together: which of them it is, or that it speaks for them all.
NUMBER_TAG = "gate_run"
#: Tag of a run of one of two revisions that are compared: which of the two.
SIDE_TAG = "gate_side"


class Tail:
    """What was kept of one output stream: its beginning, its end, and how much there was."""

    __slots__ = ("head", "lines", "moments", "size", "tail")

    def __init__(self, head: bytes = b"", tail: bytes = b"", size: int = 0, lines: int = 0) -> None:
        self.head = head  #: from the first byte on
        self.tail = tail  #: up to the last byte; empty while `head` holds everything
        self.size = size
        self.lines = lines
        self.moments = Moments()  #: when it was written, as far as that is known

    @property
    def unfinished(self) -> bool:
        """Whether the last line has no end yet: whatever follows on the same stream would continue it."""
        end = self.tail or self.head
        return bool(end) and not end.endswith(b"\n")

    def text(self) -> str:
        """Return what was kept as text, undecodable bytes replaced, with a line where something is missing."""
        head, tail = (part.decode("utf-8", "replace") for part in (self.head, self.tail))
        missing = self.size - len(self.head) - len(self.tail)
        return f"{head}\n[... {missing} bytes not kept ...]\n{tail}" if missing > 0 else head + tail


class Attempt:
    """One start of the script and what became of it."""

    def __init__(self, number: int, started: int) -> None:
        self.number = number  #: from 1 on
        self.started = started  #: nanoseconds since the epoch, UTC
        self.ended: int | None = None  #: `started` plus the monotonic wall time; None if it was lost
        self.reason: str = ""
        self.exit_code: int | None = None
        self.signal: int | None = None
        self.error_type: str | None = None  #: exception class, ``timeout``, ``limit:NAME``, ``signal:N``, ``exit:N``
        self.error_message: str | None = None
        self.limit: list[Any] | None = None  #: the limit that ended it (`Ended.limit`), until its message is made
        self.metrics: dict[str, Value] = {}
        self.kinds: dict[str, str] = {}
        self.curve: Curve | None = None
        self.merged = False  #: whether stderr went where stdout went and is counted with it
        self.output: dict[str, Tail] = {}  #: ``stdout`` and ``stderr``, as far as captured
        self.delay = 0.0  #: seconds waited before this attempt

    @property
    def success(self) -> bool:
        """Whether the script ended by itself with exit code 0."""
        return self.reason == EXITED and self.exit_code == 0


class Run:
    """One line given to the runner, with all its attempts; the last one speaks for the run."""

    def __init__(self, id: str, script_path: str, started: int) -> None:
        self.id = id
        self.script_path = script_path  #: as it was typed; ``-m module``, ``-c`` or a command's name otherwise
        self.script_key = script_path  #: what history groups by: an absolute path, or as above
        self.name = ""  #: what people call it
        self.args: list[str] = []
        self.cwd = ""
        self.user = ""
        self.started = started
        self.tags: dict[str, str] = {}
        self.host: dict[str, Any] = {}  #: facts of the machine it ran on (`Started.host`)
        self.python: str | None = None  #: interpreter, None where the script needs none
        self.python_version: str | None = None
        self.script_hash: str | None = None  #: SHA-256 of the script's file
        self.git_commit: str | None = None
        self.git_dirty: bool | None = None
        self.runner_version = ""
        self.line: list[str] = []  #: what the runner was given, secrets redacted; empty for a run of the Python API
        self.called_in = ""  #: where the runner was called, if a line called it; known of a single run only
        self.load: float | None = None  #: load average (1 minute) of the host at the start
        self.input_bytes: int | None = None  #: size of the files that arguments and standard input name; None for none
        self.packages_hash: str | None = None  #: of the distributions that the interpreter finds, None if not known
        self.packages: dict[str, str] = {}  #: those, each with its version; known of a single run only, not in lists
        self.variables: dict[str, str] = {}  #: variables that may change what it does; likewise
        self.attempts: list[Attempt] = []
        self.extra: dict[str, float] = {}  #: metrics of other names that an API user saved with the run
        self.alerts: list[dict[str, Any]] = []  #: what became of its alerts; known of runs that are read whole
        self.usual: Comparison | None = None  #: how it compares with earlier runs; known of a run that has just ended
        self.failure: Failure | None = None  #: what its error is, beyond its message; likewise

    @property
    def last(self) -> Attempt:
        """The attempt that speaks for the run."""
        return self.attempts[-1]

    @property
    def total_seconds(self) -> float:
        """Seconds from the first start to the last end, delays included."""
        ended = self.last.ended
        return 0.0 if ended is None else (ended - self.attempts[0].started) / 1e9

    def metrics(self) -> dict[str, Any]:
        """Return every collected figure of the last attempt as a flat dict that ``json.dump`` takes."""
        last = self.last
        return {
            "start_time": iso(last.started),
            "end_time": None if last.ended is None else iso(last.ended),
            "exit_code": last.exit_code,
            "success": last.success,
            "error_message": last.error_message,
            **last.metrics,
            **self.extra,
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the run as the JSON report has it."""
        last = self.last
        return {
            "run_id": self.id,
            "script_path": self.script_path,
            "script_args": self.args,
            "name": self.name,
            **self.metrics(),
            "reason": last.reason,
            "signal": last.signal,
            "error_type": last.error_type,
            "merged": last.merged,
            "attempts": len(self.attempts),
            "total_seconds": self.total_seconds,
            "attempt_history": [_attempt_dict(attempt) for attempt in self.attempts],
            "python": self.python,
            "python_version": self.python_version,
            "platform": self.host.get("platform"),
            "host": self.host,
            "user": self.user,
            "cwd": self.cwd,
            "tags": self.tags,
            "script_hash": self.script_hash,
            "git_commit": self.git_commit,
            "git_dirty": self.git_dirty,
            "runner_version": self.runner_version,
            "load": self.load,
            "input_bytes": self.input_bytes,
            "packages_hash": self.packages_hash,
            "kinds": last.kinds,
            "usual": None if self.usual is None else self.usual.to_dict(),
            "failure": None if self.failure is None else self.failure.to_dict(),
        }


def _attempt_dict(attempt: Attempt) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "delay_seconds": attempt.delay,
        "start_time": iso(attempt.started),
        "reason": attempt.reason,
        "exit_code": attempt.exit_code,
        "signal": attempt.signal,
        "error_type": attempt.error_type,
        "error_message": attempt.error_message,
        "metrics": attempt.metrics,
    }


def iso(nanoseconds: int) -> str:
    """Return an instant as ISO 8601 in local time with offset, to the microsecond."""
    from time import localtime, strftime

    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    local = localtime(seconds)
    offset = strftime("%z", local)
    return strftime("%Y-%m-%dT%H:%M:%S", local) + f".{rest // 1000:06d}{offset[:3]}:{offset[3:]}"


def label_of(name: str, path: str) -> str:
    """Return what people call a script: the name of its runs, else the file without its folders."""
    return name or path.rpartition("/")[2] or path


def fits(word: str, script: tuple[str, str, str]) -> bool:
    """Whether a word, in whatever folder it is said, names a script.

    Args:
        word: An absolute path, the end of a path, or a name.
        script: Its key, its path as it was typed, and its name.
    """
    return word in script or script[0].endswith("/" + word.removeprefix("./"))
