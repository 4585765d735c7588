"""What every format of records must do, over every store: give back the runs that went in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.exporters.records import CSV, FLAT, PARQUET, WRITERS, write_runs
from runner.importers import read_runs
from runner.importers.base import BadFileError
from runner.model.metrics import BY_NAME, PAGE_FAULTS_MINOR
from runner.model.portable import COLUMNS, INDEX, batch_of
from runner.model.run import Tail
from runner.stores import STORES
from runner.stores.base import FAILED, RunFilter
from tests.unit.stores.made import MINUTE, attempt_of, whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from runner.model.run import Run
    from runner.stores.base import Store

FORMATS = list(WRITERS)


@pytest.fixture(params=list(STORES))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    where = [str(tmp_path / "history.db")] if request.param == "sqlite" else []
    opened: Store = STORES.load(request.param)(*where)
    yield opened
    opened.close()


def varied() -> list[Run]:
    """Return runs with all there can be, and with next to nothing."""
    rich = whole(1, tags={"team": "=data", "n": "é"}, extra={"loss": 0.25}, name="-training")
    rich.args = ["--name", "\udcfe", "", "a\nb", '"'] * 100  # long enough to be kept compressed
    rich.line, rich.called_in = ["--timeout", "5", *rich.args], "/home/\udcff"
    rich.load, rich.input_bytes = 1.25, 1 << 40
    rich.packages_hash, rich.packages, rich.variables = "0123456789abcdef", {"numpy": "2.0"}, {"LANG": "C"}
    rich.last.output["stderr"] = Tail(b"first\n\xff\x00", b"\xe9nd", 1 << 20, 12345)
    rich.last.output["stderr"].moments.add(0, 0.25)
    rich.last.output["stderr"].moments.add(17, 1.5)
    rich.last.error_type, rich.last.error_message = "ValueError", "=1+1\r\n\udcff \x00,"
    rich.last.reason, rich.last.exit_code, rich.last.signal = "signaled", None, 9
    rich.last.kinds[PAGE_FAULTS_MINOR.name] = "bound"
    retried = whole(2)
    retried.attempts = [attempt_of(retried, 1), attempt_of(retried, 2)]
    retried.attempts[0].reason, retried.attempts[0].exit_code = "exited", 3
    retried.attempts[0].error_type = "\udcff"
    retried.attempts[1].started += MINUTE
    retried.attempts[1].delay = 0.5
    retried.alerts = [
        {"time": 1_769_860_800_123_456_789, "rule": "hot", "severity": "CRITICAL", "condition": "cpu_max > 90%",
         "outcome": "told", "during": True, "text": "=\udcff, \"91 %\""},
        {"time": 1_769_860_801_000_000_000, "rule": "late", "severity": "INFO", "condition": "failed",
         "outcome": "muted", "during": False, "text": ""},
    ]  # fmt: skip
    strange = whole(3, script="\udcff=a/'b.py", cwd="/srv/\udce9", user="'=x", script_hash=None, git_commit=None)
    strange.git_dirty = strange.python = None
    strange.last.metrics = {**dict.fromkeys(BY_NAME), PAGE_FAULTS_MINOR.name: 1.5}  # counted elsewhere, as an average
    strange.last.kinds, strange.last.ended, strange.host = {PAGE_FAULTS_MINOR.name: "exact"}, None, {}
    folded = whole(4, count=6000)  # more than a curve keeps one by one
    return [rich, retried, strange, folded]


def saved(store: Store, runs: list[Run]) -> list[Run]:
    assert store.add(runs) == [run.id for run in runs]
    return [run for page in store.scan(RunFilter(), output=True, samples=True) for run in page]


def facts(value: Any) -> Any:
    """Return everything that something holds, whether a record has a column for it or not."""
    if isinstance(value, (list, tuple)):
        return [*map(facts, value)]
    if isinstance(value, dict):
        return {key: facts(item) for key, item in value.items()}
    names = [*getattr(value, "__slots__", ()), *getattr(value, "__dict__", ())]
    return {name: facts(getattr(value, name)) for name in names} if names else value


@pytest.mark.parametrize("format", [name for name in FORMATS if name != CSV])
def test_a_complete_export_restores_every_run_exactly(format: str, tmp_path: Path) -> None:
    store, other = (STORES.load("sqlite")(str(tmp_path / name)) for name in ("one.db", "other.db"))
    runs = saved(store, varied())
    path = str(tmp_path / f"runs.{format}")
    written = write_runs(path, format, runs)
    assert (written.runs, written.size) == (len(runs), (tmp_path / f"runs.{format}").stat().st_size)
    back = list(read_runs(path))
    assert batch_of(back) == batch_of(runs)
    assert [facts(run) for run in back] == [facts(run) for run in runs]
    assert other.add(back) == [run.id for run in runs]
    assert [facts(other.get(run.id)) for run in runs] == [facts(store.get(run.id)) for run in runs]
    assert batch_of([other.get(run.id) for run in runs]) == batch_of([store.get(run.id) for run in runs])
    other.close()
    store.close()


@pytest.mark.parametrize("format", FORMATS)
def test_without_samples_and_output_all_else_comes_back(store: Store, format: str, tmp_path: Path) -> None:
    runs = saved(store, varied())
    path = str(tmp_path / "runs")
    write_runs(path, format, runs, full=False)
    back = list(read_runs(path))
    for run in runs:
        run.packages, run.variables, run.called_in = {}, {}, ""
        for attempt in run.attempts:
            attempt.curve, attempt.output = None, {}
    assert batch_of(back) == batch_of(runs)
    assert [run.to_dict() for run in back] == [run.to_dict() for run in runs]


@pytest.mark.parametrize("format", [name for name in FORMATS if name != PARQUET])
def test_a_compressed_file_is_read_too(format: str, tmp_path: Path) -> None:
    path = str(tmp_path / "runs.gz")
    write_runs(path, format, [whole(1)], full=False)
    assert (tmp_path / "runs.gz").read_bytes()[:2] == b"\x1f\x8b"
    assert [run.id for run in read_runs(path)] == [whole(1).id]


@pytest.mark.parametrize("format", FORMATS)
def test_an_export_of_nothing_is_read_as_nothing(format: str, tmp_path: Path) -> None:
    path = str(tmp_path / f"runs.{format}")
    write_runs(path, format, [], full=False)
    assert list(read_runs(path)) == []


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.999])
def test_a_file_that_is_cut_off_is_refused(format: str, share: float, tmp_path: Path) -> None:
    path = tmp_path / "runs"
    write_runs(str(path), format, [whole(number) for number in range(5)], full=False)
    data = path.read_bytes()
    cut = int(len(data) * share)
    if format in FLAT[:1] or format == "jsonl":
        cut += data[cut:].index(b",") if b"," in data[cut:] else -2  # in a line, since whole lines can't be told
    path.write_bytes(data[:cut])
    with pytest.raises(BadFileError, match="runs"):
        list(read_runs(str(path)))


def test_columns_are_what_runs_would_give(store: Store) -> None:
    runs = [run for page in (saved(store, varied()) and store.scan(RunFilter())) for run in page]
    expected = batch_of(runs)
    [batch] = store.scan_columns(RunFilter())
    for column in COLUMNS:
        assert list(batch[INDEX[column.name]]) == expected[INDEX[column.name]], column.name


def test_pages_hold_every_run_once_and_nothing_that_came_later(store: Store) -> None:
    same = [whole(number) for number in range(25)]
    for run in same[10:20]:
        run.started = same[10].started  # pages end among runs of one moment
    store.add(same)
    seen: list[str] = []
    for number, page in enumerate(store.scan(RunFilter(), size=4)):
        if number == 2:
            store.save(whole(100))
        seen += [run.id for run in page]
    by_start = sorted(same, key=lambda run: run.started)
    assert sorted(seen) == sorted(run.id for run in same)
    assert [run.started for run in by_start] == [next(r.started for r in same if r.id == run_id) for run_id in seen]
    columns = [run_id for batch in store.scan_columns(RunFilter(), size=7) for run_id in batch[0]]
    assert columns[:25] == seen


def test_a_scan_is_narrowed_like_any_question(store: Store) -> None:
    runs = varied()
    store.add(runs)
    for wanted in (RunFilter(status=FAILED), RunFilter(script="train.py"), RunFilter(tags={"n": "é"}),
                   RunFilter(since=runs[1].started, until=runs[3].started), RunFilter(script="none.py")):  # fmt: skip
        expected = {run.id for run in store.runs(wanted)}
        assert {run.id for page in store.scan(wanted) for run in page} == expected
        assert {run_id for batch in store.scan_columns(wanted) for run_id in batch[0]} == expected


def test_adding_again_adds_nothing(store: Store) -> None:
    runs = [whole(number) for number in range(3)]
    assert store.add([runs[0], runs[0]]) == [runs[0].id]
    assert store.add(runs) == [runs[1].id, runs[2].id]
    assert store.add(runs) == []
    assert store.known([runs[1].id, "0" * 12]) == {runs[1].id}
    assert store.count(RunFilter()) == 3


_TEXT = st.text(st.characters(exclude_categories=[]), max_size=12)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=_TEXT,
    message=st.none() | _TEXT.filter(bool),
    args=st.lists(_TEXT, max_size=3),
    tags=st.dictionaries(_TEXT, _TEXT, max_size=2),
    figure=st.none() | st.integers(0, 1 << 62) | st.floats(0, 1e15),
    started=st.integers(0, (1 << 62) - 1),
)
@pytest.mark.parametrize("format", FORMATS)
def test_no_text_and_no_number_is_changed_on_its_way(
    format: str, name: str, message: str | None, args: list[str], tags: dict[str, str],
    figure: float | None, started: int, tmp_path: Path,
) -> None:  # fmt: skip
    run = whole(1, name=name, args=args, tags=tags, started=started)
    run.attempts[0].started, run.attempts[0].ended = started, started + 1
    run.last.error_message = message
    run.last.metrics[PAGE_FAULTS_MINOR.name] = figure
    run.last.kinds = {}
    path = str(tmp_path / "runs")
    write_runs(path, format, [run], full=False)
    [back] = read_runs(path)
    assert (back.name, back.args, back.tags, back.started) == (name, args, tags, started)
    assert back.last.error_message == message
    assert back.last.metrics[PAGE_FAULTS_MINOR.name] == figure
