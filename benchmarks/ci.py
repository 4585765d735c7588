"""What gates, a baseline of 20 runs and reports add to a run, against the same run without."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if __package__ in (None, ""):
    sys.path.insert(0, __file__.rsplit("/", 2)[0])

from benchmarks import common

if TYPE_CHECKING:
    from benchmarks.common import Row

BOUND_MS = 30.0
RUNS_BEFORE = 20
ROUNDS = 30

GATES = (
    "--add-gate", "cpu_max:100000", "--add-gate", "memory_max_mb:10GB", "--add-gate", "execution_time_seconds:+1000%",
)  # fmt: skip
BASELINE = ("--baseline", "baseline.json", "--save-baseline", "saved.json")
REPORTS = (
    "--json-output", "report.json", "--junit-output", "report.xml", "--tap-output", "report.tap",
    "--markdown-output", "report.md",
)  # fmt: skip


def rows(rounds: int = ROUNDS) -> list[Row]:
    """Measure; see `benchmarks.common` for what a row is."""
    command = common.installed_runner() or common.checkout_runner()
    with tempfile.TemporaryDirectory(prefix="runner-bench-") as name:
        folder = Path(name)
        (folder / "empty.py").write_text("")
        plain = [*command, "--history-db", str(folder / "history.db")]
        for _ in range(RUNS_BEFORE):
            common.wall([*plain, "--save-baseline", "baseline.json", "empty.py"], folder)
        shutil.copy(folder / "baseline.json", folder / "saved.json")
        cases = {
            "a plain run": plain,
            "with three gates": [*plain, *GATES],
            "with gates and a baseline": [*plain, *GATES, *BASELINE],
            "with gates, a baseline and four reports": [*plain, *GATES, *BASELINE, *REPORTS],
        }
        taken = common.interleaved(
            {name: lambda argv=argv: common.wall([*argv, "empty.py"], folder) for name, argv in cases.items()},  # type: ignore[misc]
            rounds,
        )
    before = taken.pop("a plain run")
    result: list[Row] = [("a plain run", f"{before * 1000:.1f} ms", "", True)]
    for name, seconds in taken.items():
        added = (seconds - before) * 1000
        result.append((f"added {name}", f"{added:.1f} ms", f"<= {BOUND_MS:.0f} ms", added <= BOUND_MS))
    return result


if __name__ == "__main__":
    common.print_table(str(__doc__), rows())
