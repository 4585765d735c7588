"""The rules of the house: who may import whom, what a run may import, how large things may grow."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from runner.model import metrics
from tests import support

PACKAGE = support.SRC / "runner"
FILES = sorted(PACKAGE.rglob("*.py"))

# Floors, lowest first. A room may import those on lower floors; rooms of one floor never import each other.
FLOORS = (
    ("agent",),
    ("model",),
    ("options", "registry"),
    ("executors", "stores", "analysis", "policy", "exporters", "importers", "channels"),
    ("engine",),
    ("cli", "pytest_plugin"),
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}

# What a plain run must never import: each costs milliseconds, and a run is measured in tens of them.
FORBIDDEN = (
    "argparse", "asyncio", "dataclasses", "datetime", "enum", "inspect", "json", "logging", "multiprocessing",
    "pathlib", "platform", "psutil", "random", "re", "rich", "shlex", "shutil", "signal", "socket", "ssl", "subprocess",
    "tempfile", "threading", "traceback", "typing", "urllib", "uuid", "yaml", "zipfile",
)  # fmt: skip

def module_of(path: Path) -> str:
    return ".".join(path.relative_to(support.SRC).with_suffix("").parts).removesuffix(".__init__")


def room_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def imports_of(tree: ast.AST, module: str) -> set[str]:
    """Return every module that the file imports at run time, wherever in it; imports for type checkers are not."""
    found: set[str] = set()
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            skipped.update(id(inner) for statement in node.body for inner in ast.walk(statement))
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module}: relative import"
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


TREES = {path: ast.parse(path.read_text(), str(path)) for path in FILES}


def test_rooms_import_only_lower_floors() -> None:
    wrong = []
    for path, tree in TREES.items():
        module = module_of(path)
        here = room_of(module)
        for imported in imports_of(tree, module):
            there = room_of(imported)
            if not imported.startswith("runner.") or there == here or here in ("", "__main__"):
                continue
            if there in FLOOR and FLOOR[there] >= FLOOR[here]:
                wrong.append(f"{module} imports {imported}")
    assert not wrong


def test_every_room_has_a_floor() -> None:
    rooms = {room_of(module_of(path)) for path in FILES} - {"", "__main__"}
    assert rooms <= FLOOR.keys()


def test_nothing_but_the_doors_of_the_package_imports_a_door() -> None:
    doors = [module_of(path) for path, tree in TREES.items()
             if any(name.startswith("runner.cli") for name in imports_of(tree, module_of(path)))]  # fmt: skip
    assert {room_of(module) for module in doors} <= {"cli", "__main__"}


@pytest.mark.parametrize("path", [path for path in FILES if "agent" in path.parts], ids=module_of)
def test_the_agent_stands_alone(path: Path) -> None:
    """It goes to other machines as one zip, where there is an old Python and nothing else."""
    tree = ast.parse(path.read_text(), str(path), feature_version=(3, 8))
    for imported in imports_of(tree, module_of(path)):
        top = imported.split(".")[0]
        if top == "runner":
            assert room_of(imported) == "agent", f"{path.name} imports {imported}"
        elif top != "psutil":
            assert top in sys.stdlib_module_names, f"{path.name} imports {imported}"


@pytest.mark.parametrize("version", sorted(support.AGENT_INTERPRETERS))
def test_the_agent_imports_on_old_interpreters(version: str) -> None:
    modules = sorted(module_of(path) for path in FILES if "agent" in path.parts and path.name != "__main__.py")
    code = f"for name in {modules!r}:\n if name != 'runner.agent.portable': __import__(name)"
    done = subprocess.run(
        [support.AGENT_INTERPRETERS[version], "-W", "error", "-c", code],
        env={"PYTHONPATH": str(support.SRC), "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


SPY = """
import os, sys
sys.path += os.environ["SPY_PATH"].split(":")
modules = {}
def note(moment):
    modules.setdefault(moment, sorted(sys.modules))
def hook(event, args):
    if event in ("os.posix_spawn", "os.fork", "os.exec") or event.endswith("fork_exec"):
        note("start")
sys.addaudithook(hook)
parent = os.getpid()
def report():
    if os.getpid() == parent:
        note("end")
        with open(os.environ["SPY_REPORT"], "w") as file:
            file.write(repr(modules))
leave = os._exit
def exit(code):
    report()
    leave(code)
