"""``runner alerts test`` and ``outbox``: whether a channel works, and what waits to go through one."""

from __future__ import annotations

import os
from time import monotonic, time_ns

from runner.cli.commands.alerts import clock
from runner.cli.output import printable
from runner.cli.tables import fitting, write_json, write_rows
from runner.engine.channels import make_channels
from runner.engine.history import HistoryManager
from runner.model.errors import UsageError
from runner.model.units import format_count, format_seconds
from runner.model.words import did_you_mean
from runner.stores.base import SHORT_ID

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TextIO

    from runner.channels.base import Channel
    from runner.channels.options import ChannelOptions
    from runner.engine.alert_query_options import OutboxOptions, TestOptions
    from runner.engine.outbox_sending import Emptied
    from runner.engine.query_options import QueryOptions
    from runner.engine.run_options import RecordOptions
    from runner.model.notification import Notification

_COLUMNS = ("added", "channel", "state", "tries", "next", "run", "message")
#: Of these, what a narrow terminal can do without, in that order.
_DISPENSABLE = ("run", "tries", "added", "next")
#: Columns that a message is to have.
_MESSAGE = 32
#: How else some channels are configured.
_FLAGS = {"slack": ", or --slack-webhook URL says where it is", "email": ", or into the file of --email-config"}
#: Seconds that a test of a channel may take.
_TEST_SECONDS = 15.0


def test_channel(
    options: TestOptions, channel_options: ChannelOptions, record: RecordOptions, query: QueryOptions, out: TextIO
) -> int:
    """Send a message through one channel now, past throttling and outbox, and say whether it was taken.

    Raises:
        UsageError: No such channel is configured.
    """
    from runner.engine.outbox import problem_of

    channels = make_channels(channel_options, os.environ)
    channel = _named(options.channel, channels)
    notification = _sample(options.channel)
    began = monotonic()
    problem = ""
    try:
        channel.send(notification, began + _TEST_SECONDS)
    except Exception as error:  # a channel of somebody else's may raise anything
        problem = problem_of(error)
    seconds = monotonic() - began
    if query.format == "table":
        verdict = f"did not take the message: {problem}" if problem else "took the message"
        out.write(printable(f"{options.channel} {verdict} ({format_seconds(seconds)})") + "\n")
    else:
        row = {"status": "failed" if problem else "ok", "channel": options.channel, "seconds": seconds,
               "problem": problem or None, "id": notification.id}  # fmt: skip
        write_json(out, row) if query.format == "json" else write_rows(out, "csv", list(row), [row])
    return 1 if problem else 0


def _named(name: str, channels: Mapping[str, Channel]) -> Channel:
    from runner.channels import CHANNELS

    listed = ", ".join(channels)
    if not name:
        raise UsageError(f"`runner alerts test` needs a CHANNEL, one of: {listed}")
    if name in channels:
        return channels[name]
    if name in CHANNELS:
        place = f"under notifications.{name}{_FLAGS.get(name, '')}"
        raise UsageError(f"the channel {name!r} is not configured; its settings belong {place}")
    guess = did_you_mean(name, [*channels, *CHANNELS])
    raise UsageError(f"there is no channel {name!r}{guess}; configured are {listed}")


def _sample(channel: str) -> Notification:
    from runner.agent.facts import host_facts
    from runner.engine.facts import user_name
    from runner.model.notification import FIRE, INFO, Notification

    now = time_ns()
    alert = {"rule": "test", "severity": INFO, "kind": FIRE, "condition": "", "more": 0,
             "text": f"the channel {channel} works"}  # fmt: skip
    return Notification(
        os.urandom(16).hex(), FIRE, INFO, f"Test of the channel {channel}", [alert],
        ["This is a test, asked for by `runner alerts test`; no script ran."], script="test", run_id="0" * 12,
        host=host_facts()["hostname"], user=user_name(), command="runner alerts test", time=now, started=now, ended=now,
        success=True, exit_code=0, reason="exited",
    )  # fmt: skip


def outbox(
    options: OutboxOptions, channel_options: ChannelOptions, record: RecordOptions, query: QueryOptions, out: TextIO
) -> int:
    """Show the messages that are not sent, or send them now; exit code 1 if some are left after that."""
    done = None
    if options.send or options.again:
        done = _send(options, channel_options, record)
    with HistoryManager(record.history_db) as history:
        found = history.get_outbox(options.limit)
    if query.format == "json":
        sent = {} if done is None else {
            "sent": done.sent, "refused": done.refused, "left": done.left, "problems": done.problems,
            "strangers": done.strangers,
        }  # fmt: skip
        write_json(out, {"status": "ok" if found or done else "no_data", **sent, "messages": found})
    elif query.format == "csv":
        names = ("id", "added", "channel", "state", "tries", "due", "problem", "run_id", "title")
        write_rows(out, "csv", names, found)
    else:
        if done is not None:
            _write_sent(out, done, options.again)
        if found:
            _write_outbox(out, found)
        elif done is None:
            out.write("the outbox is empty\n")
    return 1 if done is not None and done.left else 0


def _send(options: OutboxOptions, channel_options: ChannelOptions, record: RecordOptions) -> Emptied:
    from runner.engine.location import absolute, locate
    from runner.engine.outbox_sending import Emptied, empty_outbox
    from runner.stores import STORES

    path = locate(record.history_db, absolute())[0]
    channels = make_channels(channel_options, os.environ)
    if not os.path.exists(path):
        return Emptied()
    store = STORES.load("sqlite")(path)
    try:
        return empty_outbox(store.alert_book(), channels, options.again)
    finally:
        store.close()


def _write_sent(out: TextIO, done: Emptied, again: bool) -> None:
    refused = f", {format_count(done.refused)} refused" if done.refused else ""
    out.write(f"{format_count(done.sent)} sent{refused}, {format_count(done.left)} left\n")
    lines = [f"{name}: {problem}" for name, problem in done.problems.items()]
    lines += [
        f"{format_count(count)} for {name}, which is not configured here" if again else
        f"{format_count(count)} for another {name} than is configured here; --again sends those where it leads to now"
        for name, count in done.strangers.items()
    ]  # fmt: skip
    out.writelines(f"{printable(line)}\n" for line in lines)


def _write_outbox(out: TextIO, found: list[dict[str, Any]]) -> None:
    rows = [
        {
            "added": clock(each["added"]),
            "channel": each["channel"],
            "state": each["state"],
            "tries": each["tries"],
            "next": clock(each["due"]) if each["state"] == "waiting" else "-",
            "run": each["run_id"][:SHORT_ID],
            "message": each["title"] + (f" ({each['problem']})" if each["problem"] else ""),
        }
        for each in found
    ]
    write_rows(out, "table", fitting(_COLUMNS, _DISPENSABLE, rows, out, _MESSAGE), rows)
