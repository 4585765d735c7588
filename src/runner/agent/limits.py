"""Judge whether a running script keeps within its limits: memory, CPU time, output, and time without output."""

from __future__ import annotations

import os
from time import monotonic, thread_time

from runner.agent.channels import CLOSED, DIRECT
from runner.agent.events import SAMPLE_FIELDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Mapping, Sequence, Tuple

    from runner.agent.carry import Carrier
    from runner.agent.handed import HandedFile
    from runner.agent.job import Job
    from runner.agent.sampler import Sampler

    #: Which limit, what it allows, and with what it was reached.
    Reached = Tuple[str, float, float]

# Which limit was reached (`Ended.limit`).
MEMORY = "memory"
CPU_TIME = "cpu-time"
OUTPUT = "output"
IDLE = "idle"
NAMES = (MEMORY, CPU_TIME, OUTPUT, IDLE)

#: Seconds between two looks: at most, however seldom samples are taken; at least, however close a limit is.
_LONGEST = 1.0
_SHORTEST = 0.01
#: A look is followed by a pause of this many times its length, so that looking takes at most 5 % of a core.
_SHARE = 20
#: Bytes a second that a script may begin to fill at any moment: memory, and a file.
_FAST = float(2 << 30)
#: How far memory may grow, in parts of itself and in bytes, in the time in which a script is to end because of it.
_GROWTH = 0.25
_LEEWAY = 256 << 20

_MEMORY_NOW = SAMPLE_FIELDS.index("memory_bytes")
_MEMORY_PEAK = SAMPLE_FIELDS.index("memory_peak_bytes")


class Allowance:
    """How many bytes of output may still be passed on, all streams together.

    Attributes:
        granted: Bytes so far.
        left: Bytes that may still be passed on.
        exceeded: Whether more came than may be passed on.
    """

    __slots__ = ("exceeded", "granted", "left")

    def __init__(self, size: int) -> None:
        self.granted = 0
        self.left = size
        self.exceeded = False

    def grant(self, data: bytes) -> bytes:
        """Return as much of the data as may be passed on."""
        if len(data) > self.left:
            self.exceeded = True
            data = data[: self.left]
        self.granted += len(data)
        self.left -= len(data)
        return data


class _Level:
    """A quantity that must not rise above a limit, and how soon it may.

    Args:
        name: Which limit.
        allowed: The highest value allowed.
        fastest: By how much it may rise in a second though it has not risen of late.
        now: Monotonic time.
    """

    def __init__(self, name: str, allowed: float, fastest: float, now: float) -> None:
        self.name = name
        self.allowed = allowed
        self._fastest = fastest
        self._value = 0.0
        self._at = now
        self._rate = 0.0

    def note(self, value: float, now: float) -> bool:
        """Take the value of now; return whether it is above the limit."""
        if now > self._at:
            self._rate = (value - self._value) / (now - self._at)
        self._value, self._at = value, now
        return value > self.allowed

    def pause(self) -> float:
        """Return the seconds in which the limit can't be reached, as far as can be told."""
        return (self.allowed - self._value) / max(2 * self._rate, self._fastest)


