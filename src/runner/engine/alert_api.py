"""The Python API of alerts: ``ScriptRunner.alert_manager``, or on its own for figures that were measured elsewhere."""

from __future__ import annotations

import os

from runner.engine.alert_options import compile_rule
from runner.engine.alerting import Alerting
from runner.engine.channels import CONSOLE, make_channel
from runner.model.errors import UsageError
from runner.policy.alerts import AFTER, THROTTLE_SECONDS, AlertRule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from runner.channels.base import Channel
    from runner.engine.alert_outcome import Fired
    from runner.engine.alert_watch import AlertWatch
    from runner.engine.execution import Execution
    from runner.engine.history import HistoryManager
    from runner.model.alert_state import AlertState
    from runner.model.notification import Notification
    from runner.model.run import Run


class CallableChannel:
    """A function of a program as a channel: what it raises is why it did not take a message.

    Args:
        name: What alerts call it.
        function: Called with each `Notification`. It may raise `runner.channels.base.Passing` to be called again later;
            anything else that it raises is final.
    """

    spawns = False

    def __init__(self, name: str, function: Callable[[Notification], object]) -> None:
        self.name = name
        self.function = function

    def send(self, notification: Notification, deadline: float) -> None:
        """Call the function with a message (see `Channel.send`)."""
        from runner.channels.base import Permanent, Undelivered

        try:
            self.function(notification)
        except Undelivered:
            raise
        except Exception as error:
            raise Permanent(f"{type(error).__name__}: {error}") from error


