"""What benchmarks share: a clean environment, interleaved rounds, medians, competitors, the table."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    #: Work, figure, bound ("" where there is none to reach), and whether it was reached.
    Row = tuple[str, str, str, bool]

ROOT = Path(__file__).resolve().parent.parent
#: Where benchmarks keep their files: a folder on a disk, since a file system in memory makes fsync free.
SCRATCH = ROOT / "build" / "bench-work"

#: The floor of any wrapper in Python: an interpreter that starts the same script and waits.
FLOOR = """\
import os, sys
pid = os.posix_spawn(sys.executable, [sys.executable, *sys.argv[1:]], os.environ)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


def environment() -> dict[str, str]:
    """Return the environment that everything is measured in: nothing that slows Python down, this Python first."""
    dropped = ("PYTHON", "RUNNER_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    env["VIRTUAL_ENV"] = sys.prefix
    env["PATH"] = f"{Path(sys.executable).parent}:{env.get('PATH', '/usr/bin:/bin')}"
    return env


def scratch(name: str) -> Path:
    """Return an empty folder of that name."""
    folder = SCRATCH / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def installed_runner() -> list[str] | None:
    """Return the command ``runner`` installed beside this interpreter, None where it is not."""
    command = Path(sys.executable).parent / "runner"
    return [str(command)] if command.exists() else None


def checkout_runner() -> list[str]:
    """Return the command ``python runner.py`` of this checkout, byte-compiled as it is after its first use."""
    subprocess.run([sys.executable, "-m", "compileall", "-q", ROOT / "src"], check=True)
    return [sys.executable, str(ROOT / "runner.py")]


def wall(argv: Sequence[str], cwd: Path, expect: int = 0) -> float:
    """Run a command with its output thrown away and return its wall time in seconds.

    Raises:
        RuntimeError: It ended with another exit code than `expect`.
    """
    start = time.perf_counter()
    code = subprocess.call(
        argv, cwd=cwd, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    seconds = time.perf_counter() - start
    if code != expect:
        raise RuntimeError(f"{' '.join(argv)} ended with {code}")
    return seconds


def interleaved(cases: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Measure every case once a round, each round beginning with another case, and return the medians.

    A machine that grows slower meanwhile then slows every case alike. One round before the first warms up caches.
    """
    names = list(cases)
    taken: dict[str, list[float]] = {name: [] for name in names}
    for number in range(-1, rounds):
        shift = number % len(names)
        for name in names[shift:] + names[:shift]:
            seconds = cases[name]()
            if number >= 0:
                taken[name].append(seconds)
    return {name: statistics.median(values) for name, values in taken.items()}


def competitors(folder: Path) -> dict[str, list[str] | None]:
    """Return how each competitor runs a command, its words to be appended; None for one that is not installed."""
    log = str(folder / "competitor-")
    known: dict[str, list[str]] = {
        "GNU time": ["/usr/bin/time", "-v"],
        "hyperfine": ["hyperfine", "-N", "--runs", "1", "--style", "none"],
        "con-duct": ["duct", "--clobber", "--output-prefix", log],
        "psrecord": ["psrecord", "--include-children", "--interval", "0.1", "--log", log + "psrecord.txt"],
    }
    path = environment()["PATH"]
    return {name: argv if shutil.which(argv[0], path=path) else None for name, argv in known.items()}


def in_one_word(name: str) -> bool:
    """Whether a competitor wants the command as one word, as for a shell."""
    return name in ("hyperfine", "psrecord")


def print_table(title: str, rows: Sequence[Row]) -> None:
    """Print rows under a title, columns aligned, with a mark where a bound was missed."""
    widths = [max(len(row[column]) for row in rows) for column in range(3)]  # type: ignore[misc]
    print(f"\n{title}")
    for work, figure, bound, reached in rows:
        mark = "" if not bound else "ok" if reached else "MISSED"
        print(f"  {work:<{widths[0]}}  {figure:>{widths[1]}}  {bound:<{widths[2]}}  {mark}".rstrip(), flush=True)
