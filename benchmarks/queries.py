"""Questions about a record of a million runs, as whole commands, with DuckDB over the exported Parquet beside them."""

from __future__ import annotations

import subprocess
import sys
import time
from importlib.util import find_spec
from typing import TYPE_CHECKING

if __package__ in (None, ""):
    sys.path[:0] = [__file__.rsplit("/", 2)[0], __file__.rsplit("/", 2)[0] + "/src"]

from benchmarks import common
from benchmarks.generate import SCRIPTS

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.common import Row

RUNS = 1_000_000
ROUNDS = 9
#: Most seconds that a question may take, one over all runs, and making the runs.
SECONDS, ALL_SECONDS, GENERATING = 0.3, 2.0, 120.0
#: Most bytes of the file that a run may cost, without samples and output.
BYTES = 400
#: Where the record is kept from one benchmark to the next.
CACHE = common.ROOT / "build" / "bench-data"

SCRIPT = "score_orders.py"
_METRIC = "cpu_max"
_YEAR = ("--query-start", "2025-11-01", "--query-end", "2026-11-01")
_MONTH = ("--query-start", "2026-10-02", "--query-end", "2026-11-01")
_ONE = ("--query-metric", _METRIC, "--query-script", SCRIPT)

#: Question -> (words of the command, seconds it may take).
QUESTIONS: dict[str, tuple[tuple[str, ...], float]] = {
    "newest 50 runs": (("--show-history", "--history-days", "36500", "--history-limit", "50"), SECONDS),
    "all aggregations, one script, a year": ((*_ONE, *_YEAR, "--aggregations"), SECONDS),
    "day buckets, one script, a year": ((*_ONE, *_YEAR, "--bucket", "1day"), SECONDS),
    "p95, one script, 30 days": ((*_ONE, *_MONTH, "--aggregate", "p95"), SECONDS),
    "list of metrics": (("--metrics-list",), SECONDS),
    "all aggregations, all runs": (("--query-metric", _METRIC, "--aggregations"), ALL_SECONDS),
}

_ALL = ("count(v), min(v), max(v), avg(v), sum(v), median(v), quantile_cont(v, 0.9), quantile_cont(v, 0.95),"
        " quantile_cont(v, 0.99), stddev_samp(v)")  # fmt: skip
#: The same in DuckDB's SQL, over the export. Moments as objects would need another package.
PEER: dict[str, str] = {
    "newest 50 runs": "SELECT COLUMNS(*)::TEXT FROM (SELECT * FROM runs ORDER BY timestamp DESC LIMIT 50)",
    "all aggregations, one script, a year": f"SELECT {_ALL} FROM runs WHERE script_name = '{SCRIPT}'",
    "day buckets, one script, a year":
        "SELECT epoch_ns(timestamp) // 86400000000000, avg(v), count(v), min(v), max(v) FROM runs"
        f" WHERE script_name = '{SCRIPT}' GROUP BY 1",
    "p95, one script, 30 days":
        f"SELECT quantile_cont(v, 0.95) FROM runs WHERE script_name = '{SCRIPT}'"
        " AND epoch_ns(timestamp) >= 1790899200000000000",
    "all aggregations, all runs": f"SELECT {_ALL} FROM runs",
}  # fmt: skip
_PROGRAM = """\
import duckdb
duckdb.sql("CREATE VIEW runs AS SELECT *, {metric} AS v FROM '{parquet}'")
print(duckdb.sql({question!r}).fetchall())
"""


def record(runs: int = RUNS, scripts: int = SCRIPTS) -> tuple[Path, float | None]:
    """Return a record of that many runs and scripts, and the seconds it took to make if it was not there yet."""
    from benchmarks.generate import generate
    from runner.stores.database import SCHEMA

    CACHE.mkdir(parents=True, exist_ok=True)
    of = "" if scripts == SCRIPTS else f"-of-{scripts}"
    path = CACHE / f"runs-{runs}{of}-schema{SCHEMA}.db"
    if path.exists():
        return path, None
    new = path.with_suffix(".new")
    for leftover in CACHE.glob("*.new*"):
        leftover.unlink()
    start = time.monotonic()
    generate(str(new), runs, scripts)
    seconds = time.monotonic() - start
    new.rename(path)
    return path, seconds


def peer(path: Path, runner: list[str]) -> tuple[dict[str, list[str]], str]:
    """Return DuckDB's command for each question, or none and the reason."""
    if find_spec("duckdb") is None or find_spec("pyarrow") is None:
        return {}, "duckdb or pyarrow is not installed"
    parquet = path.with_suffix(".parquet")
    if not parquet.exists():
        made = subprocess.run(
            [*runner, "export", "--export-output", parquet, "--history-db", path], env=common.environment(),
            capture_output=True, text=True,
        )  # fmt: skip
        if made.returncode:
            return {}, f"the export failed: {made.stderr.strip()[-80:]}"
    return {
        name: [sys.executable, "-c", _PROGRAM.format(metric=_METRIC, parquet=parquet, question=question)]
        for name, question in PEER.items()
    }, ""


def rows(rounds: int = ROUNDS) -> list[Row]:
    """Measure; see `benchmarks.common` for what a row is."""
    path, seconds = record()
    size = path.stat().st_size / RUNS
    result: list[Row] = []
    if seconds is not None:
        figure = f"{seconds:.0f} s"
        result.append((f"make {RUNS:,} runs", figure, f"< {GENERATING:.0f} s", seconds < GENERATING))
    result.append(("a run in the file, no samples or output", f"{size:.0f} bytes", f"< {BYTES}", size < BYTES))
    runner = common.installed_runner() or common.checkout_runner()
    others, why = peer(path, runner)
    folder = common.scratch("queries")
    lines = {
        (name, format): [*runner, *words, "--format", format, "--history-db", str(path)]
        for name, (words, _) in QUESTIONS.items()
        for format in ("json", "table")
    }
    lines |= {(name, "duckdb"): argv for name, argv in others.items()}
    lines["python -c pass", ""] = [sys.executable, "-c", "pass"]
    cases = {key: lambda argv=argv: common.wall(argv, folder) for key, argv in lines.items()}  # type: ignore[misc]
    medians = common.interleaved(cases, min(rounds, ROUNDS))
    floor = medians["python -c pass", ""]
    for (name, format), median in medians.items():
        if format:
            bound = QUESTIONS[name][1] if format != "duckdb" else 0
            figure = f"{median:.3f} s, {median / floor:.1f}x python -c pass"
            result.append((f"{name}, {format}", figure, f"< {bound:g} s" if bound else "", median < bound))
    if why:
        result.append(("the same in DuckDB", why, "", False))
    return result


if __name__ == "__main__":
    common.print_table((__doc__ or "").splitlines()[0], rows())
