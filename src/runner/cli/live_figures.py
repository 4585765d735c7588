"""The figures of a running script as a line or a panel shows them: now, lately, and since its start."""

from __future__ import annotations

from runner.agent.events import SAMPLE_FIELDS, Sample, Started

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import deque

    from runner.agent.events import Event
    from runner.engine.estimate import Durations
else:
    from _collections import deque

_CPU_SECONDS = SAMPLE_FIELDS.index("cpu_seconds")
_CPU = SAMPLE_FIELDS.index("cpu_percent")
_MEMORY = SAMPLE_FIELDS.index("memory_bytes")
_PROCESSES = SAMPLE_FIELDS.index("processes")
_READ = SAMPLE_FIELDS.index("read_chars")
_WRITE = SAMPLE_FIELDS.index("write_chars")
#: Seconds over which CPU is averaged: what a tenth of a second tells is too jumpy to read.
_LATELY = 1.0


class Trail:
    """Values since the start, in a bounded number of places: of those that share one the highest counts.

    Args:
        places: Places at most; an even number.
    """

    def __init__(self, places: int) -> None:
        self.ends: list[float] = []  #: seconds at which each place ends
        self.values: list[float] = []
        self._places = places
        self._share = 1
        self._open = 0

    def add(self, t: float, value: float) -> None:
        """Take one more value, later than all before."""
        if self._open and self._open < self._share:
            self._open += 1
            self.ends[-1] = t
            self.values[-1] = max(self.values[-1], value)
            return
        if len(self.values) >= self._places:
            self.ends = self.ends[1::2]
            self.values = [max(pair) for pair in zip(self.values[::2], self.values[1::2], strict=True)]
            self._share *= 2
        self.ends.append(t)
        self.values.append(value)
        self._open = 1


class Figures:
    """What is known of the running attempt.

    Args:
        places: How finely the past is kept.

    Attributes:
        attempt: Its number.
        cpu: Percent of a core, over about the last second; None while unknown.
        memory: Bytes now, or None.
        processes: How many now, or None.
        cpu_trail: CPU since its start.
        memory_trail: Memory since its start.
        io_trail: Bytes a second passed through read and write calls since its start.
        durations: Asked how long comparable runs took, or None.
        notice: A few words that came up meanwhile, or "".
    """

    def __init__(self, places: int = 64) -> None:
        self._places = places
        self.durations: Durations | None = None
        self.notice = ""
        self._begin(1)

    def _begin(self, attempt: int) -> None:
        self.attempt = attempt
        self.cpu: float | None = None
        self.memory: float | None = None
        self.processes: float | None = None
        self.cpu_trail = Trail(self._places)
        self.memory_trail = Trail(self._places)
        self.io_trail = Trail(self._places)
        self._late: deque[Sample] = deque()

    def tell(self, event: Event, number: int) -> None:
        """Take one event of the attempt of that number."""
        if isinstance(event, Started):
            self._begin(number)
        elif isinstance(event, Sample):
            self._take(event)

    def _take(self, sample: Sample) -> None:
        values = sample.values
        before = self._late[-1] if self._late else None
        self._late.append(sample)
        while sample.t - self._late[0].t > _LATELY and len(self._late) > 2:
            self._late.popleft()
        self.cpu = self._rate((_CPU_SECONDS,), self._late[0])
        self.cpu = values[_CPU] if self.cpu is None else self.cpu * 100
        self.memory, self.processes = values[_MEMORY], values[_PROCESSES]
        cpu = values[_CPU]
        if cpu is not None:
            self.cpu_trail.add(sample.t, cpu)
        if self.memory is not None:
            self.memory_trail.add(sample.t, self.memory)
        flow = None if before is None else self._rate((_READ, _WRITE), before)
        if flow is not None:
            self.io_trail.add(sample.t, flow)

    def _rate(self, fields: tuple[int, ...], since: Sample) -> float | None:
        """Return how fast the sum of counters rises, a second; None where that is not known."""
        now = self._late[-1]
        if now.t <= since.t:
            return None
        rise = 0.0
        for field in fields:
            before, after = since.values[field], now.values[field]
            if before is None or after is None:
                return None
            rise += max(0.0, after - before)
        return rise / (now.t - since.t)

    def remaining(self, elapsed: float) -> tuple[float, float, float] | None:
        """Return how many seconds are left, lower, middle and upper estimate; None where nothing honest can be said."""
        values = self.durations.read() if self.durations is not None else []
        if not values:
            return None
        from runner.analysis.usual import remaining

        return remaining(values, elapsed)
