"""The alerts of one run: judged while it lasts and when it has ended, told once, and what can't be sent is kept."""

from __future__ import annotations

from time import monotonic, time_ns

from runner.agent.events import FAILED_TO_START, LOST, SKIPPED
from runner.engine.alert_message import make_message
from runner.engine.alert_options import compile_rule, wrong
from runner.engine.alert_outcome import Fired, text_of, text_over
from runner.engine.channels import CONSOLE
from runner.engine.outbox import OTHERS, PATIENCE, Sender, new_owner
from runner.model.alert_state import OVER, TOLD, AlertState, Moment
from runner.model.errors import StoreError
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

    #: Alerts, whether each holds, and why.
    Verdicts = list[tuple[AlertRule, bool, Verdict | None]]
    #: A run, and those of it that hold.
    Judged = tuple[Run, Verdicts]

#: Runs before this one that are looked at for some that were lost.
_LOST = 5
#: Seconds of the patience that may be spent on waiting for other writers of the record.
_WRITING = 2.0
#: Seconds for sending where storing the run took all of the patience.
_LEAST = 1.0

class Made:
    """What one judgement has made, valid once the record has it: messages by channel, and what fired of lost runs."""

    __slots__ = ("lost", "messages")

    def __init__(self) -> None:
        self.messages: dict[str, list[Pending]] = {}
        self.lost: list[tuple[Run, Fired]] = []


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
        #: What each condition came to when the run had ended.
        self.judged: list[tuple[AlertRule, Verdict]] = []
        #: What became of messages: ``channel``, ``messages``, ``problem``.
        self.sent: list[dict[str, Any]] = []
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
        if not record:
            self.warnings += [
                f"alert {name!r} asks for earlier runs, and there is no record of them"
                for name, condition in self._conditions.items() if condition.needs_record
            ]  # fmt: skip

    def _route(self, rule: AlertRule) -> tuple[str, ...]:
        """Return the channels of an alert that there are."""
        from runner.channels import CHANNELS

        if not rule.channels:
            return tuple(self.channels)
        known = sorted({*CHANNELS, *self.channels})
        missing = [name for name in rule.channels if name not in self.channels and name != CONSOLE]
        for name in missing:
            if name not in known:
                raise wrong(rule, f"there is no channel {name!r}{did_you_mean(name, known)}")
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
            self._deadline = monotonic() + max(_LEAST, PATIENCE - _seconds_since(run))
        book = self._open_book()
        verdicts = self._verdicts(run, facts)
        if during and not any(fired for _, fired, _ in verdicts):
            return []
        found, made = None, Made()
        if book is not None:
            try:
                earlier = [] if during else self._earlier(book, run)
                book.wait_at_most(_WRITING)
                with book.transaction():
                    now = Moment.now()  # once the others are done
                    for lost, why in earlier:
                        told = self._decide(book, lost, why, False, now)
                        self._note(book, lost, told, made, now.time)
                        made.lost += [(lost, each) for each in told if each.told]
                    found = self._decide(book, run, verdicts, during, now)
                    self._note(book, run, found, made, now.time)
            except StoreError as error:
                self.do_without(str(error))
                found, made = None, Made()
        if found is None:
            now = Moment.now()
            found = self._decide(None, run, verdicts, during, now)
            self._make_messages(None, run, found, made, now.time)
        for name, messages in made.messages.items():
            self.pending.setdefault(name, []).extend(messages)
        for lost, each in made.lost:
            self.warnings.append(f"alert {each.rule.name!r} fires for run {lost.id}, which was lost")
        self.fired += found
        return found

    def _earlier(self, book: AlertBook, run: Run) -> list[Judged]:
        """Return the runs right before this one whose runners were killed, with the alerts that hold of them.

        Nobody else judges those: their own runner did not come to it.
        """
        assert self._store is not None
        wanted = RunFilter(key=run.script_key, name=run.name, until=run.started, limit=1, within=_LOST)
        if not any(before.last.reason == LOST for before in self._store.runs(wanted)):
            return []
        wanted.limit = _LOST
        found: list[Judged] = []
        for before in self._store.runs(wanted, output=True):
            if before.last.reason != LOST:
                break
            noted = {each["rule"] for each in book.alerts(run_id=before.id)}
            held = [each for each in self._verdicts(before, None) if each[1] and each[0].name not in noted]
            found.append((before, held))
        return found[::-1]

    def do_without(self, problem: str) -> None:
        """Go on without the record."""
        if self.record:
            self.warnings.append(f"{problem}; so alerts are told without asking whether they were told before")
        self.close()
        self.record = ""

    def _open_book(self) -> AlertBook | None:
        if self._store is None and self.record:
            from runner.stores import STORES

            try:
                self._store = STORES.load("sqlite")(self.record)
            except StoreError as error:
                self.do_without(str(error))
        return None if self._store is None else self._store.alert_book()

    def _verdicts(self, run: Run, live: Mapping[str, Any] | None) -> Verdicts:
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
        result: Verdicts = []
        for rule in self.rules:
            if rule.name in already or (during and rule.when == AFTER):
                continue
            try:
                verdict = self._conditions[rule.name].judge(facts, resolver)
            except StoreError as error:
                self.warnings.append(f"alert {rule.name!r} was not judged: {error}")
                continue
            if not during:
                self.judged.append((rule, verdict))
            if verdict.fired is not None:
                # Of what is only looked at while the script runs, its end tells no more than that it did not hold.
                if during or rule.when != DURING or not verdict.fired:
                    result.append((rule, verdict.fired, verdict))
                continue
            missing = [each.text for each in verdict.unknown if each.why == NOT_MEASURED]
            # For want of earlier runs nothing is wrong, and of what never started nobody expects figures.
            nothing_ran = run.last.reason in (FAILED_TO_START, LOST) or not run.last.metrics
            if missing and not during and not nothing_ran:
                self.warnings.append(f"alert {rule.name!r} was not judged: {', '.join(missing)} not measured")
        return result

    def _decide(
        self, book: AlertBook | None, run: Run, verdicts: Verdicts, during: bool, now: Moment
    ) -> list[Fired]:
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
            outcome = decide(rule, state, held, now, muted, run.started)
            if outcome in (TOLD, OVER):
                state.untold = 0
            if held and state.held == 1 and run.last.reason == LOST:
                state.since = run.started  # it is judged late, by a runner that began after it
            if book is None:
                self._memory[place] = state
            else:
                book.put_state(*place, state)
            if outcome:
                told = outcome in (TOLD, OVER)
                silent = None if told or state.told is None else state.silent_for(now)
                text = text_of(rule, verdict, run) if held else text_over(rule, held_in, since, state, now)
                found.append(Fired(
                    rule, outcome, text, more if told else state.untold, during,
                    self._routes[rule.name] if told else (), silent,
                ))  # fmt: skip
        return found

    def _note(self, book: AlertBook, run: Run, found: Sequence[Fired], made: Made, now: int) -> None:
        keys = {}
        for each in found:
            facts = {"rule": each.rule.name, "severity": each.rule.severity, "condition": each.rule.condition,
                     "outcome": each.outcome, "text": each.text}  # fmt: skip
            keys[id(each)] = book.add_alert(run.id, run.script_key, run.name, now, each.during, facts)
        self._make_messages(book, run, found, made, now, keys)

    def _make_messages(
        self,
        book: AlertBook | None,
        run: Run,
        found: Sequence[Fired],
        made: Made,
        now: int,
        keys: Mapping[int, int] | None = None,
    ) -> None:
        """Make one message for each channel of all that it is told."""
        for name, channel in self.channels.items():
            told = [each for each in found if name in each.channels]
            if not told or name == CONSOLE:
                continue
            message = make_message(run, [each.part() for each in told], now, told[0].during).to_dict()
            key = 0
            if book is not None and keys is not None:
                from runner.engine.outbox import fingerprint

                alerts = [keys[id(each)] for each in told]
                key = book.add_message(message, fingerprint(channel), name, now, self._owner, alerts)
            made.messages.setdefault(name, []).append((key, message))

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
        self.sent += [
            {"channel": name, "messages": len(mine), "problem": sender.problems.get(name)} for name, mine in own.items()
        ]
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
            elif name not in sender.passing and name in sender.partly:
                kept = "did not reach everybody"
            line = f"a message to {name} {kept}: {problem}"
            if line not in self.warnings:
                self.warnings.append(line)

    def close(self) -> None:
        """Let the database go."""
        if self._store is not None:
            self._store.close()
            self._store = self._resolver = None


def _seconds_since(run: Run) -> float:
    """Return how long ago a run ended; a clock that was set meanwhile makes it no more than the patience."""
    return 0.0 if run.last.ended is None else min(PATIENCE, max(0.0, (time_ns() - run.last.ended) / 1e9))
