"""Which alerts there are: flags, and the section ``alerts`` of a configuration file."""

from __future__ import annotations

from runner.model.errors import UsageError
from runner.model.notification import SEVERITIES
from runner.model.units import parse_seconds
from runner.options import RUN, Options, Section, Unset, opt
from runner.policy.alerts import AFTER, MOMENTS, AlertRule, parse_alert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runner.policy.conditions import Condition

_TEXT = {"type": "string"}

_SHAPE: dict[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "name": _TEXT,
            "condition": _TEXT,
            "channels": {"type": ["array", "string"], "items": _TEXT},
            "severity": {"type": "string", "enum": [*SEVERITIES, *map(str.lower, SEVERITIES)]},
            "throttle_seconds": {"type": ["number", "string"]},
            "after": {"type": "integer"},
            "when": {"type": "string", "enum": list(MOMENTS)},
            "recover": {"type": "boolean"},
        },
        "required": ["name", "condition"],
        "additionalProperties": False,
    },
    "examples": [[{"name": "slow", "condition": "execution_time_seconds > 5m", "channels": ["slack"]}]],
}


class AlertOptions(Options):
    """What is told of a run, and when."""

    alert_config: tuple[str, ...] = opt(
        "Alert where a condition holds (repeatable): failed:exit_code!=0, big:memory_max_mb>2GB", default=(),
        metavar="NAME:CONDITION", role=RUN, spec=True,
    )  # fmt: skip
    alerts: object = opt("Alerts, each with a name and a condition", default=None, yaml="alerts", shape=_SHAPE)


def make_rules(options: AlertOptions) -> list[AlertRule]:
    """Return the alerts; one of the command line takes the place of the file's of the same name.

    Raises:
        UsageError: One of them makes no sense, or two are called the same.
    """
    given = [parse_alert(text) for text in options.alert_config]
    _refuse_namesakes(given, "--alert-config")
    filed = []
    for section in options.alerts if isinstance(options.alerts, list) else ():
        try:
            filed.append(_filed(section))
        except UsageError as error:
            raise UsageError(f"{section.where}: {error}") from None
    _refuse_namesakes(filed, "alerts")
    named = {rule.name for rule in given}
    return [*(rule for rule in filed if rule.name not in named), *given]


def compile_rule(rule: AlertRule) -> Condition:
    """Return the condition of an alert; one that is judged while the script runs may name what is known then.

    Raises:
        UsageError: It can't be used.
    """
    from runner.policy.conditions import compile_condition
    from runner.policy.conditions_names import DURING, NAMES

    try:
        return compile_condition(rule.condition, NAMES if rule.when == AFTER else DURING)
    except UsageError as error:
        raise wrong(rule, str(error)) from None


def wrong(rule: AlertRule, problem: str) -> UsageError:
    """Return the error that says what is wrong with an alert, and where it is written."""
    return UsageError(f"{rule.where}{': ' * bool(rule.where)}alert {rule.name!r}: {problem}")


def problems_of_file(entries: object) -> list[str]:
    """Return what is wrong with the alerts of a configuration file, but for what a variable leaves open."""
    problems = []
    for entry in entries if isinstance(entries, list) else ():
        if any(isinstance(value, Unset) for value in entry.values()):
            continue
        try:
            for rule in make_rules(AlertOptions(alerts=[entry])):
                compile_rule(rule)
        except UsageError as error:
            problem = str(error)
            problems.append(problem if problem.startswith(entry.where) else f"{entry.where}: {problem}")
    return problems


def _refuse_namesakes(rules: list[AlertRule], where: str) -> None:
    seen: set[str] = set()
    for rule in rules:
        if rule.name in seen:
            raise UsageError(f"{where}: two alerts are called {rule.name!r}")
        seen.add(rule.name)


def _filed(section: Section) -> AlertRule:
    values = dict(section)
    for name, value in values.items():
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, Unset):
                raise UsageError(f"alerts.{name}: the environment variable {part.name} is not set")
    channels = values.get("channels", ())
    values["channels"] = [channels] if isinstance(channels, str) else channels
    throttle = values.get("throttle_seconds")
    if isinstance(throttle, str):
        try:
            values["throttle_seconds"] = parse_seconds(throttle)
        except ValueError as error:
            raise UsageError(f"alerts.throttle_seconds: {error}") from None
    rule = AlertRule(**{name: value for name, value in values.items() if value is not None})
    rule.where = section.where
    return rule
