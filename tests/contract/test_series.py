"""Values of one metric, aggregates and buckets: every store says the same, exactly."""

from __future__ import annotations

import statistics
from math import isclose
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.model.errors import UsageError
from runner.model.metrics import EXECUTION_TIME, PAGE_FAULTS_MINOR
from runner.stores import STORES
from runner.stores.aggregates import FUNCTIONS, QUANTILES
from runner.stores.base import OLDEST, RunFilter
from tests.unit.stores.made import MINUTE, START, run_of, whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from runner.model.run import Run
    from runner.stores.base import Store

WALL, FAULTS = EXECUTION_TIME.name, PAGE_FAULTS_MINOR.name


@pytest.fixture(params=list(STORES))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    where = [str(tmp_path / "history.db")] if request.param == "sqlite" else []
    opened: Store = STORES.load(request.param)(*where)
    yield opened
    opened.close()


def measured(number: int, minute: int = 0, extra: dict[str, float] | None = None, **figures: Any) -> Run:
    run = whole(number, count=0, extra=extra or {})
    run.started = START + minute * MINUTE
    run.last.metrics = dict.fromkeys(run.last.metrics) | figures
    return run


def save(store: Store, values: list[float | int], name: str = WALL) -> None:
    for number, value in enumerate(values):
        store.save(measured(number, number, **{name: value}))


def test_aggregates_are_those_of_the_textbooks(store: Store) -> None:
    values = [3.0, 1.5, 20.0, 7.25, 7.25, 0.125, 11.0]
    save(store, values)
    found = store.aggregate(WALL, RunFilter(), FUNCTIONS)
    percentiles = statistics.quantiles(values, n=100, method="inclusive")
    assert list(found) == list(FUNCTIONS)
    assert found["count"] == 7
    assert (found["min"], found["max"], found["sum"]) == (0.125, 20.0, sum(values))
    assert found["avg"] == pytest.approx(statistics.mean(values), rel=1e-15)
    assert found["stddev"] == pytest.approx(statistics.stdev(values), rel=1e-14)
    for name, share in QUANTILES.items():
        assert found[name] == pytest.approx(percentiles[round(share * 100) - 1], rel=1e-14), name


def test_of_no_values_only_the_count_is_known_and_one_value_does_not_deviate(store: Store) -> None:
    assert store.aggregate(WALL, RunFilter(), FUNCTIONS) == {**dict.fromkeys(FUNCTIONS), "count": 0}
    save(store, [4.5])
    found = store.aggregate(WALL, RunFilter(), FUNCTIONS)
    assert found == {**dict.fromkeys(FUNCTIONS, 4.5), "count": 1, "stddev": None}


def test_a_sum_of_whole_numbers_is_whole(store: Store) -> None:
    save(store, [1, 2, 39], FAULTS)
    found = store.aggregate(FAULTS, RunFilter(), ["sum", "min", "avg"])
    assert [(value, type(value)) for value in found.values()] == [(42, int), (1, int), (14.0, float)]


def test_runs_without_the_metric_do_not_count(store: Store) -> None:
    store.save(measured(1, 1, **{WALL: 2.0}))
    store.save(measured(2, 2))
    assert store.aggregate(WALL, RunFilter(), ["count", "avg"]) == {"count": 1, "avg": 2.0}
    assert [point[1] for point in store.series(WALL, RunFilter())] == [2.0]


def test_points_come_with_run_and_script_in_the_order_asked_for(store: Store) -> None:
    runs = [measured(number, number, **{WALL: float(number)}) for number in range(4)]
    for run in runs:
        store.save(run)
    expected = [(run.started, float(number), run.id, "train.py") for number, run in enumerate(runs)]
    assert store.series(WALL, RunFilter(order=OLDEST)) == expected
    assert store.series(WALL, RunFilter(limit=2)) == expected[:1:-1]
    assert store.series(WALL, RunFilter(limit=1 << 80)) == expected[::-1]


def test_a_limit_does_not_touch_what_is_aggregated(store: Store) -> None:
    save(store, [1.0, 2.0, 3.0])
    assert store.aggregate(WALL, RunFilter(limit=1), ["count"]) == {"count": 3}


def test_a_filter_narrows_everything(store: Store) -> None:
    save(store, [1.0, 2.0, 3.0])
    other = run_of(9, script="other.py")
    other.attempts = [measured(9, **{WALL: 9.0}).last]
    store.save(other)
    assert store.aggregate(WALL, RunFilter(script="train.py", since=START + MINUTE), ["sum"]) == {"sum": 5.0}
    assert store.span(RunFilter(script="train.py")) == (START, START + 2 * MINUTE)
    assert store.span(RunFilter(script="nowhere.py")) is None
    edges = [START, START + 10 * MINUTE]
    assert store.buckets(WALL, RunFilter(script="other.py"), ["max"], edges) == [{"max": 9.0}]


