"""The reference pages say what the declarations say, and a real report fits its schema."""

from __future__ import annotations

import importlib.util
import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from runner.model import metrics
from tests import support

if TYPE_CHECKING:
    from types import ModuleType


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_reference", support.ROOT / "tools/generate_reference.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pages_are_as_generated(generator: ModuleType) -> None:
    stale = [path.name for path, text in generator.render().items() if not path.exists() or path.read_text() != text]
    assert not stale, "`make reference` writes them anew"


def test_every_metric_and_flag_is_on_a_page(generator: ModuleType) -> None:
    pages = "".join(path.read_text() for path in generator.REFERENCE.glob("*.md"))
    for name in metrics.BY_NAME:
        assert f"`{name}`" in pages
    for owner in generator.OWNERS:
        for option in generator.load(owner).declared.values():
            if option.flag and not option.positional:
                assert f"`{option.flag}" in pages, option.flag


@pytest.fixture
def schema() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((support.ROOT / "docs/reference/run.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(loaded)
    return loaded


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("print('well')", []),
        ("raise ValueError('no')", []),
        ("import os; os.kill(os.getpid(), 9)", []),
        ("import time; time.sleep(60)", ["--timeout", "0.3"]),
        ("import sys; sys.exit(3)", ["--retry", "1", "--retry-delay", "0.01", "--tag", "a=b"]),
    ],
)
def test_a_report_fits_the_schema(
    text: str, options: list[str], runner: support.Command, schema: dict[str, Any]
) -> None:
    runner("--json-output", "run.json", *options, runner.script(text), "--arg", "x")
    report = json.loads((runner.cwd / "run.json").read_text())
    jsonschema.validate(report, schema)
    assert set(report) == set(schema["properties"]), "the schema and the report have different keys"
    assert report["script_args"] == ["--arg", "x"]
