"""Whatever a file holds, reading it ends in values or in a list of problems, never in anything else."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from runner.cli.features import known_keys
from runner.engine import config
from runner.engine.config_tree import parse_json
from runner.engine.environment import parse_env_file
from runner.model.errors import ConfigError

KEYS = st.sampled_from(
    ["retry", "database", "monitoring", "alerts", "notifications", "max_attempts", "path", "<<", "x-a"]
)
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.just("${X}"))
TREES = st.recursive(
    LEAVES, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner)), max_leaves=12
)
YAML_BITS = st.sampled_from(
    ["retry:", "\n", "  ", "- ", "max_attempts: ", "&a ", "*a", "<<: ", "{", "}", "[", "]", "'", '"', "#", "!x ", "|",
     "? ", "3", "no", "\t", "---", "...", "%", "\x00", "é", ": ", ","]
)  # fmt: skip


def check(data: bytes, suffix: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "c" + suffix)
        path.write_bytes(data)
        try:
            found = config.load(str(path), None, {}, known_keys)
        except ConfigError as error:
            assert error.problems
            assert all(line.startswith(str(path)) for line in error.problems)
        else:
            assert set(found.values) <= set(known_keys())


@settings(max_examples=150, deadline=None)
@given(st.lists(YAML_BITS, max_size=25))
def test_almost_yaml(bits: list[str]) -> None:
    check("".join(bits).encode(), ".yaml")


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=40))
def test_bytes(data: bytes) -> None:
    check(data, ".yaml")
    check(data, ".json")


@settings(max_examples=150, deadline=None)
@given(TREES, st.integers(-1, 30))
def test_json_of_any_shape_whole_and_cut_off(tree: object, cut: int) -> None:
    text = json.dumps(tree)
    check(text.encode(), ".json")
    check(text.encode(), ".yaml")
    check(text[:cut].encode(), ".json")


@settings(max_examples=150, deadline=None)
@given(TREES)
def test_json_has_the_values_the_standard_library_reads(tree: object) -> None:
    text = json.dumps(tree, indent=1)
    node, problems = parse_json(text)
    assert problems == []
    assert node.line == 1
    expected = json.loads(text)
    assert (node.kind == "mapping") == isinstance(expected, dict)
    assert [entry.key for entry in node.entries] == (list(expected) if isinstance(expected, dict) else [])


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=" #='\"\\nABexport\n\r\t$é\0", max_size=40))
def test_files_of_variables(text: str) -> None:
    for number, key, value in parse_env_file(text):
        assert 1 <= number <= text.count("\n") + 1
        assert value or key
        assert "\0" not in key + value
