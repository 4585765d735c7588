"""The alerts of one run: judged while it lasts and when it has ended, told once, and what can't be sent is kept."""

from __future__ import annotations

from time import monotonic

from runner.agent.events import FAILED_TO_START, SKIPPED
from runner.engine.alert_message import make_message
from runner.engine.alert_options import compile_rule
from runner.engine.outbox import OTHERS, PATIENCE, Sender, new_owner
from runner.model.alert_state import OVER, TOLD, AlertState, Moment
from runner.model.errors import StoreError, UsageError
from runner.model.notification import FIRE, RECOVER
from runner.model.redact import redact_text
from runner.model.units import format_seconds
from runner.model.words import did_you_mean
from runner.policy.alerts import AFTER, DURING, decide
from runner.policy.conditions import NOT_MEASURED
from runner.stores.base import RunFilter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from runner.channels.base import Channel
    from runner.engine.outbox import Pending
    from runner.engine.resolver import RecordResolver
    from runner.model.run import Run
    from runner.policy.alerts import AlertRule
    from runner.policy.conditions import Condition, Verdict
    from runner.stores.alerts import AlertBook
    from runner.stores.base import Store

#: Name of the channel that needs no network: whoever carries the run shows what is told there.
CONSOLE = "console"
#: Seconds of the patience that may be spent on waiting for other writers of the record.
_WRITING = 2.0
#: Names in a condition that ask whether the run failed: what it failed of is told with them.
_FAILURE = ("failed", "success", "status", "reason", "exit_code", "signal", "error_type")


class Fired:
    """What became of an alert in this run.

    Attributes:
        rule: The alert.
        outcome: One of `alert_state.OUTCOMES`.
        text: What was found, in one line.
        more: Firings that were not told since the last message.
        during: Whether the run still lasted.
        channels: Names of the channels that are told.
        silent: Nanoseconds since its last message, where this one is not told for that reason.
    """

    __slots__ = ("channels", "during", "more", "outcome", "rule", "silent", "text")

    def __init__(
        self, rule: AlertRule, outcome: str, text: str, more: int = 0, during: bool = False,
        channels: Sequence[str] = (), silent: int | None = None,
    ) -> None:  # fmt: skip
        self.rule = rule
        self.outcome = outcome
        self.text = text
        self.more = more
        self.during = during
        self.channels = tuple(channels)
        self.silent = silent

    @property
    def told(self) -> bool:
        """Whether a message tells of it."""
        return self.outcome in (TOLD, OVER)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "name": self.rule.name,
            "severity": self.rule.severity,
            "condition": self.rule.condition,
            "outcome": self.outcome,
            "text": self.text,
            "more": self.more,
            "during": self.during,
            "channels": list(self.channels),
        }

    def part(self) -> dict[str, Any]:
        """Return it as a part of a message (see `Notification.alerts`)."""
        return {
            "rule": self.rule.name,
            "severity": self.rule.severity,
            "kind": RECOVER if self.outcome == OVER else FIRE,
            "condition": self.rule.condition,
            "text": self.text,
            "more": self.more,
        }


