"""Configuration files: where they are found, what they may say, and what is said about those that are wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import jsonschema
import pytest
import yaml

from runner.cli.commands.config import template
from runner.cli.features import known_keys, load
from runner.engine import config
from runner.engine.config_schema import schema
from runner.engine.config_shape import substitute
from runner.engine.config_tree import parse_json, parse_yaml
from runner.engine.run_options import MonitorOptions, RecordOptions
from runner.model.errors import ConfigError, UsageError
from runner.options import Unset
from runner.policy.retry import RetryOptions
from tests import support

if TYPE_CHECKING:
    from pathlib import Path

    from runner.engine.config_tree import Node

WHOLE = """\
alerts:
  - name: cpu_high
    condition: cpu_max > 85
    channels: [slack, email]
    severity: WARNING
    throttle_seconds: 300
performance_gates:
  - metric_name: cpu_max
    max_value: 90
notifications:
  slack:
    webhook_url: "https://hooks.example/x"
    username: "Bot"
    icon_emoji: ":robot_face:"
  email:
    smtp_server: "smtp.example"
    smtp_port: 587
    from: "a@example"
    to:
      - "b@example"
    username: "a@example"
    password: "${EMAIL_PASSWORD}"
    use_tls: true
retry:
  strategy: exponential
  max_attempts: 3
  initial_delay: 2
  max_delay: 60
  multiplier: 2.0
database:
  path: "/var/lib/script-runner/metrics.db"
  auto_cleanup: true
  retention_days: 90
monitoring:
  sampling_interval: 0.1
  enable_profiling: true
  log_level: INFO
"""


# Nine times nine times nine ... of a few bytes.
LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join(['*' + old] * 9)}]\n" for old, new in zip("abcdefg", "bcdefgh", strict=True)
)


def read(path: Path, text: str, environ: dict[str, str] | None = None) -> config.Config:
    path.write_text(text, encoding="utf-8")
    return config.load(str(path), None, environ or {}, known_keys)


def problems(path: Path, text: str | bytes) -> list[str]:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ConfigError) as refused:
        config.load(str(path), None, {}, known_keys)
    assert refused.value.exit_code == 2
    assert all(line.startswith(str(path)) for line in refused.value.problems)
    return [line.removeprefix(str(path) + ":") for line in refused.value.problems]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "runner.yaml"


def test_everything_known_is_accepted_and_what_has_no_effect_is_said_once(file: Path) -> None:
    found = read(file, WHOLE)
    assert found.values["retry.max_attempts"] == ("3", f"{file}:26")
    assert found.values["database.path"][0] == "/var/lib/script-runner/metrics.db"
    assert len(found.warnings) == 1
    assert "monitoring.enable_profiling" in found.warnings[0]
    assert "retry" not in found.warnings[0]


def test_json_says_the_same_as_yaml(file: Path, tmp_path: Path) -> None:
    as_yaml = read(file, WHOLE)
    as_json = read(tmp_path / "runner.json", json.dumps(yaml.safe_load(WHOLE), indent=1))
    for options in (RetryOptions, RecordOptions, MonitorOptions):
        one, other = (options.resolve({}, {}, found.values) for found in (as_yaml, as_json))
        for attr in one.declared:
            assert getattr(one, attr) == getattr(other, attr), attr
    assert as_json.warnings[0].partition(": ")[2] == as_yaml.warnings[0].partition(": ")[2]


def test_values_have_their_place_as_source(file: Path) -> None:
    options = MonitorOptions.resolve({}, {}, read(file, "monitoring:\n  sampling_interval: 250ms\n").values)
    assert options.interval == 0.25
    assert options.source("interval") == f"file {file}:2"
    assert MonitorOptions.resolve({"interval": ["2"]}, {}, {}).source("interval") == "command line --monitor-interval"


def test_all_problems_come_at_once_each_with_its_line(file: Path) -> None:
    text = """\
retry:
  startegy: linear
  max_attempts: many
  multiplier: 0.5
  initial_delay: 5m
  initial_delay: 6m
databse:
  path: x
monitoring:
  log_level: INF
  sampling_interval: [1, 2]
