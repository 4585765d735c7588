"""Options that every query shares, and those of the questions about one metric and in SQL."""

from __future__ import annotations

from runner.engine.buckets import WIDTHS
from runner.options import QUERY, Options, opt
from runner.stores.aggregates import FUNCTIONS
from runner.stores.base import STATUSES

FORMATS = ("table", "json", "csv")
#: What ``--plot`` without a file means.
TERMINAL = "terminal"


class QueryOptions(Options):
    """How an answer is written."""

    format: str = opt("How answers are written", default="table", choices=FORMATS)


class SeriesOptions(Options):
    """One metric over time."""

    metric: str | None = opt(
        "Show the values of this metric, run by run", flag="--query-metric", metavar="METRIC", role=QUERY, spec=True,
        positional=True,
    )  # fmt: skip
    script: str = opt(
        "Only runs of this script: a path, a file name, or the name of its runs", default="", flag="--query-script",
        metavar="SCRIPT", spec=True, positional=True,
    )  # fmt: skip
    start: str | None = opt(
        "Only runs started since: 2026-01-31, 2026-01-31T12:00, 7d, yesterday", flag="--query-start", metavar="TIME",
        spec=True,
    )  # fmt: skip
    end: str | None = opt(
        "Only runs started until then; a day counts whole", flag="--query-end", metavar="TIME", spec=True
    )
    limit: int = opt(
        "Most values or buckets shown, the newest ones; what is aggregated is never cut", default=1000,
        flag="--query-limit", minimum=1, metavar="N", spec=True,
    )  # fmt: skip
    status: str = opt("Only runs that ended so", default="", flag="--query-status", choices=STATUSES, metavar="STATUS")
    tag: tuple[str, ...] = opt(
        "Only runs with this tag (repeatable)", default=(), flag="--query-tag", metavar="KEY=VALUE"
    )
    aggregate: str = opt(
        "Show one figure for all values instead", default="", choices=FUNCTIONS, metavar="FUNCTION", spec=True
    )
    aggregations: bool = opt("Show every such figure", default=False, spec=True)
    bucket: str = opt(
        "Aggregate in buckets of time; a day is one of this machine's zone", default="", choices=tuple(WIDTHS),
        metavar="SIZE", spec=True,
    )  # fmt: skip
    plot: str = opt(
        "Draw it: in the terminal, or into a file that ends in .svg, .html or .png", default="", bare=TERMINAL,
        metavar="FILE",
    )  # fmt: skip


class MetricsOptions(Options):
    """The metrics there are."""

    script: str = opt(
        "Count only the runs of this script: a path, a file name, or the name of its runs", default="",
        metavar="SCRIPT", positional=True,
    )  # fmt: skip
    metrics_list: bool = opt(
        "List every metric: its unit, how it is known, how many runs have it, since when, and what it means",
        default=False, role=QUERY, spec=True,
    )  # fmt: skip


class SqlOptions(Options):
    """A question in SQL."""

    query: str = opt(
        "A SELECT on the views runs, scripts, daily and alerts", default="", metavar="QUERY", positional=True
    )
    schema: bool = opt("Show the views and their columns", default=False, flag="--sql-schema")
    samples: str = opt(
        "Add a view, samples, with what was sampled in this run", default="", flag="--sql-samples", metavar="RUN"
    )
    limit: int | None = opt(
        "Most rows; without it, 1000 in a table and all of them in JSON and CSV", flag="--sql-limit", minimum=1,
        metavar="N",
    )  # fmt: skip
    timeout: float = opt(
        "Give up after this long", default=30.0, flag="--sql-timeout", unit="seconds", minimum=0.001, metavar="DURATION"
    )