class AlertManager:
    """Alerts, and whom they are told.

    Args:
        history_manager: The record that remembers alerts between runs, so that one is told once whatever process finds
            it, and that keeps messages which can't be sent. Without one, this object remembers alerts as long as it
            lives; a message that can't be sent is then lost, which is said.

    Attributes:
        rules: The alerts, by name.
        channels: Whom they can be told, by name; the console (standard error) is always among them.
        warnings: Lines of trouble of the last `check_alerts`.
    """

    def __init__(self, history_manager: HistoryManager | None = None) -> None:
        self.history_manager = history_manager
        self.rules: dict[str, AlertRule] = {}
        self.channels: dict[str, Any] = {CONSOLE: make_channel(CONSOLE, {})}
        self.warnings: list[str] = []
        self._memory: dict[tuple[str, str, str], AlertState] = {}

    @property
    def in_use(self) -> bool:
        """Whether there is anything to tell, or anybody to tell what earlier runs left."""
        return bool(self.rules) or len(self.channels) > 1

    def add_alert(
        self,
        name: str,
        condition: str,
        channels: Sequence[str] | str = (),
        severity: str = "WARNING",
        throttle_seconds: float = THROTTLE_SECONDS,
        *,
        after: int = 1,
        when: str = AFTER,
        recover: bool | None = None,
    ) -> AlertRule:
        """Tell when a condition holds; an alert of the same name is replaced.

        Args:
            name: What the alert is called.
            condition: When it fires, such as ``"cpu_max > 80"`` or ``"failed and failures_in_a_row >= 3"``.
            channels: Whom it is told; every channel that is configured where none is named.
            severity: ``INFO``, ``WARNING`` or ``CRITICAL``.
            throttle_seconds: After a message, further firings are counted for so long, not told.
            after: How many runs in a row it has to hold before it is told.
            when: ``after`` the run, ``during`` it, or ``both``.
            recover: Whether it is told that it is over; None for all but alerts of severity INFO and those that are
                about a change.

        Returns:
            The alert.

        Raises:
            UsageError: The condition or another value makes no sense.
        """
        chosen = (channels,) if isinstance(channels, str) else tuple(channels or ())
        rule = AlertRule(name, condition, chosen, severity, throttle_seconds, after, when, recover)
        compile_rule(rule)
        self.rules[rule.name] = rule
        return rule

    def remove_alert(self, name: str) -> None:
        """Forget an alert, if there is one of that name."""
        self.rules.pop(name, None)

    def configure_slack(self, webhook_url: str, **settings: Any) -> None:
        """Tell a channel of Slack.

        Args:
            webhook_url: Its incoming webhook; ``file:PATH`` and ``keyring:SERVICE/USER`` say where it is to be had.
            settings: ``username``, ``icon_emoji``.

        Raises:
            UsageError: It is no address, or there is no such setting.
        """
        self.add_channel("slack", {"webhook_url": webhook_url, **settings})

    def configure_email(
        self, config: Mapping[str, Any] | str | os.PathLike[str] | None = None, **settings: Any
    ) -> None:
        """Send mail.

        Args:
            config: Settings by name, or a JSON or YAML file that holds them.
            settings: The same one by one: ``smtp_server``, ``smtp_port``, ``from_`` (``from`` in a mapping), ``to``,
                ``username``, ``password``, ``use_tls``.

        Raises:
            UsageError: One of them makes no sense, or one that is needed is missing.
        """
        if config is None or hasattr(config, "keys"):
            values: dict[str, Any] = dict(config or {})  # type: ignore[arg-type]
        else:
            from runner.engine.channels import read_email

            values = dict(read_email(os.fspath(config), os.environ))
        values.update(settings)
        for alias in ("from_", "from_addr", "from_address", "sender"):
            if alias in values:
                values["from"] = values.pop(alias)
        self.add_channel("email", values)

    def configure_webhook(self, url: str, **settings: Any) -> None:
        """Post messages as JSON to an address.

        Args:
            url: The address.
            settings: ``headers``, ``secret`` (signs each message), ``template``.

        Raises:
            UsageError: It is no address, or there is no such setting.
        """
        self.add_channel("webhook", {"url": url, **settings})

    def add_channel(self, name: str, channel: Callable[[Notification], object] | Channel | Mapping[str, Any]) -> None:
        """Add a channel, in place of one of that name.

        Args:
            name: What alerts call it.
            channel: A function that is called with each `Notification`; an object with a method ``send`` like
                `runner.channels.base.Channel`; or settings as a configuration file has them.

        Raises:
            UsageError: It is none of these, or the settings make no sense.
        """
        if hasattr(channel, "keys"):
            self.channels[name] = make_channel(name, channel)  # type: ignore[arg-type]
        elif hasattr(channel, "send"):
            self.channels[name] = channel
        elif callable(channel):
            self.channels[name] = CallableChannel(name, channel)
        else:
            raise UsageError(f"channel {name!r}: a function, a channel or its settings are needed, not {channel!r}")

    def check_alerts(
        self, metrics: Mapping[str, Any], script_name: str = "metrics", send: bool = True
    ) -> list[dict[str, Any]]:
        """Judge figures that were measured elsewhere, and tell what fires.

        Args:
            metrics: Figures by name, as ``result["metrics"]`` has them.
            script_name: What they belong to: throttling is by alert and script.
            send: Whether messages are sent; without it they are kept in the outbox of the record.

        Returns:
            For each alert that fired, or is over, ``name``, ``severity``, ``condition``, ``outcome`` (``told``,
            ``over``, ``waiting``, ``throttled``, ``acknowledged``, ``muted``), ``text``, ``more`` and ``channels``.

        Raises:
            UsageError: An alert goes to a channel that there is not.
            ValueError: A metric is no finite number.
        """
        from runner.engine.history_dicts import new_run

        alerting = self.alerting("" if self.history_manager is None else self.history_manager.db_path)
        fired = self.conclude(alerting, new_run(script_name, metrics, None), send)
        self.warnings = alerting.warnings
        return fired

    def alerting(self, record: str) -> Alerting:
        """Return the alerts of one run that a database remembers ("" for none).

        Raises:
            UsageError: An alert goes to a channel that there is not.
        """
        return Alerting(list(self.rules.values()), self.channels, record, self._memory)

    def watch(self, execution: Execution, alerting: Alerting) -> AlertWatch | None:
        """Judge what is to be judged while a script runs; None where there is nothing of the kind."""
        if not alerting.needs_watching or execution.skipped:
            return None
        from runner.engine.alert_watch import AlertWatch

        # In a file, a line of ours would be counted as the script's: the console is told when the run has ended.
        return AlertWatch(execution, alerting, lambda found: None)

    def conclude(
        self, alerting: Alerting, run: Run, send: bool = True, looking: AlertWatch | None = None
    ) -> list[dict[str, Any]]:
        """Judge a finished run, and tell what fires; return it as `check_alerts` does.

        Args:
            alerting: Its alerts.
            run: The run.
            send: Whether messages are sent.
            looking: What looked on while it lasted.
        """
        if looking is not None and not looking.end():
            alerting.warnings.append("alerts that are still being sent are left to the outbox")
            return [each.to_dict() for each in alerting.fired]
        try:
            alerting.judge(run)
            self._show(run, alerting.fired)
            if send:
                alerting.send()
            alerting.close()
        except Exception as error:  # whatever is wrong with alerts, the result of the run is there
            alerting.warnings.append(f"alerts failed: {type(error).__name__}: {error}")
        return [each.to_dict() for each in alerting.fired]

    def _show(self, run: Run, found: Sequence[Fired]) -> None:
        """Tell the console."""
        told = [each.part() for each in found if CONSOLE in each.channels]
        if told:
            from time import monotonic, time_ns

            from runner.engine.alert_message import make_message

            self.channels[CONSOLE].send(make_message(run, told, time_ns()), monotonic() + 1.0)
