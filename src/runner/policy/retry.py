"""When a failed attempt is tried again, and after how long."""

from __future__ import annotations

from runner.agent.events import (
    CANCELLED,
    EXITED,
    FAILED_TO_START,
    LIMIT,
    LOST,
    OOM_KILLED,
    SIGNALED,
    SKIPPED,
    TIMEOUT,
)
from runner.model.errors import UsageError
from runner.options import RUN, Options, opt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.model.run import Attempt

STRATEGIES = ("linear", "exponential", "fibonacci", "exponential_jitter")

#: Ends that another attempt can't better, or that somebody wanted.
_NEVER = (CANCELLED, FAILED_TO_START, LOST, SKIPPED)
#: Reasons that stand for themselves in a filter.
_REASONS = (TIMEOUT, LIMIT, OOM_KILLED)


class RetryOptions(Options):
    """Whether, when and how often a failed attempt is tried again."""

    retry: int = opt(
        "Retries after the first attempt", default=0, minimum=0, maximum=1000, metavar="N", env="RUNNER_RETRY",
        role=RUN, spec=True,
    )  # fmt: skip
    max_attempts: int | None = opt(
        "Attempts in all (one more than --retry)", minimum=1, maximum=1001, metavar="N", yaml="retry.max_attempts",
        role=RUN,
    )  # fmt: skip
    retry_strategy: str = opt(
        "How the delay grows", default="exponential", choices=STRATEGIES, yaml="retry.strategy", role=RUN, spec=True
    )
    retry_delay: float = opt(
        "Delay before the first retry", default=1.0, unit="seconds", minimum=0, metavar="SECONDS",
        yaml="retry.initial_delay", role=RUN, spec=True,
    )  # fmt: skip
    retry_max_delay: float = opt(
        "Longest delay", default=60.0, unit="seconds", minimum=0, metavar="SECONDS", yaml="retry.max_delay",
        role=RUN, spec=True,
    )  # fmt: skip
    retry_multiplier: float = opt(
        "Growth of an exponential delay", default=2.0, minimum=1, maximum=1000, metavar="FACTOR",
        yaml="retry.multiplier", role=RUN, spec=True,
    )  # fmt: skip
    retry_max_time: float | None = opt(
        "Start no attempt later than this after the first", unit="seconds", minimum=0, metavar="SECONDS",
        yaml="retry.max_time", role=RUN, spec=True,
    )  # fmt: skip
    retry_on_errors: tuple[str, ...] = opt(
        "Retry only these: exception classes, timeout, limit, signal:N, exit:N, oom-killed (comma-separated)",
        default=(), metavar="ERRORS", yaml="retry.on_errors", role=RUN, spec=True,
    )  # fmt: skip
    skip_on_errors: tuple[str, ...] = opt(
        "Never retry these (as above)", default=(), metavar="ERRORS", yaml="retry.skip_errors", role=RUN, spec=True
    )

    @property
    def retries(self) -> int:
        """Retries after the first attempt: the stronger source of the two spellings says; `retry` wins a tie."""
        if self.max_attempts is None or self.rank("retry") >= self.rank("max_attempts"):
            return self.retry
        return self.max_attempts - 1


