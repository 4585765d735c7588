"""The main loop of an attempt: one poll over output, input, signals and the clock, until the script has ended."""

from __future__ import annotations

import os
from time import monotonic

from runner.agent import tree
from runner.agent.carry import Carrier
from runner.agent.channels import FILE, PTY
from runner.agent.clock import Slots
from runner.agent.events import LOST, Ended, Sample, Signal
from runner.agent.handed import HandedFile
from runner.agent.keeper import Keeper
from runner.agent.poller import READ, Poller
from runner.agent.reap import ended_child, reap
from runner.agent.relay import SETTLE, leave, watch
from runner.agent.sampler import Sampler
from runner.agent.verdict import OomCounter, judge, overrule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runner.agent.attempt import Attempt
    from runner.agent.ending import Ending
    from runner.agent.events import Tell
    from runner.agent.keys import Keys
    from runner.agent.limits import Limits, Reached
    from runner.agent.overlay import Overlay
    from runner.agent.requests import Cancel

_NEVER = float("inf")
_SIGKILL = 9
_SIGWINCH = 28
#: HUP, INT, QUIT and TERM: alone, they end a script that waits for a slow reader.
_IMPATIENT = frozenset((1, 2, 3, 15))
#: Seconds that a reader gets for what is left after a timeout.
_LAST_CALL = 1.0
#: Bytes of output that may be on their way when the script ends: what a pipe and a pty hold at most, and some more.
_ON_ITS_WAY = 2 << 20


