"""What a store is: it keeps finished runs, each once, and finds them again."""

from __future__ import annotations

from os.path import abspath

from runner.agent.events import CANCELLED, EXITED, FAILED_TO_START, LIMIT, LOST, OOM_KILLED, SIGNALED, TIMEOUT
from runner.model import metrics
from runner.model.errors import UsageError
from runner.model.likeness import arguments_shape, host_class
from runner.model.run import fits, label_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any, Protocol

    from runner.model.curve import Curve
    from runner.model.metric import Value
    from runner.model.portable import Batch
    from runner.model.run import Run
    from runner.stores.aggregates import Point, Presence
    from runner.stores.alerts import AlertBook
    from runner.stores.retention import Keeper

    #: Key, path as it was typed, and name of a script.
    Script = tuple[str, str, str]

#: Name of the record where none is given.
DEFAULT_NAME = "script_runner_history.db"

SUCCESS = "success"
FAILED = "failed"

#: What `RunFilter.status` can be: how the last attempt ended, or whether it succeeded.
STATUSES = (SUCCESS, FAILED, EXITED, SIGNALED, TIMEOUT, LIMIT, CANCELLED, OOM_KILLED, LOST, FAILED_TO_START)

NEWEST = "newest"
OLDEST = "oldest"

#: Runs that a look at many of them takes in at a time.
PAGE = 5000

#: Digits of a run's id.
ID_DIGITS = 12
#: Of these, how many a table shows: a beginning names a run as well as the whole.
SHORT_ID = 8


class RunFilter:
    """Which runs are meant; what is left out does not restrict.

    Attributes:
        script: As people name it: path as typed or absolute, file name, end of the path, or name of the run.
        status: One of `STATUSES`.
        since: Earliest start, in nanoseconds since the epoch, UTC.
        until: Start before this moment, likewise.
        tags: Tags the run must have.
        key: Exact key of the script; nobody types it.
        name: Exact name of the run.
        limit: How many at most.
        order: `NEWEST` or `OLDEST` first, or the name of a metric whose highest values come first.
        shape: Shape of the arguments (`model.likeness.arguments_shape`); None for any.
        host_class: Class of the host (`model.likeness.host_class`); None for any.
        host: Name of the host.
        above: Least values of metrics, by name; a run without the metric is not meant.
        below: Largest values of metrics, likewise.
        text: Text in the output that was kept, or in the error, of one of its attempts, whatever its case.
        reverse: The other way round: what would come last comes first; runs without the metric that is ordered by
            stay last.
        id: Beginning of the run's id, in hexadecimal digits.
        here: Whether a relative `script` that leads to a script's own file from the current folder means that script
            alone, and not its namesakes elsewhere. Without it the word means the same in every folder.
        within: Of one script, only so many of its newest runs before `until` are looked at, whatever else is asked;
            None for all. It bounds the cost of a question to which few runs answer. Where the script was started
            under several paths, these are the newest runs under the path that has the newest such.

    Raises:
        UsageError: Nothing can be meant: a status or metric that there is not, or less than no runs.
    """

    __slots__ = (
        "above", "below", "here", "host", "host_class", "id", "key", "limit", "name", "order", "reverse", "script",
        "shape", "since", "status", "tags", "text", "until", "within",
    )  # fmt: skip

    def __init__(
        self,
        script: str = "",
        status: str = "",
        since: int | None = None,
        until: int | None = None,
        tags: Mapping[str, str] | None = None,
        name: str = "",
        limit: int | None = None,
        order: str = NEWEST,
        shape: str | None = None,
        host_class: str | None = None,
        host: str = "",
        above: Mapping[str, float] | None = None,
        id: str = "",
        key: str = "",
        within: int | None = None,
        below: Mapping[str, float] | None = None,
        text: str = "",
        reverse: bool = False,
        here: bool = True,
    ) -> None:
        if status and status not in STATUSES:
            raise UsageError(f"no run ends {status!r}; the status is one of {', '.join(STATUSES)}")
        if limit is not None and limit < 0:
            raise UsageError(f"a limit of {limit} runs makes no sense")
        for metric in [*(above or ()), *(below or ()), *([order] if order not in (NEWEST, OLDEST) else ())]:
            metrics.find(metric)
        self.script = script
        self.status = status
        self.since = since
        self.until = until
        self.tags = dict(tags or {})
        self.key = key
        self.name = name
        self.limit = limit
        self.order = order
        self.shape = shape
        self.host_class = host_class
        self.host = host
        self.above = dict(above or {})
        self.below = dict(below or {})
        self.text = text
        self.reverse = reverse
        self.id = id.lower()
        self.within = within
        self.here = here

    @property
    def is_of_time_alone(self) -> bool:
        """Whether nothing but the start decides which runs are meant."""
        every = RunFilter()
        others = set(self.__slots__) - {"since", "until", "limit", "order", "reverse", "here"}
        return all(getattr(self, name) == getattr(every, name) for name in others)

    def scripts(self, known: Iterable[Script]) -> set[Script]:
        """Return those of the known scripts that are meant."""
        named = [script for script in known if self.name in ("", script[2]) and self.key in ("", script[0])]
        wanted = self.script
        if not wanted:
            return set(named)
        exact = {script for script in named if script[0] in (wanted, abspath(wanted))} if self.here else None
        return exact or {script for script in named if fits(wanted, script)}

    def matches(self, run: Run) -> bool:
        """Whether a run of a script that is meant is meant itself; the limit does not count here."""
        last = run.last
        return (
            (not self.status or self.status == (last.reason, SUCCESS if last.success else FAILED)[
                self.status in (SUCCESS, FAILED)])
            and run.id.startswith(self.id)
            and (self.since is None or run.started >= self.since)
            and (self.until is None or run.started < self.until)
            and self.shape in (None, arguments_shape(run.args))
            and self.host_class in (None, host_class(run.host))
            and self.host in ("", run.host.get("hostname"))
            and all(value is not None and value >= least for value, least in _pairs(last.metrics, self.above))
            and all(value is not None and value <= most for value, most in _pairs(last.metrics, self.below))
            and (not self.text or _mentions(run, self.text))
            and all(run.tags.get(key) == value for key, value in self.tags.items())
        )  # fmt: skip


