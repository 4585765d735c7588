"""Judges for a monitor whether a script ran lately, succeeded, and kept within bounds."""

from __future__ import annotations

from runner.engine.live import is_of, running
from runner.model.metrics import EXECUTION_TIME, MEMORY_MAX
from runner.model.run import iso
from runner.model.units import format_seconds, format_value
from runner.options import Options, opt
from runner.stores.base import SUCCESS, RunFilter, script_label

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runner.engine.history import HistoryManager
    from runner.engine.live import LiveRun
    from runner.model.run import Run

#: States in the order of the exit codes that monitors of Nagios' kind know.
OK, WARNING, CRITICAL, UNKNOWN = "OK", "WARNING", "CRITICAL", "UNKNOWN"
STATES = (OK, WARNING, CRITICAL, UNKNOWN)

_MB = 1 << 20


class CheckOptions(Options):
    """What is expected of a script."""

    script: str = opt("Script that is asked about: a path, a file name, or the name of its runs", default="",
                      metavar="SCRIPT", positional=True)  # fmt: skip
    max_age: float | None = opt(
        "Critical if the last success ended longer ago: 26h", flag="--check-max-age", unit="seconds", minimum=0,
        metavar="TIME",
    )  # fmt: skip
    max_duration: float | None = opt(
        "A warning if the last run took longer, or one that is running takes longer", flag="--check-max-duration",
        unit="seconds", minimum=0, metavar="TIME",
    )  # fmt: skip
    max_memory: int | None = opt(
        "A warning if the last run needed more at its peak: 2GB", flag="--check-max-memory", unit="bytes", minimum=0,
        metavar="SIZE",
    )  # fmt: skip


class Verdict:
    """What a monitor is told.

    Attributes:
        state: One of `STATES`.
        text: One line that says why.
        figures: What the monitor may draw: name, value, unit (``s``, ``B``), where it is a warning, where critical.
        last: The last run that has ended, or None.
        running: Runs of the script that are running now.
    """

    def __init__(self, state: str, text: str, last: Run | None = None, running: int = 0) -> None:
        self.state = state
        self.text = text
        self.figures: list[tuple[str, float, str, float | None, float | None]] = []
        self.last = last
        self.running = running

    @property
    def exit_code(self) -> int:
        """0, 1, 2 or 3."""
        return STATES.index(self.state)

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict as plain data."""
        last = self.last
        return {
            "status": "no_data" if last is None else "ok",
            "state": self.state,
            "text": self.text,
            "running": self.running,
            "run_id": last and last.id,
            "started": last and iso(last.started),
            "success": last and last.last.success,
            "figures": {name: value for name, value, *_ in self.figures},
        }


def check(history: HistoryManager, options: CheckOptions, now: int) -> Verdict:
    """Judge a script.

    The worst that holds counts: critical that the last run failed, that none was ever seen, or that the last success
    is too long ago (a warning as long as another is under way); a warning that a bound was crossed.

    Args:
        history: The record.
        options: What is asked about, and what is expected.
        now: The present, in nanoseconds since the epoch.

    Raises:
        StoreError: The record can't be read.
    """
    name = options.script
    live = [each for each in running(history.db_path) if is_of(each.run, name) and not each.waiting]
    found = history.runs(RunFilter(name, limit=1))
    if not found:
        return _never(history, name, live, now)
    last = found[0]
    success = last if last.last.success else next(iter(history.runs(RunFilter(name, SUCCESS, limit=1))), None)
    problems = [*_failed(last, now), *_late(options, success, live, now), *_bounds(options, last, live, now)]
    state = max((state for state, _ in problems), key=STATES.index, default=OK)
    told = [text for _, text in problems] or [_fine(last, now)]
    verdict = Verdict(state, f"{script_label(last)}: {'; '.join(told)}{_under_way(live, now)}", last, len(live))
    _measure(verdict, options, last, success, now)
    return verdict


def _never(history: HistoryManager, name: str, live: list[LiveRun], now: int) -> Verdict:
    if live:
        return Verdict(WARNING, f"{name}: no run has ended yet{_under_way(live, now)}", running=len(live))
    if history.stats() is None:
        return Verdict(UNKNOWN, f"there is no record of runs at {history.db_path}")
    return Verdict(CRITICAL, f"{name}: never seen to run")


def _failed(last: Run, now: int) -> list[tuple[str, str]]:
    if last.last.success:
        return []
    error = last.last.error_message or last.last.error_type or last.last.reason
    return [(CRITICAL, f"last run failed {_ago(_end(last), now)}: {error}")]


def _late(options: CheckOptions, success: Run | None, live: list[LiveRun], now: int) -> list[tuple[str, str]]:
    if options.max_age is None:
        return []
    limit = _bound(options.max_age)
    if success is None:
        return [(CRITICAL, "never seen to succeed")]
    if (now - _end(success)) / 1e9 <= options.max_age:
        return []
    coming = any((now - run.run.started) / 1e9 <= options.max_age for run in live)
    return [(WARNING if coming else CRITICAL, f"last success {_ago(_end(success), now)}, more than {limit}")]


def _bounds(options: CheckOptions, last: Run, live: list[LiveRun], now: int) -> list[tuple[str, str]]:
    problems = []
    took, memory = (last.last.metrics.get(metric.name) for metric in (EXECUTION_TIME, MEMORY_MAX))
    if options.max_duration is not None:
        limit = _bound(options.max_duration)
        if took is not None and took > options.max_duration:
            problems.append((WARNING, f"last run took {format_seconds(took)}, more than {limit}"))
        problems += [
            (WARNING, f"run {run.id} is running for {format_seconds(elapsed)}, more than {limit}")
            for run in live
            if (elapsed := (now - run.run.started) / 1e9) > options.max_duration
        ]
    if options.max_memory is not None and memory is not None and memory * _MB > options.max_memory:
        limit = format_value(options.max_memory, "bytes")
        problems.append((WARNING, f"last run needed {format_value(memory, MEMORY_MAX.unit)}, more than {limit}"))
    return problems


def _bound(seconds: float) -> str:
    return format_seconds(seconds) if seconds else "0 s"


def _fine(last: Run, now: int) -> str:
    took = last.last.metrics.get(EXECUTION_TIME.name)
    duration = "" if took is None else f" in {format_seconds(took)}"
    return f"last run succeeded{duration}, {_ago(_end(last), now)}"


def _under_way(live: list[LiveRun], now: int) -> str:
    if not live:
        return ""
    oldest = min(run.run.started for run in live)
    count = "" if len(live) == 1 else f"{len(live)} "
    return f"; {count}running now, for {format_seconds(max(0, now - oldest) / 1e9)}"


def _measure(verdict: Verdict, options: CheckOptions, last: Run, success: Run | None, now: int) -> None:
    took, memory = (last.last.metrics.get(metric.name) for metric in (EXECUTION_TIME, MEMORY_MAX))
    if took is not None:
        verdict.figures.append(("time", took, "s", options.max_duration, None))
    if memory is not None:
        verdict.figures.append(("memory", round(memory * _MB), "B", options.max_memory, None))
    if success is not None:
        verdict.figures.append(("age", max(0, now - _end(success)) // 1_000_000_000, "s", None, options.max_age))


def _end(run: Run) -> int:
    return run.started if run.last.ended is None else run.last.ended


def _ago(moment: int, now: int) -> str:
    return f"{format_seconds(max(0, now - moment) / 1e9)} ago"
