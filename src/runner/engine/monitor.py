"""Measure a process that somebody else started, from the outside, for as long as one likes."""

from __future__ import annotations

import os
import threading
from collections import deque
from time import monotonic, time_ns

from runner.agent.events import SAMPLE_FIELDS, Ended, Sample
from runner.agent.sampler import Sampler
from runner.agent.usage import Tally
from runner.engine.run_options import MonitorOptions
from runner.model.curve import Curve
from runner.model.errors import UsageError
from runner.model.metrics import evaluate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from runner.model.metric import Value

#: Samples kept for reading back; the summary covers all of them.
KEPT_SAMPLES = 100_000
#: Seconds between two readings of the counters that the curve does without.
_USAGE_INTERVAL = 1.0
_COUNTERS = frozenset(Tally().to_dict())


class ProcessMonitor:
    """Watches a running process and everything below it, in a thread of its own.

    What it used before the monitor was started is not counted. It may end at any time; the monitor then stops by
    itself. Figures that only the parent of a process is told are missing, and what it used after the last sample too.

        with ProcessMonitor(pid) as monitor:
            time.sleep(10)
        print(monitor.summary())

    Args:
        pid: The process.
        interval: Seconds between two samples, from 0.01 up to an hour.
        memory: ``"rss"`` for resident memory, ``"pss"`` for memory shared out among its users (costly to read).

    Raises:
        UsageError: There is no such process, or a value makes no sense.
    """

    def __init__(self, pid: int, interval: float = 0.1, memory: str = "rss") -> None:
        options = MonitorOptions.checked(interval=interval, memory=memory)
        _check_exists(pid)
        self.pid = pid
        self.interval = options.interval
        self.memory = options.memory
        self.started: int | None = None  #: when `start` was called, in nanoseconds since the epoch, UTC
        self._thread: threading.Thread | None = None
        self._enough = threading.Event()
        self._lock = threading.Lock()
        self._reset()

    def _reset(self) -> None:
        self._samples: deque[Sample] = deque(maxlen=KEPT_SAMPLES)
        self._curve = Curve(self.memory)
        self._sampler = Sampler(self.pid, self.memory, frozenset(), whole=True)
        self._begin = monotonic()
        self._seconds = 0.0
        self._before: dict[str, float | None] = {}
        self._usage: dict[str, float | None] = {}
        self._usage_due = 0.0
        self._survivors = 0

    def start(self) -> Self:
        """Begin to measure; return the monitor.

        Raises:
            UsageError: The process has ended meanwhile.
            RuntimeError: The monitor is running already.
        """
        if self._thread is not None:
            raise RuntimeError("the monitor is running already")
        _check_exists(self.pid)
        self._reset()
        self.started = time_ns()
        self._sampler.attach(0.0)
        self._before, _ = self._sampler.finish(None)
        self._usage = self._before
        self._enough.clear()
        self._thread = threading.Thread(target=self._watch, name=f"ProcessMonitor({self.pid})", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Take a last sample and stop; does nothing where the monitor is not running."""
        if self._thread is not None:
            self._enough.set()
            self._thread.join()
            self._thread = None

    @property
    def running(self) -> bool:
        """Whether the monitor is measuring; False once the process has ended."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def samples(self) -> list[Sample]:
        """The samples so far, the newest `KEPT_SAMPLES`; values by `runner.agent.events.SAMPLE_FIELDS`."""
        with self._lock:
            return list(self._samples)

    def latest(self) -> dict[str, float | None]:
        """Return the newest sample by field, empty before there is one."""
        with self._lock:
            return dict(zip(SAMPLE_FIELDS, self._samples[-1].values, strict=True)) if self._samples else {}

    def summary(self) -> dict[str, Value]:
        """Return the metrics so far by their names in the catalog, those left out that can't be known from outside."""
        with self._lock:
            if self.running:
                self._read_usage()
            usage = {name: self._since_start(name, value) for name, value in self._usage.items()}
            ended = Ended(self._seconds, "", None, usage=usage, survivors=self._survivors)
            values = evaluate(ended, self._curve)
        return {name: value for name, value in values.items() if value is not None}

    def _since_start(self, name: str, value: float | None) -> float | None:
        before = self._before.get(name)
        if value is None or before is None or name not in _COUNTERS:
            return value
        return max(value - before, 0)

    def _watch(self) -> None:
        due = self.interval
        last = False
        while not last:
            last = self._enough.wait(max(self._begin + due - monotonic(), 0.0))
            now = monotonic() - self._begin
            last = not self._take(now) or last
            due = max(due + self.interval, now)
        with self._lock:
            if self._sampler.alive(self.pid):
                self._read_usage()
            self._sampler.close()

    def _take(self, now: float) -> bool:
        """Take a sample; return whether the process is still there."""
        with self._lock:
            span, values = self._sampler.take(now)
            alive = self._sampler.alive(self.pid)
            if alive:
                sample = Sample(now, span, values)
                self._samples.append(sample)
                self._curve.add(sample)
                self._seconds = now
            self._survivors = 0 if alive else len(self._sampler.survivors())
            if now >= self._usage_due or not alive:
                self._read_usage()
                self._usage_due = now + _USAGE_INTERVAL
            return alive

    def _read_usage(self) -> None:
        usage, _ = self._sampler.finish(None)
        # What has ended no longer tells all of its counters.
        self._usage = {name: _larger(self._usage.get(name), value) for name, value in usage.items()}

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _larger(one: float | None, other: float | None) -> float | None:
    known = [value for value in (one, other) if value is not None]
    return max(known) if known else None


def _check_exists(pid: int) -> None:
    try:
        if pid <= 0:
            raise ProcessLookupError
        os.kill(pid, 0)
    except PermissionError:
        pass  # another user's: it exists
    except (ProcessLookupError, OverflowError):
        raise UsageError(f"there is no process {pid} to monitor") from None
