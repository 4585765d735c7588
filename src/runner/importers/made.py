"""Makes runs of what other programs have noted about them."""

from __future__ import annotations

import os
from hashlib import sha256

from runner.agent.events import EXITED, SIGNALED
from runner.model.metrics import BY_NAME
from runner.model.portable_parts import set_figures
from runner.model.redact import redact_arguments
from runner.model.run import Attempt, Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Seconds that a run can have taken; what is noted beyond is no duration.
LONGEST = 1e9
#: Exit codes that any system knows; below zero, Python says which signal ended a program.
_CODES = range(-(1 << 31), 1 << 32)
_SIGNALS = range(-64, 0)


def run_id(*parts: object) -> str:
    """Return an id that is the same for the same facts, so that what is imported twice is there once."""
    return sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()[:12]


def is_exit_code(value: object) -> bool:
    """Whether a value can be an exit code, or the signal that ended a program as Python tells it (-9)."""
    return isinstance(value, int) and not isinstance(value, bool) and value in _CODES


def run_from(
    id: str,
    script: str,
    args: Sequence[str],
    started: int,
    seconds: float | None,
    exit_code: int | None,
    figures: Mapping[str, float],
) -> Run:
    """Return a run of one attempt.

    Args:
        id: Its id.
        script: The script as it was named.
        args: Its arguments; secrets are not kept.
        started: When, in ns since the epoch.
        seconds: How long it took, None where that is not known.
        exit_code: Its exit code, or the signal that ended it as a number below zero; None where it is not known.
        figures: By name; those that the catalog does not have are kept beside.

    Raises:
        ValueError: A figure is out of range.
    """
    run = Run(id, script, started)
    if os.path.isfile(script):
        run.script_key = os.path.abspath(script)  # as a run of it from here would have
    run.args = redact_arguments(args)
    attempt = Attempt(1, started)
    attempt.ended = started + int(seconds * 1e9) if seconds is not None and 0 <= seconds < LONGEST else None
    attempt.reason = EXITED
    attempt.exit_code = exit_code
    if exit_code is not None and exit_code in _SIGNALS:
        attempt.reason, attempt.exit_code, attempt.signal = SIGNALED, None, -exit_code
        attempt.error_type, attempt.error_message = f"signal:{-exit_code}", f"killed by signal {-exit_code}"
    elif exit_code:
        attempt.error_type, attempt.error_message = f"exit:{exit_code}", f"exit code {exit_code}"
    for name, value in figures.items():
        if not -(1 << 63) <= value < 1 << 63:
            raise ValueError(f"{name} is out of range")
    known = {name: BY_NAME[name].type(value) if value == int(value) else value
             for name, value in figures.items() if name in BY_NAME}  # fmt: skip
    set_figures(attempt, known, {})
    run.extra = {name: value for name, value in figures.items() if name not in BY_NAME}
    run.attempts = [attempt]
    return run
