"""Sends what is in the outbox: each channel beside the others, all within a time, and what is left is left to others.

A message is sent by who holds its lease, at least once: where nobody knows whether it arrived, it is sent again later
with the same id, by which the other side can tell.
"""

from __future__ import annotations

import os
import threading
from queue import Empty, SimpleQueue
from time import monotonic, time_ns

from runner.channels.base import Partly, Passing, Permanent, Undelivered
from runner.model.notification import Notification
from runner.model.redact import redact_text
from runner.model.words import printable
from runner.stores.alerts import LONGEST_PAUSE, REFUSED, SENT, UNSENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from runner.channels.base import Channel
    from runner.stores.alerts import AlertBook

    #: Key in the outbox (0 for a message that is in none), and the message as plain data.
    Pending = tuple[int, dict[str, Any]]
    #: What became of a message, why, the seconds that the other side asks to wait, and with whom nothing is left to be
    #: done where it waits for others alone.
    Outcome = tuple[str, str, float, Mapping[str, int]]
    #: Channel, key and message (None: the channel has done what it can), and what became of it.
    Result = tuple[str, int, dict[str, Any] | None, Outcome]

#: Seconds that the end of a run is held back for its messages: with what is written afterwards five at most.
PATIENCE = 4.7
#: Tries of one message at the end of a run, and seconds between the first two; then twice as many.
TRIES, _PAUSE = 3, 0.3
#: Messages of earlier runs that the end of a run sends through one channel, at most.
OTHERS = 20
#: Seconds that a channel is left in peace after its first failure; then twice as many, up to the second.
_FIRST, _LONGEST = 5.0, 600.0
#: Seconds after which those are tried again who did not take what others took.
_REST = 300.0
#: How many results are noted at once.
_BATCH = 50

#: What tells where a channel leads to; all else of its settings is form, or secret.
_PLACES = ("url", "webhook_url", "urls", "smtp_server", "to", "words")


def fingerprint(channel: Channel) -> str:
    """Return what tells whether two channels lead to the same place, and nothing else of it.

    Several projects may share a record, each with a ``slack`` of its own: a message waits for the channel that it was
    meant for.
    """
    from hashlib import sha256

    from runner.options import Unset

    settings = {**vars(channel), **(getattr(channel, "settings", None) or {})}
    parts = []
    for name in _PLACES:
        place = settings.get(name)
        if isinstance(place, list):
            place = [each.name if isinstance(each, Unset) else each for each in place]
        if place:
            parts.append(f"{name}={place.name if isinstance(place, Unset) else place}")
    return sha256("\n".join([type(channel).__name__, *parts]).encode("utf-8", "surrogatepass")).hexdigest()[:12]


def new_owner() -> str:
    """Return a name for who sends, that nobody else has."""
    return f"{os.getpid()}-{os.urandom(4).hex()}"


def problem_of(error: Exception) -> str:
    """Return why a message was not taken, as it may be kept and shown.

    What no channel says in words of its own may repeat anything, a secret too: only its kind is told.
    """
    text = str(error) if isinstance(error, Undelivered) else f"it failed unexpectedly ({type(error).__name__})"
    return printable(redact_text(text))


