"""The command, with a live line and a panel that come sooner and are drawn more often than a person would want."""

from __future__ import annotations

import sys

sys.argv[0] = "runner/__main__.py"  # so this interpreter, whose version is known, runs the script

from runner.cli import live, panel  # noqa: E402
from runner.cli.main import main  # noqa: E402

live.DELAY = panel.DELAY = 0.15
live.INTERVAL = panel.INTERVAL = 0.05

main()
