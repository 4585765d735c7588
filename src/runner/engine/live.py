"""The runs that are running now, as their journals tell: read by anybody beside their runners, never in their way."""

from __future__ import annotations

import os
from time import monotonic, sleep, time_ns

from runner.agent.events import SAMPLE_FIELDS
from runner.engine.location import journal_roots
from runner.model.errors import StoreCorruptError, UsageError
from runner.stores import reading
from runner.stores.base import script_label

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.agent.events import Event
    from runner.model.run import Run
    from runner.stores.reading import Now

#: Seconds between two looks at a journal that is followed.
LOOK = 0.25
#: Runs named where a message says which there are.
_TOLD = 6

RUNNING = "running"
#: Between the end of an attempt and the start of the next, or of the record.
BETWEEN = "between attempts"
STARTING = "starting"
#: Begins the state of a run that can't start yet.
WAITING = "waiting for "


class LiveRun:
    """One run that was running when it was looked at; `refresh` looks again.

    Attributes:
        run: What was asked for, as far as it was known at the start; it has no attempts yet.
        runner_pid: Process id of the runner, or of the program that runs it by the Python API.
        path: Its journal.
        attempt: Number of the running attempt.
        state: `RUNNING`, `STARTING`, `BETWEEN`, or `WAITING` and for what.
        waiting: Whether it can't start yet: its script has never run.
        pid: Process id of the script, None while there is none.
        figures: The newest sample by `SAMPLE_FIELDS`, empty before there is one; ``cpu_percent`` is that of about the
            last second.
        elapsed: Seconds since the start of the run, or as long as it waits.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.run, self.runner_pid = reading.read_facts(path)
        self.refresh()

    def refresh(self) -> None:
        """Read the newest figures.

        Raises:
            OSError: The journal is gone: the run has ended.
        """
        self.now: Now = reading.read_now(self.path)
        self.attempt = self.now.attempt
        self.elapsed = max(0.0, (time_ns() - self.run.started) / 1e9)
        self.pid = None
        self.waiting = bool(self.now.waiting)
        if self.now.started is None:
            self.state = WAITING + self.now.waiting if self.waiting else STARTING
        elif self.now.ended is not None:
            self.state = BETWEEN
        else:
            self.state = RUNNING
            self.pid = self.now.started.pid
        self.figures = _figures(self.now) if self.state == RUNNING else {}

    @property
    def id(self) -> str:
        """The run's id."""
        return self.run.id

    @property
    def script(self) -> str:
        """What people call its script."""
        return script_label(self.run)

    @property
    def args(self) -> list[str]:
        """Arguments of the script, without secrets."""
        return self.run.args

    @property
    def started(self) -> int:
        """When it was started, in nanoseconds since the epoch, UTC."""
        return self.run.started

    @property
    def user(self) -> str:
        """Whose it is."""
        return self.run.user

    def alive(self) -> bool:
        """Whether its runner still runs it or stores it."""
        return is_alive(self.path)

    def events(self, follow: bool = True) -> Iterator[tuple[int, Event]]:
        """Yield the events of the running attempt from its start on, each with the number of its attempt.

        `Output` events are not among them (see `engine.live_output`); of a long run, samples that were folded into a
        curve are passed over.

        Args:
            follow: Go on until the run has ended, waiting for events; without it stop at the newest.
        """
        from runner.stores.following import EventReader

        reader = EventReader(self.path, *reading.read_place(self.path))
        try:
            while True:
                alive = follow and self.alive()
                yield from reader.read()
                if not alive:
                    return
                sleep(LOOK)
        finally:
            reader.close()


def is_alive(path: str) -> bool:
    """Whether the journal at `path` is there and its runner lives."""
    try:
        return reading.held(path)
    except OSError:
        return False


def running(db_path: str, problems: list[str] | None = None) -> list[LiveRun]:
    """Return the runs of a record that are running now, in the order of what they use: CPU, then memory.

    Args:
        db_path: The record; only its journals are read.
        problems: Takes a line for each journal that could not be read.
    """
    found = []
    troubles = [] if problems is None else problems
    for root in journal_roots(db_path):
        denied = 0
        try:
            names = sorted(name for name in os.listdir(root) if not name.startswith("."))
        except FileNotFoundError:
            continue
        except OSError as error:
            troubles.append(f"{root} can't be read: {error.strerror}")
            continue
        for name in names:
            path = os.path.join(root, name)
            try:
                if reading.held(path):
                    found.append(LiveRun(path))
            except (FileNotFoundError, NotADirectoryError):
                continue  # it has just ended
            except PermissionError:
                denied += 1
            except (OSError, StoreCorruptError) as error:
                troubles.append(str(error))
        if denied:
            what = "one run" if denied == 1 else f"{denied} runs"
            troubles.append(f"{what} of another user can't be read in {root}")
    return sorted(found, key=_weight, reverse=True)


def _weight(live: LiveRun) -> tuple[float, float, int]:
    return live.figures.get("cpu_percent") or 0.0, live.figures.get("memory_bytes") or 0.0, live.started


def find(runs: list[LiveRun], text: str) -> LiveRun | None:
    """Return the running run that `text` means: an id or its unique beginning, ``last``, or ``last:SCRIPT``.

    Raises:
        UsageError: Several begin so.
    """
    word, colon, script = text.partition(":")
    if word == "last":
        named = [live for live in runs if not colon or is_of(live.run, script)]
        return max(named, key=lambda live: live.started, default=None)
    meant = [live for live in runs if text and live.id.startswith(text.lower())]
    if len(meant) > 1:
        raise UsageError(f"several running runs begin with {text!r}: {listed(meant)}")
    return meant[0] if meant else None


def listed(runs: list[LiveRun]) -> str:
    """Name the first few runs for a message."""
    named = [f"{live.id} ({live.script})" for live in runs[:_TOLD]]
    return ", ".join([*named, "..."] if len(runs) > _TOLD else named)


def is_of(run: Run, script: str) -> bool:
    """Whether a run is one of the script that a person names so, as history understands it."""
    from runner.stores.base import RunFilter

    return bool(RunFilter(script).scripts([(run.script_key, run.script_path, script_label(run))]))


def wait_for_end(path: str, seconds: float | None = None) -> bool:
    """Wait until the runner of the journal at `path` is done; return False if the time has passed before."""
    until = None if seconds is None else monotonic() + seconds
    pause = 0.01
    while is_alive(path):
        if until is not None and monotonic() >= until:
            return False
        sleep(pause)
        pause = min(pause * 1.5, LOOK)
    return True


def _figures(now: Now) -> dict[str, float | None]:
    if not now.samples:
        return {}
    first, last = now.samples[0], now.samples[-1]
    figures = dict(zip(SAMPLE_FIELDS, last.values, strict=False))
    # What a tenth of a second tells of CPU is too jumpy to read.
    before = dict(zip(SAMPLE_FIELDS, first.values, strict=False)).get("cpu_seconds")
    after = figures.get("cpu_seconds")
    if before is not None and after is not None and last.t > first.t:
        figures["cpu_percent"] = max(0.0, (after - before) / (last.t - first.t) * 100)
    return figures
