"""What carrying output costs: 1 GB through a pipe, counted and kept, against a pipe with one more `cat` in it."""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from typing import TYPE_CHECKING

if __package__ in (None, ""):
    sys.path.insert(0, __file__.rsplit("/", 2)[0])

from benchmarks import common

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks.common import Row

SIZE = 1 << 30
BOUND = 0.7
ROUNDS = 7

PRODUCER = f"""\
import os
block = (b"x" * 79 + b"\\n") * 820
block = block[: 1 << 16]
for _ in range({SIZE} // len(block)):
    os.write(1, block)
"""


def through(pipeline: str, folder: Path) -> float:
    """Run a pipeline in a shell and return its wall time in seconds.

    Raises:
        RuntimeError: It did not carry every byte.
    """
    start = time.perf_counter()
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {pipeline} | wc -c"],
        cwd=folder, env=common.environment(), stdin=subprocess.DEVNULL, capture_output=True,
    )  # fmt: skip
    seconds = time.perf_counter() - start
    if done.returncode or int(done.stdout) != SIZE:
        raise RuntimeError(f"{pipeline}: exit code {done.returncode}, {done.stdout!r} bytes arrived")
    return seconds


def rows(rounds: int = ROUNDS) -> list[Row]:
    """Measure; see `benchmarks.common` for what a row is."""
    rounds = min(rounds, ROUNDS)
    folder = common.scratch("throughput")
    (folder / "produce.py").write_text(PRODUCER)
    alone = shlex.join([sys.executable, "produce.py"])
    command = common.installed_runner() or common.checkout_runner()

    def case(pipeline: str) -> Callable[[], float]:
        return lambda: through(pipeline, folder)

    cases = {
        "alone": case(alone),
        "cat": case(f"{alone} | cat"),
        "runner": case(f"{shlex.join(command)} --quiet produce.py"),
    }
    duct = common.competitors(folder)["con-duct"]
    if duct:
        cases["con-duct"] = case(f"{shlex.join(duct)} {alone}")
    medians = common.interleaved(cases, rounds)
    speed = {name: f"{SIZE / seconds / 1e6:,.0f} MB/s" for name, seconds in medians.items()}
    ratio = medians["cat"] / medians["runner"]
    result: list[Row] = [
        (f"1 GB through a pipe, {rounds} rounds", speed["alone"], "", True),
        ("with one more `cat` in it", speed["cat"], "", True),
        ("with the runner in it", f"{speed['runner']} = {ratio:.2f} of that", f">= {BOUND}", ratio >= BOUND),
    ]
    theirs = f"{speed['con-duct']} = {medians['cat'] / medians['con-duct']:.2f} of that" if duct else "not installed"
    result.append(("beside it: con-duct, which keeps it all in a file", theirs, "", True))
    return result


if __name__ == "__main__":
    common.print_table(__doc__ or "", rows())
