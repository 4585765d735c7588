"""What a history says about alerts: the part of `HistoryManager` that lists, acknowledges and mutes them."""

from __future__ import annotations

import os
from time import time_ns

from runner.model.run import iso, label_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _thread import LockType
    from collections.abc import Callable
    from typing import Any, TypeVar

    from runner.stores.alerts import AlertBook
    from runner.stores.base import Store

    T = TypeVar("T")


class AlertMethods:
    """Alerts that runs of this record had, and messages that wait to be sent."""

    if TYPE_CHECKING:
        _lock: LockType

        def ask(self, question: Callable[[Store], T], nothing: T) -> T:
            """Return what the store answers."""

        def _writable(self) -> Store: ...

    def get_alerts(
        self,
        script_name: str | None = None,
        days: float | None = 30,
        name: str | None = None,
        outcome: str | None = None,
        limit: int | None = None,
    ) -> list[dict[str, Any]]:
        """Return what became of alerts, the newest first, as plain dicts that ``json.dump`` takes.

        Args:
            script_name: Path, file name or name of a script; None for all.
            days: How far to look back; None for all.
            name: Only this alert.
            outcome: Only what was ``told``, ``over``, ``waiting`` (it held in too few runs in a row), ``throttled``,
                ``acknowledged`` or ``muted``.
            limit: How many at most; None for all.

        Returns:
            For each ``timestamp``, ``name``, ``severity``, ``condition``, ``outcome``, ``text``, ``run_id``,
            ``script_name``, ``during`` (whether the run still lasted) and ``messages``: for each channel that was told
            ``channel``, ``state`` (``sent``, ``waiting``, ``refused``) and ``problem``.

        Raises:
            StoreError: The database can't be read.
        """
        from runner.engine.history_options import days_before

        since = None if days is None else days_before(days, time_ns())
        most = (1 << 63) - 1 if limit is None else limit
        found = self._look(lambda book: book.alerts(script_name or "", name or "", since, outcome or "", limit=most))
        return [
            {
                "timestamp": iso(each["at"]),
                "name": each["rule"],
                "severity": each["severity"],
                "condition": each["condition"],
                "outcome": each["outcome"],
                "text": each["text"],
                "run_id": each["run_id"],
                "script_name": label_of(each["name"], each["script_key"]),
                "during": each["during"],
                "messages": each["messages"],
            }
            for each in found
        ]

    def get_holding_alerts(self, script_name: str | None = None, name: str | None = None) -> list[dict[str, Any]]:
        """Return the alerts whose condition held in the last run of their script, the newest first.

        Returns:
            For each ``name``, ``severity``, ``script_name``, ``script_key``, ``since``, ``runs`` (in a row), ``told``
            (when it was last), ``untold`` (firings since), ``acknowledged`` (when, or None) and ``acknowledged_by``.
        """
        found = self._look(lambda book: book.holding(script_name or "", name or ""))
        return [
            {
                "name": rule,
                "severity": state.severity,
                "script_name": label_of(called, key),
                "script_key": key,
                "since": None if state.since is None else iso(state.since),
                "runs": state.held,
                "told": None if state.told is None else iso(state.told),
                "untold": state.untold,
                "acknowledged": None if state.acked is None else iso(state.acked),
                "acknowledged_by": state.acked_by,
            }
            for rule, key, called, state in found
        ]

    def acknowledge_alert(self, name: str, script_name: str | None = None, by: str = "") -> list[dict[str, Any]]:
        """Silence an alert that holds until it is over; return what was acknowledged (see `get_holding_alerts`).

        Args:
            name: The alert; "" for every one that holds.
            script_name: Only of this script; None for all.
            by: Who does so; the user of this process where it is not said.
        """
        from runner.engine.facts import user_name

        now = time_ns()

        def work(book: AlertBook) -> None:
            with book.transaction():
                for rule, key, called, state in book.holding(script_name or "", name):
                    state.acked, state.acked_by = now, by or user_name()
                    book.put_state(rule, key, called, state)

        self._change(work)
        found = self.get_holding_alerts(script_name, name)
        return [each for each in found if each["acknowledged"] is not None]

    def mute_alerts(
        self, name: str = "", script_name: str = "", seconds: float | None = 3600.0, note: str = "", by: str = ""
    ) -> None:
        """Have nobody told of alerts for a while; what becomes of them is noted all the same.

        Args:
            name: The alert; "" for all.
            script_name: The script, as people name it; "" for all.
            seconds: For how long; None until it is unmuted.
            note: Why.
            by: Who does so; the user of this process where it is not said.
        """
        from runner.engine.facts import user_name

        now = time_ns()
        until = None if seconds is None else now + int(seconds * 1e9)
        # A path means the same file from wherever a run is judged.
        script = os.path.abspath(script_name) if script_name and os.path.isfile(script_name) else script_name
        self._change(lambda book: book.mute(name, script, now, until, by or user_name(), note))

    def unmute_alerts(self, name: str = "", script_name: str = "") -> list[dict[str, Any]]:
        """End what was muted, by alert and script as they were named; "" for any. Return what was (see `get_mutes`)."""
        script = os.path.abspath(script_name) if script_name and os.path.isfile(script_name) else script_name
        meant = [
            each
            for each in self._look(lambda book: book.mutes(time_ns()))
            if name in ("", each["rule"]) and (not script_name or each["script"] in (script_name, script))
        ]
        if meant:
            self._change(lambda book: book.unmute([each["id"] for each in meant]))
        return list(map(_mute, meant))

    def get_mutes(self) -> list[dict[str, Any]]:
        """Return what is muted: ``name``, ``script_name``, ``since``, ``until``, ``by`` and ``note``."""
        return list(map(_mute, self._look(lambda book: book.mutes(time_ns()))))

    def get_outbox(self, limit: int | None = None) -> list[dict[str, Any]]:
        """Return the messages that are not sent, the oldest first.

        Returns:
            For each ``id`` (idempotency key), ``added``, ``channel``, ``state`` (``waiting``, ``refused``, or
            ``sending`` while a runner has it), ``tries``, ``due``, ``problem``, ``run_id`` and ``title``.
        """
        now = time_ns()
        found = self._look(lambda book: book.outbox((1 << 63) - 1 if limit is None else limit))
        return [
            {
                "id": each["message"],
                "added": iso(each["added"]),
                "channel": each["channel"],
                "state": "sending" if now < (each["leased_until"] or 0) else each["state"],
                "tries": each["tries"],
                "due": iso(each["due"]),
                "problem": each["problem"],
                "run_id": each["run_id"],
                "title": each["title"],
            }
            for each in found
        ]

    def _look(self, question: Callable[[AlertBook], list[T]]) -> list[T]:
        def ask(store: Store) -> list[T]:
            book = store.alert_book()
            return [] if book is None else question(book)

        return self.ask(ask, [])

    def _change(self, work: Callable[[AlertBook], None]) -> None:
        with self._lock:
            book = self._writable().alert_book()
            if book is not None:
                work(book)


def _mute(found: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": found["rule"],
        "script_name": found["script"],
        "since": iso(found["since"]),
        "until": None if found["until"] is None else iso(found["until"]),
        "by": found["by"],
        "note": found["note"],
    }
