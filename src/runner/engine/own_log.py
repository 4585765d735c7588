"""The runner's own log: events of a run, to standard error, a file, syslog, the journal, or a program's `logging`.

A log that can't be written is said once, and changes nothing else.
"""

from __future__ import annotations

import os
from time import time_ns

from runner.agent.events import Started, dumps
from runner.engine.own_log_options import JSON
from runner.engine.own_log_sinks import FileSink, HeldSink, JournalSink, Sink, StreamSink, SyslogSink, logfmt
from runner.model.alert_state import TOLD
from runner.model.metrics import CPU_TIME, EXECUTION_TIME, MEMORY_MAX
from runner.model.notification import CRITICAL, WARNING
from runner.model.redact import redact_arguments
from runner.model.run import iso, label_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from runner.agent.events import Event
    from runner.engine.execution import Execution
    from runner.engine.own_log_options import OwnLogOptions
    from runner.model.judgement import Judgement
    from runner.model.run import Attempt, Run

#: Levels, the least serious first.
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")

#: Level of an alert that is told, by its severity.
_SERIOUS = {CRITICAL: "ERROR", WARNING: "WARNING"}
#: Figures that events carry.
_FIGURES = (EXECUTION_TIME, CPU_TIME, MEMORY_MAX)


class OwnLog:
    """Writes events down.

    Args:
        sinks: Where to.
        level: The least serious that is written.

    Attributes:
        speaks: Whether standard error gets events, in place of what is written there for people.
        trouble: Lines about sinks that failed, each told once.
    """

    def __init__(self, sinks: Sequence[Sink], level: str = "INFO") -> None:
        self.sinks = list(sinks)
        self.level = LEVELS.index(level)
        self.speaks = any(isinstance(sink, StreamSink) for sink in sinks)
        self.trouble: list[str] = []
        self._run: Run | None = None

    @classmethod
    def made_of(cls, options: OwnLogOptions, level: str, quiet: bool = False) -> OwnLog:
        """Return the log that options ask for.

        Args:
            options: The options.
            level: The least serious that is written.
            quiet: Whether standard error gets no events, if they go anywhere else.

        Raises:
            UsageError: Its file is a record of runs.
        """
        sinks: list[Sink] = []
        form: Callable[[dict[str, Any]], str] = dumps if options.log_format == JSON else logfmt
        elsewhere = bool(options.log_file) or options.log_syslog or options.log_journald
        if options.log_format == JSON and not (quiet and elsewhere):
            sinks.append(StreamSink(2, form))
        elif level == "DEBUG" and not quiet:
            sinks.append(HeldSink())
        if options.log_file:
            from runner.exporters.files import check_spares_records

            path = os.path.expanduser(options.log_file)
            check_spares_records(path, "--log-file")
            sinks.append(FileSink(path, form, options.log_max_size, options.log_keep))
        if options.log_syslog:
            sinks.append(SyslogSink())
        if options.log_journald:
            sinks.append(JournalSink())
        return cls(sinks, level)

    def follow(self, execution: Execution) -> None:
        """Write down what happens in a run, from its start on."""
        before = execution.watch

        def watch(event: Event, number: int) -> None:
            if before is not None:
                before(event, number)
            if isinstance(event, Started):
                self._begin(execution.run, number)
                if not self.level:
                    from shlex import join

                    job = execution.job
                    self.event("process.start", "DEBUG", attempt=number, pid=event.pid, executable=job.executable,
                               command=join(redact_arguments(job.argv)), **event.streams)  # fmt: skip

        execution.watch = watch

    def _begin(self, run: Run | None, number: int) -> None:
        if run is None:
            return
        self._run = run
        if number == 1:
            self.event("run.start", "INFO", script=label_of(run.name, run.script_path), args=run.args, cwd=run.cwd,
                       user=run.user, host=run.host.get("hostname"))  # fmt: skip
            return
        self._end_of(run.attempts[-1])
        self.event("attempt.start", "INFO", attempt=number)

    def _end_of(self, attempt: Attempt) -> None:
        level = "INFO" if attempt.success else "WARNING"
        self.event("attempt.end", level, attempt=attempt.number, **_outcome(attempt))

    def end(self, run: Run, judgement: Judgement | None = None) -> None:
        """Write down how a run ended, and what was judged of it."""
        self._run = run
        if len(run.attempts) > 1:
            self._end_of(run.last)
        level = "INFO" if run.last.success else "ERROR"
        self.event("run.end", level, script=label_of(run.name, run.script_path), attempts=len(run.attempts),
                   total_seconds=run.total_seconds, **_outcome(run.last))  # fmt: skip
        for gate in judgement.gates if judgement is not None else ():
            level = "INFO" if gate.passed else "ERROR"
            self.event("gate", level, passed=gate.passed, gate=gate.gate, text=gate.text)

    def alerts(self, fired: Iterable[Mapping[str, Any]]) -> None:
        """Write down what became of alerts (see `AlertManager.check_alerts`)."""
        for each in fired:
            level = _SERIOUS.get(each["severity"], "INFO") if each["outcome"] == TOLD else "INFO"
            facts = {key: value for key, value in each.items() if key != "name"}
            self.event("alert", level, alert=each["name"], **facts)

    def details(self, name: str, each: Iterable[Mapping[str, Any]]) -> None:
        """Write down what only helps to find a mistake, an event for each."""
        for facts in each:
            self.event(name, "DEBUG", **facts)

    def held(self) -> list[str]:
        """Return what is to be said below the summary, and forget it."""
        lines: list[str] = []
        for sink in self.sinks:
            if isinstance(sink, HeldSink):
                lines, sink.lines = sink.lines, []
        return lines

    def warning(self, text: str) -> None:
        """Write down trouble that did not touch the script."""
        self.event("warning", "WARNING", text=text)

    def event(self, name: str, level: str, **facts: Any) -> None:
        """Write down an event.

        Args:
            name: What happened, such as ``run.end``.
            level: How serious it is, of `LEVELS`.
            facts: What is known of it: plain data, redacted.
        """
        if LEVELS.index(level) < self.level:
            return
        run_id = None if self._run is None else self._run.id
        data = {"time": iso(time_ns()), "level": level, "event": name, "run_id": run_id}
        data.update((key, value) for key, value in facts.items() if value is not None)
        for sink in self.sinks:
            try:
                sink.write(data)
            except OSError as error:
                self.sinks.remove(sink)
                self.trouble.append(f"the log {sink.place} can't be written: {error.strerror or error}")


def log_of_program() -> OwnLog | None:
    """Return a log by the `logging` of the program that calls, named ``runner``; None if it does not use it."""
    import sys

    if "logging" not in sys.modules:
        return None
    from runner.engine.own_log_sinks import LoggingSink

    return OwnLog([LoggingSink()], "DEBUG")


def _outcome(attempt: Attempt) -> dict[str, Any]:
    figures = {metric.name: attempt.metrics.get(metric.name) for metric in _FIGURES}
    return {
        "reason": attempt.reason,
        "success": attempt.success,
        "exit_code": attempt.exit_code,
        "signal": attempt.signal,
        "error_type": attempt.error_type,
        "error_message": attempt.error_message,
        **figures,
    }
