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
    from collections.abc import Callable

    from runner.agent.events import Ended
    from runner.cli.alerting import Alerts
    from runner.cli.line import Line
    from runner.cli.repeating import Repeating
    from runner.engine.ci import Judge
    from runner.engine.execution import Report
    from runner.engine.heartbeat import Heartbeat
    from runner.engine.limit_options import LimitOptions
    from runner.engine.locks import Lock
    from runner.engine.own_log import OwnLog
    from runner.engine.progress_options import ProgressOptions
    from runner.engine.target import Target
    from runner.model.run import Attempt, Run
    from runner.policy.retry import RetryPolicy

#: What the runner exits with where the script succeeded and what was judged of it did not pass.
GATE_FAILED = 3
#: Owners of the options of reports.
REPORTS = ("json", "junit", "tap", "markdown", "html", "gitlab")


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
    own = _own_log(settings, show)
    env = _environment(options)
    retry, reports = _retry(settings, options), _reports(settings, environ, line)
    judge = _judge(settings, environ)
    alerts = _alerts(settings, environ)
    progress = _progress(settings, options, environ)
    target = _locate(line, options, show, env)
    here = Here()
    monitor, record = settings.get("monitor", MonitorOptions), settings.get("record", RecordOptions)
    execution = Execution(
        target, env, options, monitor, record, here, retry, reports, judge,
        words=line.words,
        hold=progress is not None and progress.only_on_failure,
        limits=_limits(settings, options),
        lock=_lock(settings, target, options),
        waiting=lambda text: _tell(show, text),
    )  # fmt: skip
    heartbeat = _heartbeat(settings)
    if options.dry_run:
        from runner.cli.dry_run import describe

        return describe(execution, settings)
    said = [*settings.config.warnings, *line.warnings, *(alerts.warnings if alerts is not None else ())]
    if not execution.job.capture:
        _warn(show, said)
        said = []

    def begin() -> None:
        if heartbeat is not None and not execution.skipped:
            heartbeat.begin()
        _watch(execution, here, progress, show, environ)
        if own is not None:
            own.follow(execution)

    repeating = _repeating(settings, execution, here, begin, show)
    _start(execution, repeating, line)
    try:
        if repeating is None:
            begin()
            if alerts is not None:
                alerts.begin(execution, here, show)
        finished = (repeating or execution).finish()
        if judge is not None:
            execution.warnings += judge.warnings
        _end(execution, here, finished, show, said, alerts)
        _tell_others(settings, show, finished, alerts, heartbeat)
        signal, code = _deadly(finished.last), finished.last.exit_code
        if finished.last.success and not passed(execution):
            code = GATE_FAILED
    except Exception as error:  # whatever is wrong with the runner, the script's end stands
        signal, code = _make_do(execution, here, error, show)
    _die_of(execution.interrupted_by or signal)
    return 125 if code is None else code


def _start(execution: Execution, repeating: Repeating | None, line: Line) -> None:
    """Start the script; does not return where a signal ended the wait for the lock."""
    if execution.lock is not None:
        _hide(line)  # the wait may be long
    (repeating or execution).start()
    _hide(line)
    _die_of(execution.interrupted_by)


def _die_of(signal: int) -> None:
    if signal:
        from runner.agent.exit import die_of

        die_of(signal)


def _hide(line: Line) -> None:
    """Take addresses that stand on the line and are secrets out of what other users see of this process."""
    channels, heartbeat = line.given.get("channels", {}), line.given.get("heartbeat", {})
    given = [*channels.get("slack_webhook", ()), *heartbeat.get("heartbeat", ())]
    if given:
        from runner.engine.title import hide

        hide(given)


def _environment(options: RunOptions) -> dict[str, str]:
    """Return the script's environment."""
    env = script_environment()
    if options.env or options.env_file or options.tag:
        from runner.engine.environment import extend, pairs

        env = extend(env, options)
        pairs(options.tag, "--tag")  # whatever can be refused is refused now
    return env


def _locate(line: Line, options: RunOptions, show: ShowOptions, env: dict[str, str]) -> Target:
    """Return what is executed, in the environment it asked for."""
    assert line.target is not None
    target = locate(line.target, line.args, options, env, COMMANDS)
    environment = target.environment
    if environment is None or options.dry_run:
        return target
    if environment.make is None:
        environment.activate(env)
        return target
    from runner.cli.telling import Telling

    with Telling(show) as telling:
        target.prepare(env, telling.tell)
    return target


def _progress(settings: Settings, options: RunOptions, environ: dict[str, str]) -> ProgressOptions | None:
    if settings.asked("progress") is None:
        return None
    from runner.cli.showing import check
    from runner.engine.progress_options import ProgressOptions

    progress = settings.get("progress", ProgressOptions)
    check(progress, options, environ)
    return progress


def _watch(
    execution: Execution, here: Here, progress: ProgressOptions | None, show: ShowOptions, environ: dict[str, str]
) -> None:
    """Have the script shown while it runs, where anybody looks on or asked for it, and load what follows it."""
    if progress is not None or os.isatty(2):
        from runner.cli.showing import begin

        begin(execution, here, progress, show, environ)
    if not show.quiet:
        from runner.cli import output, usual_row  # noqa: F401


def _uncover(here: Here, execution: Execution, failed: bool) -> None:
    if here.overlay is not None:
        here.overlay.finish(failed)
        trouble = here.overlay.trouble
        if trouble is not None:
            execution.warnings.append(f"what is shown during a run failed, the script did not notice: {trouble!r}")


def _limits(settings: Settings, options: RunOptions) -> LimitOptions | None:
    if settings.asked("limits") is None:
        return None
    from runner.engine.limit_options import LimitOptions

    limits = settings.get("limits", LimitOptions)
    limits.check(options.direct)
    return limits


