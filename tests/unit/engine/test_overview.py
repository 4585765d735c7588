from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runner.engine.overview import overview
from runner.model.metrics import EXECUTION_TIME
from runner.stores import STORES
from tests.unit.stores.made import START, whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from runner.stores.base import Store


@pytest.fixture(params=list(STORES))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    where = [str(tmp_path / "history.db")] if request.param == "sqlite" else []
    opened: Store = STORES.load(request.param)(*where)
    yield opened
    opened.close()


def fill(store: Store, script: str, walls: list[float], first: int, failed: int = 0) -> None:
    for number, wall in enumerate(walls):
        run = whole(first + number, count=2, script=script)
        run.last.metrics[EXECUTION_TIME.name] = wall
        if number >= len(walls) - failed:
            run.last.exit_code, run.last.error_type = 1, "ValueError"
        store.save(run)


def test_each_script_is_told_with_its_usual_figures(store: Store) -> None:
    fill(store, "a.py", [float(n) for n in range(1, 22)] + [500.0] * 3, 0, failed=3)
    fill(store, "b.py", [100.0] * 30 + [130.0] * 10, 100)
    second, first = overview(store, START - 1)
    assert (first["script"], first["runs"], first["failures"], first["success_rate"]) == ("a.py", 24, 3, 21 / 24)
    assert (first["wall_p50"], first["wall_p95"]) == (11.0, 20.0)  # of those that succeeded
    assert (first["last_status"], first["last_success"]) == ("ValueError", False)
    assert (second["script"], second["trend"], second["last_status"]) == ("b.py", pytest.approx(0.3), "ok")


def test_a_script_or_a_time_narrows_it(store: Store) -> None:
    fill(store, "a.py", [1.0], 0)
    fill(store, "b.py", [2.0], 10)
    assert [row["script"] for row in overview(store, START, "b.py")] == ["b.py"]
    [late] = overview(store, START + 1)
    assert late["script"] == "b.py" and late["trend"] is None
    assert overview(store, START, "c.py") == []
