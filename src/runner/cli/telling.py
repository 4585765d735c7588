"""Tells a person what happens before the script starts, where that takes time, and lets them end it."""

from __future__ import annotations

import signal

from runner.agent.exit import die_of
from runner.cli.output import Screen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

    from runner.engine.run_options import ShowOptions

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Ended(BaseException):
    """A signal asks the runner to end; what it was making is taken down first."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Telling:
    """A line on the terminal that changes while something is being done, and lines that stay.

    Within it, a signal that would end the runner ends what is being done first, and leaves nothing half made.

    Args:
        show: What the runner may say.
    """

    def __init__(self, show: ShowOptions) -> None:
        self._screen = Screen()
        self._show = show
        self._shown = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Telling:
        for number in _ENDING:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._end)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self._erase()
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if isinstance(error, _Ended):
            die_of(error.number)

    def _end(self, number: int, frame: FrameType | None) -> None:
        raise _Ended(number)

    def tell(self, text: str, final: bool) -> None:
        """Say what is being done ("" when it is done), or, finally, what was."""
        if final:
            if not self._show.quiet:
                self._screen.write(f"runner: {self._screen.plain(text)}\n")
        elif not text:
            self._erase()
        elif self._screen.terminal and self._screen.width and not self._show.quiet:
            self._screen.write(f"\r{self._screen.fit('runner: ' + text, 1)}\033[K")
            self._shown = True

    def _erase(self) -> None:
        if self._shown:
            self._screen.write("\r\033[K")
            self._shown = False
