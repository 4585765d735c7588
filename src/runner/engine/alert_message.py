"""Puts what is known of a run into a message to people."""

from __future__ import annotations

import os
import re

from runner.agent.events import FAILED_TO_START, SAMPLE_FIELDS
from runner.model.metrics import BLOCK_IO_READ, BLOCK_IO_WRITE, CPU_AVG, CPU_MAX, CPU_TIME, EXECUTION_TIME, MEMORY_MAX
from runner.model.notification import FIRE, SEVERITIES, Notification
from runner.model.redact import redact_text
from runner.model.run import iso
from runner.model.units import format_seconds, format_value
from runner.model.words import printable
from runner.stores.base import script_label

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from runner.model.run import Attempt, Run

_FIGURES = (
    ("Wall time", EXECUTION_TIME), ("CPU time", CPU_TIME), ("CPU on average", CPU_AVG), ("CPU at most", CPU_MAX),
    ("Peak memory", MEMORY_MAX), ("Read from disk", BLOCK_IO_READ), ("Written to disk", BLOCK_IO_WRITE),
)  # fmt: skip

#: Lines of output in a message, and characters of each.
LINES, _WIDTH = 20, 500
#: Points of the curve of memory in a message.
_POINTS = 120
_MB = 1 << 20
_MEMORY = SAMPLE_FIELDS.index("memory_bytes")
#: Colours and the like.
_SEQUENCE = re.compile("\x1b\\[[0-9;:?]*[A-Za-z]")


def make_message(run: Run, alerts: Sequence[Mapping[str, Any]], time: int, running: bool = False) -> Notification:
    """Return the message that tells of alerts of a run.

    Args:
        run: The run, finished or as it is so far.
        alerts: What is told (see `Notification.alerts`).
        time: The present, in nanoseconds since the epoch.
        running: Whether its script still runs. How it ended may be unknown all the same, of figures that were measured
            elsewhere.
    """
    last = run.last
    ended = last.ended is not None or last.reason == FAILED_TO_START
    told = [
        {key: printable(value) if isinstance(value, str) else value for key, value in each.items()}
        for each in sorted(alerts, key=lambda each: (each["kind"] != FIRE, -SEVERITIES.index(each["severity"])))
    ]
    script = _plain(script_label(run))
    error = _plain(_error(last)) if ended else ""
    return Notification(
        os.urandom(16).hex(),
        told[0]["kind"],
        told[0]["severity"],
        _title(script, "is running" if running else _outcome(last) if ended else "", told),
        told,
        _lines(run, last, error, running, ended),
        [(label, format_value(value, metric.unit)) for label, metric in _FIGURES
         if (value := last.metrics.get(metric.name)) is not None],
        last.metrics,
        tail_of(last),
        _curve(last),
        script=script,
        script_key=_plain(run.script_key),
        run_id=run.id,
        host=str(run.host.get("hostname") or os.uname().nodename),
        user=run.user,
        command=_command(run),
        time=time,
        started=run.started,
        ended=last.ended,
        success=last.success if ended else None,
        exit_code=last.exit_code,
        reason=last.reason if ended else "",
        error=error,
    )  # fmt: skip


def _plain(text: str) -> str:
    """Return a text as it may go anywhere: one line of Unicode without secrets; a name of a file can be any bytes."""
    return printable(redact_text(text.replace("\n", " ")))


def _command(run: Run) -> str:
    return _plain(" ".join([run.script_path, *run.args]))


def _outcome(last: Attempt) -> str:
    return "succeeded" if last.success else "failed"


def _title(script: str, state: str, told: Sequence[Mapping[str, Any]]) -> str:
    """Return script and what happened to it, in one line that no name of a script can break."""
    firing = [each["rule"] for each in told if each["kind"] == FIRE]
    if firing:
        return f"{told[0]['severity']}: {' '.join(filter(None, (script, state)))}: {', '.join(firing)}"
    return f"Over: {script}: {', '.join(each['rule'] for each in told)}"


def _error(last: Attempt) -> str:
    return "" if last.success else last.error_message or last.error_type or last.reason


def _lines(run: Run, last: Attempt, error: str, running: bool, ended: bool) -> list[str]:
    state = ""
    if running:
        state = f" has been running for {format_seconds(last.metrics.get(EXECUTION_TIME.name) or 0)}"
    elif ended:
        code = f" with exit code {last.exit_code}" if not last.success and last.exit_code is not None else ""
        state = f" {_outcome(last)}{code}"
    lines = [f"{_command(run)}{state}"]
    if error and error != f"exit code {last.exit_code}":
        lines.append(f"Error: {error}")
    if len(run.attempts) > 1:
        lines.append(f"Attempts: {len(run.attempts)}, {format_seconds(run.total_seconds)} in all")
    if run.tags:
        lines.append("Tags: " + _plain(", ".join(f"{key}={value}" for key, value in run.tags.items())))
    return [*lines, f"Started: {iso(run.started)[:19].replace('T', ' ')}", f"Directory: {_plain(run.cwd)}"]


def tail_of(last: Attempt) -> list[str]:
    """Return the last lines that were written: of standard error where there are any, else of standard output."""
    for stream in ("stderr", "stdout"):
        kept = last.output.get(stream)
        if kept is not None and kept.size:
            text = _SEQUENCE.sub("", redact_text((kept.tail or kept.head).decode("utf-8", "replace")))
            lines = text.replace("\r\n", "\n").expandtabs().rstrip("\n").split("\n")[-LINES:]
            return [printable(line.rstrip("\r").rpartition("\r")[2])[:_WIDTH] for line in lines]
    return []


def _curve(last: Attempt) -> list[tuple[float, float]]:
    """Return memory over time in megabytes, of stretches of equal length the highest each."""
    if last.curve is None:
        return []
    points = [
        (bucket.t, high / _MB) for bucket in list(last.curve.buckets) if (high := bucket.high[_MEMORY]) is not None
    ]
    width = -(-len(points) // _POINTS) or 1
    return [
        (round(stretch[-1][0], 3), round(max(value for _, value in stretch), 3))
        for stretch in (points[at : at + width] for at in range(0, len(points), width))
    ]
