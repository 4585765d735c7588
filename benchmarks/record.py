"""Looking at a record of 100,000 runs, as whole commands: history, one run, what runs now, scripts.

All the same where the runs are of one script, and the run shown failed as a thousand did before it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if __package__ in (None, ""):
    sys.path[:0] = [__file__.rsplit("/", 2)[0], __file__.rsplit("/", 2)[0] + "/src"]

from benchmarks import common
from benchmarks.queries import record

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.common import Row

RUNS = 100_000
ROUNDS = 15
#: Most times `python -c pass` that an answer may take, as JSON and as a table.
BOUNDS = {"json": 3.0, "table": 7.0}

#: Command -> whether it has a bound.
COMMANDS: dict[tuple[str, ...], bool] = {
    ("history", "--days", "36500"): True,
    ("history", "score_orders.py", "--days", "36500", "--status", "failed"): False,
    ("show", "last"): True,
    ("ps",): True,
    ("scripts", "--days", "30"): False,
}
#: The same where all runs are of one script. The run failed late, so most of the others are earlier ones.
OF_ONE: dict[tuple[str, ...], bool] = {
    ("history", "--days", "36500"): True,
    ("show", "FAILED"): True,
}


def _failed(path: Path) -> str:
    """Return the id of the last run that failed."""
    from runner.engine.history import HistoryManager
    from runner.stores.base import FAILED, RunFilter

    with HistoryManager(path) as history:
        return history.runs(RunFilter(status=FAILED, limit=1))[0].id


def rows(rounds: int = ROUNDS) -> list[Row]:
    """Measure; see `benchmarks.common` for what a row is."""
    path, _ = record(RUNS)
    path_of_one, _ = record(RUNS, 1)
    runner = common.installed_runner() or common.checkout_runner()
    folder = common.scratch("record")
    lines = {
        (words, of, format): [*runner, *words, "--format", format, "--history-db", str(place)]
        for commands, of, place in ((COMMANDS, "", path), (OF_ONE, ", all of one script", path_of_one))
        for words in commands
        for format in BOUNDS
    }
    failed = _failed(path_of_one)
    lines = {key: [failed if word == "FAILED" else word for word in line] for key, line in lines.items()}
    floor: tuple[tuple[str, ...], str, str] = ((), "", "python -c pass")
    lines[floor] = [sys.executable, "-c", "pass"]
    cases = {key: lambda argv=argv: common.wall(argv, folder) for key, argv in lines.items()}  # type: ignore[misc]
    medians = common.interleaved(cases, min(rounds, ROUNDS))
    result: list[Row] = []
    for words, of, format in lines:
        if (words, of, format) == floor:
            continue
        ratio = medians[words, of, format] / medians[floor]
        bound = BOUNDS[format] if (OF_ONE if of else COMMANDS)[words] else 0.0
        name = f"runner {' '.join(words).replace(' --days 36500', '')}{of}, {format}"
        result.append((name, f"{ratio:.1f}x python -c pass", f"<= {bound:g}x" if bound else "", ratio <= bound))
    return result


if __name__ == "__main__":
    common.print_table((__doc__ or "").splitlines()[0], rows())
