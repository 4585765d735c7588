"""What is shipped: the wheel and the source distribution, installed as people install them."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests import support

TELL = "import sys; print(sys.prefix); print(sys.argv[1:]); sys.exit(7)\n"


def call(*argv: object, **options: object) -> str:
    """Run a program that has to succeed and return its output."""
    done = subprocess.run([*map(str, argv)], capture_output=True, text=True, timeout=300, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
    return str(done.stdout)


def make_venv(path: Path, python: str = sys.executable) -> Path:
    """Make an environment with nothing in it and return its folder of programs."""
    call(python, "-m", "venv", "--without-pip", path)
    return path / "bin"


def pip(programs: Path, *args: object) -> None:
    call(sys.executable, "-m", "pip", "--python", programs / "python", "install", "--quiet", *args)


def environment(home: Path, path: str = "/usr/bin:/bin") -> dict[str, str]:
    env = support.clean_environment(home)
    env.pop("PYTHONPATH")
    env["PATH"] = path
    return env


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build both distributions from this checkout; the folder holds nothing else."""
    programs = make_venv(tmp_path_factory.mktemp("build") / "env")
    pip(programs, "hatchling")
    target = tmp_path_factory.mktemp("dist")
    call(programs / "hatchling", "build", "-d", target, cwd=support.ROOT)
    return target


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (found,) = built.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """Install the wheel into an environment of its own, as pipx does; return its folder of programs."""
    programs = make_venv(tmp_path_factory.mktemp("pipx") / "env")
    pip(programs, wheel)
    return programs


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "tell.py").write_text(TELL)
    return tmp_path


def test_the_wheel_is_small_and_holds_the_package_alone(wheel: Path) -> None:
    assert wheel.stat().st_size < 1_000_000
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert "runner/py.typed" in names
    assert "runner/__main__.py" in names
    assert any(name.endswith(".sql") for name in names), "the store's queries are missing"
    assert {name.split("/")[0] for name in names} == {
        "runner", "python_script_runner-0.1.0.dist-info", "python_script_runner-0.1.0.data"
    }, "something else, such as the door for a checkout, is in the wheel"  # fmt: skip
    assert [name for name in names if ".data/" in name] == ["python_script_runner-0.1.0.data/scripts/runner"]


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        shipped = {name for name in archive.namelist() if name.startswith("runner/")}
    package = support.SRC / "runner"
    here = {str(path.relative_to(support.SRC)) for path in package.rglob("*") if path.is_file()}
    assert {name for name in here if "__pycache__" not in name} == shipped


def test_the_source_distribution_builds_and_runs(built: Path, work: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    assert {"README.md", "LICENSE", "pyproject.toml", "bin/runner", "src/runner/py.typed", "runner.py"} <= names
    assert not [name for name in names if name.startswith((".venv/", "build/", "site/", ".git/"))]
    programs = make_venv(work / "env")
    pip(programs, sdist)
    done = subprocess.run([programs / "runner", "tell.py", "x"], cwd=work, env=environment(work), capture_output=True)
    assert done.returncode == 7, done


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_a_bare_environment_is_enough(version: str, wheel: Path, work: Path) -> None:
    ours = f"{sys.version_info[0]}.{sys.version_info[1]}"
    programs = make_venv(work / "env", sys.executable if version == ours else support.interpreter(version))
    pip(programs, wheel)
    first = (programs / "runner").read_text().splitlines()[0]
    assert first.startswith("#!") and first.endswith(tuple(map(str, programs.glob("python*")))), first
    # An environment that is activated: its Python runs the script.
    env = environment(work, f"{programs}:/usr/bin:/bin") | {"VIRTUAL_ENV": str(work / "env")}
    done = subprocess.run(["runner", "tell.py", "--a", "b c"], cwd=work, env=env, capture_output=True, text=True)
    assert done.returncode == 7, done
    assert done.stdout.splitlines() == [str(work / "env"), "['--a', 'b c']"]
    assert (work / "script_runner_history.db").exists()
    listed = subprocess.run(
        [programs / "runner", "history", "--format", "json"], cwd=work, env=env, capture_output=True, text=True
    )
    assert "tell.py" in listed.stdout, listed


def test_the_users_environment_runs_the_script_not_the_runners_own(installed: Path, work: Path) -> None:
    mine = make_venv(work / "mine")
    env = environment(work, f"{mine}:/usr/bin:/bin") | {"VIRTUAL_ENV": str(work / "mine")}
    done = subprocess.run([installed / "runner", "tell.py"], cwd=work, env=env, capture_output=True, text=True)
    assert done.returncode == 7, done
    assert done.stdout.splitlines()[0] == str(work / "mine")


def test_without_an_environment_the_first_python_on_the_path_runs_the_script(installed: Path, work: Path) -> None:
    mine = make_venv(work / "mine")
    # The runner's own environment comes first, as where its programs are linked into a folder on PATH.
    env = environment(work, f"{installed}:{mine}:/usr/bin:/bin")
    done = subprocess.run(["runner", "tell.py"], cwd=work, env=env, capture_output=True, text=True)
    assert done.returncode == 7, done
    assert done.stdout.splitlines()[0] == str(work / "mine")


def test_a_link_to_the_command_works(installed: Path, work: Path) -> None:
    """Pipx links the command into ~/.local/bin."""
    (work / "bin").mkdir()
    os.symlink(installed / "runner", work / "bin/runner")
    mine = make_venv(work / "mine")
    env = environment(work, f"{work / 'bin'}:{mine}:/usr/bin:/bin")
    done = subprocess.run(["runner", "tell.py"], cwd=work, env=env, capture_output=True, text=True)
    assert (done.returncode, done.stdout.splitlines()[0]) == (7, str(work / "mine")), done


def test_an_editable_install_works(work: Path) -> None:
    programs = make_venv(work / "env")
    pip(programs, "--editable", support.ROOT)
    env = environment(work, f"{programs}:/usr/bin:/bin") | {"VIRTUAL_ENV": str(work / "env")}
    done = subprocess.run(["runner", "tell.py"], cwd=work, env=env, capture_output=True, text=True)
    assert done.returncode == 7, done
    told = call(programs / "python", "-c", "import runner; print(runner.__file__)", cwd=work, env=env)
    assert told.strip() == str(support.SRC / "runner/__init__.py")


def test_a_checkout_runs_without_anything_installed(work: Path) -> None:
    """``python runner.py script.py`` needs no third-party package, only looks plainer."""
    env = environment(work)
    done = subprocess.run(
        [sys.executable, "-S", support.ROOT / "runner.py", support.ROOT / "test_script.py"],
        cwd=work, env=env, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done
    assert done.stdout.splitlines()[-1] == "Done"
    assert "This line goes to standard error" in done.stderr
