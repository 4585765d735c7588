"""``runner export`` and ``runner import``: the record to files, and files into the record."""

from __future__ import annotations

import os

from runner.cli.ending import CleanEnd
from runner.cli.output import Screen, printable, warn
from runner.cli.progress import Progress
from runner.cli.remembered import listed, take_in
from runner.cli.tables import write_json, write_rows
from runner.engine.environment import pairs
from runner.engine.export import Export, wanted_of
from runner.engine.history import HistoryManager
from runner.engine.imports import import_file
from runner.exporters import files, records
from runner.model.errors import UsageError
from runner.model.units import format_bytes, format_count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from runner.engine.export_options import ExportOptions, ImportOptions
    from runner.engine.imports import Imported
    from runner.engine.query_options import QueryOptions
    from runner.engine.run_options import RecordOptions


def export_runs(options: ExportOptions, record: RecordOptions, out: TextIO) -> int:
    """Export past runs to a file or to standard output."""
    tags = pairs(options.tag, "--tag")
    wanted = wanted_of(options.script, options.start_date, options.end_date, options.status, tags)
    export = Export(options.output, options.format, wanted, options.metric, options.samples, options.full)
    to_stdout = files.is_stdout(export.path)
    if export.format == records.PARQUET and to_stdout and os.isatty(1):
        raise UsageError("parquet is nothing for a terminal; name a file with --export-output, or pass it on")
    screen = Screen()
    out.flush()
    with HistoryManager(record.history_db) as history, CleanEnd():
        take_in(history)
        progress = Progress(screen, "runs exported", history.count(wanted) if screen.terminal else 0)
        try:
            written = export.write(history, progress)
        finally:
            progress.end()
        known = [] if written.runs else history.scripts()
        path = history.db_path
    if not written.runs:
        whose = f" of {options.script}" if options.script else ""
        there = f"; there are runs of: {listed(known)}" if known else ""
        warn(screen, f"no run{whose} in {path} matches, so the export is empty{there}")
    if not to_stdout:
        beside = f", samples in {printable(export.beside)}" if export.beside else ""
        where = printable(export.path)
        out.write(f"exported {_runs(written.runs)} to {where} ({format_bytes(written.size)}){beside}\n")
    return 0


def import_runs(options: ImportOptions, record: RecordOptions, query: QueryOptions, out: TextIO) -> int:
    """Take the runs of files into the record."""
    if not options.file:
        raise UsageError("name the file to import; - is standard input")
    screen = Screen()
    done: list[Imported] = []
    with HistoryManager(record.history_db) as history, CleanEnd():
        for path in options.file:
            progress = Progress(screen, "runs checked")
            try:
                done.append(import_file(history, path, options.dry_run, progress))
            finally:
                progress.end()
        database = history.db_path
    rows = [each.as_dict() for each in done]
    if query.format == "json":
        write_json(out, {"status": "ok" if any(each.runs for each in done) else "no_data", "database": database,
                         "dry_run": options.dry_run, "files": rows})  # fmt: skip
    elif query.format == "csv":
        write_rows(out, "csv", ("path", "runs", "new", "known"), rows)
    else:
        out.writelines(_line(each, options.dry_run) + "\n" for each in done)
    return 0


def _line(done: Imported, dry_run: bool) -> str:
    verb = "would import" if dry_run else "imported"
    known = done.runs - done.new
    there = "" if not known else f", {format_count(known)} {'was' if known == 1 else 'were'} there already"
    return f"{verb} {_runs(done.new)} from {printable(done.path)}{there}"


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{format_count(count)} runs"
