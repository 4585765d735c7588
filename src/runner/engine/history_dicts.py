"""Runs as plain dicts: what queries return, and what a program gives to have it remembered."""

from __future__ import annotations

import os
from time import time_ns

from runner.agent.events import EXITED
from runner.engine.history_options import moment_of
from runner.engine.location import absolute
from runner.model.metrics import BY_NAME, EXECUTION_TIME
from runner.model.redact import redact_text
from runner.model.run import Attempt, Run, iso
from runner.stores.base import script_label

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from typing import Any

    from runner.model.metric import Value

#: Keys of a metrics dict that are facts of the run instead of figures.
_FACTS = ("start_time", "end_time", "exit_code", "success", "error_message")


def as_dict(run: Run) -> dict[str, Any]:
    """Return a run as queries show it: plain data, with only the figures that are known."""
    last = run.last
    return {
        "run_id": run.id,
        "timestamp": iso(run.started),
        "script_name": script_label(run),
        "script_path": run.script_path,
        "script_args": run.args,
        "reason": last.reason,
        "success": last.success,
        "exit_code": last.exit_code,
        "signal": last.signal,
        "error_type": last.error_type,
        "error_message": last.error_message,
        "attempts": len(run.attempts),
        "total_seconds": run.total_seconds,
        "tags": run.tags,
        "hostname": run.host.get("hostname"),
        "user": run.user,
        "git_commit": run.git_commit,
        "metrics": {name: value for name, value in {**last.metrics, **run.extra}.items() if value is not None},
        "kinds": last.kinds,
    }


def new_run(script_name: str, metrics: Mapping[str, Any], timestamp: date | str | None) -> Run:
    """Return a run of what was measured elsewhere (see `HistoryManager.save_execution`).

    Raises:
        ValueError: A metric is no finite number.
        UsageError: A time can't be read.
    """
    from runner import __version__
    from runner.model.portable_parts import is_unicode

    started = _moment(timestamp or metrics.get("start_time"))
    run = Run(os.urandom(6).hex(), script_name, started)
    run.runner_version = __version__
    run.cwd = absolute()
    if os.path.exists(script_name):
        run.script_key = os.path.abspath(script_name)
    attempt = Attempt(1, started)
    for name, value in metrics.items():
        if name in _FACTS:
            continue
        if not is_unicode(name):
            raise ValueError(f"metric {name!r} is no name: it is no Unicode")
        number = _number(name, value)
        if name in BY_NAME:
            attempt.metrics[name] = number
        elif number is not None:
            run.extra[name] = number
    success, exit_code = metrics.get("success"), metrics.get("exit_code")
    attempt.exit_code = int(success is False) if exit_code is None else int(exit_code)
    attempt.reason = EXITED
    if not attempt.success:
        attempt.error_type = f"exit:{attempt.exit_code}"
        message = metrics.get("error_message")
        attempt.error_message = redact_text(str(message)) if message else f"exit code {attempt.exit_code}"
    duration = attempt.metrics.get(EXECUTION_TIME.name)
    if metrics.get("end_time"):
        attempt.ended = _moment(metrics["end_time"])
    elif duration is not None:
        attempt.ended = started + int(duration * 1e9)
    run.attempts = [attempt]
    return run


def _moment(value: date | str | None) -> int:
    return time_ns() if value is None else moment_of(value)


def _number(name: str, value: Any) -> Value:
    if value is None:
        return None
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return value
    try:
        number = float(value)  # numpy's and decimal's too
    except (TypeError, ValueError):
        raise ValueError(f"metric {name!r} is no number: {value!r}") from None
    if number != number or number in (float("inf"), float("-inf")):
        raise ValueError(f"metric {name!r} is no finite number: {value!r}")
    return number
