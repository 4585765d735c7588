"""Which Python runs a script, and of which version it is."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from runner.engine import interpreter
from runner.engine.interpreter import choose, known_version, on_path, version_of
from runner.model.errors import StartError

if TYPE_CHECKING:
    from pathlib import Path

INSTALLED = "/somewhere/bin/runner"


def program(path: Path, text: str = "#!/bin/sh\nexit 0\n") -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def test_a_named_one_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = program(tmp_path / "mine")
    on = program(tmp_path / "bin/python9")
    virtual = program(tmp_path / "venv/bin/python")
    environ = {"PATH": str(tmp_path / "bin"), "VIRTUAL_ENV": str(tmp_path / "venv")}
    assert choose(mine, "x.py", environ) == mine
    assert choose("python9", "x.py", environ) == on
    assert choose(str(tmp_path / "venv"), "x.py", environ) == virtual
    monkeypatch.chdir(tmp_path)
    assert choose("./mine", "x.py", environ) == mine
    assert choose("venv", "x.py", environ) == virtual


def test_a_named_one_that_can_not_be(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("")
    for named, code in ((str(tmp_path / "gone"), 127), ("python0.1", 127), (str(plain), 126), (str(tmp_path), 127)):
        with pytest.raises(StartError, match="--python") as refused:
            choose(named, "x.py", {"PATH": str(tmp_path)})
        assert refused.value.exit_code == code, named


@pytest.mark.parametrize("called", ["runner.py", "/x/runner.py", "/x/runner/__main__.py"])
def test_whoever_calls_python_gets_that_python(called: str, tmp_path: Path) -> None:
    program(tmp_path / "python3")
    assert choose("", called, {"PATH": str(tmp_path), "VIRTUAL_ENV": "/x"}) == sys.executable


def test_the_installed_command_takes_the_active_environment_then_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, other, virtual = tmp_path / "own", tmp_path / "other", tmp_path / "venv"
    program(own / "bin/python3")
    python = program(other / "python")
    environ = {"PATH": os.pathsep.join([str(own / "bin"), "/nowhere", str(other)])}
    monkeypatch.setattr(sys, "prefix", str(own))
    assert choose("", INSTALLED, environ) == python
    python3 = program(other / "python3")
    assert choose("", INSTALLED, environ) == python3
    environ["VIRTUAL_ENV"] = str(virtual)
    assert choose("", INSTALLED, environ) == python3, "an environment that is gone is none"
    active = program(virtual / "bin/python")
    assert choose("", INSTALLED, environ) == active
    assert choose("", INSTALLED, {"PATH": str(own / "bin")}) == sys.executable, "its own is better than none"


def test_a_runner_outside_any_environment_may_use_its_own_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python3 = program(tmp_path / "bin/python3")
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path))
    assert choose("", INSTALLED, {"PATH": str(tmp_path / "bin")}) == python3


def test_a_search_on_path_tells_what_is_no_program(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one/tool").write_text("")
    found = program(tmp_path / "two/tool")
    (tmp_path / "three/tool").mkdir(parents=True)
    paths = [str(tmp_path / name) for name in ("three", "one", "two")]
    assert on_path("tool", {"PATH": os.pathsep.join(paths)}) == (found, "")
    assert on_path("tool", {"PATH": paths[1]}) == ("", str(tmp_path / "one/tool"))
    assert on_path("tool", {"PATH": paths[0]}) == ("", "")


def test_the_own_version_is_known_without_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter, "_ask", lambda path, environ: pytest.fail("asked"))
    assert version_of(sys.executable) == ".".join(map(str, sys.version_info[:3]))


def test_another_version_is_asked_for_once(tmp_path: Path) -> None:
    environ = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "PATH": os.environ["PATH"]}
    log = tmp_path / "log"
    fake = tmp_path / "python"
    program(fake, f"#!/bin/sh\necho asked >> {log}\nprintf 3.99.1\n")
    assert known_version(str(fake), environ) is None
    assert [version_of(str(fake), environ) for _ in range(3)] == ["3.99.1"] * 3
    assert known_version(str(fake), environ) == "3.99.1"
    assert log.read_text() == "asked\n"
    program(fake, f"#!/bin/sh\necho again >> {log}\nprintf 3.99.12\n")
    assert version_of(str(fake), environ) == "3.99.12", "another interpreter under the same path"


def test_a_shim_of_pyenv_stands_for_several_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shim = program(tmp_path / "pyenv/shims/python", '#!/bin/sh\nprintf "3.9.${PYENV_VERSION:-0}"\n')
    environ = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "PATH": os.environ["PATH"]}
    monkeypatch.chdir(tmp_path)
    assert version_of(shim, {**environ, "PYENV_VERSION": "1"}) == "3.9.1"
    assert version_of(shim, {**environ, "PYENV_VERSION": "2"}) == "3.9.2"
    assert known_version(shim, {**environ, "PYENV_VERSION": "1"}) == "3.9.1"
    assert known_version(shim, environ) is None
    assert version_of(shim, environ) == "3.9.0"
    (tmp_path / ".python-version").write_text("other\n")
    assert known_version(shim, environ) is None


@pytest.mark.parametrize("text", ["#!/bin/sh\nexit 3\n", "#!/bin/sh\necho hello\n", "#!/bin/sh\n", "#!/no/such\n"])
def test_what_does_not_answer_has_no_version(tmp_path: Path, text: str) -> None:
    fake = program(tmp_path / "python", text)
    assert version_of(fake, {"XDG_CACHE_HOME": str(tmp_path), "PATH": os.environ["PATH"]}) is None


def test_a_cache_that_can_not_be_written_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file, no folder")
    fake = program(tmp_path / "python", "#!/bin/sh\nprintf 3.1.4\n")
    assert version_of(fake, {"XDG_CACHE_HOME": str(tmp_path / "cache"), "PATH": os.environ["PATH"]}) == "3.1.4"