class Loop:
    """Stays with one started script until it has ended.

    Args:
        attempt: The attempt, started.
        tell: Called with each event.
    """

    def __init__(self, attempt: Attempt, tell: Tell) -> None:
        self._attempt = attempt
        self._job = job = attempt.job
        self._pid = attempt.pid
        self._signals = attempt.signals
        self._feeder = attempt.feeder
        self._began = attempt.began
        self._tell = tell
        self._poller = Poller()
        self._sampler = Sampler(os.getpid(), job.memory, attempt.spare, attempt.began, attempt.floor)
        self._oom = OomCounter(attempt.pid)
        self._slots = Slots(attempt.began, job.interval)
        self._deadline = _NEVER if job.timeout is None else attempt.began + job.timeout
        self._ending: Ending | None = None
        self._timed_out = False
        self._cancel: Cancel | None = None
        self._hurried = False
        self._exited: float | None = None
        self._status: int | None = None
        self._usage: Any = None
        self._came: set[int] = set()
        self._keepers: list[Keeper] = []
        self._carriers: list[Carrier] = []
        self._files: list[HandedFile] = []
        self._keys: list[Keys] = []
        self._overlay: Overlay | None = attempt.overlay
        self._open_streams()
        self._limits: Limits | None = None
        self._limit: Reached | None = None
        if job.limited:
            from runner.agent.limits import Limits

            self._limits = Limits(job, attempt.began, self._sampler, self._carriers, self._files)
        if self._overlay is not None:
            self._overlay.open(self._carriers, attempt.began, self._tree)

    def _open_streams(self) -> None:
        streams = self._attempt.streams
        for stream in streams.streams:
            if stream.kind != FILE and stream.source < 0:
                continue
            keeper = Keeper(stream.name, self._job.keep_head, self._job.keep_tail)
            self._keepers.append(keeper)
            if stream.kind == FILE:
                self._files.append(HandedFile(stream, keeper))
                continue
            carrier = Carrier(stream, keeper)
            carrier.announce = self._signals.guard
            carrier.overlay = self._overlay
            carrier.release = self._job.release and stream.name == "stdout" and not streams.merged
            self._carriers.append(carrier)
            watch(self._poller, carrier)
            if stream.kind == PTY and stream.pty is not None:
                from runner.agent.keys import Keys

                self._keys.append(Keys(stream.pty, stream.fd, self._tree))

    def run(self) -> Ended:
        """Stay until the end; return the last event, untold."""
        if self._signals.fd >= 0:
            self._poller.want(self._signals.fd, READ, lambda came: self._take_signals())
        if self._attempt.control >= 0:
            self._poller.want(self._attempt.control, READ, lambda came: self._listen())
        if self._feeder is not None:
            self._feeder.watch(self._poller)
        try:
            self._attempt.note.close()
            self._signals.look_for_stop()
            self._signals.child_changed = True
            self._look_early()
            while self._exited is None or not self._is_over():
                self._step()
            survivors = len(self._sampler.survivors())
            usage, weaker = self._sampler.finish(self._usage)
            self._drain()
            self._uncover()
            return self._conclude(usage, weaker, survivors)
        finally:
            self._close()

    def _look_early(self) -> None:
        """Read the tree at once, so that something is known of a script that ends before its first sample."""
        now = monotonic()
        if self._attempt.note.at is None and now < self._slots.due:
            values = self._sampler.look(now)
            if values is not None:
                if self._limits is not None:
                    self._limits.tick(now, values)
                self._tell(Sample(now - self._began, 0.0, values))

    def _is_over(self) -> bool:
        if self._ending is None and (self._is_cut_off() or self._job.kill_tree):
            self._end_tree()
        return self._ending is None or self._ending.finished

    def _is_cut_off(self) -> bool:
        """Whether the script had written more before its end than may be passed on."""
        if self._limits is not None:
            for carrier in self._carriers:
                carrier.drain(carrier.carried + _ON_ITS_WAY)
        return self._has_reached_a_limit()

    def _has_reached_a_limit(self) -> bool:
        """Whether a limit ends the script; what is being ended already reaches none."""
        if self._limits is not None and self._ending is None:
            self._limits.overflowed()
            self._limit = self._limits.reached
        return self._limit is not None

    def _step(self) -> None:
        if self._signals.child_changed:
            self._signals.child_changed = False
            self._reap()
            return
        now = monotonic()
        until = min(self._slots.due, self._deadline, self._signals.due or _NEVER)
        if self._ending is not None:
            until = min(until, self._ending.due)
        if self._limits is not None:
            until = min(until, self._limits.due)
        if self._overlay is not None:
            until = min(until, self._overlay.due)
        for keys in self._keys:
            until = min(until, now if keys.changed else keys.due)
        unsettled = [carrier for carrier in self._carriers if carrier.unsettled]
        if unsettled:
            until = min(until, now + SETTLE)
        if not self._poller.wait(until - now):
            for carrier in unsettled:
                carrier.settle()
        self._look_at_the_clock(monotonic())

    def _look_at_the_clock(self, now: float) -> None:
        if self._signals.due is not None and now >= self._signals.due:
            self._take_signals()
        for keys in self._keys:
            if keys.changed or now >= keys.due:
                keys.look(self._poller)
        if now >= self._slots.due:
            self._tick(now)
        if self._overlay is not None and now >= self._overlay.due:
            self._overlay.look(now)
        if now >= self._deadline and self._exited is None:
            self._timed_out = True
            self._end_tree()
        if self._limits is not None:
            self._keep_within(self._limits, now)
        if self._ending is not None and now >= self._ending.due:
            self._ending.step()
            self._tell_sent()

    def _keep_within(self, limits: Limits, now: float) -> None:
        """Look whether a limit is reached, and end the tree of a script that has reached one."""
        if now >= limits.due:
            limits.look()
            if limits.reached is not None and self._ending is None:
                self._tick(now)  # the figures that reached it belong into the curve
        if self._ending is None:
            if self._exited is None and self._has_reached_a_limit():
                self._end_tree()
        elif limits.runs_away:
            limits.runs_away = False
            self._ending.hasten(0.0)

    def _tick(self, now: float) -> None:
        self._reap()
        t = now - self._began
        if self._exited is None:
            span, values = self._sampler.take(now)
            if self._limits is not None:
                self._limits.tick(now, values)
            self._tell(Sample(t, span, values))
        for file in self._files:
            file.look(self._job.interval)
        self._tell_output(t)
        self._slots.advance(monotonic())

    def _tell_output(self, t: float) -> None:
        for keeper in self._keepers:
            for event in keeper.take(t):
                self._tell(event)

    def _take_signals(self) -> None:
        t = monotonic() - self._began
        for number, sender, action in self._signals.take():
            if number == _SIGWINCH:
                if sender == 0:
                    self._resize()
            else:
                self._tell(Signal(t, number, sender, action))
        if self._signals.must_stop:
            self._stop()
            self._slots.advance(monotonic())
            if self._limits is not None:
                self._limits.wake()

    def _stop(self) -> None:
        if self._overlay is not None:
            self._overlay.suspend()
        self._signals.stop_like_the_script()
        self._resize()
        if self._overlay is not None:
            self._overlay.resume()

    def _uncover(self) -> None:
        """Let whatever comes now pass as it is."""
        if self._overlay is None:
            return
        ended = self._timed_out or self._cancel is not None or self._has_reached_a_limit()
        self._overlay.close(failed=self._status != 0 or ended)
        self._overlay = None
        for carrier in self._carriers:
            carrier.overlay = None

    def _resize(self) -> None:
        """Give ptys the terminal's new size, and tell those who looked too early and saw the old one."""
        if self._overlay is not None:
            self._overlay.resized()
        changed = [stream.pty.resize() for stream in self._attempt.streams.streams if stream.pty is not None]
        if any(changed):
            group = os.getpgrp()
            for pid in self._tree():
                _notify(pid, group)

    def _tree(self) -> list[int]:
        return tree.descendants(os.getpid(), self._attempt.spare)

    def _listen(self) -> None:
        """Do what is asked; once who asked for the attempt is gone, the script goes as with a runner that is killed."""
        from runner.agent.requests import read

        control = self._attempt.control
        if self._exited is not None:
            # Nobody waits for a slow reader any more. What is asked is left to be read by who decides about a retry.
            self._hurried = True
            self._poller.drop(control)
            return
        try:
            cancel = read(control)
        except EOFError:
            self._poller.drop(control)
            os.kill(self._pid, _SIGKILL)
            return
        if cancel is None:
            return
        self._cancel = self._cancel or cancel
        if self._ending is None:
            self._end_tree(cancel.kill_after)
        elif cancel.kill_after is not None:
            self._ending.hasten(cancel.kill_after)

    def _end_tree(self, kill_after: float | None = None) -> None:
        from runner.agent.ending import Ending

        self._deadline = _NEVER  # what is being ended can't be late
        grace = self._job.kill_after if kill_after is None else kill_after
        self._ending = Ending(os.getpid(), grace, self._attempt.spare)
        self._ending.begin()
        self._tell_sent()

    def _tell_sent(self) -> None:
        assert self._ending is not None
        t = monotonic() - self._began
        for number in dict.fromkeys(number for number, _ in self._ending.sent):
            self._tell(Signal(t, number, os.getpid(), "sent"))
        del self._ending.sent[:]

    def _reap(self) -> None:
        while True:
            pid = ended_child((self._pid,))
            if not pid:
                return
            if pid == self._pid:
                self._exited = self._attempt.note.at or monotonic()
                self._signals.script_ended = True
            if pid not in self._attempt.spare:
                self._sampler.last_look(pid)
            reaped = reap(pid)
            if pid == self._pid:
                if reaped is not None:
                    self._status, self._usage = reaped
            elif reaped is not None and pid not in self._attempt.spare:
                self._sampler.reaped(reaped[1], pid)

    def _drain(self) -> None:
        """Pass on what was written before the script ended; a slow reader gets it too, while its time lasts."""
        limits = [carrier.carried + _ON_ITS_WAY for carrier in self._carriers]
        last_call = _NEVER
        if self._limit is not None or self._cancel is not None or self._job.timeout is not None:
            last_call = max(0.0 if self._cancel else self._began + (self._job.timeout or 0.0), monotonic() + _LAST_CALL)
        self._take_signals()
        self._came, self._signals.came = self._signals.came, set()
        while True:
            for carrier, limit in zip(self._carriers, limits):
                carrier.drain(limit)
            if not any(carrier.pending for carrier in self._carriers):
                return
            if self._hurried or monotonic() >= last_call or self._signals.came & _IMPATIENT:
                return
            until = min(last_call, self._slots.due, self._signals.due or _NEVER)
            self._poller.wait(until - monotonic())
            self._take_signals()
            if monotonic() >= self._slots.due:
                self._tell_output(monotonic() - self._began)
                self._slots.advance(monotonic())

    def _conclude(self, usage: dict[str, float | None], weaker: dict[str, list[str]], survivors: int) -> Ended:
        self._attempt.spare.update(leave(self._carriers, self._poller))
        counts: dict[str, Any] = {"stdout": None, "stderr": None, "merged": self._attempt.streams.merged}
        for keeper in self._keepers:
            counts[keeper.stream] = [keeper.size, keeper.lines]
        assert self._exited is not None
        t = self._exited - self._began
        for file in self._files:
            counts[file.name] = file.finish(t)
            weaker = {**weaker, **file.weaker}
        self._tell_output(t)
        ended = Ended(t, LOST, None, None, "the script's exit status was taken by another process")
        if self._status is not None:
            end = self._keepers[-1].end if self._keepers else b""
            out_of_memory = self._oom.rose() if os.WIFSIGNALED(self._status) else False
            verdict = judge(self._status, self._came, out_of_memory, end)
            ended.reason, ended.exit_code, ended.signal, ended.message = verdict
        self._has_reached_a_limit()
        overrule(ended, self._job.timeout if self._timed_out else None, self._limit, self._cancel)
        ended.usage = usage
        ended.output = counts
        ended.survivors = survivors
        ended.weaker = {**weaker, **self._attempt.streams.weaker}
        if self._feeder is not None and self._feeder.trouble:
            ended.weaker["input"] = ["incomplete", self._feeder.trouble]
        return ended

    def _close(self) -> None:
        self._sampler.close()
        for carrier in self._carriers:
            carrier.close()
        if self._feeder is not None:
            self._feeder.close()
        self._signals.mask = {*self._attempt.mask, *self._attempt.held}
        self._signals.close()


def _notify(pid: int, group: int) -> None:
    try:
        if os.getpgid(pid) == group:
            os.kill(pid, _SIGWINCH)
    except (ProcessLookupError, PermissionError):
        pass
