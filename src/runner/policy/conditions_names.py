"""The names that a condition may use: metrics of the catalog, facts of a run, and functions that ask the record."""

from __future__ import annotations

from runner.agent.events import (
    CANCELLED,
    EXITED,
    FAILED_TO_START,
    LIMIT,
    LOST,
    OOM_KILLED,
    SAMPLE_FIELDS,
    SIGNALED,
    TIMEOUT,
    USAGE_FIELDS,
    Ended,
    Sample,
)
from runner.model.curve import Curve
from runner.model.metrics import CPU_MAX, EXECUTION_TIME, MEMORY_MAX, METRICS, evaluate
from runner.policy.conditions_lexer import PERCENT, PLAIN, RATE, SIZE, TIME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Protocol, TypeAlias

    from runner.policy.conditions_lexer import Dimension

    class Facts(Protocol):
        """What is known of a run, by name; a dict is one."""

        def get(self, name: str, /) -> Any:
            """Return a fact, None where it is not known."""

    class Resolver(Protocol):
        """Answers from the record about one run; each answer is None where the record can't tell.

        Methods may raise `StoreError`.
        """

        def baseline(self, metric: str) -> float | None:
            """Return what is usual of a metric: the median of the comparable earlier runs."""

        def aggregate(self, function: str, metric: str, seconds: float) -> float | None:
            """Return an aggregate (``p95``, ``avg`` ...) of the comparable earlier runs of so many seconds."""

        def usual(self, metric: str) -> str:
            """Return where the run's figure stands: ``higher``, ``lower``, ``usual`` or ``unknown``."""

        def count(self, seconds: float, failed: bool) -> int | None:
            """Return how many runs, or failed runs, of the script there were in so many seconds, this one included."""

        def failures_in_a_row(self) -> int | None:
            """Return how many runs in a row failed, this one the last; 0 if it succeeded."""

        def recovered(self) -> bool | None:
            """Whether the run succeeded after one that failed."""

        def first_run(self) -> bool | None:
            """Whether no run of the script is older."""

        def changed(self, fact: str) -> bool | None:
            """Whether a fact of `CHANGEABLE` is another one than in the run before."""

    Entry: TypeAlias = "Fact | Function"

# What a value is.
NUMBER, TEXT, TRUTH = "a number", "a text", "true or false"

# What a function takes.
METRIC, PERIOD, WORD, QUOTED = "METRIC", "PERIOD", "FACT", "TEXT"

SUCCESS, FAILED = "success", "failed"
REASONS = (EXITED, SIGNALED, TIMEOUT, LIMIT, CANCELLED, OOM_KILLED, LOST, FAILED_TO_START)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
#: Facts that `changed` compares with the run before.
CHANGEABLE = ("script_hash", "git_commit", "packages", "python_version", "host")

_SLOWER, _FASTER = "slower_than_usual", "faster_than_usual"

#: Period of an aggregate where none is given, in seconds.
DEFAULT_PERIOD = 30 * 86400.0

#: Unit of the catalog -> what it measures, and how many seconds or bytes it is.
UNITS: dict[str, tuple[Dimension, float]] = {
    "": (PLAIN, 1.0), "count": (PLAIN, 1.0), "lines": (PLAIN, 1.0), "percent": (PERCENT, 1.0), "seconds": (TIME, 1.0),
    "MB": (SIZE, float(1 << 20)), "bytes": (SIZE, 1.0), "bytes/s": (RATE, 1.0),
}  # fmt: skip

#: What people write for a name of ours.
ALIASES = {
    "duration": EXECUTION_TIME.name, "elapsed": EXECUTION_TIME.name, "runtime": EXECUTION_TIME.name,
    "wall": EXECUTION_TIME.name, "time": EXECUTION_TIME.name, "cpu": CPU_MAX.name, "memory": MEMORY_MAX.name,
    "mem": MEMORY_MAX.name, "rss": MEMORY_MAX.name, "exit": "exit_code", "code": "exit_code",
    "returncode": "exit_code", "error": "error_message", "state": "status", "output": "stdout", "tag": "tags.NAME",
}  # fmt: skip


