"""Makes runs of what ``hyperfine --export-json`` writes: one of each timing."""

from __future__ import annotations

import shlex

from runner.agent.events import SIGNALED
from runner.importers.made import LONGEST, is_exit_code, run_from, run_id
from runner.model.metric import MB, is_figure
from runner.model.metrics import EXECUTION_TIME, MEMORY_MAX_PROCESS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
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
    for number, result in enumerate(results, 1):
        _check(result, number)
    total = sum(sum(result["times"]) for result in results)
    started = max(0, written - int(total * 1e9))
    for position, result in enumerate(results):
        for run in _runs(result, position, started):
            started = run.last.ended or started
            yield run


def _check(result: Any, number: int) -> None:
    """Refuse a result that is not as hyperfine writes it."""

    def refuse(what: str) -> None:
        raise ValueError(f"it is not as hyperfine writes it: result {number} {what}")

    if not isinstance(result, dict):
        refuse("is no object")
    if not isinstance(result.get("command"), str):
        refuse("has no command")
    times = result.get("times")
    if not _is_list(times, lambda each: is_figure(each) and 0 <= each < LONGEST):
        refuse("has no times" if times is None else "has times that are no seconds")
    if not _is_list(result.get("exit_codes") or [], lambda each: each is None or is_exit_code(each)):
        refuse("has exit codes that are none")
    if len(result.get("exit_codes") or times) != len(times):
        refuse("has times and exit codes that do not fit together")
    if not _is_list(result.get("memory_usage_byte") or [], lambda each: each is None or is_figure(each)):
        refuse("has a memory usage that is no list of numbers")
    for key in _MEANS:
        if result.get(key) is not None and not is_figure(result[key]):
            refuse(f"has a time ({key}) that is no number")
    if not isinstance(result.get("parameters") or {}, dict):
        refuse("has parameters that are no object")


def _is_list(value: Any, fits: Callable[[Any], bool]) -> bool:
    return isinstance(value, list) and all(map(fits, value))


def _runs(result: dict[str, Any], position: int, started: int) -> Iterator[Run]:
    command, times = result["command"], [float(seconds) for seconds in result["times"]]
    codes = result.get("exit_codes") or [0] * len(times)
    memory = result.get("memory_usage_byte") or []
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