class Alerting:
    """The alerts of one run.

    Args:
        rules: What is to be told.
        channels: Whom; the console is among them where somebody looks on.
        record: The database that remembers alerts between runs, "" for none: then each firing is told.
        memory: What is remembered of alerts where there is no database, by rule, key and name of the script.

    Raises:
        UsageError: A condition makes no sense, or an alert goes to a channel that there is not.
    """

    def __init__(
        self,
        rules: Sequence[AlertRule],
        channels: Mapping[str, Channel],
        record: str = "",
        memory: dict[tuple[str, str, str], AlertState] | None = None,
    ) -> None:
        self.rules = list(rules)
        self.channels = dict(channels)
        self.record = record
        #: Lines of trouble that did not touch the script.
        self.warnings: list[str] = []
        #: What became of alerts in this run so far.
        self.fired: list[Fired] = []
        #: By channel, what is to be sent.
        self.pending: dict[str, list[Pending]] = {}
        self._memory: dict[tuple[str, str, str], AlertState] = {} if memory is None else memory
        self._owner = new_owner()
        self._store: Store | None = None
        self._resolver: RecordResolver | None = None
        self._sender: Sender | None = None
        self._deadline = 0.0
        self._conditions = {rule.name: compile_rule(rule) for rule in self.rules}
        self._routes = {rule.name: self._route(rule) for rule in self.rules}

    def _route(self, rule: AlertRule) -> tuple[str, ...]:
        """Return the channels of an alert that there are."""
        from runner.channels import CHANNELS

        if not rule.channels:
            return tuple(self.channels)
        known = sorted({*CHANNELS, *self.channels})
        missing = [name for name in rule.channels if name not in self.channels and name != CONSOLE]
        for name in missing:
            if name not in known:
                raise UsageError(f"alert {rule.name!r}: there is no channel {name!r}{did_you_mean(name, known)}")
        there = tuple(name for name in rule.channels if name in self.channels)
        if missing:
            instead = "" if there else ", so the alert is shown here" if CONSOLE in self.channels else ""
            some = " and ".join(missing)
            self.warnings.append(
                f"alert {rule.name!r}: {some} {'is' if len(missing) == 1 else 'are'} not configured{instead}"
            )
        return there or tuple(name for name in self.channels if name == CONSOLE)

    def condition(self, rule: AlertRule) -> Condition:
        """Return what an alert asks for, ready to be judged."""
        return self._conditions[rule.name]

    @property
    def needs_watching(self) -> bool:
        """Whether an alert is judged while the script runs."""
        return any(rule.when != AFTER for rule in self.rules)

    # -- judging ------------------------------------------------------------------------------------------------------

    def judge(self, run: Run, facts: Mapping[str, Any] | None = None) -> list[Fired]:
        """Judge a run, decide what is told, and put that into the outbox.

        Args:
            run: The run; while it lasts, as it is so far.
            facts: While it lasts, what is known of it (`condition_facts.live_facts`).

        Returns:
            What became of its alerts just now.
        """
        if run.last.reason == SKIPPED:
            return []
        during = facts is not None
        if not during and not self._deadline:
            self._deadline = monotonic() + PATIENCE
        book = self._open_book()
        verdicts = self._verdicts(run, facts)
        if during and not any(fired for _, fired, _ in verdicts):
            return []
        found: list[Fired] = []
        try:
            if book is None:
                found = self._decide(None, run, verdicts, during)
                self._make_messages(None, run, found)
            else:
                book.wait_at_most(_WRITING)
                with book.transaction():
                    found = self._decide(book, run, verdicts, during)
                    self._note(book, run, found)
        except StoreError as error:
            self.warnings.append(f"{error}; so alerts are told without asking whether they were told before")
            self.close()
            self.record = ""
            found = self._decide(None, run, verdicts, during)
            self._make_messages(None, run, found)
        self.fired += found
        return found

    def _open_book(self) -> AlertBook | None:
        if self._store is None and self.record:
            from runner.stores import STORES

            try:
                self._store = STORES.load("sqlite")(self.record)
            except StoreError as error:
                self.warnings.append(f"{error}; so alerts are told without asking whether they were told before")
                self.record = ""
        return None if self._store is None else self._store.alert_book()

    def _verdicts(
        self, run: Run, live: Mapping[str, Any] | None
    ) -> list[tuple[AlertRule, bool, Verdict | None]]:
        """Return the alerts that are judged now, whether each holds, and why; those that can't be told are left out."""
        from runner.engine.condition_facts import run_facts

        during = live is not None
        output = any(condition.needs_output for condition in self._conditions.values())
        facts = run_facts(run, output) if live is None else live
        resolver = None
        if self._store is not None and any(condition.needs_record for condition in self._conditions.values()):
            from runner.engine.resolver import RecordResolver

            resolver = (self._resolver if during else None) or RecordResolver.of_store(self._store, run, facts)
            resolver.figures = facts
            # What it has read of earlier runs holds as long as the run lasts.
            self._resolver = resolver if during else None
        already = {each.rule.name for each in self.fired}
        result: list[tuple[AlertRule, bool, Verdict | None]] = []
        for rule in self.rules:
            if rule.name in already or (during and rule.when == AFTER):
                continue
            if not during and rule.when == DURING:
                result.append((rule, False, None))  # it never held while the run lasted
                continue
            try:
                verdict = self._conditions[rule.name].judge(facts, resolver)
            except StoreError as error:
                self.warnings.append(f"alert {rule.name!r} was not judged: {error}")
                continue
            if verdict.fired is not None:
                result.append((rule, verdict.fired, verdict))
                continue
            missing = [each.text for each in verdict.unknown if each.why == NOT_MEASURED]
            # For want of earlier runs nothing is wrong, and of what never started nobody expects figures.
            if missing and not during and run.last.reason != FAILED_TO_START:
                self.warnings.append(f"alert {rule.name!r} was not judged: {', '.join(missing)} not measured")
        return result

    def _decide(
        self, book: AlertBook | None, run: Run, verdicts: Sequence[tuple[AlertRule, bool, Verdict | None]], during: bool
    ) -> list[Fired]:
        now = Moment.now()
        script = (run.script_key, run.script_path, run.name)
        mutes = book.mutes(now.time) if book is not None else []
        found = []
        for rule, held, verdict in verdicts:
            if during and not held:
                continue  # it may hold yet
            place = (rule.name, run.script_key, run.name)
            state = self._memory.get(place, AlertState()) if book is None else book.state(*place)
            muted = any(
                each["rule"] in ("", rule.name) and RunFilter(script=each["script"]).scripts([script]) for each in mutes
            )
            more, held_in, since = state.untold, state.held, state.since
            outcome = decide(rule, state, held, now, muted)
            if outcome in (TOLD, OVER):
                state.untold = 0
            if book is None:
                self._memory[place] = state
            else:
                book.put_state(*place, state)
            if outcome:
                told = outcome in (TOLD, OVER)
                silent = None if told or state.told is None else state.silent_for(now)
                text = _over(held_in, since, now) if outcome == OVER else _text(rule, verdict, run)
                found.append(Fired(
                    rule, outcome, text, more if told else state.untold, during,
                    self._routes[rule.name] if told else (), silent,
                ))  # fmt: skip
        return found

    def _note(self, book: AlertBook, run: Run, found: Sequence[Fired]) -> None:
        now = Moment.now().time
        keys = {}
        for each in found:
            facts = {"rule": each.rule.name, "severity": each.rule.severity, "condition": each.rule.condition,
                     "outcome": each.outcome, "text": each.text}  # fmt: skip
            keys[id(each)] = book.add_alert(run.id, run.script_key, run.name, now, each.during, facts)
        self._make_messages(book, run, found, keys)

    def _make_messages(
        self, book: AlertBook | None, run: Run, found: Sequence[Fired], keys: Mapping[int, int] | None = None
    ) -> None:
        """Make one message for each channel of all that it is told."""
        now = Moment.now().time
        for name, channel in self.channels.items():
            told = [each for each in found if name in each.channels]
            if not told or name == CONSOLE:
                continue
            message = make_message(run, [each.part() for each in told], now).to_dict()
            key = 0
            if book is not None and keys is not None:
                from runner.engine.outbox import fingerprint

                alerts = [keys[id(each)] for each in told]
                key = book.add_message(message, fingerprint(channel), name, now, self._owner, alerts)
            self.pending.setdefault(name, []).append((key, message))

    # -- sending ------------------------------------------------------------------------------------------------------

    def send(self, during: bool = False) -> None:
        """Send what is to be sent, and what earlier runs left; what can't be sent in time stays in the outbox.

        Args:
            during: Whether the run lasts; channels that start processes have to wait then.
        """
        channels = {
            name: channel for name, channel in self.channels.items()
            if name != CONSOLE and not (during and getattr(channel, "spawns", False))
        }  # fmt: skip
        own = {name: self.pending.pop(name) for name in list(self.pending) if name in channels}
        if not channels or (during and not own):
            return
        deadline = monotonic() + PATIENCE if during else self._deadline or monotonic() + PATIENCE
        book = self._open_book()
        self._sender = sender = Sender(channels, book, self._owner)
        try:
            if book is not None:
                book.wait_at_most(max(0.1, deadline - monotonic()))
            sender.send(own, deadline, 0 if during else OTHERS)
        except StoreError as error:
            self.warnings.append(f"what became of messages could not be noted: {error}")
            return
        self._tell(sender)

    def hurry(self, seconds: float) -> None:
        """Begin to count the patience with the end of the script; what is being sent has only so long left."""
        self._deadline = monotonic() + PATIENCE
        if self._sender is not None:
            self._sender.hurry(monotonic() + seconds)

    def _tell(self, sender: Sender) -> None:
        for name, problem in sender.problems.items():
            kept = "waits in the outbox" if self._store is not None else "is lost, for there is no record to keep it"
            if name not in sender.passing and name in sender.refusing:
                kept = "was refused and is kept" if self._store is not None else "was refused"
            self.warnings.append(f"a message to {name} {kept}: {problem}")

    def close(self) -> None:
        """Let the database go."""
        if self._store is not None:
            self._store.close()
            self._store = self._resolver = None


def _text(rule: AlertRule, verdict: Verdict | None, run: Run) -> str:
    """Return what an alert found: the values of what its condition names, and the condition."""
    findings = [] if verdict is None else [each for each in verdict.findings if not isinstance(each.value, bool)]
    condition = rule.condition
    if len(findings) == 1:
        condition = condition.removeprefix(findings[0].text).strip()  # its name stands before its value already
    parts = [", ".join(map(str, findings)), f"({condition})" if findings else condition]
    names = [] if verdict is None else [each.text for each in verdict.findings]
    error = run.last.error_message
    told = bool(findings) and error == f"exit code {run.last.exit_code}"
    if error and not told and not run.last.success and any(name in _FAILURE for name in names):
        parts.append(f"- {error}")
    return redact_text(" ".join(filter(None, parts)))


def _over(runs: int, since: int | None, now: Moment) -> str:
    """Return for how long an alert held that does not any more."""
    for_long = f" in {format_seconds((now.time - since) / 1e9)}" if since is not None and since < now.time else ""
    return f"it held in {runs} run{'s' * (runs != 1)}{for_long}"
