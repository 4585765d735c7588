"""Judges alerts while the script runs, in a thread beside it that is handed the facts once a second."""

from __future__ import annotations

import threading
from copy import copy
from queue import SimpleQueue

from runner.agent.events import Ended, Started
from runner.engine.condition_facts import live_facts
from runner.model.fold import Fold
from runner.model.metrics import BY_NAME
from runner.model.run import Attempt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from runner.agent.events import Event
    from runner.engine.alert_outcome import Fired
    from runner.engine.alerting import Alerting
    from runner.engine.execution import Execution
    from runner.model.run import Run

#: Seconds between two looks.
LOOK = 1.0
#: Seconds that sending during the run may still take once the script has ended.
GRACE = 2.0


class AlertWatch:
    """Looks on while a script runs; it takes the place of what looked on before, and passes everything on to that.

    Args:
        execution: Carries the run.
        alerting: Its alerts.
        said: Told, in a thread beside the script, what has just become of alerts.
    """

    def __init__(self, execution: Execution, alerting: Alerting, said: Callable[[list[Fired]], None]) -> None:
        self._execution = execution
        self._alerting = alerting
        self._said = said
        self._before = execution.watch
        self._fold = Fold(1)
        self._output = any(rule.when != "after" and alerting.condition(rule).needs_output for rule in alerting.rules)
        self._next = LOOK
        self._queue: SimpleQueue[tuple[Run, dict[str, Any]] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._busy = False
        execution.watch = self.tell

    def tell(self, event: Event, number: int) -> None:
        """Take one event of the attempt of that number; costs next to nothing, but once a second."""
        if self._before is not None:
            self._before(event, number)
        if isinstance(event, Started) or number != self._fold.attempt.number:
            self._fold = Fold(number, self._execution.job.memory)
            self._next = LOOK
        if isinstance(event, Ended):
            return
        self._fold.tell(event)
        if event.t < self._next or self._busy:
            return
        self._next = event.t + LOOK
        run = self._execution.run
        if run is None:
            return
        facts = live_facts(run, self._fold, event.t, self._output)
        self._busy = True
        self._queue.put((self._snapshot(run, facts), facts))
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, daemon=True, name="alerts")
            self._thread.start()

    def _snapshot(self, run: Run, facts: dict[str, Any]) -> Run:
        """Return the run as it is now: what runs is its last attempt, which has no end yet."""
        now = copy(run)
        attempt = Attempt(self._fold.attempt.number, self._fold.attempt.started)
        attempt.metrics = {name: facts[name] for name in BY_NAME if facts.get(name) is not None}
        attempt.curve = self._fold.curve
        attempt.output = {stream: copy(tail) for stream, tail in self._fold.attempt.output.items()}
        attempt.merged = self._fold.attempt.merged
        now.attempts = [*run.attempts, attempt]
        return now

    def _work(self) -> None:
        while (look := self._queue.get()) is not None:
            try:
                found = self._alerting.judge(look[0], look[1])
                if found:
                    self._said(found)
                    self._alerting.send(during=True)
            except Exception as error:  # in a thread of its own nobody else would hear of it
                self._alerting.warnings.append(f"alerts during the run: {type(error).__name__}: {error}")
            self._busy = False

    def end(self) -> bool:
        """Stop looking; return whether the thread has come to its end."""
        if self._thread is None:
            return True
        self._busy = True  # what comes now is judged when the run has ended
        self._alerting.hurry(GRACE)
        self._queue.put(None)
        self._thread.join(GRACE + 0.5)
        return not self._thread.is_alive()
