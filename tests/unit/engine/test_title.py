from __future__ import annotations

import subprocess
import sys

from tests import support

PROGRAM = """
import sys
from runner.engine.title import hide
print(hide([sys.argv[1], ""]), hide(["nowhere to be seen"]), sys.argv[1:])
print(open("/proc/self/cmdline").read().split("\\0")[3:-1])
"""


def test_secrets_are_gone_from_the_command_line_and_not_from_the_program() -> None:
    secret = "https://hooks.slack.com/services/T0/B0/x\u00e9"
    words = [sys.executable, "-c", PROGRAM, secret, "other", f"--slack-webhook={secret}"]
    done = subprocess.run(words, capture_output=True, text=True, env={"PYTHONPATH": str(support.SRC)}, check=True)
    told, shown = done.stdout.splitlines()
    assert told == f"True True {[secret, 'other', f'--slack-webhook={secret}']}"
    stars = "*" * len(secret.encode())
    assert shown == str([stars, "other", f"--slack-webhook={stars}"])
