"""Folds the events of one attempt into its record: the one place where counters become figures."""

from __future__ import annotations

from runner.agent.events import LOST, SAMPLE_FIELDS, USAGE_FIELDS, Ended, Output, Sample, Started
from runner.model import metrics
from runner.model.curve import Curve
from runner.model.metric import BOUND
from runner.model.moments import MOST
from runner.model.run import Attempt, Tail

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.agent.events import Event
    from runner.model.metric import Value

#: Bytes of each output stream kept with the run: as many from its beginning as from its end.
KEPT = 64 << 10


class Fold:
    """Takes the events of one attempt, in order; what is known so far can be read at any time.

    Args:
        number: Of the attempt, from 1 on.
        memory: Which memory is sampled, ``"rss"`` or ``"pss"``.
    """

    def __init__(self, number: int, memory: str = "rss") -> None:
        self.attempt = Attempt(number, 0)
        self.attempt.curve = self.curve = Curve(memory)
        self.started: Started | None = None
        self._last = 0.0
        self._next: dict[str, int] = {}

    def tell(self, event: Event) -> None:
        """Take one event."""
        self._last = max(self._last, event.t)
        if isinstance(event, Sample):
            self.curve.add(event)
        elif isinstance(event, Output):
            self._keep(event)
        elif isinstance(event, Started):
            self.started = event
            self.attempt.started = event.time
            self.attempt.merged = bool(event.streams.get("merged"))
        elif isinstance(event, Ended):
            self._end(event)

    def _keep(self, event: Output) -> None:
        tail = self.attempt.output.setdefault(event.stream, Tail())
        tail.size, tail.lines = event.size, event.lines
        tail.moments.add(event.offset, event.t)
        if len(tail.moments) > 4 * MOST:
            tail.moments.prune(event.offset + len(event.data), KEPT, KEPT)
        data, offset = event.data, event.offset
        if offset == len(tail.head) and offset < KEPT:
            fits = data[: KEPT - offset]
            tail.head += fits
            data, offset = data[len(fits) :], offset + len(fits)
        if data:
            whole = offset == self._next.get(event.stream, KEPT)  # otherwise what lies between was not kept
            tail.tail = (tail.tail + data if whole else data)[-KEPT:]
        self._next[event.stream] = offset + len(data)

    def _end(self, ended: Ended) -> None:
        attempt = self.attempt
        attempt.ended = attempt.started + int(ended.t * 1e9)
        attempt.reason = ended.reason
        attempt.exit_code = ended.exit_code
        attempt.signal = ended.signal
        attempt.error_message = ended.message
        attempt.limit = ended.limit
        attempt.merged = bool(ended.output.get("merged"))
        attempt.metrics = metrics.evaluate(ended, self.curve)
        attempt.kinds = metrics.kinds(attempt.metrics, ended.weaker)

    def lose(self) -> Attempt:
        """Close the record of an attempt whose end nobody saw: what was measured becomes lower bounds."""
        self._end(self._without_end(self._last))
        self.attempt.kinds = dict.fromkeys(self.attempt.kinds, BOUND)
        return self.attempt

    def so_far(self, t: float) -> dict[str, Value]:
        """Return the figures of an attempt that still runs, None for those that only its end tells.

        Args:
            t: Seconds since its start.
        """
        return metrics.evaluate(self._without_end(t), self.curve)

    def _without_end(self, t: float) -> Ended:
        """Return what samples and output alone tell of an attempt, as its end."""
        usage = {field: self.curve.maximum(field) for field in USAGE_FIELDS if field in SAMPLE_FIELDS}
        output = {
            name: [tail.size, tail.lines] if (tail := self.attempt.output.get(name)) else None
            for name in ("stdout", "stderr")
        }
        return Ended(t, LOST, None, usage=usage, output={**output, "merged": self.attempt.merged})
