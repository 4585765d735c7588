"""Options of the commands about one run that has ended: show it, and run it again."""

from __future__ import annotations

from runner.options import Options, opt

_RUN = "The run: its id or the beginning of it, last, last:SCRIPT, or -2 for the one before the last"


class OneRunOptions(Options):
    """What is shown of a run."""

    run: str = opt(_RUN, default="last", metavar="RUN", positional=True)
    attempt: int | None = opt("Only this attempt", flag="--show-attempt", minimum=1, metavar="N")
    lines: int = opt("Most lines of each output stream", default=20, flag="--show-lines", minimum=0, metavar="N")
    raw: bool = opt("The output exactly as the script wrote it, whatever it does to a terminal", default=False,
                    flag="--show-raw")  # fmt: skip
    samples: bool = opt("With --format json, every sample as well", default=False, flag="--show-samples")
    plot: str = opt("Draw the curves into a file: .svg, .html or .png", default="", flag="--show-plot", metavar="FILE")


class RerunOptions(Options):
    """Which run is done again, and how."""

    run: str = opt(_RUN, default="last", metavar="RUN", positional=True)
    edit: bool = opt("Change the line in an editor first", default=False, flag="--rerun-edit")
