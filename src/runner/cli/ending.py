"""Lets what is half done be cleared away when somebody ends the command."""

from __future__ import annotations

import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import NoReturn, Self

_SIGNALS = (signal.SIGHUP, signal.SIGTERM)


class Ended(BaseException):
    """A signal asks the command to end."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class CleanEnd:
    """Within its ``with`` block a signal that ends the command first undoes what is half done, by an exception.

    The command then ends of that signal, as it would have.
    """

    def __enter__(self) -> Self:
        # One that is ignored, as under nohup, stays so.
        self._before = {number: signal.signal(number, _raise) for number in _SIGNALS
                        if signal.getsignal(number) is signal.SIG_DFL}  # fmt: skip
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if isinstance(error, Ended):
            from runner.agent.exit import die_of

            die_of(error.number)


def _raise(number: int, frame: FrameType | None) -> NoReturn:
    raise Ended(number)
