"""Makes a run of a report that ``--json-output`` wrote."""

from __future__ import annotations

import os

from runner.model.portable import METRIC_NAMES, VERSION, VERSION_COLUMN, run_of
from runner.model.portable_parts import BAD_PARTS, instant, told

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runner.model.run import Run

#: Keys of a report that are no metric.
_FACTS = frozenset((
    "run_id", "script_path", "script_args", "name", "start_time", "end_time", "exit_code", "success", "error_message",
    "reason", "signal", "error_type", "merged", "attempts", "total_seconds", "attempt_history", "python",
    "python_version", "platform", "host", "user", "cwd", "tags", "script_hash", "git_commit", "git_dirty",
    "runner_version", "load", "input_bytes", "packages_hash", "kinds",
))  # fmt: skip


def run_of_report(report: dict[str, Any]) -> Run:
    """Return the run that a report tells of; samples and output are not in it.

    Raises:
        ValueError: It is no report.
    """
    history = report["attempt_history"]
    try:
        earlier, last = history[:-1], history[-1]
        path = report["script_path"]
        record = {
            **report,
            VERSION_COLUMN: VERSION,
            "timestamp": history[0]["start_time"],
            # History groups the runs of a file by its path.
            "script_key": os.path.join(report["cwd"], path) if report["script_hash"] else path,
            "extra": {name: value for name, value in report.items()
                      if name not in _FACTS and name not in METRIC_NAMES and isinstance(value, (int, float))},
            "attempt": last["number"],
            "delay_seconds": last["delay_seconds"],
            "alerts": None,  # those that a program's result has are told otherwise
            "earlier_attempts": [{**attempt, "end_time": _end(attempt)} for attempt in earlier],
        }  # fmt: skip
        record["script_key"] = os.path.normpath(record["script_key"]) if report["script_hash"] else path
    except BAD_PARTS as error:
        raise ValueError(f"the report can't be read ({told(error)})") from None
    return run_of(record)


def _end(attempt: dict[str, Any]) -> str | None:
    """Return when an attempt ended; a report has its start and its wall time."""
    from runner.model.metrics import EXECUTION_TIME
    from runner.model.portable_parts import stamp

    seconds = attempt["metrics"].get(EXECUTION_TIME.name)
    return None if seconds is None else stamp(instant(attempt["start_time"]) + round(seconds * 1e9))
