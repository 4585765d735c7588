"""What a person sees of what is usual: after a run, in its report, and from ``runner compare``."""

from __future__ import annotations

import csv
import io
import json
import sqlite3

import pytest
from jsonschema import Draft202012Validator

from tests.support import ROOT, Command

#: Works as long as told, with as much memory as told.
SCRIPT = """
import sys, time
seconds, megabytes = float(sys.argv[1]), int(sys.argv[2])
kept = bytearray(megabytes << 20)
time.sleep(seconds)
print("done")
"""


@pytest.fixture
def known(runner: Command) -> Command:
    """Return the command where a script has run six times."""
    runner.script(SCRIPT, "job.py")
    for _ in range(6):
        assert runner("--quiet", "job.py", "0.05", "5").exit_code == 0
    return runner


def report(runner: Command, *line: object) -> dict[str, object]:
    runner("--quiet", "--json-output", "report.json", *line)
    data = json.loads((runner.cwd / "report.json").read_text())
    schema = json.loads((ROOT / "docs" / "reference" / "run.schema.json").read_text())
    Draft202012Validator(schema).validate(data)
    usual: dict[str, object] = data["usual"]
    return usual


def test_the_summary_and_the_report_say_where_a_run_stands(known: Command) -> None:
    done = known("job.py", "0.05", "5")
    assert " of the last 6\n" in done.err
    assert "Unusual" not in done.err
    assert done.stdout == b"done\n"
    slow = known("job.py", "0.8", "60")
    assert "slower than all of the last 7" in slow.err
    assert "Unusual  wall time of" in slow.err
    assert "peak memory of" in slow.err
    assert "Likely   other arguments: 0.05 -> 0.8, 5 -> 60" in slow.err
    assert "more went into waiting" in slow.err
    usual = report(known, "job.py", "0.8", "60")
    assert (usual["runs"], usual["enough"], usual["left_out"]) == (8, True, {})
    metrics = usual["metrics"]
    assert isinstance(metrics, dict)
    assert set(metrics) == {"execution_time_seconds", "cpu_time_seconds", "memory_max_mb"}
    assert metrics["memory_max_mb"]["verdict"] == "higher"


def test_a_failure_tells_what_changed_since(known: Command) -> None:
    with (known.cwd / "job.py").open("a") as file:
        file.write("raise SystemExit(3)\n")
    done = known("job.py", "0.05", "5")
    assert done.exit_code == 3
    assert "of 6 that succeeded" in done.err
    assert "Changed  the script changed\n" in done.err
    usual = report(known, "job.py", "0.05", "5", "--fast")  # other work: nothing like it ever ran
    assert usual["left_out"] == {"failed": 1, "arguments": 6}
    assert known("job.py", "0.05", "5", "--fast").err.count("no run to compare with; left out: ") == 1


def test_without_a_record_or_a_summary_nothing_is_said(known: Command) -> None:
    assert report(known, "--disable-history", "job.py", "0.05", "5") is None
    for options in (("--quiet",), ("--log-level", "WARNING"), ("--disable-history",)):
        assert "sual" not in known(*options, "job.py", "0.05", "5").err


def test_the_api_has_the_same(known: Command) -> None:
    code = """
        import json
        from runner import HistoryManager, ScriptRunner
        script = ScriptRunner("job.py", ["0.05", "5"])
        script.history_manager = HistoryManager()
        print(json.dumps(script.run_script()["usual"]["metrics"]["execution_time_seconds"]["count"]))
    """
    known.script(code, "program.py")
    python = Command(known.cwd, known.env, known.argv[:1])
    assert python("program.py").out.split()[-1] == "6"


def test_a_comparison_with_normal(known: Command) -> None:
    known("--quiet", "job.py", "0.8", "60")
    done = known("compare")
    assert done.exit_code == 0, done
    assert "compared with the last 6 runs like it" in done.out
    assert "likely: other arguments: 0.05 -> 0.8, 5 -> 60" in done.out
    [wall] = [line for line in done.out.splitlines() if line.startswith("wall time")]
    assert wall.endswith("unusual, above all")
    data = json.loads(known("compare", "last:job.py", "--format", "json").out)
    assert (data["status"], data["against"], data["runs"], data["notes"]) == ("ok", "usual", 6, [])
    assert data["figures"][0]["verdict"] == "higher"
    rows = list(csv.DictReader(io.StringIO(known("compare", "--format", "csv").out)))
    assert rows[0]["metric"] == "execution_time_seconds"
    assert float(rows[0]["value"]) > 2 * float(rows[0]["median"]) > 0


