"""Command lines of pipelines as people have them, run in a checkout by ``python runner.py``, as they stand."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import yaml
from junitparser import JUnitXml

from tests import support

if TYPE_CHECKING:
    from pathlib import Path

GITHUB = r"""
python runner.py tests/suite.py \
  --config config.yaml \
  --add-gate cpu_max:85 \
  --add-gate memory_max_mb:2048 \
  --junit-output test-results.xml \
  --json-output metrics.json \
  --baseline baseline.json \
  --save-baseline baseline.json
"""
JENKINS = r"""
python runner.py tests/suite.py \
    --config config.yaml \
    --junit-output test-results.xml \
    --json-output metrics.json \
    --baseline ${BASELINE} \
    --save-baseline ${BASELINE} \
    --history-db ${METRICS_DB}
"""
JENKINS_TREND = r"""
python runner.py \
    --analyze-trend \
    --trend-metric execution_time_seconds \
    --history-db ${METRICS_DB}
"""
GITLAB = yaml.safe_load("""
- python runner.py tests/suite.py
    --config config.yaml
    --junit-output test-results.xml
    --json-output metrics.json
    --baseline baseline.json
    --save-baseline baseline.json
    --add-gate cpu_max:85
    --add-gate memory_max_mb:2048
""")[0]
#: What the file of the pipelines asks for.
CONFIG = """
performance_gates:
  - metric_name: stdout_lines
    max_value: 1
"""


@pytest.fixture
def checkout(runner: support.Command) -> support.Command:
    """Return a folder with the door of a checkout, a suite and a configuration file."""
    (runner.cwd / "runner.py").write_text((support.ROOT / "runner.py").read_text())
    (runner.cwd / "src").symlink_to(support.SRC)
    (runner.cwd / "config.yaml").write_text(CONFIG)
    suite = "import os, time; time.sleep(0.3); print('suite'); print(end=os.environ.get('MORE', ''))\n"
    runner.script(suite, "tests/suite.py")
    del runner.env["PYTHONPATH"]
    runner.env.update(BASELINE=str(runner.cwd / "baseline.json"), METRICS_DB=str(runner.cwd / "metrics.db"))
    programs = runner.cwd.parent / "bin"
    programs.mkdir()
    (programs / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (programs / "python").chmod(0o755)
    runner.env["PATH"] = f"{programs}:{runner.env['PATH']}"
    return runner


def execute(checkout: support.Command, text: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-e", "-c", text], cwd=checkout.cwd, env={**checkout.env, **env}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=100,
    )  # fmt: skip


def written(folder: Path) -> tuple[int, int]:
    """Return the number of test cases, and of runs that the baseline holds."""
    (suite,) = JUnitXml.fromfile(str(folder / "test-results.xml"))
    series = json.loads((folder / "baseline.json").read_text())["series"]
    return len(list(suite)), len(series[0]["runs"])


@pytest.mark.parametrize(
    ("text", "cases"), [(GITHUB, 4), (JENKINS, 2), (GITLAB, 4)], ids=["github", "jenkins", "gitlab"]
)
def test_it_passes_compares_and_fails_as_it_stands(checkout: support.Command, text: str, cases: int) -> None:
    first = execute(checkout, text)
    assert (first.returncode, first.stdout) == (0, "suite\n"), first
    assert "no baseline yet" in first.stderr
    assert execute(checkout, text).returncode == 0
    assert written(checkout.cwd) == (cases, 2)
    assert json.loads((checkout.cwd / "metrics.json").read_text())["success"] is True
    failed = execute(checkout, text, MORE="one more\n")
    assert failed.returncode == 3, failed
    assert "FAILED  stdout_lines 2 (at most 1)" in failed.stderr
    assert written(checkout.cwd) == (cases, 2), "a run that failed its gates is no baseline"
    assert json.loads((checkout.cwd / "metrics.json").read_text())["judgement"]["passed"] is False
    database = "metrics.db" if text is JENKINS else "script_runner_history.db"
    assert (checkout.cwd / database).exists()


@pytest.mark.xfail(reason="trends come later", strict=True)
def test_the_trend_is_asked_for_as_it_stands(checkout: support.Command) -> None:
    execute(checkout, JENKINS)
    assert execute(checkout, JENKINS_TREND).returncode == 0