class Fact:
    """A name that stands for a value.

    Attributes:
        name: The name.
        type: `NUMBER`, `TEXT` or `TRUTH`.
        meaning: One sentence.
        unit: Of a number, as the metric catalog spells it; "" for none.
        during: Whether it is known while the script still runs.
        metric: Whether it is a metric, so that the record can be asked about it.
        choices: The only texts it can be; none for any.
    """

    __slots__ = ("choices", "during", "meaning", "metric", "name", "type", "unit")

    def __init__(
        self,
        name: str,
        type: str,
        meaning: str,
        unit: str = "",
        during: bool = True,
        metric: bool = False,
        choices: tuple[str, ...] = (),
    ) -> None:
        self.name = name
        self.type = type
        self.meaning = meaning
        self.unit = unit
        self.during = during
        self.metric = metric
        self.choices = choices


class Function:
    """A name that stands for an answer.

    Attributes:
        name: The name.
        takes: What stands in its parentheses, in order; without any, these may be left out.
        type: `NUMBER`, `TEXT` or `TRUTH`.
        meaning: One sentence.
        answer: Called with the facts, the resolver, and the metric's name, the period's seconds and so on.
        like_metric: Whether its number is in the unit of the metric that it is given.
        record: Whether it asks the record.
        during: Whether it can be told while the script still runs.
    """

    __slots__ = ("answer", "during", "like_metric", "meaning", "name", "record", "takes", "type")

    def __init__(
        self,
        name: str,
        takes: tuple[str, ...],
        type: str,
        meaning: str,
        answer: Callable[..., Any],
        like_metric: bool = False,
        record: bool = True,
        during: bool = True,
    ) -> None:
        self.name = name
        self.takes = takes
        self.type = type
        self.meaning = meaning
        self.answer = answer
        self.like_metric = like_metric
        self.record = record
        self.during = during

    @property
    def compares(self) -> bool:
        """Whether it rests on comparable earlier runs."""
        return self.record and (METRIC in self.takes or self.name in (_SLOWER, _FASTER))

    @property
    def spelling(self) -> str:
        """How it is written, such as ``p95(METRIC[, PERIOD])``."""
        return f"{self.name}({', '.join(self.takes)})".replace(", PERIOD", "[, PERIOD]") if self.takes else self.name


def _live_metrics() -> set[str]:
    """Return the metrics that are known while a script runs: those that samples and output alone tell."""
    curve = Curve()
    curve.add(Sample(1.0, 1.0, [1.0] * len(SAMPLE_FIELDS)))
    usage: dict[str, float | None] = {name: 1.0 for name in USAGE_FIELDS if name in SAMPLE_FIELDS}
    ended = Ended(1.0, LOST, None, usage=usage, output={"stdout": [0, 0], "stderr": [0, 0], "merged": False})
    return {name for name, value in evaluate(ended, curve).items() if value is not None} - {"survivors"}


_LIVE = _live_metrics()

_METRICS = tuple(Fact(each.name, NUMBER, each.meaning, each.unit, each.name in _LIVE, metric=True) for each in METRICS)

_FACTS = (
    Fact("success", TRUTH, "Whether the script ended by itself with exit code 0.", during=False),
    Fact("failed", TRUTH, "The opposite.", during=False),
    Fact("status", TEXT, "`success` or `failed`; it also equals the reason.", during=False,
         choices=(SUCCESS, FAILED, *REASONS)),
    Fact("reason", TEXT, "How the last attempt ended.", during=False, choices=REASONS),
    Fact("exit_code", NUMBER, "Exit code, 128 and more after a signal, 124 after a timeout.", during=False),
    Fact("signal", NUMBER, "Number of the signal that ended the script, 0 for none; it may be compared with a name, "
         "such as `'SIGKILL'`.", during=False),
    Fact("error_type", TEXT, "Class of the exception, `timeout`, `limit:NAME`, `signal:N` or `exit:N`.", during=False),
    Fact("error_message", TEXT, "What the error says.", during=False),
    Fact("attempts", NUMBER, "Attempts that it took."),
    Fact("total_seconds", NUMBER, "From the first start to the last end, delays included.", "seconds"),
    Fact("stdout", TEXT, "What was kept of standard output: beginning and end."),
    Fact("stderr", TEXT, "What was kept of standard error; of both streams where they lead to one place."),
    Fact("script", TEXT, "Path of the script, as it was typed."),
    Fact("name", TEXT, "Name of the run: `--name`, or the file's."),
    Fact("arguments", TEXT, "Arguments of the script, blanks between them."),
    Fact("host", TEXT, "Name of the host."),
    Fact("user", TEXT, "Who ran it."),
    Fact("git_commit", TEXT, "Commit that the script was at."),
    Fact("python_version", TEXT, "Version of its interpreter.", during=False),
    Fact("load", NUMBER, "Load average of the host at the start, over one minute."),
    Fact("input_bytes", NUMBER, "Size of the files that arguments and standard input name.", "bytes"),
    Fact("hour", NUMBER, "Hour of the start, 0 to 23, local time."),
    Fact("weekday", TEXT, "Day of the start, local time.", choices=WEEKDAYS),
)  # fmt: skip