class Limits:
    """Looks at a tree as often as its limits call for, and says which was reached.

    Memory is what is sampled: a burst between two looks goes unseen. The closer the tree is to a limit and the faster
    it moves towards it, the sooner the next look.

    Args:
        job: What is allowed.
        now: When the script was started, by the monotonic clock.
        sampler: Reads the tree.
        carriers: Output that is passed on, cut off at the limit.
        files: Output that the script writes past us; its size is looked at.

    Attributes:
        due: Monotonic time of the next look.
        runs_away: Whether memory grows beyond its limit so far that there is no time to ask the script to end.
        reached: The limit that was reached, what it allows, and the value it was reached with; None so far.
    """

    def __init__(
        self, job: Job, now: float, sampler: Sampler, carriers: Sequence[Carrier], files: Sequence[HandedFile]
    ) -> None:
        self.reached: Reached | None = None
        self.runs_away = False
        self._sampler = sampler
        self._carriers = carriers
        self._files = files
        self._idle_timeout = job.idle_timeout
        self._moved = now
        self._traces: list[object] = []
        self._peak = 0.0
        self._memory_then = 0.0
        self._memory = self._cpu = self._written = None
        self._allowance: Allowance | None = None
        if job.max_memory is not None:
            self._memory = _Level(MEMORY, job.max_memory, _FAST, now)
        if job.max_cpu_time is not None:
            self._cpu = _Level(CPU_TIME, job.max_cpu_time, os.cpu_count() or 1, now)
        if job.max_output is not None:
            self._written = _Level(OUTPUT, job.max_output, _FAST if files else 0.0, now)
            self._allowance = Allowance(job.max_output)
            for carrier in carriers:
                carrier.allowance = self._allowance
        self.due = now + self._pause(now, 0.0)

    def overflowed(self) -> bool:
        """Whether output had to be cut off: its limit is reached, whatever else is still to be looked at."""
        if self._written is None or self._allowance is None or not self._allowance.exceeded:
            return False
        self._reach(self._written, self._size())
        return True

    def tick(self, now: float, values: list[float | None]) -> None:
        """Judge a sample that was just taken, and add to it what was seen since the one before.

        Args:
            now: Monotonic time.
            values: By `events.SAMPLE_FIELDS`; the peak of memory may be raised.
        """
        begun = thread_time()
        peak = values[_MEMORY_PEAK]
        if peak is not None:
            values[_MEMORY_PEAK] = max(peak, self._peak)
        self._peak = 0.0
        self._judge(now, values[_MEMORY_NOW], begun)

    def look(self) -> None:
        """Look at the tree between two samples."""
        begun = thread_time()
        now = monotonic()
        memory = None
        if self._memory is not None or self._cpu is not None:
            values = self._sampler.look(now)
            if values is not None:
                memory = values[_MEMORY_NOW]
                self._peak = max(self._peak, values[_MEMORY_PEAK] or 0.0)
        self._judge(now, memory, begun)

    def _judge(self, now: float, memory: float | None, begun: float) -> None:
        if self._memory is not None and memory is not None and self._memory.note(memory, now):
            if self.reached is not None:
                held = max(self._memory.allowed, self._memory_then)
                self.runs_away = memory > held + max(held * _GROWTH, _LEEWAY)
            else:
                self._memory_then = memory
            self._reach(self._memory, memory)
        if self._cpu is not None:
            used = self._sampler.cpu_seconds()
            if self._cpu.note(used, now):
                self._reach(self._cpu, used)
        if self._written is not None:
            size = self._size()
            if self._written.note(size, now):
                self._reach(self._written, size)
        if self._idle_timeout is not None and self._idle(now) >= self._idle_timeout:
            self.reached = self.reached or (IDLE, self._idle_timeout, self._idle(now))
        self.due = now + self._pause(now, thread_time() - begun)

    def _size(self) -> float:
        """Return the bytes that have reached the output."""
        return sum(file.written() for file in self._files) + (self._allowance.granted if self._allowance else 0)

    def _reach(self, level: _Level, value: float) -> None:
        self.reached = self.reached or (level.name, level.allowed, value)

    def _idle(self, now: float) -> float:
        """Return the seconds for which nothing was written; while a reader does not take what was, none pass."""
        traces: list[object] = [file.trace() for file in self._files]
        traces += [carrier.carried for carrier in self._carriers]
        if traces != self._traces or any(carrier.pending for carrier in self._carriers):
            self._traces = traces
            self._moved = now
        return now - self._moved

    def wake(self) -> None:
        """Count no time of idleness that has passed while everything was stopped."""
        self._moved = monotonic()

    def _pause(self, now: float, took: float) -> float:
        pause = _LONGEST
        for level in (self._memory, self._cpu, self._written):
            if level is not None and (level is not self._written or self._files):
                pause = min(pause, level.pause())
        if self._idle_timeout is not None:
            pause = min(pause, self._idle_timeout / 10, self._moved + self._idle_timeout - now)
        return max(pause, _SHORTEST, took * _SHARE)


def unseen(job: Job, streams: Mapping[str, object]) -> str:
    """Return why output of a job can't be watched as its limits ask for, or "".

    Args:
        job: What is asked for.
        streams: Where output goes (`Started.streams`).
    """
    if job.max_output is None and job.idle_timeout is None:
        return ""
    kinds = [streams["stdout"], streams["stderr"]]
    if job.direct:
        return "output that is handed through untouched can't be watched for a limit"
    if DIRECT in kinds:
        name = "stdout" if kinds[0] == DIRECT else "stderr"
        return f"{name} is a device whose output can't be watched for a limit"
    if job.idle_timeout is not None and kinds == [CLOSED, CLOSED]:
        return "both stdout and stderr are closed: there is no output to wait for"
    return ""