os._exit = exit
import atexit
atexit.register(report)
before = sorted(sys.modules)
modules["before"] = before
sys.argv = ["runner/__main__.py", *sys.argv[1:]]  # so this interpreter, whose version is known, runs the script
from runner.cli.main import main
sys.exit(main())
"""


def imported_by_a_run(runner: support.Command, *options: str) -> dict[str, set[str]]:
    """Run an empty script and return the modules at the start of the script and at the end of the runner."""
    script = runner.script("")
    report = runner.cwd / "modules"
    spy = support.Command(runner.cwd, runner.env, [sys.executable, "-S", "-c", SPY])
    done = spy(*options, script, env={"SPY_REPORT": str(report), "SPY_PATH": sysconfig.get_path("purelib")})
    assert done.exit_code == 0, done
    told = ast.literal_eval(report.read_text())
    return {moment: set(told[moment]) - set(told["before"]) for moment in ("start", "end")}


def test_a_plain_run_imports_no_heavy_module(runner: support.Command) -> None:
    at = imported_by_a_run(runner, "--log-level", "WARNING")
    for moment in ("start", "end"):
        heavy = {name for name in at[moment] if name.split(".")[0] in FORBIDDEN}
        assert not heavy, f"imported until the {moment}"


def test_the_script_is_started_before_the_rest_is_imported(runner: support.Command) -> None:
    at = imported_by_a_run(runner)
    ours = {name for name in at["start"] if name.startswith("runner.")}
    assert not ours & {"runner.agent.sampler", "runner.stores.sqlite", "runner.stores.journal", "runner.engine.record",
                       "runner.cli.output", "runner.model.metrics", "runner.model.curve"}  # fmt: skip
    assert "sqlite3" not in at["start"]
    assert "runner.stores.sqlite" in at["end"], "the run was not stored: this test tests nothing"
    assert len(ours) <= 30, sorted(ours)


def test_metric_names_are_spelled_only_in_the_catalog() -> None:
    names = metrics.BY_NAME.keys() - {"survivors"}  # also a field of the event that tells it
    wrong: list[str] = []
    for path, tree in TREES.items():
        if path.name == "metrics.py" and path.parent.name == "model":
            continue
        wrong += [
            f"{path.relative_to(PACKAGE)}:{node.lineno}: {node.value!r}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and node.value in names
        ]
    for path in PACKAGE.rglob("*.sql"):
        if "migrations" not in path.parts:
            words = set(re.findall(r"\w+", path.read_text()))
            wrong += [f"{path.relative_to(PACKAGE)}: {word}" for word in words & names]
    assert not wrong


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_a_file_has_one_subject_and_says_it(path: Path) -> None:
    tree = TREES[path]
    assert isinstance(tree, ast.Module)
    docstring = ast.get_docstring(tree)
    if not path.read_text():
        pytest.skip("an empty file")
    assert docstring, "no docstring that says what the file is for"
    assert len(docstring.splitlines()[0]) <= 120
    if path.name not in ("table.py", "reserved.py", "metrics.py"):  # tables
        assert len(path.read_text().splitlines()) <= 400


def test_functions_are_short() -> None:
    long = []
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                assert node.end_lineno is not None
                body = node.end_lineno - node.body[0].lineno + 1
                if body > 70:
                    long.append(f"{path.relative_to(PACKAGE)}:{node.lineno} {node.name}: {body} lines")
    assert not long


def test_the_version_is_said_once_and_agrees() -> None:
    import tomllib

    import runner as package

    project = tomllib.loads((support.ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == package.__version__
    assert f"## [{package.__version__}]" in (support.ROOT / "CHANGELOG.md").read_text()


def test_public_names_are_imported_on_first_use() -> None:
    code = "import sys, runner; assert not [m for m in sys.modules if m.startswith('runner.')]; print(runner.__all__)"
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(support.SRC)}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "ScriptRunner" in done.stdout


def test_importing_the_package_from_the_root_of_a_checkout_finds_the_package() -> None:
    """The door ``runner.py`` lies where Python looks first."""
    code = "import runner, json; print(json.dumps([runner.__file__, runner.HistoryManager.__name__]))"
    env = {"PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, "-c", code], cwd=support.ROOT, env=env, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [str(PACKAGE / "__init__.py"), "HistoryManager"]