def _lock(settings: Settings, target: Target, options: RunOptions) -> Lock | None:
    if settings.asked("lock") is None:
        return None
    from runner.cli.output import Screen
    from runner.engine.limit_options import LockOptions
    from runner.engine.locks import make_lock

    lock = make_lock(settings.get("lock", LockOptions), target, options.cwd)
    if lock is not None and Screen().terminal:
        lock.silence = 0.0  # somebody is looking
    return lock


def _heartbeat(settings: Settings) -> Heartbeat | None:
    if settings.asked("heartbeat") is None:
        return None
    from runner.engine.heartbeat import Heartbeat, HeartbeatOptions

    url = settings.get("heartbeat", HeartbeatOptions).heartbeat
    return Heartbeat(url) if url else None


def _own_log(settings: Settings, show: ShowOptions) -> OwnLog | None:
    """Return the runner's own log, and let what is said go there too; None where none is kept."""
    if settings.asked("own-log") is None and show.log_level != "DEBUG":
        return None
    from runner.engine.own_log import OwnLog
    from runner.engine.own_log_options import OwnLogOptions

    options = settings.get("own-log", OwnLogOptions)
    if options.wanted or show.log_level == "DEBUG":
        show.own_log = OwnLog.made_of(options, show.log_level, show.quiet)
    return show.own_log


def _tell_others(
    settings: Settings, show: ShowOptions, run: Run, alerts: Alerts | None, heartbeat: Heartbeat | None
) -> None:
    """Send alerts and the heartbeat, last of all, and say what helps to find a mistake in them."""
    if alerts is not None:
        _warn(show, alerts.send())
    if heartbeat is not None:
        _warn(show, heartbeat.end(run))
    if show.own_log is not None and show.log_level == "DEBUG":
        from runner.cli.debugging import explain

        explain(show.own_log, settings, run, alerts)


def _tell(show: ShowOptions, text: str) -> None:
    """Say what the runner is doing before the script begins, or between two runs."""
    if show.own_log is not None and show.own_log.speaks:
        show.own_log.event("note", "INFO", text=text)
    elif not (show.quiet or show.log_level == "ERROR"):
        from runner.cli.output import Screen

        screen = Screen()
        screen.write(f"runner: {screen.plain(text)}\n")


def _repeating(
    settings: Settings, execution: Execution, here: Here, begin: Callable[[], None], show: ShowOptions
) -> Repeating | None:
    """Return what runs the script several times, None where once is enough."""
    if settings.asked("confirm") is None:
        return None
    from runner.engine.confirm import ConfirmOptions

    confirm = settings.get("confirm", ConfirmOptions)
    if not confirm.repeats:
        return None
    from runner.cli.repeating import Repeating

    return Repeating(
        execution, here, confirm, begin, lambda lines: _warn(show, lines), lambda text: _tell(show, text)
    )


def _make_do(execution: Execution, here: Here, error: Exception, show: ShowOptions) -> tuple[int, int | None]:
    """Carry the script to its end after the runner has failed; return the signal that ended it, and its exit code."""
    end = execution.make_do()
    _uncover(here, execution, failed=True)
    _confess(error, show)
    return (0, 125) if end is None else (_deadly(end), end.exit_code)


def passed(execution: Execution) -> bool:
    """Whether a finished run passes what was judged of it."""
    return execution.judgement is None or execution.judgement.passed


def _end(
    execution: Execution, here: Here, run: Run, show: ShowOptions, said: list[str], alerts: Alerts | None
) -> None:
    """Say what is to be said of a run: of one whose output is held back nothing, as long as it succeeds.

    Args:
        execution: Carried the run.
        here: Where it was carried out.
        run: The run.
        show: What is to be said.
        said: Warnings of the line and the configuration that were held back too.
        alerts: Its alerts; one that fires is shown whatever else is not.
    """
    if alerts is not None:
        alerts.judge(run, execution.unrecorded)
    if show.own_log is not None:
        show.own_log.end(run, execution.judgement)
        if alerts is not None:
            show.own_log.alerts(each.to_dict() for each in alerts.alerting.fired)
        execution.warnings += show.own_log.trouble
    good = run.last.success and passed(execution)
    _uncover(here, execution, failed=not good)
    from runner.cli.output import Screen, summarize

    if execution.job.capture and good:
        _warn(show, execution.warnings)
        if alerts is not None:
            alerts.show(Screen(), show)
        return
    _warn(show, [*said, *execution.warnings])
    if show.own_log is not None and show.own_log.speaks:
        return  # its events say the same
    screen = Screen()
    summarize(screen, run, show)
    if execution.judgement is not None:
        from runner.cli.gates_shown import show_judgement

        show_judgement(screen, execution.judgement, show)
    if alerts is not None:
        alerts.show(screen, show)


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


def _judge(settings: Settings, environ: dict[str, str]) -> Judge | None:
    if settings.asked("ci") is None:
        return None
    from runner.engine.ci import CiOptions, Judge

    record = settings.get("record", RecordOptions)
    return Judge(settings.get("ci", CiOptions), record.history_db, environ)


def _alerts(settings: Settings, environ: dict[str, str]) -> Alerts | None:
    if settings.asked("alerts") is None and settings.asked("channels") is None:
        return None
    from runner.cli.alerting import Alerts

    return Alerts(settings, environ)


def _reports(settings: Settings, environ: dict[str, str], line: Line) -> list[Report]:
    if environ.get("GITHUB_ACTIONS") != "true" and not any(settings.asked(owner) is not None for owner in REPORTS):
        return []
    from runner.engine.reports import make_reports

    script = str(line.target[1]) if line.target is not None and line.target[0] == "script" else ""
    return make_reports(settings.asked, environ, script)


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
