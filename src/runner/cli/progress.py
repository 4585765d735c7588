"""Shows on a terminal how far something long has come, and how long it will take."""

from __future__ import annotations

from time import monotonic

from runner.model.units import format_count, format_seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.cli.output import Screen

#: Seconds before anything is shown: what is done by then needs no progress.
_PATIENCE = 0.5
#: Seconds between two looks.
_EVERY = 0.2
#: Part of the work after which a guess at the rest is worth something.
_ENOUGH = 0.02


class Progress:
    """One line that is written over and over, and is gone at the end. Without a terminal there is none.

    Args:
        screen: Where it is shown.
        what: What is counted ("runs exported").
        total: How many there will be; 0 if that is not known.
    """

    def __init__(self, screen: Screen, what: str, total: int = 0) -> None:
        self._screen = screen
        self.what = what
        self.total = total
        self._start = monotonic()
        self._due = self._start + _PATIENCE
        self._shown = False

    def __call__(self, done: int, what: str = "", share: float = 0.0) -> None:
        """Tell how many are done, of what if that has changed, and, where nobody knows how many come, which share."""
        now = monotonic()
        if what and what != self.what:
            self.what, self._start = what, now
        if not self._screen.terminal or now < self._due:
            return
        self._due = now + _EVERY
        self._shown = True
        self._screen.write(f"\r\033[K{self._screen.fit(self._text(done, share, now), 1)}")

    def _text(self, done: int, share: float, now: float) -> str:
        if self.total:
            share = min(1.0, done / self.total)
        if not share:
            return f"{format_count(done)} {self.what}"
        left = ""
        if share >= _ENOUGH:
            seconds = max(1, round((now - self._start) * (1 - share) / share))
            left = f", {seconds if seconds < 60 else format_seconds(seconds)}{' s' * (seconds < 60)} left"
        of = f" of {format_count(self.total)}" if self.total else ""
        # What matters most comes first: a narrow terminal shows no more.
        return f"{100 * share:.0f} %{left}: {format_count(done)}{of} {self.what}"

    def end(self) -> None:
        """Take the line away."""
        if self._shown:
            self._screen.write("\r\033[K")
            self._shown = False