class RetryPolicy:
    """Decides about the next attempt; it never waits and never starts anything.

    Args:
        options: What was asked for.
        uniform: ``random.uniform`` or a stand-in, for the jitter.

    Raises:
        UsageError: A filter names something that no attempt can end with.
    """

    def __init__(self, options: RetryOptions, uniform: Callable[[float, float], float] | None = None) -> None:
        self.options = options
        self.retries = options.retries
        self.only = parse_errors(options.retry_on_errors, "--retry-on-errors")
        self.never = parse_errors(options.skip_on_errors, "--skip-on-errors")
        self._uniform = uniform

    def refuse_error_classes(self) -> None:
        """Refuse filters by exception class, for an attempt whose output is not captured.

        Raises:
            UsageError: There is one.
        """
        for error in (*self.only, *self.never):
            if ":" not in error and error not in _REASONS:
                raise UsageError(f"with --direct no output is captured, so whether {error} was raised can't be known")

    def next_delay(self, attempt: Attempt, elapsed: float) -> float | None:
        """Return the seconds to wait before another attempt, or None if there is to be none.

        Args:
            attempt: The one that just ended.
            elapsed: Seconds since the first attempt was started.
        """
        if attempt.success or attempt.number > self.retries or attempt.reason in _NEVER:
            return None
        if any(matches(error, attempt) for error in self.never):
            return None
        named = any(matches(error, attempt) for error in self.only)
        if not named and (self.only or attempt.reason in (SIGNALED, OOM_KILLED)):
            return None  # a signal is somebody's or the kernel's decision, retried only where it was named
        delay = self.delay(attempt.number)
        limit = self.options.retry_max_time
        return None if limit is not None and elapsed + delay > limit else delay

    def delay(self, retry: int) -> float:
        """Return the seconds before the given retry, counted from 1.

        ``exponential_jitter`` is the "full jitter" of M. Brooker, "Exponential Backoff And Jitter", AWS Architecture
        Blog, 2015: uniform between zero and the exponential delay, which spreads a herd of clients best.
        """
        first, cap, strategy = self.options.retry_delay, self.options.retry_max_delay, self.options.retry_strategy
        if strategy == "linear":
            return min(first * retry, cap)
        if strategy == "fibonacci":
            return min(first * _fibonacci(retry), cap)
        try:
            grown = first * self.options.retry_multiplier ** (retry - 1)
        except OverflowError:
            grown = cap
        grown = min(grown, cap)
        if strategy == "exponential":
            return grown
        if self._uniform is None:
            from random import uniform

            self._uniform = uniform
        return self._uniform(0.0, grown)


def _fibonacci(n: int) -> int:
    before, current = 0, 1
    for _ in range(n - 1):
        before, current = current, before + current
    return current


def parse_errors(texts: tuple[str, ...], where: str) -> tuple[str, ...]:
    """Return the error types of comma-separated lists, signals by number.

    Raises:
        UsageError: One of them can't be what an attempt ends with.
    """
    return tuple(_parse_error(part.strip(), where) for text in texts for part in text.split(",") if part.strip())


def _parse_error(text: str, where: str) -> str:
    kind, colon, value = text.partition(":")
    if not colon:
        if text.lower() in _REASONS:
            return text.lower()
        if all(part.isidentifier() for part in text.split(".")):
            return text
        raise UsageError(
            f"{where}: {text!r} is neither an exception class nor timeout, limit, oom-killed, signal:N or exit:N"
        )
    if kind.lower() == "exit" and value.isdigit() and 1 <= int(value) <= 255:
        return f"exit:{int(value)}"
    if kind.lower() == "signal":
        return f"signal:{_signal_number(value, where)}"
    if kind.lower() == LIMIT:
        from runner.agent.limits import NAMES

        if value.lower() in NAMES:
            return f"{LIMIT}:{value.lower()}"
        raise UsageError(f"{where}: {text!r} is no limit ({', '.join(NAMES)})")
    raise UsageError(f"{where}: {text!r} is neither exit:N (1 to 255) nor signal:N nor limit:NAME")


def _signal_number(text: str, where: str) -> int:
    import _signal

    if text.isdigit() and 1 <= int(text) <= 64:
        return int(text)
    name = text.upper()
    number = getattr(_signal, name if name.startswith("SIG") else f"SIG{name}", None)
    if not isinstance(number, int):
        raise UsageError(f"{where}: {text!r} is no signal (a number from 1 to 64, or a name such as TERM)")
    return int(number)


def matches(error: str, attempt: Attempt) -> bool:
    """Tell whether an attempt ended with the given error type (one of `parse_errors`)."""
    kind, _, value = error.partition(":")
    if kind == "exit" and value:
        return attempt.reason == EXITED and attempt.exit_code == int(value)
    if kind == "signal" and value:
        return attempt.reason in (SIGNALED, OOM_KILLED) and attempt.signal == int(value)
    if kind == LIMIT and value:
        return attempt.error_type == error
    if error in _REASONS:
        return attempt.reason == error
    return attempt.reason == EXITED and attempt.error_type is not None and _is_class(attempt.error_type, error)


def _is_class(raised: str, named: str) -> bool:
    """Tell whether the class that was raised is the one named: in full, by its last part, or as a built-in subclass."""
    if raised == named or raised.rpartition(".")[2] == named:
        return True
    import builtins

    child, parent = getattr(builtins, raised, None), getattr(builtins, named, None)
    return isinstance(child, type) and isinstance(parent, type) and issubclass(child, parent)
