"""Values of one metric over many runs: points, aggregates and buckets, computed by SQLite."""

from __future__ import annotations

from itertools import pairwise

from runner.agent.events import dumps
from runner.model.metrics import BY_NAME
from runner.model.run import label_of
from runner.stores import rows
from runner.stores.aggregates import (
    AVG,
    COUNT,
    MAX,
    MIN,
    QUANTILES,
    STDDEV,
    SUM,
    Presence,
    between,
    check_functions,
    deviation,
    neighbours,
    select,
)
from runner.stores.base import OLDEST
from runner.stores.database import read_queries

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from runner.model.metric import Value
    from runner.stores.aggregates import Point
    from runner.stores.base import RunFilter

    Where = tuple[str, list[Any]]

_DAY = 86_400_000_000_000
#: The largest number that SQLite knows.
_LARGEST = (1 << 63) - 1
#: Whole numbers up to here are exact in the floating point that SQLite sums in.
_EXACT = 1 << 53


class Series:
    """Answers about the values of metrics.

    Args:
        ask: Puts a question to the database and returns the rows.
        where: Turns a filter into a condition on ``runs r`` and its values.
    """

    def __init__(self, ask: Callable[..., list[Any]], where: Callable[[RunFilter], Where]) -> None:
        self._ask = ask
        self._where = where
        self._queries = read_queries("series")

    def points(self, metric: str, wanted: RunFilter) -> list[Point]:
        """Return the values of the runs meant (see `Store.series`)."""
        value, values, where = self._parts(metric, wanted)
        direction = "ASC" if wanted.order == OLDEST else "DESC"
        query = self._query("list_points", value, where) + f" ORDER BY started {direction}, seq {direction}"
        if wanted.limit is not None:
            query += " LIMIT ?"
            values = [*values, min(wanted.limit, _LARGEST)]
        found = self._ask(query, values)
        return [
            (started, v, f"{number:012x}", label_of(rows.text(name), rows.text(path)))
            for started, v, number, name, path in found
        ]

    def aggregate(self, metric: str, wanted: RunFilter, functions: Sequence[str]) -> dict[str, Value]:
        """Return aggregates over the runs meant (see `Store.aggregate`)."""
        check_functions(functions)
        value, values, where = self._parts(metric, wanted)
        quantiles = [name for name in functions if name in QUANTILES]
        if not quantiles and STDDEV not in functions:
            return select(_basic(metric, *self._ask(self._query("summarize", value, where), values)[0]), functions)
        # The values are taken once, so that all that is computed is of the same runs, whatever is stored meanwhile.
        for query in ("make_values", "clear_values"):
            self._ask(self._queries[query])
        order = "ORDER BY v" if quantiles else ""
        self._ask(self._query("take_values", value, where).replace("{order}", order), values)
        count, *rest = self._ask(self._queries["summarize_values"])[0]
        known = _basic(metric, count, *rest)
        if STDDEV in functions and count:
            known[STDDEV] = deviation(count, self._ask(self._queries["spread_values"], [known[AVG]])[0][0])
        if quantiles and count:
            places = sorted({place for name in quantiles for place in neighbours(count, QUANTILES[name])})
            found = dict(self._ask(self._queries["pick_values"], [dumps(places)]))
            for name in quantiles:
                low, high = neighbours(count, QUANTILES[name])
                known[name] = between(count, QUANTILES[name], found[low], found[high])
        self._ask(self._queries["clear_values"])
        return select(known, functions)

    def buckets(
        self, metric: str, wanted: RunFilter, functions: Sequence[str], edges: Sequence[int]
    ) -> list[dict[str, Value]]:
        """Return aggregates of each bucket between two edges (see `Store.buckets`)."""
        check_functions(functions)
        value, values, where = self._parts(metric, wanted)
        own = value.count("?")  # the value's parameter stands before the buckets, the filter's behind
        values = [*values[:own], dumps([[*pair] for pair in pairwise(edges)]), *values[own:]]
        quantiles = [name for name in functions if name in QUANTILES]
        if not quantiles and STDDEV not in functions:
            query = self._query("summarize_buckets", value, where)
        else:
            columns = ", ".join(_neighbours(QUANTILES[name]) for name in quantiles) or "NULL"
            query = self._query("rank_buckets", value, where).replace("{neighbours}", columns)
        result = [select({COUNT: 0}, functions) for _ in edges[1:]]
        for bucket, count, *rest in self._ask(query, values):
            known = _basic(metric, count, *rest[:4])
            if len(rest) > 4:
                known[STDDEV] = deviation(count, rest[4])
                for place, name in enumerate(quantiles):
                    known[name] = between(count, QUANTILES[name], *rest[5 + 2 * place : 7 + 2 * place])
            result[bucket] = select(known, functions)
        return result

    def span(self, wanted: RunFilter) -> tuple[int, int] | None:
        """Return the first and the last start of the runs meant (see `Store.span`)."""
        where, values = self._where(wanted)
        first = self._ask(self._query("first_start", "", where), values)
        last = self._ask(self._query("last_start", "", where), values)
        return (first[0][0], last[0][0]) if first and last else None

    def presence(self) -> list[Presence]:
        """Return how many runs have each metric (see `Store.presence`)."""
        counted: dict[str, tuple[int, int, int]] = {}
        for what, count, first, last in self._ask(self._queries["list_presence"]):
            for name in [what] if isinstance(what, str) else _names(what):
                before = counted.get(name, (0, first, last))
                counted[name] = (before[0] + count, min(before[1], first), max(before[2], last))
        order = [name for name in BY_NAME if name in counted] + sorted(name for name in counted if name not in BY_NAME)
        result = []
        for name in order:
            runs, *days = counted[name]
            moments = self._moments(name, *days)
            if moments is not None:
                result.append(Presence(name, runs, *moments))
        return result

    def presence_of(self, wanted: RunFilter) -> list[Presence]:
        """Return how many of the runs meant have each metric."""
        where, values = self._where(wanted)
        each = "count({0}), min(iif({0} IS NULL, NULL, r.started)), max(iif({0} IS NULL, NULL, r.started))"
        columns = ", ".join(each.format(f"r.{name}") for name in BY_NAME)
        [found] = self._ask(self._query("list_presence_of", "", where).replace("{columns}", columns), values)
        result = [Presence(name, *found[3 * at : 3 * at + 3]) for at, name in enumerate(BY_NAME) if found[3 * at]]
        others = self._ask(self._query("list_others_of", "", where), values)
        return result + [Presence(*row) for row in others if row[0] not in BY_NAME]

    def _moments(self, metric: str, first: int, last: int) -> tuple[int, int] | None:
        """Return the first and the last start of runs with a metric, of which only the days are known.

        None where the last of these runs has just been deleted.
        """
        value, values = _value(metric)
        known = f"{value} IS NOT NULL"
        early = self._query("first_start", "", f"r.started >= {first * _DAY} AND {known}")
        late = self._query("last_start", "", f"r.started < {(last + 1) * _DAY} AND {known}")
        found = self._ask(early, values), self._ask(late, values)
        return (found[0][0][0], found[1][0][0]) if all(found) else None

    def _parts(self, metric: str, wanted: RunFilter) -> tuple[str, list[Any], str]:
        value, values = _value(metric)
        where, more = self._where(wanted)
        return value, [*values, *more], where

    def _query(self, name: str, value: str, where: str) -> str:
        return self._queries[name].replace("{value}", value).replace("{where}", where)


def _value(metric: str) -> tuple[str, list[Any]]:
    if metric in BY_NAME:
        return f"r.{metric}", []
    return "(SELECT value FROM json_each(r.extra) WHERE key = ?)", [rows.bind(metric)]


def _names(pattern: int) -> list[str]:
    return [name for bit, name in enumerate(rows.METRIC_COLUMNS) if pattern >> bit & 1]


def _basic(metric: str, count: int, low: Value, high: Value, mean: Value, total: float) -> dict[str, Value]:
    if not count:
        return {COUNT: 0}
    whole = metric in BY_NAME and BY_NAME[metric].type is int and abs(total) <= _EXACT
    return {COUNT: count, MIN: low, MAX: high, AVG: mean, SUM: int(total) if whole else total}


def _neighbours(share: float) -> str:
    """Return the columns that find what `neighbours` says where a query ranks the values of each bucket."""
    low = f"CAST((n - 1) * {share} AS INTEGER)"
    return f"max(CASE WHEN i = {low} THEN v END), max(CASE WHEN i = min({low} + 1, n - 1) THEN v END)"
