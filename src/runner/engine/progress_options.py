"""Options of what is shown while a script runs, and of what is not."""

from __future__ import annotations

from runner.options import RUN, Options, opt


class ProgressOptions(Options):
    """What a terminal shows while the script runs."""

    progress: bool | None = opt(
        "Show a live line while the script runs, even where another program writes to the terminal too", default=None,
        env="RUNNER_PROGRESS", role=RUN,
    )  # fmt: skip
    no_progress: bool = opt("Show no live line", default=False, role=RUN)
    panel: bool = opt(
        "Show output, curves and processes on the whole screen while the script runs", default=False, role=RUN
    )
    only_on_failure: bool = opt(
        "Hold output back, and show it only if the run failed", default=False, env="RUNNER_ONLY_ON_FAILURE", role=RUN
    )

    @property
    def line(self) -> bool | None:
        """Whether the live line is shown; None where that is left to us."""
        return False if self.no_progress else self.progress
