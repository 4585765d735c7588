"""A program of your own: it gets the message as JSON on its standard input."""

from __future__ import annotations

import json
import os

from runner.channels.base import Passing, Permanent, given, left, require
from runner.model.errors import UsageError
from runner.options import Unset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from runner.model.notification import Notification

#: Exit code of a program that wants to be asked again later (EX_TEMPFAIL of sysexits.h).
TRY_AGAIN = 75
#: Seconds before the deadline at which a program is ended: who waits until then still learns of it.
_MARGIN = 0.2


class Command:
    """Starts a program.

    It succeeds with exit code 0, wants to be tried again with 75, and has failed for good with any other. The message's
    id is in ``RUNNER_ALERT_ID``.
    """

    SETTINGS: Mapping[str, Any] = {
        "type": "object",
        "properties": {
            "command": {"type": ["array", "string"], "items": {"type": "string"}},
            "timeout": {"type": "number", "exclusiveMinimum": 0},
        },
        "required": ["command"],
    }
    spawns = True

    def __init__(self, name: str, settings: Mapping[str, Any]) -> None:
        self.name = name
        self.settings = settings
        words = settings.get("command")
        if isinstance(words, str):
            from shlex import split

            try:
                words = split(words)
            except ValueError as error:
                raise UsageError(f"{name}: command: {error}") from None
        if isinstance(words, Unset):
            words = [words]
        if not isinstance(words, list) or not words or not all(isinstance(word, (str, Unset)) for word in words):
            raise UsageError(f"{name}: command names no program")
        self.words: list[Any] = words
        self.timeout = float(given(settings, "timeout", 30))
        if not self.timeout > 0:
            raise UsageError(f"{name}: timeout: a program needs more than {self.timeout:g} seconds")

    def send(self, notification: Notification, deadline: float) -> None:
        """Start the program with a message (see `Channel.send`)."""
        import subprocess
        from signal import SIGKILL

        require(self.settings, self.name)
        data = json.dumps({"event": f"alert.{notification.kind}", **notification.to_dict()}, ensure_ascii=True)
        program = os.path.basename(self.words[0])
        seconds = min(self.timeout, left(deadline - _MARGIN))
        try:
            process = subprocess.Popen(
                self.words,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "RUNNER_ALERT_ID": notification.id},
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "its words are none that a program can be given"
            raise Permanent(f"{program} can't be started: {reason}") from None
        with process:
            try:
                process.communicate(data.encode("ascii"), timeout=seconds)
            except subprocess.TimeoutExpired:
                # With all that it started: it is started again, and must not meet what is left of it.
                os.killpg(process.pid, SIGKILL)
                raise Passing(f"{program} did not end in time") from None
        if process.returncode == TRY_AGAIN:
            raise Passing(f"{program} wants to be tried again")
        if process.returncode:
            raise Permanent(f"{program} ended with {process.returncode}")
