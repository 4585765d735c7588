"""What an alert may say, and what becomes of it run by run: pure decisions, without a clock of their own."""

from __future__ import annotations

from typing import Any

import pytest

from runner.engine.alert_options import AlertOptions, make_rules
from runner.model.alert_state import (
    ACKNOWLEDGED,
    MUTED,
    OVER,
    THROTTLED,
    TOLD,
    WAITING,
    AlertState,
    Moment,
)
from runner.model.errors import UsageError
from runner.options import Section, Unset
from runner.policy.alerts import AlertRule, decide, parse_alert

SECOND = 1_000_000_000


class Life:
    """One alert of one script, judged at moments of a clock that the test moves."""

    def __init__(self, **rule: Any) -> None:
        self.rule = AlertRule("x", "failed", **{"throttle_seconds": 60.0, **rule})
        self.state = AlertState()
        self.now = Moment(1_000 * SECOND, "boot", 500 * SECOND)

    def wait(self, seconds: float) -> None:
        self.now = Moment(self.now.time + int(seconds * SECOND), self.now.boot, self.now.up + int(seconds * SECOND))

    def __call__(self, held: bool, muted: bool = False, began: float | None = None) -> str:
        started = None if began is None else self.now.time - int(began * SECOND)
        return decide(self.rule, self.state, held, self.now, muted, started)


def test_it_is_told_once_within_a_window_and_again_behind_it() -> None:
    life = Life()
    assert life(True) == TOLD
    life.wait(59.9)
    assert life(True) == THROTTLED and life.state.untold == 1
    life.wait(0.1)
    assert life(True) == TOLD and life.state.held == 3


def test_without_throttling_each_run_is_told() -> None:
    life = Life(throttle_seconds=0)
    assert [life(True), life(True)] == [TOLD, TOLD]


def test_a_run_that_began_before_it_held_does_not_end_it() -> None:
    life = Life(throttle_seconds=0)
    assert life(True) == TOLD
    life.wait(10)
    assert life(False, began=10.5) == "" and life.state.held == 1
    assert life(True, began=10.5) == TOLD, "but it may go on with it"
    assert life(False, began=9.5) == OVER


def test_a_clock_that_was_set_back_keeps_no_alert_open() -> None:
    life = Life()
    assert life(True) == TOLD
    life.now = Moment(900 * SECOND, "boot", 510 * SECOND)
    assert life(False, began=1) == OVER


def test_an_end_that_comes_while_it_is_muted_is_noted_and_told_afterwards() -> None:
    life = Life()
    assert life(True) == TOLD
    assert [life(False, muted=True), life(False, muted=True)] == [MUTED, ""]
    assert life.state.held == 0
    assert [life(False), life(False)] == [OVER, ""]


def test_its_end_is_told_once_and_only_if_it_was_told_itself() -> None:
    life = Life()
    assert life(False) == ""
    assert life(True) == TOLD
    assert [life(False), life(False)] == [OVER, ""]
    assert life(True) == THROTTLED  # within the window of the first message
    assert life(False) == ""  # what was not told is not over either


def test_its_end_is_not_told_where_nobody_wants_that() -> None:
    life = Life(recover=False)
    assert [life(True), life(False)] == [TOLD, ""]


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (AlertRule("x", "failed"), True),
        (AlertRule("x", "failed", severity="critical"), True),
        (AlertRule("x", "failed", severity="INFO"), False),
        (AlertRule("x", "failed", severity="INFO", recover=True), True),
        (AlertRule("x", "recovered"), False),
        (AlertRule("x", "changed(git_commit)"), False),
    ],
)
def test_the_end_is_told_of_what_lasts(rule: AlertRule, told: bool) -> None:
    assert rule.recover is told


def test_it_has_to_hold_in_so_many_runs_in_a_row() -> None:
    life = Life(after=3)
    assert [life(True), life(True), life(False), life(True), life(True), life(True)] == [
        WAITING, WAITING, "", WAITING, WAITING, TOLD,
    ]  # fmt: skip


