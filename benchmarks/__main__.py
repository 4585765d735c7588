"""Run all benchmarks, or those named, and print one table: ``python -m benchmarks [NAME ...] [--rounds N]``."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from importlib import import_module

from benchmarks import common

MODULES = (
    "startup", "throughput", "monitor", "live", "accuracy", "store", "record", "queries", "export", "retention",
    "ci", "confirming", "conditions", "delivery", "comparison",
)  # fmt: skip
ROUNDS = 30


def main() -> int:
    """Return 0 if every bound was reached, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(MODULES)}; all by default")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="rounds of each measurement (default: %(default)s)")
    options = parser.parse_args()
    unknown = set(options.names) - set(MODULES)
    if unknown:
        parser.error(f"unknown benchmark {min(unknown)!r}; there are {', '.join(MODULES)}")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    cores = len(os.sched_getaffinity(0))
    print(f"Python {platform.python_version()}, {platform.system()} {platform.release()}, {cores} cores, "
          f"load {os.getloadavg()[0]:.1f}")  # fmt: skip
    start = time.monotonic()
    bounds = missed = 0
    for name in options.names or MODULES:
        module = import_module(f"benchmarks.{name}")
        rows = module.rows(options.rounds)
        common.print_table(f"{name}: {(module.__doc__ or '').splitlines()[0]}", rows)
        bounds += sum(bool(bound) for _, _, bound, _ in rows)
        missed += sum(bool(bound) and not reached for _, _, bound, reached in rows)
    print(f"\n{bounds - missed} of {bounds} bounds reached, in {time.monotonic() - start:.0f} s")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
