"""Looking at a record of 100,000 runs, as whole commands: history, one run, what runs now, scripts."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if __package__ in (None, ""):
    sys.path[:0] = [__file__.rsplit("/", 2)[0], __file__.rsplit("/", 2)[0] + "/src"]

from benchmarks import common
from benchmarks.queries import record

if TYPE_CHECKING:
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


def rows(rounds: int = ROUNDS) -> list[Row]:
    """Measure; see `benchmarks.common` for what a row is."""
    path, _ = record(RUNS)
    runner = common.installed_runner() or common.checkout_runner()
    folder = common.scratch("record")
    lines = {
        (words, format): [*runner, *words, "--format", format, "--history-db", str(path)]
        for words in COMMANDS
        for format in BOUNDS
    }
    floor: tuple[tuple[str, ...], str] = ((), "python -c pass")
    lines[floor] = [sys.executable, "-c", "pass"]
    cases = {key: lambda argv=argv: common.wall(argv, folder) for key, argv in lines.items()}  # type: ignore[misc]
    medians = common.interleaved(cases, min(rounds, ROUNDS))
    result: list[Row] = []
    for words, format in lines:
        if (words, format) == floor:
            continue
        ratio = medians[words, format] / medians[floor]
        bound = BOUNDS[format] if COMMANDS[words] else 0.0
        name = f"runner {' '.join(words).replace(' --days 36500', '')}, {format}"
        result.append((name, f"{ratio:.1f}x python -c pass", f"<= {bound:g}x" if bound else "", ratio <= bound))
    return result


if __name__ == "__main__":
    common.print_table((__doc__ or "").splitlines()[0], rows())
