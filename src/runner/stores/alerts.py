"""Keeps the alerts of the SQLite store: what is remembered of each, what became of them, and messages to be sent."""

from __future__ import annotations

from contextlib import contextmanager

from runner.agent.events import dumps, loads
from runner.model.alert_state import AlertState
from runner.stores.base import RunFilter
from runner.stores.codec import pack, unpack
from runner.stores.database import read_queries
from runner.stores.rows import bind, number_of, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from runner.stores.base import Script
    from runner.stores.sqlite import SqliteStore

# What a message in the outbox is.
UNSENT = "waiting"
SENT = "sent"
REFUSED = "refused"

_SECOND = 1_000_000_000
#: For how long a message belongs to who is sending it; much longer than sending takes.
LEASE = 60 * _SECOND
#: The longest time for which a message or a channel is left in peace.
LONGEST_PAUSE = 3600 * _SECOND


class AlertBook:
    """The alerts of one SQLite store; it serves one thread at a time, and every method may raise `StoreError`.

    Times are nanoseconds since the epoch. A lease or a pause that lasts longer than any is given (a lease: than
    two) belongs to a clock that was set back since, and counts as over.

    Args:
        store: The store.
    """

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self._connection = store._connection
        self._queries = read_queries("alerts")

    def _ask(self, name: str, values: Sequence[Any] = (), where: str = "") -> list[Any]:
        return self._store._ask(self._queries[name].replace("{where}", where or "1"), list(values))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make what is asked and written inside the block one step, which no other runner sees half of."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            yield
            self._connection.execute("COMMIT")
        except BaseException as error:
            raise self._store._undo(error) from None

    def wait_at_most(self, seconds: float) -> None:
        """Wait for other writers no longer than so long from now on."""
        self._connection.execute(f"PRAGMA busy_timeout = {max(1, int(seconds * 1000))}")

    # -- what is remembered between runs ----------------------------------------------------------------------------

    def state(self, rule: str, key: str, name: str) -> AlertState:
        """Return what is remembered of an alert of the script of that key and name."""
        found = self._ask("get_state", [rule, bind(key), bind(name)])
        return _state(found[0]) if found else AlertState()

    def put_state(self, rule: str, key: str, name: str, state: AlertState) -> None:
        """Remember it."""
        self._ask("put_state", [
            rule, bind(key), bind(name), state.held, state.since, state.told, state.boot, state.up, state.untold,
            state.open, state.acked, bind(state.acked_by), state.severity,
        ])  # fmt: skip

    def holding(self, script: str = "", rule: str = "") -> list[tuple[str, str, str, AlertState]]:
        """Return rule, key and name of the script, and state, of the alerts that hold, the newest first.

        Args:
            script: Only of this script, as people name it.
            rule: Only this one.
        """
        found = [(row[0], text(row[1]), text(row[2]), _state(row[3:])) for row in self._ask("list_states")]
        meant = _meant(script, [(key, key, name) for _, key, name, _ in found])
        return [each for each in found if rule in ("", each[0]) and each[1:3] in meant]

    def mutes(self, now: int) -> list[dict[str, Any]]:
        """Return what is muted: ``id``, ``rule``, ``script``, ``since``, ``until``, ``by``, ``note``."""
        names = ("id", "rule", "script", "since", "until", "by", "note")
        return [dict(zip(names, map(text, row), strict=True)) for row in self._ask("list_mutes", [now])]

    def mute(self, rule: str, script: str, since: int, until: int | None, by: str, note: str) -> None:
        """Mute alerts: of this name, "" for all; of this script as people name it, "" for all."""
        with self.transaction():
            self._ask("end_mutes", [since])
            self._ask("add_mute", [rule, bind(script), since, until, bind(by), bind(note)])

    def unmute(self, numbers: Sequence[int]) -> None:
        """End what is muted, by its ids."""
        with self.transaction():
            for number in numbers:
                self._ask("drop_mute", [number])

    # -- what became of them ------------------------------------------------------------------------------------------

    def add_alert(self, run_id: str, key: str, name: str, at: int, during: bool, facts: Mapping[str, str]) -> int:
        """Note what became of an alert in a run; return the key of the note.

        Args:
            run_id: The run.
            key: Key of its script.
            name: Its name.
            at: When.
            during: Whether the run still lasted.
            facts: ``rule``, ``severity``, ``condition``, ``outcome`` (one of `alert_state.OUTCOMES`), ``text``.
        """
        values = [number_of(run_id), bind(key), bind(name), at, facts["rule"], facts["severity"],
                  facts["condition"], facts["outcome"], during, bind(facts["text"])]  # fmt: skip
        return int(self._connection.execute(self._queries["add_alert"], values).lastrowid or 0)

    def alerts(
        self, script: str = "", rule: str = "", since: int | None = None, outcome: str = "", run_id: str = "",
        limit: int = 1000,
    ) -> list[dict[str, Any]]:  # fmt: skip
        """Return what became of alerts, the newest first.

        Returns:
            Dicts of ``id``, ``run_id``, ``script_key``, ``name``, ``at``, ``rule``, ``severity``, ``condition``,
            ``outcome``, ``during``, ``text`` and ``messages``: for each ``channel``, ``state`` and ``problem``.
        """
        where: list[str] = ["1"]
        values: list[Any] = []
        for column, value in (("a.rule = ?", rule), ("a.outcome = ?", outcome), ("a.at >= ?", since)):
            if value not in ("", None):
                where.append(column)
                values.append(value)
        if run_id:
            where.append("a.run = ?")
            values.append(number_of(run_id))
        if script:
            known = [(text(row[0]), text(row[0]), text(row[1])) for row in self._ask("list_alert_scripts")]
            meant = sorted(_meant(script, known))
            where.append(f"(a.script, a.name) IN (VALUES {', '.join(['(?, ?)'] * len(meant))})" if meant else "0")
            values += [bind(part) for pair in meant for part in pair]
        rows = self._ask("list_alerts", [*values, limit], " AND ".join(where))
        names = ("id", "run_id", "script_key", "name", "at", "rule", "severity", "condition", "outcome", "during",
                 "text", "messages")  # fmt: skip
        result = [dict(zip(names, map(text, row), strict=True)) for row in rows]
        for each in result:
            each["run_id"] = f"{each['run_id']:012x}"
            each["during"] = bool(each["during"])
            each["messages"] = [
                {"channel": channel, "state": state, "problem": problem}
                for channel, state, problem in map(_inner, loads(each["messages"]))
            ]
        return result

    # -- messages -----------------------------------------------------------------------------------------------------

    def add_message(
        self, message: Mapping[str, Any], target: str, channel: str, at: int, owner: str, alerts: Sequence[int]
    ) -> int:
        """Put a message into the outbox, for its owner to send at once; return its key.

        Args:
            message: The message as plain data, with ``id`` (idempotency key) and ``run_id``.
            target: Fingerprint of where the channel leads to.
            channel: Name of the channel.
            at: The present.
            owner: Who is going to send it; until the lease ends nobody else does.
            alerts: Keys of the notes it tells of.
        """
        body = pack(dumps(message).encode("ascii"))
        values = [message["id"], number_of(message["run_id"]), channel, target, at, owner, at + LEASE, body]
        key = int(self._connection.execute(self._queries["add_message"], values).lastrowid or 0)
        for alert in alerts:
            self._ask("add_link", [alert, key])
        return key

    def claim(
        self, owner: str, channel: str, target: str, now: int, limit: int, early: bool = False
    ) -> list[tuple[int, dict[str, Any]]]:
        """Take messages that wait for a channel and that nobody has, so that nobody else sends them.

        Args:
            owner: Who takes them.
            channel: Name of the channel.
            target: Fingerprint of where it leads to.
            now: The present.
            limit: How many at most.
            early: Whether those count too that are to wait for another while.

        Returns:
            Key and message of each, those first that were tried least often.
        """
        # Who has a lease may have read the clock a moment later than we did, before either got the database.
        latest = now + 2 * LEASE
        if not early and not self._ask("has_due", [channel, target, now, now + LONGEST_PAUSE, latest]):
            return []  # most of the time, without a writer's lock
        with self.transaction():
            rows = self._ask("claim", [
                owner, now + LEASE, channel, target, now, now + LONGEST_PAUSE, latest, early, limit,
            ])  # fmt: skip
        # One that is never taken must not stand before all others for ever.
        return [(key, loads(unpack(body))) for _, key, body in sorted(rows)]

    def settle(self, owner: str, now: int, results: Sequence[tuple[int, str, str, int]]) -> None:
        """Note what became of messages that an owner had taken.

        Args:
            owner: Who had.
            now: The present.
            results: Key, what became of it (`SENT`, `REFUSED`, or `UNSENT` for a failure that may pass), why, and
                when it is to be tried again. Without a reason `UNSENT` gives it back untried.
        """
        with self.transaction():
            for key, state, problem, due in results:
                if state == SENT:
                    self._ask("mark_sent", [now, key])
                elif state == REFUSED:
                    self._ask("mark_refused", [now, problem, key])
                elif problem:
                    self._ask("mark_failed", [due, problem, key, owner])
                else:
                    self._ask("release", [key, owner])

    def keep_rest(self, owner: str, key: int, message: Mapping[str, Any]) -> None:
        """Keep of a message that an owner has taken what is left to be done of it, as plain data."""
        self._ask("put_body", [pack(dumps(message).encode("ascii")), key, owner])

    def pause(self, channel: str, target: str) -> tuple[int, int, str]:
        """Return until when a channel is left in peace (0: it is not), after how many failures in a row, and why."""
        found = self._ask("get_pause", [channel, target])
        return tuple(found[0]) if found else (0, 0, "")

    def put_pause(self, channel: str, target: str, until: int, failures: int, problem: str) -> None:
        """Leave a channel in peace for a while; `failures` 0 ends that."""
        if failures:
            self._ask("put_pause", [channel, target, until, failures, problem])
        elif self._ask("get_pause", [channel, target]):
            self._ask("drop_pause", [channel, target])

    def outbox(self, limit: int = 1000) -> list[dict[str, Any]]:
        """Return the messages that were not sent, the oldest first, without what they say.

        Returns:
            Dicts of ``id`` (key), ``message`` (idempotency key), ``run_id``, ``channel``, ``target``, ``added``,
            ``state``, ``due``, ``tries``, ``leased_until``, ``problem`` and ``title``.
        """
        names = ("id", "message", "run_id", "channel", "target", "added", "state", "due", "tries", "leased_until",
                 "problem", "title")  # fmt: skip
        result = [dict(zip(names, row, strict=True)) for row in self._ask("list_outbox", [limit])]
        for each in result:
            each["run_id"] = f"{each['run_id']:012x}"
            each["title"] = loads(unpack(each["title"]))["title"]
        return result

    def waiting(self) -> list[tuple[str, str, str, int]]:
        """Return channel, target, state and number of the messages that were not sent."""
        return [tuple(row) for row in self._ask("count_outbox")]

    def retarget(self, channel: str, target: str, now: int) -> None:
        """Let every message of a channel that was not sent go where the channel leads to now."""
        with self.transaction():
            self._ask("retarget", [target, now, channel])


def _state(row: Sequence[Any]) -> AlertState:
    held, since, told, boot, up, untold, is_open, acked, acked_by, severity = row
    return AlertState(held, since, told, boot, up, untold, bool(is_open), acked, text(acked_by), severity)


def _inner(value: Any) -> Any:
    return loads(value) if isinstance(value, str) else value


def _meant(script: str, known: Sequence[Script]) -> set[tuple[str, str]]:
    """Return key and name of those of the scripts that are meant by what people call one."""
    return {(key, name) for key, _, name in RunFilter(script=script).scripts(known)}
