"""Options of export and import."""

from __future__ import annotations

from runner.options import QUERY, Options, opt
from runner.stores.base import STATUSES

#: What runs can be exported as; all but the last can be imported again.
FORMATS = ("csv", "json", "jsonl", "parquet", "openmetrics")


class ExportOptions(Options):
    """What of the record is exported, and how."""

    format: str = opt(
        "Export past runs in this format; without it, the name of the file says it", default="", flag="--export-format",
        choices=FORMATS, metavar="FORMAT", role=QUERY, spec=True,
    )  # fmt: skip
    script: str = opt(
        "Only runs of this script: a path, a file name, or the name of its runs", default="", flag="--export-script",
        metavar="SCRIPT", spec=True, positional=True,
    )  # fmt: skip
    output: str = opt(
        "File to write, replaced in one step; - is standard output, NAME.gz is compressed", default="-",
        flag="--export-output", metavar="FILE", spec=True,
    )  # fmt: skip
    metric: tuple[str, ...] = opt(
        "Only this figure, of the runs that have it (repeatable)", default=(), flag="--export-metric",
        metavar="METRIC", spec=True,
    )  # fmt: skip
    start_date: str | None = opt(
        "Only runs started since: 2026-01-31, 2026-01-31T12:00, 7d, yesterday", flag="--export-start-date",
        metavar="TIME", spec=True,
    )  # fmt: skip
    end_date: str | None = opt(
        "Only runs started until then; a day counts whole", flag="--export-end-date", metavar="TIME", spec=True
    )
    status: str = opt("Only runs that ended so", default="", flag="--export-status", choices=STATUSES, metavar="STATUS")
    tag: tuple[str, ...] = opt(
        "Only runs with this tag (repeatable)", default=(), flag="--export-tag", metavar="KEY=VALUE"
    )
    samples: bool = opt(
        "Export what was sampled too: inside JSON, beside CSV and Parquet in a file NAME.samples.*", default=False,
        flag="--export-samples",
    )  # fmt: skip
    full: bool = opt(
        "Export everything, so that an import restores it: samples, output, packages, variables", default=False,
        flag="--export-full",
    )  # fmt: skip


class ImportOptions(Options):
    """What is imported."""

    file: tuple[str, ...] = opt(
        "Export, report, record, or what another program wrote; - is standard input", default=(), metavar="FILE",
        positional=True,
    )  # fmt: skip
    dry_run: bool = opt(
        "Check the files and say what would be new, but store nothing", default=False, flag="--import-dry-run"
    )
