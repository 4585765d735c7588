"""Carries the output of descendants that outlive the script after the runner has gone, in a process of its own."""

from __future__ import annotations

import os

from runner.agent.keeper import Nobody
from runner.agent.poller import READ, WRITE, Poller
from runner.agent.release import let_go

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, NoReturn, Sequence

    from runner.agent.carry import Carrier

#: Seconds a carriage return waits for the newline that may follow it.
SETTLE = 0.005


def leave(carriers: Sequence[Carrier], poller: Poller) -> list[int]:
    """Leave what is not ended to a relay, so that this process can go on.

    Args:
        carriers: All carriers; some may still have somebody at their other end, or output that nobody has taken yet.
        poller: Where they are watched: if no process can be made, this one stays with them until their end.

    Returns:
        The process id of the relay, if one was needed.
    """
    left = [carrier for carrier in carriers if not carrier.ended]
    if not left:
        return []
    try:
        pid = os.fork()
    except OSError:
        _stay(left, poller)
        return []
    if pid == 0:
        _relay(left)
    return [pid]


def _stay(carriers: Sequence[Carrier], poller: Poller) -> None:
    while not all(carrier.ended for carrier in carriers):
        unsettled = [carrier for carrier in carriers if carrier.unsettled]
        if not poller.wait(SETTLE if unsettled else None):
            for carrier in unsettled:
                carrier.settle()


def _relay(carriers: Sequence[Carrier]) -> NoReturn:
    try:
        _let_go(carriers)
        poller = Poller()
        for carrier in carriers:
            carrier.keeper = Nobody()
            carrier.sink.owned = True
            carrier.release = False
            watch(poller, carrier)
        _stay(carriers, poller)
    finally:
        os._exit(0)


def _let_go(carriers: Sequence[Carrier]) -> None:
    """Keep nothing of the runner's: no lock, no pipe that somebody waits on, no directory, no signal that ends us."""
    import _signal

    # The end comes when nobody has the other ends any more, and not before: survivors may handle what we were sent.
    _signal.pthread_sigmask(_signal.SIG_BLOCK, range(1, 32))
    kept = {fd for carrier in carriers for fd in (carrier.source, carrier.sink.fd)}
    try:
        present = [int(name) for name in os.listdir("/proc/self/fd")]
    except OSError:
        present = list(range(os.sysconf("SC_OPEN_MAX")))
    for fd in present:
        if fd not in kept:
            try:
                os.close(fd)
            except OSError:
                pass
    os.chdir("/")


def watch(poller: Poller, carrier: Carrier) -> None:
    """Have a carrier pumped whenever that can move something on, until its end."""

    def source_ready(came: int) -> None:
        move(carrier.pump)

    def sink_ready(came: int) -> None:
        move(carrier.pump if came & WRITE else carrier.give_up)

    def move(step: Callable[[], None]) -> None:
        source = carrier.source
        step()
        if carrier.source < 0 <= source:
            poller.drop(source)
        follow()

    def follow() -> None:
        sink = carrier.sink.fd
        if carrier.ended:
            poller.drop(sink)
            carrier.close()
            if carrier.release:
                let_go(carrier.stream.fd)
            return
        if carrier.pending:
            # Not even the end of the source may wake anybody before this is written.
            poller.drop(carrier.source)
            poller.want(sink, WRITE, sink_ready)
            return
        poller.want(carrier.source, READ, source_ready)
        if carrier.sink.tells:
            poller.want(sink, 0, sink_ready)
        else:
            poller.drop(sink)

    follow()
