"""What may stand between the script's output and its destination: a live line, a panel, output that is held back."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Collection, Sequence

    from runner.agent.carry import Carrier

_NEVER = float("inf")


class Overlay:
    """Sees every byte before it is passed on, and may write to a destination between two writes of the script.

    This one changes nothing. All methods are called by the main loop of an attempt, in its thread: whatever one takes,
    the script's output waits for.

    Attributes:
        due: Monotonic time at which `look` must be called.
    """

    due = _NEVER

    def open(self, carriers: Sequence[Carrier], began: float, tree: Callable[[], Collection[int]]) -> None:
        """Begin with an attempt.

        Args:
            carriers: Carry its output.
            began: Monotonic time of its start.
            tree: Returns the process ids of the script and its descendants.
        """

    def passing(self, carrier: Carrier, data: bytes) -> bytes:
        """Return what is to be written in the place of output that has come."""
        return data

    def look(self, now: float) -> None:
        """Do what is due; to set `due` anew."""

    def resized(self) -> None:
        """Learn that the terminal has another size."""

    def suspend(self) -> None:
        """Leave the terminal as the script has left it: the runner is about to be stopped, as the script was."""

    def resume(self) -> None:
        """Go on after a stop."""

    def notice(self, text: str) -> None:
        """Show a few words that came up meanwhile, with the next look; another thread may call it."""

    def close(self, failed: bool) -> None:
        """Leave the terminal as the script has left it: the attempt is over.

        Args:
            failed: Whether it was anything but an exit with code 0.
        """

    def finish(self, failed: bool) -> None:
        """Let go of everything: the last attempt is over and recorded.

        Args:
            failed: Whether the run has failed.
        """


class Guard(Overlay):
    """Keeps trouble of an overlay from becoming the script's: one that fails is dropped, and output passes as it is.

    What it still held back or had drawn is let go at once, so that what passes from then on stands behind it.

    Args:
        overlay: What may fail.

    Attributes:
        trouble: What it has failed of, or None.
    """

    def __init__(self, overlay: Overlay) -> None:
        self._overlay = self._whole = overlay
        self.trouble: Exception | None = None

    @property
    def due(self) -> float:  # type: ignore[override]
        """As of the overlay."""
        return self._overlay.due

    def open(self, carriers: Sequence[Carrier], began: float, tree: Callable[[], Collection[int]]) -> None:
        """Begin with an attempt."""
        self._do(lambda: self._overlay.open(carriers, began, tree))

    def passing(self, carrier: Carrier, data: bytes) -> bytes:
        """Return what is to be written in the place of output that has come."""
        try:
            return self._overlay.passing(carrier, data)
        except Exception as error:
            self._drop(error)
            return data

    def look(self, now: float) -> None:
        """Do what is due."""
        self._do(lambda: self._overlay.look(now))

    def resized(self) -> None:
        """Learn that the terminal has another size."""
        self._do(self._overlay.resized)

    def suspend(self) -> None:
        """Leave the terminal for a stop."""
        self._do(self._overlay.suspend)

    def resume(self) -> None:
        """Go on after a stop."""
        self._do(self._overlay.resume)

    def notice(self, text: str) -> None:
        """Show a few words that came up meanwhile."""
        self._overlay.notice(text)

    def close(self, failed: bool) -> None:
        """Leave the terminal for good."""
        self._do(lambda: self._overlay.close(failed))

    def finish(self, failed: bool) -> None:
        """Let go of everything."""
        self._do(lambda: self._whole.finish(failed))

    def _do(self, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception as error:
            self._drop(error)

    def _drop(self, error: Exception) -> None:
        self.trouble = self.trouble or error
        self._overlay = Overlay()
        try:
            try:
                self._whole.close(True)
            finally:
                self._whole.finish(True)
        except Exception:
            pass  # it has failed before
