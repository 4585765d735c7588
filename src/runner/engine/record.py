"""Remembers a run: journal while it lasts, store at its end, and what earlier runners had to leave behind."""

from __future__ import annotations

import os

from runner.agent.events import LOST
from runner.engine import usual
from runner.engine.location import journal_roots, locate, make_folder
from runner.model.errors import StoreCorruptError, StoreError
from runner.stores.base import script_label
from runner.stores.journal import Journal, abandoned

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.agent.events import Event
    from runner.engine.run_options import RecordOptions
    from runner.model.run import Attempt, Run
    from runner.stores.base import Store

#: Seconds for which the end of a run may be held back to store what earlier runners left.
FOLDING_SECONDS = 1.0
#: Seconds that an automatic cleanup may take of it; what is left then is done after a later run.
CLEANING_SECONDS = 0.2


class Recorder:
    """Remembers one run. Nothing it does may fail the run: what goes wrong comes back from `finish` as lines to say.

    Args:
        options: Where runs are remembered, and for how long.
        cwd: Folder from which the default record is looked for.
        run: The run, as far as it is known at its start.
        waiting: For what it waits before it can start, "" where it does not; `go_on` follows then.
    """

    def __init__(self, options: RecordOptions, cwd: str, run: Run, waiting: str = "") -> None:
        self.options = options
        self.path, notice = locate(options.history_db, cwd)
        self.warnings = [notice] if notice else []
        self.roots = journal_roots(self.path)
        if notice:
            make_folder(os.path.dirname(self.path))
        #: Whether the finished run could not be stored.
        self.failed = False
        self._journal = self._open_journal(run)
        if not waiting:
            self._load()
        elif self._journal is not None:
            self._journal.wait(waiting)

    def _load(self) -> None:
        """Load what storing needs, while the script runs: a script that is started later begins with our memory."""
        from runner.stores import STORES

        self._open_store = STORES.load("sqlite")

    def go_on(self, run: Run) -> None:
        """Know that a run waits no longer, and what is known of it now."""
        if self._journal is not None:
            self._journal.update(run)
        self._load()

    def _open_journal(self, run: Run) -> Journal | None:
        beside, fallback = self.roots
        try:
            return Journal.create(beside, run)
        except (OSError, TypeError, ValueError):
            pass
        try:
            make_folder(os.path.dirname(fallback))
            return Journal.create(fallback, run)
        except (OSError, TypeError, ValueError):
            return None

    @property
    def requests(self) -> int:
        """Descriptor on which others ask for the end of the run, -1 where nobody can."""
        return -1 if self._journal is None else self._journal.requests

    def begin(self, attempt: Attempt) -> None:
        """Announce an attempt before its first event; its curve is what its samples are folded into meanwhile."""
        if self._journal is not None:
            self._journal.curve = attempt.curve

    def tell(self, event: Event, number: int) -> None:
        """Take one event of the attempt of that number."""
        if self._journal is not None:
            self._journal.tell(event, number)

    def forget(self) -> None:
        """Leave nothing of the run; it must not have finished."""
        if self._journal is not None:
            self._journal.close(remove=True)
            self._journal = None

    def finish(self, run: Run) -> list[str]:
        """Store the finished run and what earlier runners left, and compare it; return the lines worth saying."""
        try:
            store = self._save(run)
        except StoreError as error:
            self.failed = True
            self._keep(run, error)
        else:
            if self._journal is not None:
                if self._journal.trouble:
                    self.warnings.append(f"the run is stored, but its journal was cut short: {self._journal.trouble}")
                self._journal.close(remove=True)
            try:
                run.usual = usual.compare_with_usual(store, run)
                if not run.last.success:
                    from runner.engine.failure_note import note_failure

                    run.failure = note_failure(store, run)
                self.warnings += fold_abandoned(store, self.roots)
                self._clean_up(store)
            except StoreError as error:
                self.warnings.append(str(error))
            store.close()
        return self.warnings

    def _save(self, run: Run) -> Store:
        try:
            return self._try_to_save(run)
        except StoreCorruptError as error:
            return self._start_anew(run, error)

    def _try_to_save(self, run: Run) -> Store:
        store: Store = self._open_store(self.path)
        try:
            store.save(run)
        except BaseException:
            store.close()
            raise
        return store

    def _start_anew(self, run: Run, error: StoreCorruptError) -> Store:
        """Move a damaged record aside and begin a new one; of several runners that find it damaged, one moves it."""
        import fcntl
        from time import strftime

        try:
            folder = os.open(os.path.dirname(self.path), os.O_RDONLY | os.O_CLOEXEC)
        except OSError as reason:
            raise StoreError(f"{error}, and can't be moved aside: {reason.strerror}") from None
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            try:
                return self._try_to_save(run)
            except StoreCorruptError:
                pass  # still the damaged one
            aside = f"{self.path}.corrupt-{strftime('%Y%m%dT%H%M%S')}"
            for suffix in ("-wal", "-shm", ""):
                if os.path.exists(self.path + suffix):
                    os.rename(self.path + suffix, aside + suffix)
            store = self._try_to_save(run)
        except OSError as reason:
            raise StoreError(f"{error}, and can't be moved aside: {reason.strerror}") from None
        finally:
            os.close(folder)
        self.warnings.append(f"{error}; it was moved to {aside} and a new record was begun")
        return store

    def _keep(self, run: Run, error: StoreError) -> None:
        """Leave a run that could not be stored to a later runner."""
        journal = self._journal
        if journal is not None:
            journal.trouble = ""
            journal.update(run)
            if journal.trouble:
                self._move_journal(run)
                journal = self._journal
        if journal is None:
            self.warnings.append(f"{error}; the run is not remembered, since no journal could be written either")
            return
        journal.close(remove=False)
        self.warnings.append(f"{error}; the run is kept in {journal.path} and will be stored by a later run")

    def _move_journal(self, run: Run) -> None:
        """Write the run into the user's state directory, since its journal can't be completed where it is."""
        incomplete, self._journal = self._journal, None
        assert incomplete is not None
        fallback = self.roots[1]
        try:
            make_folder(os.path.dirname(fallback))
            journal = Journal.create(fallback, run)
        except OSError:
            self._journal = incomplete  # better than nothing
            return
        journal.write_attempts(run)
        if journal.trouble:
            journal.close(remove=True)
            self._journal = incomplete
            return
        incomplete.close(remove=True)
        self._journal = journal

    def _clean_up(self, store: Store) -> None:
        options = self.options
        if not options.auto_cleanup and not options.auto_retention:
            return
        from time import monotonic

        deadline = monotonic() + CLEANING_SECONDS
        from runner.engine.retention import tidy_up

        days = options.retention_days if options.auto_cleanup else None
        self.warnings += tidy_up(store, days, options.auto_retention, deadline)


