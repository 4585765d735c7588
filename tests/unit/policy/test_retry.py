"""Retry policy: who is tried again, and after how long."""

from __future__ import annotations

import pytest

from runner.agent import events
from runner.model.errors import UsageError
from runner.model.run import Attempt
from runner.policy.retry import RetryOptions, RetryPolicy


def attempt(number=1, reason=events.EXITED, code=1, signal=None, error="exit:1"):
    result = Attempt(number, 0)
    result.reason, result.exit_code, result.signal, result.error_type = reason, code, signal, error
    return result


def policy(uniform=None, **options):
    return RetryPolicy(RetryOptions(**{"retry": 3, "retry_delay": 2.0, "retry_max_delay": 30.0, **options}), uniform)


@pytest.mark.parametrize(
    ("strategy", "delays"),
    [
        ("linear", [2, 4, 6, 8, 10, 12]),
        ("exponential", [2, 4, 8, 16, 30, 30]),
        ("fibonacci", [2, 2, 4, 6, 10, 16]),
    ],
)
def test_delays_grow_as_the_strategy_says_up_to_the_cap(strategy, delays):
    assert [policy(retry_strategy=strategy).delay(n) for n in range(1, 7)] == delays


def test_jitter_is_drawn_between_zero_and_the_exponential_delay():
    drawn = []

    def uniform(low, high):
        drawn.append((low, high))
        return high / 2

    assert policy(uniform, retry_strategy="exponential_jitter").delay(3) == 4
    assert drawn == [(0.0, 8.0)]


def test_a_huge_exponent_is_capped_not_an_overflow():
    assert policy(retry_multiplier=1000.0).delay(1000) == 30


def test_three_retries_are_four_attempts():
    assert [policy().next_delay(attempt(n), 0) is not None for n in range(1, 5)] == [True, True, True, False]


def test_success_is_never_retried():
    assert policy().next_delay(attempt(code=0, error=None), 0) is None


@pytest.mark.parametrize("reason", [events.CANCELLED, events.FAILED_TO_START])
def test_what_another_attempt_cannot_better_is_not_retried(reason):
    assert policy(retry_on_errors=("exit:1",)).next_delay(attempt(reason=reason), 0) is None


def test_death_by_signal_is_retried_only_where_it_is_named():
    died = attempt(reason=events.SIGNALED, code=139, signal=11, error="signal:11")
    assert policy().next_delay(died, 0) is None
    assert policy(retry_on_errors=("signal:SEGV",)).next_delay(died, 0) == 2
    assert policy(retry_on_errors=("signal:9",)).next_delay(died, 0) is None


def test_no_attempt_starts_after_the_total_time():
    limited = policy(retry_max_time=10.0)
    assert limited.next_delay(attempt(), 8.0) == 2
    assert limited.next_delay(attempt(), 8.1) is None


@pytest.mark.parametrize(
    ("named", "raised", "retried"),
    [
        ("ConnectionError", "ConnectionError", True),
        ("ConnectionError", "requests.exceptions.ConnectionError", True),
        ("OSError", "FileNotFoundError", True),  # a built-in subclass
        ("FileNotFoundError", "OSError", False),
        ("ValueError,TimeoutError", "TimeoutError", True),
        ("ValueError", "exit:1", False),
        ("exit:1", "ValueError", True),
    ],
)
def test_filters_by_exception_class(named, raised, retried):
    failed = attempt(error=raised)
    assert (policy(retry_on_errors=(named,)).next_delay(failed, 0) is not None) is retried
    assert (policy(skip_on_errors=(named,)).next_delay(failed, 0) is None) is retried


def test_timeout_is_a_failure_and_can_be_filtered():
    late = attempt(reason=events.TIMEOUT, code=124, error="timeout")
    assert policy().next_delay(late, 0) == 2
    assert policy(skip_on_errors=("timeout",)).next_delay(late, 0) is None
    assert policy(retry_on_errors=("ValueError",)).next_delay(late, 0) is None


@pytest.mark.parametrize("text", ["exit:0", "exit:x", "signal:NOPE", "signal:99", "not a name", "exit:256"])
def test_a_filter_that_can_never_match_is_refused(text):
    with pytest.raises(UsageError, match="--retry-on-errors"):
        policy(retry_on_errors=(text,))


def test_without_captured_output_classes_are_refused_but_codes_are_not():
    with pytest.raises(UsageError, match="ValueError"):
        policy(retry_on_errors=("ValueError",)).refuse_error_classes()
    allowed = policy(retry_on_errors=("exit:3", "timeout"))
    allowed.refuse_error_classes()
    assert allowed.only == ("exit:3", "timeout")


@pytest.mark.parametrize(
    ("given", "environ", "config", "retries"),
    [
        ({}, {}, {}, 0),
        ({"retry": ["2"]}, {}, {"retry.max_attempts": (5, "f:1")}, 2),
        ({}, {}, {"retry.max_attempts": (5, "f:1")}, 4),
        ({}, {"RUNNER_RETRY": "1"}, {"retry.max_attempts": (5, "f:1")}, 1),
        ({"max_attempts": ["3"]}, {"RUNNER_RETRY": "1"}, {}, 2),
    ],
)
def test_attempts_in_all_are_one_more_than_retries_and_the_stronger_source_wins(given, environ, config, retries):
    assert RetryOptions.resolve(given, environ, config).retries == retries