def test_two_runs_are_drawn_over_one_another_and_into_files(known: Command) -> None:
    known("--quiet", "job.py", "0.6", "20")
    known("--quiet", "--env", "OMP_NUM_THREADS=3", "job.py", "0.8", "60")
    done = known("compare", "-2", "last")
    assert done.exit_code == 0, done
    assert "OMP_NUM_THREADS  none -> 3" in done.out
    assert "Memory" in done.out.splitlines()
    for name in ("two.svg", "two.html"):
        done = known("compare", "-2", "-1", "--plot", name)
        assert done.out.splitlines()[-1] == f"drawn in {name}"
        assert "Memory" not in done.out.splitlines()
        assert (known.cwd / name).stat().st_size > 1000
    plotted = known("compare", "-2", "-1", "--plot", "two.svg", "--format", "json")
    assert json.loads(plotted.out)["status"] == "ok"


def test_what_makes_no_sense_is_refused_in_one_line(known: Command) -> None:
    for line, message in (
        (("last", "-1"), "last and -1 are the same run"),
        (("last", "nobody"), "'nobody' names no run"),
        (("-3", "--plot", "picture.gif"), "--plot: picture.gif has to end with"),
        (("-1", "-2", "-3"), "has no option -3"),
    ):
        done = known("compare", *line)
        assert (done.exit_code, done.out) == (2, ""), line
        assert message in done.err.splitlines()[0]
    empty = known("compare", "--history-db", "elsewhere.db")
    assert (empty.exit_code, "no runs are remembered" in empty.err) == (2, True)


def test_a_list_of_paths_is_told_by_what_differs(runner: Command) -> None:
    path = runner.env["PATH"]
    for value in (path, f"/opt/new/bin:{path}"):
        runner("--quiet", "--env", f"PATH={value}", "-c", "pass")
    told = runner("compare", "-2", "-1").out
    assert [line.split("PATH  ")[1] for line in told.splitlines() if "variable PATH" in line] == ["+ /opt/new/bin"]


def test_a_first_run_has_nothing_to_be_compared_with(runner: Command) -> None:
    runner.script("print(1)", "new.py")
    runner("--quiet", "new.py")
    done = runner("compare")
    assert (done.exit_code, done.err) == (0, "")
    assert "no earlier run of new.py can be compared with run" in done.out
    assert json.loads(runner("compare", "--format", "json").out)["status"] == "no_data"
    head = runner("compare", "--format", "csv").out
    assert head.startswith("metric,unit,base,value,") and head.count("\n") == 1


def test_what_a_record_holds_can_do_nothing_to_a_terminal(known: Command) -> None:
    evil = "\x1b[2J\x07"
    known("--quiet", "--tag", f"note={evil}", "--env", f"OMP_X={evil}", "job.py", "0.05", "5", f"{evil}1")
    for line in (("compare",), ("compare", "-2", "-1")):
        done = known(*line)
        assert done.exit_code == 0, done
        assert b"\x1b" not in done.stdout
        assert b"\x07" not in done.stdout


def test_a_record_from_before_these_facts_still_compares(known: Command) -> None:
    path = known.cwd / "script_runner_history.db"
    with sqlite3.connect(path) as record:
        record.execute("UPDATE runs SET load = NULL, input_bytes = NULL, io_read_bytes = NULL, memory_max_mb = NULL")
        record.execute("UPDATE environments SET packages = NULL, variables = NULL")
    record.close()
    done = known("job.py", "0.05", "5")
    assert " of the last 6\n" in done.err
    assert "packages" not in done.err
    done = known("compare", "-2", "-1")
    assert done.exit_code == 0, done
    [memory] = [line for line in done.out.splitlines() if line.startswith("peak memory")]
    assert "not measured" in memory
    assert "not recorded ->" in done.out
    done = known("compare")
    [memory] = [line for line in done.out.splitlines() if line.startswith("peak memory")]
    assert "not measured" in memory


def test_a_comparison_fits_into_a_narrow_terminal(known: Command, terminal) -> None:  # type: ignore[no-untyped-def]
    window = terminal(width=40, height=50)
    window.line(f"clear; {known.line('job.py', '0.6', '20')}; {known.line('compare', '-2', 'last')}; echo the-end")
    text = window.wait("\nthe-end")
    assert "Unusual  wall time" in text
    assert max(len(line) for line in window.screen().splitlines()) <= 40


def test_that_nothing_can_be_compared_fits_into_a_narrow_terminal(runner: Command, terminal) -> None:  # type: ignore[no-untyped-def]
    assert runner("-c", "pass").exit_code == 0
    window = terminal(width=30, height=50)
    window.line(f"clear; {runner.line('compare', 'last')}; echo the-end")
    text = window.wait("\nthe-end")
    told = " ".join(text.split())
    assert "no earlier run of -c can be compared with run" in told, "no word is broken"
