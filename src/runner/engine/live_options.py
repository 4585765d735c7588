"""Options of the commands about runs that are running: which run, what of it, and how often."""

from __future__ import annotations

from runner.options import Options, opt


class WatchOptions(Options):
    """How an answer about running runs is kept up to date."""

    watch: float | None = opt(
        "Show it anew every so many seconds until Ctrl-C", flag="--live-watch", unit="seconds", minimum=0.1,
        maximum=86400, metavar="SECONDS", bare="2",
    )  # fmt: skip


class TopOptions(Options):
    """Whose processes are shown."""

    run: str = opt("The running run: its id or the beginning of it, last, or last:SCRIPT", default="last",
                   metavar="RUN", positional=True)  # fmt: skip


class LogsOptions(Options):
    """Which output of which run is shown."""

    run: str = opt("The run: its id or the beginning of it, last, last:SCRIPT, or -2 for the one before the last",
                   default="last", metavar="RUN", positional=True)  # fmt: skip
    head: int | None = opt("Only the first lines", flag="--logs-head", minimum=0, metavar="N")
    tail: int | None = opt("Only the last lines", flag="--logs-tail", minimum=0, metavar="N")
    follow: bool = opt("Go on until the run ends, showing what comes", default=False, flag="--logs-follow")
    stdout: bool = opt("Only standard output", default=False, flag="--logs-stdout")
    stderr: bool = opt("Only standard error", default=False, flag="--logs-stderr")
    attempt: int | None = opt("Only this attempt", flag="--logs-attempt", minimum=1, metavar="N")
    grep: str = opt("Only lines in which the regular expression is found; exit code 1 if there is none", default="",
                    flag="--logs-grep", metavar="PATTERN")  # fmt: skip
    ignore_case: bool = opt("Let --grep ignore case", default=False, flag="--logs-ignore-case")
    timestamps: bool = opt("Show when each line was written", default=False, flag="--logs-timestamps")
    raw: bool = opt("Exactly the bytes that the script wrote, whatever they do to a terminal", default=False,
                    flag="--logs-raw")  # fmt: skip


class CancelOptions(Options):
    """Which running runs are ended, and how."""

    runs: tuple[str, ...] = opt("The running runs: ids or beginnings of them, last, or last:SCRIPT", default=(),
                                metavar="RUN", positional=True)  # fmt: skip
    script: str = opt("End all running runs of a script", default="", flag="--cancel-script", metavar="SCRIPT")
    kill_after: float | None = opt(
        "Grace between TERM and KILL, instead of that of the run", flag="--cancel-kill-after", unit="seconds",
        minimum=0, metavar="SECONDS",
    )  # fmt: skip
    no_wait: bool = opt("Ask for the end and do not wait for it", default=False, flag="--cancel-no-wait")