def test_buckets_begin_at_their_edge_and_end_before_the_next(store: Store) -> None:
    save(store, [1.0, 2.0, 3.0, 4.0])
    edges = [START - MINUTE, START, START + MINUTE, START + 3 * MINUTE, START + 3 * MINUTE + 1]
    found = store.buckets(WALL, RunFilter(), ["count", "sum", "median"], edges)
    assert found == [
        {"count": 0, "sum": None, "median": None},
        {"count": 1, "sum": 1.0, "median": 1.0},
        {"count": 2, "sum": 5.0, "median": 2.5},
        {"count": 1, "sum": 4.0, "median": 4.0},
    ]
    assert store.buckets(WALL, RunFilter(), ["avg"], edges)[2] == {"avg": 2.5}


def test_metrics_of_other_names_are_asked_like_those_of_the_catalog(store: Store) -> None:
    for place, name in enumerate(("loss", 'a"b $.c', "größe \N{SNOWMAN}")):
        for number, value in enumerate((0.5, 0.25)):
            run = measured(number, number, extra={name: value, "other": 9.0})
            run.id = f"{place:06x}{number:06x}"
            store.save(run)
        assert store.aggregate(name, RunFilter(), ["count", "min", "p50"]) == {"count": 2, "min": 0.25, "p50": 0.375}
        assert [point[1] for point in store.series(name, RunFilter())] == [0.25, 0.5]
        buckets = store.buckets(name, RunFilter(), ["max", "stddev"], [START, START + MINUTE, START + 9 * MINUTE])
        assert buckets == [{"max": 0.5, "stddev": None}, {"max": 0.25, "stddev": None}]


def test_a_function_that_there_is_not_is_refused(store: Store) -> None:
    with pytest.raises(UsageError, match=r"no aggregation 'p96' .*did you mean 'p9"):
        store.aggregate(WALL, RunFilter(), ["p96"])
    with pytest.raises(UsageError, match="no aggregation 'mean'"):
        store.buckets(WALL, RunFilter(), ["mean"], [1, 2])


def presence(store: Store) -> dict[str, tuple[int, int, int]]:
    return {entry.name: (entry.runs, entry.first, entry.last) for entry in store.presence()}


def test_how_many_runs_have_a_metric_is_known_even_after_some_are_deleted(store: Store) -> None:
    assert presence(store) == {}
    day = 24 * 60
    store.save(measured(1, 0, {"loss": 1.0}, **{WALL: 1.0}))
    store.save(measured(2, day, **{WALL: 1.0, FAULTS: 3}))
    store.save(measured(3, day + 5, {"loss": 1.0, "5": 2.0}, **{FAULTS: 3}))
    store.save(measured(3, day + 9))  # the same run again
    first, second, third = START, START + day * MINUTE, START + (day + 5) * MINUTE
    assert presence(store) == {
        WALL: (2, first, second), FAULTS: (2, second, third), "5": (1, third, third), "loss": (2, first, third),
    }  # fmt: skip
    assert list(presence(store)) == [WALL, FAULTS, "5", "loss"]
    assert store.cleanup(second) == 1
    assert presence(store) == {
        WALL: (1, second, second), FAULTS: (2, second, third), "5": (1, third, third), "loss": (1, third, third),
    }  # fmt: skip


VALUES = st.one_of(st.none(), st.floats(-1e9, 1e9, allow_subnormal=False), st.integers(-1000, 1000).map(float))


@settings(max_examples=60, deadline=None)
@given(
    data=st.lists(st.tuples(st.integers(0, 200), VALUES, st.booleans()), max_size=30),
    cuts=st.lists(st.integers(0, 200), min_size=2, max_size=6, unique=True),
)
def test_stores_agree_on_whatever_there_is(
    tmp_path_factory: pytest.TempPathFactory, data: list[tuple[int, float | None, bool]], cuts: list[int]
) -> None:
    path = tmp_path_factory.mktemp("agree") / "history.db"
    stores: list[Store] = [STORES.load("sqlite")(str(path)), STORES.load("memory")()]
    edges = [START + cut * MINUTE for cut in sorted(cuts)]
    for each in stores:
        if hasattr(each, "_connection"):
            each._connection.execute("PRAGMA synchronous = OFF")
        for number, (minute, value, extra) in enumerate(data):
            run = measured(number, minute, {"x": value} if extra and value is not None else {}, **{WALL: value})
            run.id = f"{number:012x}"
            each.save(run)
    sql, memory = stores
    for name in (WALL, "x"):
        wanted = RunFilter(order=OLDEST)
        assert sorted(sql.series(name, wanted)) == sorted(memory.series(name, wanted))
        same(sql.aggregate(name, wanted, FUNCTIONS), memory.aggregate(name, wanted, FUNCTIONS))
        for functions in (FUNCTIONS, ("count", "avg")):
            for one, other in zip(
                sql.buckets(name, wanted, functions, edges), memory.buckets(name, wanted, functions, edges), strict=True
            ):
                same(one, other)
    assert presence(sql) == presence(memory)
    assert sql.span(RunFilter()) == memory.span(RunFilter())
    for each in stores:
        each.close()


def same(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Whether two stores computed the same, but for the order in which they added up."""
    assert list(one) == list(other)
    for name, value in one.items():
        if name in ("avg", "sum", "stddev") and value is not None:
            assert isclose(value, other[name], rel_tol=1e-9, abs_tol=1e-4), (name, one, other)
        else:
            assert value == other[name], (name, one, other)
