"""Options of ``runner compare``: which runs, and where their curves are drawn."""

from __future__ import annotations

from runner.options import Options, opt


class CompareOptions(Options):
    """Which runs are compared."""

    run: str = opt(
        "A run: its id or the beginning of it, last, last:SCRIPT, or -2 for the one before the last", default="last",
        metavar="RUN", positional=True,
    )  # fmt: skip
    other: str = opt(
        "The run that is compared with it; without it, RUN is compared with what is usual", default="", metavar="OTHER",
        positional=True,
    )  # fmt: skip
    plot: str = opt(
        "Draw their curves into a file that ends in .svg, .html or .png, instead of below the figures", default="",
        flag="--compare-plot", metavar="FILE",
    )  # fmt: skip
