"""A message as plain text: what channels without a form of their own say."""

from __future__ import annotations

from runner.channels.base import clip, tail
from runner.model.run import iso

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.model.notification import Notification


def alert_lines(notification: Notification) -> list[str]:
    """Return a line for each alert: severity, name, and what it found."""
    return [_alert(alert) for alert in notification.alerts]


def _alert(alert: dict[str, object]) -> str:
    more = f" (and {alert['more']} more since the last message)" if alert.get("more") else ""
    state = "over: " if alert.get("kind") == "recover" else ""
    return f"{alert.get('severity', '')} {state}{alert.get('rule', '')}: {alert.get('text', '')}{more}".strip()


def fitting(entries: Sequence[str], most: int, between: str = "\n") -> str:
    """Return the first entries that fit into so many characters, and behind them how many more there are.

    Args:
        entries: Texts, the most important first.
        most: Characters in all.
        between: What stands between two of them.
    """
    text = between.join(entries)
    if len(text) <= most:
        return text
    room = most - len(f"{between}… and {len(entries)} more")
    kept = [clip(entries[0], room)]
    room -= len(kept[0])
    for entry in entries[1:]:
        room -= len(between) + len(entry)
        if room < 0:
            break
        kept.append(entry)
    more = len(entries) - len(kept)
    return between.join([*kept, f"… and {more} more"] if more else kept)


def plain(notification: Notification, output: int = 4000) -> str:
    """Return the whole message.

    Args:
        notification: The message.
        output: Characters of the script's output at most.
    """
    lines = [notification.title, "", *alert_lines(notification), ""]
    lines += notification.lines
    lines += [f"{label}: {text}" for label, text in notification.figures]
    kept = tail(notification.output, output)
    if kept:
        lines += ["", "Last lines of output:", kept]
    return "\n".join([*lines, "", footer(notification)])


def footer(notification: Notification) -> str:
    """Return where and when it was, in one line."""
    where = f"{notification.user}@{notification.host}" if notification.user else notification.host
    return f"run {notification.run_id} on {where}, {iso(notification.time)[:19].replace('T', ' ')}"
