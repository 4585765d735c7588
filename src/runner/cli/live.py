"""The live line: drawn below the script's output where that leaves no trace, and gone before anything is written there.

It is drawn at the cursor, which stays where it is. So what is typed or printed past the runner meanwhile, a ``^C`` or a
prompt for a password, stands where it would stand without it, and taking the line back is to clear what is right of the
cursor.
"""

from __future__ import annotations

from time import monotonic

from runner.agent.overlay import Overlay

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from runner.agent.carry import Carrier
    from runner.agent.events import Event
    from runner.cli.live_cursor import Cursor
    from runner.cli.live_figures import Figures
    from runner.cli.live_tty import Tty
    from runner.cli.output import Screen
    from runner.engine.execution import Execution

#: Seconds a script runs before there is a line: for a shorter one nobody needs it, and it needs no imports.
DELAY = 1.0
#: Seconds between two drawings, and between output and the next.
INTERVAL = 0.25
#: Output kept for `Cursor` until there is one; a script that writes more gets it earlier.
_KEPT = 1 << 18
_NARROWEST = 10

# Around what is drawn: save cursor and colours, do not wrap at the edge; and back.
_BEGIN, _END = b"\x1b7\x1b[?7l\x1b[m", b"\x1b[m\x1b[K\x1b[?7h\x1b8"
_CLEAR_LINE, _CLEAR_BELOW = b"\x1b[K", b"\x1b[J"
_DIM = b"\x1b[2m"


class Live(Overlay):
    """Draws the live line on the terminal that standard error is.

    Attributes:
        execution: The run, to be set before it starts.
    """

    execution: Execution

    def __init__(self) -> None:
        self._carrier: Carrier | None = None
        self._early: list[bytes] = []
        self._held = 0
        self._events: list[tuple[Event, int]] = []
        self._cursor: Cursor | None = None
        self._figures: Figures | None = None
        self._tty: Tty
        self._screen: Screen
        self._shown = b""
        self._typed = 0
        self._wrapped = False  # lines of the terminal may have been wrapped anew since it was drawn
        self._last = 0.0
        self._notice = ""

    def notice(self, text: str) -> None:
        """Show a few words in the line from now on (see `Overlay.notice`)."""
        self._notice = text

    def tell(self, event: Event, number: int) -> None:
        """Take one event of the attempt of that number."""
        if self._figures is None:
            if event.name != "output":
                self._events.append((event, number))
        else:
            self._figures.tell(event, number)

    def open(self, carriers: Sequence[Carrier], began: float, tree: Callable[[], Collection[int]]) -> None:
        """Begin with an attempt (see `Overlay.open`)."""
        self._carrier = next((carrier for carrier in carriers if _shows_errors(carrier)), None)
        self._began = began
        self._tree = tree
        if self._carrier is not None:
            self.due = began + DELAY

    def passing(self, carrier: Carrier, data: bytes) -> bytes:
        """Have the line gone before output (see `Overlay.passing`)."""
        if carrier is not self._carrier:
            return data
        self._last = monotonic()
        if self._cursor is not None:
            self._cursor.feed(data)
            self.due = self._last + INTERVAL
            return self._take_back() + data if self._shown else data
        self._early.append(data)
        self._held += len(data)
        if self._held > _KEPT:
            self._load()
        return data

    def look(self, now: float) -> None:
        """Draw the line anew (see `Overlay.look`)."""
        if self._cursor is None:
            self._load()
        self.due = now + INTERVAL
        assert self._carrier is not None
        if not is_written(self._carrier):
            return
        if not self._may_draw(now):
            self._hide()
            return
        width = self._tty.size()[0]
        if width < _NARROWEST:
            self._hide()
            return
        self._draw(width)

    def _draw(self, width: int) -> None:
        from runner.cli.live_line import compose

        assert self._figures is not None
        assert self._carrier is not None
        self._figures.notice = self._screen.plain(self._notice)
        text = compose(self._figures, monotonic() - self._began, width - 1, self._screen).encode()
        if text != self._shown:
            self._carrier.insert(_BEGIN + (_DIM if self._screen.color else b"") + text + _END)
            self._shown = text

    def _may_draw(self, now: float) -> bool:
        assert self._cursor is not None
        assert self._carrier is not None
        if self._cursor.lost:
            self.due = float("inf")
            return False
        if self._carrier.sink.fd < 0 or self._carrier.unsettled or now - self._last < INTERVAL:
            return False
        if not self._cursor.free:
            return False
        tty = self._tty
        return tty.is_ours() and tty.is_calm() and not tty.typed() and not tty.is_read(self._tree)

    def _load(self) -> None:
        from runner.cli.live_cursor import Cursor
        from runner.cli.live_figures import Figures
        from runner.cli.live_tty import Tty
        from runner.cli.output import Screen

        assert self._carrier is not None
        self._tty = Tty(self._carrier.stream.fd)
        self._screen = Screen(self._carrier.stream.fd)
        self._figures = Figures()
        for event, number in self._events:
            self._figures.tell(event, number)
        self._figures.durations = self.execution.foresee()
        self._cursor = Cursor()
        for data in self._early:
            self._cursor.feed(data)
        self._early.clear()
        self._events.clear()

    def _take_back(self) -> bytes:
        """Return what makes the line vanish, and take it for gone."""
        self._shown = b""
        if not self._tty.is_ours():
            return b""  # whoever has the terminal now has drawn over it
        assert self._cursor is not None
        # A terminal that was made narrower has wrapped the line before it told us.
        clear = _CLEAR_BELOW if self._wrapped or self._cursor.began else _CLEAR_LINE
        self._wrapped = False
        typed = self._tty.typed()
        if typed:
            # Enter has moved the cursor below the line: there it follows what was typed.
            right = b"\x1b[%dC" % (typed - 1) if typed > 1 else b""
            clear += b"\x1b7\x1b[A" + right + _CLEAR_LINE + b"\x1b8"
        return clear

    def _hide(self) -> None:
        if self._shown and self._carrier is not None:
            self._carrier.insert(self._take_back())

    def resized(self) -> None:
        """Have the line gone, and draw it anew for the new width later (see `Overlay.resized`)."""
        if self._shown:
            self._wrapped = True
            self._hide()
            self.due = monotonic() + INTERVAL

    def suspend(self) -> None:
        """Have the line gone (see `Overlay.suspend`)."""
        self._hide()

    def resume(self) -> None:
        """Draw it again a moment later (see `Overlay.resume`)."""
        self._last = monotonic()

    def close(self, failed: bool) -> None:
        """Have the line gone for good (see `Overlay.close`)."""
        self._hide()
        self.due = float("inf")
        if self._figures is not None and self._figures.durations is not None:
            self._figures.durations.close()


def is_written(carrier: Carrier) -> bool:
    """Whether the terminal has taken all there was; a last drawing that it had no room for (Ctrl-S) is tried again."""
    if carrier.pending:
        carrier.insert(b"")
    return not carrier.pending


def _shows_errors(carrier: Carrier) -> bool:
    stream = carrier.stream
    if stream.pty is None:
        return False
    from runner.agent.outpty import device

    return stream.name == "stderr" or device(1) == device(2)
