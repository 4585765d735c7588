"""Names what ended an attempt, from its end and the last of its output."""

from __future__ import annotations

from runner.agent.events import EXITED, SIGNALED
from runner.analysis.failure import explain
from runner.model.redact import redact_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.model.run import Attempt


def name_failure(attempt: Attempt) -> None:
    """Fill in error type and message of an attempt whose events have all been told."""
    if attempt.limit is not None:
        from runner.engine.limits import describe

        attempt.error_type, attempt.error_message = describe(*attempt.limit)
        return
    kept = attempt.output.get("stdout" if attempt.merged else "stderr")
    read = kept is not None and not attempt.success and attempt.reason in (EXITED, SIGNALED)
    text = kept.text() if kept is not None and read else None
    attempt.error_type, attempt.error_message = explain(
        attempt.reason, attempt.exit_code, attempt.signal, attempt.error_message, text, attempt.merged
    )
    if attempt.error_message:
        attempt.error_message = redact_text(attempt.error_message)
