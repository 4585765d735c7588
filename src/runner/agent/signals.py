"""Signals that come to the runner: which are passed on to the script, which it had already, when to stop like it."""

from __future__ import annotations

import os
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
    from typing import AbstractSet, Tuple

    from runner.agent.sources import Handlers, SignalFd
    from runner.agent.witness import Witness

    #: Number, sender, and what was done: ``forwarded``, ``seen`` or ``refused``.
    Taken = Tuple[int, int, str]
else:
    import _signal

FORWARDED = "forwarded"
SEEN = "seen"
REFUSED = "refused"

_SIGCHLD = int(_signal.SIGCHLD)
_SIGCONT = int(_signal.SIGCONT)
_SIGSTOP = int(_signal.SIGSTOP)
_STOPS = frozenset(int(number) for number in (_signal.SIGTSTP, _signal.SIGTTIN, _signal.SIGTTOU))
_HANG_UP = frozenset((int(_signal.SIGHUP), _SIGCONT))

#: All a process can be sent, but what can't be blocked and what CPython ignores in itself.
BLOCKED = frozenset(int(number) for number in _signal.valid_signals()) - {
    int(number) for number in (_signal.SIGKILL, _signal.SIGSTOP, _signal.SIGPIPE, _signal.SIGXFSZ)
}

# Why SIGCHLD was sent; the names in `os` came with Python 3.9.
_CLD_ENDED = (1, 2, 3)  # exited, killed, dumped core
_CLD_STOPPED = 5

_GRACE = 0.05  # seconds in which a signal to the whole group reaches each of its members
# Seconds a silent script runs before it gets a witness. Forking one at once costs an empty script 2 to 6 %, and within
# that time nobody can know of the script: what it tells calls for the witness first (`guard`).
_YOUNG = 0.04
_RECENT = 1.0  # seconds in which a script that was asked to stop may send itself SIGSTOP instead


