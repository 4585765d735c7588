"""The journal of a run while it lasts: a folder of files that survives whatever becomes of the runner.

Who holds the lock of the folder owns it: the runner that writes it, and after its death whoever takes the lock to
store what is left. A failure to write (a full disk) never reaches the run; it is remembered in `Journal.trouble`.
"""

from __future__ import annotations

import os

from runner.agent.events import Output, Sample, dumps, encode
from runner.stores.files import high, take, write_all
from runner.stores.segments import Segments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.agent.events import Event
    from runner.model.curve import Curve
    from runner.model.run import Attempt, Run

VERSION = 1

LOCK = "lock"
#: FIFO on which the runner listens to who asks for the end of the run (`agent.requests`).
REQUESTS = "requests"
FACTS = "run.json"
EVENTS = "events.jsonl"
#: Number of the running attempt and where it begins among the events, once it is not the first.
PLACE = "attempt"

#: Size of the events at which their samples are replaced by the curve they fold into.
BOUND = 4 << 20

_NEW = ".new-"
_GONE = ".gone-"
#: Seconds after which a folder that never got its name is taken for a remnant.
_REMNANT_SECONDS = 3600

_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC


class Journal:
    """One run's journal, open and locked."""

    def __init__(self, path: str, lock: int) -> None:
        self.path = path
        self.trouble = ""  #: the first failure to write, in a few words
        #: The samples of the running attempt, kept by whoever folds the events; without it the file has no bound.
        self.curve: Curve | None = None
        #: Descriptor of the FIFO, which does not block; -1 where there is none.
        self.requests = -1
        self._lock = lock
        self._events = -1
        self._size = 0
        self._bound = BOUND
        self._torn = False
        self._attempt = 0
        self._output: dict[str, Segments] = {}

    @classmethod
    def create(cls, root: str, run: Run) -> Journal:
        """Create the journal of a run in the folder `root`, which is created too if only it is missing.

        Raises:
            OSError: It can't be written there.
        """
        new = os.path.join(root, _NEW + run.id)
        for last_try in (False, False, True):
            try:
                if not os.path.isdir(root):
                    os.mkdir(root, 0o700)
            except FileExistsError:
                pass
            try:
                os.mkdir(new, 0o700)
                break
            except FileNotFoundError:  # another runner has just removed the empty root
                if last_try:
                    raise
        opened: list[int] = []
        try:
            opened.append(high(os.open(os.path.join(new, LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)))
            take(opened[0])
            journal = cls(os.path.join(root, run.id), opened[0])
            journal._write_facts(run, new)
            opened.append(high(os.open(os.path.join(new, EVENTS), _APPEND, 0o600)))
            journal._events = opened[1]
            journal.requests = _listen(os.path.join(new, REQUESTS))
            if journal.requests >= 0:
                opened.append(journal.requests)
            os.rename(new, journal.path)
        except BaseException:
            for descriptor in opened:
                os.close(descriptor)
            _remove_tree(new)
            raise
        return journal

    def wait(self, what: str) -> None:
        """Append for what the run waits; it does so until its first attempt begins."""
        self._append(dumps({"waiting": what}))

    def tell(self, event: Event, number: int) -> None:
        """Append one event of the attempt of that number."""
        if number != self._attempt:
            self._attempt = number
            self._close_output()
            if number > 1:
                self._note_place(number)
            self._append(dumps({"attempt": number}))
        if isinstance(event, Output):
            self._tell_output(event)
            return
        self._append(encode(event))
        if self._size > self._bound and self.curve is not None and isinstance(event, Sample):
            self._compact(self.curve)

    def attempt_ended(self, attempt: Attempt) -> None:
        """Append what became of an attempt, as its record will have it."""
        self._append(dumps({"closed": attempt_facts(attempt)}))

    def update(self, run: Run) -> None:
        """Write down what is known of the run now, its attempts included."""
        try:
            self._write_facts(run, self.path)
        except OSError as error:
            self._fail(error)
            return
        for attempt in run.attempts:
            self.attempt_ended(attempt)

    def write_attempts(self, run: Run) -> None:
        """Write all that is known of the attempts of a run into a journal that saw none of their events."""
        from binascii import b2a_base64

        from runner.stores.codec import encode_curve

        for attempt in run.attempts:
            self._attempt = attempt.number
            self._append(dumps({"attempt": attempt.number}))
            if attempt.curve is not None and attempt.curve.samples:
                packed = b2a_base64(encode_curve(attempt.curve), newline=False).decode("ascii")
                self._append(dumps({"curve": packed}))
            for stream, tail in attempt.output.items():
                segments = self._output[stream] = Segments(f"{self.path}/{stream}.{attempt.number}")
                try:
                    for offset, t in tail.moments:
                        segments.times.add(offset, t)
                    segments.add(0, tail.head)
                    segments.add(tail.size - len(tail.tail), tail.tail)
                except OSError as error:
                    self._fail(error)
            self._close_output()
            self.attempt_ended(attempt)

    def close(self, remove: bool = True) -> None:
        """Let the journal go: removed, since its run is stored, or left for a later runner to store."""
        self._close_output()
        if self._events >= 0:
            os.close(self._events)
        if remove:
            remove_folder(self.path)
        if self.requests >= 0:
            os.close(self.requests)
        os.close(self._lock)

    def _write_facts(self, run: Run, folder: str) -> None:
        facts = {name: value for name, value in vars(run).items() if name != "attempts"}
        data = dumps({"v": VERSION, "pid": os.getpid(), "run": facts}).encode("ascii")
        path = os.path.join(folder, FACTS)
        descriptor = os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            write_all(descriptor, data)
        finally:
            os.close(descriptor)
        os.rename(path + ".new", path)

    def _note_place(self, number: int) -> None:
        """Tell readers where the attempt begins, so that they need not look for it in all events."""
        path = os.path.join(self.path, PLACE)
        try:
            descriptor = os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                write_all(descriptor, b"%d %d" % (number, os.fstat(self._events).st_size))
            finally:
                os.close(descriptor)
            os.rename(path + ".new", path)
        except OSError as error:
            self._fail(error)

    def _append(self, line: str) -> None:
        data = line.encode("ascii") + b"\n"
        try:
            # After a line that was cut short, what follows must not become part of it.
            write_all(self._events, b"\n" + data if self._torn else data)
            self._torn = False
            self._size += len(data)
        except OSError as error:
            self._torn = True
            self._fail(error)

    def _tell_output(self, event: Output) -> None:
        segments = self._output.get(event.stream)
        if segments is None:
            segments = self._output[event.stream] = Segments(f"{self.path}/{event.stream}.{self._attempt}")
        try:
            segments.add(event.offset, event.data, event.t)
        except OSError as error:
            self._fail(error)

    def _compact(self, curve: Curve) -> None:
        """Replace the samples of this attempt, and no other line, by the curve they fold into."""
        from binascii import b2a_base64

        from runner.stores.codec import encode_curve

        path = os.path.join(self.path, EVENTS)
        marker = dumps({"attempt": self._attempt}).encode("ascii")
        try:
            with open(path, "rb") as file:
                lines = file.read().split(b"\n")
            start = lines.index(marker)
            mine = [line for line in lines[start:] if line and not _is_samples(line)]
            packed = b2a_base64(encode_curve(curve), newline=False)
            kept = [*lines[:start], mine[0], b'{"curve":"' + packed + b'"}', *mine[1:], b""]
            data = b"\n".join(kept)
            descriptor = high(os.open(path + ".new", _APPEND | os.O_TRUNC, 0o600))
            try:
                write_all(descriptor, data)
                os.rename(path + ".new", path)
            except BaseException:
                os.close(descriptor)
                raise
        except (OSError, ValueError) as error:
            self._fail(error)
            self._bound = self._size + BOUND
            return
        os.close(self._events)
        self._events = descriptor
        self._size = len(data)
        self._bound = self._size + BOUND

    def _close_output(self) -> None:
        for segments in self._output.values():
            segments.close()
        self._output.clear()

    def _fail(self, error: Exception) -> None:
        if not self.trouble:
            self.trouble = getattr(error, "strerror", None) or str(error)


def _listen(path: str) -> int:
    try:
        os.mkfifo(path, 0o600)
        # Open for writing too: so it never comes to an end. Who opens it without a runner at its end is told so.
        return high(os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC))
    except OSError:  # a file system without them
        return -1


