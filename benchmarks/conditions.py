"""Conditions of alerts: how many are evaluated a second, and whether any text at all makes their parser fail."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

if __package__ in (None, ""):
    sys.path[:0] = [__file__.rsplit("/", 2)[0], __file__.rsplit("/", 2)[0] + "/src"]

from benchmarks import common

if TYPE_CHECKING:
    from benchmarks.common import Row

ROUNDS = 30
#: Fewest evaluations a second.
PROMISED = 100_000
EVALUATIONS = 50_000
#: Seconds that the parser is fuzzed for: four tests share them.
FUZZING = 60.0
FUZZ = "tests/unit/policy/test_conditions_fuzz.py"

FACTS = {
    "cpu_max": 75.0, "memory_max_mb": 1500.0, "execution_time_seconds": 61.5, "success": False, "reason": "timeout",
    "error_message": "timed out after 60 s", "exit_code": 124, "io_read_bytes": 9 << 30, "tags.env": "prod",
}  # fmt: skip
#: Work -> condition; none ends before its last part.
CONDITIONS = {
    "one comparison": "cpu_max > 80",
    "six comparisons, joined": "(cpu_max > 80 or memory_max_mb > 2GB or execution_time_seconds > 5m or exit_code == 1) "
    'or status == "timeout" and tags.env == "test"',
    "arithmetic, text and units": "io_read_bytes / execution_time_seconds > 100MB/s and error_message contains "
    '"space" or memory_max_mb * 120% > 2GB',
}


def evaluations(text: str) -> float:
    """Return how many times a second a condition is evaluated."""
    from runner.policy.conditions import compile_condition

    evaluate = compile_condition(text).evaluate
    start = time.perf_counter()
    for _ in range(EVALUATIONS):
        evaluate(FACTS)
    return EVALUATIONS / (time.perf_counter() - start)


def compilations(text: str) -> float:
    """Return the milliseconds that it takes to check a condition and make it ready."""
    from runner.policy.conditions import compile_condition

    start = time.perf_counter()
    for _ in range(200):
        compile_condition(text)
    return 1000 * (time.perf_counter() - start) / 200


def fuzzed() -> tuple[float, bool]:
    """Return how many seconds the parser was fuzzed, and whether it held."""
    env = {**common.environment(), "RUNNER_FUZZ_SECONDS": str(FUZZING / 4 + 1), "PYTHONPATH": str(common.ROOT / "src")}
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--timeout", "600", FUZZ], cwd=common.ROOT, env=env,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    if done.returncode:
        print(done.stdout, file=sys.stderr)
    return time.perf_counter() - start, done.returncode == 0


def rows(rounds: int = ROUNDS) -> list[Row]:
    """Measure; see `benchmarks.common` for what a row is."""
    cases = {name: lambda text=text: evaluations(text) for name, text in CONDITIONS.items()}
    table: list[Row] = []
    for name, rate in common.interleaved(cases, max(3, rounds // 3)).items():
        table.append((f"{name}, evaluated a second", f"{rate:,.0f}", f">= {PROMISED:,}", rate >= PROMISED))
    longest = max(CONDITIONS.values(), key=len)
    table.append(("  the longest of them, checked once", f"{compilations(longest):.2f} ms", "", True))
    seconds, held = fuzzed()
    table.append(("parser fuzzed: no crash, no name but the catalog's", f"{seconds:.0f} s", f">= {FUZZING:.0f} s",
                  held and seconds >= FUZZING))  # fmt: skip
    return table


if __name__ == "__main__":
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    common.print_table((__doc__ or "").splitlines()[0], rows(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS))
