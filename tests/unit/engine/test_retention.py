"""Policies as they are kept, applied, previewed, archived, and applied by themselves."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from time import monotonic, time_ns
from typing import TYPE_CHECKING, Any

import pytest

from runner.engine import archive as archives
from runner.engine import retention as module
from runner.engine.archive import ArchiveError
from runner.engine.checksum import sum_of
from runner.engine.history import HistoryManager
from runner.engine.imports import import_file
from runner.engine.retention import Retention, tidy_up
from runner.engine.retention_report import audit_dicts, outcome_dict
from runner.exporters.records import write_runs
from runner.importers.base import BadFileError
from runner.model.errors import UsageError
from runner.model.portable import batch_of
from runner.policy.retention import Policy
from runner.stores.base import RunFilter
from runner.stores.purge import Action
from runner.stores.retention import Keeper
from runner.stores.sqlite import SqliteStore
from tests.unit.stores.made import whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.model.run import Run

DAY = 86_400_000_000_000


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "history.db")


@pytest.fixture
def store(path: str) -> Iterator[SqliteStore]:
    opened = SqliteStore(path)
    yield opened
    opened.close()


@pytest.fixture
def retention(store: SqliteStore) -> Retention:
    return Retention(store)


def fill(
    store: SqliteStore, ages: tuple[float, ...] = (400, 100, 50, 20, 1), first: int = 0, **facts: object
) -> list[Run]:
    """Store runs that were started some days ago."""
    runs = []
    for number, age in enumerate(ages, first):
        run = whole(number, script=f"job{number % 2}.py", **facts)  # type: ignore[arg-type]
        shift = time_ns() - int(age * DAY) - run.started
        run.started += shift
        for attempt in run.attempts:
            attempt.started += shift
            attempt.ended = None if attempt.ended is None else attempt.ended + shift
        runs.append(run)
    store.add(runs)
    return runs


def ids(store: SqliteStore) -> set[str]:
    return {run.id for run in store.runs(RunFilter())}


def actions(retention: Retention) -> list[dict[str, Any]]:
    return audit_dicts(retention.audit(100))


def test_policies_are_kept_and_replaced(retention: Retention) -> None:
    assert retention.add(Policy("Nightly", 30)) is True
    assert retention.add(Policy("Nightly", 30)) is False
    assert retention.add(Policy("nightly", 40, script="a.py")) is True
    assert [(p.name, p.days, p.script) for p in retention.policies().values()] == [("nightly", 40, "a.py")]
    assert retention.find("NIGHTLY").days == 40
    with pytest.raises(UsageError, match="no retention policy 'nightl', did you mean 'nightly'"):
        retention.find("nightl")
    retention.remove("nightly")
    assert retention.policies() == {}
    assert [(a["what"], a["policy"]) for a in actions(retention)] == [
        ("remove", "nightly"), ("add", "nightly"), ("add", "Nightly"),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 101])
def test_a_policy_needs_a_name(retention: Retention, name: str) -> None:
    with pytest.raises(UsageError, match="no name for a policy"):
        retention.add(Policy(name, 30))


def test_a_policy_of_a_metric_that_nobody_has_is_refused(retention: Retention, store: SqliteStore) -> None:
    with pytest.raises(UsageError, match="unknown metric 'cpu_mox', did you mean 'cpu_max'"):
        retention.add(Policy("p", 30, metrics=["cpu_mox"]))
    fill(store, (1,), extra={"loss": 1.0})
    assert retention.add(Policy("p", 30, metrics=["cpu_max", "loss"]))


def test_a_minimum_can_not_be_replaced_by_less(retention: Retention) -> None:
    retention.add(Policy("law", compliance="SOC2"))
    for less in (Policy("law", 900), Policy("law", compliance="SOC2", script="a.py"), Policy("LAW", compliance="GDPR")):
        with pytest.raises(UsageError, match="runner retention remove law"):
            retention.add(less)
    assert retention.add(Policy("law", compliance="HIPAA"))


def kept_script(retention: Retention, word: str) -> str:
    retention.add(Policy("p", script=word))
    return retention.find("p").script


def test_a_policy_means_the_same_script_in_every_folder(
    retention: Retention, store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, other = tmp_path / "here", tmp_path / "other"
    for folder in (here, other):
        folder.mkdir()
    (here / "there.py").write_text("")
    store.add([whole(1, script="jobs/a.py"), whole(2, script="a.py", script_key=str(here / "a.py"), name="nightly")])
    monkeypatch.chdir(here)
    assert kept_script(retention, "a.py") == str(here / "a.py")  # it has runs
    assert kept_script(retention, "there.py") == str(here / "there.py")  # it is there
    assert kept_script(retention, "../other/a.py") == str(other / "a.py")  # it is written as a path
    assert kept_script(retention, "./b.py") == str(here / "b.py")
    assert kept_script(retention, "tools/b.py") == str(here / "tools" / "b.py")
    monkeypatch.chdir(other)
    assert kept_script(retention, "a.py") == "a.py"  # a name, of runs elsewhere
    assert kept_script(retention, "jobs/a.py") == "jobs/a.py"
    assert kept_script(retention, "nightly") == "nightly"
    assert kept_script(retention, "c.py") == "c.py"
    assert kept_script(retention, "") == ""


def test_a_name_means_all_that_it_fits_wherever_it_is_applied(
    retention: Retention, store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store, (400, 300), script_key="/srv/app/a.py", name="a.py")
    retention.add(Policy("p", 30, script="a.py"))
    fill(store, (401,), first=2, script_key=str(tmp_path / "a.py"))
    monkeypatch.chdir(tmp_path)  # here it would be a path
    assert retention.preview(retention.find("p")).runs() == 3


@pytest.mark.parametrize(("protected", "deleted"), [
    ("pay.py", "./pay.py"), ("./pay.py", "pay.py"), ("pay.py", "{}/pay.py"), ("pay.py", "payroll"),
    ("payroll", "pay.py"), ("payroll", "app/pay.py"), ("app/pay.py", "pay.py"), ("payroll", "payroll"),
])  # fmt: skip
@pytest.mark.parametrize("added", [True, False])
def test_a_minimum_holds_whatever_the_script_is_called(
    retention: Retention, store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protected: str,
    deleted: str, added: bool,
) -> None:  # fmt: skip
    folder = tmp_path / "app"
    folder.mkdir()
    monkeypatch.chdir(folder)
    runs = fill(store, (400, 100, 1), script_key=str(folder / "pay.py"), name="payroll")
    short = Policy("short", 0, script=deleted.format(folder))
    if added:  # first, when nothing is there that it contradicts
        retention.add(short)
        short = retention.find("short")
    retention._keeper.put_policy("law", {"compliance": "HIPAA", "script": protected}, Action("add"))
    monkeypatch.chdir("/")
    try:
        assert retention.apply(short).kept == {"law": 3}
    except UsageError as error:
        assert "policy 'law' (HIPAA) keeps at least 2192 days" in str(error)
    assert ids(store) == {run.id for run in runs}
    retention.remove("law")
    assert retention.apply(short).runs() == 3


def test_what_two_policies_kept_before_means_is_found_among_the_runs(retention: Retention, store: SqliteStore) -> None:
    """Policies that were added before there were runs, so that no names could tell."""
    retention.add(Policy("law", script="payroll", compliance="HIPAA"))
    retention.add(Policy("short", 30, script="/srv/k.py"))
    runs = fill(store, (400, 100, 1), script_key="/srv/k.py", name="payroll")
    outcome = retention.apply(retention.find("short"))
    assert (outcome.runs(), outcome.kept) == (0, {"law": 2})
    assert ids(store) == {run.id for run in runs}
    with pytest.raises(UsageError, match="'law' keeps runs 2192 days of payroll, but policy 'gdpr'"):
        retention.add(Policy("gdpr", script="/srv/k.py", compliance="GDPR"))


def test_a_minimum_for_a_figure_is_for_it_and_for_whole_runs(retention: Retention, store: SqliteStore) -> None:
    fill(store)
    retention.add(Policy("law", metrics=["cpu_max"], script="job0.py", compliance="HIPAA"))
    for policy in (Policy("other", 10, metrics=["cpu_min"]), Policy("output", output_days=10)):
        retention.add(policy)
        outcome = retention.apply(policy)
        assert (outcome.parts[0][1].runs, outcome.kept) == (4, {})
    for policy in (Policy("", 10, metrics=["cpu_max"]), Policy("", 10)):
        outcome = retention.apply(policy)
        assert (outcome.parts[0][1].runs, outcome.kept) == (2, {"law": 2})
    with pytest.raises(UsageError, match="policy 'law'"):
        retention.add(Policy("p", 10, script="job0.py"))


@pytest.mark.parametrize(("terms", "said"), [
    ({"status": "nope"}, "no run ends 'nope'"), ({"days": float("inf")}, "can't be kept inf days"),
    ({"downsample": "raw"}, "says nothing about detail"), ({"metrics": ["cpu_mox"]}, "unknown metric"),
])  # fmt: skip
def test_what_makes_no_sense_is_not_kept(path: str, terms: dict[str, Any], said: str) -> None:
    history = HistoryManager(path)
    with pytest.raises(UsageError, match=said):
        history.add_retention_policy("bad", **terms)
    assert history.list_retention_policies() == []
    history.close()


@pytest.mark.parametrize("terms", [
    {"status": "nope", "compliance": "HIPAA"}, {"compliance": "PCI"}, {"days": float("inf")}, {"new": 1},
    {"days": "3"},
])  # fmt: skip
def test_a_policy_in_the_record_that_makes_no_sense_is_named_and_can_be_removed(
    retention: Retention, store: SqliteStore, terms: dict[str, Any]
) -> None:
    runs = fill(store)
    retention._keeper.put_policy("bad", terms, Action("add"))
    retention._keeper.put_policy("good", {"days": 30}, Action("add"))
    for act in (retention.policies, lambda: retention.apply(retention.find("good")), lambda: retention.find("bad")):
        with pytest.raises(UsageError, match=r"policy 'bad' in the record can't be understood .*remove bad"):
            act()
    assert "policy 'bad'" in tidy_up(store, 30, (), soon())[0]
    assert len(ids(store)) == len(runs)
    assert retention.remove("BAD")["name"] == "bad"
    assert retention.apply(retention.find("good")).runs() == 3


def test_contradictions_are_refused_and_nothing_is_added(retention: Retention) -> None:
    retention.add(Policy("law", compliance="HIPAA"))
    with pytest.raises(UsageError, match=r"'short' keeps runs 30 days, but policy 'law' \(HIPAA\)"):
        retention.add(Policy("short", 30))
    assert list(retention.policies()) == ["law"]


def test_what_is_previewed_is_what_goes(retention: Retention, store: SqliteStore) -> None:
    runs = fill(store)
    policy = Policy("p", 90, output_days=30, downsample="raw:10d,5min:60d")
    retention.add(policy)
    preview, before = outcome_dict(retention.preview(policy), True), ids(store)
    assert ids(store) == before
    done = outcome_dict(retention.apply(policy), False)
    for told, was in zip(preview["parts"], done["parts"], strict=True):
        for key in ("part", "runs", "first", "last", "samples", "outputs"):
            assert told[key] == was[key], (told["part"], key)
    assert [(part["part"], part["runs"]) for part in done["parts"]] == [
        ("runs", 2), ("output", 1), ("samples", 0), ("coarser", 2),
    ]  # fmt: skip
    assert ids(store) == {run.id for run in runs[2:]}
    assert [run["runs"] for run in actions(retention)] == [2, 0]
    assert actions(retention)[0]["complete"] is True
    assert not any(tally for _, tally in retention.apply(policy).parts)


def test_cleanup_leaves_out_what_a_minimum_of_some_keeps(retention: Retention, store: SqliteStore) -> None:
    runs = fill(store)
    retention.add(Policy("law", compliance="SOC2", script="job0.py"))
    outcome = retention.apply(Policy("", 30), "cleanup")
    assert outcome.kept == {"law": 1}
    assert ids(store) == {runs[number].id for number in (2, 3, 4)}


@pytest.mark.parametrize("samples_days", [None, 30])
def test_a_minimum_forbids_shorter_cleanup(retention: Retention, store: SqliteStore, samples_days: int | None) -> None:
    runs = fill(store)
    retention.add(Policy("law", compliance="SOC2"))
    policy = Policy("", 30) if samples_days is None else Policy("", samples_days=30)
    for act in (retention.preview, retention.apply):
        with pytest.raises(UsageError, match=r"policy 'law' \(SOC2\) keeps at least 365 days"):
            act(policy)
    assert len(ids(store)) == len(runs)
    assert retention.apply(Policy("", 366), "cleanup").runs() == 1


@pytest.mark.parametrize("ending", [".jsonl.gz", ".jsonl", ".parquet"])
def test_an_archive_restores_runs_exactly(
    retention: Retention, store: SqliteStore, tmp_path: Path, ending: str
) -> None:
    if ending == ".parquet":
        pytest.importorskip("pyarrow")
    fill(store, packages_hash="x", packages={"a": "1"}, variables={"LANG": "C"}, line=["x", "\udcff"], tags={"a": "b"})
    before = {run: store.get(run) for run in ids(store)}
    outcome = retention.apply(Policy("", 0), "cleanup", str(tmp_path / f"old{ending}"))
    assert outcome.archive is not None
    assert (ids(store), outcome.archive.runs) == (set(), 5)
    assert os.stat(outcome.archive.path).st_mode & 0o777 == 0o600
    with HistoryManager(store.path) as history:
        assert import_file(history, outcome.archive.path).new == 5
        assert import_file(history, outcome.archive.path).new == 0
    for run_id, was in before.items():
        now = store.get(run_id)
        assert now is not None and was is not None
        assert batch_of([now]) == batch_of([was])


def test_an_archive_never_takes_the_place_of_a_file(retention: Retention, store: SqliteStore, tmp_path: Path) -> None:
    place = tmp_path / "old.jsonl.gz"
    place.write_text("precious")
    (tmp_path / "old-2.jsonl.gz.sha256").write_text("left behind")
    fill(store)
    outcome = retention.apply(Policy("", 30), "cleanup", str(place))
    assert outcome.archive is not None
    assert outcome.archive.path == str(tmp_path / "old-3.jsonl.gz")
    assert place.read_text() == "precious"
    entry = actions(retention)[0]
    assert (entry["archive"], entry["sha256"]) == (outcome.archive.path, outcome.archive.sha256)


def test_a_disk_without_links_serves_as_well(
    retention: Retention, store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    fill(store)
    (tmp_path / "old.jsonl").write_text("precious")
    monkeypatch.setattr(os, "link", refuse)
    outcome = retention.apply(Policy("", 30), "cleanup", str(tmp_path / "old.jsonl"))
    assert outcome.archive is not None
    assert (outcome.archive.path, outcome.runs()) == (str(tmp_path / "old-2.jsonl"), 3)
    assert sum_of(outcome.archive.path) == outcome.archive.sha256
    assert (tmp_path / "old.jsonl").read_text() == "precious"


def test_a_folder_gets_a_file_for_each_application(retention: Retention, store: SqliteStore, tmp_path: Path) -> None:
    fill(store)
    policy = Policy("a/b c", 30, archive_path=str(tmp_path / "made" / "here"))
    retention.add(policy)
    outcome = retention.apply(policy)
    assert outcome.archive is not None
    assert os.path.basename(outcome.archive.path).startswith("a_b_c-")
    assert len(gzip.open(outcome.archive.path).read().splitlines()) == 3
    assert retention.apply(policy).archive is None  # nothing was left to archive
    assert len(os.listdir(tmp_path / "made" / "here")) == 2


@pytest.mark.parametrize("harm", ["bytes", "run", "cut"])
def test_an_archive_that_is_not_what_was_written_deletes_nothing(
    retention: Retention, store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    runs = fill(store)

    def write(path: str, format: str, taken: Any, tell: object = None) -> Any:
        written = write_runs(path, format, taken)
        lines = gzip.decompress(Path(path).read_bytes()).splitlines(keepends=True)
        if harm == "bytes":
            lines[0] = lines[0].replace(b"job", b"jox")
        elif harm == "run":
            lines[0] = lines[1]
        else:
            lines.pop()
        Path(path).write_bytes(gzip.compress(b"".join(lines)))
        if harm != "bytes":
            written.sha256 = sum_of(path)
        return written

    monkeypatch.setattr(archives, "write_runs", write)
    with pytest.raises(ArchiveError, match="nothing was deleted"):
        retention.apply(Policy("", 30), "cleanup", str(tmp_path / "arch"))
    assert len(ids(store)) == len(runs)
    assert os.listdir(tmp_path / "arch") == []
    assert actions(retention) == []


def test_only_what_is_in_the_archive_is_deleted(
    retention: Retention, store: SqliteStore, tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store)
    real = module.Retention._archive

    def archive_and_store(self: Retention, *args: Any, **more: Any) -> Any:
        found = real(self, *args, **more)
        other = SqliteStore(path)
        late = whole(77, script="late.py")
        late.started = time_ns() - 200 * DAY  # as old as those, but not among them
        other.save(late)
        other.close()
        return found

    monkeypatch.setattr(module.Retention, "_archive", archive_and_store)
    outcome = retention.apply(Policy("", 30), "cleanup", str(tmp_path / "old.jsonl.gz"))
    assert outcome.runs() == 3
    assert whole(77).id in ids(store)


def test_a_wrong_checksum_is_not_imported(retention: Retention, store: SqliteStore, tmp_path: Path) -> None:
    fill(store)
    outcome = retention.apply(Policy("", 0), "cleanup", str(tmp_path / "old.jsonl"))
    assert outcome.archive is not None
    with open(outcome.archive.path, "ab") as file:
        file.write(b"\n")
    with HistoryManager(store.path) as history, pytest.raises(BadFileError, match="SHA-256"):
        import_file(history, outcome.archive.path)
    assert ids(store) == set()


@pytest.mark.parametrize("place", ["{}/file/x", "/dev/null", "/proc/none/x"])
def test_a_place_that_can_not_work_is_refused_first(
    retention: Retention, store: SqliteStore, tmp_path: Path, place: str
) -> None:
    (tmp_path / "file").write_text("")
    fill(store)
    with pytest.raises((UsageError, ArchiveError)):
        retention.apply(Policy("", 30), "cleanup", place.format(tmp_path))
    assert len(ids(store)) == 5


@pytest.mark.parametrize("place", ["old.tar.gz", "old.json", "made/old.csv"])
def test_an_archive_of_a_format_that_there_is_not_is_refused(
    retention: Retention, store: SqliteStore, tmp_path: Path, place: str
) -> None:
    fill(store)
    path = str(tmp_path / place)
    said = r"ends in \.\w+; an archive ends in \.jsonl\.gz, \.jsonl, \.parquet"
    with pytest.raises(UsageError, match=said):
        retention.add(Policy("p", 30, archive_path=path))
    with pytest.raises(UsageError, match=said):
        retention.apply(Policy("", 30), archive_path=path)
    assert (len(ids(store)), os.path.exists(path)) == (5, False)


@pytest.mark.parametrize("made", [False, True])
def test_a_folder_may_be_called_like_a_file(
    retention: Retention, store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: bool
) -> None:
    fill(store)
    monkeypatch.chdir(tmp_path)
    if made:
        os.mkdir("jobs.old")
    retention.add(Policy("p", 30, archive_path="jobs.old" if made else "jobs.old/"))
    monkeypatch.chdir("/")
    outcome = retention.apply(retention.find("p"))
    assert outcome.archive is not None
    assert os.path.dirname(outcome.archive.path) == str(tmp_path / "jobs.old")


def test_remnants_of_killed_runners_are_cleared_and_those_of_others_stay(
    retention: Retention, store: SqliteStore, tmp_path: Path
) -> None:
    for pid in (1, 4194304 + 1):  # one that lives, one that can't
        (tmp_path / f"{archives._MARK}{pid}-x.jsonl.gz").write_text("")
    fill(store)
    retention.apply(Policy("", 30), "cleanup", str(tmp_path / "old.jsonl.gz"))
    assert [name for name in sorted(os.listdir(tmp_path)) if name.startswith(".unverified")] == [
        f"{archives._MARK}1-x.jsonl.gz"
    ]


def soon() -> float:
    return monotonic() + 1000


def test_automatic_cleanup_deletes_is_accounted_for_and_is_not_due_at_once(
    retention: Retention, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store)
    assert tidy_up(store, 90, (), soon()) == []
    assert len(ids(store)) == 3
    [entry] = actions(retention)
    assert (entry["what"], entry["runs"], entry["complete"]) == ("auto", 2, True)
    fill(store, (400, 300, 20))
    tidy_up(store, 90, (), soon())
    assert len(actions(retention)) == 1  # a hundredth of the period has to pass
    now = time_ns()
    for later, removed in ((0.5, 0), (0.89, 0), (0.91, 2)):
        monkeypatch.setattr(module, "time_ns", lambda later=later: now + int(later * DAY))
        tidy_up(store, 90, (), soon())
        assert sum(entry["runs"] for entry in actions(retention)) == 2 + removed


def test_a_clock_that_was_set_back_does_not_stop_automatic_cleanup(
    retention: Retention, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store)
    now = time_ns()
    monkeypatch.setattr(module, "time_ns", lambda: now + 10 * DAY)
    tidy_up(store, 90, (), soon())
    fill(store, (401, 301, 21))
    monkeypatch.undo()
    tidy_up(store, 90, (), soon())
    assert sum(entry["runs"] for entry in actions(retention)) == 4


def test_automatic_application_goes_on_where_time_ran_out(
    retention: Retention, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store, tuple(range(100, 110)))
    monkeypatch.setattr("runner.stores.retention._PAGE", 2)
    monkeypatch.setattr("runner.stores.steps.Steps._let_others_in", lambda _: None)
    retention.add(Policy("parts", samples_days=30))
    moments = iter(range(10**6))
    for module_name in ("runner.stores.retention", "runner.engine.retention"):
        monkeypatch.setattr(f"{module_name}.monotonic", lambda: next(moments) / 10)
    for _ in range(40):
        tidy_up(store, None, ["parts"], next(moments) / 10 + 0.9)
        if retention._keeper.progress("parts")[1]:
            break
    monkeypatch.undo()
    assert store.stats()["samples_bytes"] == 0
    entries = [entry for entry in actions(retention) if entry["what"] == "auto"]
    assert len(entries) > 1
    assert sum(entry["samples"] for entry in entries) == 10
    assert [entry["complete"] for entry in entries].count(True) == 1


def test_automatic_application_of_what_archives_takes_as_many_as_fit(
    retention: Retention, store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store, (400, 300, 200, 20))
    retention.add(Policy("kept", 90, archive_path=str(tmp_path / "arch")))
    monkeypatch.setattr(module, "_ARCHIVED_AT_ONCE", 2)
    said = tidy_up(store, None, ["kept"], soon())
    assert "archived 2 old runs" in said[0]
    assert len(ids(store)) == 2
    assert tidy_up(store, None, ["kept"], soon())  # at once: something was left
    assert (len(ids(store)), len(os.listdir(tmp_path / "arch"))) == (1, 4)


def test_what_automatic_cleanup_may_not_do_is_said(retention: Retention, store: SqliteStore) -> None:
    fill(store)
    retention.add(Policy("law", compliance="SOC2"))
    assert "policy 'law' (SOC2) keeps at least 365 days" in tidy_up(store, 30, (), soon())[0]
    assert "no retention policy 'nope'" in tidy_up(store, None, ["nope"], soon())[0]
    assert len(ids(store)) == 5


def test_automatic_cleanup_that_left_nothing_to_do_does_not_search_again(
    retention: Retention, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store)
    retention.add(Policy("old", output_days=4000))
    before = actions(retention)
    now = time_ns()
    searched = []
    find = Keeper.find
    monkeypatch.setattr(Keeper, "find", lambda self, purge, *more: searched.append(purge) or find(self, purge, *more))
    for later in (0, 1, 39, 41):
        monkeypatch.setattr(module, "time_ns", lambda later=later: now + later * DAY)
        assert tidy_up(store, 4000, ["old"], soon()) == []
        assert len(searched) == (4 if later == 41 else 2)
    assert actions(retention) == before  # where nothing is deleted there is nothing to account for
    assert list(retention.policies()) == ["old"]
    retention.add(Policy("old", output_days=3000))
    tidy_up(store, None, ["old"], soon())
    assert len(searched) == 5  # it is another one


def test_what_automatic_cleanup_withholds_is_said_when_it_looks(
    retention: Retention, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store)
    retention.add(Policy("law", script="job0.py", compliance="SOC2"))
    retention.add(Policy("short", 10))
    assert tidy_up(store, 30, ["short"], soon()) == [
        "automatic cleanup: 1 run stays because of policy 'law'",
        "automatic cleanup by policy 'short': 1 run stays because of policy 'law'",
    ]
    assert tidy_up(store, 30, ["short"], soon()) == []
    monkeypatch.setattr(Keeper, "count_kept", lambda self, purge, deadline: dict.fromkeys(purge.kept))
    now = time_ns()
    monkeypatch.setattr(module, "time_ns", lambda: now + DAY)
    assert tidy_up(store, 30, (), soon()) == ["automatic cleanup: runs stay because of policy 'law'"]


def test_a_policy_that_is_due_after_each_run_does_not_say_each_time_what_it_withholds(
    retention: Retention, store: SqliteStore
) -> None:
    fill(store)
    retention.add(Policy("law", script="job0.py", compliance="SOC2"))
    retention.add(Policy("none", output_days=0))
    assert tidy_up(store, None, ["none"], soon()) == [
        "automatic cleanup by policy 'none': 2 runs stay because of policy 'law'"
    ]
    fill(store, (2, 1), first=10)
    assert tidy_up(store, None, ["none"], soon()) == []
    assert [entry["outputs"] for entry in actions(retention)[:2]] == [1, 3]  # both looked


def test_what_a_minimum_forbids_is_not_said_after_each_run(retention: Retention, store: SqliteStore) -> None:
    fill(store)
    retention.add(Policy("law", compliance="SOC2"))
    assert [len(tidy_up(store, 30, (), soon())) for _ in range(3)] == [1, 0, 0]


def test_a_record_that_somebody_writes_is_left_alone(store: SqliteStore, path: str) -> None:
    fill(store)
    other = SqliteStore(path)
    other._connection.execute("BEGIN IMMEDIATE")
    assert tidy_up(store, 30, (), soon()) == []
    other._connection.execute("ROLLBACK")
    other.close()
    assert len(ids(store)) == 5
    assert store._connection.execute("PRAGMA busy_timeout").fetchone() == (5000,)
    assert store._connection.execute("PRAGMA synchronous").fetchone() == (2,)


def test_programs_use_it_with_plain_dicts(store: SqliteStore, path: str, tmp_path: Path) -> None:
    fill(store)
    history = HistoryManager(path)
    added = history.add_retention_policy("p", 30, script="job0.py", archive_path=str(tmp_path / "a"))
    assert (added["name"], added["days"], added["script"]) == ("p", 30, "job0.py")
    assert history.list_retention_policies() == [added]
    preview = history.apply_retention_policy("p", dry_run=True)
    assert (preview["runs"], preview["dry_run"], preview["archive"]) == (2, True, None)
    done = history.apply_retention_policy("p")
    assert (done["runs"], done["archive"]["runs"]) == (2, 2)
    json.dumps([added, preview, done, history.retention_audit()])
    assert history.cleanup(30) == 1
    history.remove_retention_policy("p")
    assert [entry["what"] for entry in history.retention_audit()] == ["remove", "cleanup", "apply", "add"]
    history.close()


def test_without_a_record_nothing_is_made(tmp_path: Path) -> None:
    history = HistoryManager(tmp_path / "none.db")
    assert (history.list_retention_policies(), history.retention_audit(), history.cleanup(1)) == ([], [], 0)
    assert os.listdir(tmp_path) == []
