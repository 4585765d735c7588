"""Says what a line would run, with which options from which source, and runs nothing (``--dry-run``)."""

from __future__ import annotations

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

    Raises:
        StartError: It would not start.
    """
    if execution.target.problem is not None:
        raise execution.target.problem
    from shlex import join

    from runner.cli.tables import standard_output
    from runner.engine.location import absolute, locate
    from runner.model.redact import redact_arguments

    job, record = execution.job, execution.record
    rows = [
        ("command", join(redact_arguments(job.argv))),
        ("executable", job.executable),
        *_environment(execution),
        ("directory", absolute(job.cwd or "")),
        ("history", "none" if record.disable_history else locate(record.history_db, absolute())[0]),
        ("config", settings.config.path or "none"),
    ]
    rows.extend((row["option"], f"{row['value']}  ({row['source']})") for row in chosen(settings))
    out = standard_output()
    out.writelines(f"{label:<18} {text}\n" for label, text in rows)
    out.flush()
    return 0


def chosen(settings: Settings) -> list[dict[str, str]]:
    """Return ``option``, ``value`` and ``source`` of every option that is not what it is by default."""
    from runner.engine import provenance

    asked = [options for options in map(settings.asked, OWNERS) if options is not None]
    return [
        {"option": str(row["option"]), "value": provenance.text(row["value"]), "source": str(row["source"])}
        for row in provenance.rows(asked)
        if row["source"] != DEFAULT and row["option"] != "--dry-run"
    ]


def _environment(execution: Execution) -> list[tuple[str, str]]:
    wanted = execution.target.environment
    if wanted is None:
        return []
    return [("environment", wanted.root if wanted.make is None else f"{wanted.root} (made first, for the script)")]
