"""Options that every query shares."""

from __future__ import annotations

from runner.options import Options, opt

FORMATS = ("table", "json", "csv")


class QueryOptions(Options):
    """How an answer is written."""

    format: str = opt("How answers are written", default="table", choices=FORMATS)
