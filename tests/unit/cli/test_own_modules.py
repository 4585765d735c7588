from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from runner.cli import own_modules
from runner.cli.own_modules import OwnModules
from tests import support

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the source of a compiled module that the finder takes for the package's."""
    monkeypatch.setattr(own_modules, "_PACKAGE", "some.")
    source = tmp_path / "it.py"
    source.write_text("VALUE = 1\n")
    compiled(source)
    return source


def compiled(source: Path, mode: str = "timestamp") -> None:
    words = ["-m", "compileall", "-q", "-f", "--invalidation-mode", mode, str(source)]
    subprocess.run([sys.executable, *words], check=True)


def find(source: Path) -> object:
    return OwnModules.find_spec("some.it", [str(source.parent)])


def test_a_module_is_what_the_general_search_makes_of_it(module: Path) -> None:
    found = OwnModules.find_spec("some.it", [str(module.parent)])
    usual = importlib.machinery.PathFinder.find_spec("some.it", [str(module.parent)])
    assert found is not None and usual is not None
    for name in ("name", "origin", "cached", "has_location", "submodule_search_locations", "parent"):
        assert getattr(found, name) == getattr(usual, name), name
    made = importlib.util.module_from_spec(found)
    found.loader.exec_module(made)
    assert (made.VALUE, made.__file__) == (1, str(module))
    module.write_text("VALUE = 'two'\n")
    found.loader.exec_module(made)
    assert made.VALUE == "two", "executed again, it is what the file says now"


def test_what_is_not_as_expected_is_left_to_the_general_search(module: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find(module) is not None
    assert OwnModules.find_spec("other.it", [str(module.parent)]) is None
    assert OwnModules.find_spec("some") is None
    assert OwnModules.find_spec("some.missing", [str(module.parent)]) is None
    monkeypatch.setattr(own_modules, "_MOST", 20)
    assert find(module) is None
    monkeypatch.undo()
    monkeypatch.setattr(own_modules, "_PACKAGE", "some.")
    status = module.stat()
    os.utime(module, ns=(status.st_atime_ns, status.st_mtime_ns + 10**9))
    assert find(module) is None, "the source is newer"
    os.utime(module, ns=(status.st_atime_ns, status.st_mtime_ns))
    module.write_text("VALUE = 10\n")
    os.utime(module, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert find(module) is None, "the source is of another size"
    compiled(module, "unchecked-hash")
    assert find(module) is None, "nothing tells whether it is current"
    module.unlink()
    assert find(module) is None


@pytest.mark.parametrize(("options", "expected"), [((), True), (("-O",), False), (("-X", "pycache_prefix=x"), False)])
def test_it_searches_first_where_compiled_files_are_as_usual(options: tuple[str, ...], expected: bool) -> None:
    code = "import sys, runner.cli.main; print(sys.meta_path[0].__name__)"
    environ = {"PYTHONPATH": str(support.SRC), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, *options, "-c", code], env=environ, capture_output=True, text=True)
    assert (done.stdout.strip() == "OwnModules") == expected, done