#: Begins a name that stands for a tag.
TAGS = "tags."


def tag(name: str) -> Fact:
    """Return the fact that stands for a tag of the run."""
    return Fact(f"{TAGS}{name}", TEXT, "The tag of that name.")


def _aggregate(function: str, meaning: str) -> Function:
    def answer(facts: Facts, record: Resolver, metric: str, seconds: float = DEFAULT_PERIOD) -> float | None:
        return record.aggregate(function, metric, seconds)

    return Function(function, (METRIC, PERIOD), NUMBER, meaning, answer, like_metric=True)


def _measured(facts: Facts, record: Resolver | None, metric: str) -> bool:
    return isinstance(facts.get(metric), (int, float))


def _stands(where: str) -> Callable[..., bool | None]:
    def answer(facts: Facts, record: Resolver, metric: str = EXECUTION_TIME.name) -> bool | None:
        found = record.usual(metric)
        return None if found == "unknown" else found == where

    return answer


_FUNCTIONS = (
    Function("baseline", (METRIC,), NUMBER, "What is usual: the median of the comparable earlier runs.",
             lambda facts, record, metric: record.baseline(metric), like_metric=True),
    _aggregate("median", "Median of the comparable earlier runs of a period."),
    _aggregate("p50", "The same."),
    _aggregate("p90", "What nine of ten of them stay below."),
    _aggregate("p95", "What 19 of 20 of them stay below."),
    _aggregate("p99", "What 99 of 100 of them stay below."),
    _aggregate("min", "The lowest of them."),
    _aggregate("max", "The highest of them."),
    _aggregate("avg", "Their mean."),
    Function(_SLOWER, (), TRUTH, "Whether it took longer than what is usual by more than chance.",
             _stands("higher")),
    Function(_FASTER, (), TRUTH, "Whether it took so much less.", _stands("lower"), during=False),
    Function("higher_than_usual", (METRIC,), TRUTH, "The same question about any metric.", _stands("higher")),
    Function("lower_than_usual", (METRIC,), TRUTH, "Likewise.", _stands("lower"), during=False),
    Function("runs", (PERIOD,), NUMBER, "Runs of the script in a period, this one included.",
             lambda facts, record, seconds: record.count(seconds, False)),
    Function("failures", (PERIOD,), NUMBER, "Those of them that failed.",
             lambda facts, record, seconds: record.count(seconds, True), during=False),
    Function("failures_in_a_row", (), NUMBER, "Runs in a row that failed, this one the last; 0 if it succeeded.",
             lambda facts, record: record.failures_in_a_row(), during=False),
    Function("recovered", (), TRUTH, "Whether it succeeded after one that failed.",
             lambda facts, record: record.recovered(), during=False),
    Function("first_run", (), TRUTH, "Whether no run of the script is older.",
             lambda facts, record: record.first_run()),
    Function("changed", (WORD,), TRUTH, f"Whether {', '.join(f'`{each}`' for each in CHANGEABLE[:-1])} or "
             f"`{CHANGEABLE[-1]}` is another one than in the run before.",
             lambda facts, record, fact: record.changed(fact), during=False),
    Function("measured", (METRIC,), TRUTH, "Whether the metric is known of the run.", _measured, record=False),
    Function("tag", (QUOTED,), TEXT, "The tag of that name, for names that can't stand behind `tags.`.",
             lambda facts, record, name: facts.get(TAGS + name), record=False),
)  # fmt: skip

#: Every name that a condition may use, judged after the run.
NAMES: dict[str, Entry] = {
    **{each.name: each for each in (*_METRICS, *_FACTS)},
    **{each.name: each for each in _FUNCTIONS},
}

#: Those that a condition may use which is judged while the script runs.
DURING: dict[str, Entry] = {name: each for name, each in NAMES.items() if each.during}


def with_metrics(names: Mapping[str, Entry], more: Mapping[str, str]) -> dict[str, Entry]:
    """Return the names together with metrics that the catalog does not have.

    Args:
        names: Those there are.
        more: Name -> meaning of the others; names that are known stay what they are.
    """
    return {**{name: Fact(name, NUMBER, meaning, metric=True) for name, meaning in more.items()}, **names}
