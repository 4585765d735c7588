"""Options of ``runner baseline``: which file is shown or changed, and what of it."""

from __future__ import annotations

from runner.options import Options, opt


class BaselineFileOptions(Options):
    """Which baseline is shown, or forgotten."""

    file: str = opt("The baseline; without it, that of --baseline", default="", metavar="FILE", positional=True)
    all_keys: bool = opt(
        "Everything in the file, not only what belongs to this branch and machine", default=False,
        flag="--baseline-all-keys",
    )  # fmt: skip


class BaselineAcceptOptions(Options):
    """Which figures are normal from now on."""

    file: str = opt("The baseline; without it, that of --baseline", default="", metavar="FILE", positional=True)
    run: str = opt(
        "Run whose figures are normal from now on: a file of --json-output, an id, last, last:SCRIPT or -2; without "
        "it, the newest ones that the baseline keeps", default="", metavar="RUN", positional=True,
    )  # fmt: skip
