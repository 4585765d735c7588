"""The kept output of a run, line by line: from its journal while it runs, from the record afterwards."""

from __future__ import annotations

from time import sleep

from runner.engine.live import LOOK, LiveRun, find, is_of, running
from runner.model.errors import StoreCorruptError
from runner.stores import reading
from runner.stores.following import StreamReader, attempts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from runner.engine.history import HistoryManager
    from runner.model.moments import Moments
    from runner.model.run import Run

STREAMS = ("stdout", "stderr")
#: Bytes after which what has no newline is shown as it is.
LONGEST = 1 << 20


class Line:
    """One line of output, or what is missing between two.

    Attributes:
        attempt: Number of the attempt.
        stream: ``stdout`` or ``stderr``; where both went to one place, ``stdout``.
        data: Its bytes without the newline.
        ended: Whether the newline came.
        time: When it was begun, in nanoseconds since the epoch, UTC, to a tick; None where that is not known.
        missing: Bytes that were not kept before it.
    """

    __slots__ = ("attempt", "data", "ended", "missing", "stream", "time")

    def __init__(self, attempt: int, stream: str, data: bytes, ended: bool, time: int | None, missing: int = 0) -> None:
        self.attempt = attempt
        self.stream = stream
        self.data = data
        self.ended = ended
        self.time = time
        self.missing = missing


class _Splitter:
    """Makes lines of the pieces of one stream."""

    def __init__(self, attempt: int, stream: str, started: int | None) -> None:
        self.attempt = attempt
        self.stream = stream
        self._started = started
        self._rest = b""
        self._end = 0  # offset behind what was taken
        self._missing = 0

    def split(self, pieces: Iterable[tuple[int, bytes]], moments: Moments) -> Iterator[Line]:
        """Yield the lines that the pieces complete."""
        for offset, data in pieces:
            if offset > self._end:
                yield from self.finish(moments)
                self._missing += offset - self._end
            at = offset - len(self._rest)
            *lines, rest = (self._rest + data).split(b"\n")
            self._end = offset + len(data)
            for line in lines:
                # What is being yielded may be the last that is wanted: nothing is left half-done.
                self._rest = b""
                yield self._line(at, line, True, moments)
                at += len(line) + 1
            self._rest = rest
            if len(rest) > LONGEST:
                yield from self.finish(moments)

    def finish(self, moments: Moments) -> Iterator[Line]:
        """Yield the line that has not come to its end."""
        if self._rest:
            rest, self._rest = self._rest, b""
            yield self._line(self._end - len(rest), rest, False, moments)

    def open_line(self, moments: Moments) -> Line | None:
        """Return the line that has not come to its end yet, which is still to come whole."""
        return self._line(self._end - len(self._rest), self._rest, False, moments, 0) if self._rest else None

    def _line(self, at: int, data: bytes, ended: bool, moments: Moments, missing: int | None = None) -> Line:
        if missing is None:
            missing, self._missing = self._missing, 0
        t = None if self._started is None else moments.at(at)
        time = None if t is None or self._started is None else self._started + round(t * 1e9)
        return Line(self.attempt, self.stream, data, ended, time, missing)


def _merge(streams: Sequence[Iterator[Line]]) -> Iterator[Line]:
    """Yield the lines of the streams of one attempt in the order in which they were written, to a tick."""
    if len(streams) < 2:
        for stream in streams:
            yield from stream
        return
    from heapq import merge

    yield from merge(*streams, key=lambda line: line.time or 0)


def kept(run: Run, streams: Sequence[str] = STREAMS, attempt: int | None = None) -> Iterator[Line]:
    """Yield what the record keeps of the output of a run.

    Args:
        run: The run, with its output.
        streams: Which streams.
        attempt: Which attempt, None for all.
    """
    for each in run.attempts:
        if attempt in (None, each.number):
            named = [name for name in streams if name in each.output]
            yield from _merge([_kept_lines(run, each.number, name) for name in named])


def _kept_lines(run: Run, number: int, stream: str) -> Iterator[Line]:
    attempt = next(each for each in run.attempts if each.number == number)
    tail = attempt.output[stream]
    splitter = _Splitter(number, stream, attempt.started)
    pieces = [(0, tail.head), *([(tail.size - len(tail.tail), tail.tail)] if tail.tail else [])]
    yield from splitter.split(pieces, tail.moments)
    yield from splitter.finish(tail.moments)


