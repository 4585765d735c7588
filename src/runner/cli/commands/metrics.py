"""``runner metrics``: the catalog of figures."""

from __future__ import annotations

from runner.cli.tables import write_rows
from runner.model.metrics import METRICS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from runner.engine.query_options import QueryOptions

_COLUMNS = ("name", "unit", "kind", "meaning")

_LEGEND = """
exact    the kernel's own accounting
sampled  read now and then: what happened between two readings is not in it
A run says where a figure is worth less than usual: a bound (at least this much) or a ceiling (at most).
"""


def show_metrics(query: QueryOptions, out: TextIO) -> int:
    """List every figure with its unit, how it is known, and what it means."""
    rows = [
        {
            "name": metric.name,
            "unit": metric.unit,
            "type": metric.type.__name__,
            "kind": metric.kind,
            "more_is_worse": metric.more_is_worse,
            "meaning": metric.meaning,
        }
        for metric in METRICS
    ]
    write_rows(out, query.format, _COLUMNS, rows)
    if query.format == "table":
        out.write(_LEGEND)
    return 0
