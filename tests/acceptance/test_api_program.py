"""The program that shows the Python API as a whole, run as it stands in an empty folder."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests import support

PROGRAM = """
from runner import ScriptRunner, AlertManager, HistoryManager

# Create a runner instance
runner = ScriptRunner(
    script_path='my_script.py',
    script_args=['arg1', 'arg2'],
    timeout=300
)

# Configure alerting
runner.alert_manager.add_alert(
    name='high_cpu',
    condition='cpu_max > 80',
    channels=['slack', 'email'],
    severity='WARNING'
)

runner.alert_manager.configure_slack(
    webhook_url='https://hooks.slack.com/services/YOUR/WEBHOOK/URL'
)

# Add performance gates
runner.cicd_integration.add_performance_gate('cpu_max', max_value=90)
runner.cicd_integration.add_performance_gate('memory_max_mb', max_value=1024)

# Configure retry strategy
runner.configure_retry(
    max_attempts=3,
    strategy='exponential',
    initial_delay=2,
    max_delay=60
)

# Enable history tracking
runner.history_manager = HistoryManager('metrics.db')

# Execute the script
result = runner.run_script()

# Access metrics
metrics = result['metrics']
print(f"CPU Peak: {metrics['cpu_max']:.1f}%")
print(f"Memory Peak: {metrics['memory_max_mb']:.1f} MB")
print(f"Duration: {metrics['execution_time_seconds']:.2f}s")

# Check performance gates
gates_passed, gate_results = runner.cicd_integration.check_gates(metrics)
if not gates_passed:
    print("Performance gates FAILED:")
    for gate_result in gate_results:
        print(f"  \\u2717 {gate_result}")
    exit(1)

# Export metrics
runner.cicd_integration.generate_junit_xml(metrics, gate_results, 'output.xml')
runner.cicd_integration.generate_tap_output(metrics, gate_results, 'output.tap')

# Save as baseline for comparison
import json
with open('baseline.json', 'w') as f:
    json.dump(metrics, f, indent=2)

print("\\u2713 Execution successful with all gates passing")
"""
IDLE = "import sys, time\ntime.sleep(0.6)\nprint(*sys.argv[1:])\n"


def execute(runner: support.Command, script: str) -> subprocess.CompletedProcess[str]:
    runner.script(script, "my_script.py")
    (runner.cwd / "program.py").write_text(PROGRAM)
    return subprocess.run(
        [sys.executable, "program.py"], cwd=runner.cwd, env=runner.env, capture_output=True, text=True, timeout=100
    )


def test_the_program_runs_as_it_stands(runner: support.Command) -> None:
    done = execute(runner, IDLE)
    assert done.returncode == 0, done
    lines = done.stdout.splitlines()
    assert lines[:1] == ["arg1 arg2"] and lines[1].startswith("CPU Peak: ")
    assert lines[-1] == "\u2713 Execution successful with all gates passing"
    assert '<testsuite name="my_script.py" tests="3"' in (runner.cwd / "output.xml").read_text()
    assert (runner.cwd / "output.tap").read_text().splitlines()[1] == "1..3"
    assert (runner.cwd / "metrics.db").exists()
    # What it saved is a baseline for the command.
    again = runner("--baseline", "baseline.json", "--add-gate", "memory_max_mb:+50%", "my_script.py")
    assert again.exit_code == 0, again
    failed = runner("--baseline", "baseline.json", "--add-gate", "memory_max_mb:<=1", "my_script.py")
    assert failed.exit_code == 3


def test_a_gate_that_fails_ends_it(runner: support.Command) -> None:
    done = execute(runner, "x = bytearray(1100 << 20)\nimport time; time.sleep(0.5)\n")
    assert done.returncode == 1
    assert "Performance gates FAILED:" in done.stdout
    first = done.stdout.partition("FAILED:\n")[2].splitlines()[0]
    assert first.startswith(("  \u2717 memory_max_mb", "  \u2717 cpu_max"))
    assert not (runner.cwd / "output.xml").exists()


@pytest.mark.parametrize("form", ["metrics", "result"])
def test_gates_take_a_result_or_its_metrics(runner: support.Command, form: str) -> None:
    from runner import CicdIntegration

    ci = CicdIntegration("job")
    ci.add_performance_gate("memory_max_mb", max_value="1GB", min_value=1)
    ci.add_performance_gate("execution_time_seconds:<=2s")
    figures = {"memory_max_mb": 100.0, "execution_time_seconds": 3.0}
    given = figures if form == "metrics" else {"metrics": figures, "kinds": {}}
    passed, results = ci.check_gates(given)
    assert not passed
    assert [result.passed for result in results] == [False, True, True]
    assert str(results[0]).startswith("execution_time_seconds 3.00 s (at most 2.00 s)")
    (runner.cwd / "base.json").write_text(json.dumps({**figures, "memory_max_mb": 10.0}))
    ci.load_baseline(runner.cwd / "base.json")
    assert [change.metric for change in ci.judge(given).changes]
    for version in ("13", "14"):
        ci.generate_tap_output(given, results, runner.cwd / "job.tap", version=version)
        assert (runner.cwd / "job.tap").read_text().startswith(f"TAP version {version}\n1..4\n")
