"""The channel at hand: a line on standard error for each alert."""

from __future__ import annotations

import sys

from runner.channels.text import alert_lines
from runner.model.words import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from runner.model.notification import Notification


def _to_stderr(line: str) -> None:
    try:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        pass  # nobody reads it


class Console:
    """Writes to standard error.

    Attributes:
        write: Takes each line; a door that knows its terminal puts its own in place.
    """

    SETTINGS: Mapping[str, Any] = {"type": "object", "properties": {}}
    spawns = False

    def __init__(self, name: str, settings: Mapping[str, Any]) -> None:
        self.name = name
        self.write: Callable[[str], None] = _to_stderr

    def send(self, notification: Notification, deadline: float) -> None:
        """Write the alerts of a message (see `Channel.send`)."""
        for line in alert_lines(notification):
            self.write(f"runner: alert: {printable(line)}")
