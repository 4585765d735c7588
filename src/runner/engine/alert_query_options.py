"""Options of the questions about alerts."""

from __future__ import annotations

from runner.model.alert_state import OUTCOMES
from runner.options import QUERY, Options, opt


class ListOptions(Options):
    """Which alerts are listed."""

    script: str = opt("Only of this script: a path, a file name, or the name of its runs", default="", metavar="SCRIPT",
                      positional=True)  # fmt: skip
    alert: str = opt("Only this alert", default="", flag="--alerts-name", metavar="NAME", role=QUERY)
    days: int = opt("Days to look back", default=30, flag="--alerts-days", minimum=1, metavar="DAYS", role=QUERY)
    limit: int = opt("Most alerts to show", default=50, flag="--alerts-limit", minimum=1, metavar="N", role=QUERY)
    outcome: str = opt(
        "Only what became of it: told, over, waiting, throttled, acknowledged, muted", default="",
        flag="--alerts-outcome", choices=OUTCOMES, metavar="OUTCOME", role=QUERY,
    )  # fmt: skip
    holding: bool = opt("Only alerts that hold now", default=False, flag="--alerts-holding", role=QUERY)


class AckOptions(Options):
    """What is acknowledged."""

    alert: str = opt("The alert", default="", flag="--ack-alert", metavar="ALERT", positional=True, role=QUERY)
    script: str = opt("Only of this script", default="", flag="--ack-script", metavar="SCRIPT", positional=True,
                      role=QUERY)  # fmt: skip


class MuteOptions(Options):
    """What is muted, and for how long."""

    alert: str = opt("The alert; all where none is named", default="", flag="--mute-alert", metavar="ALERT",
                     positional=True, role=QUERY)  # fmt: skip
    script: str = opt("Only of this script", default="", flag="--mute-script", metavar="SCRIPT", positional=True,
                      role=QUERY)  # fmt: skip
    duration: float = opt(
        "For how long: 90m, 8h, 7d; 0 until it is unmuted", default=3600.0, flag="--mute-for", unit="seconds",
        minimum=0, metavar="TIME", role=QUERY,
    )  # fmt: skip
    note: str = opt("Why", default="", flag="--mute-note", metavar="TEXT", role=QUERY)


class UnmuteOptions(Options):
    """What is no longer muted."""

    alert: str = opt("The alert; all where none is named", default="", flag="--unmute-alert", metavar="ALERT",
                     positional=True, role=QUERY)  # fmt: skip
    script: str = opt("Only of this script", default="", flag="--unmute-script", metavar="SCRIPT", positional=True,
                      role=QUERY)  # fmt: skip


class TestOptions(Options):
    """Which channel is tried."""

    __test__ = False  # no test of pytest

    channel: str = opt("The channel, as the configuration names it", default="", flag="--test-channel",
                       metavar="CHANNEL", positional=True, role=QUERY)  # fmt: skip


class OutboxOptions(Options):
    """What becomes of messages that are not sent."""

    send: bool = opt("Send them now", default=False, flag="--outbox-send", role=QUERY)
    again: bool = opt(
        "Also those that were refused, or meant for a channel that led elsewhere then", default=False,
        flag="--outbox-again", role=QUERY,
    )  # fmt: skip
    limit: int = opt("Most messages to show", default=50, flag="--outbox-limit", minimum=1, metavar="N", role=QUERY)
