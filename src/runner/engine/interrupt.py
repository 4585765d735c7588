"""Holds back the Ctrl-C of a host program while it runs a script, so that the run is recorded first."""

from __future__ import annotations

import signal
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType


class HeldInterrupt:
    """Between ``with`` and its end a Ctrl-C sets `came`; the KeyboardInterrupt is raised at the end.

    The script, in the same foreground group, has got the same Ctrl-C, and its end ends the wait for it. Only Python's
    own handler is replaced, and only in the main thread: a handler of the program's own goes on as it is.
    """

    def __init__(self) -> None:
        self.came = threading.Event()
        self._replaced = False

    def __enter__(self) -> HeldInterrupt:
        """Begin to hold."""
        if threading.current_thread() is threading.main_thread():
            self._replaced = signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if self._replaced:
            signal.signal(signal.SIGINT, self._note)
        return self

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.came.set()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Raise what was held back, unless something else is on its way."""
        if self._replaced:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        if self.came.is_set() and error is None:
            raise KeyboardInterrupt
