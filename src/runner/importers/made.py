"""Makes runs of what other programs have noted about them."""

from __future__ import annotations

import os
from hashlib import sha256

from runner.agent.events import EXITED
from runner.model.metrics import BY_NAME
from runner.model.portable_parts import set_figures
from runner.model.redact import redact_arguments
from runner.model.run import Attempt, Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Seconds that a run can have taken; what is noted beyond is no duration.
_LONGEST = 1e9


def run_id(*parts: object) -> str:
    """Return an id that is the same for the same facts, so that what is imported twice is there once."""
    return sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()[:12]


def run_from(
    id: str,
    script: str,
    args: Sequence[str],
    started: int,
    seconds: float | None,
    exit_code: int | None,
    figures: Mapping[str, float],
) -> Run:
    """Return a run of one attempt; figures of names that the catalog does not have are kept beside."""
    run = Run(id, script, started)
    if os.path.isfile(script):
        run.script_key = os.path.abspath(script)  # as a run of it from here would have
    run.args = redact_arguments(args)
    attempt = Attempt(1, started)
    attempt.ended = started + int(seconds * 1e9) if seconds is not None and 0 <= seconds < _LONGEST else None
    attempt.reason = EXITED
    attempt.exit_code = exit_code
    if exit_code:
        attempt.error_type, attempt.error_message = f"exit:{exit_code}", f"exit code {exit_code}"
    known = {name: BY_NAME[name].type(value) if value == int(value) else value
             for name, value in figures.items() if name in BY_NAME}  # fmt: skip
    set_figures(attempt, known, {})
    run.extra = {name: value for name, value in figures.items() if name not in BY_NAME}
    run.attempts = [attempt]
    return run
