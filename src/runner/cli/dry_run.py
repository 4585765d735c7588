"""Says what a line would run, with which options from which source, and runs nothing (``--dry-run``)."""

from __future__ import annotations

import os
import sys

from runner.cli.features import OWNERS
from runner.options import DEFAULT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.cli.settings import Settings
    from runner.engine.execution import Execution


def describe(execution: Execution, settings: Settings) -> int:
    """Print what would run.

    Returns:
        The exit code, 0.
    """
    from shlex import join

    from runner.engine.record import locate
    from runner.model.redact import redact_arguments, redact_value

    job, record = execution.job, execution.record
    rows = [
        ("command", join(redact_arguments(job.argv))),
        ("executable", job.executable),
        ("directory", job.cwd or os.getcwd()),
        ("history", "none" if record.disable_history else locate(record.history_db, os.getcwd())[0]),
        ("config", settings.config.path or "none"),
    ]
    for owner in OWNERS:
        options = settings.asked(owner)
        for attr in options.declared if options is not None else ():
            source = options.source(attr) if options is not None else DEFAULT
            if source != DEFAULT and attr != "dry_run":
                value = redact_value(attr, getattr(options, attr))
                rows.append((attr.replace("_", "-"), f"{value}  ({source})"))
    sys.stdout.write("".join(f"{label:<18} {text}\n" for label, text in rows))
    return 0
