"""A program of your own: it gets the message as JSON on its standard input."""

from __future__ import annotations

import json
import os

from runner.channels.base import Passing, Permanent, left
from runner.model.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from runner.model.notification import Notification

#: Exit code of a program that wants to be asked again later (EX_TEMPFAIL of sysexits.h).
TRY_AGAIN = 75


class Command:
    """Starts a program.

    It succeeds with exit code 0, wants to be tried again with 75, and has failed for good with any other. The message's
    id is in ``RUNNER_ALERT_ID``.
    """

    SETTINGS: Mapping[str, Any] = {
        "type": "object",
        "properties": {
            "command": {"type": ["array", "string"], "items": {"type": "string"}},
            "timeout": {"type": "number"},
        },
        "required": ["command"],
    }
    spawns = True

    def __init__(self, name: str, settings: Mapping[str, Any]) -> None:
        self.name = name
        words = settings.get("command")
        if isinstance(words, str):
            from shlex import split

            try:
                words = split(words)
            except ValueError as error:
                raise UsageError(f"{name}: command: {error}") from None
        if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
            raise UsageError(f"{name}: command names no program")
        self.words: list[str] = words
        self.timeout = float(settings.get("timeout") or 30)

    def send(self, notification: Notification, deadline: float) -> None:
        """Start the program with a message (see `Channel.send`)."""
        import subprocess

        data = json.dumps({"event": f"alert.{notification.kind}", **notification.to_dict()}, ensure_ascii=True)
        program = os.path.basename(self.words[0])
        try:
            done = subprocess.run(
                self.words,
                input=data.encode("ascii"),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=min(self.timeout, left(deadline)),
                env={**os.environ, "RUNNER_ALERT_ID": notification.id},
                start_new_session=True,
            )
        except subprocess.TimeoutExpired:
            raise Passing(f"{program} did not end in time") from None
        except OSError as error:
            raise Permanent(f"{program} can't be started: {error.strerror}") from None
        if done.returncode == TRY_AGAIN:
            raise Passing(f"{program} wants to be tried again")
        if done.returncode:
            raise Permanent(f"{program} ended with {done.returncode}")
