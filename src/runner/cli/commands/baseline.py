"""``runner baseline show``, ``accept`` and ``reset``: what runs are held against, and how that is changed."""

from __future__ import annotations

import os

from runner.cli.output import printable
from runner.cli.tables import fitting, write_json, write_rows
from runner.engine.baseline_changes import accept, describe, find_entry, forget, load
from runner.engine.baseline_key import key_of
from runner.model.metrics import BY_NAME, CPU_TIME, EXECUTION_TIME, MEMORY_MAX
from runner.model.units import format_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, TextIO

    from runner.engine.baseline import Series
    from runner.engine.baseline_options import BaselineAcceptOptions, BaselineFileOptions
    from runner.engine.ci_options import CiOptions
    from runner.engine.query_options import QueryOptions
    from runner.engine.run_options import RecordOptions

_COLUMNS = ("key", "runs", "began", "last", "wall", "cpu", "memory", "script")
_DISPENSABLE = ("cpu", "began", "memory", "last", "runs")
_SHORT = {"wall": EXECUTION_TIME.name, "cpu": CPU_TIME.name, "memory": MEMORY_MAX.name}


def show(options: BaselineFileOptions, ci: CiOptions, query: QueryOptions, out: TextIO) -> int:
    """Show what a baseline holds."""
    baseline = load(options.file or ci.baseline)
    named = ci.baseline_key and not options.all_keys
    rows = [describe(series) for series in baseline.series if not named or series.key == ci.baseline_key]
    if query.format == "json":
        write_json(out, {"status": "ok" if rows else "no_data", "path": baseline.path, "series": rows})
    elif query.format == "csv":
        names = ("script", "key", "runs", "began", "last", "last_commit", *_SHORT.values())
        write_rows(out, "csv", names, [{**row, **row["figures"]} for row in rows])
    elif not rows:
        whose = f" under {printable(ci.baseline_key)}" if named else ""
        out.write(f"{printable(baseline.path)} holds no runs{whose}\n")
    else:
        lines = [_line(row) for row in rows]
        write_rows(out, "table", fitting(_COLUMNS, _DISPENSABLE, lines, out), lines)
    return 0


def _line(row: dict[str, Any]) -> dict[str, Any]:
    figures = {
        short: "-" if row["figures"][name] is None else format_value(row["figures"][name], BY_NAME[name].unit)
        for short, name in _SHORT.items()
    }
    moments = {name: str(row[name] or "-")[:16].replace("T", " ") for name in ("began", "last")}
    return {"key": row["key"] or "-", "runs": row["runs"], "script": row["script"] or "-", **moments, **figures}


def accept_run(
    options: BaselineAcceptOptions, ci: CiOptions, record: RecordOptions, query: QueryOptions, out: TextIO
) -> int:
    """Let the figures of a run, or the newest ones of the baseline, be normal from now on."""
    path, key = options.file or ci.baseline, key_of(os.environ, ci.baseline_key)
    run = find_entry(options.run, record.history_db, key) if options.run else None
    changed = accept(path, key, run)
    _tell(query, out, path, "accepted", changed)
    return 0


def reset(options: BaselineFileOptions, ci: CiOptions, query: QueryOptions, out: TextIO) -> int:
    """Forget the runs of a baseline; the next run that is saved begins anew."""
    path = options.file or ci.baseline
    _tell(query, out, path, "forgot", forget(path, key_of(os.environ, ci.baseline_key), options.all_keys))
    return 0


def _tell(query: QueryOptions, out: TextIO, path: str, what: str, changed: Sequence[Series]) -> None:
    rows = [describe(series) for series in changed]
    if query.format == "json":
        write_json(out, {"status": "ok" if rows else "no_data", "path": path, what: rows})
        return
    if query.format == "csv":
        write_rows(out, "csv", ("script", "key", "runs"), rows)
        return
    if not rows:
        out.write(f"{printable(path)} holds no runs\n")
    for row in rows:
        script, key, count = printable(row["script"] or "the script"), printable(row["key"] or "-"), row["runs"]
        runs = f"{count} run{'s' * (count != 1)}"
        if what == "accepted":
            wall = row["figures"][EXECUTION_TIME.name]
            level = "" if wall is None else f" (wall time {format_value(wall, EXECUTION_TIME.unit)})"
            out.write(f"{script} under {key}: {runs} kept; what they cost is normal from now on{level}\n")
        else:
            out.write(f"{script} under {key}: {runs} forgotten\n")
