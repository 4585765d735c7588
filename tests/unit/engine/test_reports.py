"""Which reports a run writes: those that were asked for, each to a file of its own."""

from __future__ import annotations

import os
import sys

import pytest

from runner.cli.features import load
from runner.engine.reports import make_reports
from runner.model.errors import UsageError
from runner.options import COMMAND_LINE

FLAGS = {"json": "json_output", "junit": "junit_output", "tap": "tap_output", "markdown": "markdown_output",
         "html": "html_output", "gitlab": "gitlab_metrics_output"}  # fmt: skip


def asked(**values: dict[str, object]):
    """Return what `Settings.asked` would for such a line."""
    made = {owner: load(owner)(**given) for owner, given in values.items()}
    return made.get


def paths(**values: str) -> dict[str, dict[str, object]]:
    return {owner: {FLAGS[owner]: path} for owner, path in values.items()}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_nothing_asked_for_is_nothing() -> None:
    assert make_reports(asked(), {}) == []


def test_every_report_can_be_had_at_once() -> None:
    reports = make_reports(asked(**paths(**{owner: f"out.{owner}" for owner in FLAGS})), {})
    assert [report.flag for report in reports] == ["--" + attr.replace("_", "-") for attr in FLAGS.values()]
    assert not any(report.to_stdout for report in reports)


def test_in_github_actions_it_is_told_without_being_asked() -> None:
    (report,) = make_reports(asked(), {"GITHUB_ACTIONS": "true"})
    assert type(report).__name__ == "GithubReport"
    assert make_reports(asked(github={"no_github": True}), {"GITHUB_ACTIONS": "true"}) == []
    assert make_reports(asked(), {"GITHUB_ACTIONS": "false"}) == []


@pytest.mark.parametrize(
    ("one", "other"), [("r.xml", "r.xml"), ("r.xml", "./r.xml"), ("r.xml", "link"), ("-", "-"), ("-", "/dev/stdout")]
)
def test_two_reports_never_share_a_file(one: str, other: str) -> None:
    os.symlink("r.xml", "link")
    with pytest.raises(UsageError, match="--junit-output and --tap-output both name"):
        make_reports(asked(**paths(junit=one, tap=other)), {})


def test_a_device_takes_several(monkeypatch) -> None:
    assert len(make_reports(asked(**paths(junit=os.devnull, tap=os.devnull)), {})) == 2


def test_neither_the_script_nor_the_record_nor_the_baseline_is_overwritten() -> None:
    with pytest.raises(UsageError, match=r"the script and --html-output both name job\.py"):
        make_reports(asked(**paths(html="job.py")), {}, "job.py")
    with pytest.raises(UsageError, match=r"the record and --tap-output both name runs\.db"):
        make_reports(asked(record={"history_db": "runs.db"}, **paths(tap="runs.db")), {})
    for attr, flag in (("save_baseline", "--save-baseline"), ("baseline", "--baseline")):
        with pytest.raises(UsageError, match=rf"{flag} and --json-output both name b\.json"):
            make_reports(asked(ci={attr: "b.json"}, **paths(json="b.json")), {})
    both = asked(ci={"baseline": "b.json", "save_baseline": "b.json"}, **paths(json="j.json"))
    assert len(make_reports(both, {})) == 1


def test_the_configuration_file_is_not_overwritten() -> None:
    with pytest.raises(UsageError, match=r"the configuration file and --markdown-output both name c\.yaml"):
        make_reports(asked(config={"config": "c.yaml"}, **paths(markdown="c.yaml")), {})
    open("runner.yaml", "w").close()
    with pytest.raises(UsageError, match=r"the configuration file and --tap-output both name runner\.yaml"):
        make_reports(asked(**paths(tap="runner.yaml")), {})
    # Where none is to apply, it is a file like any other.
    assert len(make_reports(asked(config={"config": ""}, **paths(tap="runner.yaml")), {})) == 1


@pytest.mark.parametrize("owner", FLAGS)
def test_a_path_that_cannot_work_is_refused(owner: str) -> None:
    flag = "--" + FLAGS[owner].replace("_", "-")
    for path in (".", "no/such/folder/file", ""):
        with pytest.raises(UsageError, match=f"^{flag}: "):
            make_reports(asked(**paths(**{owner: path})), {})


@pytest.mark.parametrize(
    ("owner", "attr", "value"), [("junit", "junit_dialect", "gitlab"), ("tap", "tap_version", "13")]
)
def test_how_without_where_is_refused_on_a_line_and_idle_elsewhere(owner: str, attr: str, value: str) -> None:
    options = load(owner)(**{attr: value})
    with pytest.raises(UsageError, match=f"--{owner}-.* needs --{owner}-output FILE"):
        make_reports({owner: options}.get, {})
    assert options.sources[attr] == COMMAND_LINE
    options.sources[attr] = "environment"
    assert make_reports({owner: options}.get, {}) == []


def test_a_report_that_was_not_asked_for_is_not_imported() -> None:
    import subprocess

    code = (
        "import sys\nfrom runner.cli.features import load\nfrom runner.engine.reports import make_reports\n"
        "options = load('tap')(tap_output='x.tap')\nmake_reports({'tap': options}.get, {})\n"
        "print(*sorted(name for name in sys.modules if name.startswith('runner.exporters.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})  # fmt: skip
    loaded = {name.removeprefix("runner.exporters.") for name in done.stdout.split()}
    assert "tap" in loaded and not loaded & {"junit", "json_report", "markdown", "html_report", "github", "gitlab"}
