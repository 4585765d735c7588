"""The agent as a process of its own: a job comes in on one descriptor, events go out on another.

The first is kept open by whoever sent the job. When it closes, nobody waits for the script any more, and the script is
ended as it would have been alone with the one who started it.
"""

from __future__ import annotations

import os
import sys

from runner.agent.attempt import Attempt, StartFailed
from runner.agent.events import FAILED_TO_START, Ended, Event, encode
from runner.agent.job import Job


def main(arguments: list[str]) -> int:
    """Run one attempt.

    Args:
        arguments: Number of the descriptor that the job is read from, and of the one that events are written to.
    """
    control, events = (int(argument) for argument in arguments)
    for fd in (control, events):
        os.set_inheritable(fd, False)
    job = Job.from_dict(_read_job(control))

    def tell(event: Event) -> None:
        data = encode(event).encode("ascii") + b"\n"
        try:
            while data:
                data = data[os.write(events, data) :]
        except BrokenPipeError:
            pass  # nobody listens: the closed control descriptor ends the attempt

    os.set_blocking(control, False)
    attempt = Attempt(job, control=control)
    try:
        tell(attempt.start())
    except StartFailed as failure:
        tell(Ended(0.0, FAILED_TO_START, failure.code, message=failure.message))
        return 0
    tell(attempt.run(tell))
    return 0


def _read_job(control: int) -> dict[str, object]:
    import json

    text = b""
    while not text.endswith(b"\n"):
        block = os.read(control, 1 << 16)
        if not block:
            raise SystemExit("agent: no job came")
        text += block
    job: dict[str, object] = json.loads(text)
    return job


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
