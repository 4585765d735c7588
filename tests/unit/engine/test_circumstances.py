from __future__ import annotations

import sys
from importlib.metadata import distributions
from typing import TYPE_CHECKING

from runner.engine import circumstances

if TYPE_CHECKING:
    from pathlib import Path


def test_files_that_arguments_name_are_the_input(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"x" * 100)
    (tmp_path / "b.csv").write_bytes(b"x" * 11)
    args = ["--in=a.csv", "b.csv", "missing.csv", "--fast", "."]
    alone = circumstances.input_size([], str(tmp_path)) or 0
    assert (circumstances.input_size(args, str(tmp_path)) or 0) - alone == 111
    assert circumstances.input_size(["\0"], None) == circumstances.input_size([], None)


def test_variables_that_matter_are_told_without_secrets() -> None:
    env = {"OMP_NUM_THREADS": "4", "HOME": "/root", "MODE": "x", "API_TOKEN": "abc", "PYTHONHASHSEED": "0"}
    assert circumstances.telling(env, ["API_TOKEN", "MODE"]) == {
        "API_TOKEN": "***", "MODE": "x", "OMP_NUM_THREADS": "4", "PYTHONHASHSEED": "0",
    }  # fmt: skip


def test_packages_are_those_the_interpreter_finds() -> None:
    found = circumstances.packages(sys.executable, sys.version.split()[0], {})
    assert found is not None
    expected = {each.metadata["Name"].lower().replace("_", "-"): each.version for each in distributions()}
    assert found["pytest"] == expected["pytest"]
    assert len(circumstances.digest(found)) == 16
    assert circumstances.digest(found) != circumstances.digest({**found, "pytest": "0"})


def test_an_interpreter_without_packages_is_not_guessed_at(tmp_path: Path) -> None:
    assert circumstances.packages(str(tmp_path / "bin" / "python"), "3.11.2", {}) is None
    assert circumstances.packages(None, None, {}) is None