sampling_interval: 3
retention_dayz: 3
database: 7
notifications: []
"""
    assert problems(file, text) == [
        "2: unknown key 'retry.startegy', did you mean 'strategy'?",
        "3: retry.max_attempts: 'many' is not a whole number",
        "4: retry.multiplier: 0.5 is too small, at least 1 is needed",
        "6: 'initial_delay' is there twice (first in line 5)",
        "7: unknown key 'databse', did you mean 'database'?",
        "10: monitoring.log_level: 'INF' is not one of DEBUG, INFO, WARNING, ERROR, did you mean 'INFO'?",
        "11: monitoring.sampling_interval: one value is needed, not a list",
        "12: unknown key 'sampling_interval', did you mean 'monitoring.sampling_interval'?",
        "13: unknown key 'retention_dayz', did you mean 'database.retention_days'?",
        "14: database is a section, keys belong below it",
        "15: notifications: a section is needed",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- a\n- b\n", "1: sections such as 'retry:' are needed, not a list"),
        ("just text\n", "1: sections such as 'retry:' are needed, not one value"),
        ("retry:\n\tmax_attempts: 3\n", "2: a tab can't indent in YAML; use spaces"),
        ("retry:\n  max_attempts: 3\n---\nretry: {}\n", "3: a second document begins here, but only one is read"),
        ("retry:\n  strategy: {\n", "3: expected the node content, but found '<stream end>'"),
        (b"retry:\n  strategy: lin\xe9ar\n", "2: not UTF-8 (byte 0xe9)"),
        ('retry:\n  strategy: "a\x01"\n', "2: the character #x01 is not allowed"),
        ("retry: !!python/object/apply:os.system [id]\n", "1: the tag"),
        ("retry:\n  max_attempts: !secret x\n", "2: the tag !secret is not allowed"),
        ("retry:\n  max_attempts:\n", "2: retry.max_attempts has no value"),
        ("retry:\n  max_attempts: {a: 1}\n", "2: retry.max_attempts is a value, not a section"),
        ("retry:\n  max_attempts: 010\n", "2: retry.max_attempts: 010 could be octal"),
        ("retry:\n  on_errors: [[a]]\n", "2: retry.on_errors: a single value is needed"),
        ("? [a, b]\n: 1\n", "1: a key must be a plain word"),
        ("retry:\n  <<: 3\n", "2: << needs a mapping"),
        ("a: &a [*a]\n", "1: it unfolds to too much"),
        ("[" * 5000, "1: nested too deeply"),
        (LAUGHS, "1: it unfolds to too much"),
    ],
)  # fmt: skip
def test_traps_of_yaml(file: Path, text: str | bytes, expected: str) -> None:
    assert problems(file, text)[0].startswith(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "1: not JSON: a value is missing"),
        ("[1]", "1: sections such as 'retry:' are needed, not a list"),
        ('{"retry": {"max_attempts": 3,}}', "1: not JSON: '\"' is missing"),
        ('{"retry": {\n"max_attempts": }}', "2: not JSON: a value is missing"),
        ('{"retry": {}\n"database": {}}', "2: not JSON: ',' is missing"),
        ('{"retry": {}}\n{}', "2: not JSON: something follows the end"),
        ('{"retry": {},\n"retry": {}}', "2: 'retry' is there twice (first in line 1)"),
        ('{"retry": {"max_attempts": 1.5}}', "1: retry.max_attempts: 1.5 is not a whole number"),
        ('{"retry": {"max_attempts": true}}', "1: retry.max_attempts: True is not a whole number"),
        ('{"database": {"path": false}}', "1: database.path: a text is needed, not False"),
        ('{"retry": "x\n"}', "1: not JSON: invalid control character at"),
        ("[" * 5000, "1: nested too deeply"),
    ],
)
def test_traps_of_json(tmp_path: Path, text: str, expected: str) -> None:
    assert problems(tmp_path / "runner.json", text)[0].startswith(expected)


@pytest.mark.parametrize("text", ["", "# nothing\n", "retry:\n", "---\n", "x-mine: {a: [1, 2]}\n", "\ufeffretry:\n"])
def test_nothing_said_is_nothing_wrong(file: Path, text: str) -> None:
    assert read(file, text).values == {}


@pytest.mark.parametrize(
    ("written", "value"),
    [("no", "no"), ("off", "off"), ("012", "012"), ("2024-01-31", "2024-01-31"), ("1:30", "1:30"), ("1e3", "1e3")],
)
def test_a_text_stays_as_it_was_written(file: Path, written: str, value: str) -> None:
    found = read(file, f"database:\n  path: {written}\n")
    assert RecordOptions.resolve({}, {}, found.values).history_db == str(file.parent / value)


@pytest.mark.parametrize(("written", "value"), [("yes", True), ("no", False), ("on", True), ("False", False)])
def test_every_spelling_of_true_and_false(file: Path, written: str, value: bool) -> None:
    found = read(file, f"database:\n  auto_cleanup: {written}\n")
    assert RecordOptions.resolve({}, {}, found.values).auto_cleanup is value


def test_anchors_and_merge_keys(file: Path) -> None:
    text = "x-base: &base\n  strategy: linear\n  max_attempts: 2\nretry:\n  <<: *base\n  max_attempts: 5\n"
    found = read(file, text)
    assert found.values["retry.strategy"] == ("linear", f"{file}:2")
    assert found.values["retry.max_attempts"] == ("5", f"{file}:6")


def test_relative_paths_begin_where_the_file_is(file: Path) -> None:
    values = read(file, "database:\n  path: data/runs.db\n").values
    assert values["database.path"][0] == str(file.parent / "data/runs.db")
    assert read(file, "database:\n  path: /abs/runs.db\n").values["database.path"][0] == "/abs/runs.db"
    assert not str(read(file, "database:\n  path: ~/runs.db\n").values["database.path"][0]).startswith("~")


def test_lists_where_several_are_meant(file: Path) -> None:
    values = read(file, "retry:\n  on_errors: [OSError, 'exit:3']\n  skip_errors: timeout\n").values
    options = RetryOptions.resolve({}, {}, values)
    assert options.retry_on_errors == ("OSError", "exit:3")
    assert options.skip_on_errors == ("timeout",)


def test_variables_of_the_environment(file: Path) -> None:
    text = "retry:\n  max_attempts: ${N}\ndatabase:\n  path: ${DIR}/x.db\n"
    values = read(file, text, {"N": "4", "DIR": "/d"}).values
    assert RetryOptions.resolve({}, {}, values).max_attempts == 4
    assert values["database.path"][0] == "/d/x.db"


def test_an_unset_variable_is_an_error_only_where_the_value_is_used(file: Path) -> None:
    values = read(file, "database:\n  path: ${NOPE}/x.db\nheartbeat:\n  url: ${NOPE}\n").values
    with pytest.raises(UsageError, match=r"runner.yaml:2: database.path: the environment variable NOPE is not set"):
        RecordOptions.resolve({}, {}, values)
    assert RecordOptions.resolve({"history_db": ["y"]}, {}, values).history_db == "y"
    assert RecordOptions.resolve({}, {"RUNNER_HISTORY_DB": "z"}, values).history_db == "z"


def test_substitution() -> None:
    environ = {"A": "1", "B": "${A}"}
    assert substitute("x${A}y${A}", environ) == "x1y1"
    assert substitute("${B}", environ) == "${A}"
    assert substitute("$A $ {A} ${", environ) == "$A $ {A} ${"
    assert substitute("$${A} ${A}", environ) == "${A} 1"
    unset = substitute("${A}${C}", environ)
    assert isinstance(unset, Unset)
    assert unset.name == "C"


def test_the_first_file_found_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project, jobs, home = tmp_path / "project", tmp_path / "project/a/jobs", tmp_path / "home"
    for folder in (jobs, home / "runner"):
        folder.mkdir(parents=True)
    environ = {"XDG_CONFIG_HOME": str(home)}
    script = str(jobs / "job.py")
    monkeypatch.chdir(tmp_path)
    assert config.find(script, environ) == ""
    (home / "runner/runner.json").write_text("{}")
    assert config.find(script, environ) == str(home / "runner/runner.json")
    (project / "runner.yml").write_text("")
    assert config.find(script, environ) == str(home / "runner/runner.json"), "no project without a mark"
    (project / "pyproject.toml").write_text("")
    assert config.find(script, environ) == str(project / "runner.yml")
    (jobs / "runner.yaml").write_text("")
    assert config.find(script, environ) == str(jobs / "runner.yaml")
    assert config.find(None, environ) == str(home / "runner/runner.json")
    monkeypatch.chdir(project / "a")
    assert config.find(None, environ) == str(project / "runner.yml")
    assert config.find("jobs/job.py", environ) == str(jobs / "runner.yaml")


def test_a_file_that_is_named_and_missing(tmp_path: Path) -> None:
    for path in (tmp_path / "gone.yaml", tmp_path):
        with pytest.raises(ConfigError, match="configuration file"):
            config.load(str(path), None, {}, known_keys)
    assert config.load("", None, {}, known_keys).values == {}


def test_a_huge_file_is_no_configuration(file: Path) -> None:
    assert "larger than" in problems(file, "# x\n" * 300_000)[0]


def test_without_pyyaml(file: Path, tmp_path: Path) -> None:
    file.write_text("retry:\n  max_attempts: 2\n")
    (tmp_path / "runner.json").write_text('{"retry": {"max_attempts": 2}}')
    code = (
        "import sys; sys.modules['yaml'] = None\n"
        "from runner.engine import config; from runner.cli.features import known_keys\n"
        "for path in sys.argv[1:]:\n"
        "    try: print(sorted(config.load(path, None, {}, known_keys).values))\n"
        "    except Exception as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "runner.json"), str(file)],
        capture_output=True, text=True, env={"PYTHONPATH": str(support.SRC)}, check=True, cwd="/",
    )  # fmt: skip
    first, second = done.stdout.splitlines()
    assert first == "['retry.max_attempts']"
    assert second == f"{file}: reading YAML needs PyYAML (pip install PyYAML); a .json file needs nothing"


def test_the_template_is_valid_as_it_is_and_with_every_comment_taken_away(file: Path) -> None:
    assert read(file, template()).values == {}
    lines = []
    for line in template().splitlines():
        key = line.strip().removeprefix("# ").partition(":")[0]
        known = any(name.endswith("." + key) for name in known_keys())
        placeholder = line.rstrip().endswith((": N", "SECONDS", "SIZE"))
        lines.append(line.replace("# ", "", 1) if line.startswith("  #") and known and not placeholder else line)
    found = read(file, "\n".join(lines))
    assert len(found.values) >= 9
    for owner in ("monitor", "show", "record", "retry", "limits", "lock"):
        load(owner).resolve({}, {}, found.values)


def test_the_schema_accepts_what_the_reader_accepts() -> None:
    validator = jsonschema.Draft202012Validator(schema(known_keys()))
    validator.check_schema(validator.schema)
    assert list(validator.iter_errors(yaml.safe_load(WHOLE))) == []
    assert list(validator.iter_errors(yaml.safe_load(template()))) == []
    assert list(validator.iter_errors({"retry": {"max_attempts": "${N}", "on_errors": ["A"]}, "x-y": [1]})) == []


@pytest.mark.parametrize(
    "wrong",
    [{"retyr": {}}, {"retry": {"startegy": "linear"}}, {"retry": {"strategy": "square"}}, {"retry": {"multiplier": 0}},
     {"retry": {"max_attempts": 1.5}}, {"database": {"auto_cleanup": "perhaps"}}, {"alerts": [{"nam": "x"}]}, []],
)  # fmt: skip
def test_the_schema_refuses_what_the_reader_refuses(file: Path, wrong: object) -> None:
    validator = jsonschema.Draft202012Validator(schema(known_keys()))
    assert list(validator.iter_errors(wrong))
    assert problems(file, yaml.safe_dump(wrong))


def plain(node: Node) -> object:
    if node.kind == "mapping":
        return {entry.key: plain(entry.node) for entry in node.entries}
    return [plain(item) for item in node.items] if node.kind == "list" else node.value


def test_json_is_read_as_the_standard_library_reads_it() -> None:
    text = '{"a": [1, -2.5e3, true, false, null, "x\\u00e9\\n\\"", {}], "b": {"c": [[], [{"d": ""}]]}, "": 0}'
    node, found = parse_json(text)
    assert plain(node) == json.loads(text)
    assert found == []


def test_lines_of_nodes() -> None:
    for parse, text in ((parse_yaml, 'a:\n  - 1\n  -\n    b: 2\n'), (parse_json, '{"a":\n  [1,\n\n{"b": 2}]}')):
        node, _ = parse(text)
        inner = node.entries[0].node.items[1].entries[0]
        assert (inner.key, inner.line) == ("b", 4)


def test_a_file_that_anybody_may_have_planted_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o1777)
    (tmp_path / "runner.yaml").write_text("monitoring: {log_level: DEBUG}\n")
    script = str(tmp_path / "job.py")
    environ = {"XDG_CONFIG_HOME": str(tmp_path / "nowhere")}
    assert config.find(script, environ) == str(tmp_path / "runner.yaml")
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert config.find(script, environ) == ""
