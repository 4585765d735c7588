"""What was sampled, as a table of its own: a line for each stretch of each attempt."""

from __future__ import annotations

from runner.agent.events import SAMPLE_FIELDS
from runner.model.portable import FLOAT, INT, TEXT, Column
from runner.model.portable_parts import samples_record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from runner.model.portable import Batch
    from runner.model.run import Run

_FIELDS = tuple(name for field in SAMPLE_FIELDS for name in (field, field + "_low", field + "_high"))

COLUMNS: tuple[Column, ...] = (
    Column("run_id", TEXT, "The run."),
    Column("attempt", INT, "Number of the attempt."),
    Column("t", FLOAT, "End of the stretch, in seconds since the start of the attempt."),
    Column("span", FLOAT, "Its length in seconds."),
    *[Column(name, FLOAT, "Mean, lowest and highest over the stretch.") for name in _FIELDS],
)


def samples_batch(runs: Iterable[Run]) -> Batch:
    """Return what was sampled of some runs, in `COLUMNS`."""
    columns: list[list[Any]] = [[] for _ in COLUMNS]
    for run in runs:
        for record in samples_record(run):
            count = len(record["t"])
            columns[0] += [run.id] * count
            columns[1] += [record["attempt"]] * count
            columns[2] += record["t"]
            columns[3] += record["span"]
            for place, name in enumerate(_FIELDS, 4):
                # A stretch of one sample has one value, which is its lowest and its highest too.
                columns[place] += record.get(name) or record[name.removesuffix("_low").removesuffix("_high")]
    return columns  # type: ignore[return-value]
