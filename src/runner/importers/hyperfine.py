"""Makes runs of what ``hyperfine --export-json`` writes: one of each timing."""

from __future__ import annotations

import shlex

from runner.agent.events import SIGNALED
from runner.importers.made import run_from, run_id
from runner.model.metric import MB
from runner.model.metrics import EXECUTION_TIME, MEMORY_MAX_PROCESS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from runner.model.run import Run

#: Names of what hyperfine tells of all timings together, as metrics of each run.
_MEANS = {"user": "hyperfine_user_mean_seconds", "system": "hyperfine_system_mean_seconds"}


def runs_of_results(results: list[Any], written: int) -> Iterator[Run]:
    """Yield a run of each timing.

    Hyperfine notes no times of day: the runs are laid one after the other, so that the last ends when the file was
    written. User and system time it tells as means over all timings, so they are kept under names of their own.

    Args:
        results: The list ``results`` of the document.
        written: When the file was written, in ns since the epoch.

    Raises:
        ValueError: It is not such a list.
    """
    try:
        total = sum(sum(result["times"]) for result in results)
        started = max(0, written - int(total * 1e9))
        for position, result in enumerate(results):
            for run in _runs(result, position, started):
                started = run.last.ended or started
                yield run
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"it is not as hyperfine writes it ({error!r})") from None


def _runs(result: dict[str, Any], position: int, started: int) -> Iterator[Run]:
    command, times = result["command"], [float(seconds) for seconds in result["times"]]
    codes = result.get("exit_codes") or [0] * len(times)
    memory = result.get("memory_usage_byte") or []
    if len(codes) != len(times) or any(not 0 <= seconds < 1e9 for seconds in times):
        raise ValueError("times and exit codes do not fit together")
    script, args = _split(command)
    means = {name: float(result[key]) for key, name in _MEANS.items() if result.get(key) is not None}
    tags = {"source": "hyperfine", **{str(key): str(value) for key, value in (result.get("parameters") or {}).items()}}
    for number, seconds in enumerate(times):
        figures = {EXECUTION_TIME.name: seconds, **means}
        if number < len(memory) and memory[number]:
            figures[MEMORY_MAX_PROCESS.name] = memory[number] / MB
        id = run_id("hyperfine", position, number, command, times, codes)
        run = run_from(id, script, args, started, seconds, codes[number], figures)
        run.tags = dict(tags)
        if codes[number] is None:  # a signal ended it; which one is not told
            run.last.reason = SIGNALED
        started = run.last.ended or started
        yield run


def _split(command: str) -> tuple[str, list[str]]:
    """Return the script of a command and its arguments: a Python is passed over, as it is where a script runs."""
    try:
        words = shlex.split(command)
    except ValueError:  # an open quote
        words = command.split()
    if len(words) > 1 and words[0].rpartition("/")[2].startswith("python") and not words[1].startswith("-"):
        words = words[1:]
    return (words[0], words[1:]) if words else (command, [])
