"""How an attempt ended and what its figures are, in words, wherever that is told."""

from __future__ import annotations

from runner.agent.events import CANCELLED, FAILED_TO_START, LIMIT, LOST, TIMEOUT
from runner.model.metric import BOUND, CEILING
from runner.model.metrics import BY_NAME, EXECUTION_TIME
from runner.model.units import format_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.model.metric import Metric
    from runner.model.run import Attempt

_LIMITS = {BOUND: "at least ", CEILING: "at most "}

_VERBS = {
    TIMEOUT: "timed out",
    LIMIT: "ended at a limit",
    CANCELLED: "cancelled",
    LOST: "lost",
    FAILED_TO_START: "was not started",
}


def verdict(attempt: Attempt) -> str:
    """Return in words how an attempt ended, and after how long."""
    known = attempt.metrics.get(EXECUTION_TIME.name) is not None and attempt.reason != FAILED_TO_START
    duration = figure(attempt, EXECUTION_TIME)
    if attempt.success:
        return f"succeeded in {duration}" if known else "succeeded"
    verb = _VERBS.get(attempt.reason, "failed")
    code = f" (exit code {attempt.exit_code})" if attempt.exit_code is not None and attempt.signal is None else ""
    return f"{verb} after {duration}{code}" if known else f"{verb}{code}"


def status_word(attempt: Attempt) -> str:
    """Return in one word how an attempt ended, for a cell of a table: ``ok``, ``cancelled``, or what ended it."""
    if attempt.success:
        return "ok"
    # The error of a cancelled one is the signal that came: a means, and not the only one.
    return CANCELLED if attempt.reason == CANCELLED else attempt.error_type or attempt.reason


def error_of(attempt: Attempt) -> str:
    """Return what ended an attempt, "" where the verdict has said it all."""
    message = attempt.error_message or ""
    return "" if message == f"exit code {attempt.exit_code}" else message


def figure(attempt: Attempt, metric: Metric) -> str:
    """Return a figure as people read it, with its reservation if it is a bound."""
    value = attempt.metrics.get(metric.name)
    if value is None:
        return "unknown"
    return _LIMITS.get(attempt.kinds.get(metric.name, ""), "") + format_value(value, metric.unit)


def value_text(metric: str, value: float) -> str:
    """Return a value of a metric, of whatever name, as people read it."""
    known = BY_NAME.get(metric)
    finite = value - value == 0
    return format_value(value, known.unit) if known is not None and finite else f"{value:g}"
