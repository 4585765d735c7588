"""What others ask of a running attempt: one line on a descriptor that its runner listens on."""

from __future__ import annotations

import os

_CANCEL = "cancel"
_NONE = "-"
_LONGEST = 4096


class Cancel:
    """That the whole tree be ended, and no attempt be started after it.

    Attributes:
        kill_after: Seconds between SIGTERM and SIGKILL, None for what the run itself was given.
        who: Name of the user who asks.
    """

    def __init__(self, kill_after: float | None, who: str) -> None:
        self.kill_after = kill_after
        self.who = who

    @property
    def message(self) -> str:
        """What the record says of a run that was ended so."""
        return "cancelled by " + self.who

    def encode(self) -> bytes:
        """Return the request as the line that asks for it."""
        seconds = _NONE if self.kill_after is None else repr(self.kill_after)
        return f"{_CANCEL} {seconds} {self.who}\n".encode("utf-8", "surrogateescape")


def read(fd: int) -> Cancel | None:
    """Return what is asked on a descriptor that does not block; None where nothing that is understood is.

    Raises:
        EOFError: Whoever could ask is gone.
    """
    try:
        data = os.read(fd, _LONGEST)
    except BlockingIOError:
        return None
    except OSError:
        raise EOFError from None
    if not data:
        raise EOFError
    found = None
    for line in data.decode("utf-8", "surrogateescape").splitlines():
        found = _parse(line) or found
    return found


def _parse(line: str) -> Cancel | None:
    word, _, rest = line.partition(" ")
    seconds, _, who = rest.partition(" ")
    try:
        kill_after = None if seconds == _NONE else max(0.0, float(seconds))
    except ValueError:
        return None
    return Cancel(kill_after, who or "somebody") if word == _CANCEL else None