def fold_abandoned(store: Store, roots: tuple[str, ...], patience: float = FOLDING_SECONDS) -> list[str]:
    """Store the runs whose runners are gone and left a journal; return a line for each.

    Args:
        store: Where they belong.
        roots: Folders of journals.
        patience: Seconds after which the rest is left to a later runner.

    Raises:
        StoreError: They can't be stored; their journals stay.
    """
    from time import monotonic

    deadline = monotonic() + patience
    said: list[str] = []
    for root in roots:
        for journal in abandoned(root):
            if monotonic() > deadline:
                journal.close(remove=False)
                return said
            line = _fold_one(store, journal)
            if line:
                said.append(line)
        try:
            os.rmdir(root)
        except OSError:
            pass  # not there, or journals of other runs are in it
    return said


def _fold_one(store: Store, journal: Journal) -> str:
    from runner.stores.reading import read_waiting
    from runner.stores.replay import load

    if read_waiting(journal.path):
        journal.close(remove=True)  # nothing has run
        return ""
    try:
        run = load(journal.path)
    except StoreCorruptError as error:
        folder, name = os.path.split(journal.path)
        os.rename(journal.path, os.path.join(folder, f".damaged-{name}"))
        journal.close(remove=False)
        return f"{error}; it was set aside"
    stored = False
    try:
        for attempt in run.attempts:
            _explain(attempt)
        is_new = store.save(run)
        stored = True
    finally:
        journal.close(remove=stored)
    if not is_new:
        return ""
    if run.last.reason == LOST:
        what = "was lost, because its runner ended before the script did; what was measured until then is stored"
    else:
        what = "could not be stored when it ended; it is stored now"
    return f"an earlier run, {run.id} of {script_label(run)}, {what}"


def _explain(attempt: Attempt) -> None:
    """Name what ended an attempt whose own runner did not come to it."""
    if attempt.error_type is not None or attempt.success:
        return
    from runner.engine.failure import name_failure

    name_failure(attempt)
