"""How scripts failed, through the command: the line of the summary, the groups, the patterns."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import runner as api

if TYPE_CHECKING:
    from tests import support

FLAKY = """
import sys
print("fetching page", sys.argv[1])
def fetch():
    raise ConnectionError(f"server {sys.argv[1]} did not answer")
fetch()
"""


def test_a_failed_run_is_explained_in_one_line(runner: support.Command) -> None:
    script = runner.script(FLAKY, "fetch.py")
    first = runner("--json-output", "run.json", script, 1)
    [line] = [line for line in first.err.splitlines() if line.startswith("  Where")]
    assert line.split(None, 1)[1].startswith("fetch.py:5, in fetch · network: the other side did not answer")
    report = json.loads((runner.cwd / "run.json").read_text())["failure"]
    assert (report["class"], report["place"]) == ("network", "fetch.py:5, in fetch")
    assert (report["count"], report["runs"]) == (0, 0)
    runner("--quiet", "-c", "pass")
    again = runner(script, 22)
    assert "fetch.py:5, in fetch · 1 x in the 1 run before · network: " in again.err
    fine = runner(runner.script("print(1)", "fine.py"))
    assert "Where" not in fine.err


def test_errors_are_grouped_whatever_figures_are_in_them(runner: support.Command) -> None:
    script = runner.script(FLAKY, "fetch.py")
    for number in (1, 2, 30):
        runner(script, number)
    runner("-c", "open('/none')")
    rows = json.loads(runner("errors", "--format", "json").out)["errors"]
    assert [(row["count"], row["class"], row["error_type"]) for row in rows] == [
        (1, "data", "FileNotFoundError"), (3, "network", "ConnectionError"),
    ]  # fmt: skip
    assert rows[1]["message"] == "ConnectionError: server 30 did not answer" and len(rows[1]["runs"]) == 3
    table = runner("errors", "fetch.py").out.splitlines()
    assert len(table) == 2 and table[1].endswith("ConnectionError: server 30 did not answer (fetch.py:5, in fetch)")
    assert runner("errors", "--format", "csv").out.count("\n") == 3
    none = runner("errors", "other.py").out
    assert none.startswith("no run failed of other.py in the last 30 days; there are runs of: ")
    with api.HistoryManager(runner.cwd / "script_runner_history.db") as history:
        assert [row["count"] for row in api.LogAnalyzer(history).errors()] == [1, 3]


def test_patterns_show_what_is_new_in_the_output(runner: support.Command) -> None:
    script = runner.script("""
        import sys
        print("loaded", sys.argv[1], "rows")
        if sys.argv[1] == "3":
            print("WARNING odd")
        """)
    for number in (1, 2, 3):
        runner(script, number)
    rows = json.loads(runner("errors", script, "--patterns", "--format", "json").out)["patterns"]
    assert [(row["template"], row["runs"], row["first_number"], row["level"]) for row in rows] == [
        ("WARNING odd", 1, 3, "warning"), ("loaded <*> rows", 3, 1, ""),
    ]  # fmt: skip
    assert "run 3 of 3" in runner("errors", script, "--patterns").out
    refused = runner("errors", "--patterns")
    assert refused.exit_code == 2 and "--patterns needs a SCRIPT" in refused.err


def test_a_text_can_be_analyzed_alone() -> None:
    found = api.LogAnalyzer.analyze("WARNING x\nTraceback (most recent call last):\nMemoryError\n")
    assert (found["class"], found["levels"]) == ("memory", {"warning": 1})
    assert found["faults"][0]["type"] == "MemoryError" and found["meaning"]
    assert api.LogAnalyzer.analyze("all is well\n")["class"] == "other"


def test_errors_of_other_languages_are_told_by_what_they_printed(runner: support.Command) -> None:
    script = runner.script("""
        import sys
        sys.stderr.write("Exception in thread \\"main\\" java.lang.OutOfMemoryError: heap\\n\\tat a.B.c(B.java:12)\\n")
        sys.exit(1)
    """)
    told = runner(script).err
    assert "  Where    B.java:12 · memory: " in told
    [row] = json.loads(runner("errors", "--format", "json").out)["errors"]
    assert (row["class"], row["place"]) == ("memory", "B.java:12")
    handled = runner.script("""
        import sys, traceback
        try:
            {}["x"]
        except KeyError:
            traceback.print_exc()
        sys.exit(3)
    """)
    runner(handled)
    assert [row["place"] for row in json.loads(runner("errors", "--format", "json").out)["errors"]] == ["", "B.java:12"]
