"""Options of ``runner gate --base``: which revisions are run, and what counts as worse."""

from __future__ import annotations

from runner.options import Options, opt


class RevisionOptions(Options):
    """Which two revisions of the code are compared, and how."""

    base: str = opt(
        "Run the script at this git revision too, in turn, and fail if it got worse since", default="",
        flag="--gate-base", metavar="REV",
    )  # fmt: skip
    head: str = opt(
        "Judge this revision; without, the working tree as it is", default="", flag="--gate-head", metavar="REV"
    )
    setup: str = opt(
        "Have a shell do this in each worktree first: build, install", default="", flag="--gate-setup",
        metavar="COMMAND",
    )  # fmt: skip
    metric: tuple[str, ...] = opt(
        "Compare this metric; without, wall time, CPU time and peak memory (repeatable)", default=(),
        flag="--gate-metric", metavar="METRIC",
    )  # fmt: skip
    min_effect: str = opt(
        "Smallest change that matters, in percent", default="3%", flag="--gate-min-effect", metavar="PERCENT"
    )
    confidence: float = opt(
        "How often all intervals together hold the true changes", default=0.99, flag="--gate-confidence", minimum=0.5,
        maximum=0.9999, metavar="PART",
    )  # fmt: skip
    seed: int = opt("Begins the random order of the runs", default=0, flag="--gate-seed", metavar="NUMBER")
    input: str = opt("File that each run reads as its standard input", default="", flag="--gate-input", metavar="FILE")
