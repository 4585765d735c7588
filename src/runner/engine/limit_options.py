"""Options that keep a run within limits: of resources, of priority, and of other runs at the same time."""

from __future__ import annotations

from runner.model.errors import UsageError
from runner.options import RUN, Options, opt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.agent.job import Job

#: What becomes of a run whose lock another one has.
SKIP, WAIT, FAIL = "skip", "wait", "fail"


class LimitOptions(Options):
    """What the script may use, and how it stands back where others want the same."""

    max_memory: int | None = opt(
        "End the whole process tree when its memory, as sampled, exceeds this, such as 2GB", unit="bytes", minimum=1,
        metavar="SIZE", env="RUNNER_MAX_MEMORY", yaml="limits.max_memory", role=RUN,
    )  # fmt: skip
    max_cpu_time: float | None = opt(
        "End the tree when it has used more CPU time than this, such as 10m", unit="seconds", minimum=0.001,
        metavar="SECONDS", env="RUNNER_MAX_CPU_TIME", yaml="limits.max_cpu_time", role=RUN,
    )  # fmt: skip
    max_output: int | None = opt(
        "Pass on no more output than this, and end the tree when more comes; such as 100MB", unit="bytes", minimum=1,
        metavar="SIZE", env="RUNNER_MAX_OUTPUT", yaml="limits.max_output", role=RUN,
    )  # fmt: skip
    idle_timeout: float | None = opt(
        "End the tree when it has written nothing for this long, such as 5m", unit="seconds", minimum=0.001,
        metavar="SECONDS", env="RUNNER_IDLE_TIMEOUT", yaml="limits.idle_timeout", role=RUN,
    )  # fmt: skip
    nice: int | None = opt(
        "Niceness of the script, from 19 (stands back) to -20", minimum=-20, maximum=19, metavar="N",
        env="RUNNER_NICE", yaml="limits.nice", role=RUN,
    )  # fmt: skip
    ionice: str = opt(
        "Class of its disk accesses: idle, best-effort[:0-7] or realtime[:0-7]", default="", metavar="CLASS",
        env="RUNNER_IONICE", yaml="limits.ionice", role=RUN,
    )  # fmt: skip

    def check(self, direct: bool = False) -> None:
        """Refuse what can't be done here.

        Args:
            direct: Whether output is handed through untouched.

        Raises:
            UsageError: A value makes no sense, or the system has no such thing.
        """
        if direct:
            for attr in ("max_output", "idle_timeout"):
                if getattr(self, attr) is not None:
                    raise UsageError(f"{_named(self, attr)}: with --direct no output passes through the runner")
        if self.ionice:
            from runner.agent.priority import has_io_priority, io_priority

            try:
                io_priority(self.ionice)
            except ValueError as error:
                raise UsageError(f"{_named(self, 'ionice')}: {error}") from None
            if not has_io_priority():
                raise UsageError(f"{_named(self, 'ionice')}: this system has no priorities of disk accesses")

    def apply(self, job: Job) -> None:
        """Have a job keep within the limits."""
        for attr in self.declared:
            setattr(job, attr, getattr(self, attr) or None if attr == "ionice" else getattr(self, attr))


class LockOptions(Options):
    """Which runs must not run at the same time."""

    lock: str | None = opt(
        "Hold this lock while it runs; wait for it if another run has it (a name, or a path)", metavar="NAME",
        yaml="lock.name", role=RUN,
    )  # fmt: skip
    no_overlap: str | None = opt(
        "If the lock, or without --lock the script itself, is in use: skip this run, wait, or fail",
        choices=(SKIP, WAIT, FAIL), yaml="lock.no_overlap", role=RUN,
    )  # fmt: skip
    lock_timeout: float | None = opt(
        "Wait for the lock no longer than this, then fail, or skip if --no-overlap says so", unit="seconds", minimum=0,
        metavar="SECONDS", yaml="lock.timeout", role=RUN,
    )  # fmt: skip

    def check(self) -> None:
        """Refuse what would be no lock: an empty name, as of a variable that is not set, would protect nothing.

        Raises:
            UsageError: A value makes no sense.
        """
        if self.lock is not None and not self.lock.strip():
            raise UsageError(f"{_named(self, 'lock')}: a lock needs a name, and this one is empty")
        if self.lock_timeout is not None and self.lock is None and self.no_overlap is None:
            raise UsageError("--lock-timeout: there is no lock to wait for; name one with --lock, or add --no-overlap")

    def patience(self) -> float | None:
        """Return the seconds to wait for the lock, None for as long as it takes."""
        if self.lock_timeout is not None:
            return self.lock_timeout
        return 0.0 if self.no_overlap in (SKIP, FAIL) else None


def _named(options: Options, attr: str) -> str:
    """Return what set a field, to begin a message with."""
    return options.source(attr).partition(" ")[2] if options.rank(attr) != 3 else options.declared[attr].label
