"""What every store must do: one suite over all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from runner.agent.events import LOST, TIMEOUT
from runner.model.errors import UsageError
from runner.model.likeness import arguments_shape, host_class
from runner.model.metrics import EXECUTION_TIME, MEMORY_MAX
from runner.model.run import Tail
from runner.stores import STORES
from runner.stores.base import FAILED, OLDEST, SUCCESS, RunFilter
from tests.unit.stores.made import MINUTE, START, attempt_of, run_of, whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from runner.stores.base import Store


#: Nanoseconds.
DAY = 86_400_000_000_000


@pytest.fixture(params=list(STORES))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    where = [str(tmp_path / "history.db")] if request.param == "sqlite" else []
    opened: Store = STORES.load(request.param)(*where)
    yield opened
    opened.close()


def ids(store: Store, **wanted: Any) -> list[str]:
    return [run.id for run in store.runs(RunFilter(**wanted))]


def test_a_run_comes_back_as_it_was(store: Store) -> None:
    run = whole(1, tags={"team": "data", "n": "1"}, extra={"loss": 0.25}, name="training")
    run.last.output["stderr"] = Tail(b"first\n" + b"\xff\x00", b"...last", 1 << 20, 12345)
    run.last.error_type, run.last.error_message = "ValueError", "ValueError: caf\u00e9 \udcff"
    run.args = ["--name", "\udcfe", "", "a b"]
    assert store.save(run) is True
    found = store.get(run.id)
    assert found is not None
    assert found.to_dict() == run.to_dict()
    assert found.script_key == run.script_key
    assert found.total_seconds == run.total_seconds
    tail = found.last.output["stderr"]
    assert (tail.head, tail.tail, tail.size, tail.lines) == (b"first\n\xff\x00", b"...last", 1 << 20, 12345)
    assert found.last.output["stdout"].head == b"hello\n" * 10
    curve = found.last.curve
    assert curve is not None and run.last.curve is not None
    assert curve.samples == 20
    assert [bucket.low for bucket in curve.buckets] == [bucket.low for bucket in run.last.curve.buckets]
    assert curve.mean("memory_bytes") == pytest.approx(run.last.curve.mean("memory_bytes"))


def test_a_run_without_anything_comes_back(store: Store) -> None:
    run = run_of(
        1,
        script="-c",
        args=[],
        host={},
        python=None,
        python_version=None,
        script_hash=None,
        git_commit=None,
        git_dirty=None,
        cwd="",
        user="",
    )
    attempt = attempt_of(run, count=0)
    attempt.metrics = dict.fromkeys(attempt.metrics)
    attempt.kinds, attempt.output, attempt.ended, attempt.reason = {}, {}, None, LOST
    run.attempts = [attempt]
    store.save(run)
    found = store.get(run.id)
    assert found is not None
    assert found.to_dict() == run.to_dict()
    assert found.last.curve is None


def test_figures_that_are_worth_less_say_so_again(store: Store) -> None:
    run = whole(1)
    name = next(iter(run.last.kinds))
    run.last.kinds[name] = "bound"
    store.save(run)
    found = store.get(run.id)
    assert found is not None
    assert found.last.kinds == run.last.kinds


def test_saving_twice_keeps_the_first(store: Store) -> None:
    run, other = whole(1), whole(1)
    other.last.exit_code = 9
    assert [store.save(run), store.save(other)] == [True, False]
    assert store.count(RunFilter()) == 1
    found = store.get(run.id)
    assert found is not None
    assert found.last.exit_code == 0
    assert [store.save(whole(2)), store.count(RunFilter())] == [True, 2]


def test_every_attempt_is_kept(store: Store) -> None:
    run = run_of(1)
    run.attempts = [attempt_of(run, number, count=number) for number in (1, 2, 3)]
    for attempt in run.attempts:
        attempt.started = run.started + attempt.number * MINUTE - MINUTE
        attempt.ended = attempt.started + 1_000_000_123
        attempt.delay = attempt.number - 1.0
    run.attempts[0].reason, run.attempts[0].exit_code = TIMEOUT, 124
    store.save(run)
    assert [shown.to_dict() for shown in store.runs(RunFilter())] == [run.to_dict()]
    found = store.get(run.id)
    assert found is not None
    assert found.to_dict() == run.to_dict()
    assert [len(attempt.curve.buckets) for attempt in found.attempts if attempt.curve] == [1, 2, 3]
    assert [attempt.output["stdout"].size for attempt in found.attempts] == [60, 60, 60]
    curve = store.samples(run.id, 2)
    assert curve is not None
    assert curve.samples == 2
    assert store.samples(run.id, 4) is None
    assert store.stats()["attempts"] == 3


def test_lists_are_light_unless_asked(store: Store) -> None:
    store.save(whole(1))
    light = store.runs(RunFilter())[0]
    assert (light.last.output, light.last.curve) == ({}, None)
    heavy = store.runs(RunFilter(), output=True, samples=True)[0]
    assert heavy.last.output["stdout"].size == 60
    assert heavy.last.curve is not None


def test_what_is_read_is_a_copy(store: Store) -> None:
    store.save(whole(1))
    store.runs(RunFilter())[0].attempts[0].exit_code = 77
    assert store.runs(RunFilter())[0].attempts[0].exit_code == 0


def test_the_beginning_of_an_id_is_enough(store: Store) -> None:
    first, second = whole(1, id="abc123000000"), whole(2, id="abd000000000")
    store.save(first)
    store.save(second)
    found = store.get("abc")
    assert found is not None
    assert found.id == first.id
    with pytest.raises(UsageError, match="ab"):
        store.get("ab")
    assert [store.get("f"), store.get("no hex"), store.get(""), store.get("abc1230000000")] == [None] * 4


def test_order_and_limit(store: Store) -> None:
    runs = [whole(number) for number in (2, 3, 1)]
    for run in runs:
        store.save(run)
    newest = [runs[1].id, runs[0].id, runs[2].id]
    assert ids(store) == newest
    assert ids(store, order=OLDEST) == newest[::-1]
    assert ids(store, limit=2) == newest[:2]
    assert ids(store, limit=0) == []
    assert ids(store, limit=1 << 64) == newest
    assert store.count(RunFilter(limit=1)) == 3


def test_status(store: Store) -> None:
    good, bad, late = whole(1), whole(2), whole(3)
    bad.last.exit_code = 3
    late.last.reason, late.last.exit_code = TIMEOUT, 0
    for run in (good, bad, late):
        store.save(run)
    assert ids(store, status=SUCCESS) == [good.id]
    assert ids(store, status=FAILED) == [late.id, bad.id]
    assert ids(store, status=TIMEOUT) == [late.id]
    assert store.count(RunFilter(status="exited")) == 2


def test_time(store: Store) -> None:
    for number in range(4):
        store.save(whole(number))
    since, until = START + MINUTE, START + 3 * MINUTE
    assert ids(store, since=since, until=until) == [whole(2).id, whole(1).id]
    assert store.count(RunFilter(since=since)) == 3


def test_tags(store: Store) -> None:
    store.save(whole(1, tags={"team": "data", "env": "prod"}))
    store.save(whole(2, tags={"team": "data"}))
    store.save(whole(3))
    assert store.count(RunFilter(tags={"team": "data"})) == 2
    assert ids(store, tags={"team": "data", "env": "prod"}) == [whole(1).id]
    assert ids(store, tags={"team": "dat"}) == []
    store.save(whole(4, tags={"na\udcffme": "\udcfe"}))  # not UTF-8 on the line
    assert ids(store, tags={"na\udcffme": "\udcfe"}) == [whole(4).id]
    assert ids(store, tags={"na\udcffme": "\udcfd"}) == []


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        ("train.py", 2),
        ("jobs/train.py", 2),
        ("./jobs/train.py", 2),
        ("/srv/app/jobs/train.py", 2),
        ("nightly", 1),
        ("rain.py", 0),
        ("other.py", 1),
        ("%.py", 0),
        ("", 3),
    ],
)
def test_a_script_is_found_as_people_name_it(store: Store, wanted: str, count: int) -> None:
    store.save(whole(1))
    store.save(whole(2, name="nightly"))
    store.save(whole(3, script="other.py"))
    assert store.count(RunFilter(script=wanted)) == count
    assert len(store.runs(RunFilter(script=wanted))) == count


def test_a_path_that_leads_to_a_script_means_no_namesake(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = whole(1, script_key=str(tmp_path / "train.py")), whole(2, script_key="/elsewhere/train.py")
    store.save(here)
    store.save(there)
    assert ids(store, script="train.py") == [there.id, here.id]
    monkeypatch.chdir(tmp_path)
    assert ids(store, script="train.py") == [here.id]
    assert ids(store, script="./train.py") == [here.id]
    assert ids(store, script="elsewhere/train.py") == [there.id]
    assert store.count(RunFilter(script="train.py")) == 1
    assert store.count(RunFilter(script="train.py", here=False)) == 2
    assert ids(store, script=str(tmp_path / "train.py"), here=False) == [here.id]


def test_a_name_is_exact(store: Store) -> None:
    store.save(whole(1, name="nightly"))
    assert [store.count(RunFilter(name=name)) for name in ("nightly", "night", "jobs/train.py")] == [1, 0, 0]


def test_scripts_are_listed_once(store: Store) -> None:
    for number in range(3):
        store.save(whole(number))
    store.save(whole(9, script="\udcff.py"))
    assert sorted(store.scripts()) == sorted(
        [("/srv/app/jobs/train.py", "jobs/train.py", ""), ("/srv/app/\udcff.py", "\udcff.py", "")]
    )


def test_old_runs_are_deleted_with_all_that_is_theirs(store: Store) -> None:
    old = run_of(1, script="old.py", tags={"a": "b"})
    old.attempts = [attempt_of(old, number) for number in (1, 2)]
    store.save(old)
    store.save(whole(5))
    assert store.cleanup(START + 5 * MINUTE) == 1
    assert ids(store) == [whole(5).id]
    assert store.samples(old.id, 1) is None
    assert store.get(old.id) is None
    assert [path for _, path, _ in store.scripts()] == ["jobs/train.py"]
    assert store.cleanup(START + 5 * MINUTE) == 0
    # A place that has become free is given to the next run: nothing of the old one may come with it.
    store.cleanup(START + 10 * MINUTE)
    new = whole(20, count=0)
    new.last.output, new.last.curve = {}, None
    store.save(new)
    found = store.get(new.id)
    assert found is not None
    assert (found.last.output, found.last.curve, len(found.attempts)) == ({}, None, 1)


def test_stats(store: Store) -> None:
    assert [store.stats()[key] for key in ("runs", "scripts", "first", "last")] == [0, 0, None, None]
    for number in range(3):
        store.save(whole(number))
    stats = store.stats()
    assert (stats["runs"], stats["attempts"], stats["scripts"]) == (3, 3, 1)
    assert (stats["first"], stats["last"]) == (START, START + 2 * MINUTE)
    assert stats.keys() >= {"path", "bytes", "samples_bytes", "output_bytes"}


def test_circumstances_come_back_with_a_single_run(store: Store) -> None:
    run = whole(1, line=["--timeout", "5", "train.py"], load=1.25, input_bytes=1 << 33)
    run.called_in = "/home/alice"
    run.packages_hash = "0123456789abcdef"
    run.packages, run.variables = {"numpy": "2.0"}, {"LANG": "C"}
    store.save(run)
    found = store.get(run.id)
    assert found is not None
    assert vars(found) | {"attempts": 0} == vars(run) | {"attempts": 0}
    [listed] = store.runs(RunFilter())
    assert (listed.line, listed.load, listed.packages_hash) == (run.line, 1.25, run.packages_hash)
    assert (listed.packages, listed.variables) == ({}, {})


def test_runs_are_found_by_what_makes_them_alike(store: Store) -> None:
    other = {**whole(1).host, "hostname": "small", "cores": 1}
    runs = [whole(1), whole(2, host=other), whole(3, args=["--epochs", "7"]), whole(4, args=["predict"])]
    for run in runs:
        store.save(run)
    shape, kind = arguments_shape(runs[0].args), host_class(runs[0].host)
    assert ids(store, shape=shape, host_class=kind, order=OLDEST) == [runs[0].id, runs[2].id]
    assert ids(store, shape="predict") == [runs[3].id]
    assert ids(store, host="small") == [runs[1].id]
    assert store.count(RunFilter(shape=shape, host_class=kind)) == 2


def test_the_directory_of_the_call_is_that_of_the_script_unless_it_was_another(store: Store) -> None:
    runs = [whole(1, line=["train.py"]), whole(2, line=["train.py"]), whole(3)]
    for run, directory in zip(runs, (runs[0].cwd, "/home/alice", ""), strict=True):
        run.called_in = directory
        store.save(run)
    found = [store.get(run.id) for run in runs]
    assert [run.called_in for run in found if run is not None] == [runs[0].cwd, "/home/alice", ""]


def test_errors_are_counted_by_message(store: Store) -> None:
    messages = ["KeyError: 'a'", "KeyError: 'b'", "KeyError: 'a'", None]
    runs = [whole(number) for number in range(1, 6)]
    for run, message in zip(runs, [*messages, "KeyError: 'a'"], strict=True):
        run.last.exit_code, run.last.error_message = 1, message
        run.last.error_type = "KeyError" if message else "exit:1"
        store.save(run)
    earlier = RunFilter(key=runs[0].script_key, until=runs[4].started)
    found = store.errors(earlier, "KeyError")
    assert sorted(found, key=str) == [
        ("KeyError: 'a'", 2, runs[0].started, runs[2].started), ("KeyError: 'b'", 1, runs[1].started, runs[1].started)
    ]  # fmt: skip
    assert store.errors(earlier, "ValueError") == []
    assert store.errors(RunFilter(key="/srv/app/other.py", until=runs[4].started), "KeyError") == []
    last = RunFilter(key=runs[0].script_key, until=runs[4].started, within=2)
    assert store.errors(last, "KeyError") == [("KeyError: 'a'", 1, runs[2].started, runs[2].started)]


@pytest.mark.parametrize("since", [None, 0, 100 * DAY, 100 * DAY + 1, 101 * DAY - 1, 103 * DAY, 104 * DAY])
@pytest.mark.parametrize("until", [None, 0, 100 * DAY + 1, 101 * DAY, 102 * DAY + 5, 103 * DAY, 104 * DAY + 2])
def test_runs_are_counted_between_moments_within_days_and_over_many(
    store: Store, since: int | None, until: int | None
) -> None:
    starts = [day * DAY + moment for day in (100, 101, 103, 104) for moment in (0, 1, DAY - 1)]
    for number, started in enumerate(starts, 1):
        run = whole(number)
        run.started = run.last.started = started
        store.save(run)
    expected = [start for start in starts if (since or 0) <= start < (until if until is not None else 1 << 62)]
    assert store.count(RunFilter(since=since, until=until, limit=3)) == len(expected)


def test_the_highest_come_first_if_asked_for(store: Store) -> None:
    runs = [whole(number) for number in range(1, 6)]
    for run, peak in zip(runs, (20.5, 90.0, None, 40.0, 20.5), strict=True):
        run.last.metrics[MEMORY_MAX.name] = peak
        store.save(run)
    assert ids(store, order=MEMORY_MAX.name) == [runs[place].id for place in (1, 3, 4, 0, 2)]
    assert set(ids(store, above={MEMORY_MAX.name: 40.0})) == {runs[1].id, runs[3].id}


def test_a_metric_that_there_is_not_is_refused() -> None:
    for wanted in ({"order": "cpu_mx"}, {"above": {"cpu_mx": 1.0}}):
        with pytest.raises(UsageError, match="unknown metric 'cpu_mx', did you mean"):
            RunFilter(**wanted)  # type: ignore[arg-type]


def test_figures_come_without_the_rest(store: Store) -> None:
    for number in range(1, 5):
        run = whole(number)
        run.last.metrics = {MEMORY_MAX.name: 10.0 * number, EXECUTION_TIME.name: None if number == 2 else float(number)}
        store.save(run)
    names = [EXECUTION_TIME.name, MEMORY_MAX.name]
    assert store.figures(RunFilter(limit=3), names) == [(4.0, 40.0), (3.0, 30.0), (None, 20.0)]
    assert store.figures(RunFilter(script="nowhere.py"), names) == []


def test_a_question_can_look_at_the_newest_runs_only(store: Store) -> None:
    runs = [whole(number, args=["predict"] if number < 3 else []) for number in range(1, 7)]
    for run in runs:
        store.save(run)
    key = runs[0].script_key
    assert ids(store, key=key, within=2) == [runs[5].id, runs[4].id]
    assert ids(store, key=key, within=2, until=runs[4].started) == [runs[3].id, runs[2].id]
    assert ids(store, key=key, within=4, shape="predict") == []
    assert ids(store, key=key, within=5, shape="predict") == [runs[1].id]
    assert store.count(RunFilter(key=key, within=100)) == 6
    assert ids(store, key="train.py") == []  # only the exact key


def test_runs_are_found_by_text_in_output_and_error(store: Store) -> None:
    runs = [whole(number) for number in range(1, 6)]
    runs[0].last.output["stderr"] = Tail(b"Caf\xc3\xa9 closed\n", b"", 13, 1)
    runs[1].last.output["stdout"] = Tail(b"one two", b"three four", 17, 0)  # nothing between is missing
    runs[2].last.output["stdout"] = Tail(b"one two", b"three four", 99, 0)
    runs[3].last.error_message = "ValueError: no such Caf\u00e9"
    earlier = attempt_of(runs[4])
    earlier.error_message = "OSError: disk \udcff full"
    runs[4].attempts.insert(0, earlier)
    runs[4].last.number = 2
    for run in runs:
        store.save(run)
    assert ids(store, text="CAF\u00c9") == [runs[3].id, runs[0].id]
    assert ids(store, text="twoThree") == [runs[1].id]
    assert ids(store, text="two", order=OLDEST) == [runs[1].id, runs[2].id]
    assert ids(store, text="disk \udcff full") == [runs[4].id]
    assert ids(store, text="'; DROP TABLE runs; --%") == []
    assert store.count(RunFilter(text="two")) == 2


def test_figures_are_bounded_on_both_sides_and_ordered_both_ways(store: Store) -> None:
    runs = [whole(number) for number in range(1, 6)]
    for run, wall in zip(runs, (5.0, 1.0, None, 3.0, 4.0), strict=True):
        run.last.metrics[EXECUTION_TIME.name] = wall
        store.save(run)
    name = EXECUTION_TIME.name
    assert ids(store, below={name: 4.0}, order=OLDEST) == [runs[1].id, runs[3].id, runs[4].id]
    assert ids(store, above={name: 3.0}, below={name: 4.5}) == [runs[4].id, runs[3].id]
    assert ids(store, order=name, reverse=True) == [runs[place].id for place in (1, 3, 4, 0, 2)]
    assert ids(store, reverse=True) == ids(store, order=OLDEST)