def test_acknowledged_it_is_silent_until_it_is_over_and_fires_anew() -> None:
    life = Life(throttle_seconds=0)
    assert life(True) == TOLD
    life.state.acked, life.state.acked_by = life.now.time, "alice"
    assert [life(True), life(True)] == [ACKNOWLEDGED, ACKNOWLEDGED]
    assert life(False) == OVER
    assert life.state.acked is None
    assert life(True) == TOLD


def test_muted_it_is_noted_and_told_as_soon_as_it_is_not() -> None:
    life = Life()
    assert [life(True, muted=True), life(True)] == [MUTED, TOLD]
    assert life(False, muted=True) == MUTED  # so is its end


def test_a_clock_that_is_set_changes_nothing_on_the_boot_that_told_it() -> None:
    life = Life()
    assert life(True) == TOLD
    for wrong in (-86400, 86400):
        life.now = Moment(life.now.time + wrong * SECOND, "boot", life.now.up + 10 * SECOND)
        assert life(True) == THROTTLED
    life.now = Moment(5 * SECOND, "boot", life.now.up + 60 * SECOND)
    assert life(True) == TOLD


@pytest.mark.parametrize("boot", ["", "another"])
def test_a_clock_that_was_set_back_silences_for_one_window_at_most(boot: str) -> None:
    life = Life()
    assert life(True) == TOLD
    life.now = Moment(life.now.time - 86400 * SECOND, boot, 1 * SECOND)
    assert life(True) == THROTTLED
    life.now = Moment(life.now.time + 60 * SECOND, boot, 61 * SECOND)
    assert life(True) == TOLD


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cpu_max>80", "NAME:CONDITION"),
        (":cpu_max>80", "NAME:CONDITION"),
        ("high:", "NAME:CONDITION"),
        ("a\nb:failed", "needs a name"),
        ("x" * 101 + ":failed", "needs a name"),
    ],
)
def test_what_is_no_alert_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_alert(text)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"severity": "CRITCAL"}, "did you mean 'CRITICAL'"),
        ({"when": "dring"}, "did you mean 'during'"),
        ({"throttle_seconds": -1}, "throttle_seconds"),
        ({"throttle_seconds": float("nan")}, "throttle_seconds"),
        ({"after": 0}, "after 0"),
    ],
)
def test_values_that_make_no_sense_are_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        AlertRule("x", "failed", **values)


def filed(**values: Any) -> Section:
    return Section({"name": "slow", "condition": "execution_time_seconds > 5m", **values}, "config.yaml:7")


def test_the_line_comes_before_the_file_for_alerts_of_one_name() -> None:
    options = AlertOptions(alert_config=("slow:failed",), alerts=[filed(), filed(name="other", channels="slack")])
    rules = make_rules(options)
    assert [(rule.name, rule.condition, rule.channels) for rule in rules] == [
        ("other", "execution_time_seconds > 5m", ("slack",)), ("slow", "failed", ()),
    ]  # fmt: skip


def test_a_duration_may_be_written_with_its_unit() -> None:
    assert make_rules(AlertOptions(alerts=[filed(throttle_seconds="15m")]))[0].throttle_seconds == 900


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        ([filed(), filed()], "two alerts are called 'slow'"),
        ([filed(throttle_seconds="soon")], "config.yaml:7: alerts.throttle_seconds"),
        ([filed(condition=Unset("LIMIT"))], "config.yaml:7: alerts.condition: the environment variable LIMIT"),
        ([filed(channels=["slack", Unset("TEAM")])], "config.yaml:7: alerts.channels: the environment variable TEAM"),
        ([filed(after=0)], "config.yaml:7: alert 'slow': after 0"),
    ],
)
def test_what_the_file_says_is_checked_with_its_line(sections: list[Section], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        make_rules(AlertOptions(alerts=sections))