class LiveOutput:
    """The output of a running run, as its journal keeps it; can be followed to the end of the run.

    Args:
        path: The journal.
        streams: Which streams.
        attempt: Which attempt, None for all.
    """

    def __init__(self, path: str, streams: Sequence[str] = STREAMS, attempt: int | None = None) -> None:
        self.path = path
        self._streams = streams
        self._attempt = attempt
        self._open: dict[tuple[int, str], tuple[StreamReader, _Splitter]] = {}

    def read(self) -> Iterator[Line]:
        """Yield the lines that came since the last call."""
        for key in attempts(self.path):
            number, stream = key
            if key not in self._open and stream in self._streams and self._attempt in (None, number):
                # What was begun before this attempt gets no more.
                yield from self._finish(number)
                started = reading.read_starts(self.path).get(number)
                reader = StreamReader(self.path, stream, number)
                self._open[key] = reader, _Splitter(number, stream, started)
        for number in sorted({number for number, _ in self._open}):
            yield from _merge([self._lines(*self._open[key]) for key in self._keys(number)])

    def _keys(self, number: int) -> list[tuple[int, str]]:
        return [key for key in self._open if key[0] == number]

    def _lines(self, reader: StreamReader, splitter: _Splitter) -> Iterator[Line]:
        pieces = reader.read()
        yield from splitter.split(pieces, reader.moments)

    def _finish(self, before: int) -> Iterator[Line]:
        for number, stream in list(self._open):
            if number < before:
                reader, splitter = self._open[number, stream]
                yield from self._lines(reader, splitter)
                yield from splitter.finish(reader.moments)
                reader.close()

    def open_lines(self) -> list[Line]:
        """Return the lines that have not come to their end yet."""
        found = [splitter.open_line(reader.moments) for reader, splitter in self._open.values()]
        return [line for line in found if line is not None]

    def follow(self, pause: Callable[[], None]) -> Iterator[Line]:
        """Yield lines until the run has ended; those still open come last.

        Args:
            pause: Called when there is nothing new, before waiting.
        """
        from runner.engine.live import is_alive

        while True:
            alive = is_alive(self.path)
            yield from self.read()
            if not alive:
                return
            pause()
            sleep(LOOK)

    def finish(self, run: Run | None) -> Iterator[Line]:
        """Yield what is left once the run has ended and its journal may be gone.

        Args:
            run: The run as it is remembered, with its output: it has what came after the last look at the journal.
        """
        if run is not None:
            for each in run.attempts:
                if self._attempt in (None, each.number):
                    named = [name for name in self._streams if name in each.output]
                    yield from _merge([self._rest(run, each.number, name) for name in named])
        for reader, splitter in self._open.values():
            yield from splitter.finish(reader.moments)
            reader.close()

    def _rest(self, run: Run, number: int, stream: str) -> Iterator[Line]:
        attempt = next(each for each in run.attempts if each.number == number)
        tail = attempt.output[stream]
        if (number, stream) in self._open:
            reader, splitter = self._open[number, stream]
            position = reader.position
        else:
            splitter, position = _Splitter(number, stream, attempt.started), 0
        for offset, data in ((0, tail.head), (tail.size - len(tail.tail), tail.tail)):
            if offset + len(data) > position:
                skip = max(0, position - offset)
                yield from splitter.split([(offset + skip, data[skip:])], tail.moments)
                position = offset + len(data)
        yield from splitter.finish(tail.moments)


def find_output(history: HistoryManager, text: str, fold: Callable[[], None]) -> LiveRun | Run:
    """Return the run that a text names: running, or remembered with its output.

    Args:
        history: Where runs are remembered.
        text: As `find_run.find_run` takes it; runs that are running count too.
        fold: Takes in what waits to be stored; called only where the record is asked.

    Raises:
        UsageError: It names none, or several.
    """
    from runner.engine.find_run import find_run, places_back
    from runner.stores.base import RunFilter

    runs = running(history.db_path)
    back = places_back(text)
    if back:
        script = text.partition(":")[2]
        named = [live for live in runs if not script or is_of(live.run, script)]
        if not named:
            fold()
            return find_run(history, text)
        fold()
        stored = history.runs(RunFilter(script, limit=back))
        newest: list[LiveRun | Run] = sorted([*named, *stored], key=lambda run: run.started, reverse=True)
        found = newest[back - 1] if len(newest) >= back else None
        if isinstance(found, LiveRun):
            return found
        return find_run(history, text if found is None else found.id)
    live = find(runs, text)
    if live is not None:
        return live
    fold()
    return find_run(history, text)


def left_behind(live: LiveRun, history: HistoryManager) -> Run | None:
    """Return a run that has ended, with its output: from the record, or from a journal that could not be stored yet."""
    found = history.get(live.id)
    if found is not None:
        return found
    from runner.stores.replay import load

    try:
        return load(live.path)
    except StoreCorruptError:
        return None
