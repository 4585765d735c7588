"""What one attempt is to start and how the agent is to treat it."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

#: Exit codes the agent itself gives (GNU timeout's and the shells' conventions).
EXIT_TIMEOUT = 124
EXIT_RUNNER = 125
EXIT_NOT_EXECUTABLE = 126
EXIT_NOT_FOUND = 127


class Job:
    """One attempt, described. Every field is plain data, so a job crosses a process boundary as JSON.

    Attributes:
        argv: The command, ``argv[0]`` included; text decoded with ``surrogateescape``.
        executable: Path of the program to execute.
        env: The script's whole environment.
        cwd: Working directory, or None for the agent's own.
        timeout: Seconds after which the whole tree is ended, or None.
        kill_after: Seconds between TERM and KILL when a tree is ended.
        kill_tree: Whether descendants that outlive the script are ended too.
        interval: Seconds between two samples.
        memory: ``"rss"``, or ``"pss"`` for memory shared out among its users (costly to read).
        direct: Hand file descriptors 1 and 2 through untouched; output is then not captured.
        stdin: Path of a file that the script reads as its standard input, or None to inherit it.
        spool: Path of a file to which the inherited standard input is copied while the script reads it, or None.
        keep_head: Bytes of each output stream whose beginning is told in `Output` events.
        keep_tail: Bytes of the newest output told at most with each tick once the head is complete.
        capture: Have output to regular files and devices come through the agent too, instead of going past it.
        max_memory: Bytes of memory, as it is sampled, above which the whole tree is ended, or None.
        max_cpu_time: Seconds of CPU time above which the whole tree is ended, or None.
        max_output: Bytes of output that are passed on; the whole tree is ended when more comes. None for no limit.
        idle_timeout: Seconds without output after which the whole tree is ended, or None.
        nice: Niceness of the script, or None for that of the agent.
        ionice: Class of the script's disk accesses, and their priority in it, such as ``"best-effort:7"``, or None for
            that of the agent (see `priority.io_priority`).
        release: Let go of pipes at descriptors 0 and 1 when the script does: no other attempt follows that needs them,
            and nothing else is written to standard output.
    """

    __slots__ = (
        "argv",
        "capture",
        "cwd",
        "direct",
        "env",
        "executable",
        "idle_timeout",
        "interval",
        "ionice",
        "keep_head",
        "keep_tail",
        "kill_after",
        "kill_tree",
        "max_cpu_time",
        "max_memory",
        "max_output",
        "memory",
        "nice",
        "release",
        "spool",
        "stdin",
        "timeout",
    )

    def __init__(
        self,
        argv: list[str],
        executable: str,
        env: dict[str, str],
        cwd: str | None = None,
        timeout: float | None = None,
        kill_after: float = 10.0,
        kill_tree: bool = False,
        interval: float = 0.1,
        memory: str = "rss",
        direct: bool = False,
        stdin: str | None = None,
        spool: str | None = None,
        keep_head: int = 8 << 20,
        keep_tail: int = 8 << 20,
        release: bool = False,
        capture: bool = False,
        max_memory: int | None = None,
        max_cpu_time: float | None = None,
        max_output: int | None = None,
        idle_timeout: float | None = None,
        nice: int | None = None,
        ionice: str | None = None,
    ) -> None:
        self.argv = argv
        self.executable = executable
        self.env = env
        self.cwd = cwd
        self.timeout = timeout
        self.kill_after = kill_after
        self.kill_tree = kill_tree
        self.interval = interval
        self.memory = memory
        self.direct = direct
        self.stdin = stdin
        self.spool = spool
        self.keep_head = keep_head
        self.keep_tail = keep_tail
        self.release = release
        self.capture = capture
        self.max_memory = max_memory
        self.max_cpu_time = max_cpu_time
        self.max_output = max_output
        self.idle_timeout = idle_timeout
        self.nice = nice
        self.ionice = ionice

    @property
    def limited(self) -> bool:
        """Whether there is a limit, other than that of time, to be watched while the script runs."""
        return (self.max_memory, self.max_cpu_time, self.max_output, self.idle_timeout) != (None,) * 4

    def to_dict(self) -> dict[str, Any]:
        """Return the job as data that JSON can carry."""
        return {name: _each_text(getattr(self, name), _to_wire) for name in self.__slots__}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Job:
        """Build a job from what `to_dict` returned."""
        return cls(**{name: _each_text(value, _from_wire) for name, value in data.items()})


# Text of a process is bytes, decoded by its locale's encoding: that of the other process may be another.


def _to_wire(text: str) -> str:
    return os.fsencode(text).decode("utf-8", "surrogateescape")


def _from_wire(text: str) -> str:
    return os.fsdecode(text.encode("utf-8", "surrogateescape"))


def _each_text(value: Any, convert: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return convert(value)
    if isinstance(value, list):
        return [convert(item) for item in value]
    if isinstance(value, dict):
        return {convert(key): convert(item) for key, item in value.items()}
    return value
