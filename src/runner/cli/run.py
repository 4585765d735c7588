"""Runs what a line names, shows what it cost, and ends as it ended."""

from __future__ import annotations

import os

from runner.agent.spawn import script_environment
from runner.cli.settings import Settings
from runner.cli.table import COMMANDS
from runner.engine.execution import Execution
from runner.engine.run_options import MonitorOptions, RecordOptions, RunOptions, ShowOptions
from runner.engine.target import locate
from runner.executors.here import Here

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.agent.events import Ended
    from runner.cli.line import Line
    from runner.engine.execution import Report
    from runner.model.run import Attempt, Run
    from runner.policy.retry import RetryPolicy


def run(line: Line) -> int:
    """Run the script of a line.

    Returns:
        The exit code; does not return where a signal ended the script, since the runner then dies of it too.

    Raises:
        UsageError: Something on the line or in a file makes no sense; nothing has been started.
    """
    environ = dict(os.environ)
    settings = Settings(line, environ)
    options = settings.get("run", RunOptions)
    show = settings.get("show", ShowOptions)
    env = script_environment()
    if options.env or options.env_file or options.tag:
        from runner.engine.environment import extend, pairs

        env = extend(env, options)
        pairs(options.tag, "--tag")  # whatever can be refused is refused now
    assert line.target is not None
    target = locate(line.target, line.args, options, env, COMMANDS)
    execution = Execution(
        target,
        env,
        options,
        settings.get("monitor", MonitorOptions),
        settings.get("record", RecordOptions),
        Here(),
        _retry(settings, options),
        _reports(settings),
        words=line.words,
    )
    if options.dry_run:
        from runner.cli.dry_run import describe

        return describe(execution, settings)
    _warn(show, [*settings.config.warnings, *line.warnings])
    execution.start()
    try:
        finished = execution.finish()
        _show(execution, finished, show)
        signal, code = _deadly(finished.last), finished.last.exit_code
    except Exception as error:  # whatever is wrong with the runner, the script's end stands
        end = execution.make_do()
        _confess(error, show)
        signal, code = (0, 125) if end is None else (_deadly(end), end.exit_code)
    signal = execution.interrupted_by or signal
    if signal:
        from runner.agent.exit import die_of

        die_of(signal)
    return 125 if code is None else code


def _show(execution: Execution, run: Run, show: ShowOptions) -> None:
    from runner.cli.output import Screen, summarize

    _warn(show, execution.warnings)
    summarize(Screen(), run, show)


def _confess(error: Exception, show: ShowOptions) -> None:
    from runner.cli.output import Screen, warn

    warn(Screen(), f"the runner itself failed, the script did not notice: {type(error).__name__}: {error}")
    if show.log_level == "DEBUG":
        import traceback

        traceback.print_exception(error)


def _retry(settings: Settings, options: RunOptions) -> RetryPolicy | None:
    if settings.asked("retry") is None:
        return None
    from runner.policy.retry import RetryOptions, RetryPolicy

    policy = RetryPolicy(settings.get("retry", RetryOptions))
    if options.direct:
        policy.refuse_error_classes()
    return policy


def _reports(settings: Settings) -> list[Report]:
    if settings.asked("json") is None:
        return []
    from runner.exporters.json_report import JsonOptions, JsonReport

    return [JsonReport(settings.get("json", JsonOptions).json_output)]


def _warn(show: ShowOptions, warnings: list[str]) -> None:
    if warnings:
        from runner.cli.output import Screen, warn

        for warning in warnings:
            warn(Screen(), warning, show)


def _deadly(attempt: Attempt | Ended) -> int:
    """Return the signal the runner is to die of as the script did; after a timeout or limit both end with 124."""
    from runner.agent.events import CANCELLED, OOM_KILLED, SIGNALED

    died = attempt.reason in (SIGNALED, CANCELLED, OOM_KILLED)
    return attempt.signal or 0 if died else 0
