"""A command measured in a process of its own, and what came of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks import accuracy
from runner.agent.events import SAMPLE_FIELDS
from tests import support

DRIVE = Path(__file__).with_name("drive.py")
MB = 1 << 20

#: What every program of these tests may use.
PRELUDE = "import subprocess" + accuracy.PRELUDE


class Measured:
    """What was told of one command."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.usage: dict[str, float | None] = told["usage"]
        self.weaker: dict[str, list[str]] = told["weaker"]
        self.survivors: int = told["survivors"]
        self.wall: float = told["wall"]
        self.spent: float = told["spent"]
        self.rusage: dict[str, float] = told["rusage"]
        self.status: int = told["status"]
        self.times = [now for now, _, _ in told["samples"]]
        self.samples = [dict(zip(SAMPLE_FIELDS, values, strict=True)) for _, _, values in told["samples"]]

    @property
    def cpu(self) -> float:
        """CPU seconds of the whole tree."""
        user, system = self.usage["user_seconds"], self.usage["system_seconds"]
        assert user is not None
        assert system is not None
        return user + system

    def known(self, field: str) -> list[float]:
        """The values of a field, as far as told."""
        return [sample[field] for sample in self.samples if sample[field] is not None]

    def highest(self, field: str) -> float:
        return max(self.known(field))


def measure(
    code: str = "",
    argv: list[str] | None = None,
    interval: float = 0.1,
    memory: str = "rss",
    backend: str = "proc",
    survivors: str = "kill",
    python: str = sys.executable,
    folder: Path = Path("/tmp"),
) -> Measured:
    """Run a piece of Python, or a command, and measure its tree.

    Args:
        code: Python source, which may use what `PRELUDE` defines.
        argv: A command instead.
        interval: Seconds between two samples.
        memory: rss or pss.
        backend: proc or portable.
        survivors: "kill" to end what is left.
        python: Interpreter of the process that measures.
        folder: Where the answer is written.
    """
    out = folder / f"measured-{os.getpid()}.json"
    command = argv or [sys.executable, "-c", PRELUDE + code]
    options = {"argv": command, "interval": interval, "memory": memory, "backend": backend, "survivors": survivors}
    environment = {**os.environ, "PYTHONPATH": str(support.SRC)}
    subprocess.run(
        [python, str(DRIVE), json.dumps({**options, "out": str(out)})], check=True, env=environment, timeout=100
    )
    try:
        return Measured(json.loads(out.read_text()))
    finally:
        out.unlink()
