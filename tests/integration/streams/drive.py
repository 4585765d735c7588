"""Drives one attempt as the command line would, and leaves what it told in a file: ``drive.py LOG JOB COMMAND...``."""

from __future__ import annotations

import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "src"))

from runner.agent.attempt import Attempt, StartFailed
from runner.agent.events import encode
from runner.agent.exit import die_of
from runner.agent.job import Job
from runner.agent.pause import ENDING
from runner.agent.spawn import script_environment


def main() -> None:
    import json

    log, options, argv = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3:]
    executable = argv[0] if os.sep in argv[0] else shutil.which(argv[0]) or argv[0]
    attempt = Attempt(Job(argv, executable, script_environment(), **options), held=ENDING)
    try:
        told = [attempt.start()]
    except StartFailed as failure:
        print(failure.message, file=sys.stderr)
        sys.stderr.flush()
        os._exit(failure.code)
    ended = attempt.run(told.append)
    with open(log, "a") as file:
        file.writelines(encode(event) + "\n" for event in [*told, ended])
    if ended.signal and ended.reason != "timeout":
        die_of(ended.signal)
    os._exit(ended.exit_code)


main()
