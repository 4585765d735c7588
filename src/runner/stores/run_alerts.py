"""Keeps what became of alerts with the runs they are of: how they leave the store with them, and come back."""

from __future__ import annotations

from runner.agent.events import dumps
from runner.model.portable_parts import ALERT_FIELDS
from runner.stores.rows import bind, number_of, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from runner.model.run import Run

    Ask = Callable[[str, list[Any]], list[Any]]


def read_alerts(ask: Ask, query: str, numbers: Iterable[int]) -> dict[int, list[dict[str, Any]]]:
    """Return what became of the alerts of some runs (`Run.alerts`), by the numbers of those that have any.

    Args:
        ask: Runs a query.
        query: The text of ``list_run_alerts``.
        numbers: Ids of the runs as the store keeps them.
    """
    found: dict[int, list[dict[str, Any]]] = {}
    for number, *values in ask(query, [dumps([*numbers])]):
        alert = dict(zip(ALERT_FIELDS, map(text, values), strict=True))
        alert["during"] = bool(alert["during"])
        found.setdefault(number, []).append(alert)
    return found


def alert_rows(run: Run) -> list[list[Any]]:
    """Return the rows that a run's alerts become (see ``add_run_alert``)."""
    whose = [number_of(run.id), bind(run.script_key), bind(run.name)]
    return [
        [*whose, *(bind(value) if isinstance(value, str) else value for value in map(alert.get, ALERT_FIELDS))]
        for alert in run.alerts
    ]
