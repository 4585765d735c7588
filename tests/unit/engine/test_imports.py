"""Taking the runs of files into a record."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from runner import HistoryManager
from runner.cli.output import Screen
from runner.cli.progress import Progress
from runner.engine.imports import import_file
from runner.exporters.records import write_runs
from tests.unit.importers.test_foreign import EARLIER
from tests.unit.stores.made import whole

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", ["runs.csv", "runs.json", "runs.jsonl.gz", "runs.parquet", "runs.db", "earlier.db"])
def test_it_is_told_how_much_of_a_file_is_done(name: str, tmp_path: Path) -> None:
    path = str(tmp_path / name)
    runs = [whole(number) for number in range(500)]
    if name == "earlier.db":
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(EARLIER)
            connection.executemany(
                "INSERT INTO executions (id, script_path, start_time) VALUES (?, 'a.py', '2026-01-01')",
                [(number,) for number in range(100, 600)],
            )
            connection.commit()
    elif name == "runs.db":
        with HistoryManager(path) as theirs:
            theirs.add(runs)
    else:
        format = name.split(".")[1]
        write_runs(path, format, runs, full=format != "csv")
    told: list[tuple[int, str, float]] = []
    with HistoryManager(tmp_path / "history.db") as history:
        import_file(history, path, tell=lambda *args: told.append(args))
    for what in ("runs checked", "runs stored"):
        shares = [share for _, each, share in told if each == what]
        assert shares == sorted(shares) and 0 < shares[0] <= 1 and shares[-1] == pytest.approx(1)
        if name.endswith(("db", "parquet")):  # of a small text everything is read at once
            assert shares[0] < 1


def test_progress_guesses_at_the_rest_where_the_number_of_runs_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    progress = Progress(Screen(), "runs checked")
    monkeypatch.setattr("runner.cli.progress.monotonic", lambda: progress._start + 30)
    assert progress._text(5000, 0.25, progress._start + 30) == "25 %, 1 min 30 s left: 5,000 runs checked"
    progress(5000, "runs stored", 0.25)
    assert progress._text(5000, 0.25, progress._start + 3) == "25 %, 9 s left: 5,000 runs stored"
    assert Progress(Screen(), "runs done", 10)._text(0, 0.0, 0.0) == "0 runs done"


def test_a_program_can_not_save_a_metric_under_a_name_that_no_query_could_show(tmp_path: Path) -> None:
    with HistoryManager(tmp_path / "history.db") as history:
        with pytest.raises(ValueError, match="is no name"):
            history.save_execution("a.py", {"loss\udcff": 1.0})
        history.save_execution("a.py", {"l\u00f6ss": 1.0})
        assert [row["runs"] for row in history.metrics() if row["name"] == "l\u00f6ss"] == [1]