class Signals:
    """Blocks every signal when made, so that none is lost while the script starts, and sorts them afterwards.

    A signal that the terminal or the kernel sent to the whole group the script has already. One that a process sent may
    have gone to the runner alone or to the group: the witness tells. It is passed on in the first case, so the script
    gets each as often as it would alone.

    Attributes:
        mask: Signal mask the script must get: the one that was inherited.
        defaults: Signals that CPython ignores in itself; the script must get their default action.
        ignores: Signals that the script must ignore and the runner can't: with SIGCHLD ignored, as it was inherited,
            the kernel would reap the script before the runner can.
        fd: Readable when a signal came; -1 before `open`.
        due: Monotonic time at which `take` must be called even if nothing came, or None.
        came: Numbers of the signals that came from outside the script's tree.
        child_changed: A child of the runner stopped, went on or ended; the caller clears it.
        script_ended: Set by the caller; a stop is for the runner alone from then on, while it waits for a slow reader.
    """

    def __init__(self) -> None:
        self.mask = _signal.pthread_sigmask(_signal.SIG_BLOCK, BLOCKED)
        self.defaults = (int(_signal.SIGPIPE), int(_signal.SIGXFSZ))
        self.ignores: tuple[int, ...] = ()
        if _signal.getsignal(_SIGCHLD) == _signal.SIG_IGN:
            self.ignores = (_SIGCHLD,)
            _signal.signal(_SIGCHLD, _signal.SIG_DFL)
        self.fd = -1
        self.due: float | None = None
        self.came: set[int] = set()
        self.child_changed = False
        self.script_ended = False
        self._asked: list[tuple[int, int, float]] = []
        self._witness: Witness | None = None
        self._guard_at: float | None = None
        self._stop_came = 0.0
        self._stopped = 0

    def open(self, pid: int, spare: set[int]) -> None:
        """Begin to read signals; to be called right after the script was started.

        Args:
            pid: Process id of the script.
            spare: Processes of the runner's own; the witness is added when there is one.
        """
        from runner.agent.sources import Handlers, SignalFd
        from runner.agent.witness import open_pidfd

        self._pid = pid
        self._pidfd = open_pidfd(pid)
        self._spare = spare
        self._leader = os.getsid(0) == os.getpid()
        self._source: SignalFd | Handlers
        try:
            self._source = SignalFd(BLOCKED)
            self.due = self._guard_at = monotonic() + _YOUNG
        except OSError:
            self._source = Handlers(BLOCKED)
        self.fd = self._source.fd

    def guard(self) -> None:
        """Start the witness now: to be called before output of the script becomes visible to anybody."""
        if self._guard_at is None:
            return
        from runner.agent.witness import Witness

        self._guard_at = None
        try:
            self._witness = Witness(self._pid, BLOCKED)
            self._spare.add(self._witness.pid)
        except OSError:
            pass  # without one, what a process sends is always passed on
        self._set_due()

    def take(self) -> list[Taken]:
        """Sort what came since the last call, pass on what must be; never waits.

        To be called when `fd` is readable and when `due` has come, and once more when the script has ended, so that
        `came` is complete.

        Returns:
            What was decided about: signals that came now or a moment ago.
        """
        now = monotonic()
        taken: list[Taken] = []
        for number, code, sender in self._source.read():
            if number == _SIGCHLD and code > 0:
                self.child_changed = True
                if sender != self._pid or code not in _CLD_ENDED:
                    self.look_for_stop()
                elif self._witness is not None:
                    self._witness.dismiss()
            else:
                self._sort(number, code, sender, now, taken)
        still = []
        for number, sender, until in self._asked:
            if self._group_got(number, sender, now, last=now >= until):
                taken.append((number, sender, SEEN))
            elif now < until:
                still.append((number, sender, until))
            else:
                taken.append((number, sender, self._forward(number)))
        self._asked = still
        if self._guard_at is not None and now >= self._guard_at:
            self.guard()
        self._set_due()
        return taken

    def _sort(self, number: int, code: int, sender: int, now: float, taken: list[Taken]) -> None:
        inside = code <= 0 and self._is_inside(sender)
        if number in _STOPS:
            self._stop_came = now
            self._forget({_SIGCONT}, taken)
            if self.script_ended and _signal.getsignal(number) != _signal.SIG_IGN:
                self._stopped = number
        elif number == _SIGCONT:
            self._stop_came = 0.0
            self._forget(_STOPS, taken)
        if not inside:
            self.came.add(number)
        if inside or code > 0:
            # A hang-up is told to the leader of the session alone; all else the kernel tells to the whole group.
            alone = code > 0 and number in _HANG_UP and self._leader
            taken.append((number, sender, self._forward(number) if alone else SEEN))
        elif self._witness and self._is_in_group():
            self._asked.append((number, sender, now + _GRACE))
        else:
            taken.append((number, sender, self._forward(number)))

    def _forget(self, numbers: AbstractSet[int], taken: list[Taken]) -> None:
        # To go on cancels a pending stop and the other way round, in the kernel's queues too: the witness may never
        # have seen it, and passed on now it would stop, or wake, the script anew.
        taken += [(number, sender, SEEN) for number, sender, _ in self._asked if number in numbers]
        self._asked = [asked for asked in self._asked if asked[0] not in numbers]

    def _group_got(self, number: int, sender: int, now: float, last: bool) -> bool:
        witness = self._witness
        if witness is None:
            return False
        return witness.saw(number, sender, now) or (last and witness.has_pending(number, sender))

    def _forward(self, number: int) -> str:
        from runner.agent.tree import HAS_PROC
        from runner.agent.witness import parent_of, send

        if self._pidfd < 0 and HAS_PROC and parent_of(self._pid) != os.getpid():
            return SEEN  # reaped: the number may be another process's by now
        try:
            send(self._pid, self._pidfd, number)
        except ProcessLookupError:
            return SEEN
        except PermissionError:
            return REFUSED
        return FORWARDED

    def _is_in_group(self) -> bool:
        try:
            return os.getpgid(self._pid) == os.getpgrp()
        except ProcessLookupError:
            return True

    def _is_inside(self, sender: int) -> bool:
        from runner.agent.witness import parent_of

        own = os.getpid()
        while sender > 1:
            if sender == own:
                return True
            sender = parent_of(sender)
        return False

    def _set_due(self) -> None:
        times = [until for _, _, until in self._asked]
        if self._guard_at is not None:
            times.append(self._guard_at)
        self.due = min(times) if times else None

    def look_for_stop(self) -> None:
        """Learn whether the script has stopped: to be called where a SIGCHLD was taken by somebody else."""
        if not hasattr(os, "waitid"):
            from runner.agent.witness import state_of

            self._stopped = int(_signal.SIGTSTP) if state_of(self._pid) == "T" else 0
            return
        try:
            info = os.waitid(os.P_PID, self._pid, os.WSTOPPED | os.WCONTINUED | os.WNOHANG)
        except ChildProcessError:
            info = None
        if info is not None:
            self._stopped = info.si_status if info.si_code == _CLD_STOPPED else 0

    @property
    def must_stop(self) -> bool:
        """Whether the script has stopped, or would have, because of a stop signal that came to the runner too.

        A script that was stopped alone must not stop the runner: who wakes the script would not wake the runner.
        """
        if not self._stopped or not self._stop_came:
            return False
        return self._stopped != _SIGSTOP or monotonic() - self._stop_came < _RECENT

    def stop_like_the_script(self) -> None:
        """Stop the runner as the script has stopped; return when something wakes it."""
        number, self._stopped, self._stop_came = self._stopped, 0, 0.0
        handler = None if number == _SIGSTOP else _signal.signal(number, _signal.SIG_DFL)
        os.kill(os.getpid(), number)
        mask = _signal.pthread_sigmask(_signal.SIG_UNBLOCK, {number})
        _signal.pthread_sigmask(_signal.SIG_SETMASK, mask)
        if handler is not None:
            _signal.signal(number, handler)

    def close(self) -> None:
        """End the witness and put the signal mask back; what comes from now on is the runner's own affair."""
        if self.fd >= 0:
            self.take()
            self._source.close()
            self.fd = -1
            if self._pidfd >= 0:
                os.close(self._pidfd)
        if self._witness is not None:
            self._witness.close()
            self._witness = None
        self._guard_at = self.due = None
        for number in self.ignores:
            _signal.signal(number, _signal.SIG_IGN)
        _signal.pthread_sigmask(_signal.SIG_SETMASK, self.mask)
