"""End a whole process tree: ask first, then freeze and kill whatever is left, however it tries to get away."""

from __future__ import annotations

import os
from time import monotonic

from runner.agent.tree import descendants, is_zombie

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
    from typing import AbstractSet
else:
    import _signal

_SIGTERM = int(_signal.SIGTERM)
_SIGCONT = int(_signal.SIGCONT)
_SIGSTOP = int(_signal.SIGSTOP)
_SIGKILL = int(_signal.SIGKILL)

_LOOK = 0.02  # seconds between two looks at what is left while the tree has its grace
_SHARE = 20  # a look at a large tree is followed by a pause of this many times its length: it is tidying up
_SWEEP = 0.005  # seconds between two sweeps while it is killed
_SWEEPS = 50  # sweeps in which new processes may appear before those that are known are killed all the same
_PATIENCE = 10.0  # seconds after which what SIGKILL does not end, being stuck in the kernel, is given up


class Ending:
    """Ends all descendants of the runner, those that left their group, their session or their parent included.

    It never waits: `begin` once, then `step` whenever `due` has come, until `finished`. The runner must be subreaper,
    or what was orphaned is out of sight, and must reap its children meanwhile.

    Args:
        root: Process whose descendants are ended; not ended itself.
        kill_after: Seconds between SIGTERM and SIGKILL.
        spare: Descendants to leave alone, with all below them. It is read anew at each step.

    Attributes:
        due: Monotonic time of the next step; infinity before `begin` and after the end.
        sent: What was sent: (signal, process id), in order. The caller may empty it.
        finished: Nothing is left but `left`.
        left: Processes that can't be ended: those of another user, those stuck in the kernel.
    """

    def __init__(self, root: int, kill_after: float, spare: AbstractSet[int] = frozenset()) -> None:
        self.due = float("inf")
        self.sent: list[tuple[int, int]] = []
        self.finished = False
        self.left: set[int] = set()
        self._root = root
        self._kill_after = kill_after
        self._spare = spare
        self._kill_at = float("inf")
        self._give_up_at = float("inf")
        self._remaining: set[int] = set()
        self._frozen: set[int] = set()
        self._sweeps = 0
        self._refused: set[int] = set()

    def begin(self) -> None:
        """Send SIGTERM to every process of the tree, and SIGCONT so that a stopped one can act on it."""
        self._kill_at = monotonic() + self._kill_after
        tree = self._alive()
        for number in (_SIGTERM, _SIGCONT):
            for pid in tree:
                self._send(pid, number)
        self.due = min(monotonic() + _LOOK, self._kill_at)

    def hasten(self, kill_after: float) -> None:
        """Leave what remains of the tree no longer than so many seconds from now, unless it has even less."""
        self._kill_at = min(self._kill_at, monotonic() + kill_after)
        self.due = min(self.due, self._kill_at)

    def step(self) -> None:
        """Look what is left, and kill it once its time is up."""
        now = monotonic()
        alive = self._alive()
        if all(pid in self._refused for pid in alive) or self._is_stuck(alive, now):
            self._finish(alive)
        elif now < self._kill_at:
            self.due = min(now + max(_LOOK, _SHARE * (monotonic() - now)), self._kill_at)
        else:
            self._sweep(alive, now)

    def _sweep(self, alive: list[int], now: float) -> None:
        """Stop what is new; once nothing is, nobody is left who could start another process: kill all."""
        new = [pid for pid in alive if pid not in self._frozen]
        self._sweeps += 1
        if new and self._sweeps <= _SWEEPS:
            for pid in new:
                self._send(pid, _SIGSTOP)
            self._frozen.update(new)
            self.due = now  # the next look must come before a new process can start another
            return
        for pid in alive:
            self._send(pid, _SIGKILL)
        self._frozen.clear()
        self._sweeps = 0
        self.due = now + _SWEEP

    def _is_stuck(self, alive: list[int], now: float) -> bool:
        if now < self._kill_at or set(alive) != self._remaining:
            self._remaining = set(alive)
            self._give_up_at = now + _PATIENCE
        return now >= self._give_up_at

    def _alive(self) -> list[int]:
        return [pid for pid in descendants(self._root, self._spare) if not is_zombie(pid)]

    def _send(self, pid: int, number: int) -> None:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        except PermissionError:
            self._refused.add(pid)
            return
        self.sent.append((number, pid))

    def _finish(self, alive: list[int]) -> None:
        self.left = set(alive)
        self.finished = True
        self.due = float("inf")