class Sender:
    """Sends messages through channels.

    Args:
        channels: The channels, by name.
        book: The outbox; None where there is none.
        owner: Who holds the leases of what is sent.
    """

    def __init__(self, channels: Mapping[str, Channel], book: AlertBook | None, owner: str) -> None:
        self.channels = channels
        self.targets = {name: fingerprint(channel) for name, channel in channels.items()}
        self.book = book
        self.owner = owner
        #: Why a channel did not take a message, by channel.
        self.problems: dict[str, str] = {}
        self.sent = self.refused = 0
        #: Channels that refused a message for good.
        self.refusing: set[str] = set()
        #: Channels that reached some people and not others.
        self.partly: set[str] = set()
        #: Channels that took no message, and may later.
        self.passing: set[str] = set()
        self._deadline = 0.0

    def send(
        self, own: Mapping[str, Sequence[Pending]], deadline: float, others: int = OTHERS, early: bool = False
    ) -> int:
        """Send messages until all are sent, or the deadline comes.

        Args:
            own: By channel, what the owner has the leases of already.
            deadline: Moment of `time.monotonic`.
            others: Messages of other runs for each channel at most.
            early: Whether channels are tried that are left in peace for now, and messages that wait for another while.

        Returns:
            How many of the messages that it took wait for another time.
        """
        work = {name: list(own.get(name, ())) for name in self.channels}
        left = 0
        for name, mine in work.items():
            if self._in_peace(name, early):
                left += len(mine)
                self._give_back(name, mine)
                work[name] = []
            elif self.book is not None and others:
                mine.extend(self.book.claim(self.owner, name, self.targets[name], time_ns(), others, early))
        work = {name: mine for name, mine in work.items() if mine}
        if not work:
            return left
        self._deadline = deadline
        results: SimpleQueue[Result] = SimpleQueue()
        begun: dict[str, int] = dict.fromkeys(work, 0)
        for name, mine in work.items():
            arguments = (name, mine, results, begun)
            threading.Thread(target=self._work, args=arguments, daemon=True, name=f"alerts-{name}").start()
        done = self._collect(work, results)
        self._abandon(work, done, begun)
        return left + sum(map(len, work.values())) - self.sent - self.refused

    def hurry(self, deadline: float) -> None:
        """End what is under way earlier than was said; another thread may ask for it."""
        self._deadline = min(self._deadline, deadline)

    def _in_peace(self, name: str, early: bool) -> bool:
        """Whether a channel is to be left in peace now."""
        if early or self.book is None:
            return False
        until, _, problem = self.book.pause(name, self.targets[name])
        now = time_ns()
        if not now < until <= now + LONGEST_PAUSE:
            return False
        self.problems[name] = problem
        return True

    def _give_back(self, name: str, mine: Sequence[Pending]) -> None:
        if self.book is not None and mine:
            now = time_ns()
            self.book.settle(self.owner, now, [(key, UNSENT, "", now) for key, _ in mine])

    def _work(
        self, name: str, mine: Sequence[Pending], results: SimpleQueue[Result], begun: dict[str, int]
    ) -> None:
        """Send the messages of one channel, in a thread of its own; end with a result of no message."""
        for key, message in mine:
            if monotonic() >= self._deadline:
                break
            begun[name] += 1
            outcome = self._try(self.channels[name], Notification.from_dict(message))
            results.put((name, key, message, outcome))
            if outcome[0] == UNSENT and not outcome[3]:
                break  # what it does not take now it takes no other of either
        results.put((name, 0, None, ("", "", 0.0, {})))

    def _try(self, channel: Channel, notification: Notification) -> Outcome:
        """Send one message; return what became of it."""
        pause = _PAUSE
        for number in range(TRIES):
            try:
                channel.send(notification, self._deadline)
                return SENT, "", 0.0, {}
            except Partly as error:
                return UNSENT if error.settled else SENT, problem_of(error), 0.0, error.settled or {}
            except Permanent as error:
                return REFUSED, problem_of(error), 0.0, {}
            except Passing as error:
                problem, wait = problem_of(error), error.retry_after or 0.0
            except Exception as error:  # a channel of somebody else's
                problem, wait = problem_of(error), 0.0
            patience = max(pause, wait)
            if number + 1 == TRIES or monotonic() + patience >= self._deadline:
                break
            threading.Event().wait(patience)
            pause *= 2
        return UNSENT, problem, wait, {}

    def _collect(self, work: Mapping[str, Sequence[Pending]], results: SimpleQueue[Result]) -> dict[str, int]:
        """Note results as they come; return how many came of each channel."""
        done = dict.fromkeys(work, 0)
        busy = set(work)
        batch: list[Result] = []
        while busy:
            try:
                left = 0.05 if batch else self._deadline - monotonic()
                result = results.get(timeout=min(max(0.0, left), 0.5))
            except Empty:
                if batch:
                    self._note(batch)
                    batch = []
                elif monotonic() >= self._deadline:
                    break
                continue
            if result[2] is None:
                busy.discard(result[0])
            else:
                done[result[0]] += 1
                batch.append(result)
            if len(batch) >= _BATCH:
                self._note(batch)
                batch = []
        if batch:
            self._note(batch)
        for name in busy:
            self.problems.setdefault(name, "no answer in time")
        return done

    def _note(self, batch: Sequence[Result]) -> None:
        now = time_ns()
        rows = []
        for name, key, message, (state, problem, wait, settled) in batch:
            self.sent += state == SENT
            self.refused += state == REFUSED
            if state == REFUSED:
                self.refusing.add(name)
            if state == SENT and problem:
                self.partly.add(name)
            if problem:
                self.problems[name] = problem
            due = now
            if settled and message is not None:
                due = now + int(_REST * 1e9)
                if self.book is not None and key:
                    self.book.keep_rest(self.owner, key, {**message, "settled": settled})
            elif state == UNSENT:
                due = self._leave_in_peace(name, problem, now, wait)
            elif state == SENT and name not in self.passing and self.book is not None:
                self.book.put_pause(name, self.targets[name], 0, 0, "")
            if key:
                rows.append((key, state, problem, due))
        if self.book is not None and rows:
            self.book.settle(self.owner, now, rows)

    def _leave_in_peace(self, name: str, problem: str, now: int, wait: float) -> int:
        """Leave a channel in peace that has failed; return until when."""
        self.passing.add(name)
        if self.book is None:
            return now
        failures = self.book.pause(name, self.targets[name])[1] + 1
        seconds = max(wait, min(_LONGEST, _FIRST * 2.0 ** min(failures - 1, 20)))
        until = now + int(min(seconds * 1e9, LONGEST_PAUSE))
        self.book.put_pause(name, self.targets[name], until, failures, problem)
        return until

    def _abandon(
        self, work: Mapping[str, Sequence[Pending]], done: Mapping[str, int], begun: Mapping[str, int]
    ) -> None:
        """Give back what was not begun; what is under way keeps its lease, for it may arrive yet."""
        for name, mine in work.items():
            started = begun[name]
            self._give_back(name, [each for each in mine[started:] if each[0]])
            if started > done[name]:
                self.problems.setdefault(name, "no answer in time")
                now = time_ns()
                self._leave_in_peace(name, self.problems[name], now, 0.0)
