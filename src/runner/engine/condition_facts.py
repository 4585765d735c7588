"""What a condition is judged by: the facts of a run, finished or still running, under the names that conditions use."""

from __future__ import annotations

from time import localtime

from runner.policy.conditions_names import TAGS, WEEKDAYS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runner.model.fold import Fold
    from runner.model.run import Attempt, Run


def run_facts(run: Run, output: bool = False) -> dict[str, Any]:
    """Return the facts of a finished run.

    Args:
        run: The run.
        output: Whether its output is among them (`Condition.needs_output`).
    """
    last = run.last
    return {
        **run.extra,
        **last.metrics,
        "success": last.success,
        "reason": last.reason,
        "exit_code": last.exit_code,
        "signal": last.signal or 0,
        "error_type": last.error_type,
        "error_message": last.error_message,
        "attempts": len(run.attempts),
        "total_seconds": None if last.ended is None else run.total_seconds,
        **_circumstances(run),
        **(_output(last) if output else {}),
    }


def live_facts(run: Run, fold: Fold, t: float, output: bool = False) -> dict[str, Any]:
    """Return the facts of a run whose script still runs: those of `conditions_names.DURING`.

    Args:
        run: The run, as far as it is known.
        fold: The attempt that runs.
        t: Seconds since its start.
        output: Whether its output is among them.
    """
    attempt = fold.attempt
    return {
        **fold.so_far(t),
        "attempts": attempt.number,
        "total_seconds": (attempt.started - run.started) / 1e9 + t,
        **_circumstances(run),
        **(_output(attempt) if output else {}),
    }


def _circumstances(run: Run) -> dict[str, Any]:
    started = localtime(run.started // 1_000_000_000)
    return {
        "script": run.script_path,
        "name": run.name,
        "arguments": " ".join(run.args),
        "host": run.host.get("hostname"),
        "user": run.user,
        "git_commit": run.git_commit,
        "python_version": run.python_version,
        "load": run.load,
        "input_bytes": run.input_bytes,
        "hour": started.tm_hour,
        "weekday": WEEKDAYS[started.tm_wday],
        **{TAGS + name: value for name, value in run.tags.items()},
    }


def _output(attempt: Attempt) -> dict[str, str]:
    texts = {stream: tail.text() for stream, tail in attempt.output.items()}
    if attempt.merged and "stdout" in texts:  # on a terminal or behind 2>&1, nobody can tell one from the other
        texts["stderr"] = texts["stdout"]
    return texts
