"""Exports of a record of a million runs, in seconds and memory, and the import of a hundred thousand."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from itertools import islice
from typing import TYPE_CHECKING

if __package__ in (None, ""):
    sys.path[:0] = [__file__.rsplit("/", 2)[0], __file__.rsplit("/", 2)[0] + "/src"]

from benchmarks import common
from benchmarks.queries import record

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.common import Row

RUNS = 1_000_000
IMPORTED = 100_000
#: Most that an export to Parquet may take: seconds, and bytes of memory.
SECONDS, MEMORY = 30.0, 300 << 20
MB = 1 << 20

#: Measures a command. The peak of a process begins with that of the one that starts it, and this one may be large.
_MEASURE = """\
import os, sys, time
start = time.perf_counter()
nothing = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=nothing)
_, status, usage = os.wait4(pid, 0)
print(time.perf_counter() - start, usage.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status) != 0)
"""


def measured(argv: Sequence[str], cwd: Path) -> tuple[float, int]:
    """Run a command and return its seconds and its highest memory in bytes.

    Raises:
        RuntimeError: It failed.
    """
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, *argv], cwd=cwd, env=common.environment(), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{' '.join(argv)} ended with {done.returncode}")
    seconds, kilobytes = done.stdout.split()
    return float(seconds), int(kilobytes) * 1024


def rows(rounds: int = 1) -> list[Row]:
    """Measure, each work once: it is long; see `benchmarks.common` for what a row is."""
    database, _ = record(RUNS)
    folder = common.scratch("export")
    runner = common.installed_runner() or common.checkout_runner()
    result: list[Row] = []
    for format in ("parquet", "csv", "jsonl"):
        label = f"export {RUNS:,} runs as {format}"
        if format == "parquet" and find_spec("pyarrow") is None:
            result.append((label, "pyarrow is not installed", "", False))
            continue
        path = folder / f"runs.{format}"
        argv = [*runner, "export", "--output", str(path), "--history-db", str(database)]
        seconds, memory = measured(argv, folder)
        figure = f"{seconds:.1f} s, {memory / MB:.0f} MB of memory, {path.stat().st_size / RUNS:.0f} bytes a run"
        if format == "parquet":
            bound = f"< {SECONDS:.0f} s, < {MEMORY // MB} MB"
            result.append((label, figure, bound, seconds < SECONDS and memory < MEMORY))
        else:
            result.append((label, figure, "", True))
    part = folder / "part.jsonl"
    with (folder / "runs.jsonl").open("rb") as whole, part.open("wb") as file:
        file.writelines(islice(whole, IMPORTED))
    argv = [*runner, "import", str(part), "--history-db", str(folder / "imported.db")]
    for label in (f"import {IMPORTED:,} runs of jsonl", "import them again"):
        seconds, memory = measured(argv, folder)
        result.append((label, f"{seconds:.1f} s, {memory / MB:.0f} MB of memory", "", True))
    return result


if __name__ == "__main__":
    common.print_table((__doc__ or "").splitlines()[0], rows())
