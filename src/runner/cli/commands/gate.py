"""``runner gate``: judges the run in one file by the baseline in another."""

from __future__ import annotations

import os

from runner.cli.commands import GATE_OWNERS
from runner.cli.gates_shown import judgement_lines
from runner.cli.output import Screen
from runner.cli.tables import write_json, write_rows
from runner.engine.baseline_key import key_of
from runner.engine.gate_files import gate_files
from runner.model.errors import UsageError
from runner.options import COMMAND_LINE, DEFAULT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TextIO

    from runner.engine.ci_options import CiOptions
    from runner.engine.gate_files import GateOptions
    from runner.engine.query_options import QueryOptions
    from runner.options import Options

#: Whose options only make sense where something is run.
_RUN_OWNERS = (
    "gate-revisions", "confirm", "run", "monitor", "record", "limits", "json", "junit", "tap", "markdown", "html",
    "github", "gitlab",
)  # fmt: skip
_CSV = ("metric", "value", "baseline", "relative", "lower", "upper", "verdict", "count")


def _refuse_run_options(given: Mapping[str, Options]) -> None:
    """Refuse options of runs where nothing is run.

    Raises:
        UsageError: One was given on the line.
    """
    for owner in _RUN_OWNERS:
        options = given[owner]
        for attr, option in options.declared.items():
            if options.source(attr).startswith(COMMAND_LINE):
                raise UsageError(f"{option.label} only makes sense with --base, which runs a script")


def gate(*options_and_out: Any) -> int:
    """Judge two files, or with ``--base`` two revisions of a script; return the exit code.

    Raises:
        UsageError: Something on the line makes no sense; nothing has been run.
        StartError: A revision can't be run.
    """
    *options, out = options_and_out
    given = dict(zip(GATE_OWNERS, options, strict=True))
    own, ci, revisions = given["gate"], given["ci"], given["gate-revisions"]
    for attr in ("base", "head"):
        if revisions.source(attr) != DEFAULT and not getattr(revisions, attr):
            raise UsageError(f"--{attr}: the revision is empty; a variable that is to name it may not be set")
    if revisions.base:
        from runner.cli.commands.gate_revisions import gate_revisions

        return gate_revisions(own.files, given, out)
    _refuse_run_options(given)
    return _gate_files(own, ci, given["query"], out)


def _gate_files(options: GateOptions, ci: CiOptions, query: QueryOptions, out: TextIO) -> int:
    """Show how a run compares with a baseline, and whether it passes its gates.

    Returns:
        The exit code: 1 where a gate fails, or a regression that was asked for.

    Raises:
        UsageError: A file or a gate makes no sense.
    """
    if len(options.files) != 2:
        raise UsageError("`runner gate` needs two files, the baseline and the run: runner gate base.json head.json")
    for attr in ("baseline", "save_baseline"):
        if ci.source(attr).startswith(COMMAND_LINE):
            raise UsageError(f"{ci.declared[attr].label} has no place beside two files: the first one is the baseline")
    base, head = options.files
    judgement, same = gate_files(base, head, ci, key_of(os.environ, ci.baseline_key))
    if query.format == "json":
        status = "ok" if judgement.changes else "no_data"
        write_json(out, {"status": status, "base": base, "head": head, **judgement.to_dict()})
    elif query.format == "csv":
        write_rows(out, "csv", _CSV, [change.to_dict() for change in judgement.changes])
    else:
        screen = Screen(out.fileno() if out.isatty() else -1)
        if not judgement.changes:
            judgement.notices.append("the two files have no figure in common that could be compared")
        elif same:
            judgement.notices.append(f"{same} more figure{'s' * (same != 1)} with no difference that matters")
        out.writelines(line + "\n" for line in judgement_lines(screen, judgement))
    return 0 if judgement.passed else 1
