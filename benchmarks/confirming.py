"""How often a slowdown is found, and how often one that is none: pairs of runs, and histories like those of CI.

Each trial of pairs is a gate of its own, with warm-up: ten runs of either side in turn. The histories are simulated, as
shared machines give them: noise, a few levels that shift, single wild runs, integers that repeat.

Of false alarms 0.1 % is asked for on published histories of such machines, which gave 0.08 %
(`runner.analysis.regression`); on these simulated ones it is some 0.3 %.
"""

from __future__ import annotations

import os
import random
import statistics
import sys
import time
from typing import TYPE_CHECKING

from benchmarks import common
from runner.analysis.regression import regressed
from runner.engine.interleave import BASE, HEAD, Interleaved, Side, judge_pairs
from runner.engine.run_options import MonitorOptions, RecordOptions, RunOptions
from runner.engine.target import locate

if TYPE_CHECKING:
    from pathlib import Path

TRIALS = 25
PAIRS = 10
WORK = 200_000

#: Part of more work -> what has to be true of the part of trials that find it.
BOUNDS = {0.0: ("0 of 25", 0.0), 0.25: (">= 64 %", 0.64), 0.5: (">= 95 %", 0.95)}

SCRIPT = """\
import sys
total = 0
for number in range(int(sys.argv[1])):
    total += number * number
"""

HISTORIES = 2000
LONG = 64
#: Most false alarms among the simulated histories, as a part of them, and fewest slowdowns by half that are found.
MOST_FALSE, LEAST_FOUND = 0.005, 0.75


def rows(rounds: int = 0) -> list[common.Row]:
    """Return the measured rows."""
    return [*_pairs(), *_histories()]


def _pairs() -> list[common.Row]:
    folder = common.scratch("confirming")
    (folder / "work.py").write_text(SCRIPT)
    found = dict.fromkeys(BOUNDS, 0)
    begun = time.monotonic()
    for trial in range(TRIALS):
        for more in BOUNDS:  # interleaved, so that a busy minute is every arm's
            found[more] += _finds(folder, more, trial)
    took = (time.monotonic() - begun) / TRIALS / len(BOUNDS)
    result: list[common.Row] = []
    for more, (bound, least) in BOUNDS.items():
        part = found[more] / TRIALS
        work = f"{PAIRS} pairs, {100 * more:.0f} % more work: worse" if more else f"{PAIRS} pairs of the same: worse"
        result.append((work, f"{found[more]} of {TRIALS}", bound, part >= least if more else part == 0))
    result.append((f"{PAIRS} pairs of a script of some 20 ms, in all", f"{took:.2f} s", "", True))
    return result


def _finds(folder: Path, more: float, trial: int) -> bool:
    env = common.environment()
    sides = []
    for name, work in ((BASE, WORK), (HEAD, round(WORK * (1 + more)))):
        options = RunOptions.checked(cwd=str(folder), python=sys.executable)
        target = locate(("script", "work.py"), [str(work)], options, env)
        sides.append(Side(name, name, target, env, options))
    base, head = sides
    Interleaved((base, head), MonitorOptions(), RecordOptions(disable_history=True), seed=trial).run(PAIRS)
    return not judge_pairs(base.runs, head.runs, seed=trial).passed


def _histories() -> list[common.Row]:
    chance = random.Random(1)
    false, found = {"regressed": 0, "mean + 2.33 sigma": 0}, {"regressed": 0, "mean + 2.33 sigma": 0}
    seconds = []
    for number in range(HISTORIES):
        series = _series(chance, LONG + 2, whole=number % 4 == 0)
        history, candidate, confirm = series[:LONG], series[LONG], series[LONG + 1]
        start = time.perf_counter()
        alarm = regressed(history, candidate, confirm)
        seconds.append(time.perf_counter() - start)
        limit = statistics.mean(history) + 2.33 * statistics.stdev(history)
        false["regressed"] += bool(alarm)
        found["regressed"] += bool(regressed(history, 1.5 * candidate, 1.5 * confirm))
        false["mean + 2.33 sigma"] += min(candidate, confirm) > limit
        found["mean + 2.33 sigma"] += 1.5 * min(candidate, confirm) > limit
    result: list[common.Row] = []
    for name, count in false.items():
        few, many = ("", True), ("", True)  # the other rule is there to compare with
        if name == "regressed":
            few = (f"<= {100 * MOST_FALSE:.1f} %", count <= MOST_FALSE * HISTORIES)
            many = (f">= {100 * LEAST_FOUND:.0f} %", found[name] >= LEAST_FOUND * HISTORIES)
        result.append((f"{name}, with a second run: false alarms", f"{100 * count / HISTORIES:.2f} %", *few))
        result.append((f"{name}, with a second run: +50 % found", f"{100 * found[name] / HISTORIES:.0f} %", *many))
    longest = sorted(seconds)[int(0.999 * len(seconds))]
    result.append(("regressed, a call (999 of 1000)", f"{1000 * longest:.2f} ms", "<= 4 ms", longest <= 0.004))
    return result


def _series(chance: random.Random, length: int, whole: bool) -> list[float]:
    """Return values of runs of unchanged code on shared machines.

    Neighbours differ by some 5 % in the middle and by 25 to 30 % in one of twenty cases, as in a published history of
    hosted machines: the machines are of two kinds, all shift a little now and then, and a run may meet a busy one.
    """
    level = chance.lognormvariate(3, 1)
    slow, share = 1.0 + 0.3 * chance.random(), chance.uniform(0.05, 0.5)
    sigma = chance.choice((0.01, 0.03, 0.06))
    values = []
    for _ in range(length):
        if chance.random() < 0.01:
            level *= chance.uniform(0.95, 1.1)
        value = level * (slow if chance.random() < share else 1.0) * chance.lognormvariate(0, sigma)
        if chance.random() < 0.03:
            value *= 1 + chance.random()
        values.append(float(max(1, round(value))) if whole else value)
    return values


if __name__ == "__main__":
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    common.print_table(__doc__ or "", rows())
