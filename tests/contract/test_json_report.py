"""The JSON report fits its schema whatever becomes of the script, and the schema fits the catalog."""

from __future__ import annotations

import json
import sys

import pytest
from jsonschema import Draft202012Validator

from runner.model.metrics import METRICS
from tests.support import ROOT

SCHEMA = ROOT / "docs" / "reference" / "run.schema.json"

#: The keys that the format promises by name.
PROMISED = (ROOT / "tests" / "contract" / "promised_keys.txt").read_text().split()


@pytest.fixture
def check(runner):
    validator = Draft202012Validator(json.loads(SCHEMA.read_text()), format_checker=Draft202012Validator.FORMAT_CHECKER)

    def run(*line):
        result = runner("--json-output", "report.json", *line)
        data = json.loads((runner.cwd / "report.json").read_text())
        validator.validate(data)
        assert not [key for key in PROMISED if key not in data]
        return result, data

    return run


def test_the_schema_is_the_one_made_from_the_catalog():
    import subprocess

    printed = subprocess.run(
        [sys.executable, "-c", "import generate_run_schema as g; print(g.text(), end='')"],
        cwd=ROOT / "tools", capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert printed.stdout == SCHEMA.read_text(), "run tools/generate_run_schema.py"


def test_success(check, runner):
    script = runner.script("import sys\nprint('a\\nb')\nsys.stderr.write('c')\n")
    result, data = check("--tag", "team=data", "--name", "nightly", script, "x", "--y")
    assert result.exit_code == 0
    assert data["script_args"] == ["x", "--y"]
    assert (data["stdout_lines"], data["stdout_size_bytes"]) == (2, 4)
    assert (data["stderr_lines"], data["stderr_size_bytes"]) == (0, 1)
    assert (data["tags"], data["name"], data["merged"]) == ({"team": "data"}, "nightly", False)
    assert data["python_version"] == ".".join(map(str, sys.version_info[:3]))
    measured = {metric.name for metric in METRICS if data[metric.name] is not None}
    assert set(data["kinds"]) == measured
    assert {metric.name for metric in METRICS} - measured <= {"num_fds"}  # unknown where no sample was taken


@pytest.mark.parametrize(
    ("code", "options", "reason", "exit_code", "signal", "error_type"),
    [
        ("1/0", [], "exited", 1, None, "ZeroDivisionError"),
        ("raise SystemExit(7)", [], "exited", 7, None, "exit:7"),
        ("import os; os.kill(os.getpid(), 11)", [], "signaled", 139, 11, "signal:11"),
        ("import os; os.kill(os.getpid(), 15)", [], "signaled", 143, 15, "signal:15"),
        ("import time; time.sleep(60)", ["--timeout", "0.5"], "timeout", 124, 15, "timeout"),
        (None, [], "failed-to-start", 127, None, "failed-to-start"),
    ],
)
def test_every_end(check, runner, code, options, reason, exit_code, signal, error_type):
    script = "nope.py" if code is None else runner.script(code)
    result, data = check(*options, script)
    assert (data["reason"], data["exit_code"], data["signal"]) == (reason, exit_code, signal)
    assert (data["error_type"], data["success"]) == (error_type, False)
    assert data["error_message"]
    died_of = signal if reason == "signaled" else None
    assert result.exit_code == (-died_of if died_of else exit_code)


def test_merged_output_is_counted_once_and_never_guessed(check, runner):
    import subprocess

    script = runner.script("import os\nos.write(1, b'one\\n')\nos.write(2, b'two\\n')\n")
    done = subprocess.run(
        ["sh", "-c", runner.line("--json-output", "report.json", "--quiet", script) + " 2>&1 | cat"],
        cwd=runner.cwd, env=runner.env, capture_output=True,
    )  # fmt: skip
    data = json.loads((runner.cwd / "report.json").read_text())
    assert done.stdout == b"one\ntwo\n"
    assert data["merged"] is True
    assert (data["stdout_lines"], data["stdout_size_bytes"]) == (2, 8)
    assert (data["stderr_lines"], data["stderr_size_bytes"]) == (None, None)


def test_any_program_can_be_run(check):
    result, data = check("--", "sh", "-c", "echo hi; exit 4")
    assert (result.out, result.exit_code, data["python"], data["exit_code"]) == ("hi\n", 4, None, 4)


def test_times_are_iso_8601_with_offset(check, runner):
    from datetime import datetime

    runner.env["TZ"] = "Asia/Kolkata"
    _, data = check(runner.script("import time; time.sleep(0.2)"))
    start, end = (datetime.fromisoformat(data[key]) for key in ("start_time", "end_time"))
    assert start.utcoffset().total_seconds() == 5.5 * 3600
    assert (end - start).total_seconds() == pytest.approx(data["execution_time_seconds"], abs=1e-5)


def test_a_secret_on_the_line_is_in_no_report(check, runner):
    script = runner.script("import sys; print(sys.argv[1:])")
    result, data = check(script, "--password", "hunter2hunter2", "--api-key=abcdef123456")
    assert "hunter2hunter2" in result.out  # the script gets what was typed
    assert "hunter2" not in json.dumps(data)
    assert "abcdef123456" not in json.dumps(data)


def test_a_report_that_fails_later_changes_nothing_else(runner):
    script = runner.script("import os, shutil; shutil.rmtree('reports'); raise SystemExit(5)")
    (runner.cwd / "reports").mkdir()
    result = runner("--json-output", "reports/r.json", script)
    assert result.exit_code == 5
    assert "reports/r.json was not written" in result.err


@pytest.mark.parametrize("path", ["no/such/r.json", "."])
def test_a_path_that_cannot_work_stops_everything_before_the_start(runner, path):
    script = runner.script("open('ran', 'w')")
    result = runner("--json-output", path, script)
    assert result.exit_code == 2
    assert result.err.count("\n") == 1
    assert not (runner.cwd / "ran").exists()
