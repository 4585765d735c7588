"""The plug-in of pytest, in a session of its own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from tests import support

if TYPE_CHECKING:
    from pathlib import Path

TESTS = '''
import time
import pytest

def test_fast():
    pass

def test_busy():
    end = time.process_time() + 0.1
    while time.process_time() < end:
        pass

def test_large():
    assert len(bytearray(300 << 20)) and True

def test_fails():
    raise ValueError("token=hunter2 is wrong")

@pytest.mark.skip
def test_skipped():
    pass

@pytest.mark.gate("execution_time_seconds:10s", "memory_max_mb:200MB")
def test_keeps_its_gates():
    pass

@pytest.mark.gate("cpu_time_seconds:10ms")
def test_breaks_its_gate():
    end = time.process_time() + 0.1
    while time.process_time() < end:
        pass
'''


def session(runner: support.Command, *args: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "pytest", "-p", "runner.pytest_plugin", "-p", "no:cacheprovider"]
    return subprocess.run([*words, *args], cwd=runner.cwd, env=runner.env, capture_output=True, text=True, timeout=100)


def runs(runner: support.Command, *options: str) -> dict[str, dict[str, Any]]:
    found = json.loads(runner("history", "--format", "json", *options).out)["runs"]
    return {run["script_name"].partition("::")[2]: run for run in found}


@pytest.fixture
def suite(runner: support.Command) -> support.Command:
    (runner.cwd / "test_it.py").write_text(TESTS)
    return runner


def test_each_test_is_measured_remembered_and_judged(suite: support.Command) -> None:
    done = session(suite, "--runner", "-q")
    assert done.returncode == 1
    assert "2 failed, 4 passed, 1 skipped" in done.stdout
    assert "the test passed, but not its gates:" in done.stdout
    assert "cpu_time_seconds" in done.stdout and "(at most 10 ms)" in done.stdout
    found = runs(suite)
    assert set(found) == {
        "test_fast", "test_busy", "test_large", "test_fails", "test_keeps_its_gates", "test_breaks_its_gate"
    }  # fmt: skip
    assert found["test_busy"]["metrics"]["cpu_time_seconds"] >= 0.1
    large = found["test_large"]
    assert large["metrics"]["memory_max_mb"] >= 300 and large["kinds"].get("memory_max_mb") != "ceiling"
    assert found["test_fails"]["kinds"]["memory_max_mb"] == "ceiling"
    # A test with a gate on memory is not measured by what an earlier one needed.
    gated = found["test_keeps_its_gates"]
    assert gated["metrics"]["memory_max_mb"] < 200 and gated["kinds"].get("memory_max_mb") != "ceiling"
    failed = found["test_fails"]
    assert (failed["success"], failed["error_type"]) == (False, "ValueError")
    assert failed["error_message"] == "ValueError: token=*** is wrong"
    assert found["test_breaks_its_gate"]["error_type"] == "gate"
    assert "cost of 6 tests, the slowest first" in done.stdout


def test_memory_of_the_program_that_started_pytest_does_not_count(suite: support.Command) -> None:
    large = "import os, sys; large = b'x' * (400 << 20); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    words = ["-m", "pytest", "-p", "runner.pytest_plugin", "-p", "no:cacheprovider", "--runner", "-k", "fast"]
    subprocess.run([sys.executable, "-c", large, *words], cwd=suite.cwd, env=suite.env, check=True, timeout=100)
    assert runs(suite)["test_fast"]["metrics"]["memory_max_mb"] < 200


def test_what_is_usual_is_shown_in_later_sessions(suite: support.Command) -> None:
    for _ in range(4):
        session(suite, "--runner", "-q", "-k", "busy")
    done = session(suite, "--runner", "-q", "-k", "busy")
    [line] = [line for line in done.stdout.splitlines() if "test_it.py::test_busy" in line]
    assert re.search(r" CPU +\d+ ms  peak .*, usually \d+ ms$", line)
    assert suite("scripts").out.count("test_busy") == 1


def test_a_relative_gate_goes_by_the_record(suite: support.Command) -> None:
    (suite.cwd / "test_it.py").write_text('''
import os, time, pytest
@pytest.mark.gate("cpu_time_seconds:+50%")
def test_grows():
    end = time.process_time() + float(os.environ["COST"])
    while time.process_time() < end:
        pass
''')  # fmt: skip
    suite.env["COST"] = "0.05"
    for _ in range(12):
        assert session(suite, "--runner", "-q").returncode == 0
    suite.env["COST"] = "0.4"
    done = session(suite, "--runner", "-q")
    assert done.returncode == 1 and "the test passed, but not its gates:" in done.stdout


def test_gates_that_make_no_sense_run_nothing(suite: support.Command) -> None:
    text = "import pytest\n@pytest.mark.gate('cpu_mx:1')\ndef test_it(): open('ran', 'w')\n"
    (suite.cwd / "test_it.py").write_text(text)
    done = session(suite, "--runner")
    assert done.returncode == 4
    assert "unknown metric 'cpu_mx', did you mean" in done.stderr + done.stdout
    assert not (suite.cwd / "ran").exists()


@pytest.mark.parametrize(
    ("mark", "why"),
    [
        ("pytest.mark.gate(metric='cpu_max', max_value=1)", "takes nothing by name (metric, max_value)"),
        ("pytest.mark.gate('cpu_time_seconds:5s', min_value=1)", "takes nothing by name (min_value)"),
        ("pytest.mark.gate", "needs a gate"),
        ("pytest.mark.gate()", "needs a gate"),
    ],
)
@pytest.mark.parametrize(
    "text",
    [
        "@{}\ndef test_it(): open('ran', 'w')\n",
        "@{}\nclass Test:\n    def test_it(self): open('ran', 'w')\n",
        "pytestmark = [pytest.mark.gate('cpu_time_seconds:5s'), {}]\ndef test_it(): open('ran', 'w')\n",
        "@pytest.mark.parametrize('x', [1, pytest.param(2, marks={})])\ndef test_it(x): open('ran', 'w')\n",
    ],
    ids=["function", "class", "module", "parameter"],
)
def test_marks_without_a_gate_or_with_something_else_run_nothing(
    runner: support.Command, text: str, mark: str, why: str
) -> None:
    (runner.cwd / "test_it.py").write_text("import pytest\n" + text.format(mark))
    done = session(runner, "--runner")
    assert done.returncode == 4
    assert f"@pytest.mark.gate {why}: write @pytest.mark.gate('" in done.stderr + done.stdout
    assert not (runner.cwd / "ran").exists()


def test_gates_of_module_class_function_and_parameter_all_hold(runner: support.Command) -> None:
    (runner.cwd / "test_it.py").write_text('''
import pytest
impossible = "execution_time_seconds:<0"
pytestmark = pytest.mark.gate("execution_time_seconds:100s")
@pytest.mark.gate("cpu_time_seconds:100s")
@pytest.mark.parametrize("x", [1, pytest.param(2, marks=pytest.mark.gate(impossible))])
def test_parameter(x): pass
@pytest.mark.gate("cpu_time_seconds:<0")
@pytest.mark.gate(impossible)
def test_function(): pass
@pytest.mark.gate(impossible)
class Test:
    @pytest.mark.gate("cpu_time_seconds:100s")
    def test_method(self): pass
''')  # fmt: skip
    done = session(runner, "--runner", "-q")
    assert "3 failed, 1 passed" in done.stdout
    assert done.stdout.count("  execution_time_seconds ") == 3
    assert done.stdout.count("  cpu_time_seconds ") == 1


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("-n", "2"), "@pytest.mark.gate\ndef test_it(): open('ran', 'w')\n"),
        ((), "@pytest.fixture\ndef late(request): request.node.add_marker(pytest.mark.gate)\n"
             "def test_it(late): open('ran', 'w')\n"),
    ],
)  # fmt: skip
def test_where_the_session_cannot_end_the_test_fails_and_says_why(
    runner: support.Command, options: tuple[str, ...], text: str
) -> None:
    (runner.cwd / "test_it.py").write_text(f"import pytest\n{text}def test_other(): pass\n")
    done = session(runner, "--runner", "-q", *options)
    assert done.returncode == 1 and "1 failed, 1 passed" in done.stdout
    assert "\n@pytest.mark.gate needs a gate: write @pytest.mark.gate('" in done.stdout
    assert not (runner.cwd / "ran").exists()


def test_marks_that_others_add_to_what_was_collected_count(runner: support.Command) -> None:
    (runner.cwd / "conftest.py").write_text(
        "import pytest\ndef pytest_collection_modifyitems(items):\n"
        "    for item in items: item.add_marker(pytest.mark.gate)\n"
    )
    (runner.cwd / "test_it.py").write_text("def test_it(): open('ran', 'w')\n")
    assert session(runner, "--runner").returncode == 4
    assert not (runner.cwd / "ran").exists()


def test_without_the_option_nothing_happens(suite: support.Command, tmp_path: Path) -> None:
    done = session(suite, "-q", "--strict-markers")
    assert "1 failed, 5 passed, 1 skipped" in done.stdout and "cost of" not in done.stdout
    assert not (suite.cwd / "script_runner_history.db").exists()


def test_another_record_can_be_named_and_one_that_fails_is_said(suite: support.Command) -> None:
    session(suite, "--runner", "--runner-history-db", "own.db", "-k", "fast")
    assert list(runs(suite, "--history-db", "own.db")) == ["test_fast"]
    suite.env["RUNNER_HISTORY_DB"] = "other.db"
    session(suite, "--runner", "-k", "busy")
    assert list(runs(suite)) == ["test_busy"] and not (suite.cwd / "script_runner_history.db").exists()
    done = session(suite, "--runner", "--runner-history-db", "/none/x.db", "-k", "fast")
    assert done.returncode == 0 and "runner: warning: tests are not remembered: " in done.stdout


def test_tests_in_several_processes_are_remembered_and_shown_together(suite: support.Command) -> None:
    done = session(suite, "--runner", "-q", "-n", "2", "--junitxml", "report.xml")
    assert done.returncode == 1
    assert "2 failed, 4 passed, 1 skipped" in done.stdout
    assert "cost of 6 tests, the slowest first" in done.stdout
    assert len(runs(suite)) == 6
    report = (suite.cwd / "report.xml").read_text()
    assert report.count('<property name="runner.cpu_time_seconds" value="') == 6
    assert 'name="runner.memory_max_mb.kind" value="ceiling"' in report


@pytest.mark.parametrize("more", [(), ("-p", "runner.pytest_plugin")])
def test_it_is_there_where_the_runner_is_installed(suite: support.Command, more: tuple[str, ...]) -> None:
    table = tomllib.loads((support.ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["pytest11"]
    folder = suite.cwd / "site/runner_as_installed-1.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: runner-as-installed\nVersion: 1\n")
    entries = "".join(f"{name} = {module}\n" for name, module in table.items())
    (folder / "entry_points.txt").write_text(f"[pytest11]\n{entries}")
    suite.env["PYTHONPATH"] += f":{suite.cwd / 'site'}"
    words = [sys.executable, "-m", "pytest", *more, "--runner", "-q", "-k", "fast", "-p", "no:cacheprovider"]
    done = subprocess.run(words, cwd=suite.cwd, env=suite.env, capture_output=True, text=True, timeout=100)
    assert "cost of 1 test, " in done.stdout, done


def test_the_example_of_the_page_does_what_it_says(runner: support.Command) -> None:
    page = (support.ROOT / "docs/howto/pytest.md").read_text(encoding="utf-8")
    (runner.cwd / "test_sums.py").write_text(page.partition("```python\n")[2].partition("```")[0])
    done = session(runner, "--runner", "-q")
    for line in ("the test passed, but not its gates:", "cost of 3 tests, the slowest first", "1 failed, 2 passed in "):
        assert line in done.stdout and line in page
    assert re.search(r"  memory_max_mb 1\d\d MB \(at most 100 MB\)", done.stdout)