def _is_samples(line: bytes) -> bool:
    return b'"event":"sample"' in line or line.startswith(b'{"curve"')


def attempt_facts(attempt: Attempt) -> dict[str, object]:
    """Return what became of an attempt, without curve and output."""
    return {name: value for name, value in vars(attempt).items() if name not in ("curve", "output")}


def abandoned(root: str) -> Iterator[Journal]:
    """Yield every journal below `root` that nobody holds, locked meanwhile by us; each must be closed.

    What an earlier runner had only half created or removed is cleared away.
    """
    try:
        names = os.listdir(root)
    except OSError:
        return
    for name in sorted(names):
        path = os.path.join(root, name)
        if name.startswith("."):
            _clear_remnant(path, name)
            continue
        lock = _take_over(path)
        if lock >= 0:
            yield Journal(path, lock)


def _take_over(path: str) -> int:
    try:
        lock = high(os.open(os.path.join(path, LOCK), os.O_RDWR | os.O_CLOEXEC))
    except OSError:
        return -1
    try:
        take(lock)
        # Somebody may have stored and removed it just before we got the lock.
        if os.path.samestat(os.fstat(lock), os.stat(os.path.join(path, LOCK))):
            return lock
    except OSError:  # held by its runner, or gone
        pass
    os.close(lock)
    return -1


def _clear_remnant(path: str, name: str) -> None:
    try:
        if name.startswith(_GONE):
            _remove_tree(path)
        elif name.startswith(_NEW):
            from time import time

            if time() - os.stat(path).st_mtime > _REMNANT_SECONDS:
                _remove_tree(path)
    except OSError:
        pass


def remove_folder(path: str) -> None:
    """Remove a journal: at once for everyone who looks for journals, its files after that."""
    folder, name = os.path.split(path)
    gone = os.path.join(folder, _GONE + name)
    try:
        os.rename(path, gone)
    except OSError:
        return
    _remove_tree(gone)


def _remove_tree(path: str) -> None:
    try:
        for name in os.listdir(path):
            os.unlink(os.path.join(path, name))
        os.rmdir(path)
    except OSError:
        pass  # another runner clears the same remnant, or a later one will
