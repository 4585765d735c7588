"""What other tools say about the same programs: orphans, a tree's peak, a short spike, exit codes."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

if __package__ in (None, ""):
    sys.path.insert(0, __file__.rsplit("/", 2)[0])

from benchmarks import common

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from benchmarks.common import Row

    #: Runs a command and returns its exit code, CPU seconds and peak memory in MB, each None where the tool has none.
    Tool = Callable[[list[str], Path], tuple[int, float | None, float | None]]

#: Five daemons that fork twice and then burn 0.2 s each: 1.0 s of CPU, none of it waited for.
ORPHANS = """\
import os, time
def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end: pass
for _ in range(5):
    if os.fork() == 0:
        if os.fork() == 0:
            time.sleep(0.05)
            burn(0.2)
        os._exit(0)
    os.wait()
time.sleep(2.5)
"""

#: Two children that hold 300 MB at the same time.
TWO = """\
import subprocess, sys
code = "import time; held = b'x' * (300 << 20); time.sleep(2)"
for child in [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]:
    child.wait()
"""

#: 300 MB held for 30 ms.
SPIKE = """\
import time
held = b'x' * (300 << 20)
time.sleep(0.03)
del held
time.sleep(2)
"""

KILLED = "import os; os.kill(os.getpid(), 9)\n"


def call(argv: list[str], folder: Path) -> tuple[int, str]:
    """Return the exit code as a shell shows it, and standard error."""
    done = subprocess.run(argv, cwd=folder, env=common.environment(), stdin=subprocess.DEVNULL, capture_output=True)
    code = done.returncode
    return 128 - code if code < 0 else code, done.stderr.decode("utf-8", "replace")


def with_runner(command: list[str], folder: Path) -> tuple[int, float | None, float | None]:
    runner = common.installed_runner() or common.checkout_runner()
    code, _ = call([*runner, "--quiet", "--json-output", "run.json", "--", *command], folder)
    run = json.loads((folder / "run.json").read_text())
    return code, run["cpu_time_seconds"], run["memory_max_mb"]


def with_time(command: list[str], folder: Path) -> tuple[int, float | None, float | None]:
    code, said = call(["/usr/bin/time", "-f", "figures %U %S %M", *command], folder)
    user, system, peak = map(float, re.findall(r"figures (\S+) (\S+) (\S+)", said)[-1])
    return code, user + system, peak / 1024


def with_duct(command: list[str], folder: Path) -> tuple[int, float | None, float | None]:
    duct = common.competitors(folder)["con-duct"]
    assert duct is not None
    report = folder / "competitor-info.json"
    report.unlink(missing_ok=True)
    code, _ = call([*duct, *command], folder)
    if not report.exists():
        return code, None, None
    summary = json.loads(report.read_text())["execution_summary"]
    return code, None, (summary["peak_rss"] or 0) / 2**20


def with_psrecord(command: list[str], folder: Path) -> tuple[int, float | None, float | None]:
    psrecord = common.competitors(folder)["psrecord"]
    assert psrecord is not None
    code, _ = call([*psrecord, shlex.join(command)], folder)
    lines = (folder / "competitor-psrecord.txt").read_text().splitlines()[1:]
    return code, None, max((float(line.split()[2]) for line in lines), default=0.0)


TOOLS: Mapping[str, Tool] = {
    "runner": with_runner,
    "GNU time": with_time,
    "con-duct": with_duct,
    "psrecord": with_psrecord,
}


def rows(rounds: int = 1) -> list[Row]:
    """Measure once, whatever `rounds`: these differences are no noise. See `benchmarks.common` for what a row is."""
    folder = common.scratch("comparison")
    for name, text in (("orphans", ORPHANS), ("two", TWO), ("spike", SPIKE), ("killed", KILLED)):
        (folder / f"{name}.py").write_text(text)
    known = common.competitors(folder)
    result: list[Row] = []
    for name, tool in TOOLS.items():
        if name != "runner" and not known[name]:
            result.append((name, "not installed", "", True))
            continue

        def measure(program: str, tool: Tool = tool) -> tuple[int, float | None, float | None]:
            return tool([sys.executable, f"{program}.py"], folder)

        _, cpu, _ = measure("orphans")
        result.append((f"{name}: CPU time of orphans that used 1.00 s", _show(cpu, "s", 2), "", True))
        result.append((f"{name}: peak of two processes of 300 MB", _show(measure("two")[2], "MB"), "", True))
        result.append((f"{name}: peak of 300 MB held for 30 ms", _show(measure("spike")[2], "MB"), "", True))
        result.append((f"{name}: exit code of a script killed by signal 9", str(measure("killed")[0]), "", True))
    return result


def _show(value: float | None, unit: str, digits: int = 0) -> str:
    return "not told" if value is None else f"{value:.{digits}f} {unit}"


if __name__ == "__main__":
    common.print_table(__doc__ or "", rows())
