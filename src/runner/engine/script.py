"""The Python API of a run: ``ScriptRunner("job.py").run_script()``."""

from __future__ import annotations

import os

from runner.engine.execution import Execution
from runner.engine.heartbeat import Heartbeat
from runner.engine.interrupt import HeldInterrupt
from runner.engine.limit_options import LimitOptions, LockOptions
from runner.engine.locks import make_lock
from runner.engine.own_log import log_of_program
from runner.engine.run_options import MonitorOptions, RecordOptions, RunOptions
from runner.engine.target import locate
from runner.executors.process import Process
from runner.model.errors import UsageError
from runner.model.run import label_of
from runner.policy.retry import RetryOptions, RetryPolicy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from runner.agent.events import Event
    from runner.engine.alert_api import AlertManager
    from runner.engine.ci_api import CicdIntegration
    from runner.engine.history import HistoryManager
    from runner.model.run import Run


class ScriptRunner:
    """Runs a script from another program, and measures it as the command does.

    The agent runs as a small process of its own, so that figures are exact whatever the size of this program, and its
    other children are left alone. The script inherits standard input, output and error of this process.

    Args:
        script_path: The script, or an executable file.
        script_args: Its arguments.
        timeout: Seconds after which an attempt is ended with its whole tree.
        python: Interpreter; the one that runs this program where None.
        cwd: Directory to run in.
        env: Variables set for the script on top of this program's own.
        name: Name of the script in the record.
        tags: Tags of the run.
        monitor_interval: Seconds between two samples, from 0.01 up.
        memory: ``"rss"`` or ``"pss"``.
        kill_after: Seconds between TERM and KILL when a tree is ended.
        kill_tree: Whether descendants that outlive the script are ended.
        script_deps: Whether a script that names its dependencies (PEP 723) runs in an environment that has them, made
            on first use; not where `python` is given.
        heartbeat: Address of a check that is pinged at start, success and failure, as healthchecks.io has it.
        max_memory: Bytes of memory, or a text such as ``"2GB"``, above which an attempt is ended with its whole tree.
            Memory is sampled, once a second or more often.
        max_cpu_time: The same for seconds of CPU time.
        max_output: The same for bytes of output; no more than that is passed on.
        idle_timeout: Seconds without output after which an attempt is ended.
        nice: Niceness of the script, from -20 to 19; that of this program where None.
        ionice: Class of its disk accesses: ``idle``, ``best-effort[:0-7]`` or ``realtime[:0-7]``.
        lock: Name of a lock, or path of a file, that the run holds while it lasts.
        no_overlap: What becomes of the run where another one has the lock, or, without a lock, where another one of
            this script runs: ``wait`` (the default), ``fail`` (reason ``failed-to-start``) or ``skip`` (``skipped``).
        lock_timeout: Seconds to wait for the lock before the run fails, or is skipped.

    Attributes:
        history_manager: Where runs are remembered; None (the default) remembers nothing.
        alert_manager: What is told of the runs, and whom.
        cicd_integration: Gates that runs have to pass, and reports of them.

    Raises:
        UsageError: A value does not fit.
    """

    def __init__(
        self,
        script_path: str | os.PathLike[str],
        script_args: Sequence[str] | None = None,
        timeout: float | None = None,
        *,
        python: str | None = None,
        cwd: str | os.PathLike[str] | None = None,
        env: Mapping[str, str] | None = None,
        name: str = "",
        tags: Mapping[str, str] | None = None,
        monitor_interval: float = 0.1,
        memory: str = "rss",
        kill_after: float = 10.0,
        kill_tree: bool = False,
        script_deps: bool = True,
        heartbeat: str = "",
        max_memory: int | str | None = None,
        max_cpu_time: float | str | None = None,
        max_output: int | str | None = None,
        idle_timeout: float | str | None = None,
        nice: int | None = None,
        ionice: str = "",
        lock: str | None = None,
        no_overlap: str | None = None,
        lock_timeout: float | None = None,
    ) -> None:
        self.script_path = os.fspath(script_path)
        if isinstance(script_args, (str, bytes)):
            raise UsageError(f"script_args: a list of arguments is needed, not the text {script_args!r}")
        self.script_args = [str(argument) for argument in script_args or ()]
        self.history_manager: HistoryManager | None = None
        self._alerts: AlertManager | None = None
        self._ci: CicdIntegration | None = None
        self._env = {str(key): str(value) for key, value in (env or {}).items()}
        self._run_options = RunOptions.checked(
            timeout=timeout,
            kill_after=kill_after,
            kill_tree=kill_tree,
            python=python or "",
            no_script_deps=not script_deps,
            cwd=os.fspath(cwd) if cwd is not None else "",
            name=name,
            tag=tuple(f"{key}={value}" for key, value in (tags or {}).items()),
        )
        self._heartbeat = heartbeat
        if heartbeat:
            Heartbeat(heartbeat)  # whatever can be refused is refused now
        self._monitor_options = MonitorOptions.checked(interval=monitor_interval, memory=memory)
        self._limits = LimitOptions.checked(
            max_memory=max_memory,
            max_cpu_time=max_cpu_time,
            max_output=max_output,
            idle_timeout=idle_timeout,
            nice=nice,
            ionice=ionice,
        )
        self._limits.check()
        self._lock_options = LockOptions.checked(lock=lock, no_overlap=no_overlap, lock_timeout=lock_timeout)
        self._lock_options.check()
        self._retry: RetryPolicy | None = None

    def configure_retry(
        self,
        max_attempts: int = 3,
        strategy: str = "exponential",
        initial_delay: float = 1.0,
        max_delay: float = 60.0,
        multiplier: float = 2.0,
        max_total_time: float | None = None,
        retry_on_errors: Sequence[str] | str = (),
        skip_on_errors: Sequence[str] | str = (),
    ) -> None:
        """Try a failed script again.

        Args:
            max_attempts: Attempts in all, the first included.
            strategy: ``linear``, ``exponential``, ``fibonacci`` or ``exponential_jitter``.
            initial_delay: Seconds before the first retry.
            max_delay: Longest delay in seconds.
            multiplier: Growth of an exponential delay.
            max_total_time: Seconds after the first start beyond which no attempt is started.
            retry_on_errors: Retry only these: exception classes, ``timeout``, ``signal:N``, ``exit:N``; a list, or a
                text with commas between them.
            skip_on_errors: Never retry these.

        Raises:
            UsageError: A value does not fit.
        """
        options = RetryOptions.checked(
            max_attempts=max_attempts,
            retry_strategy=strategy,
            retry_delay=initial_delay,
            retry_max_delay=max_delay,
            retry_multiplier=multiplier,
            retry_max_time=max_total_time,
            retry_on_errors=retry_on_errors,
            skip_on_errors=skip_on_errors,
        )
        self._retry = RetryPolicy(options)

    @property
    def alert_manager(self) -> AlertManager:
        """Alerts of the runs; nobody is told of anything before some are added."""
        if self._alerts is None:
            from runner.engine.alert_api import AlertManager

            self._alerts = AlertManager()
        return self._alerts

    @alert_manager.setter
    def alert_manager(self, manager: AlertManager) -> None:
        self._alerts = manager

    @property
    def cicd_integration(self) -> CicdIntegration:
        """Gates that runs have to pass, and reports of them."""
        if self._ci is None:
            from runner.engine.ci_api import CicdIntegration

            self._ci = CicdIntegration(label_of(self._run_options.name, self.script_path))
        return self._ci

    def run_script(self, watch: Callable[[Event, int], None] | None = None) -> dict[str, Any]:
        """Run the script to its end, retries included.

        Args:
            watch: Called with each event of the agent and the number of its attempt, while the script runs.

        Returns:
            The run as the JSON report has it, and besides: ``metrics`` (a flat dict that ``json.dump`` takes),
            ``stdout`` and ``stderr`` (what was kept of the output, as text), ``warnings``, ``alerts`` (what fired, as
            `AlertManager.check_alerts` returns it).

        Raises:
            KeyboardInterrupt: Ctrl-C came while the script ran; the run was recorded first.
        """
        env = {**os.environ, **self._env}
        history = self.history_manager
        record = RecordOptions(disable_history=history is None, history_db=history.db_path if history else "")
        script = ("script", self.script_path)
        # The program that calls is a Python program: its interpreter runs the script too.
        target = locate(script, self.script_args, self._run_options, env, program=__file__)
        target.prepare(env, lambda text, final: None)
        alerts = self._alerts.alerting(record.history_db) if self._alerts is not None and self._alerts.in_use else None
        fired: list[dict[str, Any]] = []
        with HeldInterrupt() as interrupt:
            execution = Execution(
                target,
                env,
                self._run_options,
                self._monitor_options,
                record,
                Process(interrupt.came),
                self._retry,
                watch=watch,
                limits=self._limits,
                lock=make_lock(self._lock_options, target, self._run_options.cwd),
            )
            try:
                execution.start()
                if execution.interrupted_by:
                    raise KeyboardInterrupt
                heartbeat = Heartbeat(self._heartbeat) if self._heartbeat else None
                if heartbeat is not None and not execution.skipped:
                    heartbeat.begin()
                looking = None if alerts is None else self.alert_manager.watch(execution, alerts)
                log = log_of_program()
                if log is not None:
                    log.follow(execution)
                run = execution.finish()
                if log is not None:
                    log.end(run)
                if alerts is not None:
                    fired = self.alert_manager.conclude(alerts, run, looking=looking)
                    if log is not None:
                        log.alerts(fired)
                    execution.warnings += alerts.warnings
                if heartbeat is not None:
                    execution.warnings += heartbeat.end(run)
            finally:
                execution.release()
        return {**_result(run, execution.warnings), "alerts": fired}


def _result(run: Run, warnings: list[str]) -> dict[str, Any]:
    texts = {stream: tail.text() for stream, tail in run.last.output.items()}
    return {
        **run.to_dict(),
        "metrics": run.metrics(),
        "stdout": texts.get("stdout", ""),
        "stderr": texts.get("stderr", ""),
        "warnings": warnings,
    }