def _mentions(run: Run, text: str) -> bool:
    from runner.stores.searching import mentions

    return mentions(run, text)


def _pairs(figures: Mapping[str, Value], bounds: Mapping[str, float]) -> list[tuple[Value, float]]:
    return [(figures.get(name), bound) for name, bound in bounds.items()]


def script_label(run: Run) -> str:
    """Return what people call the script of a run: its name, else the file without its folders."""
    return label_of(run.name, run.script_path)


if TYPE_CHECKING:

    class Store(Protocol):
        """A place where runs are kept. Every method may raise `StoreError`."""

        def save(self, run: Run) -> bool:
            """Keep a finished run with all its attempts, wholly or not at all.

            Returns:
                Whether it is new; a run whose id is already there is left as it was.
            """

        def add(self, runs: Sequence[Run]) -> list[str]:
            """Keep finished runs, all of them or none; return the ids of those that are new."""

        def known(self, ids: Sequence[str]) -> set[str]:
            """Return those of the ids that there are runs of."""

        def scan(
            self, wanted: RunFilter, output: bool = False, samples: bool = False, size: int = PAGE
        ) -> Iterator[list[Run]]:
            """Yield the runs meant in pages of `size`, the oldest first; order and limit of the filter do not count.

            Between two pages nothing is held: runs stored meanwhile are not among them, one that is deleted meanwhile
            may be missing.
            """

        def scan_columns(self, wanted: RunFilter, size: int = PAGE) -> Iterator[Batch]:
            """Yield the same as batches of portable records (`model.portable`), without samples and output."""

        def get(self, run_id: str) -> Run | None:
            """Return one run with curves and output, by its id or a unique beginning of it.

            Raises:
                UsageError: Several runs begin like that.
            """

        def runs(self, wanted: RunFilter, output: bool = False, samples: bool = False) -> list[Run]:
            """Return the runs meant, with output and samples only if asked for."""

        def figures(self, wanted: RunFilter, names: Sequence[str]) -> list[tuple[Value, ...]]:
            """Return some metrics, by name, of the runs meant, in the filter's order; much cheaper than `runs`."""

        def count(self, wanted: RunFilter) -> int:
            """Return how many runs are meant; the filter's limit does not count."""

        def errors(self, wanted: RunFilter, error_type: str) -> list[tuple[str | None, int, int, int]]:
            """Return the errors of a type that ended runs that are meant; the filter's limit does not count.

            For each message how many runs it ended, and the starts of the first and the last of them.
            """

        def scripts(self) -> list[Script]:
            """Return key, path and name of every script that has runs."""

        def samples(self, run_id: str, attempt: int) -> Curve | None:
            """Return what was sampled in one attempt, None where nothing was."""

        def series(self, metric: str, wanted: RunFilter) -> list[Point]:
            """Return the values of one metric for the runs meant that have it, in the filter's order.

            The metric may be one that the catalog does not have; the order is by start.
            """

        def aggregate(self, metric: str, wanted: RunFilter, functions: Sequence[str]) -> dict[str, Value]:
            """Compute aggregates of one metric over the runs meant; the filter's limit does not count.

            Args:
                metric: Its name; it may be one that the catalog does not have.
                wanted: Which runs.
                functions: Of `aggregates.FUNCTIONS`. Without values the count is 0 and all else None.

            Raises:
                UsageError: There is no such function.
            """

        def buckets(
            self, metric: str, wanted: RunFilter, functions: Sequence[str], edges: Sequence[int]
        ) -> list[dict[str, Value]]:
            """Compute aggregates (see `aggregate`) of the runs started from each edge until before the next.

            Args:
                metric: Its name.
                wanted: Which runs.
                functions: Of `aggregates.FUNCTIONS`.
                edges: Moments in nanoseconds since the epoch, ascending; there is one bucket less.
            """

        def span(self, wanted: RunFilter) -> tuple[int, int] | None:
            """Return the first and the last start of the runs meant, None where there are none."""

        def presence(self, script: str = "") -> list[Presence]:
            """Return how many runs have each metric: those of the catalog in its order, then others by name.

            With a script, as people name it, its runs alone are counted, which takes reading them.
            """

        def stats(self) -> dict[str, Any]:
            """Return how much is kept.

            Keys: ``path`` (None where there is none), ``bytes``, ``runs``, ``attempts``, ``scripts``, ``first`` and
            ``last`` (starts, in ns since the epoch, None without runs), ``samples_bytes`` and ``output_bytes``.
            """

        def cleanup(self, before: int) -> int:
            """Delete the runs started before a moment (ns since the epoch) and free their space; return how many."""

        def keeper(self) -> Keeper | None:
            """Return what deletes in steps, keeps policies and accounts for deletions; None where nothing does."""

        def alert_book(self) -> AlertBook | None:
            """Return what remembers alerts and keeps their messages; None where nothing does."""

        def close(self) -> None:
            """Let go of everything; the store can't be used any more."""
