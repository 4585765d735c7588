"""Runs one attempt as a program of its own, on any interpreter (``drive.py REPORT COMMAND...``); ends as it ends."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), *[".."] * 3, "src"))

from runner.agent import libc
from runner.agent.attempt import Attempt
from runner.agent.exit import die_of
from runner.agent.job import Job

if os.environ.pop("DRIVE_WITHOUT_SIGNALFD", ""):
    libc.function = lambda name: None

report, command = sys.argv[1], sys.argv[2:]
options = json.loads(os.environ.pop("DRIVE_OPTIONS", "{}"))
events = []
attempt = Attempt(Job(command, command[0], dict(os.environ), **options))
attempt.start()
ended = attempt.run(events.append)
with open(report, "w") as file:
    signals = [[event.number, event.sender, event.action] for event in events if event.name == "signal"]
    json.dump({"signals": signals, "reason": ended.reason, "exit_code": ended.exit_code, "signal": ended.signal}, file)
if ended.reason == "timeout":
    sys.exit(ended.exit_code)
if ended.signal:
    die_of(ended.signal)
sys.exit(ended.exit_code)
