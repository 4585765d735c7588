from __future__ import annotations

import random
import sqlite3
from typing import TYPE_CHECKING

from benchmarks import generate
from runner.stores.base import RunFilter
from runner.stores.sqlite import SqliteStore

if TYPE_CHECKING:
    from pathlib import Path

RUNS = 400


def dump(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    lines = list(connection.iterdump())
    connection.close()
    return lines


def test_what_is_generated_is_what_the_store_would_have_saved(tmp_path: Path) -> None:
    generate.generate(str(tmp_path / "fast.db"), RUNS, 20)
    rng = random.Random(generate.SEED)
    known = generate.scripts(rng, 20)
    store = SqliteStore(str(tmp_path / "saved.db"))
    store._connection.execute("PRAGMA synchronous = OFF")
    for item in generate.made(RUNS, known, rng):
        assert store.save(generate.run_of(item, known))
    store.close()
    assert dump(tmp_path / "fast.db") == dump(tmp_path / "saved.db")


def test_the_same_arguments_make_the_same_runs_with_all_that_real_ones_have(tmp_path: Path) -> None:
    for name in ("one.db", "other.db"):
        generate.generate(str(tmp_path / name), RUNS, 20, kept=0.05)
    assert dump(tmp_path / "one.db") == dump(tmp_path / "other.db")
    store = SqliteStore(str(tmp_path / "one.db"), create=False)
    found = store.runs(RunFilter(), output=True, samples=True)
    store.close()
    assert len(found) == RUNS
    assert len({run.script_path for run in found}) == 20
    assert 0 < sum(not run.last.success for run in found) < RUNS / 4
    assert sum(run.last.curve is not None for run in found) == 20
    assert any(len(run.attempts) > 1 for run in found)
    assert all(run.started < generate.END for run in found)
