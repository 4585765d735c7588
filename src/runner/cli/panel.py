"""The panel: output, curves and processes on the whole screen while the script runs, and all output after that.

It is drawn on the terminal's other screen, so what was there before comes back. Standard input stays the script's: the
panel reads no keys. A program that takes the screen for itself gets it.
"""

from __future__ import annotations

import re
from time import monotonic

from runner.agent.overlay import Overlay
from runner.cli.hold import Spool, show, write
from runner.cli.live import is_written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from runner.agent.carry import Carrier
    from runner.agent.events import Event
    from runner.cli.live_tty import Tty
    from runner.cli.panel_view import View
    from runner.engine.execution import Execution
    from runner.engine.live_tree import Entry

#: Seconds a script runs before the panel shows: one that ends at once needs none.
DELAY = 0.3
INTERVAL = 0.25
_TREE = 1.0  # seconds between two looks at the processes
_READ = 64  # processes looked at

_ENTER, _LEAVE = b"\x1b[?1049h\x1b[m\x1b[2J", b"\x1b[m\x1b[?1049l"
# The terminal shows what lies between these as one.
_BEGIN, _END = b"\x1b[?2026h\x1b[?25l", b"\x1b[?25h\x1b[?2026l"
#: What full-screen programs begin with.
_FULL_SCREEN = re.compile(rb"\x1b\[\?(?:1049|1047|47)h")


class Panel(Overlay):
    """Shows a run on the whole screen.

    Args:
        execution: The run.
    """

    def __init__(self, execution: Execution) -> None:
        from runner.cli.live_figures import Figures
        from runner.cli.panel_text import Text

        self._execution = execution
        self._figures = Figures(places=512)
        self._text = Text()
        self._spool: Spool | None = Spool()
        self._carrier: Carrier | None = None
        self._view: View | None = None
        self._tty: Tty
        self._shown = False
        self._rows: list[str] = []
        self._entries: list[Entry] = []
        self._cpu: dict[int, float] = {}
        self._looked = 0.0

    def tell(self, event: Event, number: int) -> None:
        """Take one event of the attempt of that number."""
        self._figures.tell(event, number)

    def open(self, carriers: Sequence[Carrier], began: float, tree: Callable[[], Collection[int]]) -> None:
        """Begin with an attempt (see `Overlay.open`)."""
        self._carrier = next((carrier for carrier in carriers if carrier.stream.pty is not None), None)
        self._began = began
        self._tree = tree
        if self._carrier is not None and self._spool is not None:
            self.due = began + DELAY

    def passing(self, carrier: Carrier, data: bytes) -> bytes:
        """Keep output for the end, and show its newest part (see `Overlay.passing`)."""
        if self._spool is None or carrier.stream.pty is None:
            return data
        if _FULL_SCREEN.search(data):
            return self._give_way() + data
        try:
            self._spool.add(carrier.stream.fd, data)
        except OSError:
            return self._give_way()
        self._text.feed(data)
        return b""

    def look(self, now: float) -> None:
        """Draw what has changed (see `Overlay.look`)."""
        self.due = now + INTERVAL
        carrier = self._carrier
        assert carrier is not None
        if self._view is None:
            self._load(carrier)
        if not is_written(carrier) or not self._tty.is_ours():
            return
        if carrier.stream.pty is not None and carrier.stream.pty.raw:
            carrier.insert(self._give_way())
            return
        if not self._tty.is_calm():
            return  # a password is asked for, past us: what is drawn now would hide the question
        if now - self._looked >= _TREE:
            self._look_at_tree(now)
        self._draw(now)

    def _load(self, carrier: Carrier) -> None:
        from runner.cli.live_tty import Tty
        from runner.cli.output import Screen
        from runner.cli.panel_view import View

        self._tty = Tty(carrier.stream.fd)
        self._view = View(self._execution.target.name, self._figures, self._text, Screen(carrier.stream.fd))
        self._figures.durations = self._execution.foresee()

    def _look_at_tree(self, now: float) -> None:
        from runner.engine.live_tree import read_entry

        span = now - self._looked
        found = [read_entry(pid, 0) for pid in list(self._tree())[:_READ]]
        self._entries = [entry for entry in found if entry is not None]
        for entry in self._entries:
            before = self._cpu.get(entry.pid)
            if before is not None:
                entry.cpu_percent = max(0.0, entry.cpu_seconds - before) / span * 100
        self._cpu = {entry.pid: entry.cpu_seconds for entry in self._entries}
        self._entries.sort(key=lambda entry: (entry.cpu_percent or 0.0, entry.memory_bytes), reverse=True)
        self._looked = now

    def _draw(self, now: float) -> None:
        assert self._view is not None
        assert self._carrier is not None
        width, height = self._tty.size()
        if width < 2 or height < 2:
            return
        rows, (row, column) = self._view.rows(width, height, now - self._began, self._entries)
        known = self._rows if len(self._rows) == len(rows) else [""] * len(rows)
        out = [b"" if self._shown else _ENTER, _BEGIN]
        out += [
            b"\x1b[%d;1H%s\x1b[m\x1b[K" % (number + 1, text.encode("utf-8", "replace"))
            for number, (text, before) in enumerate(zip(rows, known, strict=True))
            if text != before
        ]
        if len(out) > 2 or not self._shown:
            self._carrier.insert(b"".join([*out, b"\x1b[%d;%dH" % (row + 1, column + 1), _END]))
        self._shown = True
        self._rows = rows

    def _hide(self) -> bytes:
        shown, self._shown, self._rows = self._shown, False, []
        return _LEAVE if shown else b""

    def _give_way(self) -> bytes:
        """Let the script have the terminal from now on; return what is to be written before anything of its own."""
        spool, self._spool = self._spool, None
        self.due = float("inf")
        held = b"" if spool is None else b"".join(data for _, data in spool.take())
        return self._hide() + held

    def resized(self) -> None:
        """Draw everything anew (see `Overlay.resized`)."""
        if self._shown and self._carrier is not None:
            self._carrier.insert(b"\x1b[2J")
            self._rows = []
            self.due = monotonic()

    def suspend(self) -> None:
        """Give the terminal back while everything is stopped (see `Overlay.suspend`)."""
        if self._shown and self._carrier is not None:
            self._carrier.insert(self._hide())

    def close(self, failed: bool) -> None:
        """Have the last output drawn; the panel stays for the next attempt (see `Overlay.close`)."""
        self.due = float("inf")
        carrier = self._carrier
        if carrier is not None and self._spool is not None and not is_written(carrier):
            carrier.insert(self._give_way())  # nobody waits for the terminal any more: it gets all when it takes it
        if self._figures.durations is not None:
            self._figures.durations.close()

    def finish(self, failed: bool) -> None:
        """Leave the screen, and write all output where it would have been (see `Overlay.finish`)."""
        if self._carrier is not None:
            write(self._carrier.stream.fd, self._hide())
        spool, self._spool = self._spool, None
        if spool is not None:
            show(spool)
