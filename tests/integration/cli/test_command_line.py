"""Command lines as people type them, with the real command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests import support

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support import Command

#: Tells what a script can see of how it was called.
TELL = (
    "import json, os, sys\n"
    "names = ('A', 'TOKEN', 'PYTHONUNBUFFERED', 'RUNNER_TIMEOUT')\n"
    "print(json.dumps({'argv': sys.argv, 'name': __name__, 'cwd': os.getcwd(), 'path0': sys.path[0],\n"
    "    'executable': sys.executable, 'env': {n: os.environ[n] for n in names if n in os.environ}}))\n"
)


def alone(runner: Command, *argv: str, input: str | None = None) -> dict[str, object]:
    done = subprocess.run(
        argv, capture_output=True, text=True, cwd=runner.cwd, env=runner.env, input=input, timeout=60, check=True
    )
    return dict(json.loads(done.stdout))


def told(runner: Command, *args: str, input: str | None = None) -> dict[str, object]:
    result = runner("--disable-history", "--quiet", *args, input=input)
    assert result.exit_code == 0, result
    assert result.err == "", result
    return dict(json.loads(result.out))


def test_a_script_sees_what_it_sees_alone(runner: Command) -> None:
    runner.script(TELL, "tell.py")
    runner.script(TELL, "pack/tool.py")
    runner.script(TELL, "app/__main__.py")
    with zipfile.ZipFile(runner.cwd / "app.zip", "w") as archive:
        archive.writestr("__main__.py", TELL)
    runner.script(f"#!{sys.executable}\n{TELL}", "direct")
    python = sys.executable
    args = ["", "a b", "--x=1", "*", "é", "--env", "A=1", "-m", "--help"]
    for ours, theirs in (
        (["tell.py"], [python, "tell.py"]),
        (["./tell.py"], [python, "./tell.py"]),
        (["run", "tell.py"], [python, "tell.py"]),
        (["-m", "pack.tool"], [python, "-m", "pack.tool"]),
        (["run", "-m", "pack.tool"], [python, "-m", "pack.tool"]),
        (["-c", TELL], [python, "-c", TELL]),
        (["app"], [python, "app"]),
        (["app.zip"], [python, "app.zip"]),
        (["./direct"], ["./direct"]),
        (["--", python, "tell.py"], [python, "tell.py"]),
    ):
        assert told(runner, *ours, *args) == alone(runner, *theirs, *args), ours


def test_a_program_from_standard_input(runner: Command) -> None:
    assert told(runner, "-", "a", input=TELL) == alone(runner, sys.executable, "-", "a", input=TELL)


def test_a_script_from_a_pipe_of_the_shell(runner: Command) -> None:
    line = f"{runner.line('--disable-history', '--quiet')} <(echo 'import sys; print(sys.argv[1:])') --timeout 5 a"
    done = subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, cwd=runner.cwd, env=runner.env, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, "['a']\n"), done


@pytest.mark.parametrize("version", ["2.7", "3.6", "3.8", "3.12", "3.13", "pypy3"])
def test_scripts_of_other_interpreters(runner: Command, interpreter: Callable[[str], str], version: str) -> None:
    python = interpreter(version)
    runner.script(TELL, "tell.py")
    assert told(runner, "--python", python, "tell.py", "a") == alone(runner, python, "tell.py", "a")
    result = runner("--python", python, "--json-output", "r.json", "--disable-history", "tell.py")
    report = json.loads((runner.cwd / "r.json").read_text())
    asked = subprocess.run([python, "-c", "import sys; print(sys.version.split()[0])"], capture_output=True, text=True)
    assert (report["python"], report["python_version"]) == (python, asked.stdout.strip()), result


def test_variables_and_directory(runner: Command) -> None:
    runner.script(TELL, "there/tell.py")
    (runner.cwd / "vars").write_text("A=file\nexport TOKEN='x y'\n")
    seen = told(runner, "--cwd", "there", "--env-file", "vars", "--env", "A=line", "tell.py")
    assert seen["env"] == {"A": "line", "TOKEN": "x y"}
    assert seen["cwd"] == str(runner.cwd / "there")
    assert seen["argv"] == ["tell.py"]


def test_a_dry_run_says_what_would_run_and_runs_nothing(runner: Command) -> None:
    runner.script("open('ran', 'w')", "job.py")
    (runner.cwd / "runner.yaml").write_text("retry:\n  max_attempts: 3\n")
    result = runner(
        "--dry-run", "--env", "API_TOKEN=topsecret", "job.py", "a b", "--timeout", "5m",
        env={"RUNNER_MONITOR_INTERVAL": "0.5"},
    )  # fmt: skip
    assert result.exit_code == 0
    for part in ("job.py 'a b'", "--timeout", "300", "command line", "--max-attempts", "runner.yaml:2",
                 "--monitor-interval", "environment RUNNER_MONITOR_INTERVAL", str(runner.cwd)):  # fmt: skip
        assert part in result.out, part
    assert "topsecret" not in result.out
    assert sorted(os.listdir(runner.cwd)) == ["job.py", "runner.yaml"]


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["job.py", "--docker-image", "x"], 2, "--docker-image is not available in this version"),
        (["--tiemout", "5", "job.py"], 2, "did you mean '--timeout'?"),
        (["job.py", "--timeout", "soon"], 2, "--timeout: 'soon' is not a duration"),
        (["job.py", "--monitor-interval", "0"], 2, "--monitor-interval: 0 is too small"),
        (["job.py", "--monitor-interval", "-1"], 2, "too small"),
        (["job.py", "--monitor-interval", "1e9"], 2, "too large"),
        (["job.py", "--monitor-interval", "nan"], 2, "finite"),
        (["--env", "novalue", "job.py"], 2, "--env"),
        (["--env-file", "gone", "job.py"], 2, "--env-file gone: No such file"),
        (["--tag", "novalue", "job.py"], 2, "--tag"),
        (["--cwd", "gone", "job.py"], 2, "--cwd gone: no such directory"),
        (["--config", "gone.yaml", "job.py"], 2, "configuration file gone.yaml"),
        (["--retry", "2", "job.py", "--show-history"], 2, "--retry only makes sense for a run"),
        (["job.py", "--log-level", "LOUD"], 2, "LOUD"),
        (["job.py", "--json-output="], 2, "--json-output: the path is empty"),
        (["jbo.py"], 127, "no such script: jbo.py, did you mean 'job.py'?"),
        (["--dry-run", "jbo.py"], 127, "no such script: jbo.py"),
        (["histroy"], 127, "did you mean the command 'history'?"),
        (["--python", "/no/such/python", "job.py"], 127, "there is no such interpreter"),
        (["--", "no-such-command"], 127, "command not found"),
        (["data"], 126, "neither a Python file nor executable"),
        (["folder"], 126, "without __main__.py"),
    ],
)
def test_what_can_not_be_done_is_said_in_a_line(
    runner: Command, args: list[str], code: int, message: str
) -> None:
    runner.script("open('ran', 'w')", "job.py")
    (runner.cwd / "data").write_text("1,2\n")
    (runner.cwd / "folder").mkdir()
    result = runner(*args, *(["--disable-history"] if "--" not in args else []))
    assert result.exit_code == code, result
    assert result.out == ""
    assert message in result.err
    # What was to run has a summary, of which that line is one.
    assert len(result.err.strip().splitlines()) == (1 if code == 2 or "--dry-run" in args else 2)
    assert "Traceback" not in result.err
    assert not (runner.cwd / "ran").exists()


def test_help_and_version(runner: Command) -> None:
    first = runner("--help")
    assert (first.exit_code, first.err) == (0, "")
    assert len(first.out.splitlines()) <= 24
    assert runner("--version").out.startswith("runner ")
    nothing = runner()
    assert (nothing.exit_code, nothing.out, nothing.err) == (2, "", first.out)
    for args in (["--help-all"], ["history", "--help"], ["db", "-h"], ["help", "config", "show"], ["run", "--help"]):
        result = runner(*args)
        assert (result.exit_code, result.err) == (0, ""), args
        assert result.out.startswith("usage: runner"), args


def test_a_reader_that_has_seen_enough(runner: Command) -> None:
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {runner.line('config', 'schema')} | head -1"],
        capture_output=True, text=True, cwd=runner.cwd, env=runner.env, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "{\n", "")


def test_the_shim_as_script_is_no_script(runner: Command) -> None:
    shim = str(support.ROOT / "runner.py")
    done = subprocess.run(
        [sys.executable, shim, shim, "--show-history"],
        capture_output=True, text=True, cwd=runner.cwd, env=runner.env, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "no runs" in done.stdout


def test_a_flag_the_script_has_too_is_pointed_out_once(runner: Command) -> None:
    runner.script("import sys\nassert '--timeout' not in sys.argv\n", "job.py")
    result = runner("--disable-history", "job.py", "--timeout", "50")
    assert result.exit_code == 0
    assert result.err.count("--timeout was taken by the runner") == 1
    silenced = runner("--disable-history", "job.py", "--timeout", "50", "--suppress-warnings")
    assert "was taken" not in silenced.err
    handed = runner("--disable-history", "-c", "import sys; print(sys.argv[1:])", "--", "--timeout", "50")
    assert handed.out == "['--timeout', '50']\n"


def test_metrics_are_listed_in_every_format(runner: Command) -> None:
    rows = json.loads(runner("metrics", "--format", "json").out)["metrics"]
    assert {"name", "unit", "kind", "meaning"} <= set(rows[0])
    assert len({row["name"] for row in rows}) == len(rows) > 20
    lines = runner("metrics", "--format", "CSV").out.splitlines()
    assert lines[0] == "name,unit,type,kind,more_is_worse,runs,first,last,meaning"
    assert len(lines) == len(rows) + 1
    table = runner("metrics").out
    assert all(row["name"] in table for row in rows)


def test_both_spellings_answer_alike(runner: Command) -> None:
    runner.script("print('x')", "job.py")
    runner.script("print('y')", "other.py")
    for script in ("job.py", "other.py", "job.py"):
        assert runner(script).exit_code == 0
    flat = json.loads(runner("--format", "json", "job.py", "--show-history", "--history-limit", "1").out)
    brief = json.loads(runner("history", "job.py", "--limit", "1", "--format", "json").out)
    assert flat == brief
    assert [run["script_name"] for run in flat["runs"]] == ["job.py"]
    several = json.loads(runner("--db-stats", "--show-history", "--format", "json").out)
    assert list(several) == ["db-stats", "show-history"]
    assert several["db-stats"]["runs"] == 3
