"""What belongs to one side of a comparison of two revisions: paths, variables, traps, the smallest change."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from runner.engine.revision_gate import _move_environment, _naming, _target, least_effect
from runner.engine.revisions import moved
from runner.model.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/repo", "/copy"), ("/repo/a/b", "/copy/a/b"), ("/repository", "/repository"), ("/other", "/other")],
)
def test_a_path_in_the_tree_is_moved(path: str, expected: str) -> None:
    assert moved(path, "/repo", "/copy") == expected


def test_a_path_through_a_link_is_moved(tmp_path: Path) -> None:
    (tmp_path / "repo" / "sub").mkdir(parents=True)
    (tmp_path / "link").symlink_to("repo")
    assert moved(str(tmp_path / "link" / "sub"), str(tmp_path / "repo"), "/copy") == "/copy/sub"


def test_variables_name_the_folders_of_the_copy(tmp_path: Path) -> None:
    tree, copy = tmp_path / "tree", tmp_path / "copy"
    for folder in (tree / "bin", tree / ".venv" / "bin", copy / "bin"):
        folder.mkdir(parents=True)
    env = {
        "PATH": f"{tree}/.venv/bin:{tree}/bin:/usr/bin",
        "PYTHONPATH": f"{tree}/src:lib:/usr/lib",
        "PWD": str(tree),
        "HOME": str(tree),
    }
    _move_environment(env, str(tree), str(copy))
    assert env["PATH"] == f"{tree}/.venv/bin:{copy}/bin:/usr/bin"
    assert env["PYTHONPATH"] == f"{copy}/src:lib:/usr/lib"
    assert env["PWD"] == str(copy)
    assert env["HOME"] == str(tree)


def test_variables_that_are_not_set_stay_so() -> None:
    env: dict[str, str] = {}
    _move_environment(env, "/tree", "/copy")
    assert env == {}


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("__editable__.job-1.pth", "/repo/src\n", True),
        ("easy-install.pth", "/elsewhere\n/repo\n", True),
        ("__editable___job_finder.py", "MAPPING = {'job': '/repo/src/job'}\n", True),
        ("other.pth", "/repository/src\n", False),
        ("notes.txt", "/repo/src\n", False),
    ],
)
def test_an_installed_working_tree_is_noticed(tmp_path: Path, name: str, text: str, found: bool) -> None:
    (tmp_path / name).write_text(text)
    assert _naming(str(tmp_path), "/repo") == ([name] if found else [])


def test_a_folder_of_packages_may_be_missing(tmp_path: Path) -> None:
    assert _naming(os.path.join(tmp_path, "gone"), "/repo") == []


@pytest.mark.parametrize(("text", "part"), [("3%", 0.03), ("3", 0.03), ("0", 0.0), ("12.5 %", 0.125)])
def test_the_smallest_change_is_in_percent(text: str, part: float) -> None:
    assert least_effect(text) == pytest.approx(part)


@pytest.mark.parametrize("text", ["", "x", "-1%", "100%", "nan", "inf"])
def test_a_change_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--min-effect"):
        least_effect(text)


def test_what_is_run_may_be_script_module_code_or_command() -> None:
    assert _target(["x.py", "-m"]) == (("script", "x.py"), ["-m"])
    assert _target(["-m", "job", "-v"]) == (("module", "job"), ["-v"])
    assert _target(["-c", "pass"]) == (("code", "pass"), [])
    assert _target(["--", "make", "bench"]) == (("command", ["make", "bench"]), ["bench"])
    with pytest.raises(UsageError, match="needs a module"):
        _target(["-m"])
