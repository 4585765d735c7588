"""A page of the record is found by an index, whatever is asked for: a long export reads each run once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from runner.stores.base import FAILED, RunFilter
from runner.stores.sqlite import SqliteStore
from tests.unit.stores.made import START, whole

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("wanted", [
    RunFilter(), RunFilter(script="a.py"), RunFilter(script="train.py"), RunFilter(since=START, until=START + 1),
    RunFilter(status=FAILED), RunFilter(script="train.py", status="timeout", tags={"a": "b"}),
], ids=["all", "one script", "several", "time", "status", "everything"])  # fmt: skip
@pytest.mark.parametrize("query", ["scan_runs", "list_runs"])
def test_pages_are_found_by_an_index_and_sorted_by_none(tmp_path: Path, wanted: RunFilter, query: str) -> None:
    store = SqliteStore(str(tmp_path / "history.db"))
    store.add([whole(0, script="a.py"), *(whole(number, script=f"{number}/train.py") for number in range(1, 4))])
    plans: list[str] = []
    ask = store._ask

    def spy(query: str, values: Any = ()) -> list[Any]:
        if "ORDER BY r.started" in query:
            plans.extend(row[3] for row in store._connection.execute("EXPLAIN QUERY PLAN " + query, values))
        return ask(query, values)

    store._ask = spy  # type: ignore[method-assign]
    list(store._pages(query, wanted, 2))
    assert plans
    assert not [step for step in plans if step.startswith("SCAN r") or "TEMP B-TREE" in step], plans
    store.close()
