"""Empties the outbox at once, because somebody asked for it."""

from __future__ import annotations

from time import monotonic, time_ns

from runner.engine.channels import CONSOLE
from runner.engine.outbox import Sender, fingerprint, new_owner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.channels.base import Channel
    from runner.stores.alerts import AlertBook

#: Seconds that one batch may take, less than its leases last; and messages of each channel in it.
_PATIENCE, _BATCH = 40.0, 200


class Emptied:
    """What became of the outbox.

    Attributes:
        sent: Messages that were sent.
        refused: Messages that never will be, as things are.
        problems: Why a channel took no more, by channel.
        left: Messages that still wait.
        strangers: Those of them, by channel, that these channels can't send: there is none of that name, or it leads
            elsewhere now.
    """

    __slots__ = ("left", "problems", "refused", "sent", "strangers")

    def __init__(self) -> None:
        self.sent = self.refused = self.left = 0
        self.problems: dict[str, str] = {}
        self.strangers: dict[str, int] = {}


def empty_outbox(book: AlertBook, channels: Mapping[str, Channel], again: bool = False) -> Emptied:
    """Send what is in the outbox, whatever channels are left in peace for now.

    Args:
        book: The outbox.
        channels: Where to.
        again: Whether what was refused is tried again, and what was meant for a channel of that name goes where it
            leads to now.
    """
    done = Emptied()
    left = {name: channel for name, channel in channels.items() if name != CONSOLE}
    if again:
        for name, channel in left.items():
            book.retarget(name, fingerprint(channel), time_ns())
    while left:
        sender = Sender(left, book, new_owner())
        sender.send({}, monotonic() + _PATIENCE, _BATCH, early=True)
        done.sent += sender.sent
        done.refused += sender.refused
        done.problems.update(sender.problems)
        if not sender.sent + sender.refused:
            break
        left = {name: channel for name, channel in left.items() if name not in sender.passing}
    targets = {name: fingerprint(channel) for name, channel in channels.items()}
    for name, target, state, count in book.waiting():
        if state == "waiting":
            done.left += count
            if targets.get(name) != target:
                done.strangers[name] = done.strangers.get(name, 0) + count
    return done
