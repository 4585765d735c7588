"""What the record answers to a condition, and the facts that it is judged by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from runner.agent.events import CANCELLED, EXITED, Ended
from runner.engine.condition_facts import live_facts, run_facts
from runner.engine.history import HistoryManager
from runner.engine.resolver import RecordResolver
from runner.engine.usual import compare_with_usual
from runner.model.fold import Fold
from runner.model.metrics import CPU_MAX, EXECUTION_TIME, MEMORY_MAX, SURVIVORS
from runner.model.run import Attempt, Run, Tail
from runner.policy.conditions import compile_condition
from runner.policy.conditions_names import DURING, NAMES, TAGS, Fact
from runner.stores.memory import MemoryStore
from tests.unit.stores.made import HOST, MINUTE, run_of, samples, started

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from runner.stores.base import Store


def done(number: int, wall: float = 10.0, code: int = 0, reason: str = EXITED, **facts: Any) -> Run:
    run = run_of(number, **{"name": "train.py", **facts})
    attempt = Attempt(1, run.started)
    attempt.ended = run.started + int(wall * 1e9)
    attempt.reason, attempt.exit_code = reason, code
    attempt.metrics = {EXECUTION_TIME.name: wall, MEMORY_MAX.name: 100.0 + number, CPU_MAX.name: None}
    run.attempts = [attempt]
    return run


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "memory":
        yield MemoryStore()
        return
    from runner.stores.sqlite import SqliteStore

    opened = SqliteStore(str(tmp_path / "history.db"))
    yield opened
    opened.close()


def judged(store: Store, run: Run, text: str) -> bool | None:
    return compile_condition(text).judge(run_facts(run), RecordResolver.of_store(store, run)).fired


def test_baseline_and_quantiles_are_of_comparable_runs_before_this_one(store: Store) -> None:
    for number in range(1, 11):
        store.save(done(number))  # memory 101 to 110 MB
    store.save(done(11, code=1))
    store.save(done(12, args=["--all"]))
    store.save(done(13, host={**HOST, "cores": 1}))
    store.save(done(14, name="weekly"))
    run = done(15)
    store.save(run)
    store.save(done(16, wall=99.0))
    resolver = RecordResolver.of_store(store, run)
    assert resolver.baseline(MEMORY_MAX.name) == 105.5
    assert resolver.aggregate("max", MEMORY_MAX.name, 86400.0) == 110.0
    assert resolver.aggregate("p50", MEMORY_MAX.name, 86400.0) == 105.5
    # Within ten and a half minutes before minute 15 began five of them: minutes 5 to 10 are six.
    assert resolver.aggregate("min", MEMORY_MAX.name, 10.5 * 60) == 105.0
    assert resolver.aggregate("min", MEMORY_MAX.name, 5.5 * 60) is None, "of one run nothing is said"
    assert resolver.baseline(CPU_MAX.name) is None, "it was measured in none"


def test_what_is_usual(store: Store) -> None:
    for number in range(1, 4):
        store.save(done(number))
    assert judged(store, done(20, wall=99.0), "slower_than_usual") is None, "three runs are too few"
    for number in range(4, 11):
        store.save(done(number))
    assert judged(store, done(20, wall=99.0), "slower_than_usual") is True
    assert judged(store, done(20, wall=10.1), "slower_than_usual or faster_than_usual") is False
    assert judged(store, done(20, wall=1.0), "faster_than_usual") is True
    assert judged(store, done(20, wall=1.0, code=1), "faster_than_usual") is None, "it failed early"
    assert judged(store, done(500), f"higher_than_usual({MEMORY_MAX.name})") is True
    nameless = done(20, wall=99.0, script_key="-c", name="-c")
    assert judged(store, nameless, f"slower_than_usual or baseline({MEMORY_MAX.name}) > p95({MEMORY_MAX.name})") is None


def test_what_the_summary_has_asked_already_is_not_asked_again(store: Store) -> None:
    for number in range(1, 11):
        store.save(done(number))
    run = done(20, wall=99.0)
    run.usual = compare_with_usual(store, run)

    def never(question: object) -> object:
        raise AssertionError("the record was asked")

    resolver = RecordResolver(never, run)
    assert resolver.baseline(EXECUTION_TIME.name) == 10.0
    assert resolver.usual(EXECUTION_TIME.name) == "higher"


def test_each_question_is_asked_once(store: Store) -> None:
    for number in range(1, 11):
        store.save(done(number))
    asked = []

    def ask(question: Any) -> Any:
        asked.append(question)
        return question(store)

    run = done(20)
    resolver = RecordResolver(ask, run)
    condition = compile_condition(
        f"baseline({MEMORY_MAX.name}) > 1 and p95({MEMORY_MAX.name}) > 1 and failures_in_a_row == 0 and not recovered"
    )
    for _ in range(3):
        assert condition.evaluate(run_facts(run), resolver)
    assert len(asked) == 3


def test_failures_in_a_row_and_recovery(store: Store) -> None:
    codes = [0, 1, 1, 0, 1, 1, 1]
    for number, code in enumerate(codes, 1):
        store.save(done(number, code=code))
    assert judged(store, done(8, code=1), "failures_in_a_row == 4") is True
    assert judged(store, done(8), "failures_in_a_row == 0 and recovered") is True
    assert judged(store, done(8, code=1), "recovered") is False
    assert judged(store, done(8, reason=CANCELLED, code=130), "failures_in_a_row == 0 and not recovered") is True
    assert judged(store, done(8, args=["--all"], code=1), "failures_in_a_row == 1") is True, "other arguments"
    assert judged(store, done(8, host={**HOST, "hostname": "other", "cores": 1}, code=1), "failures_in_a_row == 4")
    store.save(done(8, reason=CANCELLED, code=130))
    assert judged(store, done(9, code=1), "failures_in_a_row == 4") is True, "a run that was cancelled does not count"
    assert judged(store, done(9), "recovered") is True
    store.save(done(9))
    assert judged(store, done(10), "recovered") is False
    assert judged(store, done(10, code=1), "failures_in_a_row == 1") is True


def test_of_a_script_that_never_succeeded_all_failures_count(store: Store) -> None:
    for number in range(1, 6):
        store.save(done(number, code=2))
    assert judged(store, done(6, code=2), "failures_in_a_row == 6") is True


def test_runs_and_failures_of_a_period(store: Store) -> None:
    for number in range(1, 9):
        store.save(done(number, code=number % 2))
    run = done(9, code=1)
    store.save(run)
    assert judged(store, run, "runs(1d) == 9 and failures(1d) == 5") is True
    # From minute 7 on: 7 and 9 failed, 8 did not.
    assert judged(store, run, "runs(2m) == 3 and failures(2m) == 2 and failures(2m) / runs(2m) > 60%") is True
    assert judged(store, done(9), "runs(2m) == 3 and failures(2m) == 1") is True
    assert judged(store, run, "runs(99999w) == 9") is True, "a period may begin before the epoch"


def test_first_and_changed(store: Store) -> None:
    first = done(1)
    assert judged(store, first, "first_run") is True
    assert judged(store, first, "changed(script_hash)") is None, "there is none to compare with"
    store.save(first)
    assert judged(store, first, "first_run") is True, "it is in the record itself"
    same = done(2)
    assert judged(store, same, "first_run or changed(script_hash) or changed(git_commit) or changed(host)") is False
    assert judged(store, done(2, script_hash="0" * 64), "changed(script_hash)") is True
    assert judged(store, done(2, host={**HOST, "hostname": "other"}), "changed(host)") is True
    assert judged(store, done(2, python_version="3.12.0"), "changed(python_version)") is True
    assert judged(store, done(2, git_commit=None), "changed(git_commit)") is None
    assert judged(store, done(2), "changed(packages)") is None, "packages were not known"
    first.packages_hash = "x"
    assert judged(store, done(3, args=["--all"]), "changed(script_hash)") is None, "other arguments, other work"


def test_metrics_that_a_program_saved(store: Store) -> None:
    names = {**NAMES, "loss": Fact("loss", "a number", "", metric=True)}
    for number in range(1, 11):
        store.save(done(number, extra={"loss": 0.1}))
    run = done(11, extra={"loss": 0.5})
    condition = compile_condition("loss > p95(loss) * 2 and loss > baseline(loss)", names)
    assert condition.evaluate(run_facts(run), RecordResolver.of_store(store, run))


def test_without_a_database_nothing_is_known_of_earlier_runs(tmp_path: Path) -> None:
    with HistoryManager(tmp_path / "none.db") as history:
        resolver = RecordResolver.of_history(history, done(1, code=1))
        assert resolver.baseline(MEMORY_MAX.name) is None
        assert resolver.aggregate("p95", MEMORY_MAX.name, 86400) is None
        assert resolver.usual(MEMORY_MAX.name) == "unknown"
        assert resolver.failures_in_a_row() is None and resolver.first_run() is None
        assert resolver.count(86400, failed=True) is None and resolver.changed("host") is None
    assert not (tmp_path / "none.db").exists()


def test_the_facts_of_a_run_have_the_names_that_conditions_use() -> None:
    run = done(1, code=3, tags={"env": "prod"}, load=0.5, input_bytes=7)
    run.last.output["stdout"] = Tail(b"well", size=4, lines=1)
    facts = run_facts(run, output=True)
    named = {name for name, entry in NAMES.items() if isinstance(entry, Fact) and not entry.metric}
    assert {name for name in facts if not name.startswith(TAGS) and name not in run.last.metrics} == (
        named - {"failed", "status", "stderr"}
    )
    assert compile_condition(
        'failed and status == "failed" and exit_code == 3 and tags.env == "prod" and stdout contains "well" and '
        f'host == "{HOST["hostname"]}" and name == "train.py" and user == "alice" and arguments == "--epochs 100" and '
        "load == 0.5 and input_bytes == 7B and attempts == 1 and total_seconds == 10s and signal == 0 and "
        'hour >= 0 and weekday == "saturday" and script == "jobs/train.py" and error_type == "" and stderr == ""'
    ).evaluate(facts)
    assert "stdout" not in run_facts(run)


def test_the_facts_of_a_run_that_lasts() -> None:
    run = run_of(1, name="train.py")
    run.attempts = [Attempt(1, run.started - MINUTE)]
    fold = Fold(2)
    fold.tell(started(run))
    for sample in samples(1, 30):
        fold.tell(sample)
    t = 1000.0
    facts = live_facts(run, fold, t)
    told = {name for name, value in facts.items() if value is not None} - {SURVIVORS.name}
    metrics = {name for name, entry in DURING.items() if isinstance(entry, Fact) and entry.metric}
    assert told & NAMES.keys() <= DURING.keys() | {"python_version"}
    # These samples lack what was written, and there was no output.
    assert metrics - {name for name in metrics if name.startswith(("stdout", "stderr", "block_io_write"))} <= told
    assert facts[EXECUTION_TIME.name] == t and facts["total_seconds"] == t and facts["attempts"] == 2
    later = live_facts(run, fold, t + 1)
    assert later[EXECUTION_TIME.name] == t + 1
    fold.tell(Ended(t + 2, EXITED, 0))
    assert fold.attempt.metrics[MEMORY_MAX.name] == later[MEMORY_MAX.name]


def test_a_run_that_lasts_is_slower_than_usual_as_soon_as_it_is(store: Store) -> None:
    for number in range(1, 11):
        store.save(done(number))
    run = run_of(20, name="train.py")
    resolver = RecordResolver.of_store(store, run, {EXECUTION_TIME.name: 5.0})
    condition = compile_condition("slower_than_usual and runs(1d) == 11 and not first_run", DURING)
    assert not condition.evaluate({}, resolver)
    resolver.figures = {EXECUTION_TIME.name: 60.0}
    assert condition.evaluate({}, resolver)
