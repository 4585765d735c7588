"""Decides what a terminal shows while a script runs: nothing, the live line, the panel; or what is held back."""

from __future__ import annotations

import os
import stat

from runner.model.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.agent.overlay import Overlay
    from runner.cli.live import Live
    from runner.engine.execution import Execution
    from runner.engine.progress_options import ProgressOptions
    from runner.engine.run_options import RunOptions, ShowOptions
    from runner.executors.here import Here


def check(progress: ProgressOptions, options: RunOptions, environ: Mapping[str, str]) -> None:
    """Refuse what can't be shown, before anything starts.

    Raises:
        UsageError: There is no terminal for a panel, or two options exclude each other.
    """
    if progress.only_on_failure and options.direct:
        raise UsageError("--only-on-failure: output that --direct hands through can't be held back; leave one out")
    if progress.progress and progress.no_progress and progress.rank("progress") == progress.rank("no_progress"):
        raise UsageError("--progress and --no-progress exclude each other")
    if not progress.panel:
        return
    if progress.only_on_failure:
        raise UsageError("--panel: output that --only-on-failure holds back can't be shown; leave one out")
    if options.direct:
        raise UsageError("--panel: output that --direct hands through can't be shown; leave one out")
    if not _can_draw(environ):
        raise UsageError("--panel: standard error is no terminal that could show it")
    if not _is_apart(1):
        raise UsageError("--panel: whatever reads standard output may write to the terminal too; redirect it to a file")


def live_line(
    progress: ProgressOptions | None, options: RunOptions, show: ShowOptions, environ: Mapping[str, str]
) -> Live | None:
    """Return the live line, None where it is not wanted or would be in the way.

    Args:
        progress: What was asked for, None for nothing.
        options: How the script runs.
        show: What the runner says.
        environ: The environment.
    """
    wanted = None if progress is None else progress.line
    if wanted is False or options.direct:
        return None
    # Whatever reads standard output may write to the terminal unseen, where the line is then in the way; a log of
    # continuous integration shows what a terminal does not.
    if wanted is None and (show.quiet or show.log_level == "ERROR" or environ.get("CI") or not _is_apart(1)):
        return None
    if not _can_draw(environ):
        return None
    from runner.cli.live import Live

    return Live()


def begin(
    execution: Execution,
    here: Here,
    progress: ProgressOptions | None,
    show: ShowOptions,
    environ: Mapping[str, str],
) -> None:
    """Have a started run shown, or held back, as was asked for."""
    overlay: Overlay
    if progress is not None and progress.only_on_failure:
        from runner.cli.hold import Hold

        overlay = Hold()
    elif progress is not None and progress.panel:
        from runner.cli.panel import Panel

        overlay = panel = Panel(execution)
        execution.watch = panel.tell
    else:
        line = live_line(progress, execution.options, show, environ)
        if line is None:
            return
        overlay = line
        line.execution = execution
        execution.watch = line.tell
    from runner.agent.overlay import Guard

    here.overlay = Guard(overlay)


def _can_draw(environ: Mapping[str, str]) -> bool:
    """Whether standard error is a terminal that can do more than print."""
    try:
        if not os.isatty(2):
            return False
    except OSError:
        return False
    from runner.cli.output import is_dumb  # of no use where there is no terminal

    return not is_dumb(environ)


def _is_apart(fd: int) -> bool:
    """Whether what is written there comes to the terminal through us or not at all."""
    try:
        mode = os.fstat(fd).st_mode
    except OSError:
        return True  # closed
    return stat.S_ISREG(mode) or stat.S_ISCHR(mode)
